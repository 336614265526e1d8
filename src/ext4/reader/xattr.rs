//! The extended attributes of an inode, as `getxattr` returns them.

use zerocopy::FromBytes;

use super::{Fault, ReadError, Result, field, inode::Inode, same, volume::Volume};
use crate::{
    ext4::format::{
        ACL_DISK_VERSION, ACL_XATTR_VERSION, XATTR_ACL_ACCESS, XATTR_ACL_DEFAULT, XATTR_MAGIC, XATTR_MAX_REFERENCES,
        XATTR_PREFIXES, XattrEntry, XattrHeader, acl,
    },
    tree::Xattrs,
};

type Checked<T> = std::result::Result<T, Fault>;

pub(super) fn read(volume: &mut Volume, inode: &Inode) -> Result<Xattrs> {
    let mut xattrs = Xattrs::new();
    let inside = &inode.raw.xattrs;
    if let Some(region) = inside.strip_prefix(&XATTR_MAGIC.to_le_bytes()) {
        entries(region, 0, &mut xattrs).map_err(|fault| ReadError::Inode { ino: inode.ino, fault })?;
    }
    if inode.xattr_block != 0 {
        block(volume, inode.xattr_block, &mut xattrs).map_err(|fault| ReadError::Block {
            ino: inode.ino,
            block: inode.xattr_block,
            fault,
        })?;
    }
    Ok(xattrs)
}

fn block(volume: &mut Volume, number: u64, xattrs: &mut Xattrs) -> Checked<()> {
    let bytes = volume.block(number)?;
    let (header, _) = XattrHeader::read_from_prefix(&bytes).expect("a block is larger");
    if header.h_magic.get() != XATTR_MAGIC || header.h_blocks.get() != 1 {
        return field("h_magic", header.h_magic.get());
    }
    same(header.h_checksum.get(), volume.seed.xattrs(number, &bytes))?;
    let references = volume.shared.get(&number).copied().unwrap_or(0) + 1;
    if references > header.h_refcount.get().min(XATTR_MAX_REFERENCES) {
        return field("h_refcount", header.h_refcount.get());
    }
    if references == 1 {
        volume.meet(number, 1)?;
    }
    volume.shared.insert(number, references);
    entries(&bytes, size_of::<XattrHeader>(), xattrs)
}

/// Entries from `at` up to four bytes of zero; values lie behind them at offsets in `region`.
fn entries(region: &[u8], mut at: usize, xattrs: &mut Xattrs) -> Checked<()> {
    loop {
        let rest = region.get(at..).filter(|rest| rest.len() >= 4).ok_or(Fault::Xattr(at))?;
        if rest[..4] == [0; 4] {
            return Ok(());
        }
        let (entry, rest) = XattrEntry::read_from_prefix(rest).map_err(|_| Fault::Xattr(at))?;
        let name_length = usize::from(entry.e_name_len);
        let suffix = rest.get(..name_length).ok_or(Fault::Xattr(at))?;
        let start = usize::from(entry.e_value_offs.get());
        let length = entry.e_value_size.get() as usize;
        let end = start.checked_add(length).ok_or(Fault::Xattr(at))?;
        let next = at + (size_of::<XattrEntry>() + name_length).next_multiple_of(4);
        let value = region.get(start..end).filter(|_| length == 0 || start >= next).ok_or(Fault::Xattr(at))?;
        if entry.e_value_inum.get() != 0 {
            return field("e_value_inum", entry.e_value_inum.get());
        }
        let (name, value) = attribute(entry.e_name_index, suffix, value).ok_or(Fault::Xattr(at))?;
        if xattrs.insert(name.into(), value.into()).is_some() {
            return Err(Fault::Xattr(at));
        }
        at = next;
    }
}

/// Full name and value of an attribute; `None` for an unknown prefix or a malformed ACL.
fn attribute(index: u8, suffix: &[u8], value: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let (_, prefix) = XATTR_PREFIXES.iter().find(|(known, _)| *known == index)?;
    let is_acl = matches!(index, XATTR_ACL_ACCESS | XATTR_ACL_DEFAULT);
    if is_acl != suffix.is_empty() {
        return None;
    }
    let value = if is_acl { acl(value)? } else { value.to_vec() };
    Some(([prefix, suffix].concat(), value))
}

/// Version 1, of which some entries have no id, to version 2.
fn acl(value: &[u8]) -> Option<Vec<u8>> {
    let mut rest = value.strip_prefix(&ACL_DISK_VERSION.to_le_bytes())?;
    let mut out = ACL_XATTR_VERSION.to_le_bytes().to_vec();
    while !rest.is_empty() {
        let (entry, behind) = rest.split_first_chunk::<4>()?;
        let mut id = acl::NO_ID.to_le_bytes();
        rest = behind;
        match u16::from_le_bytes([entry[0], entry[1]]) {
            acl::USER | acl::GROUP => {
                let (own, behind) = rest.split_first_chunk::<4>()?;
                (id, rest) = (*own, behind);
            }
            acl::USER_OWNER | acl::GROUP_OWNER | acl::MASK | acl::OTHER => {}
            _ => return None,
        }
        out.extend_from_slice(entry);
        out.extend_from_slice(&id);
    }
    Some(out)
}
