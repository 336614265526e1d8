//! Names and normalised paths inside a tree: byte strings whose rules hold from construction on.

use std::{borrow::Borrow, fmt};

use super::Errno;

/// Longest name of a directory entry, in bytes, of Linux and of ext4.
pub(super) const MAX_NAME: usize = 255;

/// Longest path that a look-up takes, with the byte that ends it in C.
pub(super) const MAX_PATH: usize = 4096;

/// One directory entry's name: 1 to 255 bytes, no `/`, no NUL, neither `.` nor `..`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Box<[u8]>);

impl Name {
    pub fn new(bytes: &[u8]) -> Result<Self, Errno> {
        if bytes.len() > MAX_NAME {
            return Err(Errno::NameTooLong);
        }
        if bytes.is_empty() || bytes == b"." || bytes == b".." || bytes.iter().any(|b| matches!(b, b'/' | 0)) {
            return Err(Errno::Invalid);
        }
        Ok(Self(bytes.into()))
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl Borrow<[u8]> for Name {
    fn borrow(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.escape_ascii())
    }
}

/// An absolute path without `.`, `..`, doubled or trailing slashes; the root is `/`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TreePath(Box<[u8]>);

impl TreePath {
    pub fn root() -> Self {
        Self(Box::from(b"/".as_slice()))
    }

    /// Reads `/a/b`, `a/b`, `./a/b` and `a//b/` as `/a/b`. A `..` is refused rather than resolved: what it means depends on
    /// symbolic links.
    pub fn new(bytes: &[u8]) -> Result<Self, Errno> {
        let mut path = Vec::with_capacity(bytes.len() + 1);
        for part in bytes.split(|&b| b == b'/') {
            match part {
                b"" | b"." => {}
                name => {
                    let name = Name::new(name)?;
                    path.push(b'/');
                    path.extend_from_slice(name.as_bytes());
                }
            }
        }
        if path.is_empty() {
            return Ok(Self::root());
        }
        Ok(Self(path.into()))
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub fn is_root(&self) -> bool {
        &*self.0 == b"/"
    }

    /// Without the leading slash, as tar members and dpkg's diversions write it; empty for the root.
    pub fn relative(&self) -> &[u8] {
        &self.0[1..]
    }

    /// Names from the root down.
    pub fn names(&self) -> impl DoubleEndedIterator<Item = &[u8]> {
        self.0.split(|&b| b == b'/').filter(|part| !part.is_empty())
    }

    pub fn join(&self, name: &Name) -> Self {
        let mut path = if self.is_root() { Vec::new() } else { self.0.to_vec() };
        path.push(b'/');
        path.extend_from_slice(name.as_bytes());
        Self(path.into())
    }

    /// The parent and the last name; `None` for the root.
    pub fn split(&self) -> Option<(Self, &[u8])> {
        if self.is_root() {
            return None;
        }
        let slash = self.0.iter().rposition(|&b| b == b'/')?;
        let parent = if slash == 0 { Self::root() } else { Self(self.0[..slash].into()) };
        Some((parent, &self.0[slash + 1..]))
    }
}

impl fmt::Display for TreePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.escape_ascii())
    }
}

impl fmt::Debug for TreePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        let check = |input: &[u8], expect: Result<&str, Errno>| {
            let got = TreePath::new(input).map(|p| p.to_string());
            assert_eq!(got.as_deref().map_err(|e| *e), expect, "{}", input.escape_ascii());
        };
        check(b"", Ok("/"));
        check(b"/", Ok("/"));
        check(b"./", Ok("/"));
        check(b"./usr/bin//x/", Ok("/usr/bin/x"));
        check(b"/\xff", Ok("/\\xff"));
        check(b"/a/../b", Err(Errno::Invalid));
        check(b"/a\0b", Err(Errno::Invalid));
        check(&[b'a'; 256], Err(Errno::NameTooLong));
    }

    #[test]
    fn splits() {
        let path = TreePath::new(b"/usr/bin/sh").expect("a valid path");
        let (parent, name) = path.split().expect("not the root");
        assert_eq!((parent.to_string().as_str(), name), ("/usr/bin", b"sh".as_slice()));
        assert_eq!(TreePath::new(b"/x").expect("valid").split().expect("not the root").0, TreePath::root());
        assert_eq!(TreePath::root().split(), None);
        assert_eq!(path.names().count(), 3);
    }
}
