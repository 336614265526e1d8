//! Turns a tree and options into a plan: every byte of metadata, and the place of every byte of data.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::{
    Error, Options, Plan,
    checksum::Seed,
    directory::{self, Directory},
    format::{BLOCK, BLOCK_BYTES, FIRST_INO, MAX_FAST_SYMLINK, MAX_FILE_BLOCKS, MAX_SYMLINK, XATTR_MAX_REFERENCES},
    hash::NameHasher,
    inode,
    inventory::{Inventory, Item, Kind, ino},
    place::{Demand, MAX_BLOCKS, Span, place, smallest, span},
    seal,
    writer::Data,
    xattr::{self, Fault},
};
use crate::tree::{Content, InodeId, Tree};

/// Smallest journal that the kernel takes, and the largest that mke2fs makes, in blocks.
const JOURNAL_BLOCKS: std::ops::RangeInclusive<u64> = 1024..=10_240_000;

/// All of the file system but the places of its blocks.
#[derive(Debug)]
pub(super) struct Draft<'a> {
    pub(super) options: Options,
    pub(super) inventory: Inventory<'a>,
    pub(super) seed: Seed,
    /// By item: the blocks of directories and long symbolic links, empty for all others.
    pub(super) blocks: Vec<Vec<u8>>,
    pub(super) xattrs: Vec<xattr::Placed>,
    /// By item: index into `shared`.
    pub(super) xattr_block: Vec<Option<usize>>,
    pub(super) shared: Vec<SharedBlock>,
    pub(super) demand: Demand,
}

/// A block of extended attributes and the inodes that have it.
#[derive(Debug)]
pub(super) struct SharedBlock {
    pub(super) bytes: Vec<u8>,
    pub(super) references: u32,
}

pub(super) fn plan<'a>(tree: &'a Tree, top: InodeId, options: &Options) -> Result<Plan<'a>, Error> {
    let draft = draft(tree, top, options)?;
    let given = options.size / BLOCK_BYTES;
    let Some(placement) = place(&draft.demand, given) else {
        let needed = smallest(&draft.demand).ok_or(Error::TooLarge)? * BLOCK_BYTES;
        return Err(Error::DoesNotFit { needed, given: options.size });
    };
    let data = data(&draft.inventory, &placement.files);
    Ok(Plan { size: placement.geometry.blocks * BLOCK_BYTES, pieces: seal::pieces(&draft, &placement), data })
}

pub(super) fn needed(tree: &Tree, top: InodeId, options: &Options) -> Result<u64, Error> {
    smallest(&draft(tree, top, options)?.demand).map(|blocks| blocks * BLOCK_BYTES).ok_or(Error::TooLarge)
}

fn draft<'a>(tree: &'a Tree, top: InodeId, options: &Options) -> Result<Draft<'a>, Error> {
    check(options)?;
    let inventory = Inventory::new(tree, top, options.epoch)?;
    let seed = Seed::of_file_system(options.uuid.as_bytes());
    let hasher = NameHasher::new(options.hash_seed.as_bytes(), false);
    let each = 0..inventory.items.len();
    let blocks: Vec<Vec<u8>> = each
        .clone()
        .into_par_iter()
        .map(|index| item_blocks(&inventory, index, &hasher, seed))
        .collect::<Result<_, _>>()?;
    let mut xattrs = each
        .clone()
        .map(|index| {
            let item = &inventory.items[index];
            check_item(&inventory, index, item)?;
            xattr::place(item.xattrs).map_err(|fault| xattr_error(&inventory, index, fault))
        })
        .collect::<Result<Vec<_>, _>>()?;
    let (xattr_block, shared) = share(&mut xattrs);
    let spans = each.map(|index| spans(&inventory, index, &blocks[index])).collect::<Result<Vec<_>, _>>()?;
    let demand = Demand {
        inodes: u64::from(FIRST_INO - 1) + inventory.items.len() as u64,
        bytes_per_inode: options.bytes_per_inode.into(),
        spans,
        is_data: inventory.items.iter().map(|item| matches!(item.kind, Kind::Regular(_))).collect(),
        xattr_blocks: shared.len(),
        journal_blocks: options.journal.unwrap_or(0) / BLOCK_BYTES,
    };
    Ok(Draft { options: options.clone(), inventory, seed, blocks, xattrs, xattr_block, shared, demand })
}

fn check(options: &Options) -> Result<(), Error> {
    if options.size / BLOCK_BYTES > MAX_BLOCKS {
        return Err(Error::TooLarge);
    }
    if options.label.len() > 16 || options.label.contains(&0) {
        return Err(Error::Label(options.label.clone()));
    }
    if options.reserved_percent > 50 {
        return Err(Error::Reserved(options.reserved_percent));
    }
    if options.bytes_per_inode < 1024 {
        return Err(Error::BytesPerInode(options.bytes_per_inode));
    }
    match options.journal {
        Some(bytes) if !JOURNAL_BLOCKS.contains(&(bytes / BLOCK_BYTES)) => Err(Error::Journal(bytes)),
        _ => Ok(()),
    }
}

fn check_item(inventory: &Inventory<'_>, index: usize, item: &Item<'_>) -> Result<(), Error> {
    if inode::time(item.mtime).is_none() {
        return Err(Error::Time { path: inventory.path(index), seconds: item.mtime.seconds });
    }
    match item.kind {
        Kind::Device(device) if !inode::is_device(device) => {
            Err(Error::Device { path: inventory.path(index), major: device.major, minor: device.minor })
        }
        _ => Ok(()),
    }
}

fn item_blocks(inventory: &Inventory<'_>, index: usize, hasher: &NameHasher, seed: Seed) -> Result<Vec<u8>, Error> {
    match &inventory.items[index].kind {
        Kind::Directory(children) => {
            let directory = Directory { ino: ino(index), parent: ino(inventory.items[index].parent), children };
            directory::blocks(&directory, hasher, seed.of_inode(ino(index), 0))
                .ok_or_else(|| Error::DirectoryTooLarge { path: inventory.path(index), names: children.len() })
        }
        Kind::Symlink(target) if target.is_empty() || target.contains(&0) => {
            Err(Error::SymlinkTarget { path: inventory.path(index) })
        }
        Kind::Symlink(target) if target.len() > MAX_SYMLINK => {
            Err(Error::SymlinkTooLong { path: inventory.path(index), length: target.len() })
        }
        Kind::Symlink(target) if target.len() > MAX_FAST_SYMLINK => {
            let mut block = target.to_vec();
            block.resize(BLOCK, 0);
            Ok(block)
        }
        _ => Ok(Vec::new()),
    }
}

fn xattr_error(inventory: &Inventory<'_>, index: usize, fault: Fault) -> Error {
    let path = inventory.path(index);
    match fault {
        Fault::Name(name) => Error::XattrName { path, name },
        Fault::Acl(name) => Error::Acl { path, name },
        Fault::TooBig(bytes) => Error::XattrsTooBig { path, bytes },
    }
}

/// Moves equal blocks together, as far as one may be shared.
fn share(xattrs: &mut [xattr::Placed]) -> (Vec<Option<usize>>, Vec<SharedBlock>) {
    let mut newest: BTreeMap<Vec<u8>, usize> = BTreeMap::new();
    let mut shared: Vec<SharedBlock> = Vec::new();
    let mut indexes = Vec::with_capacity(xattrs.len());
    for placed in xattrs {
        indexes.push(placed.block.take().map(|bytes| match newest.get(&bytes) {
            Some(&index) if shared[index].references < XATTR_MAX_REFERENCES => {
                shared[index].references += 1;
                index
            }
            _ => {
                shared.push(SharedBlock { bytes: bytes.clone(), references: 1 });
                newest.insert(bytes, shared.len() - 1);
                shared.len() - 1
            }
        }));
    }
    (indexes, shared)
}

fn spans(inventory: &Inventory<'_>, index: usize, blocks: &[u8]) -> Result<Vec<Span>, Error> {
    let Kind::Regular(content) = inventory.items[index].kind else {
        return Ok(span(0, blocks.len() as u64 / BLOCK_BYTES).into_iter().collect());
    };
    if content.len().div_ceil(BLOCK_BYTES) > MAX_FILE_BLOCKS {
        return Err(Error::FileTooLarge { path: inventory.path(index), size: content.len() });
    }
    Ok(content_spans(content))
}

/// The blocks that data lies in.
fn content_spans(content: &Content) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::new();
    for (offset, bytes) in content.runs() {
        let end = (offset + bytes.len() as u64).div_ceil(BLOCK_BYTES);
        let start = offset / BLOCK_BYTES;
        match spans.last_mut() {
            Some(last) if start <= last.logical + last.blocks => last.blocks = end - last.logical,
            _ => spans.push(Span { logical: start, blocks: end - start }),
        }
    }
    spans
}

/// Contents in the order of their places.
fn data<'a>(inventory: &Inventory<'a>, files: &[super::place::PlacedFile]) -> Vec<Data<'a>> {
    let mut data = Vec::new();
    for (item, file) in inventory.items.iter().zip(files) {
        let Kind::Regular(content) = item.kind else { continue };
        let mut extents = file.extents.iter().peekable();
        for (offset, bytes) in content.runs() {
            let mut at = offset;
            let end = offset + bytes.len() as u64;
            while at < end {
                let extent = extents.peek().expect("extents cover all data");
                let (first, last) = (extent.logical * BLOCK_BYTES, (extent.logical + extent.run.blocks) * BLOCK_BYTES);
                if at >= last {
                    extents.next();
                    continue;
                }
                let stop = end.min(last);
                let part = &bytes[(at - offset) as usize..(stop - offset) as usize];
                data.push(Data { offset: extent.run.start * BLOCK_BYTES + (at - first), bytes: part });
                at = stop;
            }
        }
    }
    data
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_of_contents() {
        let check = |len: u64, runs: &[(u64, usize)], expect: &[(u64, u64)]| {
            let runs = runs.iter().map(|(offset, length)| (*offset, vec![1; *length].into())).collect();
            let content = Content::sparse(len, runs).expect("valid runs");
            let spans: Vec<_> = content_spans(&content).iter().map(|span| (span.logical, span.blocks)).collect();
            assert_eq!(spans, expect);
        };
        check(0, &[], &[]);
        check(1, &[(0, 1)], &[(0, 1)]);
        check(1 << 32, &[(4096, 1), (8191, 1), (8192, 4097), (1 << 20, 4096)], &[(1, 3), (256, 1)]);
        check(100, &[(3, 1), (50, 2)], &[(0, 1)]);
    }
}
