//! A finished tree to what the user asked for: a folder, a tar archive, or a file system image.
//!
//! Every function writes to a path that does not exist yet. Giving an output its final name when it is complete, and removing
//! it when it never will be, is up to the caller.

use std::{
    io::{self, BufWriter, Write},
    os::unix::fs::FileExt,
    path::Path,
};

use fs_err as fs;
use rayon::prelude::*;

use crate::{
    digest::{Hasher, Sha256},
    epoch::Epoch,
    ext4,
    progress::{Event, Progress, Unit},
    seed, tar,
    tree::{Content, ROOT, Stat, Tree},
    zst,
};

mod folder;
mod holes;

pub use folder::{LeftOut, folder};

/// What an output is, as its name says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Folder,
    Tar,
    TarZst,
    Ext4,
}

/// Why an output could not be written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Tar(#[from] tar::WriteError),
    #[error(transparent)]
    Zst(#[from] zst::Error),
    #[error(transparent)]
    Ext4(#[from] ext4::Error),
    #[error("`{}`", path.display())]
    At { path: std::path::PathBuf, source: io::Error },
}

pub type Result<T> = std::result::Result<T, Error>;

/// Bytes that one thread writes at a time.
const PIECE: usize = 4 << 20;

/// Good for everyday use: zstd's own default.
pub const ZSTD_LEVEL: i32 = 3;

impl Kind {
    /// By the end of the name; a name without a known one is a folder's.
    pub fn of(path: &Path) -> Self {
        let name = path.file_name().map(|name| name.as_encoded_bytes()).unwrap_or_default();
        match name {
            name if name.ends_with(b".tar") => Self::Tar,
            name if name.ends_with(b".tar.zst") => Self::TarZst,
            name if name.ends_with(b".ext4") => Self::Ext4,
            _ => Self::Folder,
        }
    }
}

/// Writes the tree as a PAX archive.
pub fn tar(tree: &Tree, path: &Path, progress: Progress<'_>) -> Result<()> {
    let archive = tar::archive(tree)?;
    begin(progress, "write", archive.len());
    let file = create(path)?;
    file.set_len(archive.len())?;
    (0..archive.len().div_ceil(PIECE as u64)).into_par_iter().try_for_each_init(Vec::new, |buffer, index| {
        let start = index * PIECE as u64;
        buffer.resize((archive.len() - start).min(PIECE as u64) as usize, 0);
        if archive.read_at(start, buffer) {
            file.file().write_all_at(buffer, start)?;
        }
        progress(Event::Advance(buffer.len() as u64));
        Ok::<_, io::Error>(())
    })?;
    Ok(())
}

/// Writes the tree as a PAX archive, compressed.
pub fn tar_zst(tree: &Tree, level: i32, path: &Path, progress: Progress<'_>) -> Result<()> {
    compressed(&tar::archive(tree)?, level, path, progress)
}

/// Writes the file `source`, which must not change any more, as the only member of a compressed archive. Blocks of zeros become
/// holes, whether the host's file system has them or not.
pub fn sparse_tar_zst(
    source: &Path,
    name: &[u8],
    stat: &Stat,
    level: i32,
    path: &Path,
    progress: Progress<'_>,
) -> Result<()> {
    let content = holes::content(&fs::File::open(source)?.into_file())?;
    compressed(&tar::archive_sparse(name, stat, &content)?, level, path, progress)
}

/// The contents of a file of the host that nobody writes: data between holes, which are whole blocks of zeros.
pub fn data_of(file: &std::fs::File) -> io::Result<Content> {
    holes::content(file)
}

/// Of all bytes of a file.
pub fn file_digest(path: &Path) -> io::Result<Sha256> {
    let mut hasher = Hasher::new();
    io::copy(&mut fs::File::open(path)?, &mut hasher)?;
    Ok(hasher.finish())
}

/// Writes the tree as an ext4 file system with a tenth of it free, in whole MiB.
pub fn ext4(tree: &Tree, epoch: Epoch, path: &Path, progress: Progress<'_>) -> Result<()> {
    const MIB: u64 = 1 << 20;
    begin(progress, "plan", 0);
    let mut options = ext4::Options {
        size: 0,
        uuid: seed::uuid(&["rootfs", "ext4"]),
        hash_seed: seed::uuid(&["rootfs", "ext4", "hash-seed"]),
        label: Vec::new(),
        journal: None,
        epoch,
        reserved_percent: 0,
        bytes_per_inode: 16_384,
    };
    let bare = ext4::needed(tree, ROOT, &options)?;
    options.journal = ext4::usual_journal(bare);
    let needed = ext4::needed(tree, ROOT, &options)?;
    options.size = (needed + needed / 10).next_multiple_of(MIB);
    let plan = ext4::plan(tree, ROOT, &options)?;
    let file = create(path)?;
    file.set_len(plan.size())?;
    begin(progress, "write", plan.content_len());
    plan.write(file.file(), 0, &|bytes| progress(Event::Advance(bytes)))?;
    Ok(())
}

fn begin(progress: Progress<'_>, name: &'static str, total: u64) {
    progress(Event::Stage { name, unit: Unit::Bytes, total });
}

fn compressed(content: &Content, level: i32, path: &Path, progress: Progress<'_>) -> Result<()> {
    begin(progress, "compress", content.len());
    let mut out = BufWriter::new(create(path)?);
    zst::write(content, level, &mut out, &|bytes| progress(Event::Advance(bytes)))?;
    out.flush()?;
    Ok(())
}

fn create(path: &Path) -> io::Result<fs::File> {
    fs::OpenOptions::new().read(true).write(true).create_new(true).open(path)
}
