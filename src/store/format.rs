//! The header of a layer file; behind it, each from a multiple of [`ALIGN`], control.tar and data.tar as they were packed.

use zerocopy::{
    FromBytes, Immutable, IntoBytes, KnownLayout,
    little_endian::{U32, U64},
};

/// Beginning of both archives.
pub(super) const ALIGN: u64 = 4096;

pub(super) const MAGIC: [u8; 8] = *b"icoslay\0";

/// To be raised with every change of the format or of what is checked when a layer is made.
pub(super) const VERSION: u32 = 1;

/// Bytes whose sums are made apart, so that several threads can check one layer.
pub(super) const CHUNK: usize = 1 << 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, KnownLayout, Immutable)]
#[repr(C)]
pub(super) struct Header {
    pub(super) magic: [u8; 8],
    pub(super) version: U32,
    /// 0.
    pub(super) reserved: U32,

    pub(super) control_len: U64,
    pub(super) data_offset: U64,

    pub(super) data_len: U64,
    /// Of the whole file.
    pub(super) file_len: U64,

    /// Of the package that the layer was made of.
    pub(super) deb: [u8; 32],

    /// Of this header, with this field zero, and the sums of all chunks from [`ALIGN`] to the end of the file.
    pub(super) digest: [u8; 32],
}

const _: () = assert!(size_of::<Header>() == 112);
