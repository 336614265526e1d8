//! A disk image from a finished tree: every partition planned, then all of them written into one sparse file.

use std::{
    borrow::Cow,
    fs::File,
    io,
    path::{Path, PathBuf},
};

use rayon::prelude::*;
use uuid::Uuid;

use crate::{
    epoch::Epoch,
    ext4, fat, gpt,
    manifest::{
        image::{Disk, Ext4, Fat, FatFiles, FileSystem, Partition, SECTOR},
        size::Bytes,
    },
    progress::{Event, Progress, Unit},
    tree::{InodeId, PathError, ROOT, Tree},
};

mod strip;

pub use strip::StripFault;

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
    #[error("partition `{partition}`, strip-matching: {fault}")]
    Strip { partition: String, fault: Box<StripFault> },
    #[error("partition `{partition}`")]
    Ext4 { partition: String, source: ext4::Error },
    #[error("partition `{partition}`")]
    Fat { partition: String, source: fat::Error },
    #[error("partition table")]
    Gpt(#[from] gpt::WriteError),
    #[error("writing {}", path.display())]
    Write { path: PathBuf, source: std::io::Error },
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

/// A partition's file system, laid out.
enum Plan<'a> {
    Empty,
    Fat(fat::Plan<'a>),
    Ext4(ext4::Plan<'a>),
}

/// Writes the disk to `path`, which must not exist. Nothing is written before everything is known to fit.
pub fn write(
    disk: &Disk,
    sources: Sources<'_>,
    epoch: Epoch,
    path: &Path,
    progress: Progress<'_>,
) -> Result<Vec<Written>, ImageError> {
    progress(Event::Stage { name: "plan", unit: Unit::Bytes, total: 0 });
    let trees: Vec<_> =
        disk.partitions.par_iter().map(|partition| tree(partition, sources)).collect::<Result<_, _>>()?;
    let plans: Vec<_> = (disk.partitions.par_iter().zip(&trees))
        .map(|(partition, (tree, top))| plan(partition, tree, *top, epoch))
        .collect::<Result<_, _>>()?;
    let failed = |source| ImageError::Write { path: path.to_path_buf(), source };
    let file = std::fs::OpenOptions::new().read(true).write(true).create_new(true).open(path).map_err(failed)?;
    file.set_len(disk.len()).map_err(failed)?;
    gpt::write(&table(disk), &file)?;
    let total = plans.iter().map(|plan| if let Plan::Ext4(plan) = plan { plan.content_len() } else { 0 }).sum();
    progress(Event::Stage { name: "write", unit: Unit::Bytes, total });
    let fill = |(partition, plan): (&Partition, &Plan<'_>)| fill(partition, plan, &file, progress);
    let written = disk.partitions.par_iter().zip(&plans).map(fill).collect::<io::Result<_>>().map_err(failed)?;
    file.sync_all().map_err(failed)?;
    Ok(written)
}

/// The tree that a partition is filled from, and the folder of it that becomes its root.
fn tree<'a>(partition: &Partition, sources: Sources<'a>) -> Result<(Cow<'a, Tree>, InodeId), ImageError> {
    match &partition.content {
        Some(FileSystem::Fat(Fat { files: FatFiles::Loader, .. })) => Ok((Cow::Borrowed(sources.loader), ROOT)),
        Some(FileSystem::Fat(Fat { files: FatFiles::Grub, .. })) => Ok((Cow::Borrowed(sources.grub), ROOT)),
        Some(FileSystem::Ext4(Ext4 { tree: Some(path), strip, strip_matching, .. })) => {
            let failed = |source| ImageError::Tree { partition: partition.name.clone(), source };
            let mut tree = sources.root.clone();
            strip::folders(&mut tree, strip).map_err(failed)?;
            strip::matching(&mut tree, strip_matching)
                .map_err(|fault| ImageError::Strip { partition: partition.name.clone(), fault: Box::new(fault) })?;
            let top = tree.lookup(path.as_bytes()).map_err(failed)?;
            Ok((Cow::Owned(tree), top))
        }
        Some(FileSystem::Ext4(_)) | None => Ok((Cow::Owned(Tree::new(sources.root.get(ROOT).stat.clone())), ROOT)),
    }
}

fn plan<'a>(partition: &Partition, tree: &'a Tree, top: InodeId, epoch: Epoch) -> Result<Plan<'a>, ImageError> {
    match &partition.content {
        None => Ok(Plan::Empty),
        Some(FileSystem::Fat(content)) => {
            let options = fat::Options {
                size: partition.len(),
                kind: fat::Kind::Fat32,
                volume_id: content.volume_id,
                label: content.label.clone().unwrap_or_default(),
                epoch,
            };
            fat::plan(tree, top, &options).map(Plan::Fat).map_err(|source| fat_error(partition, source))
        }
        Some(FileSystem::Ext4(content)) => {
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
            ext4::plan(tree, top, &options).map(Plan::Ext4).map_err(|source| ext4_error(partition, source))
        }
    }
}

fn fill(partition: &Partition, plan: &Plan<'_>, out: &File, progress: Progress<'_>) -> io::Result<Written> {
    let (file_system, bytes) = match plan {
        Plan::Empty => ("empty", 0),
        Plan::Fat(plan) => {
            plan.write(out, partition.offset())?;
            ("fat", plan.size())
        }
        Plan::Ext4(plan) => {
            plan.write(out, partition.offset(), &|bytes| progress(Event::Advance(bytes)))?;
            ("ext4", plan.size())
        }
    };
    Ok(Written { partition: partition.name.clone(), file_system, bytes })
}

fn fat_error(partition: &Partition, source: fat::Error) -> ImageError {
    let partition = partition.name.clone();
    match source {
        fat::Error::DoesNotFit { needed, given } => ImageError::TooLarge { partition, needed, given },
        source => ImageError::Fat { partition, source },
    }
}

fn ext4_error(partition: &Partition, source: ext4::Error) -> ImageError {
    let partition = partition.name.clone();
    match source {
        ext4::Error::DoesNotFit { needed, given } => ImageError::TooLarge { partition, needed, given },
        source => ImageError::Ext4 { partition, source },
    }
}
