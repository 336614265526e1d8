//! What scripts act on: the tree, the time and the bounds; there is nothing of the host in it.

use std::sync::Arc;

use super::{Fatal, commands::Modules, pattern::Effort, script::Scripts};
use crate::{debconf::Session, dpkg::database::Database, epoch::Epoch, manifest::image::Ids, tree::Tree};

/// The bounds of one script run; passing one is [`super::Fatal::Limit`].
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Work: a simple command of the shell or a round of a loop is one step; programs, what is written and what is waited for
    /// count by [`Work`]. So this bounds time, and memory too.
    pub steps: u64,
    /// Nested functions, sourced files, substitutions and interpreted programs.
    pub depth: u32,
    /// Bytes in one variable or one expanded word.
    pub text: u64,
    /// Bytes in one pipe or one file that a script writes.
    pub bytes: u64,
}

impl Limits {
    /// Far above what any maintainer script was measured to need, and reached within seconds.
    pub const SCRIPT: Self = Self { steps: 50_000_000, depth: 200, text: 64 << 20, bytes: 1 << 30 };
}

/// Work that is more than one step.
#[derive(Clone, Copy, Debug)]
pub(super) enum Work {
    /// Starting a program.
    Program,
    /// Bytes that are written, or put together.
    Made(usize),
    /// Bytes that are read, a piece of the tree's files or a copy.
    Read(usize),
    /// Names in folders that are looked at.
    Names(usize),
    /// Bytes of scripts that are parsed: their syntax tree is some two hundred times as large.
    Parsed(usize),
    /// Things that have a place of their own in memory: fields, lines.
    Pieces(usize),
    /// Variables or functions that are copied with their table.
    Entries(usize),
    /// Bytes that are compared with a pattern.
    Compared(u64),
    /// Seconds that a script wants to wait for something, which no one will do meanwhile.
    Wait(f64),
}

impl Work {
    fn steps(self) -> u64 {
        match self {
            Self::Program => 50,
            Self::Made(bytes) => bytes as u64 / 32,
            Self::Read(bytes) => bytes as u64 / 256,
            Self::Names(count) => count as u64 * 16,
            Self::Parsed(bytes) => bytes as u64 * 6,
            Self::Pieces(count) => count as u64 * 4,
            Self::Entries(count) => count as u64 / 2,
            Self::Compared(bytes) => bytes / 32,
            // `as` stays at the greatest number.
            Self::Wait(seconds) => (seconds * 50_000.0) as u64,
        }
    }
}

/// Steps for each file, folder or link that is made, by whatever command: it stays in memory after it has been removed.
const INODE: u64 = 200;

/// The system that scripts see.
#[derive(Debug)]
pub struct Machine {
    pub tree: Tree,
    pub epoch: Epoch,
    /// Debian's name of the target's architecture: `amd64`, `arm64`.
    pub architecture: String,
    /// What `uname -r` says.
    pub kernel_release: String,
    pub limits: Limits,
    /// Numbers that accounts are to have.
    pub ids: Ids,
    /// The packages while they are being installed; `None` when the tree's own status file tells.
    pub dpkg: Option<Database>,
    /// The conversation with debconf that a script is having.
    pub debconf: Option<Session>,
    /// Steps taken and depth reached by the running script, held against `limits`.
    pub(super) steps: u64,
    pub(super) depth: u32,
    /// Inodes of the tree that have been counted.
    inodes: usize,
    /// Count of names that `mktemp` and its like have made: their only source of difference.
    pub(super) temporaries: u64,
    /// Commands that scripts have run with `&`.
    pub(super) background_processes: u32,
    /// Scripts that have been read, by where their bytes are.
    pub(super) scripts: Scripts,
    /// The kernel modules that were asked for last.
    pub(super) modules: Option<Arc<Modules>>,
}

/// A system between two scripts.
#[derive(Debug)]
pub struct Saved {
    tree: Tree,
    dpkg: Option<Database>,
    temporaries: u64,
    background_processes: u32,
}

impl Machine {
    /// A kernel release that no distribution has: new enough for every script that asks, and without modules. Who builds an
    /// image for a certain kernel sets [`Machine::kernel_release`].
    pub const DEFAULT_KERNEL_RELEASE: &'static str = "6.8.0-icos";

    pub fn new(tree: Tree, epoch: Epoch, architecture: &str, limits: Limits) -> Self {
        Self {
            inodes: tree.inode_bound(),
            tree,
            epoch,
            architecture: architecture.to_owned(),
            kernel_release: Self::DEFAULT_KERNEL_RELEASE.to_owned(),
            limits,
            ids: Ids::default(),
            dpkg: None,
            debconf: None,
            steps: 0,
            depth: 0,
            temporaries: 0,
            background_processes: 0,
            scripts: Scripts::default(),
            modules: None,
        }
    }

    /// Makes ready for a script of its own: the bounds count anew, and nothing is left of one that ended in its middle.
    pub fn begin(&mut self) {
        self.debconf = None;
        (self.steps, self.depth) = (0, 0);
        self.inodes = self.tree.inode_bound();
    }

    /// The system as it is, to come back to.
    pub fn save(&self) -> Saved {
        Saved {
            tree: self.tree.clone(),
            dpkg: self.dpkg.clone(),
            temporaries: self.temporaries,
            background_processes: self.background_processes,
        }
    }

    /// Takes back all that scripts have done since.
    pub fn restore(&mut self, saved: Saved) {
        Saved {
            tree: self.tree,
            dpkg: self.dpkg,
            temporaries: self.temporaries,
            background_processes: self.background_processes,
        } = saved;
        self.begin();
    }

    /// Counts a command, or a round of a loop in one, against the bound.
    pub(super) fn step(&mut self) -> Result<(), Fatal> {
        self.charge(1)
    }

    /// Counts work against the bound.
    pub(super) fn work(&mut self, work: Work) -> Result<(), Fatal> {
        self.charge(work.steps())
    }

    /// Counts a text of this length that a script has put together, and holds it against the bound of one.
    pub(super) fn text(&mut self, bytes: usize) -> Result<(), Fatal> {
        self.fits(bytes)?;
        self.work(Work::Made(bytes))
    }

    /// Holds a text's length against the bound.
    pub(super) fn fits(&self, bytes: usize) -> Result<(), Fatal> {
        let limit = self.limits.text;
        if bytes as u64 > limit {
            return Err(Fatal::Limit { what: "bytes in one text", limit });
        }
        Ok(())
    }

    /// Counts work that is done: where that was too much the next step tells, or the end of the command.
    pub(super) fn has_worked(&mut self, work: Work) {
        self.steps = self.steps.saturating_add(work.steps());
    }

    /// Whether so much work would be too much.
    pub(super) fn would_spend(&self, work: Work) -> bool {
        self.steps.saturating_add(work.steps()) > self.limits.steps
    }

    pub(super) fn is_spent(&self) -> bool {
        self.steps > self.limits.steps
    }

    /// Bytes that may still be made.
    pub(super) fn room(&self) -> u64 {
        (self.limits.steps.saturating_sub(self.steps)).saturating_mul(32).min(self.limits.bytes)
    }

    /// Whether so many bytes may still be made, for a command that makes them before it writes.
    pub(super) fn fits_budget(&mut self, bytes: usize) -> Result<(), Fatal> {
        let limit = self.limits.bytes;
        match bytes as u64 {
            bytes if bytes <= self.room() => Ok(()),
            bytes if bytes > limit => Err(Fatal::Limit { what: "bytes in a pipe", limit }),
            _ => self.work(Work::Made(bytes + 32)),
        }
    }

    /// What may be spent on matching a pattern; [`Machine::compared`] counts it.
    pub(super) fn effort(&self) -> Effort {
        Effort::new(self.limits.steps.saturating_sub(self.steps).saturating_add(1).saturating_mul(32))
    }

    pub(super) fn compared(&mut self, effort: &Effort) -> Result<(), Fatal> {
        self.work(Work::Compared(effort.done()))
    }

    pub(super) fn charge(&mut self, steps: u64) -> Result<(), Fatal> {
        let limit = self.limits.steps;
        let inodes = self.tree.inode_bound();
        let made = inodes.saturating_sub(std::mem::replace(&mut self.inodes, inodes)) as u64;
        self.steps = self.steps.saturating_add(steps).saturating_add(made * INODE);
        if self.steps > limit {
            return Err(Fatal::Limit { what: "steps of work", limit });
        }
        Ok(())
    }

    /// The next name for a temporary file: `length` letters that depend on nothing but how many were made before.
    pub fn temporary_suffix(&mut self, length: usize) -> String {
        const LETTERS: &[u8; 26] = b"abcdefghijklmnopqrstuvwxyz";
        let mut rest = self.temporaries;
        self.temporaries += 1;
        let mut name = vec![b'a'; length];
        for slot in name.iter_mut().rev() {
            *slot = LETTERS[(rest % 26) as usize];
            rest /= 26;
        }
        name.into_iter().map(char::from).collect()
    }
}
