//! Path look-up: symbolic links are followed inside the tree, `..` of the root is the root.

use super::{Errno, Inode, InodeId, MAX_SYMLINKS, Name, Node, PathError, ROOT, Result, Tree, TreePath};

/// What a look-up of a parent found: the directory, the last name, and what that name leads to now.
#[derive(Clone, Debug)]
pub struct Place {
    pub parent: InodeId,
    /// Where `parent` really is, symbolic links resolved.
    pub parent_path: TreePath,
    pub name: Name,
    pub inode: Option<InodeId>,
}

impl Place {
    pub fn path(&self) -> TreePath {
        self.parent_path.join(&self.name)
    }
}

impl Tree {
    /// The inode at `path`, every symbolic link followed, as `stat` does.
    pub fn lookup(&self, path: &[u8]) -> Result<InodeId> {
        self.resolve(path).map(|(id, _)| id)
    }

    /// The inode at `path` without following a last symbolic link, as `lstat` does. A trailing slash follows it.
    pub fn lookup_no_follow(&self, path: &[u8]) -> Result<InodeId> {
        match self.place(path) {
            Ok(place) => place.inode.ok_or_else(|| PathError::new(path, Errno::NotFound)),
            Err(error) if error.errno == Errno::Invalid => self.lookup(path),
            Err(error) => Err(error),
        }
    }

    /// The inode at `path` and where it really is, as `realpath` has it. An empty path names nothing.
    pub fn resolve(&self, path: &[u8]) -> Result<(InodeId, TreePath)> {
        if path.is_empty() {
            return Err(PathError::new(path, Errno::NotFound));
        }
        let mut walk = Resolver::new(self);
        walk.follow(path).map_err(|errno| PathError::new(path, errno))?;
        Ok((walk.here(), walk.path()))
    }

    /// Where a file named `path` is or would be made. The last component is not followed. A path whose last component is
    /// none (`/`, `a/..`, `a/.`, or empty) has no place: [`Errno::Invalid`].
    pub fn place(&self, path: &[u8]) -> Result<Place> {
        let fail = |errno| PathError::new(path, errno);
        let trimmed = without_trailing_slashes(path);
        let (directory, last) = match trimmed.iter().rposition(|&b| b == b'/') {
            Some(slash) => (&trimmed[..=slash], &trimmed[slash + 1..]),
            None => (&[] as &[u8], trimmed),
        };
        let name = Name::new(last).map_err(fail)?;
        let mut walk = Resolver::new(self);
        walk.follow(directory).map_err(fail)?;
        let parent = walk.here();
        let entries = self.get(parent).entries().ok_or_else(|| fail(Errno::NotDirectory))?;
        let inode = entries.get(&name).copied();
        if trimmed.len() < path.len() && inode.is_some_and(|id| self.get(id).is_symlink()) {
            // `link/` means what the link leads to.
            let (_, real) = self.resolve(trimmed)?;
            return self.place(real.as_bytes());
        }
        Ok(Place { parent, parent_path: walk.path(), name, inode })
    }

    /// The inode at `path` if there is one; any failure of the look-up reads as absence.
    pub fn find(&self, path: &[u8]) -> Option<&Inode> {
        self.lookup(path).ok().map(|id| self.get(id))
    }
}

fn without_trailing_slashes(path: &[u8]) -> &[u8] {
    let end = path.iter().rposition(|&b| b != b'/').map_or(0, |last| last + 1);
    &path[..end]
}

struct Resolver<'a> {
    tree: &'a Tree,
    /// From below the root down to here.
    stack: Vec<(InodeId, &'a Name)>,
    links_left: u32,
}

impl<'a> Resolver<'a> {
    fn new(tree: &'a Tree) -> Self {
        Self { tree, stack: Vec::new(), links_left: MAX_SYMLINKS }
    }

    fn here(&self) -> InodeId {
        self.stack.last().map_or(ROOT, |(id, _)| *id)
    }

    fn path(&self) -> TreePath {
        self.stack.iter().fold(TreePath::root(), |path, (_, name)| path.join(name))
    }

    fn follow(&mut self, path: &[u8]) -> std::result::Result<(), Errno> {
        if path.len() >= super::path::MAX_PATH {
            return Err(Errno::NameTooLong);
        }
        // Components still to walk, last first.
        let mut todo: Vec<Vec<u8>> = components(path);
        while let Some(part) = todo.pop() {
            let entries = self.tree.get(self.here()).entries().ok_or(Errno::NotDirectory)?;
            if part == b"." {
                continue;
            }
            if part == b".." {
                self.stack.pop();
                continue;
            }
            if part.len() > super::path::MAX_NAME {
                return Err(Errno::NameTooLong);
            }
            let (name, &id) = entries.get_key_value(part.as_slice()).ok_or(Errno::NotFound)?;
            match &self.tree.get(id).node {
                Node::Symlink(target) => {
                    self.links_left = self.links_left.checked_sub(1).ok_or(Errno::Loop)?;
                    if target.first() == Some(&b'/') {
                        self.stack.clear();
                    }
                    todo.extend(components(target));
                }
                _ => self.stack.push((id, name)),
            }
        }
        Ok(())
    }
}

/// Components in reverse; a trailing slash asks for a directory, as `.` does.
fn components(path: &[u8]) -> Vec<Vec<u8>> {
    let mut parts: Vec<Vec<u8>> = path.split(|&b| b == b'/').filter(|p| !p.is_empty()).map(<[u8]>::to_vec).collect();
    if path.last() == Some(&b'/') && !parts.is_empty() {
        parts.push(b".".to_vec());
    }
    parts.reverse();
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::parse_dump;

    #[test]
    fn resolves_inside_the_tree() {
        let tree = parse_dump(
            "/ directory 0755 0:0 0\n\
             /bin symlink 0777 0:0 0 usr/bin\n\
             /loop symlink 0777 0:0 0 loop\n\
             /up symlink 0777 0:0 0 ../../../etc\n\
             /etc directory 0755 0:0 0\n\
             /etc/mtab symlink 0777 0:0 0 /proc/mounts\n\
             /usr directory 0755 0:0 0\n\
             /usr/bin directory 0755 0:0 0\n\
             /usr/bin/sh symlink 0777 0:0 0 dash\n\
             /usr/bin/dash fifo 0755 0:0 0\n",
        )
        .expect("a valid dump");
        let real =
            |path: &str| tree.resolve(path.as_bytes()).map(|(_, path)| path.to_string()).map_err(|error| error.errno);
        let check = |path: &str, expect: std::result::Result<&str, Errno>| {
            assert_eq!(real(path).as_deref().map_err(|errno| *errno), expect, "{path}");
        };
        check("/bin/sh", Ok("/usr/bin/dash"));
        check("bin/../bin/./sh", Ok("/usr/bin/dash"));
        check("/up", Ok("/etc"));
        check("", Err(Errno::NotFound));
        check("/../..", Ok("/"));
        check("/loop", Err(Errno::Loop));
        check("/etc/mtab", Err(Errno::NotFound));
        check("/bin/sh/", Err(Errno::NotDirectory));
        check("/bin/sh/..", Err(Errno::NotDirectory));
        check("/bin/sh/x", Err(Errno::NotDirectory));

        let place = tree.place(b"/bin/new").expect("a parent that exists");
        assert_eq!((place.path().to_string().as_str(), place.inode), ("/usr/bin/new", None));
        assert_eq!(tree.place(b"/bin/").map(|p| p.path().to_string()), Ok("/usr/bin".to_owned()));
        assert_eq!(tree.place(b"/bin").map(|p| p.path().to_string()), Ok("/bin".to_owned()));
        assert!(tree.get(tree.lookup_no_follow(b"/bin").expect("there")).is_symlink());
        assert!(tree.get(tree.lookup_no_follow(b"/bin/").expect("there")).is_dir());
        assert_eq!(tree.lookup_no_follow(b"/"), Ok(ROOT));
    }
}
