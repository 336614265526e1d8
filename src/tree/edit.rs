//! Changes to a tree: making, linking, renaming and removing names.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::{
    Content, Errno, Inode, InodeId, Name, Node, PathError, ROOT, Result, Stat, Timestamp, Tree,
    journal::{Change, Entry},
};

/// Hard links that ext4 can count, the strictest of the formats we write.
const MAX_LINKS: u32 = 65_000;

impl Tree {
    /// Makes `name` in `parent`.
    ///
    /// # Panics
    /// When `parent` is no directory: the caller got the id from a look-up of one.
    pub fn insert(
        &mut self,
        parent: InodeId,
        name: Name,
        stat: Stat,
        node: Node,
    ) -> std::result::Result<InodeId, Errno> {
        if self.entries(parent).contains_key(&name) {
            return Err(Errno::Exists);
        }
        let id = InodeId(u32::try_from(self.inodes.len()).map_err(|_| Errno::TooManyLinks)?);
        self.note(|| Change::Made { entry: Some(Entry { folder: parent, name: name.clone() }), inode: id });
        self.inodes.push(Inode { stat, node, links: 1 });
        self.entries_mut(parent).insert(name, id);
        Ok(id)
    }

    /// Makes `path`; its parent must exist, it must not.
    pub fn create(&mut self, path: &[u8], stat: Stat, node: Node) -> Result<InodeId> {
        let place = self.place(path).map_err(|error| match error.errno {
            Errno::Invalid => PathError::new(path, Errno::Exists),
            _ => error,
        })?;
        self.insert(place.parent, place.name, stat, node).map_err(|errno| PathError::new(path, errno))
    }

    /// The directory at `path`, made with `stat` where it and its parents are missing. Symbolic links to directories count.
    pub fn create_dir_all(&mut self, path: &[u8], stat: &Stat) -> Result<InodeId> {
        let mut prefix = Vec::with_capacity(path.len() + 1);
        let mut here = ROOT;
        for part in path.split(|&b| b == b'/').filter(|part| !part.is_empty()) {
            prefix.push(b'/');
            prefix.extend_from_slice(part);
            here = match self.lookup(&prefix) {
                Ok(id) => id,
                Err(error) if error.errno == Errno::NotFound => {
                    self.create(&prefix, stat.clone(), Node::Directory(BTreeMap::new()))?
                }
                Err(error) => return Err(error),
            };
            if !self.get(here).is_dir() {
                return Err(PathError::new(&prefix, Errno::NotDirectory));
            }
        }
        Ok(here)
    }

    /// Writes a whole file at `path`, following a symbolic link there, and keeps mode and owner of a file that exists.
    pub fn write(&mut self, path: &[u8], content: impl Into<Content>, stat_if_new: Stat) -> Result<InodeId> {
        let mtime = stat_if_new.mtime;
        match self.lookup(path) {
            Ok(id) => {
                self.set_content(id, content.into(), mtime).map_err(|errno| PathError::new(path, errno))?;
                Ok(id)
            }
            Err(error) if error.errno == Errno::NotFound => {
                let target = self.dangling(path)?;
                self.create(&target, stat_if_new, Node::Regular(content.into()))
            }
            Err(error) => Err(error),
        }
    }

    /// Where a write through `path` lands when a last, dangling symbolic link is followed.
    pub fn dangling(&self, path: &[u8]) -> Result<Vec<u8>> {
        let mut path = path.to_vec();
        for _ in 0..super::MAX_SYMLINKS {
            let place = self.place(&path)?;
            let Some(Node::Symlink(target)) = place.inode.map(|id| &self.get(id).node) else {
                return Ok(place.path().as_bytes().to_vec());
            };
            if target.first() == Some(&b'/') {
                path = target.to_vec();
            } else {
                path = place.parent_path.as_bytes().to_vec();
                path.push(b'/');
                path.extend_from_slice(target);
            }
        }
        Err(PathError::new(&path, Errno::Loop))
    }

    /// Replaces a regular file's contents.
    pub fn set_content(&mut self, id: InodeId, content: Content, mtime: Timestamp) -> std::result::Result<(), Errno> {
        let inode = &mut self.inodes[id.index()];
        match &mut inode.node {
            Node::Regular(old) => *old = content,
            Node::Directory(_) => return Err(Errno::IsDirectory),
            _ => return Err(Errno::Invalid),
        }
        inode.stat.mtime = mtime;
        self.note(|| Change::Written { inode: id });
        Ok(())
    }

    /// Writes into a regular file, filling a gap with zeros; anything else is left alone.
    pub fn write_at(&mut self, id: InodeId, offset: u64, data: &[u8], mtime: Timestamp) {
        let inode = &mut self.inodes[id.index()];
        if let Node::Regular(content) = &mut inode.node {
            content.write_at(offset, data);
            inode.stat.mtime = mtime;
            self.note(|| Change::Written { inode: id });
        }
    }

    /// The whole contents of the regular file at `path`, links followed; sparse files over 1 GiB are refused.
    pub fn read(&self, path: &[u8]) -> Result<Bytes> {
        let id = self.lookup(path)?;
        match &self.get(id).node {
            Node::Regular(content) => {
                content.bytes(Content::READ_LIMIT).ok_or_else(|| PathError::new(path, Errno::Invalid))
            }
            Node::Directory(_) => Err(PathError::new(path, Errno::IsDirectory)),
            _ => Err(PathError::new(path, Errno::Invalid)),
        }
    }

    /// Gives the inode `id` a further name. Directories can't have one.
    pub fn link(&mut self, id: InodeId, parent: InodeId, name: Name) -> std::result::Result<(), Errno> {
        if self.get(id).is_dir() {
            return Err(Errno::NotPermitted);
        }
        if self.get(id).links >= MAX_LINKS {
            return Err(Errno::TooManyLinks);
        }
        if self.entries(parent).contains_key(&name) {
            return Err(Errno::Exists);
        }
        self.note(|| Change::Linked { entry: Entry { folder: parent, name: name.clone() }, inode: id });
        self.entries_mut(parent).insert(name, id);
        self.inodes[id.index()].links += 1;
        Ok(())
    }

    /// Removes a name of anything but a directory.
    pub fn unlink(&mut self, path: &[u8]) -> Result<()> {
        let (place, id) = self.existing(path)?;
        if self.get(id).is_dir() {
            return Err(PathError::new(path, Errno::IsDirectory));
        }
        self.detach(place.parent, &place.name);
        Ok(())
    }

    /// Removes an empty directory.
    pub fn remove_dir(&mut self, path: &[u8]) -> Result<()> {
        let (place, id) = self.existing(path)?;
        match self.get(id).entries() {
            None => return Err(PathError::new(path, Errno::NotDirectory)),
            Some(entries) if !entries.is_empty() => return Err(PathError::new(path, Errno::NotEmpty)),
            Some(_) => {}
        }
        self.detach(place.parent, &place.name);
        Ok(())
    }

    /// Removes `path` with everything below it.
    pub fn remove_all(&mut self, path: &[u8]) -> Result<()> {
        let (place, id) = self.existing(path)?;
        self.clear(id);
        self.detach(place.parent, &place.name);
        Ok(())
    }

    /// `rename(2)`: an existing target is replaced when its kind allows it, and two names of one inode stay as they are.
    pub fn rename(&mut self, from: &[u8], to: &[u8]) -> Result<()> {
        let (source, id) = self.existing(from)?;
        let target = self.place(to)?;
        if self.get(id).is_dir() && self.is_inside(target.parent, id) {
            return Err(PathError::new(to, Errno::Invalid));
        }
        if let Some(old) = target.inode {
            if old == id {
                return Ok(());
            }
            match (self.get(id).is_dir(), self.get(old).entries()) {
                (true, None) => return Err(PathError::new(to, Errno::NotDirectory)),
                (false, Some(_)) => return Err(PathError::new(to, Errno::IsDirectory)),
                (true, Some(entries)) if !entries.is_empty() => return Err(PathError::new(to, Errno::NotEmpty)),
                _ => {}
            }
            self.detach(target.parent, &target.name);
        }
        self.note(|| Change::Moved {
            from: Entry { folder: source.parent, name: source.name.clone() },
            to: Entry { folder: target.parent, name: target.name.clone() },
            inode: id,
        });
        self.entries_mut(source.parent).remove(&source.name);
        self.entries_mut(target.parent).insert(target.name, id);
        Ok(())
    }

    fn existing(&self, path: &[u8]) -> Result<(super::lookup::Place, InodeId)> {
        let place = self.place(path)?;
        let id = place.inode.ok_or_else(|| PathError::new(path, Errno::NotFound))?;
        Ok((place, id))
    }

    fn detach(&mut self, parent: InodeId, name: &Name) {
        if let Some(id) = self.entries_mut(parent).remove(name) {
            self.inodes[id.index()].links -= 1;
            self.note(|| Change::Removed { entry: Entry { folder: parent, name: name.clone() }, inode: id });
        }
    }

    /// Detaches everything below a directory.
    fn clear(&mut self, top: InodeId) {
        let mut todo = vec![top];
        while let Some(id) = todo.pop() {
            if let Node::Directory(entries) = &mut self.inodes[id.index()].node {
                for (name, child) in std::mem::take(entries) {
                    self.inodes[child.index()].links -= 1;
                    self.note(|| Change::Removed { entry: Entry { folder: id, name }, inode: child });
                    todo.push(child);
                }
            }
        }
    }

    /// Whether the directory `inner` is `outer` or lies below it.
    fn is_inside(&self, inner: InodeId, outer: InodeId) -> bool {
        let mut todo = vec![outer];
        while let Some(id) = todo.pop() {
            if id == inner {
                return true;
            }
            todo.extend(self.get(id).entries().into_iter().flat_map(|entries| entries.values().copied()));
        }
        false
    }

    fn entries(&self, id: InodeId) -> &BTreeMap<Name, InodeId> {
        self.get(id).entries().expect("the id of a directory")
    }

    fn entries_mut(&mut self, id: InodeId) -> &mut BTreeMap<Name, InodeId> {
        match &mut self.inodes[id.index()].node {
            Node::Directory(entries) => entries,
            _ => panic!("inode {} is not a directory", id.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::{dump, parse_dump};

    fn stat() -> Stat {
        Stat::root(0o644, Timestamp::default())
    }

    fn file(text: &str) -> Node {
        Node::Regular(text.as_bytes().to_vec().into())
    }

    #[test]
    fn edits_as_the_system_calls_do() {
        let mut tree = Tree::new(stat());
        let errno = |result: Result<()>| result.map_err(|error| error.errno);
        tree.create_dir_all(b"/a/b", &stat()).expect("made");
        tree.create(b"/a/f", stat(), file("x")).expect("made");
        assert_eq!(tree.create(b"/a/f", stat(), file("y")).map_err(|e| e.errno), Err(Errno::Exists));
        let f = tree.lookup(b"/a/f").expect("there");
        let b = tree.lookup(b"/a/b").expect("there");
        tree.link(f, b, Name::new(b"g").expect("valid")).expect("linked");
        assert_eq!(tree.get(f).links(), 2);
        assert_eq!(errno(tree.rename(b"/a/f", b"/a/b/g")), Ok(()), "two names of one inode stay");
        assert_eq!(errno(tree.rename(b"/a", b"/a/b/c")), Err(Errno::Invalid));
        assert_eq!(errno(tree.rename(b"/a/f", b"/a/b")), Err(Errno::IsDirectory));
        assert_eq!(errno(tree.remove_dir(b"/a/b")), Err(Errno::NotEmpty));
        assert_eq!(errno(tree.unlink(b"/a/b")), Err(Errno::IsDirectory));
        tree.unlink(b"/a/f").expect("gone");
        assert_eq!(tree.get(f).links(), 1);
        tree.rename(b"/a/b", b"/c").expect("renamed");
        assert_eq!(tree.read(b"/c/g").as_deref(), Ok(b"x".as_slice()));
        tree.remove_all(b"/c").expect("gone");
        assert_eq!(tree.get(f).links(), 0);
        assert_eq!(errno(tree.remove_all(b"/c")), Err(Errno::NotFound));
    }

    #[test]
    fn writes_through_links() {
        let mut tree =
            parse_dump("/ directory 0755 0:0 0\n/l symlink 0777 0:0 0 x/y\n/x directory 0755 0:0 0\n").expect("valid");
        tree.write(b"/l", b"hello".to_vec(), stat()).expect("written");
        assert_eq!(tree.read(b"/x/y").as_deref(), Ok(b"hello".as_slice()));
        tree.write(b"/l", b"again".to_vec(), Stat::root(0o600, Timestamp::default())).expect("written");
        assert_eq!(tree.get(tree.lookup(b"/x/y").expect("there")).stat.mode, 0o644);
        assert!(dump(&tree).contains("/x/y file 0644 0:0 0 5 "));
    }
}
