//! The root file system in memory: an inode table whose file contents are ranges of shared bytes.
//!
//! Inodes live in one table and are named by [`InodeId`]; directories map names to ids in byte order, so that hard links
//! are two names for one id, order is a property of the type, and a tree can be sent between threads. Paths are byte
//! strings; symbolic links are resolved inside the tree, whose root is also the parent of the root.

use std::collections::BTreeMap;

use bytes::Bytes;

mod content;
mod dump;
mod edit;
pub mod history;
pub mod journal;
mod lookup;
mod path;
mod walk;

pub use content::Content;
pub(crate) use dump::content_digest;
pub use dump::{DumpError, dump, parse_dump};
pub use path::{Name, TreePath};
pub use walk::{Visit, Walk};

/// Symbolic links followed in one look-up before it is called a loop, as Linux has it.
pub const MAX_SYMLINKS: u32 = 40;

/// Index into the inode table of one [`Tree`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InodeId(pub(crate) u32);

/// The root directory's id in every tree.
pub const ROOT: InodeId = InodeId(0);

/// Seconds and nanoseconds since 1970-01-01 UTC; seconds may be negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp {
    pub seconds: i64,
    /// 0 to 999,999,999.
    pub nanoseconds: u32,
}

impl Timestamp {
    pub fn from_seconds(seconds: i64) -> Self {
        Self { seconds, nanoseconds: 0 }
    }
}

/// Extended attributes by full name (`security.capability`), values as `getxattr` returns them.
pub type Xattrs = BTreeMap<Box<[u8]>, Box<[u8]>>;

/// What every inode carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stat {
    /// Permission, setuid, setgid and sticky bits: 0 to 0o7777.
    pub mode: u16,
    pub uid: u32,
    pub gid: u32,
    pub mtime: Timestamp,
    pub xattrs: Xattrs,
}

impl Stat {
    /// Owned by root, without extended attributes.
    pub fn root(mode: u16, mtime: Timestamp) -> Self {
        Self { mode, uid: 0, gid: 0, mtime, xattrs: Xattrs::new() }
    }
}

/// Numbers of a device node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Device {
    pub major: u32,
    pub minor: u32,
}

/// What an inode is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    Directory(BTreeMap<Name, InodeId>),
    Regular(Content),
    /// The target's bytes, as `readlink` returns them.
    Symlink(Bytes),
    CharDevice(Device),
    BlockDevice(Device),
    Fifo,
    Socket,
}

/// One inode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inode {
    pub stat: Stat,
    pub node: Node,
    /// Names that lead here; 1 for a directory. An inode with 0 is kept in the table but is in no directory.
    pub(crate) links: u32,
}

impl Inode {
    /// Number of names of this inode; 1 for a directory, which hard links can't name.
    pub fn links(&self) -> u32 {
        self.links
    }

    /// The entries of a directory, `None` for anything else.
    pub fn entries(&self) -> Option<&BTreeMap<Name, InodeId>> {
        match &self.node {
            Node::Directory(entries) => Some(entries),
            _ => None,
        }
    }

    /// Length as `stat` would show it: content bytes, target bytes, 0 for the rest.
    pub fn size(&self) -> u64 {
        match &self.node {
            Node::Regular(content) => content.len(),
            Node::Symlink(target) => target.len() as u64,
            _ => 0,
        }
    }

    pub fn is_dir(&self) -> bool {
        matches!(self.node, Node::Directory(_))
    }

    pub fn is_file(&self) -> bool {
        matches!(self.node, Node::Regular(_))
    }

    pub fn is_symlink(&self) -> bool {
        matches!(self.node, Node::Symlink(_))
    }
}

/// A file system in memory.
#[derive(Clone, Debug)]
pub struct Tree {
    inodes: Vec<Inode>,
    /// Who changed what, when somebody wants to know.
    journal: Option<Box<journal::Journal>>,
}

/// Why an operation on a tree was refused; the texts are those of the C library, so that commands can print them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Errno {
    #[error("No such file or directory")]
    NotFound,
    #[error("Not a directory")]
    NotDirectory,
    #[error("Is a directory")]
    IsDirectory,
    #[error("File exists")]
    Exists,
    #[error("Directory not empty")]
    NotEmpty,
    #[error("Too many levels of symbolic links")]
    Loop,
    #[error("File name too long")]
    NameTooLong,
    #[error("Invalid argument")]
    Invalid,
    #[error("Operation not permitted")]
    NotPermitted,
    #[error("Bad file descriptor")]
    BadDescriptor,
    #[error("Too many links")]
    TooManyLinks,
}

/// An [`Errno`] with the path that it is about.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}`: {errno}", path.escape_ascii())]
pub struct PathError {
    pub path: Box<[u8]>,
    #[source]
    pub errno: Errno,
}

impl PathError {
    pub(crate) fn new(path: &[u8], errno: Errno) -> Self {
        Self { path: path.into(), errno }
    }
}

pub type Result<T> = std::result::Result<T, PathError>;

impl Tree {
    /// A tree that holds its root directory alone.
    pub fn new(root: Stat) -> Self {
        Self::with_root(Inode { stat: root, node: Node::Directory(BTreeMap::new()), links: 1 })
    }

    fn with_root(root: Inode) -> Self {
        Self { inodes: vec![root], journal: None }
    }

    pub fn get(&self, id: InodeId) -> &Inode {
        &self.inodes[id.0 as usize]
    }

    /// The metadata of an inode, to change in place.
    pub fn stat_mut(&mut self, id: InodeId) -> &mut Stat {
        self.note_open(id);
        &mut self.inodes[id.0 as usize].stat
    }

    /// Inodes ever made in this tree: a bound for tables indexed by [`InodeId::index`].
    pub fn inode_bound(&self) -> usize {
        self.inodes.len()
    }
}

impl InodeId {
    /// Below [`Tree::inode_bound`].
    pub fn index(self) -> usize {
        self.0 as usize
    }
}
