//! `/etc/ld.so.cache` in glibc's form 1.1 (elf/cache.c, sysdeps/generic/dl-cache.h of glibc 2.36), byte for byte as ldconfig writes it.

use std::{cmp::Ordering, collections::BTreeMap};

const MAGIC: &[u8; 20] = b"glibc-ld.so.cache1.1";
const HEADER_LEN: usize = 48;
const ENTRY_LEN: usize = 24;
const LITTLE_ENDIAN: u8 = 2;
const EXTENSION_MAGIC: u32 = 0xeaa4_2174;
/// Tag of the extension's section that holds the name of the program that wrote the cache.
const GENERATOR: u32 = 0;

/// One library that the loader can find.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Library {
    pub(super) soname: Vec<u8>,
    pub(super) path: Vec<u8>,
    /// Kind of library and its architecture, `_dl_cache_check_flags`.
    pub(super) flags: u32,
}

/// Renders the cache; `libraries` in the order in which ldconfig meets them.
pub(super) fn render(mut libraries: Vec<Library>, generator: &str) -> Vec<u8> {
    libraries.sort_by(|a, b| compare_names(&b.soname, &a.soname).then_with(|| b.flags.cmp(&a.flags)));
    let strings = Strings::new(libraries.iter().flat_map(|library| [&library.soname, &library.path]));
    let strings_at = HEADER_LEN + ENTRY_LEN * libraries.len();
    let extension_at = (strings_at + strings.bytes.len()).next_multiple_of(4);

    let mut out = MAGIC.to_vec();
    let put = |out: &mut Vec<u8>, number: usize| {
        out.extend_from_slice(&u32::try_from(number).expect("a cache is far below 4 GiB").to_le_bytes());
    };
    put(&mut out, libraries.len());
    put(&mut out, strings.bytes.len());
    out.extend_from_slice(&[LITTLE_ENDIAN, 0, 0, 0]);
    put(&mut out, extension_at);
    out.extend_from_slice(&[0; 12]);
    for library in &libraries {
        out.extend_from_slice(&library.flags.to_le_bytes());
        put(&mut out, strings_at + strings.offsets[library.soname.as_slice()]);
        put(&mut out, strings_at + strings.offsets[library.path.as_slice()]);
        // No OS version and no hardware capabilities.
        out.extend_from_slice(&[0; 12]);
    }
    out.extend_from_slice(&strings.bytes);
    out.resize(extension_at, 0);
    out.extend_from_slice(&EXTENSION_MAGIC.to_le_bytes());
    out.extend_from_slice(&1u32.to_le_bytes());
    out.extend_from_slice(&GENERATOR.to_le_bytes());
    out.extend_from_slice(&0u32.to_le_bytes());
    put(&mut out, extension_at + 24);
    put(&mut out, generator.len());
    out.extend_from_slice(generator.as_bytes());
    out
}

/// The loader's order of names: runs of digits count as numbers.
pub(super) fn compare_names(a: &[u8], b: &[u8]) -> Ordering {
    let (mut a, mut b) = (a, b);
    loop {
        match (a.first().copied(), b.first().copied()) {
            (None, None) => return Ordering::Equal,
            (Some(x), Some(y)) if x.is_ascii_digit() && y.is_ascii_digit() => {
                let ((m, rest_a), (n, rest_b)) = (number(a), number(b));
                if m != n {
                    return m.cmp(&n);
                }
                (a, b) = (rest_a, rest_b);
            }
            (Some(x), Some(_)) if x.is_ascii_digit() => return Ordering::Greater,
            (_, Some(y)) if y.is_ascii_digit() => return Ordering::Less,
            (x, y) if x != y => return x.unwrap_or(0).cmp(&y.unwrap_or(0)),
            _ => (a, b) = (&a[1..], &b[1..]),
        }
    }
}

fn number(text: &[u8]) -> (u64, &[u8]) {
    let end = text.iter().position(|b| !b.is_ascii_digit()).unwrap_or(text.len());
    let value = text[..end].iter().fold(0u64, |n, b| n.wrapping_mul(10).wrapping_add(u64::from(b - b'0')));
    (value, &text[end..])
}

/// Strings laid out so that one that ends another shares its bytes.
struct Strings {
    bytes: Vec<u8>,
    offsets: BTreeMap<Vec<u8>, usize>,
}

impl Strings {
    fn new<'a>(all: impl Iterator<Item = &'a Vec<u8>>) -> Self {
        let mut sorted: Vec<&[u8]> = all.map(Vec::as_slice).collect();
        sorted.sort_by(|a, b| from_the_end(a, b));
        sorted.dedup();
        let mut strings = Self { bytes: Vec::new(), offsets: BTreeMap::new() };
        let mut end = 0;
        let mut before: &[u8] = b"";
        for string in sorted {
            let is_tail = !strings.offsets.is_empty() && before.ends_with(string);
            if !is_tail {
                end = strings.bytes.len() + string.len();
                strings.bytes.extend_from_slice(string);
                strings.bytes.push(0);
            }
            strings.offsets.insert(string.to_vec(), end - string.len());
            before = string;
        }
        strings
    }
}

/// By the last byte, the one before it, and so on; the longer of two that agree so far comes first.
fn from_the_end(a: &[u8], b: &[u8]) -> Ordering {
    let differing = a.iter().rev().zip(b.iter().rev()).find(|(x, y)| x != y);
    differing.map_or_else(|| b.len().cmp(&a.len()), |(x, y)| x.cmp(y))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_compare_by_number() {
        let check = |a: &str, b: &str, expect| assert_eq!(compare_names(a.as_bytes(), b.as_bytes()), expect, "{a} {b}");
        check("libfoo.so.10", "libfoo.so.9", Ordering::Greater);
        check("libfoo.so", "libfoo.so.1", Ordering::Less);
        check("lib1", "liba", Ordering::Greater);
        check("liba", "libb", Ordering::Less);
        check("libz.so.1", "libz.so.1", Ordering::Equal);
    }

    #[test]
    fn tails_share_bytes() {
        let all = [b"/lib/libz.so.1".to_vec(), b"libz.so.1".to_vec(), b"libm.so.6".to_vec()];
        let strings = Strings::new(all.iter());
        assert_eq!(strings.bytes, b"/lib/libz.so.1\0libm.so.6\0");
        assert_eq!(strings.offsets[b"libz.so.1".as_slice()], 5);
    }
}
