//! The canonical text of a tree, one line a path, for tests, diffs and digests; and the way back.
//!
//! ```text
//! PATH KIND MODE UID:GID MTIME [DETAIL] [NAME=VALUE]...
//! ```
//! in walk order. KIND is `directory`, `file`, `symlink`, `char`, `block`, `fifo`, `socket` or `hardlink`; a hard link's line
//! is `PATH hardlink FIRST-PATH`. DETAIL is size and sha256 of a file, the target of a link, `MAJOR:MINOR` of a device.
//! MTIME is seconds, with `.nnnnnnnnn` when there are nanoseconds. Extended attributes come last, by name, values in hex.
//! Bytes outside printable ASCII, blanks, `\` and (in attribute names) `=` are written `\xNN`.

use std::{collections::BTreeMap, fmt::Write};

use bytes::Bytes;
use rayon::prelude::*;

use super::{Content, Device, Errno, Inode, InodeId, Name, Node, ROOT, Stat, Timestamp, Tree, TreePath, Xattrs};
use crate::digest::Sha256;

/// Renders the tree.
pub fn dump(tree: &Tree) -> String {
    let visits: Vec<_> = tree.walk().collect();
    let digests: Vec<Option<Sha256>> = visits.par_iter().map(|visit| digest(tree.get(visit.id))).collect();
    let mut first: BTreeMap<InodeId, TreePath> = BTreeMap::new();
    let mut out = String::new();
    for (visit, digest) in visits.iter().zip(digests) {
        let inode = tree.get(visit.id);
        escape(&mut out, visit.path.as_bytes());
        if inode.links() > 1 && !inode.is_dir() {
            if let Some(path) = first.get(&visit.id) {
                out.push_str(" hardlink ");
                escape(&mut out, path.as_bytes());
                out.push('\n');
                continue;
            }
            first.insert(visit.id, visit.path.clone());
        }
        line(&mut out, inode, digest);
    }
    out
}

fn digest(inode: &Inode) -> Option<Sha256> {
    match &inode.node {
        Node::Regular(content) => Some(content_digest(content)),
        _ => None,
    }
}

/// Sha256 of what a file reads as, holes included.
pub(crate) fn content_digest(content: &Content) -> Sha256 {
    let mut hasher = crate::digest::Hasher::new();
    let mut at = 0;
    for (offset, data) in content.runs() {
        hasher.zeros(offset - at);
        hasher.update(data);
        at = offset + data.len() as u64;
    }
    hasher.zeros(content.len() - at);
    hasher.finish()
}

fn line(out: &mut String, inode: &Inode, digest: Option<Sha256>) {
    let stat = &inode.stat;
    let kind = match &inode.node {
        Node::Directory(_) => "directory",
        Node::Regular(_) => "file",
        Node::Symlink(_) => "symlink",
        Node::CharDevice(_) => "char",
        Node::BlockDevice(_) => "block",
        Node::Fifo => "fifo",
        Node::Socket => "socket",
    };
    let mut put = |args: std::fmt::Arguments<'_>| out.write_fmt(args).expect("writing to a string");
    put(format_args!(" {kind} {:04o} {}:{} {}", stat.mode, stat.uid, stat.gid, stat.mtime.seconds));
    if stat.mtime.nanoseconds != 0 {
        put(format_args!(".{:09}", stat.mtime.nanoseconds));
    }
    match (&inode.node, digest) {
        (Node::Regular(content), Some(digest)) => put(format_args!(" {} {digest}", content.len())),
        (Node::CharDevice(d) | Node::BlockDevice(d), _) => put(format_args!(" {}:{}", d.major, d.minor)),
        _ => {}
    }
    if let Node::Symlink(target) = &inode.node {
        out.push(' ');
        escape(out, target);
    }
    for (name, value) in &stat.xattrs {
        out.push(' ');
        escape(out, name);
        out.push('=');
        for byte in value {
            write!(out, "{byte:02x}").expect("writing to a string");
        }
    }
    out.push('\n');
}

fn escape(out: &mut String, bytes: &[u8]) {
    for &byte in bytes {
        if byte.is_ascii_graphic() && byte != b'\\' && byte != b'=' {
            out.push(char::from(byte));
        } else {
            write!(out, "\\x{byte:02x}").expect("writing to a string");
        }
    }
}

/// Where a dump can't be read, 1-based.
#[derive(Debug, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct DumpError {
    pub line: usize,
    pub reason: DumpErrorReason,
}

#[derive(Debug, thiserror::Error)]
pub enum DumpErrorReason {
    #[error("expected {0}")]
    Expected(&'static str),
    #[error("`{path}`: {errno}")]
    Tree { path: String, errno: Errno },
}

/// Reads a dump back. Files have contents only as far as the text holds them: a file line's DETAIL must be `0` bytes with
/// the digest of nothing, be absent (an empty file), or be `=HEX` with the contents themselves.
pub fn parse_dump(text: &str) -> std::result::Result<Tree, DumpError> {
    let mut tree: Option<Tree> = None;
    for (index, line) in text.lines().enumerate() {
        parse_line(&mut tree, line).map_err(|reason| DumpError { line: index + 1, reason })?;
    }
    tree.ok_or(DumpError { line: 1, reason: DumpErrorReason::Expected("the root directory") })
}

fn parse_line(tree: &mut Option<Tree>, line: &str) -> std::result::Result<(), DumpErrorReason> {
    use DumpErrorReason::Expected;
    let mut words = line.split(' ');
    let mut word = |what| words.next().ok_or(Expected(what));
    let path = unescape(word("a path")?).ok_or(Expected("an escaped path"))?;
    let kind = word("a kind")?;
    let failed = |errno| DumpErrorReason::Tree { path: path.escape_ascii().to_string(), errno };
    if kind == "hardlink" {
        let first = unescape(word("a target")?).ok_or(Expected("an escaped path"))?;
        let tree = tree.as_mut().ok_or(Expected("the root directory first"))?;
        let id = tree.lookup_no_follow(&first).map_err(|error| failed(error.errno))?;
        let place = tree.place(&path).map_err(|error| failed(error.errno))?;
        return tree.link(id, place.parent, place.name).map_err(failed);
    }
    let mode =
        u16::from_str_radix(word("a mode")?, 8).ok().filter(|m| *m <= 0o7777).ok_or(Expected("an octal mode"))?;
    let (uid, gid) = pair(word("an owner")?).ok_or(Expected("uid:gid"))?;
    let mtime = timestamp(word("a time")?).ok_or(Expected("seconds"))?;
    let mut rest: Vec<&str> = words.collect();
    let mut xattrs = Xattrs::new();
    while let Some((name, value)) = rest.last().and_then(|w| w.split_once('=')).filter(|(name, _)| !name.is_empty()) {
        let name = unescape(name).ok_or(Expected("an attribute name"))?;
        xattrs.insert(name.into(), unhex(value).ok_or(Expected("a value in hex"))?.into());
        rest.pop();
    }
    let node = node(kind, &rest)?;
    let stat = Stat { mode, uid, gid, mtime, xattrs };
    if path == b"/" {
        *tree = Some(Tree::with_root(Inode { stat, node, links: 1 }));
        return if tree.as_ref().is_some_and(|t| t.get(ROOT).is_dir()) {
            Ok(())
        } else {
            Err(Expected("a root directory"))
        };
    }
    let tree = tree.as_mut().ok_or(Expected("the root directory first"))?;
    let place = tree.place(&path).map_err(|error| failed(error.errno))?;
    tree.insert(place.parent, place.name, stat, node).map_err(failed)?;
    Ok(())
}

fn node(kind: &str, detail: &[&str]) -> std::result::Result<Node, DumpErrorReason> {
    use DumpErrorReason::Expected;
    let device = || {
        let (major, minor) = detail.first().and_then(|d| pair(d)).ok_or(Expected("major:minor"))?;
        Ok(Device { major, minor })
    };
    Ok(match kind {
        "directory" => Node::Directory(BTreeMap::<Name, InodeId>::new()),
        "file" => Node::Regular(content(detail).ok_or(Expected("no contents, or `=HEX`"))?),
        "symlink" => {
            let target = detail.first().and_then(|d| unescape(d)).ok_or(Expected("a link target"))?;
            Node::Symlink(Bytes::from(target))
        }
        "char" => Node::CharDevice(device()?),
        "block" => Node::BlockDevice(device()?),
        "fifo" => Node::Fifo,
        "socket" => Node::Socket,
        _ => return Err(Expected("a known kind")),
    })
}

fn content(detail: &[&str]) -> Option<Content> {
    match detail {
        [] | ["0"] | ["0", _] => Some(Content::empty()),
        [text] => Some(unhex(text.strip_prefix('=')?)?.into()),
        _ => None,
    }
}

fn pair(text: &str) -> Option<(u32, u32)> {
    let (a, b) = text.split_once(':')?;
    Some((a.parse().ok()?, b.parse().ok()?))
}

fn timestamp(text: &str) -> Option<Timestamp> {
    let (seconds, nanoseconds) = match text.split_once('.') {
        Some((seconds, fraction)) if fraction.len() == 9 => (seconds, fraction.parse().ok()?),
        Some(_) => return None,
        None => (text, 0),
    };
    Some(Timestamp { seconds: seconds.parse().ok()?, nanoseconds })
}

fn unescape(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((plain, escaped)) = rest.split_once("\\x") {
        out.extend_from_slice(plain.as_bytes());
        out.push(u8::from_str_radix(escaped.get(..2)?, 16).ok()?);
        rest = &escaped[2..];
    }
    out.extend_from_slice(rest.as_bytes());
    Some(out)
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dump_and_back() {
        let text = "/ directory 0755 0:0 0\n\
                    /a\\x20b directory 1777 0:50 -5.000000007\n\
                    /a\\x20b/f file 4755 1:2 9 0 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 security.capability=01ff\n\
                    /a\\x20b/g hardlink /a\\x20b/f\n\
                    /dev char 0666 0:0 0 5:1\n\
                    /l symlink 0777 0:0 0 a\\x20b/\\xff\n\
                    /p fifo 0600 0:0 0\n";
        assert_eq!(dump(&parse_dump(text).expect("a valid dump")), text);
    }

    #[test]
    fn reads_contents_and_says_where_it_fails() {
        let tree = parse_dump("/ directory 0755 0:0 0\n/f file 0644 0:0 0 =6869\n").expect("valid");
        assert_eq!(tree.read(b"/f").as_deref(), Ok(b"hi".as_slice()));
        let check = |text: &str, expect: &str| {
            assert_eq!(parse_dump(text).map(|_| ()).map_err(|e| e.to_string()), Err(expect.to_owned()));
        };
        check("", "line 1: expected the root directory");
        check("/ directory 0755 0:0 0\n/a/b fifo 0600 0:0 0\n", "line 2: `/a/b`: No such file or directory");
        check("/ directory 0999 0:0 0\n", "line 1: expected an octal mode");
        check("/ wat 0755 0:0 0\n", "line 1: expected a known kind");
    }
}
