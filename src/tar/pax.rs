//! PAX extended headers: length-counted records to typed attributes of the member that follows, and back.

use std::borrow::Cow;

use super::Fault;
use crate::tree::{Timestamp, Xattrs};

/// Prefix of extended attributes, as star introduced it and GNU tar and bsdtar write it.
const XATTR: &[u8] = b"SCHILY.xattr.";

/// The same attributes again, in base 64, beside [`XATTR`] in archives of bsdtar.
const XATTR_LIBARCHIVE: &[u8] = b"LIBARCHIVE.xattr.";

/// Says that the names in the same header are bytes of no encoding. bsdtar needs it; GNU tar remarks on it and goes on.
pub(super) const BINARY: &[u8] = b"21 hdrcharset=BINARY\n";

/// Longest value that Linux stores.
const MAX_XATTR: usize = 65_536;

/// What extended headers say about a member; `None` leaves it to the header.
#[derive(Clone, Debug, Default)]
pub(super) struct Extended<'a> {
    pub(super) path: Option<&'a [u8]>,
    pub(super) link: Option<&'a [u8]>,
    pub(super) size: Option<u64>,
    pub(super) uid: Option<u32>,
    pub(super) gid: Option<u32>,
    pub(super) user: Option<&'a [u8]>,
    pub(super) group: Option<&'a [u8]>,
    pub(super) mtime: Option<Timestamp>,
    pub(super) xattrs: Xattrs,
    /// Keywords that say in base 64 what a keyword of [`XATTR`] says, too.
    copies: Vec<&'a [u8]>,
    pub(super) sparse: Sparse<'a>,
}

/// GNU tar's description of a sparse file, not yet checked.
#[derive(Clone, Debug, Default)]
pub(super) struct Sparse<'a> {
    pub(super) major: Option<u64>,
    pub(super) minor: Option<u64>,
    pub(super) name: Option<&'a [u8]>,
    /// Length of the file, holes included.
    pub(super) size: Option<u64>,
    /// Offsets and lengths by turns.
    pub(super) map: Vec<u64>,
}

impl<'a> Extended<'a> {
    /// Takes over the records of one extended header, later ones over earlier ones.
    pub(super) fn apply(&mut self, body: &'a [u8]) -> Result<(), Fault> {
        let mut at = 0;
        while at < body.len() {
            let (keyword, value, len) = record(&body[at..]).ok_or(Fault::PaxRecord(at))?;
            self.set(keyword, value)?;
            at += len;
        }
        // Alone, a copy would be lost.
        match self.copies.iter().find(|copy| !self.xattrs.contains_key(&*unquote(&copy[XATTR_LIBARCHIVE.len()..]))) {
            Some(copy) => Err(Fault::PaxKeyword((*copy).into())),
            None => Ok(()),
        }
    }

    // table: one line a keyword
    fn set(&mut self, keyword: &'a [u8], value: &'a [u8]) -> Result<(), Fault> {
        let bad = || Fault::PaxValue { keyword: keyword.into(), value: value[..value.len().min(80)].into() };
        // An empty value takes back what a global header said.
        let text = (!value.is_empty()).then_some(value);
        let number = || if value.is_empty() { Ok(None) } else { decimal(value).ok_or_else(bad).map(Some) };
        let id = || number()?.map(|id| u32::try_from(id).map_err(|_| bad())).transpose();
        match keyword {
            b"path" => self.path = text,
            b"linkpath" => self.link = text,
            b"size" => self.size = number()?,
            b"uid" => self.uid = id()?,
            b"gid" => self.gid = id()?,
            b"uname" => self.user = text,
            b"gname" => self.group = text,
            b"mtime" => self.mtime = text.map(|text| time(text).ok_or_else(bad)).transpose()?,
            b"GNU.sparse.major" => self.sparse.major = number()?,
            b"GNU.sparse.minor" => self.sparse.minor = number()?,
            b"GNU.sparse.name" => self.sparse.name = text,
            b"GNU.sparse.size" | b"GNU.sparse.realsize" => self.sparse.size = number()?,
            b"GNU.sparse.offset" | b"GNU.sparse.numbytes" => self.sparse.map.extend(number()?),
            b"GNU.sparse.map" => {
                let numbers: Option<Vec<u64>> = value.split(|&b| b == b',').map(decimal).collect();
                self.sparse.map = numbers.ok_or_else(bad)?;
            }
            // The map itself has the count; times other than mtime, device and inode numbers and remarks belong to no image.
            b"GNU.sparse.numblocks"
            | b"atime"
            | b"ctime"
            | b"comment"
            | b"LIBARCHIVE.creationtime"
            | b"SCHILY.dev"
            | b"SCHILY.ino"
            | b"SCHILY.nlink" => {}
            b"hdrcharset" if matches!(value, b"BINARY" | b"ISO-IR 10646 2000 UTF-8") => {}
            _ if keyword.starts_with(XATTR_LIBARCHIVE) => self.copies.push(keyword),
            _ => {
                let name = keyword.strip_prefix(XATTR).ok_or_else(|| Fault::PaxKeyword(keyword.into()))?;
                let name = unquote(name);
                if name.is_empty() || name.len() > 255 || value.len() > MAX_XATTR {
                    return Err(bad());
                }
                self.xattrs.insert(name.into(), value.into());
            }
        }
        Ok(())
    }
}

/// Keyword, value and length of the record that `bytes` begin with: `LENGTH KEYWORD=VALUE\n`, LENGTH counting all of it. The
/// value is cut by the count alone, as it may hold any byte.
fn record(bytes: &[u8]) -> Option<(&[u8], &[u8], usize)> {
    let blank = bytes.iter().take(20).position(|&b| b == b' ')?;
    let len = usize::try_from(decimal(&bytes[..blank])?).ok()?;
    let (last, inside) = bytes.get(blank + 1..len)?.split_last()?;
    let equals = memchr::memchr(b'=', inside)?;
    (*last == b'\n' && equals > 0).then_some((&inside[..equals], &inside[equals + 1..], len))
}

/// Appends a record.
pub(super) fn push(out: &mut Vec<u8>, keyword: &[u8], value: &[u8]) {
    // The length counts its own digits.
    let rest = keyword.len() + value.len() + 3;
    let mut len = rest + 1;
    while len != rest + len.to_string().len() {
        len += 1;
    }
    out.extend_from_slice(len.to_string().as_bytes());
    out.push(b' ');
    out.extend_from_slice(keyword);
    out.push(b'=');
    out.extend_from_slice(value);
    out.push(b'\n');
}

/// Keyword of an extended attribute. A keyword ends at the first `=`, so GNU tar quotes that, and the quoting character.
pub(super) fn xattr_keyword(name: &[u8]) -> Vec<u8> {
    let mut keyword = XATTR.to_vec();
    for &byte in name {
        match byte {
            b'%' => keyword.extend_from_slice(b"%25"),
            b'=' => keyword.extend_from_slice(b"%3D"),
            byte => keyword.push(byte),
        }
    }
    keyword
}

fn unquote(mut name: &[u8]) -> Cow<'_, [u8]> {
    if !name.contains(&b'%') {
        return name.into();
    }
    let mut plain = Vec::with_capacity(name.len());
    while let Some((&first, rest)) = name.split_first() {
        let (byte, rest) = match name {
            [b'%', b'2', b'5', rest @ ..] => (b'%', rest),
            [b'%', b'3', b'D', rest @ ..] => (b'=', rest),
            _ => (first, rest),
        };
        plain.push(byte);
        name = rest;
    }
    plain.into()
}

pub(super) fn decimal(text: &[u8]) -> Option<u64> {
    if text.is_empty() || text.len() > 20 {
        return None;
    }
    text.iter().try_fold(0_u64, |value, &byte| {
        let digit = byte.checked_sub(b'0').filter(|digit| *digit < 10)?;
        value.checked_mul(10)?.checked_add(u64::from(digit))
    })
}

/// `[-]SECONDS[.FRACTION]`; digits beyond nanoseconds round down, as time does.
fn time(text: &[u8]) -> Option<Timestamp> {
    let (negative, text) = text.strip_prefix(b"-").map_or((false, text), |rest| (true, rest));
    let (whole, fraction) = match memchr::memchr(b'.', text) {
        Some(dot) => (&text[..dot], &text[dot + 1..]),
        None => (text, [].as_slice()),
    };
    let seconds = i64::try_from(decimal(whole)?).ok()?;
    if !fraction.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let digit = |place: usize| u32::from(fraction.get(place).map_or(0, |digit| digit - b'0'));
    let nanoseconds = (0..9).fold(0, |value, place| value * 10 + digit(place));
    if !negative {
        return Some(Timestamp { seconds, nanoseconds });
    }
    let rest = fraction.iter().skip(9).any(|&digit| digit != b'0');
    let below = nanoseconds + u32::from(rest);
    if below == 0 {
        return Some(Timestamp { seconds: -seconds, nanoseconds: 0 });
    }
    Some(Timestamp { seconds: -seconds - 1, nanoseconds: 1_000_000_000 - below })
}

/// The text that [`time`] reads back.
pub(super) fn format_time(time: Timestamp) -> String {
    let Timestamp { seconds, nanoseconds } = time;
    match (seconds, nanoseconds) {
        (_, 0) => seconds.to_string(),
        (0.., _) => format!("{seconds}.{nanoseconds:09}"),
        (..0, _) => format!("-{}.{:09}", -(seconds + 1), 1_000_000_000 - nanoseconds),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        let check = |text: &str, expect: Option<(i64, u32)>| {
            let expect = expect.map(|(seconds, nanoseconds)| Timestamp { seconds, nanoseconds });
            assert_eq!(time(text.as_bytes()), expect, "{text}");
            if let Some(expect) = expect {
                assert_eq!(time(format_time(expect).as_bytes()), Some(expect), "{text}");
            }
        };
        check("0", Some((0, 0)));
        check("12.5", Some((12, 500_000_000)));
        check("12.0000000019", Some((12, 1)));
        check("-5", Some((-5, 0)));
        check("-5.25", Some((-6, 750_000_000)));
        check("-0.5", Some((-1, 500_000_000)));
        check("-1.0000000001", Some((-2, 999_999_999)));
        check("-0", Some((0, 0)));
        check("4102444800.999999999", Some((4_102_444_800, 999_999_999)));
        check("", None);
        check("-", None);
        check("1.2x", None);
        check("9223372036854775808", None);
    }

    #[test]
    fn lengths_count_themselves() {
        for len in [1, 85, 90, 91, 92, 93, 94, 990, 991, 992, 993, 994] {
            let mut out = Vec::new();
            push(&mut out, b"path", &vec![b'x'; len]);
            assert_eq!(record(&out).map(|(_, value, total)| (value.len(), total)), Some((len, out.len())));
        }
    }

    #[test]
    fn records() {
        let check = |body: &[u8], expect: Result<(), Fault>| {
            assert_eq!(Extended::default().apply(body), expect, "{}", body.escape_ascii());
        };
        check(b"", Ok(()));
        check(b"12 path=a/b\n", Ok(()));
        check(b"11 path=a/b\n", Err(Fault::PaxRecord(0)));
        check(b"13 path=a/b\n", Err(Fault::PaxRecord(0)));
        check(b"12 path=a/b\n9 uid=77\n8 x\n", Err(Fault::PaxRecord(21)));
        check(b"99999999999999999999 path=a\n", Err(Fault::PaxRecord(0)));
        check(b"3 \n", Err(Fault::PaxRecord(0)));
        check(b"5 =a\n", Err(Fault::PaxRecord(0)));
        check(
            b"18 uid=4294967296\n",
            Err(Fault::PaxValue { keyword: (*b"uid").into(), value: (*b"4294967296").into() }),
        );
        check(b"29 SCHILY.acl.access=user::r\n", Err(Fault::PaxKeyword((*b"SCHILY.acl.access").into())));
        check(b"31 LIBARCHIVE.xattr.user.a=YQ==\n", Err(Fault::PaxRecord(0)));
        check(b"32 LIBARCHIVE.xattr.user.a=YQ==\n", Err(Fault::PaxKeyword((*b"LIBARCHIVE.xattr.user.a").into())));

        let mut extended = Extended::default();
        extended.apply(b"31 SCHILY.xattr.user.a=\n=\n\0\xff\nx\n").expect("a newline inside a value");
        assert_eq!(extended.xattrs.get(b"user.a".as_slice()).map(|v| &**v), Some(b"\n=\n\0\xff\nx".as_slice()));
        let mut written = Vec::new();
        push(&mut written, &xattr_keyword(b"user.%=%3D"), b"\n");
        extended.apply(&written).expect("a quoted name");
        assert!(extended.xattrs.contains_key(b"user.%=%3D".as_slice()), "{}", written.escape_ascii());
        extended.apply(b"8 uid=7\n7 uid=\n").expect("an empty value");
        assert_eq!(extended.uid, None);
    }
}
