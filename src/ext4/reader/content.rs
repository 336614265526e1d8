//! What an inode holds: contents, a link's target, a device's numbers.

use bytes::Bytes;

use super::{
    Fault, ReadError, Result, count,
    extent::{Map, Mapped, map},
    field,
    inode::Inode,
    volume::Volume,
};
use crate::{
    ext4::format::{BLOCK_BYTES, BLOCK_SECTORS, MAX_FAST_SYMLINK, MAX_SYMLINK, file_type},
    tree::{Content, Device, Node},
};

/// The node without a directory's entries.
pub(super) fn node(volume: &mut Volume, inode: &Inode) -> Result<Node> {
    let fail = |fault| ReadError::Inode { ino: inode.ino, fault };
    match inode.file_type {
        file_type::DIRECTORY => return Ok(Node::Directory(Default::default())),
        file_type::REGULAR => return read(volume, inode).map(Node::Regular),
        file_type::SYMLINK => return symlink(volume, inode).map(Node::Symlink),
        _ => {}
    }
    check_sectors(inode, 0).map_err(fail)?;
    if inode.has_extents || inode.size != 0 {
        return field("i_size", inode.size).map_err(fail);
    }
    match inode.file_type {
        file_type::CHAR => device(inode).map(Node::CharDevice).map_err(fail),
        file_type::BLOCK => device(inode).map(Node::BlockDevice).map_err(fail),
        file_type::FIFO => Ok(Node::Fifo),
        _ => Ok(Node::Socket),
    }
}

/// The extents of an inode, whose blocks must be as many as it says.
pub(super) fn extents(volume: &mut Volume, inode: &Inode) -> Result<Vec<Mapped>> {
    let fail = |fault| ReadError::Inode { ino: inode.ino, fault };
    if !inode.has_extents {
        return field("i_flags", inode.raw.i_flags.get()).map_err(fail);
    }
    let map: Map = map(volume, inode)?;
    check_sectors(inode, map.blocks()).map_err(fail)?;
    if map.extents.last().is_some_and(|last| last.end() > inode.size.div_ceil(BLOCK_BYTES)) {
        return field("i_size", inode.size).map_err(fail);
    }
    Ok(map.extents)
}

fn check_sectors(inode: &Inode, blocks: u64) -> std::result::Result<(), Fault> {
    let blocks = blocks + u64::from(inode.xattr_block != 0);
    count("sectors", inode.sectors, blocks * BLOCK_SECTORS)
}

/// The contents of a regular file, as ranges of the image.
pub(super) fn read(volume: &mut Volume, inode: &Inode) -> Result<Content> {
    let fail = |fault| ReadError::Inode { ino: inode.ino, fault };
    // Extents that lie one after the other become one range: (offset, first block, blocks).
    let mut ranges: Vec<(u64, u64, u64)> = Vec::new();
    for extent in extents(volume, inode)?.iter().filter(|extent| !extent.is_unwritten) {
        match ranges.last_mut() {
            Some((offset, start, blocks))
                if *offset / BLOCK_BYTES + *blocks == extent.logical && *start + *blocks == extent.start =>
            {
                *blocks += extent.blocks;
            }
            _ => ranges.push((extent.logical * BLOCK_BYTES, extent.start, extent.blocks)),
        }
    }
    let mut runs = Vec::with_capacity(ranges.len());
    for (offset, start, blocks) in ranges {
        let bytes = volume.range(start, blocks).map_err(fail)?;
        let inside = (bytes.len() as u64).min(inode.size - offset);
        runs.push((offset, bytes.slice(..inside as usize)));
    }
    match &runs[..] {
        [(0, whole)] if whole.len() as u64 == inode.size => Ok(whole.clone().into()),
        _ => Ok(Content::sparse(inode.size, runs).expect("extents are ascending, apart and inside the size")),
    }
}

fn symlink(volume: &mut Volume, inode: &Inode) -> Result<Bytes> {
    let fail = |fault| ReadError::Inode { ino: inode.ino, fault };
    if inode.size == 0 || inode.size > MAX_SYMLINK as u64 {
        return field("i_size", inode.size).map_err(fail);
    }
    let length = inode.size as usize;
    let target = if inode.has_extents {
        read(volume, inode)?.bytes(BLOCK_BYTES).expect("no longer than a block")
    } else if length <= MAX_FAST_SYMLINK {
        check_sectors(inode, 0).map_err(fail)?;
        Bytes::copy_from_slice(&inode.raw.i_block[..length])
    } else {
        return field("i_flags", inode.raw.i_flags.get()).map_err(fail);
    };
    if target.contains(&0) { field("i_size", inode.size).map_err(fail) } else { Ok(target) }
}

fn device(inode: &Inode) -> std::result::Result<Device, Fault> {
    let (words, _) = inode.raw.i_block.as_chunks::<4>();
    match [words[0], words[1]].map(u32::from_le_bytes) {
        [0, new] => Ok(Device { major: new >> 8 & 0xfff, minor: new & 0xff | new >> 12 & 0xf_ff00 }),
        [old, 0] if old <= 0xffff => Ok(Device { major: old >> 8, minor: old & 0xff }),
        [old, _] => field("i_block", old),
    }
}
