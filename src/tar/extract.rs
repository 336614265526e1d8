//! The members of an archive to a tree of their own.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::{Error, Fault, Kind, Member, members};
use crate::tree::{Errno, InodeId, Name, Node, ROOT, Stat, Timestamp, Tree, TreePath};

/// The tree that an archive holds. Directories that it leaves out belong to root, with mode 0755 and the time 0. A path twice,
/// or below a symbolic link, is refused.
pub fn read_tree(archive: &Bytes) -> Result<Tree, Error> {
    let implied = Stat::root(0o755, Timestamp::default());
    let mut tree = Tree::new(implied.clone());
    for member in members(archive)? {
        let (offset, name) = (member.offset, member.path.as_bytes().into());
        add(&mut tree, member, &implied).map_err(|fault| Error { name, offset, fault })?;
    }
    Ok(tree)
}

fn add(tree: &mut Tree, member: Member, implied: &Stat) -> Result<(), Fault> {
    let Member { path, stat, kind, .. } = member;
    let Some((parent, name)) = path.split() else {
        *tree.stat_mut(ROOT) = stat;
        return Ok(());
    };
    let parent = directory(tree, &parent, implied)?;
    let name = Name::new(name).map_err(Fault::Path)?;
    let node = match kind {
        Kind::Directory => Node::Directory(BTreeMap::new()),
        Kind::Regular(content) => Node::Regular(content),
        Kind::Symlink(target) => Node::Symlink(target),
        Kind::CharDevice(device) => Node::CharDevice(device),
        Kind::BlockDevice(device) => Node::BlockDevice(device),
        Kind::Fifo => Node::Fifo,
        Kind::HardLink(target) => {
            let bad = || Fault::HardLinkTarget(target.as_bytes().into());
            let place = tree.place(target.as_bytes()).map_err(|_| bad())?;
            let id = place.inode.filter(|_| place.path() == target).ok_or_else(bad)?;
            return tree.link(id, parent, name).map_err(Fault::Path);
        }
    };
    tree.insert(parent, name, stat, node).map(|_| ()).map_err(Fault::Path)
}

/// The directory at `path`, no symbolic link on the way.
fn directory(tree: &mut Tree, path: &TreePath, implied: &Stat) -> Result<InodeId, Fault> {
    match tree.resolve(path.as_bytes()) {
        Ok((id, real)) if real == *path && tree.get(id).is_dir() => Ok(id),
        Ok(_) => Err(Fault::Parent(path.clone())),
        Err(error) if error.errno == Errno::NotFound => {
            let Some((above, name)) = path.split() else { return Ok(ROOT) };
            let above = directory(tree, &above, implied)?;
            let name = Name::new(name).map_err(Fault::Path)?;
            // A symbolic link to nowhere is there and yet was not found.
            let node = Node::Directory(BTreeMap::new());
            tree.insert(above, name, implied.clone(), node).map_err(|_| Fault::Parent(path.clone()))
        }
        Err(_) => Err(Fault::Parent(path.clone())),
    }
}
