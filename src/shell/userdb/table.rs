//! One file of the user database: its lines in order, read or kept as they are.

use std::collections::BTreeSet;

use super::Record;
use crate::{
    shell::{Fatal, Process},
    tree::{Errno, Stat},
};

#[derive(Debug)]
enum Line<R> {
    /// A line that reads as a record, with its text until it is changed.
    Record(R, Option<Vec<u8>>),
    /// NIS lines, comments and what else is no record.
    Other(Vec<u8>),
}

/// A file of records.
#[derive(Debug)]
pub(in crate::shell) struct Table<R> {
    path: Vec<u8>,
    lines: Vec<Line<R>>,
    present: bool,
    changed: bool,
    /// Permissions of the file if it has to be made.
    mode: u16,
    /// Its group then; the group `shadow` when nobody says.
    gid: Option<u32>,
}

fn is_nis(line: &[u8]) -> bool {
    matches!(line.first(), Some(b'+' | b'-'))
}

impl<R: Record> Table<R> {
    pub(super) fn read(process: &Process<'_>, root: &[u8], file: &str, mode: u16) -> Result<Self, Fatal> {
        let path = [root, file.as_bytes()].concat();
        let (bytes, present) = match process.machine.tree.read(&path) {
            Ok(bytes) => (bytes, true),
            Err(error) if error.errno == Errno::NotFound => Default::default(),
            Err(error) => return Err(process.not_modelled(error.to_string())),
        };
        let text = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
        let mut lines = Vec::new();
        let mut names = BTreeSet::new();
        for line in text.split(|&b| b == b'\n').filter(|_| !text.is_empty()) {
            lines.push(match R::parse(line).filter(|_| !is_nis(line)) {
                Some(record) => Line::Record(record, Some(line.to_vec())),
                None => Line::Other(line.to_vec()),
            });
        }
        // Ranges of subordinate ids may have one owner; two users of one name are a mistake that tools refuse to touch.
        if !file.starts_with("/etc/sub") {
            for line in &lines {
                if let Line::Record(record, _) = line
                    && !names.insert(record.name().to_vec())
                {
                    let name = record.name().escape_ascii();
                    return Err(process.not_modelled(format!("two lines for `{name}` in {file}")));
                }
            }
        }
        Ok(Self { path, lines, present, changed: false, mode, gid: None })
    }

    /// Permissions and group of the file if it has to be made.
    pub(in crate::shell) fn set_new(&mut self, mode: u16, gid: u32) {
        (self.mode, self.gid) = (mode, Some(gid));
    }

    pub(in crate::shell) fn is_present(&self) -> bool {
        self.present
    }

    pub(in crate::shell) fn records(&self) -> impl Iterator<Item = &R> {
        self.lines.iter().filter_map(|line| match line {
            Line::Record(record, _) => Some(record),
            Line::Other(_) => None,
        })
    }

    /// The lines that are neither records nor of NIS.
    pub(in crate::shell) fn unreadable(&self) -> impl Iterator<Item = &[u8]> {
        self.lines.iter().filter_map(|line| match line {
            Line::Other(text) if !is_nis(text) => Some(text.as_slice()),
            _ => None,
        })
    }

    pub(in crate::shell) fn get(&self, name: &[u8]) -> Option<&R> {
        self.records().find(|record| record.name() == name)
    }

    /// Replaces the record of this name where it stands, or adds it.
    pub(in crate::shell) fn put(&mut self, record: R) {
        let same = |line: &&mut Line<R>| matches!(line, Line::Record(old, _) if old.name() == record.name());
        match self.lines.iter_mut().find(same) {
            Some(line) => *line = Line::Record(record, None),
            None => {
                let end = self.lines.len();
                let nis = self.lines.iter().position(|line| matches!(line, Line::Other(text) if is_nis(text)));
                self.lines.insert(nis.unwrap_or(end), Line::Record(record, None));
            }
        }
        self.changed = true;
    }

    /// Adds a record behind all others, whatever their names.
    pub(in crate::shell) fn append(&mut self, record: R) {
        self.lines.push(Line::Record(record, None));
        self.changed = true;
    }

    /// Changes the record called `name` where it stands.
    pub(in crate::shell) fn update(&mut self, name: &[u8], change: impl FnOnce(&mut R)) {
        for line in &mut self.lines {
            if let Line::Record(record, text) = line
                && record.name() == name
            {
                change(record);
                *text = None;
                self.changed = true;
                return;
            }
        }
    }

    pub(in crate::shell) fn retain(&mut self, mut keep: impl FnMut(&R) -> bool) {
        let before = self.lines.len();
        self.lines.retain(|line| match line {
            Line::Record(record, _) => keep(record),
            Line::Other(_) => true,
        });
        self.changed |= self.lines.len() != before;
    }

    pub(in crate::shell) fn sort_by_key<K: Ord>(&mut self, key: impl Fn(&R) -> K) {
        let nis = |line: &Line<R>| matches!(line, Line::Other(text) if is_nis(text));
        let end = self.lines.iter().position(nis).unwrap_or(self.lines.len());
        // The C library's sort is stable, and lines that are no records go last.
        self.lines[..end].sort_by_key(|line| match line {
            Line::Record(record, _) => (false, Some(key(record))),
            Line::Other(_) => (true, None),
        });
        self.changed = true;
    }

    pub(super) fn write(&self, process: &mut Process<'_>, shadow_gid: u32) -> Result<(), Fatal> {
        if !self.changed {
            return Ok(());
        }
        let mut text = Vec::new();
        for line in &self.lines {
            match line {
                Line::Record(_, Some(kept)) | Line::Other(kept) => text.extend_from_slice(kept),
                Line::Record(record, None) => text.extend_from_slice(&record.format()),
            }
            text.push(b'\n');
        }
        let mut stat = Stat::root(self.mode, process.machine.epoch.timestamp());
        stat.gid = self.gid.unwrap_or(shadow_gid);
        let written = process.machine.tree.write(&self.path, text, stat);
        written.map(|_| ()).map_err(|error| process.not_modelled(error.to_string()))
    }
}
