//! The `.bin` indexes: a radix trie of keys whose nodes hold values in the order of their priorities, big-endian.

use std::collections::BTreeMap;

const MAGIC: u32 = 0xb007_f457;
const VERSION: u32 = 0x0002_0001;

/// Flags in a node's reference, above its offset.
const HAS_PREFIX: u32 = 1 << 31;
const HAS_VALUES: u32 = 1 << 30;
const HAS_CHILDREN: u32 = 1 << 29;

#[derive(Debug, Default)]
struct Node {
    prefix: Vec<u8>,
    children: BTreeMap<u8, Node>,
    values: Vec<(u32, Vec<u8>)>,
}

/// An index while it is made.
#[derive(Debug, Default)]
pub(super) struct Trie {
    root: Node,
}

impl Trie {
    /// Adds a value; among equal priorities the newest comes first.
    pub(super) fn insert(&mut self, key: &[u8], value: &[u8], priority: u32) {
        self.root.insert(key, value, priority);
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for word in [MAGIC, VERSION, 0] {
            out.extend_from_slice(&word.to_be_bytes());
        }
        let root = self.root.write(&mut out);
        out[8..12].copy_from_slice(&root.to_be_bytes());
        out
    }
}

impl Node {
    fn insert(&mut self, mut key: &[u8], value: &[u8], priority: u32) {
        let mut node = self;
        loop {
            let shared = node.prefix.iter().zip(key).take_while(|(a, b)| a == b).count();
            if shared < node.prefix.len() {
                node.split(shared);
            }
            let Some((&first, rest)) = key[shared..].split_first() else {
                let at = node.values.partition_point(|(other, _)| *other < priority);
                node.values.insert(at, (priority, value.to_vec()));
                return;
            };
            key = rest;
            node = node.children.entry(first).or_insert_with(|| Node { prefix: rest.to_vec(), ..Node::default() });
        }
    }

    /// Keeps `length` bytes of the prefix and moves all else into one child.
    fn split(&mut self, length: usize) {
        let mut tail = self.prefix.split_off(length);
        let first = tail.remove(0);
        let child = Node {
            prefix: tail,
            children: std::mem::take(&mut self.children),
            values: std::mem::take(&mut self.values),
        };
        self.children.insert(first, child);
    }

    /// Writes the children, then the node, and returns the reference to it.
    fn write(&self, out: &mut Vec<u8>) -> u32 {
        let mut span = Vec::new();
        if let (Some((&first, _)), Some((&last, _))) = (self.children.first_key_value(), self.children.last_key_value())
        {
            let references: Vec<u32> =
                (first..=last).map(|byte| self.children.get(&byte).map_or(0, |child| child.write(out))).collect();
            span.extend_from_slice(&[first, last]);
            span.extend(references.iter().flat_map(|reference| reference.to_be_bytes()));
        }
        let mut reference = out.len() as u32;
        if !self.prefix.is_empty() {
            out.extend_from_slice(&self.prefix);
            out.push(0);
            reference |= HAS_PREFIX;
        }
        if !span.is_empty() {
            out.extend_from_slice(&span);
            reference |= HAS_CHILDREN;
        }
        if !self.values.is_empty() {
            out.extend_from_slice(&(self.values.len() as u32).to_be_bytes());
            for (priority, value) in &self.values {
                out.extend_from_slice(&priority.to_be_bytes());
                out.extend_from_slice(value);
                out.push(0);
            }
            reference |= HAS_VALUES;
        }
        reference
    }
}
