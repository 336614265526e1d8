//! The entries of a directory.

use zerocopy::FromBytes;

use super::{Fault, ReadError, Result, content, count, field, index, inode::Inode, same, volume::Volume};
use crate::{
    ext4::{
        checksum::Seed,
        format::{BLOCK, BLOCK_BYTES, DIR_TAIL, DirEntry, DirTail, file_type, low16},
    },
    tree::Name,
};

#[derive(Debug)]
pub(super) struct Entry {
    pub(super) name: Name,
    pub(super) ino: u32,
    pub(super) file_type: u8,
}

type Checked<T> = std::result::Result<T, Fault>;

/// All entries but `.` and `..`, which must lead to the directory itself and to `parent`.
pub(super) fn read(volume: &mut Volume, inode: &Inode, parent: u32) -> Result<Vec<Entry>> {
    let fail = |fault| ReadError::Inode { ino: inode.ino, fault };
    let extents = content::extents(volume, inode)?;
    let mut places = Vec::new();
    for extent in &extents {
        if extent.logical != places.len() as u64 || extent.is_unwritten {
            return field("ee_block", extent.logical).map_err(fail);
        }
        places.extend(extent.start..extent.start + extent.blocks);
    }
    count("bytes of entries", inode.size, places.len() as u64 * BLOCK_BYTES).map_err(fail)?;
    let [first, ..] = places[..] else { return field("i_size", inode.size).map_err(fail) };
    let seed = volume.seed.of_inode(inode.ino, inode.raw.i_generation.get());
    let at = |block, fault| ReadError::Block { ino: inode.ino, block, fault };
    let root = volume.block(first).map_err(fail)?;
    let dots = if inode.is_hashed { index::dots(&root) } else { dots(&root) };
    let [own, above] = dots.map_err(|fault| at(first, fault))?;
    if own != inode.ino || above != parent {
        return Err(at(first, Fault::Field { field: "inode", value: above.into() }));
    }
    let mut entries = Vec::new();
    if inode.is_hashed {
        for leaf in index::leaves(volume, inode, &places, seed)? {
            let start = entries.len();
            let bytes = volume.block(leaf.place).map_err(fail)?;
            block(&bytes, 0, seed, &mut entries).map_err(|fault| at(leaf.place, fault))?;
            leaf.check(&volume.hasher, &entries[start..]).map_err(|fault| at(leaf.place, fault))?;
        }
    } else {
        for &place in &places {
            let bytes = volume.block(place).map_err(fail)?;
            let skip = if place == first { 2 } else { 0 };
            block(&bytes, skip, seed, &mut entries).map_err(|fault| at(place, fault))?;
        }
    }
    Ok(entries)
}

/// The entries of one block after the first `skip`, and its checksum.
fn block(bytes: &[u8], skip: usize, seed: Seed, entries: &mut Vec<Entry>) -> Checked<()> {
    let (body, tail) = bytes.split_at(BLOCK - DIR_TAIL);
    let tail = DirTail::read_from_bytes(tail).expect("the tail's size");
    if tail.det_rec_len != low16(DIR_TAIL as u32) || tail.det_reserved_ft != file_type::CHECKSUM {
        return field("det_reserved_ft", tail.det_reserved_ft);
    }
    same(tail.det_checksum.get(), seed.entries(bytes))?;
    let mut at = 0;
    let mut number = 0;
    while at < body.len() {
        let (raw, name) = entry(&body[at..])?;
        if number >= skip && raw.inode.get() != 0 {
            let name = Name::new(name).map_err(|_| Fault::Entry(name.into()))?;
            entries.push(Entry { name, ino: raw.inode.get(), file_type: raw.file_type });
        }
        at += usize::from(raw.rec_len.get());
        number += 1;
    }
    Ok(())
}

/// The entry at the start of `bytes`, which it must not overrun.
pub(super) fn entry(bytes: &[u8]) -> Checked<(DirEntry, &[u8])> {
    let Ok((raw, rest)) = DirEntry::read_from_prefix(bytes) else { return field("rec_len", bytes.len() as u64) };
    let length = usize::from(raw.rec_len.get());
    let used = (size_of::<DirEntry>() + usize::from(raw.name_len)).next_multiple_of(4);
    if length > bytes.len() || length < used || !length.is_multiple_of(4) {
        return field("rec_len", raw.rec_len.get());
    }
    Ok((raw, &rest[..usize::from(raw.name_len)]))
}

fn dots(block: &[u8]) -> Checked<[u32; 2]> {
    let (own, name) = entry(&block[..BLOCK - DIR_TAIL])?;
    let (parent, second) = entry(&block[usize::from(own.rec_len.get())..BLOCK - DIR_TAIL])?;
    if name != b"." || second != b".." {
        return Err(Fault::Entry(second.into()));
    }
    Ok([own.inode.get(), parent.inode.get()])
}
