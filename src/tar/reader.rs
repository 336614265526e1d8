//! The bytes of an archive to its members, without copying contents.

use bytes::Bytes;
use zerocopy::FromBytes;

use super::{
    Error, Fault, Kind, Member,
    format::{BLOCK, GnuTail, Header, MAGIC_GNU, MAGIC_POSIX, MAGIC_V7, Prefix, text},
    number,
    pax::Extended,
    sparse::Map,
};
use crate::tree::{Content, Device, Stat, Timestamp, TreePath};

/// Longest extended header or long name, in bytes; real ones stay below the attributes of one inode.
pub(super) const MAX_EXTENDED: u64 = 1 << 20;

/// Longest path and longest target of a symbolic link on Linux.
const MAX_PATH: usize = 4095;

/// All members, in the archive's order.
pub fn members(archive: &Bytes) -> Result<Vec<Member>, Error> {
    let mut reader = Reader { archive, at: 0, start: 0, name: Box::default(), global: Extended::default() };
    let mut members = Vec::new();
    loop {
        match reader.member() {
            Ok(Some(member)) => members.push(member),
            Ok(None) => return Ok(members),
            Err(fault) => return Err(Error { name: reader.name, offset: reader.start as u64, fault }),
        }
    }
}

struct Reader<'a> {
    archive: &'a Bytes,
    at: usize,
    /// Of the header being read.
    start: usize,
    /// The best known name of the member being read.
    name: Box<[u8]>,
    global: Extended<'a>,
}

/// What stands before a member's own header.
#[derive(Default)]
struct Before<'a> {
    any: bool,
    long_name: Option<&'a [u8]>,
    long_link: Option<&'a [u8]>,
}

impl<'a> Reader<'a> {
    /// The next member; `None` at the end mark.
    fn member(&mut self) -> Result<Option<Member>, Fault> {
        let first = self.at;
        let mut extended = self.global.clone();
        let mut before = Before::default();
        self.name = Box::default();
        loop {
            self.start = self.at;
            let Some(header) = self.header()? else {
                return if before.any { Err(Fault::Dangling) } else { Ok(None) };
            };
            match header.typeflag {
                b'g' => {
                    let body = self.extended(header)?;
                    self.global.apply(body)?;
                    extended.apply(body)?;
                    continue;
                }
                b'x' => extended.apply(self.extended(header)?)?,
                b'L' => before.long_name = Some(text(self.extended(header)?)),
                b'K' => before.long_link = Some(text(self.extended(header)?)),
                _ => return self.finish(header, &extended, &before, first).map(Some),
            }
            before.any = true;
        }
    }

    /// The next header, its checksum verified; `None` at the end mark, behind which everything must be zero.
    fn header(&mut self) -> Result<Option<&'a Header>, Fault> {
        if self.at == self.archive.len() {
            return Err(Fault::NoEnd);
        }
        let block = self.block()?;
        if block.iter().all(|&b| b == 0) {
            let rest = &self.archive[self.at..];
            return if rest.iter().all(|&b| b == 0) { Ok(None) } else { Err(Fault::Trailing) };
        }
        let header = Header::ref_from_bytes(block).expect("a block is as long as a header");
        let computed = header.checksum();
        let stored = unsigned("chksum", &header.chksum)?;
        if stored != computed {
            return Err(Fault::Checksum { stored, computed });
        }
        self.name = self.header_name(header)?.into();
        Ok(Some(header))
    }

    fn block(&mut self) -> Result<&'a [u8], Fault> {
        let block = self.archive.get(self.at..self.at + BLOCK).ok_or(Fault::Truncated)?;
        self.at += BLOCK;
        Ok(block)
    }

    /// `size` bytes of contents and their padding.
    fn body(&mut self, size: u64) -> Result<&'a [u8], Fault> {
        let size = usize::try_from(size).map_err(|_| Fault::Truncated)?;
        let body = self.archive[self.at..].get(..size).ok_or(Fault::Truncated)?;
        let padded = size.checked_next_multiple_of(BLOCK).ok_or(Fault::Truncated)?;
        self.at = self.at.checked_add(padded).filter(|end| *end <= self.archive.len()).ok_or(Fault::Truncated)?;
        Ok(body)
    }

    fn extended(&mut self, header: &Header) -> Result<&'a [u8], Fault> {
        let size = unsigned("size", &header.size)?;
        if size > MAX_EXTENDED {
            return Err(Fault::ExtendedTooLong(size));
        }
        self.body(size)
    }

    fn header_name(&self, header: &Header) -> Result<Vec<u8>, Fault> {
        let name = text(&header.name);
        match &header.magic {
            MAGIC_POSIX => {
                let tail = Prefix::ref_from_bytes(&header.tail).expect("a prefix is as long as the tail");
                let prefix = text(&tail.prefix);
                Ok(if prefix.is_empty() { name.to_vec() } else { [prefix, b"/", name].concat() })
            }
            MAGIC_GNU | MAGIC_V7 => Ok(name.to_vec()),
            other => Err(Fault::Magic(other.as_slice().into())),
        }
    }

    fn finish(
        &mut self,
        header: &'a Header,
        extended: &Extended<'a>,
        before: &Before<'a>,
        first: usize,
    ) -> Result<Member, Fault> {
        let name = extended.sparse.name.or(extended.path).or(before.long_name);
        if let Some(name) = name {
            self.name = name.into();
        }
        let path = relative(&self.name)?;
        let kind = self.kind(header, extended, before)?;
        if path.is_root() && kind != Kind::Directory {
            return Err(Fault::Path(crate::tree::Errno::IsDirectory));
        }
        Ok(Member {
            path,
            stat: stat(header, extended)?,
            user: self.archive.slice_ref(extended.user.unwrap_or(text(&header.uname))),
            group: self.archive.slice_ref(extended.group.unwrap_or(text(&header.gname))),
            kind,
            offset: first as u64,
        })
    }

    fn kind(&mut self, header: &'a Header, extended: &Extended<'a>, before: &Before<'a>) -> Result<Kind, Fault> {
        let size = extended.size.map_or_else(|| unsigned("size", &header.size), Ok)?;
        let link = extended.link.or(before.long_link).unwrap_or_else(|| text(&header.linkname));
        let empty = |kind| if size == 0 { Ok(()) } else { Err(Fault::UnexpectedContent { kind, size }) };
        match header.typeflag {
            // Before POSIX a directory was a file whose name ends in a slash.
            b'0' | 0 if self.name.ends_with(b"/") => empty("directory").map(|()| Kind::Directory),
            b'0' | b'7' | 0 => Ok(Kind::Regular(self.regular(size, extended)?)),
            b'S' => Ok(Kind::Regular(self.gnu_sparse(size, header)?)),
            b'1' => {
                empty("hard link")?;
                Ok(Kind::HardLink(relative(link).map_err(|_| Fault::HardLinkTarget(link.into()))?))
            }
            b'2' => {
                empty("symbolic link")?;
                if link.is_empty() || link.len() > MAX_PATH || link.contains(&0) {
                    return Err(Fault::SymlinkTarget(link.len()));
                }
                Ok(Kind::Symlink(self.archive.slice_ref(link)))
            }
            b'3' => empty("character device").and_then(|()| Ok(Kind::CharDevice(device(header)?))),
            b'4' => empty("block device").and_then(|()| Ok(Kind::BlockDevice(device(header)?))),
            b'5' => empty("directory").map(|()| Kind::Directory),
            b'6' => empty("fifo").map(|()| Kind::Fifo),
            other => Err(Fault::Type(other)),
        }
    }

    fn regular(&mut self, size: u64, extended: &Extended<'a>) -> Result<Content, Fault> {
        let mut data = self.archive.slice_ref(self.body(size)?);
        let sparse = &extended.sparse;
        if sparse.size.is_none() && sparse.major.is_none() && sparse.map.is_empty() {
            return Ok(data.into());
        }
        Map::from_pax(sparse, &mut data)?.content(&data)
    }

    fn gnu_sparse(&mut self, size: u64, header: &Header) -> Result<Content, Fault> {
        let tail = GnuTail::ref_from_bytes(&header.tail).expect("a GNU tail is as long as the tail");
        if header.magic != *MAGIC_GNU {
            return Err(Fault::Type(header.typeflag));
        }
        let map = Map::from_gnu(tail, || Ok(self.block()?.try_into().expect("a block has a block's length")))?;
        let data = self.archive.slice_ref(self.body(size)?);
        map.content(&data)
    }
}

/// A path of the archive: below its root, wherever that will be.
fn relative(name: &[u8]) -> Result<TreePath, Fault> {
    if name.starts_with(b"/") {
        return Err(Fault::Absolute);
    }
    if name.is_empty() {
        return Err(Fault::Path(crate::tree::Errno::NotFound));
    }
    if name.len() > MAX_PATH {
        return Err(Fault::Path(crate::tree::Errno::NameTooLong));
    }
    TreePath::new(name).map_err(Fault::Path)
}

fn stat(header: &Header, extended: &Extended<'_>) -> Result<Stat, Fault> {
    let id = |name, field: &[u8]| {
        let value = signed(name, field)?;
        u32::try_from(value).map_err(|_| Fault::Range { field: name, value })
    };
    // Some writers put the type of the file above the twelve bits of permission.
    let mode = (unsigned("mode", &header.mode)? & 0o7777) as u16;
    Ok(Stat {
        mode,
        uid: extended.uid.map_or_else(|| id("uid", &header.uid), Ok)?,
        gid: extended.gid.map_or_else(|| id("gid", &header.gid), Ok)?,
        mtime: extended.mtime.map_or_else(|| signed("mtime", &header.mtime).map(Timestamp::from_seconds), Ok)?,
        xattrs: extended.xattrs.clone(),
    })
}

fn device(header: &Header) -> Result<Device, Fault> {
    let part = |name, field: &[u8]| {
        let value = unsigned(name, field)?;
        u32::try_from(value).map_err(|_| Fault::Number { field: name, value: field.into() })
    };
    Ok(Device { major: part("devmajor", &header.devmajor)?, minor: part("devminor", &header.devminor)? })
}

fn signed(field: &'static str, bytes: &[u8]) -> Result<i64, Fault> {
    number::parse(bytes).ok_or_else(|| Fault::Number { field, value: bytes.into() })
}

fn unsigned(field: &'static str, bytes: &[u8]) -> Result<u64, Fault> {
    let value = signed(field, bytes)?;
    u64::try_from(value).map_err(|_| Fault::Range { field, value })
}
