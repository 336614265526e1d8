//! A .deb file to its two tar members, as deb(5) has it: an ar archive of `debian-binary`, `control.tar*`, `data.tar*`.

use bytes::Bytes;

use super::compress::Compression;

const MAGIC: &[u8] = b"!<arch>\n";
const HEADER: usize = 60;
const HEADER_END: &[u8] = b"`\n";

/// The parts of a package, as ranges of its bytes, still compressed.
#[derive(Clone, Debug)]
pub struct Archive {
    pub control: Part,
    pub data: Part,
}

/// One compressed tar archive.
#[derive(Clone, Debug)]
pub struct Part {
    pub compression: Compression,
    pub bytes: Bytes,
}

/// A file that is no package.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("not a Debian package: it does not begin with `!<arch>`")]
    Magic,
    #[error("the package ends inside the member header at byte {offset}")]
    TruncatedHeader { offset: usize },
    #[error("member `{}` at byte {offset} says {size} bytes, {left} are left", name.escape_ascii())]
    TruncatedMember { name: Box<[u8]>, offset: usize, size: u64, left: usize },
    #[error("malformed member header at byte {offset}: {field} is `{}`", value.escape_ascii())]
    Header { offset: usize, field: &'static str, value: Box<[u8]> },
    #[error("expected member `{expected}` at byte {offset}, found `{}`", found.escape_ascii())]
    Order { expected: &'static str, offset: usize, found: Box<[u8]> },
    #[error("member `{expected}` is missing")]
    Missing { expected: &'static str },
    #[error("format version `{}`, expected 2.x", .0.escape_ascii())]
    Version(Box<[u8]>),
    #[error("unsupported compression of member `{}` at byte {offset}", name.escape_ascii())]
    Compression { name: Box<[u8]>, offset: usize },
}

/// Splits a package. Members whose names begin with `_` are passed over before the data, and any after it, as deb(5) asks.
pub fn read(deb: &Bytes) -> Result<Archive, Error> {
    if !deb.starts_with(MAGIC) {
        return Err(Error::Magic);
    }
    let mut reader = Reader { deb, at: MAGIC.len() };
    let version = reader.expect("debian-binary", |name| name == b"debian-binary")?;
    check_version(&version.bytes)?;
    let control = reader.part("control.tar", b"control.tar")?;
    let data = reader.part("data.tar", b"data.tar")?;
    while reader.next()?.is_some() {}
    Ok(Archive { control, data })
}

/// Later minor versions and lines after the first are allowed to exist.
fn check_version(bytes: &[u8]) -> Result<(), Error> {
    let line = bytes.split(|&b| b == b'\n').next().unwrap_or_default();
    let minor = line.strip_prefix(b"2.").unwrap_or_default();
    if bytes.contains(&b'\n') && !minor.is_empty() && minor.iter().all(u8::is_ascii_digit) {
        return Ok(());
    }
    Err(Error::Version(line[..line.len().min(40)].into()))
}

struct Reader<'a> {
    deb: &'a Bytes,
    at: usize,
}

struct Member<'a> {
    name: &'a [u8],
    offset: usize,
    bytes: Bytes,
}

impl<'a> Reader<'a> {
    fn next(&mut self) -> Result<Option<Member<'a>>, Error> {
        let offset = self.at;
        if offset == self.deb.len() {
            return Ok(None);
        }
        let header = self.deb[offset..].get(..HEADER).ok_or(Error::TruncatedHeader { offset })?;
        let bad = |field, value: &[u8]| Error::Header { offset, field, value: value.into() };
        if !header.ends_with(HEADER_END) {
            return Err(bad("its end", &header[58..]));
        }
        let name = trim_blanks(&header[..16]);
        let name = name.strip_suffix(b"/").unwrap_or(name);
        if name.is_empty() || name.iter().any(|b| !b.is_ascii_graphic() || *b == b'/') {
            return Err(bad("name", &header[..16]));
        }
        let size = decimal(trim_blanks(&header[48..58])).ok_or_else(|| bad("size", &header[48..58]))?;
        let start = offset + HEADER;
        let left = self.deb.len() - start;
        if size > left as u64 {
            return Err(Error::TruncatedMember { name: name.into(), offset, size, left });
        }
        let end = start + size as usize;
        // Members begin at even bytes; the last one's padding may be left out.
        self.at = end.next_multiple_of(2).min(self.deb.len());
        if self.deb[end..self.at].iter().any(|&b| b != b'\n') {
            return Err(bad("padding", &self.deb[end..self.at]));
        }
        Ok(Some(Member { name, offset, bytes: self.deb.slice(start..end) }))
    }

    fn expect(&mut self, expected: &'static str, accept: impl Fn(&[u8]) -> bool) -> Result<Member<'a>, Error> {
        loop {
            let member = self.next()?.ok_or(Error::Missing { expected })?;
            if accept(member.name) {
                return Ok(member);
            }
            if expected == "debian-binary" || !member.name.starts_with(b"_") {
                return Err(Error::Order { expected, offset: member.offset, found: member.name.into() });
            }
        }
    }

    fn part(&mut self, expected: &'static str, stem: &[u8]) -> Result<Part, Error> {
        let member = self.expect(expected, |name| name.starts_with(stem))?;
        let compression = match &member.name[stem.len()..] {
            b"" => Compression::None,
            b".gz" => Compression::Gzip,
            b".xz" => Compression::Xz,
            b".zst" => Compression::Zstd,
            _ => return Err(Error::Compression { name: member.name.into(), offset: member.offset }),
        };
        Ok(Part { compression, bytes: member.bytes })
    }
}

fn trim_blanks(field: &[u8]) -> &[u8] {
    let end = field.iter().rposition(|&b| b != b' ').map_or(0, |last| last + 1);
    &field[..end]
}

/// Up to ten digits.
fn decimal(text: &[u8]) -> Option<u64> {
    std::str::from_utf8(text).ok().filter(|text| text.bytes().all(|b| b.is_ascii_digit()))?.parse().ok()
}
