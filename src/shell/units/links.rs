//! Links to unit files, made and removed.

use std::collections::BTreeSet;

use super::{Change, Failure, Result, Units, name, search::simplified};
use crate::tree::{Errno, InodeId, Node, Stat};

impl Units<'_> {
    /// Makes a link unless an equal one is there already.
    pub(super) fn link(&mut self, target: &[u8], path: &[u8], force: bool) -> Result<()> {
        let slash = path.iter().rposition(|&b| b == b'/').unwrap_or(0);
        let folder = Stat::root(0o755, self.now);
        // What stands in the way is reported by the next step.
        let _ = self.tree.create_dir_all(&path[..slash], &folder);
        let stat = Stat::root(0o777, self.now);
        let node = || Node::Symlink(target.to_vec().into());
        let made = Change::Symlink { path: path.to_vec(), target: target.to_vec() };
        match self.tree.create(path, stat.clone(), node()) {
            Ok(_) => {
                self.changes.push(made);
                return Ok(());
            }
            Err(error) if error.errno == Errno::Exists => {}
            Err(error) => return self.fail(Failure::Tree(error.errno), path, None),
        }
        let old = match self.tree.lookup_no_follow(path).map(|id| &self.tree.get(id).node) {
            Ok(Node::Symlink(old)) => old.to_vec(),
            _ => return self.fail(Failure::Exists, path, None),
        };
        if self.equivalent(path, &old, target) {
            return Ok(());
        }
        if !force {
            return self.fail(Failure::Exists, path, Some(&old));
        }
        let replaced = self.tree.unlink(path).and_then(|()| self.tree.create(path, stat, node()));
        if let Err(error) = replaced {
            return self.fail(Failure::Tree(error.errno), path, None);
        }
        self.changes.extend([Change::Unlink(path.to_vec()), made]);
        Ok(())
    }

    /// Whether two targets of a link at `path` mean one unit: the same file, or one name in the search path.
    fn equivalent(&self, path: &[u8], a: &[u8], b: &[u8]) -> bool {
        let slash = path.iter().rposition(|&b| b == b'/').unwrap_or(0);
        let absolute = |target: &[u8]| {
            if target.starts_with(b"/") { target.to_vec() } else { [&path[..=slash], target].concat() }
        };
        let (a, b) = (absolute(a), absolute(b));
        if a == b || self.tree.lookup(&a).is_ok_and(|id| self.tree.lookup(&b) == Ok(id)) {
            return true;
        }
        let below = |path: &[u8]| super::search::below_search(self.scope, path);
        name::base(&a) == name::base(&b) && below(&a) && below(&b)
    }

    /// Removes the links in the configuration directory that lead to a marked path or name, or are called so; and then the
    /// links to those.
    pub(super) fn remove_links(&mut self, mut marked: BTreeSet<Vec<u8>>) {
        if marked.is_empty() {
            return;
        }
        let config = self.scope.config.as_bytes().to_vec();
        let Ok(top) = self.tree.lookup(&config) else { return };
        loop {
            let mut again = false;
            self.remove_links_in(&config, top, &mut marked, &mut again);
            if !again {
                return;
            }
        }
    }

    fn remove_links_in(&mut self, path: &[u8], id: InodeId, marked: &mut BTreeSet<Vec<u8>>, again: &mut bool) {
        let Some(entries) = self.tree.get(id).entries().cloned() else { return };
        for (entry, child) in entries {
            let entry = entry.as_bytes();
            let below = [path, b"/", entry].concat();
            match &self.tree.get(child).node {
                Node::Directory(_) => self.remove_links_in(&below, child, marked, again),
                Node::Symlink(target) if name::kind(entry).is_some() => {
                    let target = target.to_vec();
                    if !self.is_marked(&below, entry, &target, marked) || self.tree.unlink(&below).is_err() {
                        continue;
                    }
                    self.remove_empty_folders(&below);
                    self.changes.push(Change::Unlink(below.clone()));
                    *again |= marked.insert(below);
                }
                _ => {}
            }
        }
    }

    fn is_marked(&self, path: &[u8], entry: &[u8], target: &[u8], marked: &BTreeSet<Vec<u8>>) -> bool {
        if marked.contains(entry) || name::template(entry).is_some_and(|template| marked.contains(&template)) {
            return true;
        }
        let slash = path.iter().rposition(|&b| b == b'/').unwrap_or(0);
        let target = if target.starts_with(b"/") { target.to_vec() } else { [&path[..=slash], target].concat() };
        let end = match self.tree.resolve(&target) {
            Ok((_, real)) => real.as_bytes().to_vec(),
            Err(_) => simplified(self.tree, &target),
        };
        marked.contains(&end) || marked.contains(name::base(&end))
    }

    /// Removes the directories above `path` that became empty, up to the configuration directory.
    fn remove_empty_folders(&mut self, path: &[u8]) {
        let mut path = path.to_vec();
        while let Some(slash) = path.iter().rposition(|&b| b == b'/') {
            path.truncate(slash);
            if path.len() <= self.scope.config.len() || self.tree.remove_dir(&path).is_err() {
                return;
            }
        }
    }
}
