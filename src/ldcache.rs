//! `/etc/ld.so.cache` in glibc's form 1.1 (sysdeps/generic/dl-cache.h of glibc 2.36): which library a name stands for.

use std::cmp::Ordering;

mod read;
mod write;

pub use read::{Cache, Error, read};
pub use write::render;

const MAGIC: &[u8; 20] = b"glibc-ld.so.cache1.1";
const HEADER_LEN: usize = 48;
const ENTRY_LEN: usize = 24;
const LITTLE_ENDIAN: u8 = 2;
const EXTENSION_MAGIC: u32 = 0xeaa4_2174;
/// Tags of the extension's sections: the name of the program that wrote the cache, and names of folders in `glibc-hwcaps`.
const GENERATOR: u32 = 0;
const HWCAPS: u32 = 1;
/// In an entry's last number: the low half is an index into the section [`HWCAPS`].
const IS_HWCAPS: u64 = 1 << 62;

/// One library that the loader can find.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Library {
    pub soname: Vec<u8>,
    pub path: Vec<u8>,
    /// Kind of library and its architecture, `_dl_cache_check_flags`.
    pub flags: u32,
    /// The folder in `glibc-hwcaps` that says which processors it is for.
    pub hwcaps: Option<Vec<u8>>,
}

/// The loader's order of names: runs of digits count as numbers.
pub fn compare_names(a: &[u8], b: &[u8]) -> Ordering {
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
