//! Extended attributes on disk: as many as fit in the inode, the rest in one block that equal inodes share.

use zerocopy::{FromBytes, IntoBytes};

use super::format::{
    ACL_DISK_VERSION, ACL_XATTR_VERSION, BLOCK, INODE_XATTRS, XATTR_ACL_ACCESS, XATTR_ACL_DEFAULT, XATTR_MAGIC,
    XATTR_PREFIXES, XattrEntry, XattrHeader, acl, low16,
};
use crate::tree::Xattrs;

/// The attributes of one inode, placed.
#[derive(Debug)]
pub(super) struct Placed {
    pub(super) in_inode: [u8; INODE_XATTRS],
    /// Without checksum and number of references.
    pub(super) block: Option<Vec<u8>>,
}

/// Why attributes can't be written.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// No prefix that ext4 has a number for, nothing behind it, or more than 255 bytes.
    Name(Box<[u8]>),
    /// No POSIX ACL of version 2.
    Acl(Box<[u8]>),
    /// Bytes that the block would have to hold.
    TooBig(usize),
}

/// The end of a list of entries.
const END: usize = 4;
/// Where the entries begin in an inode, after the magic number.
const IN_INODE: usize = 4;

struct Attribute<'a> {
    index: u8,
    /// Without the prefix.
    name: &'a [u8],
    value: Vec<u8>,
}

impl Attribute<'_> {
    fn size(&self) -> usize {
        self.entry_size() + self.value.len().next_multiple_of(4)
    }

    fn entry_size(&self) -> usize {
        (size_of::<XattrEntry>() + self.name.len()).next_multiple_of(4)
    }

    /// `e_hash`: over the name's bytes, then over the value's words.
    fn hash(&self) -> u32 {
        let of_name = self.name.iter().fold(0_u32, |hash, byte| hash.rotate_left(5) ^ u32::from(*byte));
        self.value.chunks(4).fold(of_name, |hash, bytes| {
            let mut word = [0; 4];
            word[..bytes.len()].copy_from_slice(bytes);
            hash.rotate_left(16) ^ u32::from_le_bytes(word)
        })
    }
}

pub(super) fn place(xattrs: &Xattrs) -> Result<Placed, Fault> {
    let mut attributes = Vec::new();
    for (name, value) in xattrs {
        attributes.push(attribute(name, value)?);
    }
    // The order that the kernel's look-up in a block relies on.
    attributes.sort_by(|a, b| (a.index, a.name.len(), a.name).cmp(&(b.index, b.name.len(), b.name)));
    let mut room = INODE_XATTRS - IN_INODE - END;
    let (inside, outside): (Vec<_>, Vec<_>) = attributes.into_iter().partition(|attribute| {
        let fits = attribute.size() <= room;
        room -= if fits { attribute.size() } else { 0 };
        fits
    });
    let mut in_inode = [0; INODE_XATTRS];
    if !inside.is_empty() {
        in_inode[..IN_INODE].copy_from_slice(&XATTR_MAGIC.to_le_bytes());
        fill(&mut in_inode[IN_INODE..], 0, &inside);
    }
    let block = if outside.is_empty() { None } else { Some(block(&outside)?) };
    Ok(Placed { in_inode, block })
}

fn block(attributes: &[Attribute<'_>]) -> Result<Vec<u8>, Fault> {
    let needed = size_of::<XattrHeader>() + attributes.iter().map(Attribute::size).sum::<usize>() + END;
    if needed > BLOCK {
        return Err(Fault::TooBig(needed));
    }
    let header = XattrHeader {
        h_magic: XATTR_MAGIC.into(),
        h_refcount: 0.into(),
        h_blocks: 1.into(),
        h_hash: attributes.iter().fold(0_u32, |hash, attribute| hash.rotate_left(16) ^ attribute.hash()).into(),
        h_checksum: 0.into(),
        h_reserved: Default::default(),
    };
    let mut block = vec![0; BLOCK];
    block[..size_of::<XattrHeader>()].copy_from_slice(header.as_bytes());
    fill(&mut block, size_of::<XattrHeader>(), attributes);
    Ok(block)
}

/// Entries from `at` on, values from the end down; offsets count from the start of `region`.
fn fill(region: &mut [u8], mut at: usize, attributes: &[Attribute<'_>]) {
    let mut end = region.len();
    for attribute in attributes {
        let mut offset = 0;
        if !attribute.value.is_empty() {
            end -= attribute.value.len().next_multiple_of(4);
            region[end..end + attribute.value.len()].copy_from_slice(&attribute.value);
            offset = end;
        }
        let entry = XattrEntry {
            e_name_len: u8::try_from(attribute.name.len()).expect("checked when the name was read"),
            e_name_index: attribute.index,
            e_value_offs: low16(offset as u32),
            e_value_inum: 0.into(),
            e_value_size: (attribute.value.len() as u32).into(),
            e_hash: attribute.hash().into(),
        };
        let name = at + size_of::<XattrEntry>();
        region[at..name].copy_from_slice(entry.as_bytes());
        region[name..name + attribute.name.len()].copy_from_slice(attribute.name);
        at += attribute.entry_size();
    }
    assert!(at + END <= end, "entries and values are apart");
}

fn attribute<'a>(name: &'a [u8], value: &[u8]) -> Result<Attribute<'a>, Fault> {
    let no_name = || Fault::Name(name.into());
    for &(index, prefix) in XATTR_PREFIXES {
        let Some(rest) = name.strip_prefix(prefix) else { continue };
        let is_acl = matches!(index, XATTR_ACL_ACCESS | XATTR_ACL_DEFAULT);
        if is_acl != rest.is_empty() || rest.len() > 255 {
            continue;
        }
        let value = if is_acl { disk_acl(value).ok_or_else(|| Fault::Acl(name.into()))? } else { value.to_vec() };
        return Ok(Attribute { index, name: rest, value });
    }
    Err(no_name())
}

/// One entry of an ACL as `getxattr` returns it.
#[derive(FromBytes)]
#[repr(C)]
struct AclEntry {
    tag: zerocopy::little_endian::U16,
    permissions: zerocopy::little_endian::U16,
    id: zerocopy::little_endian::U32,
}

/// Version 2 to version 1, which leaves out the ids of entries that need none; `None` when it isn't version 2.
fn disk_acl(value: &[u8]) -> Option<Vec<u8>> {
    let entries = value.strip_prefix(&ACL_XATTR_VERSION.to_le_bytes())?;
    let mut out = ACL_DISK_VERSION.to_le_bytes().to_vec();
    let (entries, []) = entries.as_chunks::<8>() else { return None };
    for bytes in entries {
        let entry = AclEntry::read_from_bytes(bytes).ok()?;
        out.extend_from_slice(&bytes[..4]);
        match (entry.tag.get(), entry.id.get()) {
            (acl::USER | acl::GROUP, acl::NO_ID) => return None,
            (acl::USER | acl::GROUP, _) => out.extend_from_slice(&bytes[4..]),
            (acl::USER_OWNER | acl::GROUP_OWNER | acl::MASK | acl::OTHER, _) => {}
            _ => return None,
        }
        if entry.permissions.get() > 7 {
            return None;
        }
    }
    (!entries.is_empty()).then_some(out)
}
