//! Gives every block that a file system needs its place, or says how large the file system must be for that.

use super::{
    extent::{Mapped, map, tree_blocks},
    format::{BLOCK_BYTES, GROUP_BLOCKS},
    geometry::{Geometry, MAX_GROUP_INODES, Run, group_count},
};

/// Largest file system: 64 TiB, whose descriptors still fit into a group.
pub(super) const MAX_BLOCKS: u64 = 1 << 34;

/// Inodes beyond what the tree needs, so that the number fits 32 bits with all rounding.
const MAX_SPARE_INODES: u64 = 1 << 31;

/// Consecutive blocks of a file that hold data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) logical: u64,
    pub(super) blocks: u64,
}

/// What needs blocks.
#[derive(Debug)]
pub(super) struct Demand {
    /// Reserved ones included.
    pub(super) inodes: u64,
    /// Bytes of the file system for which there shall be an inode.
    pub(super) bytes_per_inode: u64,
    /// By item of the inventory; ascending and apart.
    pub(super) spans: Vec<Vec<Span>>,
    /// Items that are placed after all others, so that the small and often read lies together.
    pub(super) is_data: Vec<bool>,
    pub(super) xattr_blocks: usize,
    pub(super) journal_blocks: u64,
}

/// Where the blocks of one inode are.
#[derive(Debug, Default)]
pub(super) struct PlacedFile {
    pub(super) extents: Vec<Mapped>,
    /// Blocks of the extent tree, leaves first.
    pub(super) tree: Vec<u64>,
}

impl PlacedFile {
    pub(super) fn blocks(&self) -> u64 {
        self.tree.len() as u64 + self.extents.iter().map(|extent| extent.run.blocks).sum::<u64>()
    }
}

#[derive(Debug)]
pub(super) struct Placement {
    pub(super) geometry: Geometry,
    /// By item of the inventory.
    pub(super) files: Vec<PlacedFile>,
    pub(super) xattr_blocks: Vec<u64>,
    pub(super) journal: PlacedFile,
    /// What stays free, ascending.
    pub(super) free: Vec<Run>,
}

/// `None` when `blocks` don't suffice.
pub(super) fn place(demand: &Demand, blocks: u64) -> Option<Placement> {
    let by_size = blocks.checked_mul(BLOCK_BYTES)? / demand.bytes_per_inode;
    let spare = by_size.min(MAX_SPARE_INODES).min(group_count(blocks) * MAX_GROUP_INODES);
    let mut geometry = Geometry::new(blocks, demand.inodes.max(spare))?;
    let mut space = Space { free: std::mem::take(&mut geometry.free), next: 0 };
    let mut files: Vec<PlacedFile> = demand.spans.iter().map(|_| PlacedFile::default()).collect();
    let mut place_all = |space: &mut Space, is_data| {
        for (index, file) in files.iter_mut().enumerate().filter(|(index, _)| demand.is_data[*index] == is_data) {
            *file = space.file(&demand.spans[index])?;
        }
        Some(())
    };
    place_all(&mut space, false)?;
    let xattr_blocks = (0..demand.xattr_blocks).map(|_| space.one()).collect::<Option<_>>()?;
    let journal = space.file(&Vec::from_iter(span(0, demand.journal_blocks)))?;
    place_all(&mut space, true)?;
    let free = space.free.split_off(space.next);
    Some(Placement { geometry, files, xattr_blocks, journal, free })
}

pub(super) fn span(logical: u64, blocks: u64) -> Option<Span> {
    (blocks > 0).then_some(Span { logical, blocks })
}

/// The least number of blocks with which [`place`] succeeds; `None` when none that we write does.
pub(super) fn smallest(demand: &Demand) -> Option<u64> {
    let fits = |blocks| place(demand, blocks).is_some();
    let data: u64 = demand.spans.iter().flatten().map(|span| span.blocks).sum();
    let mut too_few = data;
    let mut enough = (data + data / 64).max(GROUP_BLOCKS / 64);
    while !fits(enough) {
        if enough == MAX_BLOCKS {
            return None;
        }
        too_few = enough;
        enough = (enough * 2).min(MAX_BLOCKS);
    }
    while enough - too_few > 1 {
        let middle = too_few.midpoint(enough);
        *(if fits(middle) { &mut enough } else { &mut too_few }) = middle;
    }
    Some(enough)
}

/// Free blocks, given away from the start.
struct Space {
    free: Vec<Run>,
    /// Index of the first run that has blocks left.
    next: usize,
}

impl Space {
    fn one(&mut self) -> Option<u64> {
        self.take(1).map(|run| run.start)
    }

    /// The next free blocks, as many as lie together and `blocks` at most.
    fn take(&mut self, blocks: u64) -> Option<Run> {
        let run = self.free.get_mut(self.next)?;
        let taken = Run { start: run.start, blocks: blocks.min(run.blocks) };
        match Run::between(taken.end(), run.end()) {
            Some(rest) => *run = rest,
            None => self.next += 1,
        }
        Some(taken)
    }

    fn file(&mut self, spans: &[Span]) -> Option<PlacedFile> {
        let mut file = PlacedFile::default();
        for span in spans {
            let mut done = 0;
            while done < span.blocks {
                let run = self.take(span.blocks - done)?;
                map(&mut file.extents, span.logical + done, run);
                done += run.blocks;
            }
        }
        file.tree = (0..tree_blocks(file.extents.len())).map(|_| self.one()).collect::<Option<_>>()?;
        Some(file)
    }
}
