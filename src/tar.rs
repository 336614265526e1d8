//! Tar archives in memory to members and trees to tar archives, with long names, PAX attributes and sparse files.
//!
//! The format is that of pax(1) in POSIX.1-2017, with GNU tar's additions: long names (`L`, `K`), numbers in base 256 and
//! sparse files in its old form and in the PAX forms 0.0, 0.1 and 1.0. Anything else is an error that names the member.

use bytes::Bytes;

use crate::tree::{Content, Device, Stat, TreePath};

mod extract;
mod format;
mod number;
mod pax;
mod plain;
mod reader;
mod sparse;
mod writer;

pub use extract::read_tree;
pub use plain::{Plain, plain_header, read_plain};
pub use reader::members;
pub use writer::{WriteError, archive, archive_sparse};

/// One member of an archive. Contents and names are ranges of the archive.
#[derive(Clone, Debug)]
pub struct Member {
    pub path: TreePath,
    pub stat: Stat,
    /// Names of owner and group, empty where the archive gives numbers alone.
    pub user: Bytes,
    pub group: Bytes,
    pub kind: Kind,
    /// Where the member's first header begins in the archive, in bytes, for messages.
    pub offset: u64,
}

/// What a member is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    Directory,
    Regular(Content),
    /// The target's bytes, 1 to 4095 of them, none of them NUL.
    Symlink(Bytes),
    /// Another member's path, which may come later in a hostile archive or not at all.
    HardLink(TreePath),
    CharDevice(Device),
    BlockDevice(Device),
    Fifo,
}

/// An archive that is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("tar member `{}` at byte {offset}: {fault}", name.escape_ascii())]
pub struct Error {
    /// As the archive has it; empty when the fault comes before the name is known.
    pub name: Box<[u8]>,
    /// Of the header in the archive.
    pub offset: u64,
    #[source]
    pub fault: Fault,
}

/// What is wrong with a member.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("the archive ends inside it")]
    Truncated,
    #[error("the archive ends without its end mark")]
    NoEnd,
    #[error("bytes follow the archive's end mark")]
    Trailing,
    #[error("header checksum is {stored:o}, expected {computed:o}")]
    Checksum { stored: u64, computed: u64 },
    #[error("unknown magic `{}`", .0.escape_ascii())]
    Magic(Box<[u8]>),
    #[error("unsupported member type `{}`", .0.escape_ascii())]
    Type(u8),
    #[error("field `{field}` is no number: `{}`", value.escape_ascii())]
    Number { field: &'static str, value: Box<[u8]> },
    #[error("field `{field}` is out of range: {value}")]
    Range { field: &'static str, value: i64 },
    #[error("a {kind} with {size} bytes of contents")]
    UnexpectedContent { kind: &'static str, size: u64 },
    #[error("the path is absolute")]
    Absolute,
    #[error("the path is not allowed: {0}")]
    Path(crate::tree::Errno),
    #[error("the hard link's target `{}` is not allowed", .0.escape_ascii())]
    HardLinkTarget(Box<[u8]>),
    #[error("the symbolic link's target has {0} bytes, expected 1 to 4095, or holds a NUL")]
    SymlinkTarget(usize),
    #[error("extended header of {0} bytes, at most {max}", max = reader::MAX_EXTENDED)]
    ExtendedTooLong(u64),
    #[error("malformed PAX record at byte {0} of the extended header")]
    PaxRecord(usize),
    #[error("PAX keyword `{}` has the bad value `{}`", keyword.escape_ascii(), value.escape_ascii())]
    PaxValue { keyword: Box<[u8]>, value: Box<[u8]> },
    #[error("unsupported PAX keyword `{}`", .0.escape_ascii())]
    PaxKeyword(Box<[u8]>),
    #[error("unsupported sparse format {major}.{minor}")]
    SparseVersion { major: u64, minor: u64 },
    #[error("the sparse map does not fit the contents")]
    SparseMap,
    #[error("an extended header describes no member")]
    Dangling,
    #[error("its folder `{0}` is no directory, or lies behind a symbolic link")]
    Parent(TreePath),
}
