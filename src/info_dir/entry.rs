//! Entries: read from manuals, brought into columns, compared.

use std::cmp::Ordering;

use super::Wanted;

/// Columns of a line.
const WIDTH: usize = 79;
const TAB: usize = 8;

/// Why a dir file can't be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The program says so and fails.
    #[error("START-INFO-DIR-ENTRY without matching END-INFO-DIR-ENTRY")]
    Unmatched,
    #[error("an entry without a period behind its name")]
    NoName,
    #[error("a dir file that is not one node with a menu")]
    NotOneNode,
}

#[derive(Debug)]
pub(super) struct Entry {
    pub(super) text: Vec<u8>,
    /// Of the manual's sections, those that it is to be in.
    sections: std::ops::Range<usize>,
}

impl Entry {
    pub(super) fn is_in(&self, wanted: &[Wanted], name: &[u8]) -> bool {
        wanted[self.sections.clone()].iter().any(|section| section.name == name)
    }
}

/// The sections and entries of a manual, entries with the last first.
pub(super) fn parse(manual: &[u8]) -> Result<(Vec<Wanted>, Vec<Entry>), Error> {
    let mut sections = Vec::new();
    let mut entries = Vec::new();
    let mut first = 0;
    let mut had_entries = false;
    // The lines of the entry that is being read, when inside a block.
    let mut open: Option<Vec<u8>> = None;
    for line in manual.split_inclusive(|&byte| byte == b'\n') {
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        if let Some(name) = text.strip_prefix(b"INFO-DIR-SECTION ") {
            if std::mem::take(&mut had_entries) {
                first = sections.len();
            }
            sections.push(Wanted { name: name.to_vec(), missing: true });
        } else if text == b"START-INFO-DIR-ENTRY" {
            if sections.is_empty() {
                sections.push(Wanted { name: b"Miscellaneous".to_vec(), missing: true });
            }
            had_entries = true;
            if open.replace(Vec::new()).is_some() {
                return Err(Error::Unmatched);
            }
        } else if let Some(lines) = &mut open {
            let ends = text == b"END-INFO-DIR-ENTRY";
            if ends || (text.starts_with(b"* ") && !lines.is_empty()) {
                let raw = std::mem::take(lines);
                let range = first..sections.len();
                let wide = sections[range.clone()].iter().any(|section| section.name == b"Individual utilities");
                entries.insert(0, Entry { text: format(&raw, wide)?, sections: range });
            }
            if ends {
                open = None;
            } else {
                lines.extend(line);
            }
        }
    }
    if open.is_some() { Err(Error::Unmatched) } else { Ok((sections, entries)) }
}

/// An entry in columns: the description begins at one on the first line and at another on those that follow.
fn format(raw: &[u8], wide: bool) -> Result<Vec<u8>, Error> {
    let (first, next) = if wide { (48, 50) } else { (32, 34) };
    let is_end = |pair: &[u8]| pair[0] == b'.' && matches!(pair[1], b' ' | b'\t' | b'\n');
    let end = raw.windows(2).position(is_end).ok_or(Error::NoName)? + 1;
    let description = description(&raw[end..]);
    let mut out = raw[..end].to_vec();
    if description.len() <= 2 {
        if end + 1 > first && description.len() > 1 {
            out.push(b'\n');
            out.resize(out.len() + first, b' ');
        }
        out.push(b'\n');
        return Ok(out);
    }
    let mut column = end;
    if end + 1 > first {
        out.push(b'\n');
        column = 0;
    }
    out.resize(out.len() + first - column, b' ');
    wrap(&mut out, &description, first, next);
    Ok(out)
}

/// One line of what is behind an entry's name, and a line break.
fn description(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text.trim_ascii_start();
    while !rest.is_empty() {
        let length = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let line = &rest[..length];
        out.extend(line);
        let behind = rest.get(length + 1..).unwrap_or_default();
        if length > 1 && !behind.is_empty() {
            match line[length - 1] {
                b'.' => out.extend(b"  "),
                byte if byte.is_ascii_whitespace() => {}
                _ => out.push(b' '),
            }
        }
        rest = behind.trim_ascii_start();
    }
    out.push(b'\n');
    out
}

fn advance(column: usize, byte: u8) -> usize {
    match byte {
        8 => column.saturating_sub(1),
        b'\r' => 0,
        b'\t' => column + TAB - column % TAB,
        _ => column + 1,
    }
}

/// Appends a text that is broken at blanks. Lines after the first are measured without what they are indented by.
fn wrap(out: &mut Vec<u8>, text: &[u8], mut column: usize, indent: usize) {
    let mut line: Vec<u8> = Vec::new();
    for &byte in text {
        if byte == b'\n' {
            line.push(byte);
            out.append(&mut line);
            column = 0;
            continue;
        }
        loop {
            column = advance(column, byte);
            if column <= WIDTH {
                break;
            }
            if let Some(blank) = line.iter().rposition(|byte| matches!(byte, b' ' | b'\t')) {
                let rest = line.split_off(blank + 1);
                out.append(&mut line);
                out.push(b'\n');
                out.resize(out.len() + indent, b' ');
                line = rest;
                column = line.iter().fold(0, |column, &byte| advance(column, byte));
            } else if line.is_empty() {
                break;
            } else {
                line.push(b'\n');
                out.append(&mut line);
                column = 0;
            }
        }
        line.push(byte);
    }
    out.append(&mut line);
}

/// Whether the name of an item comes before that of another; names end at a colon.
pub(super) fn less(a: &[u8], b: &[u8]) -> bool {
    for (&a, &b) in a.iter().zip(b) {
        match (a == b':', b == b':') {
            (true, false) => return true,
            (false, true) => return false,
            _ => {}
        }
        match a.cast_signed().cmp(&b.cast_signed()) {
            Ordering::Less => return true,
            Ordering::Greater => return false,
            Ordering::Equal => {}
        }
    }
    false
}

/// Whether two items have one name.
pub(super) fn same(a: &[u8], b: &[u8]) -> bool {
    for (&a, &b) in a.iter().zip(b) {
        if a == b':' && b == b':' {
            return true;
        }
        if a != b {
            return false;
        }
    }
    true
}

/// Entries by their names, of which one that begins another is taken for its equal. That is no order, so the halves are merged
/// as `qsort` of glibc does.
pub(super) fn sorted(entries: &[Entry]) -> Vec<&Entry> {
    if entries.len() < 2 {
        return entries.iter().collect();
    }
    let (left, right) = entries.split_at(entries.len() / 2);
    let (mut left, mut right) = (sorted(left).into_iter().peekable(), sorted(right).into_iter().peekable());
    let mut merged = Vec::with_capacity(entries.len());
    while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
        let next = if by_name(&a.text, &b.text) == Ordering::Greater { right.next() } else { left.next() };
        merged.extend(next);
    }
    merged.extend(left);
    merged.extend(right);
    merged
}

fn by_name(a: &[u8], b: &[u8]) -> Ordering {
    let name = |text: &'_ [u8]| memchr::memchr(b':', text).unwrap_or(text.len());
    let length = name(a).min(name(b));
    a[..length].to_ascii_lowercase().cmp(&b[..length].to_ascii_lowercase())
}
