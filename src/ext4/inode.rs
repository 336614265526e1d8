//! One inode's 256 bytes.

use zerocopy::{FromZeros, IntoBytes};

use super::{
    checksum::Seed,
    extent::ExtentTree,
    format::{
        BLOCK_SECTORS, EXTRA_ISIZE, INODE_EXTENTS, INODE_INDEX, INODE_XATTRS, Inode, MAX_FAST_SYMLINK, high16, high32,
        low16, low32,
    },
};
use crate::tree::{Device, Timestamp};

/// What `i_block` holds.
#[derive(Debug)]
pub(super) enum Body<'a> {
    Extents(&'a ExtentTree),
    FastSymlink(&'a [u8]),
    Device(Device),
    Nothing,
}

/// All that an inode says.
#[derive(Debug)]
pub(super) struct Facts<'a> {
    pub(super) mode: u16,
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) links: u16,
    pub(super) size: u64,
    /// Blocks of data, of the extent tree and of attributes.
    pub(super) blocks: u64,
    pub(super) mtime: Timestamp,
    pub(super) crtime: Timestamp,
    pub(super) is_hashed: bool,
    pub(super) xattr_block: u64,
    pub(super) xattrs: [u8; INODE_XATTRS],
    pub(super) body: Body<'a>,
}

/// Builds the inode; `seed` is that of the inode. Times must be ones that [`time`] can hold.
pub(super) fn inode(facts: &Facts<'_>, seed: Seed) -> Inode {
    let (mtime, mtime_extra) = time(facts.mtime).expect("the inventory's times were checked");
    let (crtime, crtime_extra) = time(facts.crtime).expect("an epoch is before 2100");
    let mut inode = Inode::new_zeroed();
    inode.i_mode.set(facts.mode);
    (inode.i_uid, inode.i_uid_high) = (low16(facts.uid), high16(facts.uid));
    (inode.i_gid, inode.i_gid_high) = (low16(facts.gid), high16(facts.gid));
    (inode.i_size_lo, inode.i_size_high) = (low32(facts.size), high32(facts.size));
    inode.i_links_count.set(facts.links);
    let sectors = facts.blocks * BLOCK_SECTORS;
    (inode.i_blocks_lo, inode.i_blocks_high) = (low32(sectors), low16(high32(sectors).get()));
    (inode.i_file_acl_lo, inode.i_file_acl_high) = (low32(facts.xattr_block), low16(high32(facts.xattr_block).get()));
    for (seconds, extra) in [
        (&mut inode.i_atime, &mut inode.i_atime_extra),
        (&mut inode.i_ctime, &mut inode.i_ctime_extra),
        (&mut inode.i_mtime, &mut inode.i_mtime_extra),
    ] {
        seconds.set(mtime);
        extra.set(mtime_extra);
    }
    inode.i_crtime.set(crtime);
    inode.i_crtime_extra.set(crtime_extra);
    inode.i_extra_isize.set(EXTRA_ISIZE);
    let mut flags = if facts.is_hashed { INODE_INDEX } else { 0 };
    match &facts.body {
        Body::Extents(tree) => {
            flags |= INODE_EXTENTS;
            inode.i_block = tree.root;
        }
        Body::FastSymlink(target) => {
            assert!(target.len() <= MAX_FAST_SYMLINK, "longer targets have a block");
            inode.i_block[..target.len()].copy_from_slice(target);
        }
        Body::Device(device) => inode.i_block[..8].copy_from_slice(&device_numbers(*device)),
        Body::Nothing => {}
    }
    inode.i_flags.set(flags);
    inode.xattrs = facts.xattrs;
    let checksum = seed.inode(&inode);
    (inode.i_checksum_lo, inode.i_checksum_hi) = (low16(checksum), high16(checksum));
    inode
}

/// Low 32 bits of the seconds, then nanoseconds and the seconds' further two bits; `None` outside 1901 to 2446.
pub(super) fn time(time: Timestamp) -> Option<(u32, u32)> {
    let low = (time.seconds & 0xffff_ffff) as u32;
    let beyond = time.seconds.checked_sub(low.cast_signed().into())? >> 32;
    let epoch = u32::try_from(beyond).ok().filter(|&epoch| epoch < 4)?;
    let nanoseconds = (time.nanoseconds < 1_000_000_000).then_some(time.nanoseconds)?;
    Some((low, nanoseconds << 2 | epoch))
}

/// Device numbers that Linux has: 12 bits of major, 20 of minor.
pub(super) fn is_device(device: Device) -> bool {
    device.major < 1 << 12 && device.minor < 1 << 20
}

/// The first two words of `i_block`: the old form of 8 and 8 bits in the first, or the new form in the second.
fn device_numbers(device: Device) -> [u8; 8] {
    let Device { major, minor } = device;
    let numbers = if major < 256 && minor < 256 {
        [major << 8 | minor, 0]
    } else {
        [0, minor & 0xff | major << 8 | (minor & !0xff) << 12]
    };
    let mut bytes = [0; 8];
    bytes.copy_from_slice(numbers.map(u32::to_le_bytes).as_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        let check = |seconds: i64, expect: Option<(u32, u32)>| {
            assert_eq!(time(Timestamp { seconds, nanoseconds: 7 }), expect, "{seconds}");
        };
        check(0, Some((0, 28)));
        check(-1, Some((u32::MAX, 28)));
        check(-(1 << 31), Some((1 << 31, 28)));
        check(-(1 << 31) - 1, None);
        check(1 << 31, Some((1 << 31, 29)));
        check((1 << 34) - (1 << 31) - 1, Some((0x7fff_ffff, 31)));
        check((1 << 34) - (1 << 31), None);
        check(i64::MIN, None);
        check(i64::MAX, None);
    }
}
