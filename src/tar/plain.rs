//! Single headers of plain files: for archives that are longer than memory and have one possible form.

use zerocopy::FromBytes;

use super::{
    format::{BLOCK, Header, MAGIC_POSIX, PREFIX, Prefix, text},
    number,
    writer::{MAX_12, header, sealed},
};
use crate::tree::{Stat, Timestamp};

/// What a header says, for messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plain {
    pub name: Vec<u8>,
    /// `0` for a plain file, `2` for a symbolic link, as in tar.h.
    pub kind: u8,
    /// Bytes; `None` when the field holds no such number.
    pub size: Option<u64>,
}

/// The header of a plain file of root's at the epoch, in POSIX's ustar form; `None` when that can't hold the name or the size.
pub fn plain_header(name: &str, size: u64, mode: u16) -> Option<[u8; BLOCK]> {
    let mut block = header(&Stat::root(mode, Timestamp::from_seconds(0)), MAGIC_POSIX, b'0');
    let name = name.as_bytes();
    if size > MAX_12 || name.is_empty() {
        return None;
    }
    number::write(&mut block.size, size);
    match block.name.get_mut(..name.len()) {
        Some(field) => field.copy_from_slice(name),
        None => {
            let start = name.len() - block.name.len() - 1;
            let slash = start + memchr::memchr(b'/', &name[start..name.len() - 1])?;
            if slash > PREFIX {
                return None;
            }
            block.tail[..slash].copy_from_slice(&name[..slash]);
            block.name[..name.len() - slash - 1].copy_from_slice(&name[slash + 1..]);
        }
    }
    Some(sealed(block))
}

/// What a block says that may be a header.
pub fn read_plain(block: &[u8; BLOCK]) -> Plain {
    let header = Header::ref_from_bytes(block).expect("a block is as long as a header");
    let tail = Prefix::ref_from_bytes(&header.tail).expect("a prefix is as long as the tail");
    let (name, prefix) = (text(&header.name), text(&tail.prefix));
    let name = if prefix.is_empty() { name.to_vec() } else { [prefix, b"/", name].concat() };
    let size = number::parse(&header.size).and_then(|size| u64::try_from(size).ok());
    Plain { name, kind: header.typeflag, size }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes() {
        let check = |name: &str, size: u64, expect: bool| {
            let block = plain_header(name, size, 0o644);
            let read = block.map(|block| read_plain(&block));
            let plain = Plain { name: name.as_bytes().to_vec(), kind: b'0', size: Some(size) };
            assert_eq!(read, expect.then_some(plain), "{name}");
        };
        check("a", 0, true);
        check("a/b", MAX_12, true);
        check("a/b", MAX_12 + 1, false);
        check("", 0, false);
        check(&"x".repeat(100), 1, true);
        check(&"x".repeat(101), 1, false);
        check(&format!("{}/{}", "p".repeat(155), "x".repeat(100)), 1, true);
        check(&format!("{}/{}", "p".repeat(156), "x".repeat(99)), 1, false);
    }
}
