//! What happened to one name of a tree, from its journal: also to what was there before under other names, and to what is gone.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Errno, InodeId, Name, Node, PathError, ROOT, Result, Tree, TreePath,
    journal::{Altered, ChainId, Change, Entry, Event, Journal},
};

/// What happened to a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    /// An inode was made, under the other name if there is one.
    Made {
        elsewhere: Option<TreePath>,
    },
    /// What has the other name got this one too.
    Linked {
        to: Option<TreePath>,
    },
    /// What had the other name got this one.
    Moved {
        from: TreePath,
    },
    /// It went along when the folder of that name, which it lies in, got another.
    Carried {
        from: TreePath,
    },
    MovedAway {
        to: TreePath,
    },
    Removed,
    Written,
    Altered(Altered),
    Kept,
}

/// A deed and who did it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    pub deed: Deed,
    pub chain: ChainId,
}

/// Where a path leads, gone or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Links to folders on the way followed, the last name not.
    pub path: TreePath,
    /// `None` for the root.
    entry: Option<Entry>,
    /// What is there now.
    pub inode: Option<InodeId>,
}

/// A journal, to be asked about names.
#[derive(Debug)]
pub struct History<'a> {
    tree: &'a Tree,
    journal: &'a Journal,
    /// Events by the inodes that they are about.
    by_inode: BTreeMap<InodeId, Vec<usize>>,
    /// Events by the names that they are about.
    by_entry: BTreeMap<&'a Entry, Vec<usize>>,
}

impl Tree {
    /// The history of a tree that has kept a journal.
    pub fn history(&mut self) -> Option<History<'_>> {
        self.journal()?;
        let journal = self.journal.as_deref()?;
        let mut history = History { tree: self, journal, by_inode: BTreeMap::new(), by_entry: BTreeMap::new() };
        for (index, event) in journal.events().iter().enumerate() {
            history.by_inode.entry(inode(&event.change)).or_default().push(index);
            for entry in entries(&event.change) {
                history.by_entry.entry(entry).or_default().push(index);
            }
        }
        Some(history)
    }
}

fn inode(change: &Change) -> InodeId {
    match change {
        Change::Made { inode, .. }
        | Change::Linked { inode, .. }
        | Change::Moved { inode, .. }
        | Change::Removed { inode, .. }
        | Change::Written { inode }
        | Change::Altered { inode, .. }
        | Change::Kept { inode } => *inode,
    }
}

/// The names that a change is about; a move is about two.
fn entries(change: &Change) -> impl Iterator<Item = &Entry> {
    let (first, second) = match change {
        Change::Made { entry, .. } => (entry.as_ref(), None),
        Change::Linked { entry, .. } | Change::Removed { entry, .. } => (Some(entry), None),
        Change::Moved { from, to, .. } => (Some(from), Some(to)),
        Change::Written { .. } | Change::Altered { .. } | Change::Kept { .. } => (None, None),
    };
    first.into_iter().chain(second)
}

impl<'a> History<'a> {
    pub fn tree(&self) -> &'a Tree {
        self.tree
    }

    pub fn journal(&self) -> &'a Journal {
        self.journal
    }

    /// Where `path` leads: in the tree if it is there, else to what was there last. The last name is not followed.
    pub fn find(&self, path: &[u8]) -> Result<Found> {
        match self.tree.place(path) {
            Ok(place) => {
                let (path, inode) = (place.path(), place.inode);
                let found = Found { path, entry: Some(Entry { folder: place.parent, name: place.name }), inode };
                if inode.is_some() || found.entry.as_ref().is_some_and(|entry| self.by_entry.contains_key(entry)) {
                    return Ok(found);
                }
                Err(PathError::new(found.path.as_bytes(), Errno::NotFound))
            }
            Err(error) if error.errno == Errno::Invalid => {
                let (_, real) = self.tree.resolve(path)?;
                if real.is_root() {
                    return Ok(Found { path: real, entry: None, inode: Some(ROOT) });
                }
                self.find(real.as_bytes())
            }
            Err(error) if matches!(error.errno, Errno::NotFound | Errno::NotDirectory) => {
                self.find_gone(path).ok_or(error)
            }
            Err(error) => Err(error),
        }
    }

    /// Below a folder that is gone.
    fn find_gone(&self, path: &[u8]) -> Option<Found> {
        let path = TreePath::new(path).ok()?;
        let (above, name) = path.split()?;
        let folder = self.find(above.as_bytes()).ok()?;
        let name = Name::new(name).ok()?;
        // The last folder of that name which held ours.
        let before = self.by_entry.get(folder.entry.as_ref()?)?;
        let folders = before.iter().rev().map(|&index| inode(&self.event(index).change));
        let mut held = folders.map(|folder| Entry { folder, name: name.clone() });
        let entry = held.find(|entry| self.by_entry.contains_key(entry))?;
        Some(Found { path: folder.path.join(&name), entry: Some(entry), inode: None })
    }

    fn event(&self, index: usize) -> &'a Event {
        &self.journal.events()[index]
    }

    /// What happened, in order. What came under another name brings along what happened to it there.
    pub fn of(&self, found: &Found) -> Vec<Done> {
        let mut indices = BTreeSet::new();
        let Some(entry) = &found.entry else {
            indices.extend(self.inode_events(ROOT, 0, usize::MAX));
            return self.done(&indices, None, &BTreeSet::new());
        };
        let mut here: Option<(InodeId, usize)> = None;
        for &index in self.by_entry.get(entry).into_iter().flatten() {
            indices.insert(index);
            if let Some((inode, since)) = here.take() {
                indices.extend(self.inode_events(inode, since, index));
            }
            let arrived = match &self.event(index).change {
                Change::Made { inode, .. } => Some((*inode, index)),
                Change::Linked { inode, .. } => Some((*inode, 0)),
                Change::Moved { to, inode, .. } if to == entry => Some((*inode, 0)),
                _ => None,
            };
            here = arrived;
        }
        if let Some((inode, since)) = here {
            indices.extend(self.inode_events(inode, since, usize::MAX));
        }
        let carried = indices.first().map(|&first| self.moves_above(entry.folder, first)).unwrap_or_default();
        indices.extend(&carried);
        self.done(&indices, Some(entry), &carried)
    }

    /// Events of an inode in a span, but for those that only concern another name of it.
    fn inode_events(&self, inode: InodeId, since: usize, until: usize) -> impl Iterator<Item = usize> {
        let events = self.by_inode.get(&inode).into_iter().flatten().copied();
        events.filter(move |index| {
            let own = !matches!(self.event(*index).change, Change::Linked { .. } | Change::Removed { .. });
            own && (since..until).contains(index)
        })
    }

    /// Moves of the folders that the name lies in.
    fn moves_above(&self, folder: InodeId, since: usize) -> BTreeSet<usize> {
        let mut moves = BTreeSet::new();
        let mut here = folder;
        while let Some(entry) = self.last_entry(here) {
            let events = self.by_inode.get(&here).into_iter().flatten().copied();
            moves.extend(events.filter(|&i| i > since && matches!(self.event(i).change, Change::Moved { .. })));
            here = entry.folder;
        }
        moves
    }

    /// Where an inode got its last name, gone or not; the root never gets one.
    fn last_entry(&self, inode: InodeId) -> Option<&'a Entry> {
        let events = self.by_inode.get(&inode)?;
        events.iter().rev().find_map(|&index| match &self.event(index).change {
            Change::Made { entry: Some(entry), .. }
            | Change::Linked { entry, .. }
            | Change::Moved { to: entry, .. } => Some(entry),
            _ => None,
        })
    }

    /// A name's path, as its folder is called last.
    fn path(&self, entry: &Entry) -> TreePath {
        let mut names = vec![&entry.name];
        let mut here = entry.folder;
        while let Some(above) = self.last_entry(here) {
            names.push(&above.name);
            here = above.folder;
        }
        names.iter().rev().fold(TreePath::root(), |path, name| path.join(name))
    }

    fn done(&self, indices: &BTreeSet<usize>, own: Option<&Entry>, carried: &BTreeSet<usize>) -> Vec<Done> {
        let other = |entry: &Entry| (Some(entry) != own).then(|| self.path(entry));
        let deed = |index: usize| match &self.event(index).change {
            Change::Made { entry, .. } => Deed::Made { elsewhere: entry.as_ref().and_then(other) },
            Change::Linked { inode, .. } => Deed::Linked { to: self.earlier_name(*inode, index) },
            Change::Moved { from, .. } if carried.contains(&index) => Deed::Carried { from: self.path(from) },
            Change::Moved { from, to, .. } if Some(from) == own => Deed::MovedAway { to: self.path(to) },
            Change::Moved { from, .. } => Deed::Moved { from: self.path(from) },
            Change::Removed { .. } => Deed::Removed,
            Change::Written { .. } => Deed::Written,
            Change::Altered { what, .. } => Deed::Altered(*what),
            Change::Kept { .. } => Deed::Kept,
        };
        indices.iter().map(|&index| Done { deed: deed(index), chain: self.event(index).chain }).collect()
    }

    /// A name that an inode had before an event.
    fn earlier_name(&self, inode: InodeId, before: usize) -> Option<TreePath> {
        let events = self.by_inode.get(&inode)?;
        events.iter().rev().filter(|&&index| index < before).find_map(|&index| match &self.event(index).change {
            Change::Made { entry: Some(entry), .. } | Change::Moved { to: entry, .. } => Some(self.path(entry)),
            _ => None,
        })
    }

    /// What the symbolic link that was found says, if it is one.
    pub fn link(&self, found: &Found) -> Option<&'a [u8]> {
        match found.inode.map(|id| &self.tree.get(id).node) {
            Some(Node::Symlink(target)) => Some(target),
            _ => None,
        }
    }
}
