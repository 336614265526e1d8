//! The hash tree of a large directory: leaves of entries in order of their names' hashes, and one or two levels of index.

use zerocopy::IntoBytes;

use super::{
    checksum::Seed,
    directory::{Directory, LEAF, dot, entry, entry_size, leaf},
    format::{
        BLOCK, DX_NODE_ENTRIES, DX_NODE_LIMIT, DX_ROOT_ENTRIES, DX_ROOT_INFO, DX_ROOT_LIMIT, DirEntry, DxCountLimit,
        DxEntry, DxRootInfo, DxTail, HASH_HALF_MD4, low16,
    },
    hash::NameHasher,
    inventory::Child,
};

type Hashed<'a> = (u32, &'a Child<'a>);

/// Root, then the nodes of a second level if there are any, then the leaves. `None` when two levels are too few.
pub(super) fn blocks(directory: &Directory<'_>, hasher: &NameHasher, seed: Seed) -> Option<Vec<u8>> {
    let mut hashed: Vec<Hashed<'_>> = directory.children.iter().map(|child| (hasher.hash(child.name), child)).collect();
    hashed.sort_by_key(|(hash, child)| (*hash, child.name));
    let leaves = pack(&hashed);
    let nodes = if leaves.len() <= DX_ROOT_LIMIT { 0 } else { leaves.len().div_ceil(DX_NODE_LIMIT) };
    if nodes > DX_ROOT_LIMIT {
        return None;
    }
    let mut out = vec![0; (1 + nodes + leaves.len()) * BLOCK];
    let (index, entries) = out.split_at_mut((1 + nodes) * BLOCK);
    for (block, leaf_entries) in entries.chunks_mut(BLOCK).zip(&leaves) {
        leaf(block, leaf_entries.iter().map(|(_, child)| *child), seed);
    }
    let below = index_entries(&leaves, 1 + nodes);
    let (root, second) = index.split_at_mut(BLOCK);
    let mut upper = Vec::new();
    for ((block, entries), number) in second.chunks_mut(BLOCK).zip(below.chunks(DX_NODE_LIMIT)).zip(1..) {
        upper.push(DxEntry { hash: entries[0].hash, block: number.into() });
        node(block, entries, seed);
    }
    fill_root(root, directory, if nodes == 0 { &below } else { &upper }, u8::from(nodes > 0), seed);
    Some(out)
}

/// As many entries to a leaf as fit.
fn pack<'a, 'b>(hashed: &'b [Hashed<'a>]) -> Vec<&'b [Hashed<'a>]> {
    let mut leaves = Vec::new();
    let (mut start, mut used) = (0, 0);
    for (index, (_, child)) in hashed.iter().enumerate() {
        let size = entry_size(child);
        if used + size > LEAF {
            leaves.push(&hashed[start..index]);
            (start, used) = (index, 0);
        }
        used += size;
    }
    leaves.push(&hashed[start..]);
    leaves
}

/// One entry a leaf, the first leaf being logical block `first`.
fn index_entries(leaves: &[&[Hashed<'_>]], first: usize) -> Vec<DxEntry> {
    let mut previous_last = None;
    let mut entries = Vec::with_capacity(leaves.len());
    for (number, leaf) in (first as u32..).zip(leaves) {
        let hash = leaf[0].0;
        let continued = u32::from(previous_last == Some(hash));
        entries.push(DxEntry { hash: (hash | continued).into(), block: number.into() });
        previous_last = leaf.last().map(|(hash, _)| *hash);
    }
    entries
}

fn fill_root(block: &mut [u8], directory: &Directory<'_>, entries: &[DxEntry], levels: u8, seed: Seed) {
    let dots = [dot(b".", directory.ino), dot(b"..", directory.parent)];
    let first = entry_size(&dots[0]);
    entry(block, &dots[0], first);
    entry(&mut block[first..], &dots[1], BLOCK - first);
    let info = DxRootInfo {
        reserved_zero: 0.into(),
        hash_version: HASH_HALF_MD4,
        info_length: size_of::<DxRootInfo>() as u8,
        indirect_levels: levels,
        unused_flags: 0,
    };
    block[DX_ROOT_INFO..DX_ROOT_ENTRIES].copy_from_slice(info.as_bytes());
    index(block, DX_ROOT_ENTRIES, DX_ROOT_LIMIT, entries, seed);
}

fn node(block: &mut [u8], entries: &[DxEntry], seed: Seed) {
    // Looks like an unused entry over the whole block to who doesn't know hash trees.
    let unused = DirEntry { inode: 0.into(), rec_len: low16(BLOCK as u32), name_len: 0, file_type: 0 };
    block[..DX_NODE_ENTRIES].copy_from_slice(unused.as_bytes());
    index(block, DX_NODE_ENTRIES, DX_NODE_LIMIT, entries, seed);
}

/// Writes `entries` from `start` on, in the place of the first one's hash how many there are, and the checksum.
fn index(block: &mut [u8], start: usize, limit: usize, entries: &[DxEntry], seed: Seed) {
    let used = start + size_of_val(entries);
    block[start..used].copy_from_slice(entries.as_bytes());
    let count = DxCountLimit { limit: low16(limit as u32), count: low16(entries.len() as u32) };
    block[start..start + size_of::<DxCountLimit>()].copy_from_slice(count.as_bytes());
    let mut tail = DxTail { dt_reserved: 0.into(), dt_checksum: 0.into() };
    tail.dt_checksum.set(seed.index(block, start, entries.len(), &tail));
    let at = start + limit * size_of::<DxEntry>();
    block[at..at + size_of::<DxTail>()].copy_from_slice(tail.as_bytes());
}
