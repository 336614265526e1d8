//! The cache as ldconfig writes it (elf/cache.c, elf/stringtable.c), byte for byte.

use std::{cmp::Ordering, collections::BTreeMap};

use super::{
    ENTRY_LEN, EXTENSION_MAGIC, GENERATOR, HEADER_LEN, HWCAPS, IS_HWCAPS, LITTLE_ENDIAN, Library, MAGIC, compare_names,
};

/// Renders the cache; `libraries` in the order in which ldconfig meets them. `subdirectories` are the names of all folders for
/// processors with special abilities, those without a library too.
pub fn render(mut libraries: Vec<Library>, subdirectories: &[Vec<u8>], generator: &[u8]) -> Vec<u8> {
    libraries.sort_by(order);
    let mut hwcaps: Vec<&[u8]> = libraries.iter().filter_map(|library| library.hwcaps.as_deref()).collect();
    hwcaps.sort_unstable();
    hwcaps.dedup();
    let texts = libraries.iter().flat_map(|library| [&library.soname, &library.path]).chain(subdirectories);
    let strings = Strings::new(texts.map(Vec::as_slice).chain(hwcaps.iter().copied()));
    let strings_at = HEADER_LEN + ENTRY_LEN * libraries.len();
    let string = |text: &[u8]| low(strings_at + strings.offsets[text]);
    let extension_at = (strings_at + strings.bytes.len()).next_multiple_of(4);

    let mut out = MAGIC.to_vec();
    let put = |out: &mut Vec<u8>, number: u32| out.extend_from_slice(&number.to_le_bytes());
    put(&mut out, low(libraries.len()));
    put(&mut out, low(strings.bytes.len()));
    out.extend_from_slice(&[LITTLE_ENDIAN, 0, 0, 0]);
    put(&mut out, low(extension_at));
    out.extend_from_slice(&[0; 12]);
    for library in &libraries {
        put(&mut out, library.flags);
        put(&mut out, string(&library.soname));
        put(&mut out, string(&library.path));
        // No OS version.
        put(&mut out, 0);
        let index = library.hwcaps.as_deref().and_then(|name| hwcaps.binary_search(&name).ok());
        out.extend_from_slice(&index.map_or(0, |index| IS_HWCAPS | u64::from(low(index))).to_le_bytes());
    }
    out.extend_from_slice(&strings.bytes);
    out.resize(extension_at, 0);
    let hwcaps: Vec<u8> = hwcaps.iter().flat_map(|name| string(name).to_le_bytes()).collect();
    extension(&mut out, generator, &hwcaps);
    out
}

/// The sections behind the strings: their table, then the contents, the one with wider numbers first.
fn extension(out: &mut Vec<u8>, generator: &[u8], hwcaps: &[u8]) {
    let sections = 1 + usize::from(!hwcaps.is_empty());
    let hwcaps_at = out.len() + 8 + 16 * sections;
    let generator_at = hwcaps_at + hwcaps.len();
    let mut put = |numbers: &[u32]| numbers.iter().for_each(|number| out.extend_from_slice(&number.to_le_bytes()));
    put(&[EXTENSION_MAGIC, low(sections)]);
    put(&[GENERATOR, 0, low(generator_at), low(generator.len())]);
    if !hwcaps.is_empty() {
        put(&[HWCAPS, 0, low(hwcaps_at), low(hwcaps.len())]);
    }
    out.extend_from_slice(hwcaps);
    out.extend_from_slice(generator);
}

fn low(number: usize) -> u32 {
    u32::try_from(number).expect("a cache is far below 4 GiB")
}

/// Names and flags from the greatest down; then libraries for special processors, by the name of what they are for.
fn order(a: &Library, b: &Library) -> Ordering {
    let special = |library: &Library| (library.hwcaps.is_none(), library.hwcaps.clone());
    compare_names(&b.soname, &a.soname).then_with(|| b.flags.cmp(&a.flags)).then_with(|| special(a).cmp(&special(b)))
}

/// Strings laid out so that one that ends another shares its bytes.
struct Strings {
    bytes: Vec<u8>,
    offsets: BTreeMap<Vec<u8>, usize>,
}

impl Strings {
    fn new<'a>(all: impl Iterator<Item = &'a [u8]>) -> Self {
        let mut sorted: Vec<&[u8]> = all.collect();
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

/// By the last byte, the one before it, and so on, from the greatest down; so the longer of two that agree comes first.
fn from_the_end(a: &[u8], b: &[u8]) -> Ordering {
    let differing = a.iter().rev().zip(b.iter().rev()).find(|(x, y)| x != y);
    differing.map_or_else(|| b.len().cmp(&a.len()), |(x, y)| y.cmp(x))
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
        let strings = Strings::new(all.iter().map(Vec::as_slice));
        assert_eq!(strings.bytes, b"libm.so.6\0/lib/libz.so.1\0");
        assert_eq!(strings.offsets[b"libz.so.1".as_slice()], 15);
    }
}
