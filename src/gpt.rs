//! GUID partition tables (UEFI 2.10 §5.3): written through the crate `gpt`, read back by a reader of our own.

use uuid::Uuid;

mod format;
mod reader;
mod writer;

pub use format::SECTOR;
pub use reader::{ReadError, read};
pub use writer::{WriteError, write};

/// A disk's partition table. Sectors are 512 bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    pub guid: Uuid,
    /// Length of the whole disk, backup table included.
    pub disk_sectors: u64,
    /// In order of their numbers, which start at 1 and have no gaps.
    pub partitions: Vec<Partition>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partition {
    /// At most 36 UTF-16 units.
    pub name: String,
    pub kind: Uuid,
    pub guid: Uuid,
    pub start_sector: u64,
    /// At least 1.
    pub sectors: u64,
    pub attributes: u64,
}
