//! Paths as they are after a `chroot`: links to absolute paths, and `..`, stay inside.

use crate::tree::{InodeId, MAX_SYMLINKS, Node, Tree};

/// What a path below `root` leads to, and where that is, seen from `root` and from the tree's own. `root` is a real path, and
/// empty for the tree's own.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) id: InodeId,
    /// Seen from the tree's root.
    pub(super) path: Vec<u8>,
}

/// Follows a path from `root`, every link too.
pub(super) fn resolve(tree: &Tree, root: &[u8], path: &[u8]) -> Option<Place> {
    let mut done: Vec<Vec<u8>> = Vec::new();
    let mut todo = parts(path);
    let mut links = 0;
    while let Some(part) = todo.pop() {
        match part.as_slice() {
            b"." => continue,
            b".." => {
                done.pop();
                continue;
            }
            _ => done.push(part),
        }
        let id = tree.lookup_no_follow(&whole(root, &done)).ok()?;
        if let Node::Symlink(target) = &tree.get(id).node {
            links += 1;
            if links > MAX_SYMLINKS {
                return None;
            }
            done.pop();
            if target.starts_with(b"/") {
                done.clear();
            }
            todo.extend(parts(target));
        }
    }
    let path = whole(root, &done);
    let id = tree.lookup_no_follow(if path.is_empty() { b"/" } else { &path }).ok()?;
    Some(Place { id, path })
}

/// The parts of a path, the first at the end.
fn parts(path: &[u8]) -> Vec<Vec<u8>> {
    path.rsplit(|&b| b == b'/').filter(|part| !part.is_empty()).map(<[u8]>::to_vec).collect()
}

fn whole(root: &[u8], parts: &[Vec<u8>]) -> Vec<u8> {
    let mut path = root.to_vec();
    for part in parts {
        path.push(b'/');
        path.extend_from_slice(part);
    }
    path
}
