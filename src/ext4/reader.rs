//! Reads a file system back into a tree and believes nothing: every checksum, bound, count and link is checked.

use std::collections::BTreeMap;

use bytes::Bytes;
use uuid::Uuid;

use super::format::{FIRST_INO, JOURNAL_INO, MAX_LINKS, ROOT_INO, file_type};
use crate::tree::{InodeId, Name, Node, ROOT, Tree};

mod content;
mod directory;
mod extent;
mod index;
mod inode;
mod volume;
mod xattr;

use self::{directory::Entry, inode::Inode, volume::Volume};

/// What a file system holds; file contents are ranges of the image.
#[derive(Debug)]
pub struct FileSystem {
    pub uuid: Uuid,
    pub hash_seed: Uuid,
    /// As written, without the padding.
    pub label: Vec<u8>,
    /// Bytes from the start of the superblock's block to the end of the last.
    pub size: u64,
    pub free_bytes: u64,
    pub inodes: u32,
    pub free_inodes: u32,
    /// Bytes of the journal.
    pub journal: Option<u64>,
    /// With `lost+found`, which every file system has.
    pub tree: Tree,
}

/// Why an image is no file system that this reader vouches for.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    #[error("{given} bytes, an ext4 file system of {needed} expected")]
    Short { needed: u64, given: u64 },
    #[error("superblock: {0}")]
    Superblock(Fault),
    #[error("group {group}: {fault}")]
    Group { group: u64, fault: Fault },
    #[error("inode {ino}: {fault}")]
    Inode { ino: u32, fault: Fault },
    #[error("inode {ino}, block {block}: {fault}")]
    Block { ino: u32, block: u64, fault: Fault },
}

/// What is wrong with the thing that a [`ReadError`] names.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("checksum is {stored:#x}, its bytes have {computed:#x}")]
    Checksum { stored: u32, computed: u32 },
    /// A field and a value that it can't have here.
    #[error("`{field}` is {value:#x}")]
    Field { field: &'static str, value: u64 },
    #[error("block {0} is outside the file system")]
    Outside(u64),
    #[error("block {0} is used twice")]
    UsedTwice(u64),
    #[error("block {0} is used but marked free")]
    MarkedFree(u64),
    #[error("{found} {what}, {stored} recorded")]
    Count { what: &'static str, stored: u64, found: u64 },
    #[error("inode {0} does not exist")]
    NoInode(u32),
    #[error("inode {0} is marked free")]
    FreeInode(u32),
    #[error("directory has a second name in inode {0}")]
    SecondName(u32),
    #[error("entry `{}` is malformed", .0.escape_ascii())]
    Entry(Box<[u8]>),
    #[error("name `{}` occurs twice", .0.escape_ascii())]
    Duplicate(Box<[u8]>),
    #[error("name `{}` is in the wrong leaf of the hash tree", .0.escape_ascii())]
    WrongLeaf(Box<[u8]>),
    #[error("extended attribute at byte {0} is malformed")]
    Xattr(usize),
}

type Result<T> = std::result::Result<T, ReadError>;

pub(super) fn field<T>(field: &'static str, value: impl Into<u64>) -> std::result::Result<T, Fault> {
    Err(Fault::Field { field, value: value.into() })
}

/// Fails when a checksum is not the one computed.
fn same(stored: u32, computed: u32) -> std::result::Result<(), Fault> {
    #[cfg(test)]
    if tests::BELIEVE.get() {
        return Ok(());
    }
    if stored == computed { Ok(()) } else { Err(Fault::Checksum { stored, computed }) }
}

fn count(what: &'static str, stored: u64, found: u64) -> std::result::Result<(), Fault> {
    if stored == found { Ok(()) } else { Err(Fault::Count { what, stored, found }) }
}

pub(super) fn read(image: &Bytes) -> Result<FileSystem> {
    let volume = Volume::open(image)?;
    let journal = match volume.facts.has_journal {
        true => Some(Inode::read(&volume, JOURNAL_INO)?),
        false => None,
    };
    let mut walk = Walk::new(volume)?;
    if let Some(inode) = &journal {
        content::read(&mut walk.volume, inode)?;
    }
    while let Some(directory) = walk.todo.pop() {
        walk.directory(&directory)?;
    }
    walk.check_links()?;
    let used = walk.first.iter().filter(|id| id.is_some()).count();
    walk.volume.check_counts(used as u64)?;
    let facts = walk.volume.facts;
    Ok(FileSystem {
        uuid: facts.uuid,
        hash_seed: facts.hash_seed,
        label: facts.label,
        size: facts.size,
        free_bytes: facts.free_bytes,
        inodes: facts.inodes,
        free_inodes: facts.free_inodes,
        journal: journal.map(|inode| inode.size),
        tree: walk.tree,
    })
}

/// A directory whose entries are still to be read.
struct Open {
    inode: Inode,
    id: InodeId,
    parent: u32,
}

struct Walk {
    volume: Volume,
    tree: Tree,
    /// By inode number less one: what it became.
    first: Vec<Option<InodeId>>,
    todo: Vec<Open>,
    /// `i_links_count` of everything but directories, by number.
    links: BTreeMap<u32, u16>,
}

impl Walk {
    fn new(mut volume: Volume) -> Result<Self> {
        let inode = Inode::read(&volume, ROOT_INO)?;
        if inode.file_type != file_type::DIRECTORY {
            let fault = Fault::Field { field: "i_mode", value: inode.mode.into() };
            return Err(ReadError::Inode { ino: ROOT_INO, fault });
        }
        let stat = inode.stat(&mut volume)?;
        let mut first = vec![None; volume.facts.inodes as usize];
        first[ROOT_INO as usize - 1] = Some(ROOT);
        let todo = vec![Open { inode, id: ROOT, parent: ROOT_INO }];
        Ok(Self { volume, tree: Tree::new(stat), first, todo, links: BTreeMap::new() })
    }

    fn directory(&mut self, open: &Open) -> Result<()> {
        let entries = directory::read(&mut self.volume, &open.inode, open.parent)?;
        let below = entries.iter().filter(|entry| entry.file_type == file_type::DIRECTORY).count() as u64;
        let links = if below + 2 > u64::from(MAX_LINKS) { 1 } else { below + 2 };
        let fail = |fault| ReadError::Inode { ino: open.inode.ino, fault };
        count("links", open.inode.links.into(), links).map_err(fail)?;
        for Entry { name, ino, file_type } in entries {
            let slot = (ino as usize).checked_sub(1).and_then(|index| self.first.get(index).copied());
            let known = slot.ok_or(Fault::NoInode(ino)).map_err(fail)?;
            if known.is_none() && ino < FIRST_INO {
                return Err(fail(Fault::NoInode(ino)));
            }
            match known {
                Some(id) => self.link(id, open, name, ino, file_type).map_err(fail)?,
                None => self.add(open, name, ino, file_type)?,
            }
        }
        Ok(())
    }

    fn add(&mut self, open: &Open, name: Name, ino: u32, file_type: u8) -> Result<()> {
        let inode = Inode::read(&self.volume, ino)?;
        let fail = |fault| ReadError::Inode { ino: open.inode.ino, fault };
        if inode.file_type != file_type {
            return Err(fail(Fault::Field { field: "file_type", value: file_type.into() }));
        }
        let node = content::node(&mut self.volume, &inode)?;
        let is_directory = matches!(node, Node::Directory(_));
        let stat = inode.stat(&mut self.volume)?;
        let duplicate = |name: &Name| fail(Fault::Duplicate(name.as_bytes().into()));
        let id = self.tree.insert(open.id, name.clone(), stat, node).map_err(|_| duplicate(&name))?;
        self.first[ino as usize - 1] = Some(id);
        if is_directory {
            self.todo.push(Open { inode, id, parent: open.inode.ino });
        } else {
            self.links.insert(ino, inode.links);
        }
        Ok(())
    }

    fn link(
        &mut self,
        id: InodeId,
        open: &Open,
        name: Name,
        ino: u32,
        file_type: u8,
    ) -> std::result::Result<(), Fault> {
        if self.tree.get(id).is_dir() {
            return Err(Fault::SecondName(ino));
        }
        if inode::file_type_of(&self.tree.get(id).node) != file_type {
            return field("file_type", file_type);
        }
        let what = Fault::Duplicate(name.as_bytes().into());
        self.tree.link(id, open.id, name).map_err(|_| what)
    }

    fn check_links(&self) -> Result<()> {
        for (&ino, &links) in &self.links {
            let id = self.first[ino as usize - 1].expect("every inode with links was read");
            let found = self.tree.get(id).links();
            count("links", links.into(), found.into()).map_err(|fault| ReadError::Inode { ino, fault })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use proptest::prelude::*;

    use crate::{
        epoch::Epoch,
        ext4::{Options, plan},
        tree::parse_dump,
    };

    use super::*;

    thread_local! {
        /// Whether checksums count as right, so that damage gets behind them.
        pub(super) static BELIEVE: Cell<bool> = const { Cell::new(false) };
    }

    /// An image with something of everything.
    fn image() -> Vec<u8> {
        let mut text = String::from("/ directory 0755 0:0 0 security.selinux=00\n");
        for number in 0..150 {
            text += &format!("/a-name-that-takes-some-room-{number:03} fifo 0600 0:0 0\n");
        }
        text += &format!("/b file 0644 0:0 0 ={} user.long={}\n", "5a".repeat(5000), "77".repeat(300));
        text += "/c char 0600 0:0 0 300:70000\n/d directory 0755 0:0 0 system.posix_acl_default=02000000\
            01000700ffffffff02000500e803000004000500ffffffff10000700ffffffff20000000ffffffff\n";
        text += &format!("/d/e symlink 0777 0:0 0 {}\n/d/f hardlink /b\n/g symlink 0777 0:0 0 short\n", "e".repeat(80));
        let mut tree = parse_dump(&text).expect("a valid dump");
        let runs = (0..8).map(|number| (number << 20, Bytes::from_static(b"fragment"))).collect();
        let content = crate::tree::Content::sparse(8 << 20, runs).expect("valid runs");
        let stat = crate::tree::Stat::root(0o600, crate::tree::Timestamp::default());
        tree.create(b"/h", stat, Node::Regular(content)).expect("new");
        let options = Options {
            size: 1 << 20,
            uuid: Uuid::from_u128(1),
            hash_seed: Uuid::from_u128(2),
            label: Vec::new(),
            journal: None,
            epoch: Epoch::from_variable(None).expect("0"),
            reserved_percent: 0,
            bytes_per_inode: 4096,
        };
        let file = tempfile::NamedTempFile::new().expect("a scratch file");
        file.as_file().set_len(options.size).expect("room");
        plan(&tree, ROOT, &options).expect("a plan").write(file.as_file(), 0, &|_| {}).expect("written");
        fs_err::read(file.path()).expect("readable")
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

        /// With the checksums made right, as who forges an image would.
        #[test]
        fn forged_images_do_no_harm(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
            thread_local!(static IMAGE: (Vec<u8>, Vec<usize>) = {
                let bytes = image();
                let used = (0..bytes.len()).filter(|&at| !matches!(bytes[at], 0 | 0xff | b'Z')).collect();
                (bytes, used)
            });
            IMAGE.with(|(bytes, used)| {
                let mut bytes = bytes.clone();
                for (place, value) in changes {
                    // Near something that is in use, so that zeros that mean something are met as well.
                    let at = used[place.index(used.len())] + usize::from(value % 3);
                    bytes[at.min((1 << 20) - 1)] = value;
                }
                BELIEVE.set(true);
                let read = read(&bytes.into());
                BELIEVE.set(false);
                if let Ok(read) = read {
                    prop_assert!(read.tree.inode_bound() <= read.inodes as usize);
                }
                Ok(())
            })?;
        }
    }
}
