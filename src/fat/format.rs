//! On-disk structures of FAT16 and FAT32, after Microsoft's "FAT32 File System Specification" 1.03 of 2000.

use zerocopy::{
    FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned,
    byteorder::little_endian::{U16, U32},
};

/// The one sector size that icos writes and reads, in bytes.
pub(super) const SECTOR: usize = 512;
pub(super) const SECTOR_BYTES: u64 = SECTOR as u64;
/// The first cluster that holds data.
pub(super) const FIRST_CLUSTER: u32 = 2;
/// Copies of the table.
pub(super) const TABLES: u8 = 2;

/// At the start of the volume, in both kinds.
#[derive(Clone, Debug, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct ParameterBlock {
    pub(super) bs_jmp_boot: [u8; 3],
    pub(super) bs_oem_name: [u8; 8],
    pub(super) bpb_byts_per_sec: U16,
    /// A power of two.
    pub(super) bpb_sec_per_clus: u8,
    /// Sectors before the first table.
    pub(super) bpb_rsvd_sec_cnt: U16,
    pub(super) bpb_num_fats: u8,
    /// Of FAT16's root directory; 0 in FAT32.
    pub(super) bpb_root_ent_cnt: U16,
    /// 0 when `bpb_tot_sec32` counts.
    pub(super) bpb_tot_sec16: U16,
    pub(super) bpb_media: u8,
    /// 0 in FAT32.
    pub(super) bpb_fat_sz16: U16,
    pub(super) bpb_sec_per_trk: U16,
    pub(super) bpb_num_heads: U16,
    pub(super) bpb_hidd_sec: U32,
    pub(super) bpb_tot_sec32: U32,
}

/// After [`ParameterBlock`], in FAT32 alone.
#[derive(Clone, Debug, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct Fat32Block {
    pub(super) bpb_fat_sz32: U32,
    pub(super) bpb_ext_flags: U16,
    pub(super) bpb_fs_ver: U16,
    pub(super) bpb_root_clus: U32,
    /// Sector of [`FsInfo`].
    pub(super) bpb_fs_info: U16,
    /// Sector of the copy of the boot sector.
    pub(super) bpb_bk_boot_sec: U16,
    pub(super) bpb_reserved: [u8; 12],
}

/// After the blocks, in both kinds.
#[derive(Clone, Debug, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct ExtendedBlock {
    pub(super) bs_drv_num: u8,
    pub(super) bs_reserved1: u8,
    /// [`EXTENDED_SIGNATURE`] when the fields below are there.
    pub(super) bs_boot_sig: u8,
    pub(super) bs_vol_id: U32,
    pub(super) bs_vol_lab: [u8; 11],
    pub(super) bs_fil_sys_type: [u8; 8],
}

#[derive(Clone, Debug, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct BootSector16 {
    pub(super) bpb: ParameterBlock,
    pub(super) extended: ExtendedBlock,
    pub(super) code: [u8; 448],
    pub(super) signature: [u8; 2],
}

#[derive(Clone, Debug, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct BootSector32 {
    pub(super) bpb: ParameterBlock,
    pub(super) fat32: Fat32Block,
    pub(super) extended: ExtendedBlock,
    pub(super) code: [u8; 420],
    pub(super) signature: [u8; 2],
}

const _: () = assert!(size_of::<ParameterBlock>() == 36 && size_of::<Fat32Block>() == 28);
const _: () = assert!(size_of::<BootSector16>() == SECTOR && size_of::<BootSector32>() == SECTOR);

pub(super) const EXTENDED_SIGNATURE: u8 = 0x29;
pub(super) const BOOT_SIGNATURE: [u8; 2] = [0x55, 0xaa];
/// `bpb_media`: a fixed disk.
pub(super) const MEDIA: u8 = 0xf8;
/// Where FAT32's reserved sectors have what, as every formatter has it.
pub(super) const FS_INFO_SECTOR: u16 = 1;
pub(super) const BACKUP_SECTOR: u16 = 6;
pub(super) const RESERVED_SECTORS_32: u16 = 32;

/// FAT32's hints.
#[derive(Clone, Debug, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct FsInfo {
    pub(super) fsi_lead_sig: [u8; 4],
    pub(super) fsi_reserved1: [u8; 480],
    pub(super) fsi_struc_sig: [u8; 4],
    pub(super) fsi_free_count: U32,
    pub(super) fsi_nxt_free: U32,
    pub(super) fsi_reserved2: [u8; 12],
    pub(super) fsi_trail_sig: [u8; 4],
}

const _: () = assert!(size_of::<FsInfo>() == SECTOR);

pub(super) const LEAD_SIGNATURE: [u8; 4] = *b"RRaA";
pub(super) const STRUCTURE_SIGNATURE: [u8; 4] = *b"rrAa";
pub(super) const TRAIL_SIGNATURE: [u8; 4] = [0, 0, 0x55, 0xaa];

#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct DirEntry {
    /// Name and extension, padded with blanks.
    pub(super) dir_name: [u8; 11],
    pub(super) dir_attr: u8,
    /// Lower case of name and extension, see [`LOWER_NAME`].
    pub(super) dir_nt_res: u8,
    pub(super) dir_crt_time_tenth: u8,
    pub(super) dir_crt_time: U16,
    pub(super) dir_crt_date: U16,
    pub(super) dir_lst_acc_date: U16,
    pub(super) dir_fst_clus_hi: U16,
    pub(super) dir_wrt_time: U16,
    pub(super) dir_wrt_date: U16,
    pub(super) dir_fst_clus_lo: U16,
    /// 0 for a directory.
    pub(super) dir_file_size: U32,
}

/// A part of a long name, 13 units of UTF-16; the parts stand before the entry, last first.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct LongEntry {
    /// From 1; [`LAST_LONG`] is set in the last.
    pub(super) ldir_ord: u8,
    pub(super) ldir_name1: [U16; 5],
    pub(super) ldir_attr: u8,
    pub(super) ldir_type: u8,
    /// Of the entry's short name, see [`short_checksum`].
    pub(super) ldir_chksum: u8,
    pub(super) ldir_name2: [U16; 6],
    pub(super) ldir_fst_clus_lo: U16,
    pub(super) ldir_name3: [U16; 2],
}

pub(super) const ENTRY: usize = size_of::<DirEntry>();
const _: () = assert!(ENTRY == 32 && size_of::<LongEntry>() == 32);

pub(super) mod attr {
    pub(in super::super) const READ_ONLY: u8 = 0x01;
    pub(in super::super) const HIDDEN: u8 = 0x02;
    pub(in super::super) const SYSTEM: u8 = 0x04;
    pub(in super::super) const VOLUME_ID: u8 = 0x08;
    pub(in super::super) const DIRECTORY: u8 = 0x10;
    pub(in super::super) const ARCHIVE: u8 = 0x20;
    pub(in super::super) const LONG_NAME: u8 = READ_ONLY | HIDDEN | SYSTEM | VOLUME_ID;
}

/// `dir_nt_res`: the name is to be shown in lower case. Only read.
pub(super) const LOWER_NAME: u8 = 0x08;
/// `dir_nt_res`: the extension is to be shown in lower case. Only read.
pub(super) const LOWER_EXTENSION: u8 = 0x10;
pub(super) const LAST_LONG: u8 = 0x40;
/// Units of a long name in one entry.
pub(super) const LONG_UNITS: usize = 13;
/// Units of the longest name.
pub(super) const MAX_LONG: usize = 255;
/// First byte of an entry that is free; 0 also says that no entry follows.
pub(super) const DELETED: u8 = 0xe5;
/// Entries of a directory.
pub(super) const MAX_ENTRIES: usize = 65_536;
/// Entries of FAT16's root directory, in whole sectors.
pub(super) const MAX_ROOT_ENTRIES: usize = 65_520;

/// `.` and `..`.
pub(super) const DOT: [u8; 11] = *b".          ";
pub(super) const DOT_DOT: [u8; 11] = *b"..         ";
/// What the boot sector has when there is no label.
pub(super) const NO_LABEL: [u8; 11] = *b"NO NAME    ";

/// Ties long entries to the short one.
pub(super) fn short_checksum(name: &[u8; 11]) -> u8 {
    name.iter().fold(0, |sum: u8, byte| sum.rotate_right(1).wrapping_add(*byte))
}

/// Characters of short names beside letters and digits.
pub(super) const SHORT_SPECIALS: &[u8] = b"$%'-_@~`!(){}^#&";

/// Characters that a long name can't have, beside control characters.
pub(super) const LONG_FORBIDDEN: &[u8] = b"\"*/:<>?\\|\x7f";
