//! udev's hardware database: `*.hwdb` files to `hwdb.bin`.
//!
//! The files' form: hwdb(7). The database's: `struct trie_header_f` of systemd's hwdb-internal.h. It is a tree of match strings
//! cut where they part, written from its leaves to its root, then the strings.

use zerocopy::{
    Immutable, IntoBytes,
    little_endian::{U16, U32, U64},
};

use crate::tails::{Offset, Tails};

const SIGNATURE: [u8; 8] = *b"KSLPHHRH";

#[derive(IntoBytes, Immutable)]
#[repr(C)]
struct Header {
    signature: [u8; 8],
    /// Of the program that wrote it.
    tool_version: U64,

    file_size: U64,
    header_size: U64,

    node_size: U64,
    child_entry_size: U64,

    value_entry_size: U64,
    nodes_root_off: U64,

    nodes_len: U64,
    strings_len: U64,
}

#[derive(IntoBytes, Immutable)]
#[repr(C)]
struct NodeHead {
    prefix_off: U64,
    children_count: u8,
    padding: [u8; 7],

    values_count: U64,
}

#[derive(IntoBytes, Immutable)]
#[repr(C)]
struct ChildEntry {
    c: u8,
    padding: [u8; 7],
    child_off: U64,
}

#[derive(IntoBytes, Immutable)]
#[repr(C)]
struct ValueEntry {
    key_off: U64,
    value_off: U64,

    filename_off: U64,
    line_number: U32,
    file_priority: U16,
    padding: U16,
}

const _: () = assert!(
    size_of::<Header>() == 80
        && size_of::<NodeHead>() == 24
        && size_of::<ChildEntry>() == 16
        && size_of::<ValueEntry>() == 32
);

#[derive(Debug, Default)]
struct Node {
    prefix: Offset,
    /// Sorted by letter.
    children: Vec<(u8, usize)>,
    /// Sorted by the text of their keys.
    values: Vec<Value>,
}

#[derive(Clone, Copy, Debug)]
struct Value {
    key: Offset,
    value: Offset,
    place: Place,
}

/// Where a property stands.
#[derive(Clone, Copy, Debug)]
struct Place {
    file: Offset,
    priority: u16,
    line: u32,
}

#[derive(Debug)]
pub struct Hwdb {
    strings: Tails,
    nodes: Vec<Node>,
    files: u16,
}

impl Default for Hwdb {
    fn default() -> Self {
        Self { strings: Tails::default(), nodes: vec![Node::default()], files: 0 }
    }
}

/// A line that is passed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    pub line: u32,
    pub what: String,
}

/// What the next line of a file may be.
enum State {
    Nothing,
    Match,
    Data,
}

impl Hwdb {
    /// Adds the records of a file, which come after those of earlier files. What is wrong in it is passed over, as udev does.
    pub fn add(&mut self, path: &[u8], text: &[u8]) -> Vec<Warning> {
        self.files = self.files.saturating_add(1);
        let mut warnings = Vec::new();
        let mut state = State::Nothing;
        let mut matches: Vec<&[u8]> = Vec::new();
        let mut number = 0;
        for line in text.strip_suffix(b"\n").unwrap_or(text).split(|&byte| byte == b'\n') {
            number += 1;
            if line.first() == Some(&b'#') {
                continue;
            }
            let line = line.split(|&byte| byte == b'#').next().unwrap_or_default();
            let end = line.iter().rposition(|byte| !is_space(*byte)).map_or(0, |last| last + 1);
            let line = &line[..end];
            let mut warn = |what: &str| warnings.push(Warning { line: number, what: what.to_owned() });
            let indented = line.first() == Some(&b' ');
            match state {
                State::Nothing if line.is_empty() => {}
                State::Nothing if indented => warn("Match expected but got indented property, ignoring line."),
                State::Nothing => {
                    matches = vec![line];
                    state = State::Match;
                }
                State::Match if line.is_empty() => {
                    warn("Property expected, ignoring record with no properties.");
                    state = State::Nothing;
                }
                State::Match if !indented => matches.push(line),
                State::Data if line.is_empty() => state = State::Nothing,
                State::Data if !indented => {
                    warn("Property or empty line expected, ignoring record.");
                    state = State::Nothing;
                }
                State::Match | State::Data => {
                    state = State::Data;
                    if let Err(what) = self.property(path, number, &matches, line) {
                        warn(what);
                    }
                }
            }
        }
        if matches!(state, State::Match) {
            let what = "Property expected, ignoring record with no properties.".to_owned();
            warnings.push(Warning { line: number, what });
        }
        warnings
    }

    /// Adds one property to everything that a record matches.
    fn property(&mut self, path: &[u8], line: u32, matches: &[&[u8]], text: &[u8]) -> Result<(), &'static str> {
        let sign = memchr::memchr(b'=', text).ok_or("Key-value pair expected, ignoring.")?;
        let (mut key, value) = (&text[..sign], &text[sign + 1..]);
        let is_blank = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
        while is_blank(key.first()) && is_blank(key.get(1)) {
            key = &key[1..];
        }
        if key.len() <= 1 {
            return Err("Empty key, ignoring.");
        }
        for pattern in matches {
            let node = self.node(pattern);
            let (key, value) = (self.strings.add(key), self.strings.add(value));
            let place = Place { file: self.strings.add(path), priority: self.files, line };
            let Self { strings, nodes, .. } = self;
            let values = &mut nodes[node].values;
            match values.binary_search_by(|other| strings.get(other.key).cmp(strings.get(key))) {
                // The last file has the last word.
                Ok(index) => (values[index].value, values[index].place) = (value, place),
                Err(index) => values.insert(index, Value { key, value, place }),
            }
        }
        Ok(())
    }

    /// The node of a match string, made if it isn't there.
    fn node(&mut self, pattern: &[u8]) -> usize {
        let mut node = 0;
        let mut rest = pattern;
        loop {
            let prefix = self.strings.get(self.nodes[node].prefix);
            let shared = prefix.iter().zip(rest).take_while(|(a, b)| a == b).count();
            if let Some(&letter) = prefix.get(shared) {
                self.split(node, shared, letter);
            }
            rest = &rest[shared..];
            let Some((&letter, behind)) = rest.split_first() else { return node };
            match self.nodes[node].children.binary_search_by_key(&letter, |child| child.0) {
                Ok(index) => node = self.nodes[node].children[index].1,
                Err(index) => {
                    let prefix = self.strings.add(behind);
                    let new = self.nodes.len();
                    self.nodes.push(Node { prefix, ..Node::default() });
                    self.nodes[node].children.insert(index, (letter, new));
                    return new;
                }
            }
            rest = behind;
        }
    }

    /// Cuts a node's prefix after `at` bytes; what was its own goes to a child that begins with `letter`.
    fn split(&mut self, node: usize, at: usize, letter: u8) {
        let new = self.nodes.len();
        let head = self.strings.get(self.nodes[node].prefix)[..at].to_vec();
        let prefix = self.strings.add(&head);
        let mut child = std::mem::replace(&mut self.nodes[node], Node { prefix, ..Node::default() });
        child.prefix += at + 1;
        self.nodes.push(child);
        self.nodes[node].children.push((letter, new));
    }

    /// The database, as the program of this version writes it.
    pub fn database(&self, tool_version: u64) -> Vec<u8> {
        let size = |node: &Node| {
            size_of::<NodeHead>()
                + node.children.len() * size_of::<ChildEntry>()
                + node.values.len() * size_of::<ValueEntry>()
        };
        let nodes_len: usize = self.nodes.iter().map(size).sum();
        let strings = size_of::<Header>() + nodes_len;
        let file_size = strings + self.strings.bytes().len();
        let mut out = Vec::with_capacity(file_size);
        out.resize(size_of::<Header>(), 0);
        let root = self.write(&mut out, strings);
        out.extend_from_slice(self.strings.bytes());
        let header = Header {
            signature: SIGNATURE,
            tool_version: tool_version.into(),
            file_size: (file_size as u64).into(),
            header_size: (size_of::<Header>() as u64).into(),
            node_size: (size_of::<NodeHead>() as u64).into(),
            child_entry_size: (size_of::<ChildEntry>() as u64).into(),
            value_entry_size: (size_of::<ValueEntry>() as u64).into(),
            nodes_root_off: root.into(),
            nodes_len: (nodes_len as u64).into(),
            strings_len: (self.strings.bytes().len() as u64).into(),
        };
        out[..size_of::<Header>()].copy_from_slice(header.as_bytes());
        out
    }

    /// Writes all nodes, children before their parents; where the root is. A tree may be as deep as a pattern is long, so this
    /// keeps a stack of its own.
    fn write(&self, out: &mut Vec<u8>, strings: usize) -> u64 {
        let mut offsets = vec![0_u64; self.nodes.len()];
        let mut stack = vec![(0, 0)];
        while let Some((node, next)) = stack.pop() {
            if let Some(&(_, child)) = self.nodes[node].children.get(next) {
                stack.push((node, next + 1));
                stack.push((child, 0));
                continue;
            }
            offsets[node] = out.len() as u64;
            self.write_node(out, strings, node, &offsets);
        }
        offsets[0]
    }

    fn write_node(&self, out: &mut Vec<u8>, strings: usize, node: usize, offsets: &[u64]) {
        let Node { prefix, children, values } = &self.nodes[node];
        let string = |offset: Offset| U64::new((strings + offset) as u64);
        let head = NodeHead {
            prefix_off: string(*prefix),
            children_count: u8::try_from(children.len()).expect("letters other than NUL are 255"),
            padding: [0; 7],
            values_count: (values.len() as u64).into(),
        };
        out.extend_from_slice(head.as_bytes());
        for &(c, child) in children {
            let entry = ChildEntry { c, padding: [0; 7], child_off: offsets[child].into() };
            out.extend_from_slice(entry.as_bytes());
        }
        for value in values {
            let entry = ValueEntry {
                key_off: string(value.key),
                value_off: string(value.value),
                filename_off: string(value.place.file),
                line_number: value.place.line.into(),
                file_priority: value.place.priority.into(),
                padding: 0.into(),
            };
            out.extend_from_slice(entry.as_bytes());
        }
    }
}

/// As `isspace` in the C locale.
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}
