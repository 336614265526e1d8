//! The cache as ldconfig writes it (elf/cache.c), byte for byte.

use std::{cmp::Ordering, collections::BTreeMap};

use super::{ENTRY_LEN, HEADER_LEN, LITTLE_ENDIAN, Library, MAGIC, compare_names};

const EXTENSION_MAGIC: u32 = 0xeaa4_2174;
/// Tag of the extension's section that holds the name of the program that wrote the cache.
const GENERATOR: u32 = 0;

/// Renders the cache; `libraries` in the order in which ldconfig meets them.
pub fn render(mut libraries: Vec<Library>, generator: &str) -> Vec<u8> {
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
