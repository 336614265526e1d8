//! The extent tree of an inode, as a list of mapped ranges.

use zerocopy::FromBytes;

use super::{Fault, ReadError, Result, field, inode::Inode, same, volume::Volume};
use crate::ext4::format::{
    BLOCK, EXTENT_MAGIC, EXTENTS_IN_BLOCK, EXTENTS_IN_INODE, Extent, ExtentHeader, ExtentIndex, MAX_EXTENT_BLOCKS,
    MAX_EXTENT_DEPTH,
};

/// Consecutive blocks of a file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mapped {
    /// In the file.
    pub(super) logical: u64,
    pub(super) start: u64,
    pub(super) blocks: u64,
    /// Allocated but never written: reads as zeros.
    pub(super) is_unwritten: bool,
}

impl Mapped {
    pub(super) fn end(&self) -> u64 {
        self.logical + self.blocks
    }
}

/// The extents of an inode in ascending order, and how many blocks their tree takes.
#[derive(Debug, Default)]
pub(super) struct Map {
    pub(super) extents: Vec<Mapped>,
    tree_blocks: u64,
}

impl Map {
    /// Blocks of data and of the tree.
    pub(super) fn blocks(&self) -> u64 {
        self.tree_blocks + self.extents.iter().map(|extent| extent.blocks).sum::<u64>()
    }
}

pub(super) fn map(volume: &mut Volume, inode: &Inode) -> Result<Map> {
    let mut map = Map::default();
    let fail = |fault| ReadError::Inode { ino: inode.ino, fault };
    let root = header(&inode.raw.i_block, EXTENTS_IN_INODE).map_err(fail)?;
    if root.eh_depth.get() > MAX_EXTENT_DEPTH {
        return field("eh_depth", root.eh_depth.get()).map_err(fail);
    }
    node(volume, inode, &inode.raw.i_block, &root, &mut map).map_err(fail)?;
    Ok(map)
}

fn header(bytes: &[u8], max: usize) -> std::result::Result<ExtentHeader, Fault> {
    let (header, _) = ExtentHeader::read_from_prefix(bytes).expect("a block or i_block holds a header");
    if header.eh_magic.get() != EXTENT_MAGIC {
        return field("eh_magic", header.eh_magic.get());
    }
    if usize::from(header.eh_max.get()) != max {
        return field("eh_max", header.eh_max.get());
    }
    if header.eh_entries > header.eh_max {
        return field("eh_entries", header.eh_entries.get());
    }
    Ok(header)
}

/// Reads the entries of a node; depth falls by one a level, so that the recursion ends.
fn node(
    volume: &mut Volume,
    inode: &Inode,
    bytes: &[u8],
    header: &ExtentHeader,
    map: &mut Map,
) -> std::result::Result<(), Fault> {
    let entries = &bytes[size_of::<ExtentHeader>()..];
    let entries = &entries[..usize::from(header.eh_entries.get()) * size_of::<Extent>()];
    if header.eh_depth.get() == 0 {
        for bytes in entries.chunks(size_of::<Extent>()) {
            leaf(volume, &Extent::read_from_bytes(bytes).expect("a chunk of that size"), map)?;
        }
        return Ok(());
    }
    for bytes in entries.chunks(size_of::<ExtentIndex>()) {
        let index = ExtentIndex::read_from_bytes(bytes).expect("a chunk of that size");
        let block = u64::from(index.ei_leaf_lo.get()) | u64::from(index.ei_leaf_hi.get()) << 32;
        volume.meet(block, 1)?;
        let child = volume.block(block)?;
        let below = self::header(&child, EXTENTS_IN_BLOCK)?;
        if below.eh_depth.get() + 1 != header.eh_depth.get() {
            return field("eh_depth", below.eh_depth.get());
        }
        let stored = u32::from_le_bytes(*child.last_chunk().expect("a block has four bytes"));
        debug_assert_eq!(child.len(), BLOCK);
        same(stored, volume.seed.of_inode(inode.ino, inode.raw.i_generation.get()).extents(&child))?;
        map.tree_blocks += 1;
        let first = map.extents.len();
        node(volume, inode, &child, &below, map)?;
        if map.extents.get(first).map(|extent| extent.logical) != Some(index.ei_block.get().into()) {
            return field("ei_block", index.ei_block.get());
        }
    }
    Ok(())
}

fn leaf(volume: &mut Volume, raw: &Extent, map: &mut Map) -> std::result::Result<(), Fault> {
    let length = u64::from(raw.ee_len.get());
    let is_unwritten = length > MAX_EXTENT_BLOCKS;
    let extent = Mapped {
        logical: raw.ee_block.get().into(),
        start: u64::from(raw.ee_start_lo.get()) | u64::from(raw.ee_start_hi.get()) << 32,
        blocks: if is_unwritten { length - MAX_EXTENT_BLOCKS } else { length },
        is_unwritten,
    };
    if extent.blocks == 0 {
        return field("ee_len", raw.ee_len.get());
    }
    if map.extents.last().is_some_and(|last| extent.logical < last.end()) || extent.end() > 1 << 32 {
        return field("ee_block", raw.ee_block.get());
    }
    volume.meet(extent.start, extent.blocks)?;
    map.extents.push(extent);
    Ok(())
}
