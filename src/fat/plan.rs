//! Turns a tree and options into a plan: the place of every file, and the bytes of tables and directories.

use std::{fs::File, io};

use rayon::prelude::*;
use zerocopy::{FromZeros, IntoBytes};

use super::{
    Error, Kind, Options, Plan,
    directory::{DosTime, Entries},
    format::{
        BACKUP_SECTOR, BOOT_SIGNATURE, BootSector16, BootSector32, ENTRY, EXTENDED_SIGNATURE, ExtendedBlock,
        FIRST_CLUSTER, FS_INFO_SECTOR, FsInfo, LEAD_SIGNATURE, MAX_ENTRIES, MAX_ROOT_ENTRIES, MEDIA, NO_LABEL,
        ParameterBlock, SECTOR, SECTOR_BYTES, SHORT_SPECIALS, STRUCTURE_SIGNATURE, TABLES, TRAIL_SIGNATURE,
    },
    geometry::Geometry,
    names::{FatName, assign},
};
use crate::{
    sparse,
    tree::{Content, InodeId, Name, Node, Tree, TreePath},
};

/// A directory or file, in walk order; the root is the first.
struct Item<'a> {
    path: TreePath,
    /// None for the root.
    name: Option<FatName>,
    parent: usize,
    kind: ItemKind<'a>,
}

enum ItemKind<'a> {
    /// Indexes of what is in it, and how many entries they take with `.`, `..` and the label.
    Directory {
        children: Vec<usize>,
        entries: usize,
    },
    File(&'a Content),
}

pub(super) fn plan<'a>(tree: &'a Tree, top: InodeId, options: &Options) -> Result<Plan<'a>, Error> {
    let label = label(&options.label)?;
    let items = items(tree, top, label.is_some())?;
    let root_entries = root_entries(&items[0], options.kind)?;
    let geometry = |sectors| Geometry::new(options.kind, sectors, root_entries).filter(|found| fits(&items, found));
    let given = options.size / SECTOR_BYTES;
    let Some(geometry) = geometry(given) else {
        return Err(match smallest(given, |sectors| geometry(sectors).is_some()) {
            Some(sectors) => Error::DoesNotFit { needed: sectors * SECTOR_BYTES, given: options.size },
            None => Error::Size { kind: options.kind, size: options.size },
        });
    };
    let firsts = first_clusters(&items, &geometry);
    let mut pieces = tables(&items, &firsts, &geometry);
    pieces.extend(directories(&items, &firsts, &geometry, label, DosTime::new(options.epoch)));
    let free = geometry.clusters - clusters(&items, &geometry) as u32;
    pieces.extend(boot_sectors(&geometry, options.volume_id, label, free));
    Ok(Plan { size: u64::from(geometry.sectors) * SECTOR_BYTES, pieces, data: data(&items, &firsts, &geometry) })
}

pub(super) fn write(plan: &Plan<'_>, out: &File, base: u64) -> io::Result<()> {
    plan.pieces.par_iter().try_for_each(|(offset, bytes)| sparse::write(out, base + offset, bytes))?;
    plan.data.par_iter().try_for_each(|(offset, bytes)| sparse::write(out, base + offset, bytes))
}

fn label(label: &str) -> Result<Option<[u8; 11]>, Error> {
    let is_valid =
        |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b' ' || SHORT_SPECIALS.contains(&byte);
    if label.is_empty() {
        return Ok(None);
    }
    let mut bytes = [b' '; 11];
    match bytes.get_mut(..label.len()) {
        Some(place) if label.bytes().all(is_valid) && !label.starts_with(' ') => {
            place.copy_from_slice(label.as_bytes());
        }
        _ => return Err(Error::Label(label.to_owned())),
    }
    Ok(Some(bytes))
}

fn items(tree: &Tree, top: InodeId, has_label: bool) -> Result<Vec<Item<'_>>, Error> {
    let mut items: Vec<Item<'_>> = Vec::new();
    let mut todo: Vec<(InodeId, TreePath, Option<FatName>, usize)> = vec![(top, TreePath::root(), None, 0)];
    while let Some((id, path, name, parent)) = todo.pop() {
        let index = items.len();
        if let Some(Item { kind: ItemKind::Directory { children, .. }, .. }) = items.get_mut(parent) {
            children.push(index);
        }
        let unsupported = |kind| Error::Unsupported { path: path.clone(), kind };
        let kind = match &tree.get(id).node {
            Node::Directory(entries) => {
                let named = assign(entries.keys().map(Name::as_bytes)).map_err(|(index, fault)| {
                    let name = entries.keys().nth(index).expect("the index of a name");
                    Error::Name { path: path.join(name), fault }
                })?;
                let own = if index == 0 { usize::from(has_label) } else { 2 };
                let count = own + named.iter().map(FatName::entries).sum::<usize>();
                if count > MAX_ENTRIES {
                    return Err(Error::DirectoryTooLarge { path, entries: count, limit: MAX_ENTRIES });
                }
                let below = entries.iter().zip(named);
                todo.extend(below.rev().map(|((name, id), fat)| (*id, path.join(name), Some(fat), index)));
                ItemKind::Directory { children: Vec::new(), entries: count }
            }
            Node::Regular(content) if u32::try_from(content.len()).is_err() => {
                return Err(Error::FileTooLarge { path, size: content.len() });
            }
            Node::Regular(content) => ItemKind::File(content),
            Node::Symlink(_) => return Err(unsupported("symbolic links")),
            Node::CharDevice(_) | Node::BlockDevice(_) => return Err(unsupported("devices")),
            Node::Fifo => return Err(unsupported("pipes")),
            Node::Socket => return Err(unsupported("sockets")),
        };
        items.push(Item { path, name, parent, kind });
    }
    Ok(items)
}

/// Clusters of one item; FAT16's root directory lies apart.
fn item_clusters(index: usize, item: &Item<'_>, geometry: &Geometry) -> u64 {
    match &item.kind {
        ItemKind::Directory { .. } if index == 0 && geometry.kind == Kind::Fat16 => 0,
        ItemKind::Directory { entries, .. } => ((entries * ENTRY) as u64).div_ceil(geometry.cluster_bytes()).max(1),
        ItemKind::File(content) => content.len().div_ceil(geometry.cluster_bytes()),
    }
}

fn clusters(items: &[Item<'_>], geometry: &Geometry) -> u64 {
    items.iter().enumerate().map(|(index, item)| item_clusters(index, item, geometry)).sum()
}

fn fits(items: &[Item<'_>], geometry: &Geometry) -> bool {
    clusters(items, geometry) <= u64::from(geometry.clusters)
}

/// Entries that the root directory must have room for.
fn root_entries(root: &Item<'_>, kind: Kind) -> Result<u32, Error> {
    match root.kind {
        ItemKind::File(_) => Err(Error::NotDirectory),
        ItemKind::Directory { entries, .. } if kind == Kind::Fat16 && entries > MAX_ROOT_ENTRIES => {
            Err(Error::DirectoryTooLarge { path: TreePath::root(), entries, limit: MAX_ROOT_ENTRIES })
        }
        ItemKind::Directory { entries, .. } => Ok(entries as u32),
    }
}

/// The least number of sectors above `too_few` that suffices.
fn smallest(too_few: u64, suffices: impl Fn(u64) -> bool) -> Option<u64> {
    let most = u64::from(u32::MAX);
    let (mut low, mut high) = (too_few, (too_few + 1).min(most));
    while !suffices(high) {
        if high == most {
            return None;
        }
        low = high;
        high = (high * 2).min(most);
    }
    while high - low > 1 {
        let middle = low.midpoint(high);
        *(if suffices(middle) { &mut high } else { &mut low }) = middle;
    }
    Some(high)
}

/// Where each item begins, one after the other; 0 for what has no cluster.
fn first_clusters(items: &[Item<'_>], geometry: &Geometry) -> Vec<u32> {
    let mut next = FIRST_CLUSTER;
    let place = |(index, item)| {
        let clusters = item_clusters(index, item, geometry) as u32;
        let first = if clusters == 0 { 0 } else { next };
        next += clusters;
        first
    };
    items.iter().enumerate().map(place).collect()
}

/// Both tables, as far as clusters are in use.
fn tables(items: &[Item<'_>], firsts: &[u32], geometry: &Geometry) -> Vec<(u64, Vec<u8>)> {
    // The media byte, and two bits that say that the volume is clean and whole, before the first cluster.
    let mut entries: Vec<u32> = vec![0x0fff_ff00 | u32::from(MEDIA), 0x0fff_ffff];
    for (index, item) in items.iter().enumerate().filter(|(index, _)| firsts[*index] != 0) {
        let end = firsts[index] + item_clusters(index, item, geometry) as u32;
        entries.extend(firsts[index] + 1..end);
        entries.push(0x0fff_ffff);
    }
    let bytes: Vec<u8> = match geometry.kind {
        Kind::Fat16 => entries.iter().flat_map(|entry| ((entry & 0xffff) as u16).to_le_bytes()).collect(),
        Kind::Fat32 => entries.iter().flat_map(|entry| entry.to_le_bytes()).collect(),
    };
    (0..TABLES).map(|number| (geometry.table(number), bytes.clone())).collect()
}

fn directories(
    items: &[Item<'_>],
    firsts: &[u32],
    geometry: &Geometry,
    label: Option<[u8; 11]>,
    time: DosTime,
) -> Vec<(u64, Vec<u8>)> {
    let mut pieces = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let ItemKind::Directory { children, entries: count } = &item.kind else { continue };
        let mut entries = Entries::new(time);
        match (index, label) {
            (0, Some(label)) => entries.label(label),
            (0, None) => {}
            // The root's number is written as 0, wherever it is.
            _ => entries.dots(firsts[index], if item.parent == 0 { 0 } else { firsts[item.parent] }),
        }
        for &child in children {
            let name = items[child].name.as_ref().expect("only the root has none");
            match &items[child].kind {
                ItemKind::Directory { .. } => entries.directory(name, firsts[child]),
                ItemKind::File(content) => {
                    let size = u32::try_from(content.len()).expect("checked when the items were made");
                    entries.file(name, firsts[child], size);
                }
            }
        }
        assert_eq!(entries.bytes.len(), count * ENTRY, "{}", item.path);
        let place = if firsts[index] == 0 { geometry.root() } else { geometry.cluster(firsts[index]) };
        pieces.push((place, entries.bytes));
    }
    pieces
}

fn data<'a>(items: &[Item<'a>], firsts: &[u32], geometry: &Geometry) -> Vec<(u64, &'a [u8])> {
    let mut data = Vec::new();
    for (item, &first) in items.iter().zip(firsts) {
        if let ItemKind::File(content) = item.kind {
            data.extend(content.runs().map(|(offset, bytes)| (geometry.cluster(first) + offset, &bytes[..])));
        }
    }
    data
}

fn boot_sectors(geometry: &Geometry, volume_id: u32, label: Option<[u8; 11]>, free: u32) -> Vec<(u64, Vec<u8>)> {
    let mut extended = ExtendedBlock {
        bs_drv_num: 0x80,
        bs_reserved1: 0,
        bs_boot_sig: EXTENDED_SIGNATURE,
        bs_vol_id: volume_id.into(),
        bs_vol_lab: label.unwrap_or(NO_LABEL),
        bs_fil_sys_type: *b"FAT16   ",
    };
    if geometry.kind == Kind::Fat16 {
        let mut boot = BootSector16::new_zeroed();
        boot.bpb = parameters(geometry);
        boot.bpb.bpb_fat_sz16.set(u16::try_from(geometry.table_sectors).expect("65524 clusters need 256 sectors"));
        boot.extended = extended;
        boot.code[..3].copy_from_slice(&HALT);
        boot.signature = BOOT_SIGNATURE;
        return vec![(0, boot.as_bytes().to_vec())];
    }
    extended.bs_fil_sys_type = *b"FAT32   ";
    let mut boot = BootSector32::new_zeroed();
    boot.bpb = parameters(geometry);
    boot.fat32.bpb_fat_sz32.set(geometry.table_sectors);
    boot.fat32.bpb_root_clus.set(FIRST_CLUSTER);
    boot.fat32.bpb_fs_info.set(FS_INFO_SECTOR);
    boot.fat32.bpb_bk_boot_sec.set(BACKUP_SECTOR);
    boot.extended = extended;
    boot.code[..3].copy_from_slice(&HALT);
    boot.signature = BOOT_SIGNATURE;
    let mut info = FsInfo::new_zeroed();
    info.fsi_lead_sig = LEAD_SIGNATURE;
    info.fsi_struc_sig = STRUCTURE_SIGNATURE;
    info.fsi_free_count.set(free);
    info.fsi_nxt_free.set(geometry.clusters - free + FIRST_CLUSTER);
    info.fsi_trail_sig = TRAIL_SIGNATURE;
    let both = [boot.as_bytes(), info.as_bytes()].concat();
    vec![(0, both.clone()), (u64::from(BACKUP_SECTOR) * SECTOR_BYTES, both)]
}

/// What a BIOS that starts the volume does: `hlt`, and again.
const HALT: [u8; 3] = [0xf4, 0xeb, 0xfd];

fn parameters(geometry: &Geometry) -> ParameterBlock {
    let code = match geometry.kind {
        Kind::Fat16 => std::mem::offset_of!(BootSector16, code),
        Kind::Fat32 => std::mem::offset_of!(BootSector32, code),
    };
    let small = u16::try_from(geometry.sectors).ok();
    ParameterBlock {
        // A jump over the blocks; it counts from behind itself.
        bs_jmp_boot: [0xeb, (code - 2) as u8, 0x90],
        bs_oem_name: *b"MSWIN4.1",
        bpb_byts_per_sec: (SECTOR as u16).into(),
        bpb_sec_per_clus: geometry.sectors_per_cluster,
        bpb_rsvd_sec_cnt: geometry.reserved_sectors.into(),
        bpb_num_fats: TABLES,
        bpb_root_ent_cnt: geometry.root_entries.into(),
        bpb_tot_sec16: if geometry.kind == Kind::Fat16 { small.unwrap_or(0) } else { 0 }.into(),
        bpb_media: MEDIA,
        bpb_fat_sz16: 0.into(),
        bpb_sec_per_trk: 63.into(),
        bpb_num_heads: 255.into(),
        bpb_hidd_sec: 0.into(),
        bpb_tot_sec32: if geometry.kind == Kind::Fat16 && small.is_some() { 0 } else { geometry.sectors }.into(),
    }
}
