//! Ctrl-C: work is asked to stop, and what it had half-written is taken away.

use std::{
    io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use anyhow::Context;
use signal_hook::{
    consts::{SIGINT, SIGTERM},
    iterator::Signals,
};

/// Set once a signal has come; downloads look at it between reads.
pub(super) static CANCELLED: AtomicBool = AtomicBool::new(false);

/// Outputs that are not complete yet.
static UNFINISHED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Status of a program that a signal ended, as shells have it.
const BY_SIGINT: i32 = 130;

/// Watches for signals from now on.
pub(super) fn watch() -> std::io::Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    std::thread::spawn(move || {
        if signals.forever().next().is_some() {
            CANCELLED.store(true, Ordering::SeqCst);
            for path in unfinished().iter() {
                remove(path);
            }
            std::process::exit(BY_SIGINT);
        }
    });
    Ok(())
}

/// An output that is being made, in a hidden folder beside its place: it vanishes unless it is renamed, however the program ends.
/// One process at a time has the folder, so that two that write the same output do so one after the other.
#[derive(Debug)]
pub(super) struct Unfinished {
    /// Where to make the output; does not exist yet.
    pub(super) path: PathBuf,
    folder: PathBuf,
    /// On the folder. The kernel takes it away from a process that is killed.
    #[expect(dead_code, reason = "held, not read")]
    lock: fs_err::File,
}

impl Unfinished {
    /// For what is to become `output`. What a killed process left there is removed; for one that is at work, it waits, and says so
    /// with `wait`.
    pub(super) fn beside(output: &Path, wait: &dyn Fn(&str)) -> anyhow::Result<Self> {
        let name = output.file_name().with_context(|| format!("{} names no file", output.display()))?;
        let parent = output.parent().unwrap_or(Path::new("."));
        let mut hidden = std::ffi::OsString::from(".");
        hidden.push(name);
        hidden.push(".unfinished");
        let folder = parent.join(hidden);
        let lock = loop {
            fs_err::create_dir_all(&folder)?;
            let lock = match fs_err::File::open(&folder) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                opened => opened?,
            };
            if lock.file().try_lock().is_err() {
                wait(&format!("waiting for another process that makes {}", output.display()));
                lock.file().lock()?;
            }
            // Whoever had the lock has removed the folder at its end.
            match fs_err::metadata(&folder) {
                Ok(there) if there.ino() == lock.metadata()?.ino() => break lock,
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
                _ => {}
            }
        };
        for entry in fs_err::read_dir(&folder)? {
            remove(&entry?.path());
        }
        unfinished().push(folder.clone());
        Ok(Self { path: folder.join(name), folder, lock })
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        unfinished().retain(|other| *other != self.folder);
        remove(&self.folder);
    }
}

fn unfinished() -> std::sync::MutexGuard<'static, Vec<PathBuf>> {
    UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner)
}

fn remove(path: &Path) {
    // Nothing more can be done about a file that can't be removed, and most often there is none.
    let _ = if path.is_dir() { fs_err::remove_dir_all(path) } else { fs_err::remove_file(path) };
}
