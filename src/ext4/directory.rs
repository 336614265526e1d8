//! The blocks of a directory: one of plain entries, or a hash tree when they need more.

use zerocopy::IntoBytes;

use super::{
    checksum::Seed,
    format::{BLOCK, DIR_TAIL, DirEntry, DirTail, file_type, low16},
    hash::NameHasher,
    htree,
    inventory::Child,
};

/// A directory's inode, its parent's, and its names in byte order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Directory<'a> {
    pub(super) ino: u32,
    pub(super) parent: u32,
    pub(super) children: &'a [Child<'a>],
}

/// All blocks of the directory; `None` when a hash tree of two levels can't hold them.
pub(super) fn blocks(directory: &Directory<'_>, hasher: &NameHasher, seed: Seed) -> Option<Vec<u8>> {
    let dots = [dot(b".", directory.ino), dot(b"..", directory.parent)];
    let all = || dots.iter().chain(directory.children);
    if all().map(entry_size).sum::<usize>() > LEAF {
        return htree::blocks(directory, hasher, seed);
    }
    let mut block = vec![0; BLOCK];
    leaf(&mut block, all(), seed);
    Some(block)
}

pub(super) fn dot(name: &[u8], ino: u32) -> Child<'_> {
    Child { name, ino, file_type: file_type::DIRECTORY }
}

/// Bytes of a block that entries may take.
pub(super) const LEAF: usize = BLOCK - DIR_TAIL;

pub(super) fn entry_size(child: &Child<'_>) -> usize {
    (size_of::<DirEntry>() + child.name.len()).next_multiple_of(4)
}

/// Writes a block of entries, at least one and no more than fit, and its checksum.
pub(super) fn leaf<'a>(block: &mut [u8], children: impl Iterator<Item = &'a Child<'a>>, seed: Seed) {
    let mut children = children.peekable();
    let mut at = 0;
    while let Some(child) = children.next() {
        let length = if children.peek().is_some() { entry_size(child) } else { LEAF - at };
        entry(&mut block[at..], child, length);
        at += length;
    }
    assert_eq!(at, LEAF, "the entries of a block fill it");
    let mut tail = DirTail {
        det_reserved_zero1: 0.into(),
        det_rec_len: low16(DIR_TAIL as u32),
        det_reserved_zero2: 0,
        det_reserved_ft: file_type::CHECKSUM,
        det_checksum: 0.into(),
    };
    tail.det_checksum.set(seed.entries(block));
    block[LEAF..].copy_from_slice(tail.as_bytes());
}

/// Writes one entry that reaches over `length` bytes.
pub(super) fn entry(place: &mut [u8], child: &Child<'_>, length: usize) {
    let header = DirEntry {
        inode: child.ino.into(),
        rec_len: low16(length as u32),
        name_len: u8::try_from(child.name.len()).expect("names have at most 255 bytes"),
        file_type: child.file_type,
    };
    let (start, rest) = place.split_at_mut(size_of::<DirEntry>());
    start.copy_from_slice(header.as_bytes());
    rest[..child.name.len()].copy_from_slice(child.name);
}
