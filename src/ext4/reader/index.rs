//! The index of a hashed directory: which leaf holds which hashes.

use zerocopy::FromBytes;

use super::{
    Fault, ReadError, Result,
    directory::{Entry, entry},
    field,
    inode::Inode,
    same,
    volume::Volume,
};
use crate::ext4::{
    checksum::Seed,
    format::{
        BLOCK, DX_NODE_ENTRIES, DX_NODE_LIMIT, DX_ROOT_ENTRIES, DX_ROOT_INFO, DX_ROOT_LIMIT, DxCountLimit, DxEntry,
        DxRootInfo, DxTail, HASH_HALF_MD4,
    },
    hash::NameHasher,
};

type Checked<T> = std::result::Result<T, Fault>;

/// A block of entries and the hashes that its names may have.
#[derive(Debug)]
pub(super) struct Leaf {
    /// In the file system.
    pub(super) place: u64,
    /// The lowest bit as in [`DxEntry::hash`].
    first: u32,
    /// That of the next leaf; `None` for the last.
    next: Option<u32>,
}

impl Leaf {
    pub(super) fn check(&self, hasher: &NameHasher, entries: &[Entry]) -> Checked<()> {
        for Entry { name, .. } in entries {
            let hash = hasher.hash(name.as_bytes());
            let is_below_next = self.next.is_none_or(|next| hash < next & !1 || next & 1 == 1 && hash == next & !1);
            if hash < self.first & !1 || !is_below_next {
                return Err(Fault::WrongLeaf(name.as_bytes().into()));
            }
        }
        Ok(())
    }
}

/// Inodes of `.` and `..`, which stand before the index.
pub(super) fn dots(root: &[u8]) -> Checked<[u32; 2]> {
    let (own, name) = entry(&root[..12])?;
    let (parent, second) = entry(&root[12..])?;
    if name != b"." || second != b".." || usize::from(own.rec_len.get()) != 12 {
        return Err(Fault::Entry(second.into()));
    }
    if usize::from(parent.rec_len.get()) != BLOCK - 12 {
        return field("rec_len", parent.rec_len.get());
    }
    Ok([own.inode.get(), parent.inode.get()])
}

/// The leaves in order of hashes. Every block of the directory must be the root, a node or a leaf, once.
pub(super) fn leaves(volume: &Volume, inode: &Inode, places: &[u64], seed: Seed) -> Result<Vec<Leaf>> {
    let at = |block: u64| move |fault| ReadError::Block { ino: inode.ino, block, fault };
    let root = volume.block(places[0]).map_err(at(places[0]))?;
    let levels = levels(&root).map_err(at(places[0]))?;
    let mut seen = vec![false; places.len()];
    seen[0] = true;
    let mut entries = index(&root, DX_ROOT_ENTRIES, DX_ROOT_LIMIT, 0, seed).map_err(at(places[0]))?;
    if levels == 1 {
        let mut below = Vec::new();
        for (hash, logical) in entries {
            let place = visit(&mut seen, places, logical).map_err(at(places[0]))?;
            let block = volume.block(place).map_err(at(place))?;
            below.extend(index(&block, DX_NODE_ENTRIES, DX_NODE_LIMIT, hash, seed).map_err(at(place))?);
        }
        entries = below;
    }
    let mut leaves: Vec<Leaf> = Vec::with_capacity(entries.len());
    for (hash, logical) in entries {
        let place = visit(&mut seen, places, logical).map_err(at(places[0]))?;
        if let Some(last) = leaves.last_mut() {
            if last.first & !1 > hash & !1 {
                return Err(at(places[0])(Fault::Field { field: "hash", value: hash.into() }));
            }
            last.next = Some(hash);
        }
        leaves.push(Leaf { place, first: hash, next: None });
    }
    match seen.iter().position(|seen| !seen) {
        Some(block) => Err(at(places[block])(Fault::Field { field: "i_size", value: inode.size })),
        None => Ok(leaves),
    }
}

fn visit(seen: &mut [bool], places: &[u64], logical: u32) -> Checked<u64> {
    match seen.get_mut(logical as usize) {
        Some(seen) if !*seen => {
            *seen = true;
            Ok(places[logical as usize])
        }
        _ => field("block", logical),
    }
}

fn levels(root: &[u8]) -> Checked<u8> {
    let info = DxRootInfo::read_from_bytes(&root[DX_ROOT_INFO..DX_ROOT_ENTRIES]).expect("a slice of that size");
    if info.hash_version != HASH_HALF_MD4 {
        return field("hash_version", info.hash_version);
    }
    if usize::from(info.info_length) != size_of::<DxRootInfo>() || info.reserved_zero.get() != 0 {
        return field("info_length", info.info_length);
    }
    if info.indirect_levels > 1 { field("indirect_levels", info.indirect_levels) } else { Ok(info.indirect_levels) }
}

/// The entries of an index block as (hash, logical block); the first has no hash of its own but `first`.
fn index(block: &[u8], start: usize, limit: usize, first: u32, seed: Seed) -> Checked<Vec<(u32, u32)>> {
    let (head, _) = DxCountLimit::read_from_prefix(&block[start..]).expect("within a block");
    if usize::from(head.limit.get()) != limit {
        return field("limit", head.limit.get());
    }
    let count = usize::from(head.count.get());
    if count == 0 || count > limit {
        return field("count", head.count.get());
    }
    let end = start + limit * size_of::<DxEntry>();
    let tail = DxTail::read_from_bytes(&block[end..end + size_of::<DxTail>()]).expect("a slice of that size");
    same(tail.dt_checksum.get(), seed.index(block, start, count, &tail))?;
    let mut entries = Vec::with_capacity(count);
    for bytes in block[start..end].chunks(size_of::<DxEntry>()).take(count) {
        let entry = DxEntry::read_from_bytes(bytes).expect("a chunk of that size");
        let hash = if entries.is_empty() { first } else { entry.hash.get() };
        entries.push((hash, entry.block.get()));
    }
    Ok(entries)
}
