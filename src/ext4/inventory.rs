//! The inodes of a file system in the order of their numbers, taken from a tree: what each is, and the names it has.

use crate::{
    epoch::Epoch,
    tree::{Content, Device, InodeId, Name, Node, Timestamp, Tree, TreePath, Xattrs},
};

use super::{
    Error,
    format::{FIRST_INO, MAX_LINKS, ROOT_INO, file_type, mode},
};

/// What `e2fsck` puts found inodes into; it must be there for that, and is made when the tree has none.
const LOST_FOUND: &[u8] = b"lost+found";

static NO_XATTRS: Xattrs = Xattrs::new();

#[derive(Debug)]
pub(super) struct Item<'a> {
    /// Kind and permissions as `i_mode` has them.
    pub(super) mode: u16,
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) mtime: Timestamp,
    pub(super) xattrs: &'a Xattrs,
    /// `i_links_count`.
    pub(super) links: u16,
    pub(super) kind: Kind<'a>,
    /// Index of the directory that the first name is in, and that name; the root's are its own index and none.
    pub(super) parent: usize,
    name: &'a [u8],
}

#[derive(Debug)]
pub(super) enum Kind<'a> {
    Directory(Vec<Child<'a>>),
    Regular(&'a Content),
    Symlink(&'a [u8]),
    Device(Device),
    Other,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Child<'a> {
    pub(super) name: &'a [u8],
    pub(super) ino: u32,
    pub(super) file_type: u8,
}

/// Root, `lost+found`, then everything else in walk order.
#[derive(Debug)]
pub(super) struct Inventory<'a> {
    pub(super) items: Vec<Item<'a>>,
}

/// The number of the inode at an index of [`Inventory::items`].
pub(super) fn ino(index: usize) -> u32 {
    match index {
        0 => ROOT_INO,
        other => FIRST_INO + (other as u32 - 1),
    }
}

/// An inode met on the walk; `id` is `None` for a `lost+found` that the tree does not have.
struct Found<'a> {
    id: Option<InodeId>,
    parent: usize,
    name: &'a [u8],
    names: u32,
}

impl<'a> Inventory<'a> {
    pub(super) fn new(tree: &'a Tree, top: InodeId, epoch: Epoch) -> Result<Self, Error> {
        let entries = tree.get(top).entries().ok_or(Error::NotDirectory)?;
        let lost_found = entries.get(LOST_FOUND).copied();
        if lost_found.is_some_and(|id| !tree.get(id).is_dir()) {
            return Err(Error::LostFound);
        }
        let walk = Walk::new(tree, top, lost_found);
        let mut items = Vec::with_capacity(walk.found.len());
        for found in &walk.found {
            items.push(walk.item(found, epoch));
        }
        let mut inventory = Self { items };
        if lost_found.is_none()
            && let Kind::Directory(children) = &mut inventory.items[0].kind
        {
            let place = children.partition_point(|child| child.name < LOST_FOUND);
            children.insert(place, Child { name: LOST_FOUND, ino: FIRST_INO, file_type: file_type::DIRECTORY });
        }
        for index in 0..inventory.items.len() {
            inventory.items[index].links = inventory.links(index, walk.found[index].names)?;
        }
        Ok(inventory)
    }

    /// Where the item's first name is, from the root of the file system.
    pub(super) fn path(&self, index: usize) -> TreePath {
        let mut names = Vec::new();
        let mut at = index;
        while at != 0 {
            names.push(self.items[at].name);
            at = self.items[at].parent;
        }
        names
            .iter()
            .rev()
            .fold(TreePath::root(), |path, name| path.join(&Name::new(name).expect("a name that came out of a tree")))
    }

    fn links(&self, index: usize, names: u32) -> Result<u16, Error> {
        if let Kind::Directory(children) = &self.items[index].kind {
            let below = children.iter().filter(|child| child.file_type == file_type::DIRECTORY).count();
            // With `dir_nlink` a directory of too many directories counts 1.
            return Ok(u16::try_from(below + 2).ok().filter(|&n| u32::from(n) <= MAX_LINKS).unwrap_or(1));
        }
        u16::try_from(names)
            .ok()
            .filter(|_| names <= MAX_LINKS)
            .ok_or_else(|| Error::TooManyLinks { path: self.path(index), links: names })
    }
}

struct Walk<'a> {
    tree: &'a Tree,
    found: Vec<Found<'a>>,
    /// Index into `found` plus one, by inode of the tree; 0 where not met.
    index: Vec<u32>,
}

impl<'a> Walk<'a> {
    fn new(tree: &'a Tree, top: InodeId, lost_found: Option<InodeId>) -> Self {
        let mut walk = Self { tree, found: Vec::new(), index: vec![0; tree.inode_bound()] };
        let mut todo: Vec<(InodeId, usize, &Name)> = Vec::new();
        walk.add(Some(top), 0, b"");
        walk.add(lost_found, 0, LOST_FOUND);
        for (directory, id) in [(0, Some(top)), (1, lost_found)] {
            let entries = id.into_iter().filter_map(|id| tree.get(id).entries()).flatten();
            todo.extend(entries.filter(|(_, id)| Some(**id) != lost_found).map(|(name, id)| (*id, directory, name)));
        }
        todo.reverse();
        while let Some((id, parent, name)) = todo.pop() {
            if let Some(known) = (walk.index[id.index()] as usize).checked_sub(1) {
                walk.found[known].names += 1;
                continue;
            }
            let directory = walk.add(Some(id), parent, name.as_bytes());
            if let Some(entries) = tree.get(id).entries() {
                todo.extend(entries.iter().rev().map(|(name, id)| (*id, directory, name)));
            }
        }
        walk
    }

    fn add(&mut self, id: Option<InodeId>, parent: usize, name: &'a [u8]) -> usize {
        let index = self.found.len();
        if let Some(id) = id {
            self.index[id.index()] = index as u32 + 1;
        }
        self.found.push(Found { id, parent, name, names: 1 });
        index
    }

    fn item(&self, found: &Found<'a>, epoch: Epoch) -> Item<'a> {
        let Found { id, parent, name, .. } = *found;
        let Some(id) = id else {
            let (mode, mtime) = (mode::DIRECTORY | 0o700, epoch.timestamp());
            let kind = Kind::Directory(Vec::new());
            return Item { mode, uid: 0, gid: 0, mtime, xattrs: &NO_XATTRS, links: 0, kind, parent, name };
        };
        let inode = self.tree.get(id);
        let stat = &inode.stat;
        let kind = match &inode.node {
            Node::Directory(entries) => {
                Kind::Directory(entries.iter().map(|(name, id)| self.child(name, *id)).collect())
            }
            Node::Regular(content) => Kind::Regular(content),
            Node::Symlink(target) => Kind::Symlink(target),
            Node::CharDevice(device) | Node::BlockDevice(device) => Kind::Device(*device),
            Node::Fifo | Node::Socket => Kind::Other,
        };
        Item {
            mode: codes(&inode.node).0 | stat.mode & mode::PERMISSIONS,
            uid: stat.uid,
            gid: stat.gid,
            mtime: stat.mtime,
            xattrs: &stat.xattrs,
            links: 0,
            kind,
            parent,
            name,
        }
    }

    fn child(&self, name: &'a Name, id: InodeId) -> Child<'a> {
        let index = self.index[id.index()] as usize - 1;
        Child { name: name.as_bytes(), ino: ino(index), file_type: codes(&self.tree.get(id).node).1 }
    }
}

/// The kind in `i_mode` and in directory entries.
fn codes(node: &Node) -> (u16, u8) {
    match node {
        Node::Directory(_) => (mode::DIRECTORY, file_type::DIRECTORY),
        Node::Regular(_) => (mode::REGULAR, file_type::REGULAR),
        Node::Symlink(_) => (mode::SYMLINK, file_type::SYMLINK),
        Node::CharDevice(_) => (mode::CHAR, file_type::CHAR),
        Node::BlockDevice(_) => (mode::BLOCK, file_type::BLOCK),
        Node::Fifo => (mode::FIFO, file_type::FIFO),
        Node::Socket => (mode::SOCKET, file_type::SOCKET),
    }
}
