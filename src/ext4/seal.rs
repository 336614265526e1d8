//! The bytes of all metadata, once every block has its place.

use zerocopy::{FromZeros, IntoBytes};

use super::{
    checksum,
    extent::ExtentTree,
    format::{
        BG_INODE_UNINIT, BG_INODE_ZEROED, BLOCK, BLOCK_BYTES, CHECKSUM_CRC32C, DESCRIPTOR_SIZE, DYNAMIC_REVISION,
        ERRORS_CONTINUE, EXTRA_ISIZE, FIRST_INO, FLAG_UNSIGNED_HASH, GROUP_BLOCKS, GroupDescriptor, HASH_HALF_MD4,
        INODE_SIZE, INODE_XATTRS, Inode, JOURNAL_BACKUP_BLOCKS, JOURNAL_INO, JOURNAL_MAGIC, JOURNAL_SUPERBLOCK_V2,
        JournalSuperblock, MAGIC, MAX_FAST_SYMLINK, MOUNT_XATTR_ACL, STATE_CLEAN, SUPERBLOCK_OFFSET, Superblock,
        XattrHeader, compat, has_superblock, high16, high32, incompat, low16, low32, mode, ro_compat,
    },
    geometry::{LOG_FLEX_GROUPS, Run},
    inode::{self, Body, Facts},
    inventory::{Kind, ino},
    place::{PlacedFile, Placement},
    plan::Draft,
    writer::Piece,
};

/// Everything but file contents, at its place.
pub(super) fn pieces(draft: &Draft<'_>, placement: &Placement) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let table = inode_table(draft, placement, &mut pieces);
    for (file, blocks) in placement.files.iter().zip(&draft.blocks) {
        for extent in &file.extents {
            let start = (extent.logical * BLOCK_BYTES) as usize;
            if let Some(bytes) = blocks.get(start..start + (extent.run.blocks * BLOCK_BYTES) as usize) {
                pieces.push(at_block(extent.run.start, bytes.to_vec()));
            }
        }
    }
    for (shared, &place) in draft.shared.iter().zip(&placement.xattr_blocks) {
        let mut bytes = shared.bytes.clone();
        let mut set = |field, value: u32| bytes[field..field + 4].copy_from_slice(&value.to_le_bytes());
        set(std::mem::offset_of!(XattrHeader, h_refcount), shared.references);
        let checksum = draft.seed.xattrs(place, &bytes);
        let field = std::mem::offset_of!(XattrHeader, h_checksum);
        bytes[field..field + 4].copy_from_slice(&checksum.to_le_bytes());
        pieces.push(at_block(place, bytes));
    }
    if let Some(first) = placement.journal.extents.first() {
        pieces.push(at_block(first.run.start, journal_superblock(draft).as_bytes().to_vec()));
    }
    let used = used_inodes(draft);
    let per_group = placement.geometry.inodes_per_group as usize;
    for (group, inodes) in placement.geometry.groups.iter().zip(table.chunks(per_group)) {
        pieces.push(at_block(group.inode_table, inodes.as_bytes().to_vec()));
    }
    let descriptors: Vec<GroupDescriptor> = (0..placement.geometry.groups.len())
        .map(|group| descriptor(draft, placement, group, used, &mut pieces))
        .collect();
    copies(draft, placement, &descriptors, journal_backup(draft, &table), &mut pieces);
    pieces
}

fn at_block(block: u64, bytes: Vec<u8>) -> Piece {
    Piece { offset: block * BLOCK_BYTES, bytes }
}

/// Inodes from 1 on that are in use or reserved.
fn used_inodes(draft: &Draft<'_>) -> u32 {
    ino(draft.inventory.items.len() - 1)
}

/// All inodes up to the last used one; blocks of extent trees are added to `pieces`.
fn inode_table(draft: &Draft<'_>, placement: &Placement, pieces: &mut Vec<Piece>) -> Vec<Inode> {
    let mut table = vec![Inode::new_zeroed(); used_inodes(draft) as usize];
    if !placement.journal.extents.is_empty() {
        table[JOURNAL_INO as usize - 1] = journal_inode(draft, &placement.journal, pieces);
    }
    for (index, file) in placement.files.iter().enumerate() {
        table[ino(index) as usize - 1] = item_inode(draft, placement, index, file, pieces);
    }
    table
}

fn extent_tree(draft: &Draft<'_>, ino: u32, file: &PlacedFile, pieces: &mut Vec<Piece>) -> ExtentTree {
    let mut tree = ExtentTree::new(&file.extents, &file.tree, draft.seed.of_inode(ino, 0));
    pieces.extend(tree.blocks.drain(..).map(|(block, bytes)| at_block(block, bytes)));
    tree
}

fn item_inode(
    draft: &Draft<'_>,
    placement: &Placement,
    index: usize,
    file: &PlacedFile,
    pieces: &mut Vec<Piece>,
) -> Inode {
    let item = &draft.inventory.items[index];
    let tree = extent_tree(draft, ino(index), file, pieces);
    let (size, body) = match &item.kind {
        Kind::Directory(_) => (draft.blocks[index].len() as u64, Body::Extents(&tree)),
        Kind::Regular(content) => (content.len(), Body::Extents(&tree)),
        Kind::Symlink(target) if target.len() <= MAX_FAST_SYMLINK => (target.len() as u64, Body::FastSymlink(target)),
        Kind::Symlink(target) => (target.len() as u64, Body::Extents(&tree)),
        Kind::Device(device) => (0, Body::Device(*device)),
        Kind::Other => (0, Body::Nothing),
    };
    let xattr_block = draft.xattr_block[index].map(|shared| placement.xattr_blocks[shared]);
    let facts = Facts {
        mode: item.mode,
        uid: item.uid,
        gid: item.gid,
        links: item.links,
        size,
        blocks: file.blocks() + u64::from(xattr_block.is_some()),
        mtime: item.mtime,
        crtime: draft.options.epoch.timestamp(),
        is_hashed: matches!(item.kind, Kind::Directory(_)) && draft.blocks[index].len() > BLOCK,
        xattr_block: xattr_block.unwrap_or(0),
        xattrs: draft.xattrs[index].in_inode,
        body,
    };
    inode::inode(&facts, draft.seed.of_inode(ino(index), 0))
}

fn journal_inode(draft: &Draft<'_>, journal: &PlacedFile, pieces: &mut Vec<Piece>) -> Inode {
    let epoch = draft.options.epoch.timestamp();
    let facts = Facts {
        mode: mode::REGULAR | 0o600,
        uid: 0,
        gid: 0,
        links: 1,
        size: draft.demand.journal_blocks * BLOCK_BYTES,
        blocks: journal.blocks(),
        mtime: epoch,
        crtime: epoch,
        is_hashed: false,
        xattr_block: 0,
        xattrs: [0; INODE_XATTRS],
        body: Body::Extents(&extent_tree(draft, JOURNAL_INO, journal, pieces)),
    };
    inode::inode(&facts, draft.seed.of_inode(JOURNAL_INO, 0))
}

fn journal_superblock(draft: &Draft<'_>) -> JournalSuperblock {
    let mut journal = JournalSuperblock::new_zeroed();
    journal.h_magic.set(JOURNAL_MAGIC);
    journal.h_blocktype.set(JOURNAL_SUPERBLOCK_V2);
    journal.s_blocksize.set(BLOCK as u32);
    journal.s_maxlen.set(draft.demand.journal_blocks as u32);
    journal.s_first.set(1);
    journal.s_sequence.set(1);
    journal.s_uuid = *draft.options.uuid.as_bytes();
    journal.s_nr_users.set(1);
    journal
}

fn journal_backup(draft: &Draft<'_>, table: &[Inode]) -> Option<Inode> {
    draft.options.journal.map(|_| table[JOURNAL_INO as usize - 1].clone())
}

/// A group's descriptor; its bitmaps are added to `pieces`.
fn descriptor(
    draft: &Draft<'_>,
    placement: &Placement,
    group: usize,
    used_inodes: u32,
    pieces: &mut Vec<Piece>,
) -> GroupDescriptor {
    let place = placement.geometry.groups[group];
    let per_group = placement.geometry.inodes_per_group;
    let first = group as u32 * per_group;
    let used = used_inodes.saturating_sub(first).min(per_group);
    let (block_bitmap, free_blocks) = block_bitmap(placement.geometry.group_run(group), &placement.free);
    let block_checksum = draft.seed.bitmap(&block_bitmap);
    pieces.push(at_block(place.block_bitmap, block_bitmap));
    let mut inode_checksum = 0;
    if used > 0 {
        let inode_bitmap = inode_bitmap(used, per_group);
        inode_checksum = draft.seed.bitmap(&inode_bitmap[..per_group as usize / 8]);
        pieces.push(at_block(place.inode_bitmap, inode_bitmap));
    }
    let mut out = GroupDescriptor::new_zeroed();
    let split = |value: u64| (low32(value), high32(value));
    (out.bg_block_bitmap_lo, out.bg_block_bitmap_hi) = split(place.block_bitmap);
    (out.bg_inode_bitmap_lo, out.bg_inode_bitmap_hi) = split(place.inode_bitmap);
    (out.bg_inode_table_lo, out.bg_inode_table_hi) = split(place.inode_table);
    let split = |value: u32| (low16(value), high16(value));
    (out.bg_free_blocks_count_lo, out.bg_free_blocks_count_hi) = split(free_blocks);
    (out.bg_free_inodes_count_lo, out.bg_free_inodes_count_hi) = split(per_group - used);
    (out.bg_itable_unused_lo, out.bg_itable_unused_hi) = split(per_group - used);
    (out.bg_used_dirs_count_lo, out.bg_used_dirs_count_hi) = split(directories(draft, first, used));
    (out.bg_block_bitmap_csum_lo, out.bg_block_bitmap_csum_hi) = split(block_checksum);
    (out.bg_inode_bitmap_csum_lo, out.bg_inode_bitmap_csum_hi) = split(inode_checksum);
    out.bg_flags.set(if used > 0 { BG_INODE_ZEROED } else { BG_INODE_ZEROED | BG_INODE_UNINIT });
    out.bg_checksum.set(draft.seed.descriptor(group as u32, &out));
    out
}

/// Directories among the `used` inodes after number `first`.
fn directories(draft: &Draft<'_>, first: u32, used: u32) -> u32 {
    let items = &draft.inventory.items;
    // The root is the one item whose number does not follow from the one before.
    let root = u32::from(first == 0 && used > 0);
    let index = |number: u32| ((number + 1).saturating_sub(FIRST_INO) as usize + 1).clamp(1, items.len());
    let range = index(first)..index(first + used);
    root + items[range].iter().filter(|item| matches!(item.kind, Kind::Directory(_))).count() as u32
}

/// The bits of a group, 1 for what is used or lies beyond the end; and how many are 0.
fn block_bitmap(group: Run, free: &[Run]) -> (Vec<u8>, u32) {
    let mut bits = vec![0xff; BLOCK];
    let mut count = 0;
    let start = free.partition_point(|run| run.end() <= group.start);
    for run in free[start..].iter().take_while(|run| run.start < group.end()) {
        let first = run.start.max(group.start) - group.start;
        let end = run.end().min(group.end()) - group.start;
        clear(&mut bits, first as usize, end as usize);
        count += (end - first) as u32;
    }
    (bits, count)
}

/// The bits of a group whose first `used` inodes are in use, 1 also beyond the last.
fn inode_bitmap(used: u32, per_group: u32) -> Vec<u8> {
    let mut bits = vec![0xff; BLOCK];
    clear(&mut bits, used as usize, per_group as usize);
    bits
}

fn clear(bits: &mut [u8], start: usize, end: usize) {
    let (first, last) = (start.next_multiple_of(8).min(end), (end / 8 * 8).max(start));
    for bit in (start..first).chain(last.max(first)..end) {
        bits[bit / 8] &= !(1 << (bit % 8));
    }
    if first < last {
        bits[first / 8..last / 8].fill(0);
    }
}

/// Superblock and descriptors, in every group that has them.
fn copies(
    draft: &Draft<'_>,
    placement: &Placement,
    descriptors: &[GroupDescriptor],
    journal: Option<Inode>,
    pieces: &mut Vec<Piece>,
) {
    let mut superblock = superblock(draft, placement, journal);
    for group in (0..descriptors.len() as u64).filter(|&group| has_superblock(group)) {
        superblock.s_block_group_nr = low16((group & 0xffff) as u32);
        superblock.s_checksum.set(checksum::superblock(&superblock));
        let start = group * GROUP_BLOCKS * BLOCK_BYTES;
        let inside = if group == 0 { SUPERBLOCK_OFFSET as u64 } else { 0 };
        pieces.push(Piece { offset: start + inside, bytes: superblock.as_bytes().to_vec() });
        pieces.push(Piece { offset: start + BLOCK_BYTES, bytes: descriptors.as_bytes().to_vec() });
    }
}

// table: a field a line
fn superblock(draft: &Draft<'_>, placement: &Placement, journal: Option<Inode>) -> Superblock {
    let options = &draft.options;
    let geometry = &placement.geometry;
    let blocks = geometry.blocks;
    let free_blocks: u64 = placement.free.iter().map(|run| run.blocks).sum();
    let reserved = blocks * u64::from(options.reserved_percent) / 100;
    let mut out = Superblock::new_zeroed();
    out.s_inodes_count.set(geometry.inodes());
    (out.s_blocks_count_lo, out.s_blocks_count_hi) = (low32(blocks), high32(blocks));
    (out.s_r_blocks_count_lo, out.s_r_blocks_count_hi) = (low32(reserved), high32(reserved));
    (out.s_free_blocks_count_lo, out.s_free_blocks_count_hi) = (low32(free_blocks), high32(free_blocks));
    out.s_free_inodes_count.set(geometry.inodes() - used_inodes(draft));
    out.s_log_block_size.set(BLOCK.ilog2() - 10);
    out.s_log_cluster_size.set(BLOCK.ilog2() - 10);
    out.s_blocks_per_group.set(GROUP_BLOCKS as u32);
    out.s_clusters_per_group.set(GROUP_BLOCKS as u32);
    out.s_inodes_per_group.set(geometry.inodes_per_group);
    out.s_max_mnt_count.set(u16::MAX);
    out.s_magic.set(MAGIC);
    out.s_state.set(STATE_CLEAN);
    out.s_errors.set(ERRORS_CONTINUE);
    out.s_rev_level.set(DYNAMIC_REVISION);
    out.s_first_ino.set(FIRST_INO);
    out.s_inode_size.set(INODE_SIZE as u16);
    out.s_feature_compat.set(compat::EXT_ATTR | compat::DIR_INDEX);
    out.s_feature_incompat.set(incompat::FILETYPE | incompat::EXTENTS | incompat::BIT64 | incompat::FLEX_BG);
    out.s_feature_ro_compat.set(
        ro_compat::SPARSE_SUPER
            | ro_compat::LARGE_FILE
            | ro_compat::HUGE_FILE
            | ro_compat::DIR_NLINK
            | ro_compat::EXTRA_ISIZE
            | ro_compat::METADATA_CSUM,
    );
    out.s_uuid = *options.uuid.as_bytes();
    out.s_volume_name[..options.label.len()].copy_from_slice(&options.label);
    out.s_hash_seed = *options.hash_seed.as_bytes();
    out.s_def_hash_version = HASH_HALF_MD4;
    out.s_flags.set(FLAG_UNSIGNED_HASH);
    out.s_desc_size.set(DESCRIPTOR_SIZE as u16);
    out.s_default_mount_opts.set(MOUNT_XATTR_ACL);
    out.s_min_extra_isize.set(EXTRA_ISIZE);
    out.s_want_extra_isize.set(EXTRA_ISIZE);
    out.s_log_groups_per_flex = LOG_FLEX_GROUPS;
    out.s_checksum_type = CHECKSUM_CRC32C;
    if let Some(inode) = journal {
        out.s_feature_compat |= compat::HAS_JOURNAL;
        out.s_journal_inum.set(JOURNAL_INO);
        out.s_jnl_backup_type = JOURNAL_BACKUP_BLOCKS;
        out.s_jnl_blocks.as_mut_bytes()[..inode.i_block.len()].copy_from_slice(&inode.i_block);
        out.s_jnl_blocks[15] = inode.i_size_high;
        out.s_jnl_blocks[16] = inode.i_size_lo;
    }
    set_times(&mut out, options.epoch.seconds());
    out
}

fn set_times(superblock: &mut Superblock, seconds: i64) {
    let seconds = u64::try_from(seconds).expect("an epoch is not negative");
    let high = (high32(seconds).get() & 0xff) as u8;
    (superblock.s_wtime, superblock.s_wtime_hi) = (low32(seconds), high);
    (superblock.s_mkfs_time, superblock.s_mkfs_time_hi) = (low32(seconds), high);
    (superblock.s_lastcheck, superblock.s_lastcheck_hi) = (low32(seconds), high);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clears_bits() {
        for (start, end) in [(0, 0), (0, 64), (3, 5), (3, 8), (7, 9), (8, 16), (1, 63), (5, 5), (63, 64), (15, 17)] {
            let mut bits = [0xff_u8; 8];
            clear(&mut bits, start, end);
            for bit in 0..64 {
                let expect = u8::from(!(start..end).contains(&bit));
                assert_eq!(bits[bit / 8] >> (bit % 8) & 1, expect, "{start} {end} {bit}");
            }
        }
    }
}
