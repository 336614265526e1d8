//! The walk of `find`: directories in the order of names, each file given to the expression.

use std::collections::BTreeMap;

use super::{Follow, Query, evaluate::evaluate};
use crate::{
    shell::{
        Fatal, Process, Status, Work,
        files::{join, show},
    },
    tree::{Errno, InodeId},
};

/// Bytes of files that one command of many takes.
const MAX_BYTES: usize = 131_072;

/// A file met on the walk.
#[derive(Clone, Debug)]
pub(super) struct Visit {
    pub(super) path: Vec<u8>,
    /// What the tests are about: what a link leads to, where links are followed.
    pub(super) id: InodeId,
    pub(super) depth: u64,
    /// The starting point that led here.
    pub(super) start: usize,
}

/// A walk under way.
pub(super) struct Walk<'w, 'm> {
    pub(super) process: &'w mut Process<'m>,
    pub(super) query: &'w Query,
    pub(super) pruned: bool,
    pub(super) quits: bool,
    pub(super) failed: bool,
    /// Files collected for commands of many, by command: the folder they run in, and the files.
    pub(super) collected: Vec<(Vec<u8>, Vec<Vec<u8>>)>,
    pub(super) written: BTreeMap<usize, Vec<u8>>,
}

pub(in crate::shell) fn run(process: &mut Process<'_>, query: &Query) -> Result<Status, Fatal> {
    let mut walk = Walk {
        process,
        query,
        pruned: false,
        quits: false,
        failed: false,
        collected: query.batches.iter().map(|_| (Vec::new(), Vec::new())).collect(),
        written: (0..query.outputs.len()).map(|index| (index, Vec::new())).collect(),
    };
    for (index, start) in query.starts.iter().enumerate() {
        let found = match query.follow {
            Follow::Never => walk.process.lookup_no_follow(start),
            Follow::Operands | Follow::Always => walk.process.lookup(start).or(walk.process.lookup_no_follow(start)),
        };
        match found {
            Ok(id) => {
                let visit = Visit { path: start.clone(), id, depth: 0, start: index };
                walk.visit(&visit, &mut Vec::new())?;
            }
            Err(error) => walk.complain(start, &error.errno.to_string())?,
        }
        if walk.quits {
            break;
        }
    }
    for index in 0..walk.collected.len() {
        walk.run_batch(index)?;
    }
    let (failed, written) = (walk.failed, std::mem::take(&mut walk.written));
    for (index, bytes) in written {
        let path = &query.outputs[index];
        if let Err(error) = process.write_file(path, bytes) {
            process.complain(&format!("'{}': {}", show(path), error.errno))?;
            return Ok(Status::FAILURE);
        }
    }
    Ok(if failed { Status::FAILURE } else { Status::SUCCESS })
}

impl Walk<'_, '_> {
    pub(super) fn complain(&mut self, path: &[u8], what: &str) -> Result<(), Fatal> {
        self.failed = true;
        self.process.complain(&format!("'{}': {what}", show(path)))
    }

    /// The file itself and what is below it; `above` holds the directories that lead here.
    fn visit(&mut self, visit: &Visit, above: &mut Vec<InodeId>) -> Result<(), Fatal> {
        self.process.machine.work(Work::Names(1))?;
        let wanted = (self.query.min_depth..=self.query.max_depth).contains(&visit.depth);
        if above.contains(&visit.id) {
            return self.complain(&visit.path, "File system loop detected");
        }
        self.pruned = false;
        if wanted && !self.query.depth_first {
            evaluate(self, visit)?;
        }
        let descends = self.process.inode(visit.id).is_dir() && visit.depth < self.query.max_depth;
        if descends && !self.quits && !std::mem::take(&mut self.pruned) {
            if self.process.lookup(&visit.path) == Ok(visit.id) {
                above.push(visit.id);
                self.below(visit, above)?;
                above.pop();
            } else {
                self.complain(&visit.path, &Errno::NotFound.to_string())?;
            }
        }
        if wanted && self.query.depth_first && !self.quits {
            evaluate(self, visit)?;
        }
        Ok(())
    }

    fn below(&mut self, visit: &Visit, above: &mut Vec<InodeId>) -> Result<(), Fatal> {
        let entries = self.process.inode(visit.id).entries().into_iter().flatten();
        let names: Vec<Vec<u8>> = entries.map(|(name, _)| name.as_bytes().to_vec()).collect();
        for name in names {
            let path = join(&visit.path, &name);
            // What an action has removed in the meantime is passed over.
            let Ok(own) = self.process.lookup_no_follow(&path) else { continue };
            let id = match (self.query.follow, self.process.lookup(&path)) {
                (Follow::Always, Ok(id)) => id,
                (Follow::Always, Err(error)) if error.errno == Errno::Loop => {
                    self.complain(&path, &error.errno.to_string())?;
                    continue;
                }
                _ => own,
            };
            self.visit(&Visit { path, id, depth: visit.depth + 1, start: visit.start }, above)?;
            if self.quits {
                return Ok(());
            }
        }
        for index in 0..self.collected.len() {
            if self.query.batches[index].in_folder {
                self.run_batch(index)?;
            }
        }
        Ok(())
    }

    /// Keeps a file for a command of many, which runs when its line is full or its folder another.
    pub(super) fn collect(&mut self, index: usize, folder: Vec<u8>, file: Vec<u8>) -> Result<(), Fatal> {
        let (old, files) = &self.collected[index];
        let size: usize = files.iter().map(|file| file.len() + 1).sum();
        if *old != folder || size + file.len() >= MAX_BYTES {
            self.run_batch(index)?;
        }
        let (old, files) = &mut self.collected[index];
        *old = folder;
        files.push(file);
        Ok(())
    }

    fn run_batch(&mut self, index: usize) -> Result<(), Fatal> {
        let (folder, files) = std::mem::take(&mut self.collected[index]);
        if files.is_empty() {
            return Ok(());
        }
        let command = self.query.batches[index].command.iter().cloned().chain(files).collect();
        self.failed |= !self.run_in(&folder, command)?.success();
        Ok(())
    }

    /// Runs a command in a folder; an empty one is where find is.
    pub(super) fn run_in(&mut self, folder: &[u8], command: Vec<Vec<u8>>) -> Result<Status, Fatal> {
        let here = self.process.folder.clone();
        if !folder.is_empty()
            && let Err(error) = self.process.enter(folder)
        {
            self.complain(folder, &error.errno.to_string())?;
            return Ok(Status::FAILURE);
        }
        let status = self.process.run(command);
        self.process.folder = here;
        status
    }
}
