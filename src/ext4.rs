//! ext4 file systems: written from a tree in one pass, and read back by a reader of its own.
//!
//! [`plan`] fixes every byte of metadata and the place of every byte of data as a pure function of tree and options;
//! [`Plan::write`] then fills the output, several places at a time. After the kernel's
//! `Documentation/filesystems/ext4/`. Blocks of 4096 bytes, 16 groups of 128 MiB to a flex group, inodes of 256 bytes.

use std::{fs::File, io};

use bytes::Bytes;
use uuid::Uuid;

use crate::{
    epoch::Epoch,
    progress::Advance,
    tree::{InodeId, Tree, TreePath},
};

mod checksum;
mod directory;
mod extent;
mod format;
mod geometry;
mod hash;
mod htree;
mod inode;
mod inventory;
mod place;
mod plan;
mod reader;
mod seal;
mod writer;
mod xattr;

pub use reader::{Fault, FileSystem, ReadError};

/// All that a file system has beside its tree.
#[derive(Clone, Debug)]
pub struct Options {
    /// Bytes that the file system may take; rounded down to blocks, and to where a last group is worth having.
    pub size: u64,
    pub uuid: Uuid,
    /// Seed of the hashes of names.
    pub hash_seed: Uuid,
    /// 16 bytes at most, no NUL.
    pub label: Vec<u8>,
    /// Bytes of the journal, see [`usual_journal`]; `None` for a file system without one.
    pub journal: Option<u64>,
    /// When the file system and all its inodes were made; modification times come from the tree.
    pub epoch: Epoch,
    /// Per cent of the blocks that only root may fill: 0 to 50.
    pub reserved_percent: u8,
    /// Bytes of the file system for which there shall be an inode, 1024 at least; more are made when the tree needs them.
    /// mke2fs has 16384.
    pub bytes_per_inode: u32,
}

/// The size of journal that mke2fs would choose for a file system of `size` bytes; `None` where it would make none.
pub fn usual_journal(size: u64) -> Option<u64> {
    const MIB: u64 = 1 << 20;
    match size {
        ..0x80_0000 => None,
        size if size < 128 * MIB => Some(4 * MIB),
        size if size < 1024 * MIB => Some(16 * MIB),
        size if size < 2 * 1024 * MIB => Some(32 * MIB),
        size if size < 16 * 1024 * MIB => Some(64 * MIB),
        size if size < 32 * 1024 * MIB => Some(128 * MIB),
        size if size < 64 * 1024 * MIB => Some(256 * MIB),
        size if size < 128 * 1024 * MIB => Some(512 * MIB),
        _ => Some(1024 * MIB),
    }
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("the ext4 file system needs {needed} bytes, {} more than the {given} that it may take", needed - given)]
    DoesNotFit { needed: u64, given: u64 },
    #[error("the ext4 file system is larger than 64 TiB")]
    TooLarge,
    #[error("the top of the ext4 file system is not a directory")]
    NotDirectory,
    #[error("`/lost+found` is not a directory, as e2fsck demands")]
    LostFound,
    #[error("`{path}`: {links} hard links, ext4 counts at most 65000")]
    TooManyLinks { path: TreePath, links: u32 },
    #[error("`{path}`: {names} names are more than a directory of ext4 can index")]
    DirectoryTooLarge { path: TreePath, names: usize },
    #[error("`{path}`: a file of {size} bytes, ext4 has at most 16 TiB")]
    FileTooLarge { path: TreePath, size: u64 },
    #[error("`{path}`: a symbolic link to {length} bytes, ext4 has at most 4095")]
    SymlinkTooLong { path: TreePath, length: usize },
    #[error("`{path}`: the target of the symbolic link is empty or has a NUL")]
    SymlinkTarget { path: TreePath },
    #[error("`{path}`: device {major}:{minor}, Linux has at most 4095:1048575")]
    Device { path: TreePath, major: u32, minor: u32 },
    #[error("`{path}`: modified {seconds} seconds after 1970, ext4 has times from 1901 to 2446")]
    Time { path: TreePath, seconds: i64 },
    #[error("`{path}`: extended attribute `{}` is in none of user, trusted, security and system", name.escape_ascii())]
    XattrName { path: TreePath, name: Box<[u8]> },
    #[error("`{path}`: extended attribute `{}` is not a POSIX ACL of version 2", name.escape_ascii())]
    Acl { path: TreePath, name: Box<[u8]> },
    #[error("`{path}`: extended attributes need a block of {bytes} bytes, ext4 has 4096")]
    XattrsTooBig { path: TreePath, bytes: usize },
    #[error("label `{}`, expected at most 16 bytes without NUL", .0.escape_ascii())]
    Label(Vec<u8>),
    #[error("{0} per cent of reserved blocks, expected at most 50")]
    Reserved(u8),
    #[error("{0} bytes to an inode, expected at least 1024")]
    BytesPerInode(u32),
    #[error("a journal of {0} bytes, expected from 4194304 to 41943040000")]
    Journal(u64),
}

/// A file system that is known to the last byte.
#[derive(Debug)]
pub struct Plan<'a> {
    size: u64,
    pieces: Vec<writer::Piece>,
    data: Vec<writer::Data<'a>>,
}

/// Plans the file system whose root is the directory `top` of `tree`. `lost+found` is added when the tree has none.
pub fn plan<'a>(tree: &'a Tree, top: InodeId, options: &Options) -> Result<Plan<'a>, Error> {
    plan::plan(tree, top, options)
}

/// The least [`Options::size`] with which [`plan`] succeeds; the one given does not count.
pub fn needed(tree: &Tree, top: InodeId, options: &Options) -> Result<u64, Error> {
    plan::needed(tree, top, options)
}

impl Plan<'_> {
    /// Bytes from the start of the file system to its end, [`Options::size`] at most.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Bytes of the files' contents.
    pub fn content_len(&self) -> u64 {
        self.data.iter().map(|data| data.bytes.len() as u64).sum()
    }

    /// Writes the file system into `out` from `base` on. The output must read as zeros there, as a file that was just
    /// given its length does: zeros are not written. The bytes told to `advance` add up to [`Plan::content_len`].
    pub fn write(&self, out: &File, base: u64, advance: Advance<'_>) -> io::Result<()> {
        writer::write(self, out, base, advance)
    }
}

/// Reads the file system that `image` begins with; contents stay ranges of it.
pub fn read(image: &Bytes) -> Result<FileSystem, ReadError> {
    reader::read(image)
}
