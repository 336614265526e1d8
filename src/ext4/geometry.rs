//! Where the fixed parts of a file system of a given size lie: superblocks, descriptors, bitmaps and inode tables.

use super::format::{BLOCK_BYTES, BLOCK_INODES, DESCRIPTOR_SIZE, GROUP_BLOCKS, INODE_SIZE, has_superblock};

/// Groups whose bitmaps and inode tables lie together, as a power of two (`s_log_groups_per_flex`).
pub(super) const LOG_FLEX_GROUPS: u8 = 4;

/// Blocks that a last, short group must offer beyond its superblock and descriptors to be worth having; mke2fs's figure.
const WORTHWHILE_BLOCKS: u64 = 50;

/// Inodes of a group: one bit each in a block of bitmap.
pub(super) const MAX_GROUP_INODES: u64 = BLOCK_BYTES * 8;

/// Consecutive blocks of the file system; never none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) start: u64,
    pub(super) blocks: u64,
}

impl Run {
    pub(super) fn between(start: u64, end: u64) -> Option<Self> {
        (start < end).then(|| Self { start, blocks: end - start })
    }

    pub(super) fn end(self) -> u64 {
        self.start + self.blocks
    }
}

/// The fixed parts of one group.
#[derive(Clone, Copy, Debug)]
pub(super) struct Group {
    pub(super) block_bitmap: u64,
    pub(super) inode_bitmap: u64,
    pub(super) inode_table: u64,
}

#[derive(Debug)]
pub(super) struct Geometry {
    /// Up to some blocks fewer than the given size, when a last group would be too short.
    pub(super) blocks: u64,
    pub(super) inodes_per_group: u32,
    pub(super) groups: Vec<Group>,
    /// What the fixed parts leave, ascending.
    pub(super) free: Vec<Run>,
}

impl Geometry {
    /// `None` when `blocks` are too few for `inodes` inodes and what surrounds them.
    pub(super) fn new(blocks: u64, inodes: u64) -> Option<Self> {
        let blocks = without_short_group(blocks);
        let count = group_count(blocks);
        if count == 0 {
            return None;
        }
        let inodes_per_group = inodes.div_ceil(count).next_multiple_of(BLOCK_INODES.into());
        let inodes_per_group = u32::try_from(inodes_per_group).ok().filter(|&n| u64::from(n) <= MAX_GROUP_INODES)?;
        u32::try_from(count * u64::from(inodes_per_group)).ok()?;
        let mut space = Space::around_superblocks(blocks, count)?;
        let groups = place_groups(&mut space, count, inodes_per_group)?;
        Some(Self { blocks, inodes_per_group, groups, free: space.free })
    }

    pub(super) fn inodes(&self) -> u32 {
        self.groups.len() as u32 * self.inodes_per_group
    }

    /// The blocks of a group; the last one may have fewer than [`GROUP_BLOCKS`].
    pub(super) fn group_run(&self, group: usize) -> Run {
        let start = group as u64 * GROUP_BLOCKS;
        Run { start, blocks: GROUP_BLOCKS.min(self.blocks - start) }
    }
}

pub(super) fn group_count(blocks: u64) -> u64 {
    blocks.div_ceil(GROUP_BLOCKS)
}

fn descriptor_blocks(groups: u64) -> u64 {
    (groups * DESCRIPTOR_SIZE as u64).div_ceil(BLOCK_BYTES)
}

/// Superblock and descriptors at the start of a group.
fn copies(group: u64, groups: u64) -> u64 {
    if has_superblock(group) { 1 + descriptor_blocks(groups) } else { 0 }
}

fn without_short_group(blocks: u64) -> u64 {
    let last = blocks / GROUP_BLOCKS;
    let short = blocks % GROUP_BLOCKS;
    if short < copies(last, last + 1) + WORTHWHILE_BLOCKS { blocks - short } else { blocks }
}

/// For each flex group its block bitmaps, then its inode bitmaps, then its inode tables, as near to its start as can be.
fn place_groups(space: &mut Space, count: u64, inodes_per_group: u32) -> Option<Vec<Group>> {
    let table = u64::from(inodes_per_group) * INODE_SIZE as u64 / BLOCK_BYTES;
    let mut groups = Vec::new();
    for first in (0..count).step_by(1 << LOG_FLEX_GROUPS) {
        let together = (count - first).min(1 << LOG_FLEX_GROUPS);
        let mut near = |blocks| space.take(first * GROUP_BLOCKS, blocks);
        let block_bitmaps = near(together)?;
        let inode_bitmaps = near(together)?;
        for index in 0..together {
            groups.push(Group {
                block_bitmap: block_bitmaps + index,
                inode_bitmap: inode_bitmaps + index,
                inode_table: near(table)?,
            });
        }
    }
    Some(groups)
}

/// Blocks not yet given away, ascending.
struct Space {
    free: Vec<Run>,
}

impl Space {
    fn around_superblocks(blocks: u64, groups: u64) -> Option<Self> {
        let mut free = Vec::new();
        let mut start = 0;
        for group in (0..groups).filter(|&group| has_superblock(group)) {
            let first = group * GROUP_BLOCKS;
            free.extend(Run::between(start, first));
            start = first + copies(group, groups);
        }
        free.extend(Run::between(start, blocks));
        (start <= blocks).then_some(Self { free })
    }

    /// Takes `blocks` consecutive ones, the first such at or after `from`, else the first anywhere.
    fn take(&mut self, from: u64, blocks: u64) -> Option<u64> {
        let usable = |run: &Run| run.end().saturating_sub(run.start.max(from)) >= blocks;
        let (index, start) = match self.free.iter().position(usable) {
            Some(index) => (index, self.free[index].start.max(from)),
            None => {
                let index = self.free.iter().position(|run| run.blocks >= blocks)?;
                (index, self.free[index].start)
            }
        };
        let run = self.free[index];
        let parts = [Run::between(run.start, start), Run::between(start + blocks, run.end())];
        self.free.splice(index..=index, parts.into_iter().flatten());
        Some(start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every block is in exactly one fixed part or free.
    fn check(blocks: u64, inodes: u64) {
        let geometry = Geometry::new(blocks, inodes).expect("enough room");
        assert!(u64::from(geometry.inodes()) >= inodes, "{blocks} {inodes}");
        let count = geometry.groups.len() as u64;
        let table = u64::from(geometry.inodes_per_group) / 16;
        let mut runs = geometry.free.clone();
        for (index, group) in (0..).zip(&geometry.groups) {
            runs.extend(Run::between(index * GROUP_BLOCKS, index * GROUP_BLOCKS + copies(index, count)));
            runs.push(Run { start: group.block_bitmap, blocks: 1 });
            runs.push(Run { start: group.inode_bitmap, blocks: 1 });
            runs.push(Run { start: group.inode_table, blocks: table });
        }
        runs.sort_by_key(|run| run.start);
        let end = runs.iter().fold(0, |at, run| {
            assert_eq!(run.start, at, "{blocks} blocks, {inodes} inodes");
            run.end()
        });
        assert_eq!(end, geometry.blocks);
    }

    #[test]
    fn tiles_the_file_system() {
        check(52, 12);
        check(GROUP_BLOCKS, 2048);
        check(GROUP_BLOCKS + 51, 2048);
        check(GROUP_BLOCKS * 10 + 52, 100_000);
        // Tables longer than the groups of a flex group hold spill over.
        check(GROUP_BLOCKS * 17 + 1000, 17 * 32_768);
        check(GROUP_BLOCKS * 700, 12);
    }

    #[test]
    fn refuses_what_has_no_room() {
        assert!(Geometry::new(0, 12).is_none());
        assert!(Geometry::new(51, 12).is_none());
        assert!(Geometry::new(60, 2000).is_none());
        assert!(Geometry::new(GROUP_BLOCKS, 40_000).is_none());
    }

    #[test]
    fn drops_a_last_group_without_worth() {
        assert_eq!(Geometry::new(GROUP_BLOCKS + 51, 12).map(|g| g.blocks), Some(GROUP_BLOCKS));
        assert_eq!(Geometry::new(GROUP_BLOCKS + 52, 12).map(|g| g.blocks), Some(GROUP_BLOCKS + 52));
    }
}
