//! FAT16 and FAT32 volumes: written from a tree in one pass, and read back by a reader of its own.
//!
//! As with ext4, [`plan`] is a pure function of tree and options, and [`Plan::write`] fills the output. FAT knows neither
//! owners nor permissions, so that they are left out; what it can't hold and a program would miss is an error.

use std::{fs::File, io};

use bytes::Bytes;

use crate::{
    epoch::Epoch,
    tree::{InodeId, Tree, TreePath},
};

mod directory;
mod format;
mod geometry;
mod names;
mod plan;
mod reader;

pub use names::NameFault;
pub use reader::{Fault, FileSystem, ReadError};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Fat16,
    Fat32,
}

impl Kind {
    /// The counts of clusters by which readers tell the kinds apart.
    fn clusters(self) -> std::ops::RangeInclusive<u32> {
        match self {
            Self::Fat16 => 4_085..=65_524,
            Self::Fat32 => 65_525..=0x0fff_fff5,
        }
    }

    /// Of the table.
    fn entry_bytes(self) -> u64 {
        match self {
            Self::Fat16 => 2,
            Self::Fat32 => 4,
        }
    }
}

/// All that a volume has beside its tree.
#[derive(Clone, Debug)]
pub struct Options {
    /// Bytes of the volume; rounded down to sectors of 512.
    pub size: u64,
    pub kind: Kind,
    pub volume_id: u32,
    /// 11 bytes at most, of what short names may have, and blanks; empty for none.
    pub label: String,
    /// Time of everything, not before 1980.
    pub epoch: Epoch,
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the FAT volume needs {needed} bytes, {} more than the {given} that it may take", needed - given)]
    DoesNotFit { needed: u64, given: u64 },
    #[error("{kind:?} has no volume of {size} bytes or more for this tree")]
    Size { kind: Kind, size: u64 },
    #[error("the top of the FAT volume is not a directory")]
    NotDirectory,
    #[error("label `{0}`, expected at most 11 capital letters, digits, blanks and $%'-_@~`!(){{}}^#&")]
    Label(String),
    #[error("`{path}`: FAT has no {kind}")]
    Unsupported { path: TreePath, kind: &'static str },
    #[error("`{path}`: a file of {size} bytes, FAT has at most 4294967295")]
    FileTooLarge { path: TreePath, size: u64 },
    #[error("`{path}`: the name {fault}")]
    Name { path: TreePath, fault: NameFault },
    #[error("`{path}`: the directory takes {entries} entries, FAT has at most {limit}")]
    DirectoryTooLarge { path: TreePath, entries: usize, limit: usize },
}

/// A volume that is known to the last byte.
#[derive(Debug)]
pub struct Plan<'a> {
    size: u64,
    pieces: Vec<(u64, Vec<u8>)>,
    data: Vec<(u64, &'a [u8])>,
}

/// Plans the volume whose root is the directory `top` of `tree`. A file with several names becomes as many files.
pub fn plan<'a>(tree: &'a Tree, top: InodeId, options: &Options) -> Result<Plan<'a>, Error> {
    plan::plan(tree, top, options)
}

impl Plan<'_> {
    /// Bytes of the volume.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Writes the volume into `out` from `base` on. The output must read as zeros there, as a file that was just given its
    /// length does: zeros are not written.
    pub fn write(&self, out: &File, base: u64) -> io::Result<()> {
        plan::write(self, out, base)
    }
}

/// Reads the volume that `image` begins with; contents stay ranges of it.
pub fn read(image: &Bytes) -> Result<FileSystem, ReadError> {
    reader::read(image)
}
