//! Boot sector and tables of an image, and which clusters have been met.

use bytes::Bytes;
use zerocopy::{FromBytes, IntoBytes};

use super::{Checked, Fault, ReadError, Result, count, field};
use crate::fat::{
    Kind,
    format::{
        BOOT_SIGNATURE, BootSector16, BootSector32, ENTRY, EXTENDED_SIGNATURE, ExtendedBlock, FIRST_CLUSTER, FsInfo,
        LEAD_SIGNATURE, MAX_ENTRIES, NO_LABEL, ParameterBlock, SECTOR, SECTOR_BYTES, STRUCTURE_SIGNATURE, TABLES,
        TRAIL_SIGNATURE,
    },
};

/// What the boot sector says, checked.
#[derive(Debug)]
pub(super) struct Facts {
    pub(super) kind: Kind,
    pub(super) volume_id: u32,
    pub(super) size: u64,
    pub(super) cluster_bytes: u64,
    label: [u8; 11],
    clusters: u32,
    /// Byte offsets.
    table: u64,
    table_bytes: u64,
    fixed_root: u64,
    data: u64,
    /// FAT32's.
    root_cluster: u32,
    info: Option<u64>,
}

/// Consecutive clusters.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    first: u32,
    pub(super) clusters: u32,
}

#[derive(Debug)]
pub(super) struct Volume {
    image: Bytes,
    pub(super) facts: Facts,
    /// A bit for each cluster that something was found to use.
    met: Vec<u64>,
}

impl Volume {
    pub(super) fn open(image: &Bytes) -> Result<Self> {
        let given = image.len() as u64;
        let short = |needed| ReadError::Short { needed, given };
        let sector = image.get(..SECTOR).ok_or_else(|| short(SECTOR_BYTES))?;
        let facts = facts(sector).map_err(ReadError::Boot)?;
        if given < facts.size {
            return Err(short(facts.size));
        }
        let met = vec![0; (facts.clusters as usize + FIRST_CLUSTER as usize).div_ceil(64)];
        let volume = Self { image: image.clone(), facts, met };
        volume.check_copies(sector).map_err(ReadError::Boot)?;
        Ok(volume)
    }

    fn range(&self, start: u64, length: u64) -> Bytes {
        // The image is at least as long as the volume, whose parts were checked to be inside.
        self.image.slice(start as usize..(start + length) as usize)
    }

    fn check_copies(&self, sector: &[u8]) -> Checked<()> {
        let facts = &self.facts;
        let tables = [0, 1].map(|number| self.range(facts.table + number * facts.table_bytes, facts.table_bytes));
        if tables[0] != tables[1] {
            return Err(Fault::Copy("table"));
        }
        if facts.kind == Kind::Fat32 {
            let boot = BootSector32::read_from_bytes(sector).expect("a sector");
            let backup = u64::from(boot.fat32.bpb_bk_boot_sec.get());
            if backup == 0 || backup * SECTOR_BYTES >= facts.table {
                return field("bpb_bk_boot_sec", backup);
            }
            if self.range(backup * SECTOR_BYTES, SECTOR_BYTES) != *boot.as_bytes() {
                return Err(Fault::Copy("boot sector"));
            }
        }
        Ok(())
    }

    /// What the table has for a cluster, without the bits that mean nothing.
    fn next(&self, cluster: u32) -> u32 {
        let width = self.facts.kind.entry_bytes();
        let entry = self.range(self.facts.table + u64::from(cluster) * width, width);
        match self.facts.kind {
            Kind::Fat16 => u16::from_le_bytes([entry[0], entry[1]]).into(),
            Kind::Fat32 => u32::from_le_bytes([entry[0], entry[1], entry[2], entry[3]]) & 0x0fff_ffff,
        }
    }

    fn is_end(&self, next: u32) -> bool {
        match self.facts.kind {
            Kind::Fat16 => next >= 0xfff8,
            Kind::Fat32 => next >= 0x0fff_fff8,
        }
    }

    fn clusters(&self) -> std::ops::Range<u32> {
        FIRST_CLUSTER..FIRST_CLUSTER + self.facts.clusters
    }

    /// The clusters from `first` on to the end of its chain, which nothing else may use.
    pub(super) fn chain(&mut self, first: u32) -> Checked<Vec<Run>> {
        let mut runs: Vec<Run> = Vec::new();
        let mut from = 0;
        let mut cluster = first;
        loop {
            if !self.clusters().contains(&cluster) {
                return Err(Fault::Chain { cluster: from, next: cluster });
            }
            let word = &mut self.met[cluster as usize / 64];
            if *word >> (cluster % 64) & 1 == 1 {
                return Err(Fault::UsedTwice(cluster));
            }
            *word |= 1 << (cluster % 64);
            match runs.last_mut() {
                Some(run) if run.first + run.clusters == cluster => run.clusters += 1,
                _ => runs.push(Run { first: cluster, clusters: 1 }),
            }
            let next = self.next(cluster);
            if self.is_end(next) {
                return Ok(runs);
            }
            (from, cluster) = (cluster, next);
        }
    }

    /// The bytes of clusters that [`Volume::chain`] returned.
    pub(super) fn bytes(&self, run: Run) -> Bytes {
        let start = self.facts.data + u64::from(run.first - FIRST_CLUSTER) * self.facts.cluster_bytes;
        self.range(start, u64::from(run.clusters) * self.facts.cluster_bytes)
    }

    /// The bytes of a directory.
    pub(super) fn directory(&self, runs: &[Run]) -> Checked<Bytes> {
        let length: u64 = runs.iter().map(|run| u64::from(run.clusters) * self.facts.cluster_bytes).sum();
        let limit = ((MAX_ENTRIES * ENTRY) as u64).max(self.facts.cluster_bytes);
        if length > limit {
            return Err(Fault::Count { what: "bytes of entries", stored: limit, found: length });
        }
        match runs {
            [run] => Ok(self.bytes(*run)),
            _ => Ok(runs.iter().flat_map(|run| self.bytes(*run)).collect::<Vec<u8>>().into()),
        }
    }

    pub(super) fn root(&mut self) -> Checked<Bytes> {
        match self.facts.kind {
            Kind::Fat16 => Ok(self.range(self.facts.fixed_root, self.facts.data - self.facts.fixed_root)),
            Kind::Fat32 => {
                let runs = self.chain(self.facts.root_cluster)?;
                self.directory(&runs)
            }
        }
    }

    /// What is in use must have been met. Returns how many clusters are free.
    pub(super) fn check_tables(&self) -> Checked<u32> {
        let media = self.next(0);
        if media & 0xff != 0xf8 || !self.is_end(media | 7) {
            return field("first entry", media);
        }
        let used = self.clusters().filter(|cluster| self.next(*cluster) != 0).count() as u64;
        let met: u64 = self.met.iter().map(|word| u64::from(word.count_ones())).sum();
        count("clusters in use", used, met)?;
        let free = self.facts.clusters - u32::try_from(used).expect("no more than there are");
        if let Some(place) = self.facts.info {
            let info = FsInfo::read_from_bytes(&self.range(place, SECTOR_BYTES)).expect("a sector");
            let signatures = (info.fsi_lead_sig, info.fsi_struc_sig, info.fsi_trail_sig);
            if signatures != (LEAD_SIGNATURE, STRUCTURE_SIGNATURE, TRAIL_SIGNATURE) {
                return field("fsi_lead_sig", u32::from_le_bytes(info.fsi_lead_sig));
            }
            count("free clusters", info.fsi_free_count.get().into(), free.into())?;
        }
        Ok(free)
    }

    /// The boot sector repeats the label of the root directory.
    pub(super) fn check_label(&self, label: Option<[u8; 11]>) -> Checked<()> {
        if self.facts.label == label.unwrap_or(NO_LABEL) { Ok(()) } else { Err(Fault::Copy("label")) }
    }
}

// table: a field a line
fn facts(sector: &[u8]) -> Checked<Facts> {
    let narrow = BootSector16::read_from_bytes(sector).expect("a sector");
    let wide = BootSector32::read_from_bytes(sector).expect("a sector");
    let bpb: &ParameterBlock = &narrow.bpb;
    let expect = |name: &'static str, value: u32, is_valid: bool| {
        if is_valid { Ok(()) } else { field(name, value) }
    };
    expect("signature", u16::from_le_bytes(narrow.signature).into(), narrow.signature == BOOT_SIGNATURE)?;
    let bytes_per_sector = bpb.bpb_byts_per_sec.get();
    expect("bpb_byts_per_sec", bytes_per_sector.into(), usize::from(bytes_per_sector) == SECTOR)?;
    let sectors_per_cluster = bpb.bpb_sec_per_clus;
    expect("bpb_sec_per_clus", sectors_per_cluster.into(), sectors_per_cluster.is_power_of_two())?;
    expect("bpb_num_fats", bpb.bpb_num_fats.into(), bpb.bpb_num_fats == TABLES)?;
    let reserved = u64::from(bpb.bpb_rsvd_sec_cnt.get());
    expect("bpb_rsvd_sec_cnt", bpb.bpb_rsvd_sec_cnt.get().into(), reserved > 0)?;
    let root_entries = usize::from(bpb.bpb_root_ent_cnt.get());
    expect("bpb_root_ent_cnt", root_entries as u32, (root_entries * ENTRY).is_multiple_of(SECTOR))?;
    let is_wide = bpb.bpb_fat_sz16.get() == 0;
    let extended: &ExtendedBlock = if is_wide { &wide.extended } else { &narrow.extended };
    expect("bs_boot_sig", extended.bs_boot_sig.into(), extended.bs_boot_sig == EXTENDED_SIGNATURE)?;
    let sectors = match (bpb.bpb_tot_sec16.get(), bpb.bpb_tot_sec32.get()) {
        (0, sectors) => sectors,
        (sectors, 0) => sectors.into(),
        (_, sectors) => return field("bpb_tot_sec32", sectors),
    };
    let table_sectors = if is_wide { wide.fat32.bpb_fat_sz32.get() } else { bpb.bpb_fat_sz16.get().into() };
    let fixed_root = reserved + u64::from(TABLES) * u64::from(table_sectors);
    let data = fixed_root + (root_entries * ENTRY / SECTOR) as u64;
    let Some(data_sectors) = u64::from(sectors).checked_sub(data) else { return field("bpb_tot_sec32", sectors) };
    let clusters = (data_sectors / u64::from(sectors_per_cluster)) as u32;
    let kind = if is_wide { Kind::Fat32 } else { Kind::Fat16 };
    expect("clusters", clusters, kind.clusters().contains(&clusters))?;
    let table_bytes = u64::from(table_sectors) * SECTOR_BYTES;
    let is_covered = (u64::from(clusters) + 2) * kind.entry_bytes() <= table_bytes;
    expect("bpb_fat_sz32", table_sectors, is_covered)?;
    let mut info = None;
    if is_wide {
        let fat32 = &wide.fat32;
        expect("bpb_root_ent_cnt", root_entries as u32, root_entries == 0)?;
        expect("bpb_ext_flags", fat32.bpb_ext_flags.get().into(), fat32.bpb_ext_flags.get() == 0)?;
        expect("bpb_fs_ver", fat32.bpb_fs_ver.get().into(), fat32.bpb_fs_ver.get() == 0)?;
        let sector = fat32.bpb_fs_info.get();
        expect("bpb_fs_info", sector.into(), sector > 0 && u64::from(sector) < reserved)?;
        info = Some(u64::from(sector) * SECTOR_BYTES);
    }
    Ok(Facts {
        kind,
        volume_id: extended.bs_vol_id.get(),
        size: u64::from(sectors) * SECTOR_BYTES,
        cluster_bytes: u64::from(sectors_per_cluster) * SECTOR_BYTES,
        label: extended.bs_vol_lab,
        clusters,
        table: reserved * SECTOR_BYTES,
        table_bytes,
        fixed_root: fixed_root * SECTOR_BYTES,
        data: data * SECTOR_BYTES,
        root_cluster: if is_wide { wide.fat32.bpb_root_clus.get() } else { 0 },
        info,
    })
}
