//! Version numbers of packages, ordered exactly as dpkg orders them (deb-version(7)).

use std::{cmp::Ordering, fmt, str::FromStr};

/// `[epoch:]upstream[-revision]`, valid by dpkg's strict rules.
///
/// Two versions that are written differently can be equal (`1.0` and `1.00`, `1` and `0:1-0`); [`Version::as_str`] tells them apart.
#[derive(Clone)]
pub struct Version(Box<str>);

/// Why a text is not a version, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("version `{version}`: {fault} at byte {offset}")]
pub struct Error {
    pub version: Box<str>,
    /// From the start of the text.
    pub offset: usize,
    #[source]
    pub fault: Fault,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("no version")]
    Empty,
    #[error("expected an epoch below 2147483648")]
    Epoch,
    #[error("nothing after the epoch")]
    NothingAfterEpoch,
    #[error("expected a digit at the start")]
    NoDigit,
    #[error("nothing after the last hyphen")]
    EmptyRevision,
    #[error("unexpected character")]
    Character,
}

impl Version {
    pub fn new(text: &str) -> Result<Self, Error> {
        check(text.as_bytes()).map_err(|(offset, fault)| Error {
            version: text.chars().take(80).collect(),
            offset,
            fault,
        })?;
        Ok(Self(text.into()))
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Without the epoch, as in the names of files.
    pub fn without_epoch(&self) -> &str {
        self.0.split_once(':').map_or(&*self.0, |(_, rest)| rest)
    }

    /// Without epoch and revision.
    pub fn upstream(&self) -> &str {
        let rest = self.without_epoch();
        rest.rsplit_once('-').map_or(rest, |(upstream, _)| upstream)
    }
}

/// Whether a text is a valid version; if not, where and why.
pub(super) fn check(text: &[u8]) -> Result<(), (usize, Fault)> {
    if text.is_empty() {
        return Err((0, Fault::Empty));
    }
    let colon = memchr::memchr(b':', text);
    if let Some(at) = colon {
        // dpkg reads the epoch with strtol, which takes a plus sign.
        let digits = text[..at].strip_prefix(b"+").unwrap_or(&text[..at]);
        let value = std::str::from_utf8(digits).ok().filter(|d| d.bytes().all(|b| b.is_ascii_digit()));
        value.and_then(|digits| digits.parse::<i32>().ok()).ok_or((0, Fault::Epoch))?;
    }
    let start = colon.map_or(0, |at| at + 1);
    let hyphen = memchr::memrchr(b'-', &text[start..]).map(|at| start + at);
    let end = hyphen.unwrap_or(text.len());
    match text.get(start) {
        None => return Err((start, Fault::NothingAfterEpoch)),
        Some(first) if !first.is_ascii_digit() => return Err((start, Fault::NoDigit)),
        Some(_) => {}
    }
    let part = |from: usize, to: usize, allowed: &[u8]| match text[from..to]
        .iter()
        .position(|b| !b.is_ascii_alphanumeric() && !allowed.contains(b))
    {
        Some(at) => Err((from + at, Fault::Character)),
        None => Ok(()),
    };
    part(start, end, b".-+~:")?;
    match hyphen {
        Some(at) if at + 1 == text.len() => Err((at, Fault::EmptyRevision)),
        Some(at) => part(at + 1, text.len(), b".+~"),
        None => Ok(()),
    }
}

/// Orders two texts as dpkg orders the versions that they are. Any bytes have their place, so that an index can be compared
/// before it is checked; runs of digits may have any length.
pub fn compare(a: &[u8], b: &[u8]) -> Ordering {
    // Many relations ask for the very version that is there.
    if a == b {
        return Ordering::Equal;
    }
    let (epoch_a, rest_a) = epoch(a);
    let (epoch_b, rest_b) = epoch(b);
    let (upstream_a, revision_a) = revision(rest_a);
    let (upstream_b, revision_b) = revision(rest_b);
    compare_numbers(epoch_a, epoch_b)
        .then_with(|| compare_parts(upstream_a, upstream_b))
        .then_with(|| compare_parts(revision_a, revision_b))
}

fn epoch(text: &[u8]) -> (&[u8], &[u8]) {
    match memchr::memchr(b':', text) {
        Some(at) => (text[..at].strip_prefix(b"+").unwrap_or(&text[..at]), &text[at + 1..]),
        None => (b"", text),
    }
}

fn revision(text: &[u8]) -> (&[u8], &[u8]) {
    match memchr::memrchr(b'-', text) {
        Some(at) => (&text[..at], &text[at + 1..]),
        None => (text, b""),
    }
}

/// Alternates between runs without digits, compared letter by letter, and runs of digits, compared as numbers.
fn compare_parts(mut a: &[u8], mut b: &[u8]) -> Ordering {
    while !a.is_empty() || !b.is_empty() {
        let (words_a, rest_a) = run(a, |byte| !byte.is_ascii_digit());
        let (words_b, rest_b) = run(b, |byte| !byte.is_ascii_digit());
        let (number_a, after_a) = run(rest_a, u8::is_ascii_digit);
        let (number_b, after_b) = run(rest_b, u8::is_ascii_digit);
        let order = compare_words(words_a, words_b).then_with(|| compare_numbers(number_a, number_b));
        if order.is_ne() {
            return order;
        }
        (a, b) = (after_a, after_b);
    }
    Ordering::Equal
}

fn run(text: &[u8], inside: impl Fn(&u8) -> bool) -> (&[u8], &[u8]) {
    text.split_at(text.iter().position(|byte| !inside(byte)).unwrap_or(text.len()))
}

fn compare_words(a: &[u8], b: &[u8]) -> Ordering {
    let len = a.len().max(b.len());
    let weights = |text: &[u8], at: usize| weight(text.get(at).copied());
    (0..len).map(|at| weights(a, at).cmp(&weights(b, at))).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}

/// A tilde sorts before the end of the run, the end before letters, letters before everything else.
fn weight(byte: Option<u8>) -> i16 {
    match byte {
        Some(b'~') => -1,
        None => 0,
        Some(letter) if letter.is_ascii_alphabetic() => i16::from(letter),
        Some(other) => i16::from(other) + 256,
    }
}

fn compare_numbers(a: &[u8], b: &[u8]) -> Ordering {
    let significant = |digits: &'_ [u8]| digits.iter().position(|b| *b != b'0').unwrap_or(digits.len());
    let (a, b) = (&a[significant(a)..], &b[significant(b)..]);
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        compare(self.0.as_bytes(), other.0.as_bytes())
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Version {}

impl FromStr for Version {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::new(text)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order() {
        let check = |a: &str, sign: &str, b: &str| {
            let expect = match sign {
                "<" => Ordering::Less,
                "=" => Ordering::Equal,
                _ => Ordering::Greater,
            };
            let [left, right] = [a, b].map(|text| Version::new(text).expect("a version"));
            assert_eq!(left.cmp(&right), expect, "{a} {sign} {b}");
            assert_eq!(right.cmp(&left), expect.reverse(), "{b} against {a}");
            assert_eq!(left == right, expect.is_eq());
        };
        check("1", "=", "1");
        check("1.0", "=", "1.00");
        check("1", "=", "0:1-0");
        check("1", "=", "1-0");
        check("1-00", "=", "1-0");
        check("0:1", "<", "1:0");
        check("+1:2", "=", "1:2");
        check("1:2:3-1", ">", "1:2-1");
        check("10", ">", "9");
        check("1.10", ">", "1.9");
        check("1.0~rc1", "<", "1.0");
        check("1.0~rc1", "<", "1.0.1");
        check("1.0~", "<", "1.0");
        check("1.0~~a", "<", "1.0~");
        check("1.0a", ">", "1.0");
        check("1.0a", "<", "1.0+");
        check("1.0a", ">", "1.0-1a");
        check("1.0-1", "<", "1.0-1+b1");
        check("1.0-1~bpo12+1", "<", "1.0-1");
        check("1.0-1-1", ">", "1.0-1");
        check("1.0.", ">", "1.0");
        check("99999999999999999999999999", ">", "9999999999999999999999999");
        check("1.00000000000000000000000000000001", "=", "1.1");
        check("18446744073709551616", ">", "18446744073709551615");
    }

    #[test]
    fn refused() {
        let check = |text: &str, offset, fault| {
            assert_eq!(Version::new(text), Err(Error { version: text.into(), offset, fault }), "{text:?}");
        };
        check("", 0, Fault::Empty);
        check(":1", 0, Fault::Epoch);
        check("a:1", 0, Fault::Epoch);
        check("-1:1", 0, Fault::Epoch);
        check("2147483648:1", 0, Fault::Epoch);
        check("1:", 2, Fault::NothingAfterEpoch);
        check("v1", 0, Fault::NoDigit);
        check("1:-1", 2, Fault::NoDigit);
        check("1.0-", 3, Fault::EmptyRevision);
        check("1 2", 1, Fault::Character);
        check("1.0_1", 3, Fault::Character);
        check("1.0-1:1_1", 0, Fault::Epoch);
        check("1-1_1", 3, Fault::Character);
        check("1/../2", 1, Fault::Character);
        check("1é", 1, Fault::Character);
    }

    #[test]
    fn parts() {
        let check = |text: &str, without_epoch, upstream| {
            let version = Version::new(text).expect("a version");
            assert_eq!((version.without_epoch(), version.upstream()), (without_epoch, upstream));
        };
        check("1:2.3-4-5", "2.3-4-5", "2.3-4");
        check("2.3", "2.3", "2.3");
    }
}
