//! What OpenSSL finds a certificate by in a folder: the hash of its subject (RFC 5280 4.1; DER: X.690; the form of the name that
//! is hashed: x509_name_hash, since OpenSSL 1.0).
//!
//! Only as much of DER is read as leads to a name. Lengths are checked against what is there, and nothing recurses.

use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use sha1::{Digest, Sha1};

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const INTEGER: u8 = 0x02;
/// `[0] EXPLICIT Version`.
const VERSION: u8 = 0xa0;

const UTF8_STRING: u8 = 12;
const PRINTABLE_STRING: u8 = 19;
const T61_STRING: u8 = 20;
const IA5_STRING: u8 = 22;
const VISIBLE_STRING: u8 = 26;
const UNIVERSAL_STRING: u8 = 28;
const BMP_STRING: u8 = 30;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::RequireCanonical),
);

/// What a block of a PEM file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Certificate,
    RevocationList,
}

/// A certificate or a revocation list, as a folder is searched for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub kind: Kind,
    /// Of a certificate's subject or a list's issuer.
    pub hash: u32,
    /// SHA-1 of the whole.
    pub fingerprint: [u8; 20],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("a PEM block has no end")]
    Unended,
    #[error("a PEM block is not base64")]
    Base64,
    #[error("malformed certificate or list")]
    Der,
}

/// The certificates and lists of a PEM file, in its order; blocks of other kinds, and what is between them, don't count.
pub fn pem(text: &[u8]) -> Result<Vec<Entry>, Error> {
    let mut entries = Vec::new();
    let mut lines = text.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii_end);
    while let Some(line) = lines.next() {
        let Some(label) = line.strip_prefix(b"-----BEGIN ").and_then(|rest| rest.strip_suffix(b"-----")) else {
            continue;
        };
        let end = [b"-----END ", label, b"-----"].concat();
        let mut digits = Vec::new();
        loop {
            match lines.next() {
                None => return Err(Error::Unended),
                Some(line) if line == end => break,
                Some(line) => digits.extend_from_slice(line),
            }
        }
        let kind = match label {
            b"CERTIFICATE" | b"X509 CERTIFICATE" | b"TRUSTED CERTIFICATE" => Kind::Certificate,
            b"X509 CRL" => Kind::RevocationList,
            _ => continue,
        };
        let der = BASE64.decode(digits).map_err(|_| Error::Base64)?;
        entries.push(entry(kind, &der).ok_or(Error::Der)?);
    }
    Ok(entries)
}

fn entry(kind: Kind, der: &[u8]) -> Option<Entry> {
    let mut rest = der;
    let (_, body) = take(&mut rest, SEQUENCE)?;
    // A trusted certificate has more behind it, which is not part of it.
    let whole = &der[..der.len() - rest.len()];
    let (_, mut signed) = take(&mut &*body, SEQUENCE)?;
    let name = match kind {
        Kind::Certificate => subject(&mut signed),
        Kind::RevocationList => issuer(&mut signed),
    }?;
    let digest = Sha1::digest(canonical(name)?);
    let hash = u32::from_le_bytes([digest[0], digest[1], digest[2], digest[3]]);
    Some(Entry { kind, hash, fingerprint: Sha1::digest(whole).into() })
}

/// RFC 5280 4.1: version, serial number, signature, issuer, validity, subject.
fn subject<'a>(certificate: &mut &'a [u8]) -> Option<&'a [u8]> {
    if certificate.first() == Some(&VERSION) {
        take(certificate, VERSION)?;
    }
    take(certificate, INTEGER)?;
    for _ in 0..3 {
        take(certificate, SEQUENCE)?;
    }
    take(certificate, SEQUENCE).map(|(_, name)| name)
}

/// RFC 5280 5.1: version, signature, issuer.
fn issuer<'a>(list: &mut &'a [u8]) -> Option<&'a [u8]> {
    if list.first() == Some(&INTEGER) {
        take(list, INTEGER)?;
    }
    take(list, SEQUENCE)?;
    take(list, SEQUENCE).map(|(_, name)| name)
}

/// The next element, which must have this tag: its head together with its content, and its content.
fn take<'a>(bytes: &mut &'a [u8], tag: u8) -> Option<(&'a [u8], &'a [u8])> {
    let (found, whole, content) = next(bytes)?;
    (found == tag).then_some((whole, content))
}

/// The next element: tag, head together with content, content. Tags of more than a byte do not occur in names.
fn next<'a>(bytes: &mut &'a [u8]) -> Option<(u8, &'a [u8], &'a [u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, mut rest) = rest.split_first()?;
    let length = match first {
        0..=0x7f => usize::from(first),
        0x81..=0x84 => {
            let (digits, after) = rest.split_at_checked(usize::from(first & 0x7f))?;
            rest = after;
            digits.iter().fold(0_usize, |length, digit| length << 8 | usize::from(*digit))
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    let whole = &bytes[..bytes.len() - rest.len()];
    *bytes = rest;
    Some((tag, whole, content))
}

/// A name with its strings made comparable: its sets one after the other, without the sequence around them.
fn canonical(mut name: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    while !name.is_empty() {
        let (_, mut set) = take(&mut name, SET)?;
        let mut attributes = Vec::new();
        while !set.is_empty() {
            let (_, mut attribute) = take(&mut set, SEQUENCE)?;
            let (_, kind, _) = next(&mut attribute)?;
            let (tag, whole, content) = next(&mut attribute)?;
            let value = match folded(tag, content)? {
                Some(text) => element(UTF8_STRING, &text),
                None => whole.to_vec(),
            };
            attributes.push(element(SEQUENCE, &[kind, &value].concat()));
        }
        // X.690 11.6: the members of a set are in the order of their bytes.
        attributes.sort();
        out.extend(element(SET, &attributes.concat()));
    }
    Some(out)
}

fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let digits = &length[length.iter().take_while(|byte| **byte == 0).count()..];
    let mut out = vec![tag];
    match content.len() {
        short @ 0..=0x7f => out.extend(u8::try_from(short)),
        _ => {
            out.extend(u8::try_from(digits.len()).map(|count| 0x80 | count));
            out.extend_from_slice(digits);
        }
    }
    out.extend_from_slice(content);
    out
}

/// A string as UTF-8, its ASCII letters small, its blanks single; `None` inside for what is no string.
fn folded(tag: u8, content: &[u8]) -> Option<Option<Vec<u8>>> {
    let text: String = match tag {
        UTF8_STRING => std::str::from_utf8(content).ok()?.to_owned(),
        PRINTABLE_STRING | T61_STRING | IA5_STRING | VISIBLE_STRING => {
            content.iter().map(|&byte| char::from(byte)).collect()
        }
        BMP_STRING => wide::<2>(content)?,
        UNIVERSAL_STRING => wide::<4>(content)?,
        _ => return Some(None),
    };
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t'..=b'\r');
    let words = text.as_bytes().split(is_blank).filter(|word| !word.is_empty());
    let mut out = Vec::with_capacity(text.len());
    for word in words {
        if !out.is_empty() {
            out.push(b' ');
        }
        out.extend(word.iter().map(u8::to_ascii_lowercase));
    }
    Some(Some(out))
}

/// Characters of a fixed number of bytes.
fn wide<const N: usize>(content: &[u8]) -> Option<String> {
    let (characters, rest) = content.as_chunks::<N>();
    let decode = |bytes: &[u8; N]| char::from_u32(bytes.iter().fold(0, |code, byte| code << 8 | u32::from(*byte)));
    if rest.is_empty() { characters.iter().map(decode).collect() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_folded() {
        let check = |tag, content: &[u8], expect: Option<Option<&str>>| {
            let expect = expect.map(|text| text.map(|text| text.as_bytes().to_vec()));
            assert_eq!(folded(tag, content), expect, "{tag} {}", content.escape_ascii());
        };
        check(PRINTABLE_STRING, b"  Hello \t World ", Some(Some("hello world")));
        check(UTF8_STRING, "\u{c4}B  C".as_bytes(), Some(Some("\u{c4}b c")));
        check(UTF8_STRING, b"\xff", None);
        check(T61_STRING, b"\xc4", Some(Some("\u{c4}")));
        check(BMP_STRING, b"\0A\0 ", Some(Some("a")));
        check(BMP_STRING, b"\0A\0", None);
        check(UNIVERSAL_STRING, b"\0\0\0A", Some(Some("a")));
        check(3, b"bits", Some(None));
    }

    #[test]
    fn lengths_are_checked() {
        for bytes in [
            &b"\x30"[..],
            b"\x30\x01",
            b"\x30\x80",
            b"\x30\x85\0\0\0\0\0",
            b"\x30\x82\x01",
            b"\x30\x84\xff\xff\xff\xff",
        ] {
            assert_eq!(next(&mut &*bytes), None, "{}", bytes.escape_ascii());
        }
        assert_eq!(next(&mut &b"\x04\x81\x01xy"[..]), Some((4, &b"\x04\x81\x01x"[..], &b"x"[..])));
        assert_eq!(element(4, &[7; 200])[..4], [4, 0x81, 200, 7]);
    }
}
