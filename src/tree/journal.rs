//! Who changed what: a record of every change to a tree, kept only when asked for.
//!
//! A tree without a journal tests one pointer at each change. With one, every change is noted with the chain of causes that
//! was entered at that time; chains share their beginnings.

use std::collections::BTreeMap;

use super::{InodeId, Name, ROOT, Stat, Tree};
use crate::cause::Cause;

/// A chain of causes in one journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ChainId(u32);

/// Where a name is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    pub folder: InodeId,
    pub name: Name,
}

/// One change of a name or an inode.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The root has no entry.
    Made {
        entry: Option<Entry>,
        inode: InodeId,
    },
    /// A further name for an inode.
    Linked {
        entry: Entry,
        inode: InodeId,
    },
    Moved {
        from: Entry,
        to: Entry,
        inode: InodeId,
    },
    Removed {
        entry: Entry,
        inode: InodeId,
    },
    /// New content, or part of it.
    Written {
        inode: InodeId,
    },
    Altered {
        inode: InodeId,
        what: Altered,
    },
    /// The same content would have come into its place again.
    Kept {
        inode: InodeId,
    },
}

/// Metadata that was changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Altered {
    pub mode: bool,
    pub owner: bool,
    pub xattrs: bool,
    pub time: bool,
}

impl Altered {
    fn between(old: &Stat, new: &Stat) -> Self {
        Self {
            mode: old.mode != new.mode,
            owner: (old.uid, old.gid) != (new.uid, new.gid),
            xattrs: old.xattrs != new.xattrs,
            time: old.mtime != new.mtime,
        }
    }

    pub fn and(self, other: Self) -> Self {
        Self {
            mode: self.mode || other.mode,
            owner: self.owner || other.owner,
            xattrs: self.xattrs || other.xattrs,
            time: self.time || other.time,
        }
    }
}

/// A change and its chain of causes.
#[derive(Clone, Debug)]
pub struct Event {
    pub chain: ChainId,
    pub change: Change,
}

#[derive(Clone, Debug)]
pub struct Journal {
    events: Vec<Event>,
    /// Each chain as its last cause and the chain before that.
    chains: Vec<(Option<ChainId>, Cause)>,
    known: BTreeMap<Option<ChainId>, BTreeMap<Cause, ChainId>>,
    /// What is being done now, outermost first; the chain up to there once an event has asked for it.
    stack: Vec<(Cause, Option<ChainId>)>,
    /// Metadata that is being changed in place: compared when the next thing happens.
    open: Option<(InodeId, Stat, ChainId)>,
}

impl Journal {
    fn new() -> Self {
        Self { events: Vec::new(), chains: Vec::new(), known: BTreeMap::new(), stack: Vec::new(), open: None }
    }

    /// Changes in the order in which they were made.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// The causes of a chain, outermost first.
    pub fn chain(&self, id: ChainId) -> Vec<Cause> {
        let mut causes = Vec::new();
        let mut next = Some(id);
        while let Some(ChainId(index)) = next {
            let (before, cause) = &self.chains[index as usize];
            causes.push(cause.clone());
            next = *before;
        }
        causes.reverse();
        causes
    }

    fn intern(&mut self, before: Option<ChainId>, cause: &Cause) -> ChainId {
        let known = self.known.entry(before).or_default();
        if let Some(id) = known.get(cause) {
            return *id;
        }
        let id = ChainId(u32::try_from(self.chains.len()).expect("fewer chains than events"));
        known.insert(cause.clone(), id);
        self.chains.push((before, cause.clone()));
        id
    }

    /// The chain of what is being done now.
    fn now(&mut self) -> ChainId {
        let mut stack = std::mem::take(&mut self.stack);
        let mut chain = None;
        for (cause, id) in &mut stack {
            chain = match *id {
                Some(id) => Some(id),
                None => Some(self.intern(chain, cause)),
            };
            *id = chain;
        }
        self.stack = stack;
        match chain {
            Some(chain) => chain,
            None => self.intern(None, &Cause::Base),
        }
    }

    fn note(&mut self, change: Change) {
        let chain = self.now();
        // A file that is written piece by piece is written once.
        let same =
            |last: &Event| last.chain == chain && last.change == change && matches!(change, Change::Written { .. });
        if !self.events.last().is_some_and(same) {
            self.events.push(Event { chain, change });
        }
    }
}

impl Tree {
    /// Keeps a journal from now on. What is there has been made by `cause`.
    pub fn keep_journal(&mut self, cause: Cause) {
        let mut journal = Journal::new();
        journal.stack.push((cause, None));
        journal.note(Change::Made { entry: None, inode: ROOT });
        let mut folders = vec![ROOT];
        while let Some(folder) = folders.pop() {
            for (name, &inode) in self.get(folder).entries().into_iter().flatten() {
                let entry = Entry { folder, name: name.clone() };
                journal.note(Change::Made { entry: Some(entry), inode });
                folders.push(inode);
            }
        }
        journal.stack.clear();
        self.journal = Some(Box::new(journal));
    }

    /// The journal, up to date.
    pub fn journal(&mut self) -> Option<&Journal> {
        self.settle();
        self.journal.as_deref()
    }

    /// Begins something: changes from here to the matching [`Tree::leave`] are its doing.
    pub fn enter(&mut self, cause: impl FnOnce() -> Cause) {
        if self.journal.is_some() {
            self.settle();
            self.journal.as_mut().expect("just seen").stack.push((cause(), None));
        }
    }

    pub fn leave(&mut self) {
        if self.journal.is_some() {
            self.settle();
            self.journal.as_mut().expect("just seen").stack.pop();
        }
    }

    /// The innermost script has come to another line, maybe of another file.
    pub fn at_line(&mut self, script: &[u8], line: usize) {
        if self.journal.is_none() {
            return;
        }
        self.settle();
        let journal = self.journal.as_mut().expect("just seen");
        if let Some((Cause::Line { script: known, line: old }, id)) = journal.stack.last_mut() {
            if *old == line && known.as_bytes() == script {
                return;
            }
            if known.as_bytes() == script {
                (*old, *id) = (line, None);
                return;
            }
            journal.stack.pop();
        }
        journal.stack.push((Cause::line(script, line), None));
    }

    /// Notes that the inode stays what it is although its like would have come.
    pub fn note_kept(&mut self, inode: InodeId) {
        self.note(|| Change::Kept { inode });
    }

    pub(super) fn note(&mut self, change: impl FnOnce() -> Change) {
        if self.journal.is_some() {
            self.settle();
            self.journal.as_mut().expect("just seen").note(change());
        }
    }

    /// Notes that the inode's metadata may be changed until the next thing happens.
    pub(super) fn note_open(&mut self, inode: InodeId) {
        if self.journal.is_some() {
            self.settle();
            let stat = self.get(inode).stat.clone();
            let journal = self.journal.as_mut().expect("just seen");
            let chain = journal.now();
            journal.open = Some((inode, stat, chain));
        }
    }

    /// Sees what became of metadata that was changed in place.
    fn settle(&mut self) {
        let Some(journal) = &mut self.journal else { return };
        let Some((inode, old, chain)) = journal.open.take() else { return };
        let what = Altered::between(&old, &self.inodes[inode.index()].stat);
        if what != Altered::default() {
            journal.events.push(Event { chain, change: Change::Altered { inode, what } });
        }
    }
}
