//! Depth-first walk of a tree in byte order of names.

use super::{InodeId, Name, ROOT, Tree, TreePath};

/// One name met on a walk.
#[derive(Clone, Debug)]
pub struct Visit {
    pub path: TreePath,
    pub id: InodeId,
}

/// Iterator over a directory and all that is below it; a directory comes before its entries.
#[derive(Debug)]
pub struct Walk<'a> {
    tree: &'a Tree,
    /// Next entries of each open directory, innermost last.
    open: Vec<(TreePath, std::collections::btree_map::Iter<'a, Name, InodeId>)>,
    first: Option<Visit>,
}

impl Tree {
    /// Every name of the tree, the root first.
    pub fn walk(&self) -> Walk<'_> {
        self.walk_from(TreePath::root(), ROOT)
    }

    /// `id` as `path`, then everything below it.
    pub fn walk_from(&self, path: TreePath, id: InodeId) -> Walk<'_> {
        Walk { tree: self, open: Vec::new(), first: Some(Visit { path, id }) }
    }
}

impl Iterator for Walk<'_> {
    type Item = Visit;

    fn next(&mut self) -> Option<Visit> {
        let visit = match self.first.take() {
            Some(visit) => visit,
            None => loop {
                let (path, entries) = self.open.last_mut()?;
                if let Some((name, &id)) = entries.next() {
                    break Visit { path: path.join(name), id };
                }
                self.open.pop();
            },
        };
        if let Some(entries) = self.tree.get(visit.id).entries() {
            self.open.push((visit.path.clone(), entries.iter()));
        }
        Some(visit)
    }
}
