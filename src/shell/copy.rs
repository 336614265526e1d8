//! Copying inside a tree, as `cp` does it.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Fatal, Process, Work,
    accounts::Owner,
    backup::Backup,
    files::{join, show},
};
use crate::tree::{Content, InodeId, Node};

/// When symbolic links are followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Follow {
    Never,
    Operands,
    Always,
}

/// What copies keep of the original's metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Preserve {
    pub mode: bool,
    pub owner: bool,
    pub time: bool,
    pub links: bool,
    pub xattrs: bool,
    /// `--no-preserve=mode`: not even the original's permissions less the umask.
    pub default_mode: bool,
}

/// What is made of a regular file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Make {
    Copy,
    AttributesOnly,
    HardLink,
    Symlink,
}

/// What to do about a file that is in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Existing {
    Overwrite,
    /// Remove it first.
    Remove,
    Keep,
    /// Overwrite if it is older.
    Update,
}

/// One `cp` command at work.
#[derive(Debug)]
pub(super) struct Copy {
    pub recursive: bool,
    pub follow: Follow,
    pub preserve: Preserve,
    pub make: Make,
    pub existing: Existing,
    pub verbose: bool,
    pub backup: Option<Backup>,
    /// Copies of files with several names, by original.
    pub links: BTreeMap<InodeId, InodeId>,
    /// Directories made by this command, which are not copied into themselves.
    pub made: BTreeSet<InodeId>,
}

/// A complaint, without the command's name.
type Outcome = Result<Result<(), String>, Fatal>;

impl Copy {
    /// Copies `from` to the name `to`. What fails below a directory is reported and doesn't stop the rest.
    pub(super) fn run(&mut self, process: &mut Process<'_>, from: &[u8], to: &[u8], operand: bool) -> Outcome {
        process.machine.work(Work::Names(1))?;
        let follow = self.follow == Follow::Always || (operand && self.follow == Follow::Operands);
        let found = if follow { process.lookup(from) } else { process.lookup_no_follow(from) };
        let source = match found {
            Ok(id) => id,
            Err(_) if from == b"/dev/null" || from == b"/dev/stdin" => return self.special(process, from, to),
            Err(error) => return Ok(Err(format!("cannot stat '{}': {}", show(from), error.errno))),
        };
        if process.inode(source).is_dir() {
            return self.directory(process, source, from, to);
        }
        match self.clear(process, source, from, to)? {
            Err(message) => return Ok(Err(message)),
            Ok(false) => return Ok(Ok(())),
            Ok(true) => {}
        }
        if self.verbose {
            process.out(format!("'{}' -> '{}'\n", show(from), show(to)).as_bytes())?;
        }
        if let Some(copy) = self.links.get(&source).copied().filter(|_| self.preserve.links) {
            return Ok(self.link(process, copy, to));
        }
        match self.make {
            Make::HardLink => return Ok(self.link(process, source, to)),
            Make::Symlink => {
                let made = process.create(to, 0o777, Node::Symlink(from.to_vec().into()));
                return Ok(made
                    .map(|_| ())
                    .map_err(|e| format!("cannot create symbolic link '{}': {}", show(to), e.errno)));
            }
            Make::Copy | Make::AttributesOnly => {}
        }
        let node = match &process.inode(source).node {
            Node::CharDevice(_) if !self.recursive && from == b"/dev/null" => return self.special(process, from, to),
            Node::Regular(_) if self.make == Make::AttributesOnly => Node::Regular(Content::empty()),
            node @ (Node::Regular(_) | Node::Symlink(_)) => node.clone(),
            node if self.recursive => node.clone(),
            _ => return Err(process.not_modelled(format!("reading `{}`", show(from)))),
        };
        let outcome = self.file(process, source, node, to);
        if let Ok(copy) = outcome
            && self.preserve.links
            && process.inode(source).links() > 1
        {
            self.links.insert(source, copy);
        }
        Ok(outcome.map(|_| ()))
    }

    /// The contents of a device or of standard input.
    fn special(&mut self, process: &mut Process<'_>, from: &[u8], to: &[u8]) -> Outcome {
        let bytes = match process.read_file(from) {
            Ok(bytes) => bytes,
            Err(error) => return Ok(Err(format!("cannot open '{}': {}", show(from), error.errno))),
        };
        let written = process.write_file(to, bytes.to_vec());
        Ok(written.map(|_| ()).map_err(|error| format!("cannot create regular file '{}': {}", show(to), error.errno)))
    }

    /// Makes room at `to`; false when nothing is to be copied.
    fn clear(
        &mut self,
        process: &mut Process<'_>,
        source: InodeId,
        from: &[u8],
        to: &[u8],
    ) -> Result<Result<bool, String>, Fatal> {
        let Ok(old) = process.lookup_no_follow(to) else {
            return Ok(Ok(true));
        };
        let reached = process.lookup(to).ok();
        match self.existing {
            Existing::Keep => return Ok(Ok(false)),
            Existing::Update => {
                let mtime = |id: InodeId| process.inode(id).stat.mtime;
                if mtime(source) <= mtime(reached.unwrap_or(old)) {
                    return Ok(Ok(false));
                }
            }
            Existing::Overwrite | Existing::Remove => {}
        }
        if process.inode(old).is_dir()
            || (process.inode(source).is_file() && reached.is_some_and(|id| process.inode(id).is_dir()))
        {
            return Ok(Err(format!("cannot overwrite directory '{}' with non-directory", show(to))));
        }
        let removes = self.existing == Existing::Remove
            || (self.follow != Follow::Always && !process.inode(source).is_file())
            || (self.preserve.links && process.inode(old).links() > 1)
            || matches!(self.make, Make::HardLink | Make::Symlink);
        let through = self.follow != Follow::Always && process.lookup(from).is_ok_and(|id| id == old);
        let same =
            reached == Some(source) && process.inode(source).is_file() || (through && process.inode(old).is_file());
        if same && self.make == Make::HardLink {
            return Ok(Ok(false));
        }
        if (same && !(removes && process.inode(old).is_symlink()) && self.backup.is_none()) || old == source {
            return Ok(Err(format!("'{}' and '{}' are the same file", show(from), show(to))));
        }
        if let Some(backup) = &self.backup
            && backup.make(process, to)?
        {
            return Ok(Ok(true));
        }
        if removes {
            let absolute = process.absolute(to);
            let removed = process.machine.tree.unlink(&absolute);
            return Ok(removed
                .map(|()| true)
                .map_err(|error| format!("cannot remove '{}': {}", show(to), error.errno)));
        }
        if reached.is_none() {
            return Ok(Err(format!("not writing through dangling symlink '{}'", show(to))));
        }
        Ok(Ok(true))
    }

    fn link(&self, process: &mut Process<'_>, id: InodeId, to: &[u8]) -> Result<(), String> {
        let fail = |errno| format!("cannot create hard link '{}': {errno}", show(to));
        let absolute = process.absolute(to);
        if process.machine.tree.lookup_no_follow(&absolute) == Ok(id) {
            return Ok(());
        }
        let _ = process.machine.tree.unlink(&absolute);
        let place = process.machine.tree.place(&absolute).map_err(|error| fail(error.errno))?;
        process.machine.tree.link(id, place.parent, place.name).map_err(fail)
    }

    /// Writes `node` at `to` and gives it the metadata that it should have.
    fn file(&self, process: &mut Process<'_>, source: InodeId, node: Node, to: &[u8]) -> Result<InodeId, String> {
        let fail = |errno| format!("cannot create '{}': {errno}", show(to));
        let mtime = process.machine.epoch.timestamp();
        let copy = match (process.lookup(to), node) {
            (Ok(old), Node::Regular(content)) => {
                if self.make == Make::Copy {
                    process.machine.tree.set_content(old, content, mtime).map_err(fail)?;
                }
                old
            }
            (_, node) => {
                let mode = if self.preserve.default_mode { 0o666 } else { process.inode(source).stat.mode & 0o777 };
                process.create(to, mode, node).map_err(|error| fail(error.errno))?
            }
        };
        self.preserve_stat(process, source, copy);
        Ok(copy)
    }

    fn preserve_stat(&self, process: &mut Process<'_>, source: InodeId, copy: InodeId) {
        let from = process.inode(source).stat.clone();
        let tree = &mut process.machine.tree;
        if self.preserve.owner {
            Owner { uid: Some(from.uid), gid: Some(from.gid) }.apply(tree, copy);
        }
        let to = tree.stat_mut(copy);
        if self.preserve.mode {
            // Access control lists say nothing of the special bits, so that none to copy leaves those that are there.
            let special = if from.mode & 0o7000 == 0 { to.mode & 0o7000 } else { 0 };
            to.mode = from.mode | special;
        }
        if self.preserve.time {
            to.mtime = from.mtime;
        }
        for (name, value) in from.xattrs {
            let is_mode = name.starts_with(b"system.posix_acl_");
            if (is_mode && self.preserve.mode) || (!is_mode && self.preserve.xattrs) {
                to.xattrs.insert(name, value);
            }
        }
    }

    fn directory(&mut self, process: &mut Process<'_>, source: InodeId, from: &[u8], to: &[u8]) -> Outcome {
        if !self.recursive {
            return Ok(Err(format!("-r not specified; omitting directory '{}'", show(from))));
        }
        if self.made.contains(&source) {
            return Ok(Err(format!("cannot copy a directory, '{}', into itself, '{}'", show(from), show(to))));
        }
        let target = match process.lookup_no_follow(to) {
            Ok(id) if process.inode(id).is_dir() => id,
            Ok(_) => {
                return Ok(Err(format!(
                    "cannot overwrite non-directory '{}' with directory '{}'",
                    show(to),
                    show(from)
                )));
            }
            Err(_) => {
                let mode = if self.preserve.default_mode { 0o777 } else { process.inode(source).stat.mode & 0o1777 };
                match process.create(to, mode, Node::Directory(BTreeMap::new())) {
                    Ok(id) => {
                        if self.verbose {
                            process.out(format!("'{}' -> '{}'\n", show(from), show(to)).as_bytes())?;
                        }
                        self.made.insert(id);
                        id
                    }
                    Err(error) => return Ok(Err(format!("cannot create directory '{}': {}", show(to), error.errno))),
                }
            }
        };
        let entries = process.inode(source).entries().into_iter().flatten();
        let entries: Vec<Vec<u8>> = entries.map(|(name, _)| name.as_bytes().to_vec()).collect();
        let mut outcome = Ok(());
        for name in entries {
            let (from, to) = (join(from, &name), join(to, &name));
            if let Err(message) = self.run(process, &from, &to, false)?
                && let Err(earlier) = std::mem::replace(&mut outcome, Err(message))
            {
                process.complain(&earlier)?;
            }
        }
        self.preserve_stat(process, source, target);
        Ok(outcome)
    }
}
