//! One inode, checked and typed.

use zerocopy::FromBytes;

use super::{Fault, ReadError, Result, field, same, volume::Volume, xattr};
use crate::{
    ext4::format::{self, EXTRA_ISIZE, INODE_EXTENTS, INODE_INDEX, file_type, mode},
    tree::{Node, Stat, Timestamp},
};

#[derive(Debug)]
pub(super) struct Inode {
    pub(super) ino: u32,
    pub(super) mode: u16,
    /// As directory entries have it.
    pub(super) file_type: u8,
    pub(super) links: u16,
    pub(super) size: u64,
    pub(super) sectors: u64,
    pub(super) is_hashed: bool,
    pub(super) has_extents: bool,
    /// 0 for none.
    pub(super) xattr_block: u64,
    pub(super) raw: format::Inode,
}

impl Inode {
    pub(super) fn read(volume: &Volume, ino: u32) -> Result<Self> {
        let read = || {
            let bytes = volume.inode(ino)?;
            let raw = format::Inode::read_from_bytes(&bytes).expect("an inode's bytes");
            let stored = u32::from(raw.i_checksum_lo.get()) | u32::from(raw.i_checksum_hi.get()) << 16;
            same(stored, volume.seed.of_inode(ino, raw.i_generation.get()).inode(&raw))?;
            typed(ino, raw)
        };
        read().map_err(|fault| ReadError::Inode { ino, fault })
    }

    /// What the tree keeps of an inode; its block of attributes is noted in `volume`.
    pub(super) fn stat(&self, volume: &mut Volume) -> Result<Stat> {
        let raw = &self.raw;
        let id = |low: u16, high: u16| u32::from(low) | u32::from(high) << 16;
        let fail = |fault| ReadError::Inode { ino: self.ino, fault };
        Ok(Stat {
            mode: self.mode & mode::PERMISSIONS,
            uid: id(raw.i_uid.get(), raw.i_uid_high.get()),
            gid: id(raw.i_gid.get(), raw.i_gid_high.get()),
            mtime: time(raw.i_mtime.get(), raw.i_mtime_extra.get()).map_err(fail)?,
            xattrs: xattr::read(volume, self)?,
        })
    }
}

fn typed(ino: u32, raw: format::Inode) -> std::result::Result<Inode, Fault> {
    let mode = raw.i_mode.get();
    let file_type = match mode & mode::KIND {
        mode::FIFO => file_type::FIFO,
        mode::CHAR => file_type::CHAR,
        mode::DIRECTORY => file_type::DIRECTORY,
        mode::BLOCK => file_type::BLOCK,
        mode::REGULAR => file_type::REGULAR,
        mode::SYMLINK => file_type::SYMLINK,
        mode::SOCKET => file_type::SOCKET,
        _ => return field("i_mode", mode),
    };
    let flags = raw.i_flags.get();
    let is_hashed = flags & INODE_INDEX != 0;
    if flags & !(INODE_EXTENTS | INODE_INDEX) != 0 || is_hashed && file_type != file_type::DIRECTORY {
        return field("i_flags", flags);
    }
    if raw.i_extra_isize.get() != EXTRA_ISIZE {
        return field("i_extra_isize", raw.i_extra_isize.get());
    }
    if raw.i_links_count.get() == 0 || raw.i_dtime.get() != 0 {
        return field("i_dtime", raw.i_dtime.get());
    }
    let wide = |low: u32, high: u32| u64::from(low) | u64::from(high) << 32;
    Ok(Inode {
        ino,
        mode,
        file_type,
        links: raw.i_links_count.get(),
        size: wide(raw.i_size_lo.get(), raw.i_size_high.get()),
        sectors: wide(raw.i_blocks_lo.get(), raw.i_blocks_high.get().into()),
        is_hashed,
        has_extents: flags & INODE_EXTENTS != 0,
        xattr_block: wide(raw.i_file_acl_lo.get(), raw.i_file_acl_high.get().into()),
        raw,
    })
}

/// Two more bits of seconds below the nanoseconds, the low word being signed.
fn time(low: u32, extra: u32) -> std::result::Result<Timestamp, Fault> {
    let nanoseconds = extra >> 2;
    if nanoseconds >= 1_000_000_000 {
        return field("i_mtime_extra", extra);
    }
    let seconds = i64::from(low.cast_signed()) + (i64::from(extra & 3) << 32);
    Ok(Timestamp { seconds, nanoseconds })
}

pub(super) fn file_type_of(node: &Node) -> u8 {
    match node {
        Node::Directory(_) => file_type::DIRECTORY,
        Node::Regular(_) => file_type::REGULAR,
        Node::Symlink(_) => file_type::SYMLINK,
        Node::CharDevice(_) => file_type::CHAR,
        Node::BlockDevice(_) => file_type::BLOCK,
        Node::Fifo => file_type::FIFO,
        Node::Socket => file_type::SOCKET,
    }
}
