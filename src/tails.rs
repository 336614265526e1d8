//! A table of strings in which a string that another ends with is not stored again, as systemd's databases have it.
//!
//! Which strings share is part of those formats: a new string is compared with those only that the tree of last letters leads
//! past, so the same strings added in the same order always give the same table.

/// Where a string begins in a table.
pub type Offset = usize;

#[derive(Debug)]
pub struct Tails {
    bytes: Vec<u8>,
    nodes: Vec<Node>,
}

/// A string, and those that go on differently before the ends that led here.
#[derive(Debug, Default)]
struct Node {
    offset: Offset,
    len: usize,
    /// Sorted by letter.
    children: Vec<(u8, usize)>,
}

impl Default for Tails {
    /// Holds the empty string at 0.
    fn default() -> Self {
        Self { bytes: vec![0], nodes: vec![Node::default()] }
    }
}

impl Tails {
    /// Adds a string without NUL, unless it is the end of one that is found; where it is.
    pub fn add(&mut self, string: &[u8]) -> Offset {
        if string.is_empty() {
            return 0;
        }
        let mut node = 0;
        for depth in 0..=string.len() {
            let Node { offset, len, .. } = self.nodes[node];
            if len >= string.len() {
                let start = offset + len - string.len();
                if depth == string.len() || self.bytes[start..start + string.len()] == *string {
                    return start;
                }
            }
            // All of the string is the end of every node at this depth, so it was returned above.
            let letter = string[string.len() - 1 - depth];
            match self.nodes[node].children.binary_search_by_key(&letter, |child| child.0) {
                Ok(index) => node = self.nodes[node].children[index].1,
                Err(index) => {
                    let offset = self.bytes.len();
                    self.bytes.extend_from_slice(string);
                    self.bytes.push(0);
                    let new = self.nodes.len();
                    self.nodes[node].children.insert(index, (letter, new));
                    self.nodes.push(Node { offset, len: string.len(), children: Vec::new() });
                    return offset;
                }
            }
        }
        unreachable!("the last round returns or adds")
    }

    /// The string that begins at an offset.
    pub fn get(&self, offset: Offset) -> &[u8] {
        let rest = &self.bytes[offset..];
        &rest[..memchr::memchr(0, rest).unwrap_or(rest.len())]
    }

    /// The whole table, each string ended by NUL.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_shared() {
        let mut tails = Tails::default();
        let mut check = |string: &str, expect: Offset| assert_eq!(tails.add(string.as_bytes()), expect, "{string}");
        check("", 0);
        check("waldo", 1);
        check("foo", 7);
        check("bar", 11);
        check("ldo", 3);
        check("o", 5);
        check("a foo", 15);
        check("foo", 7);
        check("waldo", 1);
        assert_eq!(tails.bytes(), b"\0waldo\0foo\0bar\0a foo\0");
        assert_eq!(tails.get(17), b"foo");
    }
}
