//! What lines ask for, sorted by path: owners of a path first, parents before children.

use super::{Phase, Prefixes, line, log};
use crate::{
    shell::{
        Fatal, Process,
        acl::{Which, Who},
        stop::show,
    },
    tree::Device,
};

/// A number or mode of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Setting<T> {
    pub value: T,
    /// `:`: only for what the line makes.
    pub only_new: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Item {
    pub letter: u8,
    pub path: Vec<u8>,
    pub argument: Option<Vec<u8>>,
    pub uid: Option<Setting<u32>>,
    pub gid: Option<Setting<u32>>,
    pub mode: Option<Setting<u16>>,
    /// `~`: the mode is masked by what the file has.
    pub masked: bool,
    pub device: Option<Device>,
    pub xattrs: Vec<(Vec<u8>, Vec<u8>)>,
    pub acl: Vec<(Which, Who, u8)>,
    /// `+`
    pub plus: bool,
    /// `-`
    pub may_fail: bool,
    /// `=`
    pub replace: bool,
    pub age: Vec<u8>,
    pub done: Vec<Phase>,
}

impl Item {
    /// Mode of what the line makes when it gives none.
    pub(super) fn new_mode(&self) -> u16 {
        let default = if b"dDvqQ".contains(&self.letter) { 0o755 } else { 0o644 };
        self.mode.map_or(default, |mode| mode.value)
    }

    fn takes_globs(&self) -> bool {
        b"wxXrRemzZtTaAhH".contains(&self.letter)
    }

    fn owns_path(&self) -> bool {
        b"fFdeDvqQpLcbCwxXrR".contains(&self.letter)
    }

    /// Whether two lines may speak of one path.
    fn fits(&self, other: &Self) -> bool {
        if !self.owns_path() || !other.owns_path() {
            return true;
        }
        let facts = |item: &Self| {
            let argument = item.argument.clone().unwrap_or_default();
            (argument, item.uid, item.gid, item.new_mode(), item.mode, item.masked, item.age.clone(), item.device)
        };
        facts(self) == facts(other)
    }
}

/// All lines of one path.
#[derive(Debug)]
pub(super) struct Path {
    pub items: Vec<Item>,
    globs: bool,
    pub parent: Option<usize>,
}

#[derive(Debug)]
pub(super) struct Items {
    pub paths: Vec<Path>,
    /// A line could not be understood.
    pub invalid: bool,
    pub boot: bool,
    pub prefixes: Prefixes,
}

impl Items {
    pub(super) fn new(boot: bool, prefixes: Prefixes) -> Self {
        Self { paths: Vec::new(), invalid: false, boot, prefixes }
    }

    /// Reads a file; whether it went without an error that stops everything.
    pub(super) fn read(&mut self, process: &mut Process<'_>, file: &[u8], text: &[u8]) -> Result<bool, Fatal> {
        let mut sound = true;
        for (index, line) in text.split(|&b| b == b'\n').enumerate() {
            let line = line.trim_ascii();
            if line.is_empty() || line[0] == b'#' {
                continue;
            }
            let place = format!("{}:{}", show(file), index + 1);
            match line::parse(process, self, &place, line)? {
                line::Outcome::Item(item) => self.add(process, &place, *item)?,
                line::Outcome::Nothing => {}
                line::Outcome::Invalid(message) => {
                    log(process, &format!("{place}: {message}"))?;
                    self.invalid = true;
                }
                line::Outcome::Failed(message) => {
                    log(process, &message)?;
                    sound = false;
                }
            }
        }
        Ok(sound)
    }

    fn add(&mut self, process: &mut Process<'_>, place: &str, item: Item) -> Result<(), Fatal> {
        let globs = item.takes_globs();
        let known = self.paths.iter_mut().find(|path| path.globs == globs && path.items[0].path == item.path);
        let Some(known) = known else {
            self.paths.push(Path { items: vec![item], globs, parent: None });
            return Ok(());
        };
        let appends = |item: &Item| item.letter == b'w' && item.plus;
        if known.items.iter().any(|old| !(old.fits(&item) || appends(old) && appends(&item))) {
            return log(process, &format!("{place}: Duplicate line for path \"{}\", ignoring.", show(&item.path)));
        }
        known.items.push(item);
        known.items.sort_by_key(|item| (!item.owns_path(), item.letter));
        Ok(())
    }

    /// Paths in the order in which they are dealt with: those that create things first.
    pub(super) fn order(&self) -> impl Iterator<Item = usize> {
        let of = |globs: bool| (0..self.paths.len()).filter(move |index| self.paths[*index].globs == globs);
        of(false).chain(of(true))
    }

    /// Finds for each path the nearest other one above it.
    pub(super) fn link_parents(&mut self) {
        for index in 0..self.paths.len() {
            let path = self.paths[index].items[0].path.clone();
            let mut end = path.len();
            while let Some(slash) = path[..end].iter().rposition(|&b| b == b'/').filter(|slash| *slash > 0) {
                end = slash;
                let called = |globs: bool| {
                    self.paths.iter().position(|other| other.globs == globs && other.items[0].path == path[..end])
                };
                if let Some(parent) = called(false).or_else(|| called(true)) {
                    self.paths[index].parent = Some(parent);
                    break;
                }
            }
        }
    }
}
