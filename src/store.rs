//! The content-addressed store: a folder of verified packages, and of each package unpacked once.
//!
//! ```text
//! debs/<sha256>       files whose contents have that sum, checked when they came in
//! layers/<sha256>     the package with that sum, decompressed: see `layer`
//! partial/<sha256>    downloads that are not complete yet
//! tmp/icos-*          layers and answers being written
//! lock                held shared by everyone who uses the store, exclusively to clean up
//! ```
//! Files appear in `debs` and `layers` by rename, complete and read-only, so that a kill at any moment leaves the store usable.
//! A package is checked again when its layer is made, and a layer when it is opened; a damaged layer is made again.

use std::{
    fs::TryLockError,
    io,
    path::{Path, PathBuf},
    sync::{
        Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use fs_err as fs;

use crate::{
    deb::{archive, compress},
    digest::Sha256,
    tar,
};

mod answers;
mod format;
mod layer;
mod maintain;
mod partial;

pub use layer::{ControlFile, Layer};
pub use maintain::{Damaged, Entry, Freed};
pub use partial::Partial;

/// An open store. Several processes may have one open.
#[derive(Debug)]
pub struct Store {
    root: PathBuf,
    /// Holds the shared lock; `None` when the folder can't be written to and has no lock file.
    lock: Option<fs::File>,
}

/// Why the store can't do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("store `{}` is read-only", .0.display())]
    ReadOnly(PathBuf),
    #[error("no space left for `{}`", .0.display())]
    NoSpace(PathBuf),
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("package {0} is not in the store")]
    Absent(Sha256),
    #[error("`{}` has {found} bytes, expected {expected}", path.display())]
    Size { path: PathBuf, expected: u64, found: u64 },
    #[error("`{}` has the sha256 {found}, expected {expected}", path.display())]
    Digest { path: PathBuf, expected: Sha256, found: Sha256 },
    #[error("package {deb}")]
    Archive {
        deb: Sha256,
        #[source]
        source: archive::Error,
    },
    #[error("{part} of package {deb}")]
    Compressed {
        deb: Sha256,
        part: &'static str,
        #[source]
        source: compress::Error,
    },
    #[error("{part} of package {deb}")]
    Tar {
        deb: Sha256,
        part: &'static str,
        #[source]
        source: tar::Error,
    },
    #[error("control.tar of package {deb} has `{path}`, which is no plain file at its top")]
    ControlMember { deb: Sha256, path: crate::tree::TreePath },
    #[error("store `{}` is in use by another process", .0.display())]
    Busy(PathBuf),
}

impl Error {
    /// The package that something is wrong with.
    pub fn package(&self) -> Option<&Sha256> {
        match self {
            Self::Archive { deb, .. }
            | Self::Compressed { deb, .. }
            | Self::Tar { deb, .. }
            | Self::ControlMember { deb, .. } => Some(deb),
            _ => None,
        }
    }
}

pub type Result<T> = std::result::Result<T, Error>;

const DEBS: &str = "debs";
const LAYERS: &str = "layers";
const PARTIAL: &str = "partial";
const TMP: &str = "tmp";
const ANSWERS: &str = "answers";
const LOCK: &str = "lock";

/// What names in tmp begin with.
const TEMPORARY: &str = "icos-";

impl Store {
    /// Opens the store in the folder `root`, making it if need be. A folder that can't be written to is opened for reading.
    pub fn open(root: &Path) -> Result<Self> {
        let make = || -> io::Result<fs::File> {
            for folder in [DEBS, LAYERS, PARTIAL, ANSWERS, TMP] {
                fs::create_dir_all(root.join(folder))?;
            }
            fs::OpenOptions::new().create(true).truncate(false).read(true).write(true).open(root.join(LOCK))
        };
        let lock = match make() {
            Ok(lock) => Some(lock),
            Err(error) if is_read_only(&error) && root.join(DEBS).is_dir() => fs::File::open(root.join(LOCK)).ok(),
            Err(error) if is_read_only(&error) => return Err(Error::ReadOnly(root.to_path_buf())),
            Err(error) => return Err(error.into()),
        };
        if let Some(lock) = &lock {
            if lock.file().try_lock().is_ok() {
                // Nobody else is here, so what lies in tmp was left behind by a kill.
                match maintain::clear(&root.join(TMP)) {
                    Err(Error::Io(error)) if is_read_only(&error) => {}
                    cleared => drop(cleared?),
                }
            }
            lock.file().lock_shared()?;
        }
        Ok(Self { root: root.to_path_buf(), lock })
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where the file with this sum is, if the store has it.
    pub fn deb(&self, sum: &Sha256) -> Option<PathBuf> {
        let path = self.path(DEBS, sum);
        path.is_file().then_some(path)
    }

    /// Copies a file into the store, provided that it has the sum that it should have.
    pub fn insert(&self, source: &Path, sum: &Sha256) -> Result<PathBuf> {
        let mut from = fs::File::open(source)?;
        let size = from.metadata()?.len();
        if let Some(mut partial) = self.partial(sum)? {
            partial.restart()?;
            io::copy(&mut from, partial.file()).map_err(|error| self.writing(error, partial.path()))?;
            return partial.commit(size);
        }
        self.deb(sum).ok_or(Error::Absent(*sum))
    }

    /// The layer of one package, made if the store does not have it or has it damaged.
    pub fn layer(&self, sum: &Sha256) -> Result<Layer> {
        layer::open_or_make(self, sum)
    }

    /// The layers of all packages, in the order asked for; large packages are begun first. `progress` is told the size of each
    /// .deb whose layer is ready, from any thread.
    pub fn layers(&self, sums: &[Sha256], progress: &(dyn Fn(u64) + Sync)) -> Result<Vec<Layer>> {
        let size = |sum| self.deb(sum).and_then(|path| path.metadata().ok()).map_or(0, |meta| meta.len());
        let mut jobs: Vec<(u64, usize)> = sums.iter().map(size).zip(0..).collect();
        jobs.sort_by_key(|&(size, index)| (std::cmp::Reverse(size), index));
        let slots: Vec<OnceLock<Layer>> = sums.iter().map(|_| OnceLock::new()).collect();
        let failed = AtomicBool::new(false);
        let errors = Mutex::new(Vec::new());
        rayon::scope_fifo(|scope| {
            for &(size, index) in &jobs {
                let (slots, failed, errors) = (&slots, &failed, &errors);
                scope.spawn_fifo(move |_| {
                    if failed.load(Ordering::Relaxed) {
                        return;
                    }
                    match self.layer(&sums[index]) {
                        Ok(layer) => {
                            slots[index].get_or_init(|| layer);
                            progress(size);
                        }
                        Err(error) => {
                            failed.store(true, Ordering::Relaxed);
                            errors.lock().unwrap_or_else(PoisonError::into_inner).push((index, error));
                        }
                    }
                });
            }
        });
        let mut errors = errors.into_inner().unwrap_or_else(PoisonError::into_inner);
        errors.sort_by_key(|(index, _)| *index);
        match errors.into_iter().next() {
            Some((_, error)) => Err(error),
            None => Ok(slots
                .into_iter()
                .map(|slot| slot.into_inner().expect("a job without an error has filled its slot"))
                .collect()),
        }
    }

    /// A new file in tmp, with a name by which what a kill leaves is known.
    fn temporary(&self, sum: &Sha256) -> io::Result<tempfile::NamedTempFile> {
        tempfile::Builder::new().prefix(&format!("{TEMPORARY}{sum}.")).tempfile_in(self.root.join(TMP))
    }

    fn path(&self, folder: &str, sum: &Sha256) -> PathBuf {
        self.root.join(folder).join(sum.to_string())
    }

    /// Gives a failure to write its own name where the user can act on it.
    fn writing(&self, error: io::Error, path: &Path) -> Error {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Error::NoSpace(path.to_path_buf()),
            _ if is_read_only(&error) => Error::ReadOnly(self.root.clone()),
            _ => Error::Io(error),
        }
    }

    /// The exclusive lock, for as long as `work` runs.
    fn exclusively<T, E: From<Error>>(
        &self,
        work: impl FnOnce() -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        let Some(lock) = &self.lock else { return Err(Error::ReadOnly(self.root.clone()).into()) };
        let result = match lock.file().try_lock() {
            Ok(()) => work(),
            Err(TryLockError::WouldBlock) => Err(Error::Busy(self.root.clone()).into()),
            Err(TryLockError::Error(error)) => Err(Error::from(error).into()),
        };
        // A failed attempt takes the shared lock away, too.
        lock.file().lock_shared().map_err(Error::from)?;
        result
    }
}

fn is_read_only(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied)
}
