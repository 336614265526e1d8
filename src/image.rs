//! A disk image from a finished tree: every partition planned, then all of them written into one sparse file.

use std::{fs::File, path::Path};

use rayon::prelude::*;
use uuid::Uuid;

use crate::{
    epoch::Epoch,
    ext4, fat, gpt,
    manifest::{
        image::{Disk, Ext4, Fat, FatFiles, FileSystem, Partition, SECTOR},
        size::Bytes,
    },
    tree::{InodeId, PathError, ROOT, Tree},
};

/// The trees that partitions are filled from.
#[derive(Clone, Copy, Debug)]
pub struct Sources<'a> {
    pub root: &'a Tree,
    pub loader: &'a Tree,
    pub grub: &'a Tree,
}

#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    #[error("partition `{partition}`: {source}")]
    Tree { partition: String, source: PathError },
    #[error("partition `{partition}`: its contents need {}, {} more than the {} that it has", Bytes(*needed), Bytes(needed - given), Bytes(*given))]
    TooLarge { partition: String, needed: u64, given: u64 },
    #[error("partition `{partition}`")]
    Ext4 { partition: String, source: ext4::Error },
    #[error("partition `{partition}`")]
    Fat { partition: String, source: fat::Error },
    #[error("partition table")]
    Gpt(#[from] gpt::WriteError),
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// What was written into one partition.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Written {
    pub partition: String,
    /// `ext4`, `fat`, or `empty`.
    pub file_system: &'static str,
    /// Bytes from the partition's start to the file system's end.
    pub bytes: u64,
}

/// The partition table that a disk is to have.
pub fn table(disk: &Disk) -> gpt::Table {
    let partition = |partition: &Partition| gpt::Partition {
        name: partition.name.clone(),
        kind: partition.kind,
        guid: partition.guid,
        start_sector: partition.start,
        sectors: partition.sectors,
        attributes: 0,
    };
    gpt::Table {
        guid: disk.guid,
        disk_sectors: disk.len() / SECTOR,
        partitions: disk.partitions.iter().map(partition).collect(),
    }
}

/// Writes the disk to `path`, which must not exist.
pub fn write(disk: &Disk, sources: Sources<'_>, epoch: Epoch, path: &Path) -> Result<Vec<Written>, ImageError> {
    let file = fs_err::OpenOptions::new().read(true).write(true).create_new(true).open(path)?.into_file();
    file.set_len(disk.len())?;
    gpt::write(&table(disk), &file)?;
    let parts: Vec<Result<Written, ImageError>> =
        disk.partitions.par_iter().map(|partition| fill(partition, sources, epoch, &file)).collect();
    let written = parts.into_iter().collect::<Result<_, _>>()?;
    file.sync_all()?;
    Ok(written)
}

fn fill(partition: &Partition, sources: Sources<'_>, epoch: Epoch, out: &File) -> Result<Written, ImageError> {
    let (file_system, bytes) = match &partition.content {
        None => ("empty", 0),
        Some(FileSystem::Fat(content)) => ("fat", fill_fat(partition, content, sources, epoch, out)?),
        Some(FileSystem::Ext4(content)) => ("ext4", fill_ext4(partition, content, sources.root, epoch, out)?),
    };
    Ok(Written { partition: partition.name.clone(), file_system, bytes })
}

fn fill_fat(
    partition: &Partition,
    content: &Fat,
    sources: Sources<'_>,
    epoch: Epoch,
    out: &File,
) -> Result<u64, ImageError> {
    let tree = match content.files {
        FatFiles::Loader => sources.loader,
        FatFiles::Grub => sources.grub,
    };
    let options = fat::Options {
        size: partition.len(),
        kind: fat::Kind::Fat32,
        volume_id: content.volume_id,
        label: content.label.clone().unwrap_or_default(),
        epoch,
    };
    let plan = fat::plan(tree, ROOT, &options).map_err(|source| fat_error(partition, source))?;
    plan.write(out, partition.offset())?;
    Ok(plan.size())
}

fn fat_error(partition: &Partition, source: fat::Error) -> ImageError {
    let partition = partition.name.clone();
    match source {
        fat::Error::DoesNotFit { needed, given } => ImageError::TooLarge { partition, needed, given },
        source => ImageError::Fat { partition, source },
    }
}

fn fill_ext4(partition: &Partition, content: &Ext4, root: &Tree, epoch: Epoch, out: &File) -> Result<u64, ImageError> {
    let options = ext4::Options {
        size: content.size.map_or(partition.len(), |size| size.0),
        uuid: content.uuid.unwrap_or(Uuid::nil()),
        hash_seed: content.hash_seed,
        label: content.label.clone().unwrap_or_default().into_bytes(),
        journal: content.journal.map(|size| size.0),
        epoch,
        reserved_percent: 0,
        bytes_per_inode: 16_384,
    };
    let (tree, top) = match &content.tree {
        Some(path) => stripped(root, path, &content.strip)
            .map_err(|source| ImageError::Tree { partition: partition.name.clone(), source })?,
        None => (Tree::new(root.get(ROOT).stat.clone()), ROOT),
    };
    let plan = ext4::plan(&tree, top, &options).map_err(|source| ext4_error(partition, source))?;
    plan.write(out, partition.offset())?;
    Ok(plan.size())
}

fn ext4_error(partition: &Partition, source: ext4::Error) -> ImageError {
    let partition = partition.name.clone();
    match source {
        ext4::Error::DoesNotFit { needed, given } => ImageError::TooLarge { partition, needed, given },
        source => ImageError::Ext4 { partition, source },
    }
}

/// The folder `path` of a tree, the entries of the folders in `strip` left out.
pub fn stripped(root: &Tree, path: &str, strip: &[String]) -> Result<(Tree, InodeId), PathError> {
    let mut tree = root.clone();
    for folder in strip {
        let (id, real) = tree.resolve(folder.as_bytes())?;
        let names: Vec<_> = tree.get(id).entries().into_iter().flat_map(|entries| entries.keys().cloned()).collect();
        for name in names {
            tree.remove_all(real.join(&name).as_bytes())?;
        }
    }
    let top = tree.lookup(path.as_bytes())?;
    Ok((tree, top))
}
