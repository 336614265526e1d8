//! On-disk structures of ext4, after the kernel's `Documentation/filesystems/ext4/`, under the names used there.
//!
//! Writer and reader share this file and nothing else but the definitions in `checksum.rs` and `hash.rs`.

use zerocopy::{
    FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned,
    byteorder::big_endian::U32 as Be32,
    byteorder::little_endian::{U16, U32, U64},
};

/// The one block size that icos writes and reads, in bytes.
pub(super) const BLOCK: usize = 4096;
/// [`BLOCK`] for arithmetic on file sizes.
pub(super) const BLOCK_BYTES: u64 = BLOCK as u64;
/// Blocks of a group: one bit each in a block of bitmap.
pub(super) const GROUP_BLOCKS: u64 = BLOCK_BYTES * 8;
/// Sectors of 512 bytes in a block, the unit of `i_blocks`.
pub(super) const BLOCK_SECTORS: u64 = BLOCK_BYTES / 512;
pub(super) const INODE_SIZE: usize = 256;
/// Inodes in a block of an inode table.
pub(super) const BLOCK_INODES: u32 = (BLOCK / INODE_SIZE) as u32;

pub(super) const ROOT_INO: u32 = 2;
pub(super) const JOURNAL_INO: u32 = 8;
/// The first inode that is not reserved, by custom that of `lost+found`.
pub(super) const FIRST_INO: u32 = 11;

/// Where the superblock of group 0 lies, in bytes.
pub(super) const SUPERBLOCK_OFFSET: usize = 1024;
pub(super) const SUPERBLOCK_SIZE: usize = 1024;
pub(super) const MAGIC: u16 = 0xef53;

/// Names of one inode, and sub-directories of one directory less two, that `i_links_count` counts.
pub(super) const MAX_LINKS: u32 = 65_000;
/// Bytes of a symbolic link's target that fit into `i_block`, less the NUL that ends it.
pub(super) const MAX_FAST_SYMLINK: usize = 59;
/// Bytes of a symbolic link's target that fit into a block, less the NUL that ends it.
pub(super) const MAX_SYMLINK: usize = BLOCK - 1;
/// Blocks of a file: logical block numbers have 32 bits.
pub(super) const MAX_FILE_BLOCKS: u64 = u32::MAX as u64;

pub(super) mod compat {
    pub(in super::super) const HAS_JOURNAL: u32 = 0x4;
    pub(in super::super) const EXT_ATTR: u32 = 0x8;
    pub(in super::super) const RESIZE_INODE: u32 = 0x10;
    pub(in super::super) const DIR_INDEX: u32 = 0x20;
}

pub(super) mod incompat {
    pub(in super::super) const FILETYPE: u32 = 0x2;
    pub(in super::super) const EXTENTS: u32 = 0x40;
    pub(in super::super) const BIT64: u32 = 0x80;
    pub(in super::super) const FLEX_BG: u32 = 0x200;
}

pub(super) mod ro_compat {
    pub(in super::super) const SPARSE_SUPER: u32 = 0x1;
    pub(in super::super) const LARGE_FILE: u32 = 0x2;
    pub(in super::super) const HUGE_FILE: u32 = 0x8;
    pub(in super::super) const DIR_NLINK: u32 = 0x20;
    pub(in super::super) const EXTRA_ISIZE: u32 = 0x40;
    pub(in super::super) const METADATA_CSUM: u32 = 0x400;
}

/// `s_state`: cleanly unmounted.
pub(super) const STATE_CLEAN: u16 = 1;
/// `s_errors`: carry on.
pub(super) const ERRORS_CONTINUE: u16 = 1;
/// `s_rev_level`: inode sizes and features count.
pub(super) const DYNAMIC_REVISION: u32 = 1;
/// `s_checksum_type`: CRC32C, the only one.
pub(super) const CHECKSUM_CRC32C: u8 = 1;
/// `s_def_hash_version` and `hash_version`: half MD4.
pub(super) const HASH_HALF_MD4: u8 = 1;
/// `s_flags`: names are hashed as signed characters.
pub(super) const FLAG_SIGNED_HASH: u32 = 0x1;
/// `s_flags`: names are hashed as unsigned characters.
pub(super) const FLAG_UNSIGNED_HASH: u32 = 0x2;
/// `s_default_mount_opts`: `user_xattr` and `acl`, as mke2fs sets them.
pub(super) const MOUNT_XATTR_ACL: u32 = 0xc;
/// `s_jnl_backup_type`: `s_jnl_blocks` holds `i_block` and the size of the journal's inode.
pub(super) const JOURNAL_BACKUP_BLOCKS: u8 = 1;

#[derive(Clone, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct Superblock {
    pub(super) s_inodes_count: U32,
    pub(super) s_blocks_count_lo: U32,
    pub(super) s_r_blocks_count_lo: U32,
    pub(super) s_free_blocks_count_lo: U32,

    pub(super) s_free_inodes_count: U32,
    pub(super) s_first_data_block: U32,
    /// Block size is 1024 << this.
    pub(super) s_log_block_size: U32,
    pub(super) s_log_cluster_size: U32,

    pub(super) s_blocks_per_group: U32,
    pub(super) s_clusters_per_group: U32,
    pub(super) s_inodes_per_group: U32,
    pub(super) s_mtime: U32,

    pub(super) s_wtime: U32,
    pub(super) s_mnt_count: U16,
    pub(super) s_max_mnt_count: U16,
    pub(super) s_magic: U16,
    pub(super) s_state: U16,
    pub(super) s_errors: U16,
    pub(super) s_minor_rev_level: U16,

    pub(super) s_lastcheck: U32,
    pub(super) s_checkinterval: U32,
    pub(super) s_creator_os: U32,
    pub(super) s_rev_level: U32,

    pub(super) s_def_resuid: U16,
    pub(super) s_def_resgid: U16,
    pub(super) s_first_ino: U32,
    pub(super) s_inode_size: U16,
    /// The group that this copy lies in.
    pub(super) s_block_group_nr: U16,
    pub(super) s_feature_compat: U32,

    pub(super) s_feature_incompat: U32,
    pub(super) s_feature_ro_compat: U32,
    pub(super) s_uuid: [u8; 16],
    /// NUL-padded.
    pub(super) s_volume_name: [u8; 16],
    pub(super) s_last_mounted: [u8; 64],
    pub(super) s_algorithm_usage_bitmap: U32,
    pub(super) s_prealloc_blocks: u8,
    pub(super) s_prealloc_dir_blocks: u8,
    pub(super) s_reserved_gdt_blocks: U16,

    pub(super) s_journal_uuid: [u8; 16],

    pub(super) s_journal_inum: U32,
    pub(super) s_journal_dev: U32,
    pub(super) s_last_orphan: U32,
    pub(super) s_hash_seed: [u8; 16],
    pub(super) s_def_hash_version: u8,
    pub(super) s_jnl_backup_type: u8,
    /// Size of a [`GroupDescriptor`].
    pub(super) s_desc_size: U16,

    pub(super) s_default_mount_opts: U32,
    pub(super) s_first_meta_bg: U32,
    pub(super) s_mkfs_time: U32,
    /// `i_block`, `i_size_high` and `i_size_lo` of the journal's inode.
    pub(super) s_jnl_blocks: [U32; 17],

    pub(super) s_blocks_count_hi: U32,
    pub(super) s_r_blocks_count_hi: U32,
    pub(super) s_free_blocks_count_hi: U32,
    pub(super) s_min_extra_isize: U16,
    pub(super) s_want_extra_isize: U16,

    pub(super) s_flags: U32,
    pub(super) s_raid_stride: U16,
    pub(super) s_mmp_interval: U16,
    pub(super) s_mmp_block: U64,

    pub(super) s_raid_stripe_width: U32,
    pub(super) s_log_groups_per_flex: u8,
    pub(super) s_checksum_type: u8,
    pub(super) s_encryption_level: u8,
    pub(super) s_reserved_pad: u8,
    pub(super) s_kbytes_written: U64,

    /// Of snapshots, which no kernel has, and of the last errors: zero in a new file system.
    pub(super) s_snapshots_and_errors: [u8; 128],

    pub(super) s_mount_opts: [u8; 64],

    pub(super) s_usr_quota_inum: U32,
    pub(super) s_grp_quota_inum: U32,
    pub(super) s_overhead_clusters: U32,
    pub(super) s_backup_bgs: [U32; 2],
    pub(super) s_encrypt_algos: [u8; 4],
    pub(super) s_encrypt_pw_salt: [u8; 16],
    pub(super) s_lpf_ino: U32,
    pub(super) s_prj_quota_inum: U32,
    pub(super) s_checksum_seed: U32,
    pub(super) s_wtime_hi: u8,
    pub(super) s_mtime_hi: u8,
    pub(super) s_mkfs_time_hi: u8,
    pub(super) s_lastcheck_hi: u8,
    pub(super) s_first_error_time_hi: u8,
    pub(super) s_last_error_time_hi: u8,
    pub(super) s_error_codes: [u8; 2],
    pub(super) s_encoding: U16,
    pub(super) s_encoding_flags: U16,
    pub(super) s_orphan_file_inum: U32,
    pub(super) s_reserved: [u8; 376],

    /// CRC32C of all that is before it.
    pub(super) s_checksum: U32,
}

const _: () = assert!(size_of::<Superblock>() == SUPERBLOCK_SIZE);

/// `bg_flags`: the inode bitmap is not written, no inode of the group is used.
pub(super) const BG_INODE_UNINIT: u16 = 0x1;
/// `bg_flags`: the block bitmap is not written, no block of the group is used but by fixed parts. Only read.
pub(super) const BG_BLOCK_UNINIT: u16 = 0x2;
/// `bg_flags`: the inode table's unused part is zero.
pub(super) const BG_INODE_ZEROED: u16 = 0x4;

#[derive(Clone, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct GroupDescriptor {
    pub(super) bg_block_bitmap_lo: U32,
    pub(super) bg_inode_bitmap_lo: U32,
    pub(super) bg_inode_table_lo: U32,
    pub(super) bg_free_blocks_count_lo: U16,
    pub(super) bg_free_inodes_count_lo: U16,

    pub(super) bg_used_dirs_count_lo: U16,
    pub(super) bg_flags: U16,
    pub(super) bg_exclude_bitmap_lo: U32,
    pub(super) bg_block_bitmap_csum_lo: U16,
    pub(super) bg_inode_bitmap_csum_lo: U16,
    /// Inodes at the end of the group's table that were never used.
    pub(super) bg_itable_unused_lo: U16,
    /// Low half of the CRC32C of the group's number and the descriptor.
    pub(super) bg_checksum: U16,

    pub(super) bg_block_bitmap_hi: U32,
    pub(super) bg_inode_bitmap_hi: U32,
    pub(super) bg_inode_table_hi: U32,
    pub(super) bg_free_blocks_count_hi: U16,
    pub(super) bg_free_inodes_count_hi: U16,

    pub(super) bg_used_dirs_count_hi: U16,
    pub(super) bg_itable_unused_hi: U16,
    pub(super) bg_exclude_bitmap_hi: U32,
    pub(super) bg_block_bitmap_csum_hi: U16,
    pub(super) bg_inode_bitmap_csum_hi: U16,
    pub(super) bg_reserved: U32,
}

pub(super) const DESCRIPTOR_SIZE: usize = 64;
const _: () = assert!(size_of::<GroupDescriptor>() == DESCRIPTOR_SIZE);

/// Kinds in the top four bits of `i_mode`, and permissions below.
pub(super) mod mode {
    pub(in super::super) const KIND: u16 = 0xf000;
    pub(in super::super) const PERMISSIONS: u16 = 0o7777;
    pub(in super::super) const FIFO: u16 = 0x1000;
    pub(in super::super) const CHAR: u16 = 0x2000;
    pub(in super::super) const DIRECTORY: u16 = 0x4000;
    pub(in super::super) const BLOCK: u16 = 0x6000;
    pub(in super::super) const REGULAR: u16 = 0x8000;
    pub(in super::super) const SYMLINK: u16 = 0xa000;
    pub(in super::super) const SOCKET: u16 = 0xc000;
}

/// `i_flags`: a directory with a hash tree.
pub(super) const INODE_INDEX: u32 = 0x1000;
/// `i_flags`: `i_block` is the root of an extent tree.
pub(super) const INODE_EXTENTS: u32 = 0x8_0000;

/// Bytes of [`Inode`] beyond the first 128 that are in use.
pub(super) const EXTRA_ISIZE: u16 = 32;

#[derive(Clone, Debug, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct Inode {
    pub(super) i_mode: U16,
    pub(super) i_uid: U16,
    pub(super) i_size_lo: U32,
    pub(super) i_atime: U32,
    pub(super) i_ctime: U32,

    pub(super) i_mtime: U32,
    pub(super) i_dtime: U32,
    pub(super) i_gid: U16,
    pub(super) i_links_count: U16,
    /// In sectors of 512 bytes, extent-tree and attribute blocks included.
    pub(super) i_blocks_lo: U32,

    pub(super) i_flags: U32,
    pub(super) i_version: U32,
    /// The root of an extent tree, a short symbolic link's target, or a device's numbers.
    pub(super) i_block: [u8; 60],
    pub(super) i_generation: U32,
    /// Block of extended attributes.
    pub(super) i_file_acl_lo: U32,
    pub(super) i_size_high: U32,

    pub(super) i_obso_faddr: U32,
    pub(super) i_blocks_high: U16,
    pub(super) i_file_acl_high: U16,
    pub(super) i_uid_high: U16,
    pub(super) i_gid_high: U16,
    pub(super) i_checksum_lo: U16,
    pub(super) i_reserved: U16,

    pub(super) i_extra_isize: U16,
    pub(super) i_checksum_hi: U16,
    pub(super) i_ctime_extra: U32,
    pub(super) i_mtime_extra: U32,
    pub(super) i_atime_extra: U32,

    pub(super) i_crtime: U32,
    pub(super) i_crtime_extra: U32,
    pub(super) i_version_hi: U32,
    pub(super) i_projid: U32,

    /// Extended attributes, after [`XATTR_MAGIC`].
    pub(super) xattrs: [u8; INODE_XATTRS],
}

pub(super) const INODE_XATTRS: usize = INODE_SIZE - 128 - EXTRA_ISIZE as usize;
const _: () = assert!(size_of::<Inode>() == INODE_SIZE);

pub(super) const EXTENT_MAGIC: u16 = 0xf30a;
/// Blocks of one initialised extent; a larger `ee_len` means one that reads as zeros.
pub(super) const MAX_EXTENT_BLOCKS: u64 = 32_768;
/// Levels of index blocks that the kernel accepts.
pub(super) const MAX_EXTENT_DEPTH: u16 = 5;
/// Entries in `i_block`.
pub(super) const EXTENTS_IN_INODE: usize = 4;
/// Entries in a block, four bytes being left for its checksum.
pub(super) const EXTENTS_IN_BLOCK: usize = (BLOCK - size_of::<ExtentHeader>()) / size_of::<Extent>();

#[derive(Clone, Copy, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct ExtentHeader {
    pub(super) eh_magic: U16,
    pub(super) eh_entries: U16,
    pub(super) eh_max: U16,
    /// 0 in a leaf.
    pub(super) eh_depth: U16,
    pub(super) eh_generation: U32,
}

#[derive(Clone, Copy, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct Extent {
    pub(super) ee_block: U32,
    pub(super) ee_len: U16,
    pub(super) ee_start_hi: U16,
    pub(super) ee_start_lo: U32,
}

#[derive(Clone, Copy, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct ExtentIndex {
    pub(super) ei_block: U32,
    pub(super) ei_leaf_lo: U32,
    pub(super) ei_leaf_hi: U16,
    pub(super) ei_unused: U16,
}

const _: () = assert!(size_of::<ExtentHeader>() == 12 && size_of::<Extent>() == 12 && size_of::<ExtentIndex>() == 12);
const _: () = assert!(12 + EXTENTS_IN_BLOCK * 12 + 4 == BLOCK);

/// What `file_type` of a directory entry says.
pub(super) mod file_type {
    pub(in super::super) const REGULAR: u8 = 1;
    pub(in super::super) const DIRECTORY: u8 = 2;
    pub(in super::super) const CHAR: u8 = 3;
    pub(in super::super) const BLOCK: u8 = 4;
    pub(in super::super) const FIFO: u8 = 5;
    pub(in super::super) const SOCKET: u8 = 6;
    pub(in super::super) const SYMLINK: u8 = 7;
    /// Of [`super::DirTail`], which looks like an unused entry.
    pub(in super::super) const CHECKSUM: u8 = 0xde;
}

/// Before a name; an entry is padded to a multiple of four bytes.
#[derive(Clone, Copy, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct DirEntry {
    /// 0 when unused.
    pub(super) inode: U32,
    /// To the next entry; the last one reaches the end of the block or its tail.
    pub(super) rec_len: U16,
    pub(super) name_len: u8,
    pub(super) file_type: u8,
}

/// The last twelve bytes of a block of entries.
#[derive(Clone, Copy, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct DirTail {
    pub(super) det_reserved_zero1: U32,
    pub(super) det_rec_len: U16,
    pub(super) det_reserved_zero2: u8,
    pub(super) det_reserved_ft: u8,
    pub(super) det_checksum: U32,
}

pub(super) const DIR_TAIL: usize = size_of::<DirTail>();
const _: () = assert!(size_of::<DirEntry>() == 8 && DIR_TAIL == 12);

/// In the first block of a hashed directory, after the entries `.` and `..`.
#[derive(Clone, Copy, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct DxRootInfo {
    pub(super) reserved_zero: U32,
    pub(super) hash_version: u8,
    /// Size of this structure.
    pub(super) info_length: u8,
    /// Levels of index blocks between this one and the leaves: 0 or 1.
    pub(super) indirect_levels: u8,
    pub(super) unused_flags: u8,
}

/// Before the entries of an index block, over the hash of the first, which is nought.
#[derive(Clone, Copy, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct DxCountLimit {
    pub(super) limit: U16,
    pub(super) count: U16,
}

#[derive(Clone, Copy, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct DxEntry {
    /// Least hash of what `block` holds; the lowest bit says that its first names have the hash that the block before ends with.
    pub(super) hash: U32,
    /// Logical block of the directory.
    pub(super) block: U32,
}

/// After the place of the last possible entry.
#[derive(Clone, Copy, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct DxTail {
    pub(super) dt_reserved: U32,
    pub(super) dt_checksum: U32,
}

/// Where [`DxRootInfo`] lies: after `.` and the header and name of `..`.
pub(super) const DX_ROOT_INFO: usize = 24;
/// Where the entries begin in the first block.
pub(super) const DX_ROOT_ENTRIES: usize = DX_ROOT_INFO + size_of::<DxRootInfo>();
/// Where the entries begin in the index blocks of the second level.
pub(super) const DX_NODE_ENTRIES: usize = size_of::<DirEntry>();
pub(super) const DX_ROOT_LIMIT: usize = dx_limit(DX_ROOT_ENTRIES);
pub(super) const DX_NODE_LIMIT: usize = dx_limit(DX_NODE_ENTRIES);

const fn dx_limit(entries: usize) -> usize {
    (BLOCK - entries - size_of::<DxTail>()) / size_of::<DxEntry>()
}

const _: () = assert!(DX_ROOT_LIMIT == 507 && DX_NODE_LIMIT == 510);

/// Before the attributes in an inode and in a block of their own.
pub(super) const XATTR_MAGIC: u32 = 0xea02_0000;
/// Inodes that may share one block of attributes.
pub(super) const XATTR_MAX_REFERENCES: u32 = 1024;

#[derive(Clone, Copy, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct XattrHeader {
    pub(super) h_magic: U32,
    pub(super) h_refcount: U32,
    pub(super) h_blocks: U32,
    pub(super) h_hash: U32,

    pub(super) h_checksum: U32,
    pub(super) h_reserved: [U32; 3],
}

/// Before an attribute's name; an entry is padded to a multiple of four bytes.
#[derive(Clone, Copy, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct XattrEntry {
    pub(super) e_name_len: u8,
    /// A prefix out of [`XATTR_PREFIXES`].
    pub(super) e_name_index: u8,
    /// From the block's start, or from the first entry in an inode.
    pub(super) e_value_offs: U16,
    pub(super) e_value_inum: U32,
    pub(super) e_value_size: U32,
    pub(super) e_hash: U32,
}

const _: () = assert!(size_of::<XattrHeader>() == 32 && size_of::<XattrEntry>() == 16);

/// Name indexes and what they stand for. Those of the ACLs are whole names.
pub(super) const XATTR_PREFIXES: &[(u8, &[u8])] = &[
    (1, b"user."),
    (XATTR_ACL_ACCESS, b"system.posix_acl_access"),
    (XATTR_ACL_DEFAULT, b"system.posix_acl_default"),
    (4, b"trusted."),
    (6, b"security."),
    (7, b"system."),
];
pub(super) const XATTR_ACL_ACCESS: u8 = 2;
pub(super) const XATTR_ACL_DEFAULT: u8 = 3;

/// Version of POSIX ACLs as `getxattr` returns them: entries of tag, permissions and a 32-bit id.
pub(super) const ACL_XATTR_VERSION: u32 = 2;
/// Version of POSIX ACLs on disk, where only entries of named users and groups have an id.
pub(super) const ACL_DISK_VERSION: u32 = 1;

/// Tags of ACL entries, in the order that they must have.
pub(super) mod acl {
    pub(in super::super) const USER_OWNER: u16 = 0x01;
    pub(in super::super) const USER: u16 = 0x02;
    pub(in super::super) const GROUP_OWNER: u16 = 0x04;
    pub(in super::super) const GROUP: u16 = 0x08;
    pub(in super::super) const MASK: u16 = 0x10;
    pub(in super::super) const OTHER: u16 = 0x20;
    /// The id of entries that have none.
    pub(in super::super) const NO_ID: u32 = u32::MAX;
}

pub(super) const JOURNAL_MAGIC: u32 = 0xc03b_3998;
/// `h_blocktype`: superblock, version 2.
pub(super) const JOURNAL_SUPERBLOCK_V2: u32 = 4;

/// The first block of a journal, big-endian; what follows in the block is zero in a new one.
#[derive(Clone, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct JournalSuperblock {
    pub(super) h_magic: Be32,
    pub(super) h_blocktype: Be32,
    pub(super) h_sequence: Be32,
    pub(super) s_blocksize: Be32,

    pub(super) s_maxlen: Be32,
    pub(super) s_first: Be32,
    pub(super) s_sequence: Be32,
    /// 0 when there is nothing to replay.
    pub(super) s_start: Be32,

    pub(super) s_errno: Be32,
    pub(super) s_feature_compat: Be32,
    pub(super) s_feature_incompat: Be32,
    pub(super) s_feature_ro_compat: Be32,

    pub(super) s_uuid: [u8; 16],

    pub(super) s_nr_users: Be32,
}

/// Whether a group holds copies of the superblock and of the descriptors (`sparse_super`): 0, 1 and powers of 3, 5 and 7.
pub(super) fn has_superblock(group: u64) -> bool {
    let power_of = |base: u64| {
        let mut power = base;
        while power < group {
            power *= base;
        }
        power == group
    };
    group < 2 || [3, 5, 7].into_iter().any(power_of)
}

pub(super) fn low32(value: u64) -> U32 {
    U32::new((value & 0xffff_ffff) as u32)
}

pub(super) fn high32(value: u64) -> U32 {
    U32::new((value >> 32) as u32)
}

pub(super) fn low16(value: u32) -> U16 {
    U16::new((value & 0xffff) as u16)
}

pub(super) fn high16(value: u32) -> U16 {
    U16::new((value >> 16) as u16)
}
