//! What built-in commands do with paths: look up, make, report; seen from the process's folder.

use super::{Fatal, Machine, Process, Status, Work};
use crate::tree::{Errno, Inode, InodeId, Node, PathError, Result, TreePath};

impl Machine {
    /// Makes a file as the kernel does for root: in a setgid directory it gets the directory's group, and a directory the bit.
    pub fn create(&mut self, path: &[u8], mode: u16, node: Node) -> Result<InodeId> {
        if path.ends_with(b"/") && !matches!(node, Node::Directory(_)) {
            return Err(PathError { path: path.into(), errno: Errno::NotDirectory });
        }
        let mut stat = crate::tree::Stat::root(mode, self.epoch.timestamp());
        if let Ok(place) = self.tree.place(path) {
            let parent = &self.tree.get(place.parent).stat;
            if parent.mode & 0o2000 != 0 {
                stat.gid = parent.gid;
                if matches!(node, Node::Directory(_)) {
                    stat.mode |= 0o2000;
                }
            }
        }
        self.tree.create(path, stat, node)
    }
}

impl Process<'_> {
    /// The inode at `path`, links followed.
    pub fn lookup(&self, path: &[u8]) -> Result<InodeId> {
        self.machine.tree.lookup(&self.absolute(path))
    }

    /// The inode at `path` itself, be it a symbolic link.
    pub fn lookup_no_follow(&self, path: &[u8]) -> Result<InodeId> {
        self.machine.tree.lookup_no_follow(&self.absolute(path))
    }

    pub fn inode(&self, id: InodeId) -> &Inode {
        self.machine.tree.get(id)
    }

    /// Whether `path` leads to a directory, through links.
    pub fn is_dir(&self, path: &[u8]) -> bool {
        self.lookup(path).is_ok_and(|id| self.inode(id).is_dir())
    }

    /// Makes something with `mode` less the umask; symbolic links have no mode.
    pub fn create(&mut self, path: &[u8], mode: u16, node: Node) -> Result<InodeId> {
        let path = self.absolute(path);
        let mode = if matches!(node, Node::Symlink(_)) { 0o777 } else { mode & !self.umask };
        self.machine.create(&path, mode, node)
    }

    /// Writes a whole regular file as `>` does: an existing one keeps its mode and owner.
    pub fn write_file(&mut self, path: &[u8], bytes: Vec<u8>) -> Result<InodeId> {
        let path = self.absolute(path);
        let mtime = self.machine.epoch.timestamp();
        self.machine.has_worked(Work::Made(bytes.len()));
        match self.machine.tree.lookup(&path) {
            Ok(id) => {
                let written = self.machine.tree.set_content(id, bytes.into(), mtime);
                written.map_err(|errno| PathError::new(&path, errno))?;
                Ok(id)
            }
            Err(error) if error.errno == Errno::NotFound => {
                let target = if path.ends_with(b"/") { path } else { self.machine.tree.dangling(&path)? };
                self.machine.create(&target, 0o666 & !self.umask, Node::Regular(bytes.into()))
            }
            Err(error) => Err(error),
        }
    }

    /// `path`, whose inode is `top`, and everything below it in the order of names, with paths as the operand gave them.
    pub(super) fn below(&mut self, path: &[u8], top: InodeId) -> Vec<(Vec<u8>, InodeId)> {
        let tree = &self.machine.tree;
        let rename = |visit: crate::tree::Visit| match visit.path.is_root() {
            true => (path.to_vec(), visit.id),
            false => (join(path, visit.path.relative()), visit.id),
        };
        let found: Vec<_> = tree.walk_from(TreePath::root(), top).map(rename).collect();
        self.machine.has_worked(Work::Names(found.len()));
        found
    }

    /// The same through symbolic links; a directory that was passed on the way down is not entered again.
    pub(super) fn below_following(&mut self, path: &[u8], top: InodeId) -> Vec<(Vec<u8>, InodeId)> {
        let mut found = Vec::new();
        let mut todo = vec![(path.to_vec(), top, Vec::new())];
        while let Some((path, id, mut above)) = todo.pop() {
            found.push((path.clone(), id));
            self.machine.has_worked(Work::Names(1));
            if self.machine.is_spent() {
                break;
            }
            if above.contains(&id) {
                continue;
            }
            above.push(id);
            for (name, child) in self.inode(id).entries().into_iter().flatten().rev() {
                let path = join(&path, name.as_bytes());
                let child = self.lookup(&path).unwrap_or(*child);
                todo.push((path, child, above.clone()));
            }
        }
        found
    }

    /// Enters a folder, as `chdir(2)`.
    pub fn enter(&mut self, path: &[u8]) -> Result<()> {
        let absolute = self.absolute(path);
        let (id, real) = self.machine.tree.resolve(&absolute)?;
        if !self.inode(id).is_dir() {
            return Err(PathError::new(path, Errno::NotDirectory));
        }
        self.folder = real;
        Ok(())
    }

    /// Complains and fails.
    pub fn fail(&mut self, message: &str) -> std::result::Result<Status, Fatal> {
        self.complain(message)?;
        Ok(Status::FAILURE)
    }

    /// Complains that `operand` is missing, or is one too many, as the GNU tools do.
    pub fn wrong_operands(&mut self, operands: &[Vec<u8>], most: usize) -> std::result::Result<Status, Fatal> {
        match operands.get(most) {
            Some(extra) => self.fail(&format!("extra operand '{}'", extra.escape_ascii())),
            None => match operands.last() {
                Some(last) => self.fail(&format!("missing operand after '{}'", last.escape_ascii())),
                None => self.fail("missing operand"),
            },
        }
    }
}

/// The names in a folder, in the order of their bytes; nothing when it is none.
pub(super) fn names(process: &Process<'_>, folder: &[u8]) -> Option<Vec<Vec<u8>>> {
    let id = process.lookup(folder).ok()?;
    let entries = process.inode(id).entries()?;
    Some(entries.keys().map(|name| name.as_bytes().to_vec()).collect())
}

/// `folder/name`, with no slash doubled.
pub(super) fn join(folder: &[u8], name: &[u8]) -> Vec<u8> {
    let mut path = folder.to_vec();
    if !path.is_empty() && path.last() != Some(&b'/') {
        path.push(b'/');
    }
    path.extend_from_slice(name);
    path
}

/// The last part of a path, trailing slashes aside; `/` for a path of slashes alone.
pub(super) fn base_name(path: &[u8]) -> &[u8] {
    let end = path.iter().rposition(|&b| b != b'/').map_or(0, |last| last + 1);
    if end == 0 {
        return if path.is_empty() { path } else { b"/" };
    }
    let start = path[..end].iter().rposition(|&b| b == b'/').map_or(0, |slash| slash + 1);
    &path[start..end]
}

/// What is before the last part of a path.
pub(super) fn dir_name(path: &[u8]) -> &[u8] {
    let without = |path: &'_ [u8]| path.iter().rposition(|&b| b != b'/').map_or(0, |last| last + 1);
    let end = without(path);
    let Some(slash) = path[..end].iter().rposition(|&b| b == b'/') else {
        return if end == 0 && !path.is_empty() { b"/" } else { b"." };
    };
    match without(&path[..slash]) {
        0 => b"/",
        end => &path[..end],
    }
}

/// `path` of the tree as a command shows it.
pub(super) fn show(path: &[u8]) -> String {
    path.escape_ascii().to_string()
}
