//! How the sectors of a volume are divided: reserved ones, two tables, FAT16's root directory, clusters.

use super::{
    Kind,
    format::{ENTRY, RESERVED_SECTORS_32, SECTOR, SECTOR_BYTES, TABLES},
};

/// Entries of FAT16's root directory, unless it needs more.
const USUAL_ROOT_ENTRIES: u32 = 512;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Geometry {
    pub(super) kind: Kind,
    pub(super) sectors: u32,
    pub(super) sectors_per_cluster: u8,
    pub(super) reserved_sectors: u16,
    pub(super) root_entries: u16,
    /// Sectors of one table.
    pub(super) table_sectors: u32,
    pub(super) clusters: u32,
}

impl Geometry {
    /// `None` when a volume of this kind can't have so many sectors. `root_entries` counts for FAT16 alone.
    pub(super) fn new(kind: Kind, sectors: u64, root_entries: u32) -> Option<Self> {
        let sectors = u32::try_from(sectors).ok()?;
        let sectors_per_cluster = sectors_per_cluster(kind, sectors)?;
        let (reserved_sectors, root_entries) = match kind {
            Kind::Fat16 => (1, root_entries.max(USUAL_ROOT_ENTRIES).next_multiple_of(SECTOR as u32 / ENTRY as u32)),
            Kind::Fat32 => (RESERVED_SECTORS_32, 0),
        };
        let root_entries = u16::try_from(root_entries).ok()?;
        let root_sectors = u32::from(root_entries) * ENTRY as u32 / SECTOR as u32;
        let for_tables_and_clusters = sectors.checked_sub(u32::from(reserved_sectors) + root_sectors)?;
        let clusters_beside = |table_sectors: u32| {
            Some(
                for_tables_and_clusters.checked_sub(u32::from(TABLES) * table_sectors)?
                    / u32::from(sectors_per_cluster),
            )
        };
        let table_for = |clusters: u32| (u64::from(clusters) + 2).div_ceil(SECTOR_BYTES / kind.entry_bytes()) as u32;
        // The table for all the sectors is too long by what the tables take themselves; twice is near enough, and safe.
        let mut table_sectors = table_for(clusters_beside(0)?);
        table_sectors = table_for(clusters_beside(table_for(clusters_beside(table_sectors)?))?);
        let clusters = clusters_beside(table_sectors)?;
        debug_assert!(table_sectors >= table_for(clusters));
        let geometry =
            Self { kind, sectors, sectors_per_cluster, reserved_sectors, root_entries, table_sectors, clusters };
        kind.clusters().contains(&clusters).then_some(geometry)
    }

    pub(super) fn cluster_bytes(&self) -> u64 {
        u64::from(self.sectors_per_cluster) * SECTOR_BYTES
    }

    /// Byte offset of a table.
    pub(super) fn table(&self, number: u8) -> u64 {
        (u64::from(self.reserved_sectors) + u64::from(number) * u64::from(self.table_sectors)) * SECTOR_BYTES
    }

    /// Byte offset of FAT16's root directory.
    pub(super) fn root(&self) -> u64 {
        self.table(TABLES)
    }

    /// Byte offset of a cluster.
    pub(super) fn cluster(&self, number: u32) -> u64 {
        let data = self.root() + u64::from(self.root_entries) * ENTRY as u64;
        data + u64::from(number - super::format::FIRST_CLUSTER) * self.cluster_bytes()
    }
}

/// Microsoft's tables, by sectors of the volume; `None` where a kind is too small or too large.
fn sectors_per_cluster(kind: Kind, sectors: u32) -> Option<u8> {
    Some(match (kind, sectors) {
        (Kind::Fat16, ..=8_400) => return None,
        (Kind::Fat16, ..=32_680) => 2,
        (Kind::Fat16, ..=262_144) => 4,
        (Kind::Fat16, ..=524_288) => 8,
        (Kind::Fat16, ..=1_048_576) => 16,
        (Kind::Fat16, ..=2_097_152) => 32,
        (Kind::Fat16, ..=4_194_304) => 64,
        (Kind::Fat16, _) => return None,
        (Kind::Fat32, ..=66_600) => return None,
        (Kind::Fat32, ..=532_480) => 1,
        (Kind::Fat32, ..=16_777_216) => 8,
        (Kind::Fat32, ..=33_554_432) => 16,
        (Kind::Fat32, ..=67_108_864) => 32,
        (Kind::Fat32, _) => 64,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_covers_clusters() {
        for kind in [Kind::Fat16, Kind::Fat32] {
            let mut sizes = 0;
            for sectors in (0..5_000_000_u64).step_by(997).chain([u32::MAX.into()]) {
                let Some(geometry) = Geometry::new(kind, sectors, 0) else { continue };
                sizes += 1;
                let entries = u64::from(geometry.table_sectors) * SECTOR_BYTES / kind.entry_bytes();
                assert!(entries >= u64::from(geometry.clusters) + 2, "{geometry:?}");
                assert!(entries <= u64::from(geometry.clusters) + 2 + 1024, "{geometry:?}");
                let end = geometry.cluster(geometry.clusters + 2);
                assert!(end <= sectors * SECTOR_BYTES, "{geometry:?}");
                assert!(end + 2 * geometry.cluster_bytes() + 1024 > sectors * SECTOR_BYTES, "{geometry:?}");
            }
            assert!(sizes > 4000, "{sizes}");
        }
    }
}
