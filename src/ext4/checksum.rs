//! The checksums of `metadata_csum`: CRC32C, seeded by the UUID and, for what belongs to an inode, by the inode.

use zerocopy::IntoBytes;

use super::format::{DirTail, DxEntry, DxTail, GroupDescriptor, INODE_SIZE, Inode, Superblock, XattrHeader};

/// What a checksum starts with, before the bytes that it covers. Also the running value: ext4 never inverts at the end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seed(u32);

impl Seed {
    /// Seed of everything in the file system with this UUID.
    pub(super) fn of_file_system(uuid: &[u8; 16]) -> Self {
        Self(u32::MAX).then(uuid)
    }

    /// Seed of everything that belongs to one inode.
    pub(super) fn of_inode(self, ino: u32, generation: u32) -> Self {
        self.then(&ino.to_le_bytes()).then(&generation.to_le_bytes())
    }

    fn then(self, bytes: &[u8]) -> Self {
        // The crate inverts before and after, as CRC32C proper does.
        Self(!crc32c::crc32c_append(!self.0, bytes))
    }

    /// Of a bitmap's used part.
    pub(super) fn bitmap(self, bits: &[u8]) -> u32 {
        self.then(bits).0
    }

    pub(super) fn descriptor(self, group: u32, descriptor: &GroupDescriptor) -> u16 {
        let mut descriptor = descriptor.clone();
        descriptor.bg_checksum.set(0);
        (self.then(&group.to_le_bytes()).then(descriptor.as_bytes()).0 & 0xffff) as u16
    }

    /// For a seed of the inode itself.
    pub(super) fn inode(self, inode: &Inode) -> u32 {
        let mut inode = inode.clone();
        inode.i_checksum_lo.set(0);
        inode.i_checksum_hi.set(0);
        debug_assert_eq!(inode.as_bytes().len(), INODE_SIZE);
        self.then(inode.as_bytes()).0
    }

    /// Of a block of an extent tree, less the checksum in its last four bytes.
    pub(super) fn extents(self, block: &[u8]) -> u32 {
        self.then(&block[..block.len() - size_of::<u32>()]).0
    }

    /// Of a block of directory entries, less its tail.
    pub(super) fn entries(self, block: &[u8]) -> u32 {
        self.then(&block[..block.len() - size_of::<DirTail>()]).0
    }

    /// Of an index block of a directory whose `count` entries begin at `start`, and of its tail less the checksum.
    pub(super) fn index(self, block: &[u8], start: usize, count: usize, tail: &DxTail) -> u32 {
        let used = start + count * size_of::<DxEntry>();
        self.then(&block[..used]).then(tail.dt_reserved.as_bytes()).then(&[0; 4]).0
    }

    /// Of a block of extended attributes at `number`.
    pub(super) fn xattrs(self, number: u64, block: &[u8]) -> u32 {
        const CHECKSUM: usize = std::mem::offset_of!(XattrHeader, h_checksum);
        self.then(&number.to_le_bytes()).then(&block[..CHECKSUM]).then(&[0; 4]).then(&block[CHECKSUM + 4..]).0
    }
}

/// Of the superblock, less the checksum that ends it.
pub(super) fn superblock(superblock: &Superblock) -> u32 {
    let bytes = superblock.as_bytes();
    Seed(u32::MAX).then(&bytes[..bytes.len() - size_of::<u32>()]).0
}
