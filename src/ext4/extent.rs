//! The extent tree of one inode: its root in the inode, its blocks where the layout has put them.

use zerocopy::{Immutable, IntoBytes};

use super::{
    checksum::Seed,
    format::{
        BLOCK, EXTENT_MAGIC, EXTENTS_IN_BLOCK, EXTENTS_IN_INODE, Extent, ExtentHeader, ExtentIndex, MAX_EXTENT_BLOCKS,
        high32, low16, low32,
    },
    geometry::Run,
};

/// Consecutive blocks of a file, [`MAX_EXTENT_BLOCKS`] at most, and where they lie.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mapped {
    /// In the file.
    pub(super) logical: u64,
    pub(super) run: Run,
}

/// Appends what maps `run` from `logical` on, in pieces that an extent can hold.
pub(super) fn map(extents: &mut Vec<Mapped>, mut logical: u64, run: Run) {
    let mut start = run.start;
    while start < run.end() {
        let blocks = MAX_EXTENT_BLOCKS.min(run.end() - start);
        extents.push(Mapped { logical, run: Run { start, blocks } });
        start += blocks;
        logical += blocks;
    }
}

/// Blocks that the tree of this many extents needs beside the inode.
pub(super) fn tree_blocks(extents: usize) -> u64 {
    let mut total = 0;
    let mut entries = extents;
    while entries > EXTENTS_IN_INODE {
        entries = entries.div_ceil(EXTENTS_IN_BLOCK);
        total += entries as u64;
    }
    total
}

#[derive(Debug)]
pub(super) struct ExtentTree {
    /// For `i_block`.
    pub(super) root: [u8; 60],
    pub(super) blocks: Vec<(u64, Vec<u8>)>,
}

impl ExtentTree {
    /// `places` are the [`tree_blocks`] that the tree gets, leaves first.
    pub(super) fn new(extents: &[Mapped], places: &[u64], seed: Seed) -> Self {
        let mut places = places.iter();
        let mut blocks = Vec::new();
        let leaves: Vec<Extent> = extents.iter().map(leaf).collect();
        if leaves.len() <= EXTENTS_IN_INODE {
            return Self { root: root(&leaves, 0), blocks };
        }
        let firsts = leaves.iter().map(|extent| extent.ee_block.get());
        let mut level = level(&leaves, firsts, 0, &mut places, &mut blocks, seed);
        let mut depth = 1;
        while level.len() > EXTENTS_IN_INODE {
            let firsts = level.iter().map(|index| index.ei_block.get());
            level = self::level(&level, firsts, depth, &mut places, &mut blocks, seed);
            depth += 1;
        }
        Self { root: root(&level, depth), blocks }
    }
}

/// Fills blocks with `entries`, whose first logical blocks are `firsts`, and returns the indexes that lead to them.
fn level<'p, T: IntoBytes + Immutable>(
    entries: &[T],
    firsts: impl Iterator<Item = u32>,
    depth: u16,
    places: &mut impl Iterator<Item = &'p u64>,
    blocks: &mut Vec<(u64, Vec<u8>)>,
    seed: Seed,
) -> Vec<ExtentIndex> {
    let mut above = Vec::new();
    for (chunk, first) in entries.chunks(EXTENTS_IN_BLOCK).zip(firsts.step_by(EXTENTS_IN_BLOCK)) {
        let place = *places.next().expect("a place for each block that tree_blocks counts");
        let mut block = vec![0; BLOCK];
        fill(&mut block, chunk, EXTENTS_IN_BLOCK, depth);
        let checksum = seed.extents(&block);
        block[BLOCK - 4..].copy_from_slice(&checksum.to_le_bytes());
        blocks.push((place, block));
        above.push(ExtentIndex {
            ei_block: first.into(),
            ei_leaf_lo: low32(place),
            ei_leaf_hi: low16(high32(place).get()),
            ei_unused: 0.into(),
        });
    }
    above
}

fn root<T: IntoBytes + Immutable>(entries: &[T], depth: u16) -> [u8; 60] {
    let mut root = [0; 60];
    fill(&mut root, entries, EXTENTS_IN_INODE, depth);
    root
}

fn fill<T: IntoBytes + Immutable>(place: &mut [u8], entries: &[T], max: usize, depth: u16) {
    let header = ExtentHeader {
        eh_magic: EXTENT_MAGIC.into(),
        eh_entries: low16(entries.len() as u32),
        eh_max: low16(max as u32),
        eh_depth: depth.into(),
        eh_generation: 0.into(),
    };
    let (start, rest) = place.split_at_mut(size_of::<ExtentHeader>());
    start.copy_from_slice(header.as_bytes());
    rest[..size_of_val(entries)].copy_from_slice(entries.as_bytes());
}

fn leaf(extent: &Mapped) -> Extent {
    Extent {
        ee_block: low32(extent.logical),
        ee_len: low16(extent.run.blocks as u32),
        ee_start_hi: low16(high32(extent.run.start).get()),
        ee_start_lo: low32(extent.run.start),
    }
}
