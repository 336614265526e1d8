//! The blocks of a tar archive as structs: POSIX.1-2017 pax, "ustar Interchange Format", and GNU tar's `tar.h`.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// Everything in an archive is padded to this.
pub(super) const BLOCK: usize = 512;

pub(super) const MAGIC_POSIX: &[u8; 8] = b"ustar\x0000";
pub(super) const MAGIC_GNU: &[u8; 8] = b"ustar  \0";
pub(super) const MAGIC_V7: &[u8; 8] = &[0; 8];

/// A member's first block. Numbers are octal text, or base 256 when the first bit is set; texts end at a NUL or fill the field.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct Header {
    pub(super) name: [u8; 100],
    pub(super) mode: [u8; 8],
    pub(super) uid: [u8; 8],
    pub(super) gid: [u8; 8],
    /// Bytes of contents that follow, before padding.
    pub(super) size: [u8; 12],
    /// Seconds since 1970.
    pub(super) mtime: [u8; 12],
    /// Sum of the block's bytes, this field taken as blanks.
    pub(super) chksum: [u8; 8],
    pub(super) typeflag: u8,
    pub(super) linkname: [u8; 100],
    /// Magic and version in one: [`MAGIC_POSIX`], [`MAGIC_GNU`] or [`MAGIC_V7`].
    pub(super) magic: [u8; 8],
    pub(super) uname: [u8; 32],
    pub(super) gname: [u8; 32],
    pub(super) devmajor: [u8; 8],
    pub(super) devminor: [u8; 8],
    /// [`Prefix`] under POSIX magic, [`GnuTail`] under GNU magic.
    pub(super) tail: [u8; 167],
}

const _: () = assert!(size_of::<Header>() == BLOCK);

/// Longest prefix, in bytes.
pub(super) const PREFIX: usize = 155;

/// What POSIX puts at the end of a header.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct Prefix {
    /// Goes before `name` with a slash between.
    pub(super) prefix: [u8; PREFIX],
    pub(super) pad: [u8; 12],
}

const _: () = assert!(size_of::<Prefix>() == 167);

/// One run of data in a sparse file.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct GnuRun {
    pub(super) offset: [u8; 12],
    pub(super) numbytes: [u8; 12],
}

/// What GNU tar puts at the end of a header.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct GnuTail {
    pub(super) atime: [u8; 12],
    pub(super) ctime: [u8; 12],
    pub(super) offset: [u8; 12],
    pub(super) longnames: [u8; 4],
    pub(super) unused: u8,
    /// Used up to the first with an empty `offset`.
    pub(super) sp: [GnuRun; 4],
    /// Not 0 when a [`GnuExtension`] follows.
    pub(super) isextended: u8,
    /// Length of the sparse file, holes included.
    pub(super) realsize: [u8; 12],
    pub(super) pad: [u8; 17],
}

const _: () = assert!(size_of::<GnuTail>() == 167);

/// A block with more runs of a sparse file.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned)]
#[repr(C)]
pub(super) struct GnuExtension {
    pub(super) sp: [GnuRun; 21],
    pub(super) isextended: u8,
    pub(super) pad: [u8; 7],
}

const _: () = assert!(size_of::<GnuExtension>() == BLOCK);

impl Header {
    /// The sum that `chksum` must hold.
    pub(super) fn checksum(&self) -> u64 {
        let sum = |bytes: &[u8]| bytes.iter().map(|&b| u64::from(b)).sum::<u64>();
        sum(self.as_bytes()) - sum(&self.chksum) + 8 * u64::from(b' ')
    }
}

/// A text field up to its first NUL.
pub(super) fn text(field: &[u8]) -> &[u8] {
    memchr::memchr(0, field).map_or(field, |end| &field[..end])
}
