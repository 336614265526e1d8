//! A tree to the bytes of a PAX archive, and one sparse file to an archive of GNU's own form.
//!
//! Layout comes first: an archive is a sparse list of pieces, headers of our own and contents shared with the tree, in which
//! everything that is not listed is zero.

use std::collections::BTreeMap;

use bytes::Bytes;
use zerocopy::{FromZeros, IntoBytes};

use super::{
    format::{BLOCK, GnuExtension, GnuRun, GnuTail, Header, MAGIC_GNU, MAGIC_POSIX, PREFIX},
    number, pax,
};
use crate::tree::{Content, Inode, InodeId, Node, Stat, Timestamp, Tree, TreePath};

/// Archives end in zeros up to a multiple of this, as GNU tar's do.
const RECORD: u64 = 20 * BLOCK as u64;

/// Largest number in a field of twelve bytes.
pub(super) const MAX_12: u64 = 0o77_777_777_777;

/// Largest number in a field of eight bytes.
const MAX_8: u32 = 0o7_777_777;

/// What no archive can hold.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    #[error("`{0}` is a socket, which tar cannot hold")]
    Socket(TreePath),
    #[error("device `{path}` has the number {major}:{minor}, which tar cannot hold")]
    Device { path: TreePath, major: u32, minor: u32 },
    #[error("the archive would be longer than any file")]
    TooLong,
    #[error("`{}` is too long a name for a sparse file's archive", .0.escape_ascii())]
    Name(Box<[u8]>),
}

/// A tree as a PAX archive of the names `./`, `./bin` and so on, in byte order, with owners by number alone.
pub fn archive(tree: &Tree) -> Result<Content, WriteError> {
    let mut out = Pieces::default();
    let mut first: BTreeMap<InodeId, TreePath> = BTreeMap::new();
    for visit in tree.walk() {
        let inode = tree.get(visit.id);
        let linked = inode.links() > 1 && !inode.is_dir();
        out.member(&visit.path, inode, first.get(&visit.id).filter(|_| linked))?;
        if linked {
            first.entry(visit.id).or_insert(visit.path);
        }
    }
    out.finish()
}

/// An archive of one file with holes, in the form that GNU tar writes by default and every reader knows.
pub fn archive_sparse(name: &[u8], stat: &Stat, content: &Content) -> Result<Content, WriteError> {
    let mut out = Pieces::default();
    let mut runs = map(content);
    let stored: u64 = runs.iter().map(|(_, len)| len).sum();
    let mut header = header(stat, MAGIC_GNU, b'S');
    if name.len() > header.name.len() || name.is_empty() {
        return Err(WriteError::Name(name.into()));
    }
    header.name[..name.len()].copy_from_slice(name);
    number::write(&mut header.size, stored);
    let mut tail = GnuTail::new_zeroed();
    number::write(&mut tail.realsize, content.len());
    take(&mut runs, &mut tail.sp);
    tail.isextended = u8::from(!runs.is_empty());
    header.tail.copy_from_slice(tail.as_bytes());
    out.header(header);
    while !runs.is_empty() {
        let mut extension = GnuExtension::new_zeroed();
        take(&mut runs, &mut extension.sp);
        extension.isextended = u8::from(!runs.is_empty());
        out.text.extend_from_slice(extension.as_bytes());
    }
    out.data(content)?;
    out.finish()
}

/// Moves the first runs into the entries of one block.
fn take(runs: &mut Vec<(u64, u64)>, entries: &mut [GnuRun]) {
    let count = runs.len().min(entries.len());
    for (entry, (offset, len)) in entries.iter_mut().zip(runs.drain(..count)) {
        number::write(&mut entry.offset, offset);
        number::write(&mut entry.numbytes, len);
    }
}

/// Runs as (offset, length), touching ones as one. A hole at the end is an empty run, from which readers learn the length.
fn map(content: &Content) -> Vec<(u64, u64)> {
    let mut map: Vec<(u64, u64)> = Vec::new();
    for (offset, data) in content.runs() {
        match map.last_mut() {
            Some((start, len)) if *start + *len == offset => *len += data.len() as u64,
            _ => map.push((offset, data.len() as u64)),
        }
    }
    if map.last().map_or(0, |(offset, len)| offset + len) < content.len() {
        map.push((content.len(), 0));
    }
    map
}

/// An archive in the making.
#[derive(Default)]
struct Pieces {
    done: Vec<(u64, Bytes)>,
    /// Where `text` begins.
    at: u64,
    /// Headers not listed in `done` yet.
    text: Vec<u8>,
}

impl Pieces {
    fn member(&mut self, path: &TreePath, inode: &Inode, hard_link: Option<&TreePath>) -> Result<(), WriteError> {
        let stat = &inode.stat;
        let mut header = header(stat, MAGIC_POSIX, b'0');
        let mut records = stat_records(stat);
        let mut content = None;
        let mut before = Vec::new();
        match (hard_link, &inode.node) {
            (Some(target), _) => {
                header.typeflag = b'1';
                put_link(&mut header, &mut records, &[b".", target.as_bytes()].concat());
            }
            (None, Node::Directory(_)) => header.typeflag = b'5',
            (None, Node::Regular(whole)) => {
                let stored: u64 = whole.runs().map(|(_, data)| data.len() as u64).sum();
                if stored < whole.len() {
                    before = pax_map(whole);
                    sparse_records(&mut records, path, whole.len());
                }
                put_size(&mut header, &mut records, stored + before.len() as u64);
                content = Some(whole);
            }
            (None, Node::Symlink(target)) => {
                header.typeflag = b'2';
                put_link(&mut header, &mut records, target);
            }
            (None, Node::CharDevice(device) | Node::BlockDevice(device)) => {
                header.typeflag = if matches!(inode.node, Node::CharDevice(_)) { b'3' } else { b'4' };
                if device.major > MAX_8 || device.minor > MAX_8 {
                    return Err(WriteError::Device { path: path.clone(), major: device.major, minor: device.minor });
                }
                number::write(&mut header.devmajor, device.major.into());
                number::write(&mut header.devminor, device.minor.into());
            }
            (None, Node::Fifo) => header.typeflag = b'6',
            (None, Node::Socket) => return Err(WriteError::Socket(path.clone())),
        }
        put_path(&mut header, &mut records, path, !before.is_empty());
        self.extended(path, stat, &records);
        self.header(header);
        self.text.extend_from_slice(&before);
        content.map_or(Ok(()), |content| self.data(content))
    }

    /// The extended header for the member that comes next, if it needs one.
    fn extended(&mut self, path: &TreePath, stat: &Stat, records: &[u8]) {
        if records.is_empty() {
            return;
        }
        let plain = Stat::root(0o644, Timestamp::from_seconds(stat.mtime.seconds.clamp(0, MAX_12 as i64)));
        let mut header = header(&plain, MAGIC_POSIX, b'x');
        let last = path.split().map_or([].as_slice(), |(_, name)| name);
        let name = [b"./PaxHeaders/", last].concat();
        let len = name.len().min(header.name.len());
        header.name[..len].copy_from_slice(&name[..len]);
        number::write(&mut header.size, records.len() as u64);
        self.header(header);
        self.text.extend_from_slice(records);
        self.text.resize(self.text.len().next_multiple_of(BLOCK), 0);
    }

    fn header(&mut self, header: Header) {
        self.text.extend_from_slice(&sealed(header));
    }

    /// Data runs end to end, then padding.
    fn data(&mut self, content: &Content) -> Result<(), WriteError> {
        let mut at = self.flush()?;
        for (_, data) in content.runs() {
            self.done.push((at, data.clone()));
            at = at.checked_add(data.len() as u64).ok_or(WriteError::TooLong)?;
        }
        self.at = at.checked_next_multiple_of(BLOCK as u64).ok_or(WriteError::TooLong)?;
        Ok(())
    }

    /// Lists the headers so far, and returns where they end.
    fn flush(&mut self) -> Result<u64, WriteError> {
        let text = std::mem::take(&mut self.text);
        let end = self.at.checked_add(text.len() as u64).ok_or(WriteError::TooLong)?;
        if !text.is_empty() {
            self.done.push((self.at, text.into()));
        }
        Ok(end)
    }

    fn finish(mut self) -> Result<Content, WriteError> {
        let end = self.flush()?;
        let len = end.checked_add(2 * BLOCK as u64).and_then(|end| end.checked_next_multiple_of(RECORD));
        len.and_then(|len| Content::sparse(len, self.done)).ok_or(WriteError::TooLong)
    }
}

/// A header's block, with its checksum.
pub(super) fn sealed(mut header: Header) -> [u8; BLOCK] {
    let sum = header.checksum();
    header.chksum = *b"000000\0 ";
    for (place, digit) in header.chksum[..6].iter_mut().rev().enumerate() {
        *digit = b'0' + ((sum >> (3 * place)) & 7) as u8;
    }
    zerocopy::transmute!(header)
}

/// A header with everything that `stat` says and fits; what does not is left to [`stat_records`].
pub(super) fn header(stat: &Stat, magic: &[u8; 8], typeflag: u8) -> Header {
    let gnu = magic == MAGIC_GNU;
    let mut header = Header::new_zeroed();
    header.magic = *magic;
    header.typeflag = typeflag;
    number::write(&mut header.mode, stat.mode.into());
    let id = |id: u32| if gnu || id <= MAX_8 { id } else { 0 };
    number::write(&mut header.uid, id(stat.uid).into());
    number::write(&mut header.gid, id(stat.gid).into());
    number::write(&mut header.size, 0);
    let seconds = stat.mtime.seconds.max(0).unsigned_abs();
    number::write(&mut header.mtime, if gnu { seconds } else { seconds.min(MAX_12) });
    number::write(&mut header.devmajor, 0);
    number::write(&mut header.devminor, 0);
    header
}

/// PAX records for what the header's fields can't hold.
fn stat_records(stat: &Stat) -> Vec<u8> {
    let mut records = Vec::new();
    let Timestamp { seconds, nanoseconds } = stat.mtime;
    if nanoseconds != 0 || !(0..=MAX_12 as i64).contains(&seconds) {
        pax::push(&mut records, b"mtime", pax::format_time(stat.mtime).as_bytes());
    }
    for (keyword, id) in [(b"uid", stat.uid), (b"gid", stat.gid)] {
        if id > MAX_8 {
            pax::push(&mut records, keyword, id.to_string().as_bytes());
        }
    }
    for (name, value) in &stat.xattrs {
        pax::push(&mut records, &pax::xattr_keyword(name), value);
    }
    records
}

fn put_size(header: &mut Header, records: &mut Vec<u8>, size: u64) {
    if size <= MAX_12 {
        number::write(&mut header.size, size);
    } else {
        pax::push(records, b"size", size.to_string().as_bytes());
    }
}

fn put_link(header: &mut Header, records: &mut Vec<u8>, target: &[u8]) {
    match header.linkname.get_mut(..target.len()) {
        Some(field) => field.copy_from_slice(target),
        None => push_name(records, b"linkpath", target),
    }
}

/// The name goes into the name field, is split at a slash between prefix and name, or becomes a record.
fn put_path(header: &mut Header, records: &mut Vec<u8>, path: &TreePath, sparse: bool) {
    let mut name = [b".", path.as_bytes()].concat();
    if header.typeflag == b'5' && !path.is_root() {
        name.push(b'/');
    }
    if sparse {
        // `GNU.sparse.name` has the real name; this one is what a reader without sparse files shows.
        name = [b"./GNUSparseFile.0/", path.relative()].concat();
        name.truncate(header.name.len());
    }
    if name.len() <= header.name.len() {
        header.name[..name.len()].copy_from_slice(&name);
        return;
    }
    let start = name.len() - header.name.len() - 1;
    // A directory's own slash is no place to split.
    let slash = memchr::memchr(b'/', &name[start..name.len() - 1]).map(|at| start + at);
    match slash.filter(|slash| *slash <= PREFIX) {
        Some(slash) => {
            header.tail[..slash].copy_from_slice(&name[..slash]);
            header.name[..name.len() - slash - 1].copy_from_slice(&name[slash + 1..]);
        }
        None => {
            push_name(records, b"path", &name);
            let len = header.name.len();
            header.name.copy_from_slice(&name[..len]);
        }
    }
}

/// A record that PAX says is UTF-8; of a name that is not, a record before it says so.
fn push_name(records: &mut Vec<u8>, keyword: &[u8], name: &[u8]) {
    if std::str::from_utf8(name).is_err() && !records.starts_with(pax::BINARY) {
        records.splice(0..0, pax::BINARY.iter().copied());
    }
    pax::push(records, keyword, name);
}

fn sparse_records(records: &mut Vec<u8>, path: &TreePath, size: u64) {
    pax::push(records, b"GNU.sparse.major", b"1");
    pax::push(records, b"GNU.sparse.minor", b"0");
    push_name(records, b"GNU.sparse.name", &[b".", path.as_bytes()].concat());
    pax::push(records, b"GNU.sparse.realsize", size.to_string().as_bytes());
}

/// The map that stands before the data of a sparse file in PAX form 1.0.
fn pax_map(content: &Content) -> Vec<u8> {
    let runs = map(content);
    let mut text = format!("{}\n", runs.len());
    for (offset, len) in runs {
        text += &format!("{offset}\n{len}\n");
    }
    let mut text = text.into_bytes();
    text.resize(text.len().next_multiple_of(BLOCK), 0);
    text
}
