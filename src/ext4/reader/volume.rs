//! Superblock, groups and bitmaps of an image, and which blocks have been met.

use std::collections::BTreeMap;

use bytes::Bytes;
use uuid::Uuid;
use zerocopy::FromBytes;

use super::{Fault, ReadError, Result, count, field, same};
use crate::ext4::{
    checksum::{self, Seed},
    format::{
        BG_BLOCK_UNINIT, BG_INODE_UNINIT, BLOCK, BLOCK_BYTES, BLOCK_INODES, CHECKSUM_CRC32C, DESCRIPTOR_SIZE,
        DYNAMIC_REVISION, FIRST_INO, FLAG_SIGNED_HASH, GROUP_BLOCKS, GroupDescriptor, INODE_SIZE, JOURNAL_INO, MAGIC,
        STATE_CLEAN, SUPERBLOCK_OFFSET, SUPERBLOCK_SIZE, Superblock, compat, has_superblock, incompat, ro_compat,
    },
    hash::NameHasher,
};

type Checked<T> = std::result::Result<T, Fault>;

/// What the superblock says, checked.
#[derive(Debug)]
pub(super) struct Facts {
    pub(super) uuid: Uuid,
    pub(super) hash_seed: Uuid,
    pub(super) label: Vec<u8>,
    pub(super) size: u64,
    pub(super) free_bytes: u64,
    pub(super) inodes: u32,
    pub(super) free_inodes: u32,
    pub(super) has_journal: bool,
    /// mke2fs sets blocks aside for a longer table of descriptors, in an inode that is not read here.
    has_resize_inode: bool,
    reserved_descriptor_blocks: u64,
    inodes_per_group: u32,
    is_hash_signed: bool,
}

/// One group; `None` for a bitmap that is not initialised.
#[derive(Debug)]
struct Group {
    block_bitmap: Option<Bytes>,
    inode_bitmap: Option<Bytes>,
    inode_table: u64,
    free_blocks: u64,
    free_inodes: u64,
}

#[derive(Debug)]
pub(super) struct Volume {
    image: Bytes,
    pub(super) facts: Facts,
    pub(super) seed: Seed,
    pub(super) hasher: NameHasher,
    groups: Vec<Group>,
    /// A bit for each block that something was found to use.
    met: Vec<u64>,
    /// Blocks of extended attributes met, with how many inodes had them.
    pub(super) shared: BTreeMap<u64, u32>,
}

impl Volume {
    pub(super) fn open(image: &Bytes) -> Result<Self> {
        let given = image.len() as u64;
        let short = |needed| ReadError::Short { needed, given };
        let end = SUPERBLOCK_OFFSET + SUPERBLOCK_SIZE;
        let bytes = image.get(SUPERBLOCK_OFFSET..end).ok_or_else(|| short(end as u64))?;
        let superblock = Superblock::read_from_bytes(bytes).expect("a slice of that size");
        let facts = facts(&superblock).map_err(ReadError::Superblock)?;
        if given < facts.size {
            return Err(short(facts.size));
        }
        let blocks = facts.size / BLOCK_BYTES;
        let mut volume = Self {
            image: image.clone(),
            seed: Seed::of_file_system(&superblock.s_uuid),
            hasher: NameHasher::new(&superblock.s_hash_seed, facts.is_hash_signed),
            facts,
            groups: Vec::new(),
            met: vec![0; blocks.div_ceil(64) as usize],
            shared: BTreeMap::new(),
        };
        for group in 0..blocks.div_ceil(GROUP_BLOCKS) {
            let read = volume.read_group(group, &superblock);
            volume.groups.push(read.map_err(|fault| ReadError::Group { group, fault })?);
        }
        Ok(volume)
    }

    pub(super) fn blocks(&self) -> u64 {
        self.facts.size / BLOCK_BYTES
    }

    fn read_group(&mut self, group: u64, superblock: &Superblock) -> Checked<Group> {
        let descriptors = (self.blocks().div_ceil(GROUP_BLOCKS) * DESCRIPTOR_SIZE as u64).div_ceil(BLOCK_BYTES);
        if has_superblock(group) {
            self.check_copy(group, superblock)?;
            self.meet(group * GROUP_BLOCKS, 1 + descriptors + self.facts.reserved_descriptor_blocks)?;
        }
        let start = BLOCK + group as usize * DESCRIPTOR_SIZE;
        let bytes = self.image.get(start..start + DESCRIPTOR_SIZE).ok_or(Fault::Outside(1))?;
        let raw = GroupDescriptor::read_from_bytes(bytes).expect("a slice of that size");
        same(raw.bg_checksum.get().into(), self.seed.descriptor(group as u32, &raw).into())?;
        let wide = |low: u32, high: u32| u64::from(low) | u64::from(high) << 32;
        let narrow = |low: u16, high: u16| u32::from(low) | u32::from(high) << 16;
        let block_bitmap = wide(raw.bg_block_bitmap_lo.get(), raw.bg_block_bitmap_hi.get());
        let inode_bitmap = wide(raw.bg_inode_bitmap_lo.get(), raw.bg_inode_bitmap_hi.get());
        let inode_table = wide(raw.bg_inode_table_lo.get(), raw.bg_inode_table_hi.get());
        self.meet(block_bitmap, 1)?;
        self.meet(inode_bitmap, 1)?;
        self.meet(inode_table, u64::from(self.facts.inodes_per_group / BLOCK_INODES))?;
        let flags = raw.bg_flags.get();
        let bitmap = |block, is_absent, bits: u64, low: u16, high: u16| -> Checked<Option<Bytes>> {
            if is_absent {
                return Ok(None);
            }
            let bytes = self.block(block)?;
            same(narrow(low, high), self.seed.bitmap(&bytes[..bits as usize / 8]))?;
            Ok(Some(bytes))
        };
        Ok(Group {
            block_bitmap: bitmap(
                block_bitmap,
                flags & BG_BLOCK_UNINIT != 0,
                GROUP_BLOCKS,
                raw.bg_block_bitmap_csum_lo.get(),
                raw.bg_block_bitmap_csum_hi.get(),
            )?,
            inode_bitmap: bitmap(
                inode_bitmap,
                flags & BG_INODE_UNINIT != 0,
                self.facts.inodes_per_group.into(),
                raw.bg_inode_bitmap_csum_lo.get(),
                raw.bg_inode_bitmap_csum_hi.get(),
            )?,
            inode_table,
            free_blocks: narrow(raw.bg_free_blocks_count_lo.get(), raw.bg_free_blocks_count_hi.get()).into(),
            free_inodes: narrow(raw.bg_free_inodes_count_lo.get(), raw.bg_free_inodes_count_hi.get()).into(),
        })
    }

    /// A copy of the superblock must be one of the same file system.
    fn check_copy(&self, group: u64, superblock: &Superblock) -> Checked<()> {
        if group == 0 {
            return Ok(());
        }
        let start = group * GROUP_BLOCKS;
        let copy = Superblock::read_from_prefix(&self.block(start)?).expect("a block is larger").0;
        same(copy.s_checksum.get(), checksum::superblock(&copy))?;
        if copy.s_uuid != superblock.s_uuid || u64::from(copy.s_block_group_nr.get()) != group & 0xffff {
            return field("s_block_group_nr", copy.s_block_group_nr.get());
        }
        Ok(())
    }

    /// Notes that something uses these blocks, which nothing else may.
    pub(super) fn meet(&mut self, start: u64, blocks: u64) -> Checked<()> {
        let end = start.checked_add(blocks).filter(|&end| end <= self.blocks()).ok_or(Fault::Outside(start))?;
        for block in start..end {
            let word = &mut self.met[(block / 64) as usize];
            if *word >> (block % 64) & 1 == 1 {
                return Err(Fault::UsedTwice(block));
            }
            *word |= 1 << (block % 64);
        }
        Ok(())
    }

    /// The bytes of one block.
    pub(super) fn block(&self, block: u64) -> Checked<Bytes> {
        self.range(block, 1)
    }

    pub(super) fn range(&self, block: u64, blocks: u64) -> Checked<Bytes> {
        let end = block.checked_add(blocks).filter(|&end| end <= self.blocks()).ok_or(Fault::Outside(block))?;
        // The image is at least as long as the file system, so that these are offsets in memory.
        Ok(self.image.slice((block * BLOCK_BYTES) as usize..(end * BLOCK_BYTES) as usize))
    }

    /// The bytes of an inode that is in use.
    pub(super) fn inode(&self, ino: u32) -> Checked<Bytes> {
        let index = ino.checked_sub(1).filter(|&index| index < self.facts.inodes).ok_or(Fault::NoInode(ino))?;
        let (group, inside) = (index / self.facts.inodes_per_group, index % self.facts.inodes_per_group);
        let group = &self.groups[group as usize];
        if !group.inode_bitmap.as_ref().is_some_and(|bits| bit(bits, inside as usize)) {
            return Err(Fault::FreeInode(ino));
        }
        let block = self.block(group.inode_table + u64::from(inside / BLOCK_INODES))?;
        let start = (inside % BLOCK_INODES) as usize * INODE_SIZE;
        Ok(block.slice(start..start + INODE_SIZE))
    }

    /// Compares what was met with the bitmaps and the counts of free blocks and inodes; `used` inodes were found.
    pub(super) fn check_counts(&self, used: u64) -> Result<()> {
        let mut free = (0, 0);
        for (number, group) in (0..).zip(&self.groups) {
            let (blocks, inodes) =
                self.check_group(number, group).map_err(|fault| ReadError::Group { group: number, fault })?;
            free = (free.0 + blocks, free.1 + inodes);
        }
        let reserved = u64::from(FIRST_INO) - 1;
        count("free blocks", self.facts.free_bytes / BLOCK_BYTES, free.0)
            .and_then(|()| count("free inodes", self.facts.free_inodes.into(), free.1))
            // The root is one of the reserved inodes.
            .and_then(|()| count("inodes in use", u64::from(self.facts.inodes) - free.1, used + reserved - 1))
            .map_err(ReadError::Superblock)
    }

    fn check_group(&self, number: u64, group: &Group) -> Checked<(u64, u64)> {
        let first = number * GROUP_BLOCKS;
        let last = (first + GROUP_BLOCKS).min(self.blocks());
        let mut free_blocks = 0;
        if let Some(bits) = &group.block_bitmap {
            for block in first..last {
                let is_met = self.met[(block / 64) as usize] >> (block % 64) & 1 == 1;
                match (is_met, bit(bits, (block - first) as usize)) {
                    (true, false) => return Err(Fault::MarkedFree(block)),
                    (false, true) if !self.facts.has_resize_inode => {
                        return Err(Fault::Count { what: "users of a block that is marked used", stored: 1, found: 0 });
                    }
                    (_, true) => {}
                    (false, false) => free_blocks += 1,
                }
            }
            count("free blocks", group.free_blocks, free_blocks)?;
            padding(bits, (last - first) as usize)?;
        }
        let mut free_inodes = u64::from(self.facts.inodes_per_group);
        if let Some(bits) = &group.inode_bitmap {
            free_inodes -= (0..self.facts.inodes_per_group as usize).filter(|&index| bit(bits, index)).count() as u64;
            padding(bits, self.facts.inodes_per_group as usize)?;
        }
        count("free inodes", group.free_inodes, free_inodes)?;
        Ok((group.free_blocks, free_inodes))
    }
}

/// What a bitmap has no use for is 1.
fn padding(bits: &[u8], used: usize) -> Checked<()> {
    match (used..bits.len() * 8).find(|&index| !bit(bits, index)) {
        Some(index) => field("padding of a bitmap", index as u64),
        None => Ok(()),
    }
}

fn bit(bits: &[u8], index: usize) -> bool {
    bits[index / 8] >> (index % 8) & 1 == 1
}

/// Features that the reader understands, or that change nothing for it.
const COMPAT: u32 = compat::HAS_JOURNAL | compat::EXT_ATTR | compat::RESIZE_INODE | compat::DIR_INDEX;
const INCOMPAT: u32 = incompat::FILETYPE | incompat::EXTENTS | incompat::BIT64 | incompat::FLEX_BG;
const RO_COMPAT: u32 = ro_compat::SPARSE_SUPER
    | ro_compat::LARGE_FILE
    | ro_compat::HUGE_FILE
    | ro_compat::DIR_NLINK
    | ro_compat::EXTRA_ISIZE
    | ro_compat::METADATA_CSUM;

// table: a field a line
fn facts(raw: &Superblock) -> Checked<Facts> {
    let expect = |name: &'static str, value: u32, wanted: u32| {
        if value == wanted { Ok(()) } else { field(name, value) }
    };
    expect("s_magic", raw.s_magic.get().into(), MAGIC.into())?;
    same(raw.s_checksum.get(), checksum::superblock(raw))?;
    expect("s_rev_level", raw.s_rev_level.get(), DYNAMIC_REVISION)?;
    expect("s_state", raw.s_state.get().into(), STATE_CLEAN.into())?;
    expect("s_first_data_block", raw.s_first_data_block.get(), 0)?;
    expect("s_log_block_size", raw.s_log_block_size.get(), BLOCK.ilog2() - 10)?;
    expect("s_blocks_per_group", raw.s_blocks_per_group.get(), GROUP_BLOCKS as u32)?;
    expect("s_first_ino", raw.s_first_ino.get(), FIRST_INO)?;
    expect("s_inode_size", raw.s_inode_size.get().into(), INODE_SIZE as u32)?;
    expect("s_desc_size", raw.s_desc_size.get().into(), DESCRIPTOR_SIZE as u32)?;
    expect("s_checksum_type", raw.s_checksum_type.into(), CHECKSUM_CRC32C.into())?;
    expect("s_last_orphan", raw.s_last_orphan.get(), 0)?;
    expect("s_feature_compat", raw.s_feature_compat.get() & !COMPAT, 0)?;
    expect("s_feature_incompat", raw.s_feature_incompat.get(), INCOMPAT)?;
    expect("s_feature_ro_compat", raw.s_feature_ro_compat.get() & !RO_COMPAT, 0)?;
    expect("s_feature_ro_compat", !raw.s_feature_ro_compat.get() & ro_compat::METADATA_CSUM, 0)?;
    let has_journal = raw.s_feature_compat.get() & compat::HAS_JOURNAL != 0;
    expect("s_journal_inum", raw.s_journal_inum.get(), if has_journal { JOURNAL_INO } else { 0 })?;
    let wide = |low: u32, high: u32| u64::from(low) | u64::from(high) << 32;
    let blocks = wide(raw.s_blocks_count_lo.get(), raw.s_blocks_count_hi.get());
    let free_blocks = wide(raw.s_free_blocks_count_lo.get(), raw.s_free_blocks_count_hi.get());
    // A file system of 64 TiB, as large as any that is written here.
    if blocks == 0 || blocks > 1 << 34 {
        return field("s_blocks_count", blocks);
    }
    if free_blocks > blocks {
        return field("s_free_blocks_count", free_blocks);
    }
    let (inodes, inodes_per_group) = (raw.s_inodes_count.get(), raw.s_inodes_per_group.get());
    if inodes_per_group == 0
        || u64::from(inodes_per_group) > BLOCK_BYTES * 8
        || !inodes_per_group.is_multiple_of(BLOCK_INODES)
    {
        return field("s_inodes_per_group", inodes_per_group);
    }
    if u64::from(inodes) != u64::from(inodes_per_group) * blocks.div_ceil(GROUP_BLOCKS) {
        return field("s_inodes_count", inodes);
    }
    let label_end = raw.s_volume_name.iter().position(|&byte| byte == 0).unwrap_or(16);
    Ok(Facts {
        uuid: Uuid::from_bytes(raw.s_uuid),
        hash_seed: Uuid::from_bytes(raw.s_hash_seed),
        label: raw.s_volume_name[..label_end].to_vec(),
        size: blocks * BLOCK_BYTES,
        free_bytes: free_blocks * BLOCK_BYTES,
        inodes,
        free_inodes: raw.s_free_inodes_count.get(),
        has_journal,
        has_resize_inode: raw.s_feature_compat.get() & compat::RESIZE_INODE != 0,
        reserved_descriptor_blocks: raw.s_reserved_gdt_blocks.get().into(),
        inodes_per_group,
        is_hash_signed: raw.s_flags.get() & FLAG_SIGNED_HASH != 0,
    })
}
