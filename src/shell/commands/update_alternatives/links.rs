//! The links and files of a group in the tree.

use super::{Group, Process, Stop, error};
use crate::tree::{Errno, Node, PathError, Stat};

const FOLDER: &[u8] = b"/etc/alternatives";
const DATABASE: &[u8] = b"/var/lib/dpkg/alternatives";
const TEMPORARY: &[u8] = b".dpkg-tmp";

/// Access to the tree of the running command.
pub(super) struct Links<'p, 'm> {
    pub(super) process: &'p mut Process<'m>,
    pub(super) force: bool,
    pub(super) quiet: bool,
}

/// What remains to be done when the group's file is written.
pub(super) enum Step {
    Rename {
        from: Vec<u8>,
        to: Vec<u8>,
    },
    Remove(Vec<u8>),
    /// A new link takes the time of what it leads to, so that installations are reproducible.
    TakeTime {
        link: Vec<u8>,
        from: Vec<u8>,
    },
}

fn join(folder: &[u8], name: &[u8]) -> Vec<u8> {
    [folder, b"/", name].concat()
}

/// The link in `/etc/alternatives` of this name.
pub(super) fn alternative_path(name: &[u8]) -> Vec<u8> {
    join(FOLDER, name)
}

pub(super) fn stored_path(name: &[u8]) -> Vec<u8> {
    join(DATABASE, name)
}

impl Links<'_, '_> {
    pub(super) fn warn(&mut self, text: String) -> Result<(), Stop> {
        Ok(self.process.complain(&format!("warning: {text}"))?)
    }

    pub(super) fn inform(&mut self, text: String) -> Result<(), Stop> {
        if !self.quiet {
            self.process.out(format!("update-alternatives: {text}\n").as_bytes())?;
        }
        Ok(())
    }

    pub(super) fn stored(&self, name: &[u8]) -> Result<Option<bytes::Bytes>, Stop> {
        match self.process.machine.tree.read(&stored_path(name)) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(PathError { errno: Errno::NotFound, .. }) => Ok(None),
            Err(failed) => Err(failed.into()),
        }
    }

    pub(super) fn store(&mut self, name: &[u8], bytes: Vec<u8>) -> Result<(), Stop> {
        let (folder, file) = (self.root_stat(0o755), self.root_stat(0o644));
        let path = stored_path(name);
        self.process.machine.tree.create_dir_all(DATABASE, &folder)?;
        self.remove(&path)?;
        self.process.machine.tree.create(&path, file, Node::Regular(bytes.into()))?;
        Ok(())
    }

    fn root_stat(&self, mode: u16) -> Stat {
        Stat::root(mode, self.process.machine.epoch.timestamp())
    }

    /// All groups by name; files that are none are passed over.
    pub(super) fn groups(&self) -> Result<Vec<(Vec<u8>, Group)>, Stop> {
        let tree = &self.process.machine.tree;
        let Some(entries) = tree.find(DATABASE).and_then(|inode| inode.entries()) else { return Ok(Vec::new()) };
        let names = entries.keys().map(|name| name.as_bytes()).filter(|name| !name.ends_with(TEMPORARY));
        let mut groups = Vec::new();
        for name in names {
            if let Ok(group) = Group::parse(&tree.read(&stored_path(name))?) {
                groups.push((name.to_vec(), group));
            }
        }
        Ok(groups)
    }

    /// Whether nothing is at `path`, links followed.
    pub(super) fn is_missing(&self, path: &[u8]) -> bool {
        self.process.machine.tree.lookup(path).is_err()
    }

    /// Where the link at `path` leads; `None` for anything else.
    pub(super) fn target(&self, path: &[u8]) -> Option<Vec<u8>> {
        let tree = &self.process.machine.tree;
        match &tree.get(tree.lookup_no_follow(path).ok()?).node {
            Node::Symlink(target) => Some(target.to_vec()),
            _ => None,
        }
    }

    pub(super) fn is_symlink(&self, path: &[u8]) -> bool {
        self.target(path).is_some()
    }

    fn is_other(&self, path: &[u8]) -> bool {
        self.process.machine.tree.lookup_no_follow(path).is_ok() && !self.is_symlink(path)
    }

    /// What `/etc/alternatives/NAME` leads to now.
    pub(super) fn current(&self, name: &[u8]) -> Result<Option<Vec<u8>>, Stop> {
        let path = alternative_path(name);
        if self.is_other(&path) {
            return error(format!("cannot stat file '{}': Invalid argument", path.escape_ascii()));
        }
        Ok(self.target(&path))
    }

    pub(super) fn remove(&mut self, path: &[u8]) -> Result<(), Stop> {
        match self.process.machine.tree.unlink(path) {
            Err(failed) if failed.errno != Errno::NotFound => Err(failed.into()),
            _ => Ok(()),
        }
    }

    pub(super) fn rename(&mut self, from: &[u8], to: &[u8]) -> Result<(), Stop> {
        Ok(self.process.machine.tree.rename(from, to)?)
    }

    fn symlink(&mut self, target: &[u8], path: &[u8]) -> Result<(), Stop> {
        self.remove(path)?;
        let stat = self.root_stat(0o777);
        self.process.machine.tree.create(path, stat, Node::Symlink(target.to_vec().into()))?;
        Ok(())
    }

    /// Makes new links under temporary names; the steps put them in place.
    pub(super) fn prepare(&mut self, name: &[u8], group: &Group, chosen: &[u8]) -> Result<Vec<Step>, Stop> {
        let Some(choice) = group.choice(chosen) else {
            return error(format!("can't install unknown choice {}", chosen.escape_ascii()));
        };
        let mut steps = Vec::new();
        self.prepare_link(&mut steps, name, &group.link, chosen)?;
        for slave in &group.slaves {
            match choice.file(&slave.name) {
                Some(file) if !self.is_missing(file) => {
                    self.prepare_link(&mut steps, &slave.name, &slave.link, file)?;
                    continue;
                }
                Some(file) => {
                    let (link, file) = (slave.link.escape_ascii(), file.escape_ascii());
                    let text = format!(
                        "skip creation of {link} because associated file {file} (of link group {}) doesn't exist",
                        name.escape_ascii()
                    );
                    self.warn(text)?;
                }
                None => {}
            }
            if self.force || !self.is_other(&slave.link) {
                steps.push(Step::Remove(slave.link.clone()));
            } else {
                self.warn(format!("not removing {} since it's not a symlink", slave.link.escape_ascii()))?;
            }
            steps.push(Step::Remove(alternative_path(&slave.name)));
        }
        Ok(steps)
    }

    fn prepare_link(&mut self, steps: &mut Vec<Step>, name: &[u8], link: &[u8], file: &[u8]) -> Result<(), Stop> {
        let folder = self.root_stat(0o755);
        self.process.machine.tree.create_dir_all(FOLDER, &folder)?;
        let path = alternative_path(name);
        self.prepare_symlink(steps, file, &path)?;
        let update = if self.force || self.process.machine.tree.lookup_no_follow(link).is_err() {
            true
        } else if self.is_other(link) {
            self.warn(format!("not replacing {} with a link", link.escape_ascii()))?;
            false
        } else {
            self.target(link).as_ref() != Some(&path)
        };
        if update {
            self.prepare_symlink(steps, &path, link)?;
        }
        Ok(())
    }

    fn prepare_symlink(&mut self, steps: &mut Vec<Step>, target: &[u8], path: &[u8]) -> Result<(), Stop> {
        let temporary = [path, TEMPORARY].concat();
        self.symlink(target, &temporary)?;
        steps.push(Step::Rename { from: temporary, to: path.to_vec() });
        if self.is_missing(path) {
            steps.push(Step::TakeTime { link: path.to_vec(), from: target.to_vec() });
        }
        Ok(())
    }

    pub(super) fn commit(&mut self, steps: Vec<Step>) -> Result<(), Stop> {
        for step in steps {
            match step {
                Step::Rename { from, to } => self.rename(&from, &to)?,
                Step::Remove(path) => self.remove(&path)?,
                Step::TakeTime { link, from } => {
                    let tree = &mut self.process.machine.tree;
                    if let (Ok(link), Ok(from)) = (tree.lookup_no_follow(&link), tree.lookup_no_follow(&from)) {
                        tree.stat_mut(link).mtime = tree.get(from).stat.mtime;
                    }
                }
            }
        }
        Ok(())
    }

    /// Whether the group needs repair: because a link is broken (`true`) or only because slaves are new or moved (`false`).
    pub(super) fn repairs(
        &self,
        name: &[u8],
        group: &Group,
        updated: &[Vec<u8>],
        current: Option<&[u8]>,
    ) -> Option<bool> {
        let leads = |link: &[u8], to: &[u8]| self.target(link).as_deref() == Some(to);
        let Some(current) = current.filter(|_| leads(&group.link, &alternative_path(name))) else { return Some(true) };
        let choice = group.choice(current)?;
        let mut changed = None;
        for slave in &group.slaves {
            let path = alternative_path(&slave.name);
            let right = match choice.file(&slave.name).filter(|file| !self.is_missing(file)) {
                Some(file) => leads(&slave.link, &path) && leads(&path, file),
                None => {
                    let there = |path: &[u8]| self.process.machine.tree.lookup_no_follow(path).is_ok();
                    !there(&slave.link) && !there(&path)
                }
            };
            if !right {
                if !updated.contains(&slave.name) {
                    return Some(true);
                }
                changed = Some(false);
            }
        }
        changed
    }

    pub(super) fn remove_all(&mut self, name: &[u8], group: &Group) -> Result<(), Stop> {
        let master = (name, group.link.as_slice());
        let slaves = group.slaves.iter().map(|slave| (slave.name.as_slice(), slave.link.as_slice()));
        for (name, link) in std::iter::once(master).chain(slaves) {
            self.remove(&[link, TEMPORARY].concat())?;
            if self.force || !self.is_other(link) {
                self.remove(link)?;
            }
            self.remove(&[alternative_path(name).as_slice(), TEMPORARY].concat())?;
            self.remove(&alternative_path(name))?;
        }
        self.remove(&stored_path(name))
    }
}
