//! `info/dir`, the index of manuals in Info's form, and the entries that manuals bring for it: the work of `install-info` of
//! Texinfo 6.8.
//!
//! The form: "Installing an Info File" of the Texinfo manual. Where it leaves open what goes where, that is the program's.

mod entry;

use entry::Entry;
pub use entry::Error;

/// A dir file without a manual.
pub const EMPTY: &str = "This is the file .../info/dir, which contains the
topmost node of the Info hierarchy, called (dir)Top.
The first time you invoke Info you start off looking at this node.
\x1f
File: dir,\tNode: Top\tThis is the top of the INFO tree

  This (the Directory node) gives a menu of major topics.
  Typing \"q\" exits, \"H\" lists all Info commands, \"d\" returns here,
  \"h\" gives a primer for first-timers,
  \"mEmacs<Return>\" visits the Emacs manual, etc.

  In Emacs, you can click mouse button 2 on a menu item or cross reference
  to select it.

* Menu:
";

/// A section that a manual names.
#[derive(Debug)]
struct Wanted {
    name: Vec<u8>,
    /// Not found in the dir file.
    missing: bool,
}

/// A section of the dir file's menu: lines, the first being its title.
#[derive(Debug)]
struct Section {
    name: Vec<u8>,
    title: usize,
    /// Behind its last line.
    end: usize,
}

/// What happens at a line of the dir file.
#[derive(Clone, Debug, Default)]
struct Change {
    delete: bool,
    /// Put before it, in order.
    entries: Vec<usize>,
    sections: Vec<usize>,
}

/// The dir file with the entries of a manual; nothing when the manual has none.
pub fn add(dir: &[u8], manual: &[u8]) -> Result<Option<Vec<u8>>, Error> {
    let (mut sections, entries) = entry::parse(manual)?;
    if entries.is_empty() {
        return Ok(None);
    }
    let lines = lines(dir);
    let (mut menu, end) = menu(&lines)?;
    let mut changes = vec![Change::default(); lines.len() + 1];
    for section in &mut menu {
        let used = lines[section.title + 1..section.end].iter().rposition(|line| !line.is_empty());
        section.end = section.title + 1 + used.map_or(0, |last| last + 1);
        // The newest section of a name is the one that is found.
        if let Some(wanted) = sections.iter_mut().rev().find(|wanted| wanted.name == section.name) {
            wanted.missing = false;
            place(&lines, section, &sections, &entries, &mut changes);
        }
    }
    for (index, wanted) in sections.iter().enumerate().rev().filter(|(_, wanted)| wanted.missing) {
        let behind = menu.iter().position(|section| case_less(&wanted.name, &section.name));
        let line = match behind {
            Some(0) => menu[0].title.saturating_sub(1),
            Some(next) => menu[next - 1].end,
            None => end,
        };
        changes[line].sections.push(index);
    }
    Ok(Some(write(&lines, &mut sections, &entries, &changes)))
}

fn lines(text: &[u8]) -> Vec<&[u8]> {
    match text.strip_suffix(b"\n").unwrap_or(text) {
        [] if text.is_empty() => Vec::new(),
        text => text.split(|&byte| byte == b'\n').collect(),
    }
}

/// The sections of the one node's menu, and the node's end.
fn menu(lines: &[&[u8]]) -> Result<(Vec<Section>, usize), Error> {
    let mut nodes = lines.iter().enumerate().filter(|(_, line)| line.first() == Some(&0x1f));
    let (Some((node, _)), None) = (nodes.next(), nodes.next()) else { return Err(Error::NotOneNode) };
    let header = lines.get(node + 1).copied().unwrap_or_default();
    if !header.windows(9).any(|part| part == b"Node: Top") {
        return Err(Error::NotOneNode);
    }
    let start = lines.iter().skip(node).position(|line| line.starts_with(b"* Menu:")).ok_or(Error::NotOneNode)? + node;
    let mut sections: Vec<Section> = Vec::new();
    for (index, line) in lines.iter().enumerate().skip(start + 1) {
        if !matches!(line.first(), None | Some(b'*' | b' ' | b'\t')) {
            if let Some(last) = sections.last_mut() {
                last.end = index;
            }
            sections.push(Section { name: line.to_vec(), title: index, end: lines.len() });
        }
    }
    Ok((sections, lines.len()))
}

/// Finds the place of each entry in a section that is there.
fn place(lines: &[&[u8]], section: &Section, wanted: &[Wanted], entries: &[Entry], changes: &mut [Change]) {
    let is_item = |line: &[u8]| line.first() == Some(&b'*');
    // The place of an entry that goes before nothing is that of the one before it.
    let mut at = section.end;
    for (index, entry) in entries.iter().enumerate() {
        if !entry.is_in(wanted, &section.name) {
            continue;
        }
        for line in (section.title..section.end).rev().filter(|&line| is_item(lines[line])) {
            if entry::same(&entry.text, lines[line]) && !changes[line].delete {
                changes[line].delete = true;
                let behind = (line + 1..section.end).take_while(|&line| !is_item(lines[line]));
                behind.for_each(|line| changes[line].delete = true);
            }
            if entry::less(&entry.text, lines[line]) {
                at = line;
            }
        }
        let before = &mut changes[at].entries;
        let place = before.iter().position(|&other| entry::less(&entry.text, &entries[other].text));
        before.insert(place.unwrap_or(before.len()), index);
    }
}

fn write(lines: &[&[u8]], wanted: &mut [Wanted], entries: &[Entry], changes: &[Change]) -> Vec<u8> {
    let mut out = Vec::new();
    let sorted = entry::sorted(entries);
    for (index, change) in changes.iter().enumerate() {
        for &entry in &change.entries {
            out.extend(&entries[entry].text);
        }
        let mut new = change.sections.clone();
        new.sort_by(|&a, &b| wanted[a].name.cmp(&wanted[b].name));
        for section in new {
            let name = wanted[section].name.clone();
            wanted[section].missing = false;
            out.extend([b"\n", name.as_slice(), b"\n"].concat());
            for entry in sorted.iter().filter(|entry| entry.is_in(wanted, &name)) {
                out.extend(&entry.text);
            }
        }
        if let Some(line) = lines.get(index).filter(|_| !change.delete) {
            out.extend([line, b"\n".as_slice()].concat());
        }
    }
    out
}

/// Whether a name comes before another, whatever the case of their letters.
fn case_less(a: &[u8], b: &[u8]) -> bool {
    a.to_ascii_lowercase() < b.to_ascii_lowercase()
}
