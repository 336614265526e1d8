//! Structures of the table on disk (UEFI 2.10 §5.2.3, §5.3.2, §5.3.3).

use zerocopy::{
    FromBytes, Immutable, KnownLayout,
    byteorder::little_endian::{U16, U32, U64},
};

/// Bytes of a logical block; the images are for disks that say 512.
pub const SECTOR: u64 = 512;

pub(super) const SIGNATURE: &[u8; 8] = b"EFI PART";
pub(super) const REVISION: u32 = 0x0001_0000;
pub(super) const HEADER_SIZE: u32 = 92;
pub(super) const ENTRY_SIZE: u32 = 128;
pub(super) const ENTRY_COUNT: u32 = 128;

/// MBR partition type of the one record that covers the disk.
pub(super) const PROTECTIVE: u8 = 0xee;

/// Header at LBA 1 and at the last LBA.
#[derive(FromBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(super) struct Header {
    /// "EFI PART".
    pub(super) signature: [u8; 8],
    pub(super) revision: U32,
    /// 92.
    pub(super) header_size: U32,

    /// CRC-32 of the first `header_size` bytes, this field zero.
    pub(super) header_crc32: U32,
    pub(super) reserved: U32,
    pub(super) my_lba: U64,

    pub(super) alternate_lba: U64,
    pub(super) first_usable_lba: U64,

    pub(super) last_usable_lba: U64,
    /// Mixed-endian, as all GUIDs here.
    pub(super) disk_guid: [u8; 16],
    pub(super) partition_entry_lba: U64,

    pub(super) number_of_partition_entries: U32,
    pub(super) size_of_partition_entry: U32,
    /// CRC-32 of the whole entry array.
    pub(super) partition_entry_array_crc32: U32,
}

/// One entry of the array; unused when the type is zero.
#[derive(FromBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(super) struct Entry {
    pub(super) partition_type_guid: [u8; 16],

    pub(super) unique_partition_guid: [u8; 16],

    pub(super) starting_lba: U64,
    /// Inclusive.
    pub(super) ending_lba: U64,

    pub(super) attributes: U64,
    /// UTF-16LE, zero-terminated when shorter.
    pub(super) partition_name: [U16; 36],
}

/// A record of the protective MBR, at byte 446 of LBA 0.
#[derive(FromBytes, Immutable, KnownLayout)]
#[repr(C)]
pub(super) struct MbrRecord {
    pub(super) boot_indicator: u8,
    pub(super) starting_chs: [u8; 3],
    pub(super) os_type: u8,
    pub(super) ending_chs: [u8; 3],
    pub(super) starting_lba: U32,
    pub(super) size_in_lba: U32,
}

const _: () = assert!(size_of::<Header>() == HEADER_SIZE as usize);
const _: () = assert!(size_of::<Entry>() == ENTRY_SIZE as usize);
const _: () = assert!(size_of::<MbrRecord>() == 16);
