//! Ctrl-C: work is asked to stop, and what it had half-written is taken away.

use std::{
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

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

/// An output under its temporary name: it vanishes unless it is finished, however the program ends.
#[derive(Debug)]
pub(super) struct Unfinished {
    pub(super) path: PathBuf,
}

impl Unfinished {
    /// Registers `path`, which must not hold anything of value: what is there is removed.
    pub(super) fn new(path: PathBuf) -> Self {
        remove(&path);
        Self::of(path)
    }

    /// Registers what is there already and was made for this.
    pub(super) fn of(path: PathBuf) -> Self {
        unfinished().push(path.clone());
        Self { path }
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        unfinished().retain(|other| *other != self.path);
        remove(&self.path);
    }
}

fn unfinished() -> std::sync::MutexGuard<'static, Vec<PathBuf>> {
    UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner)
}

fn remove(path: &Path) {
    // Nothing more can be done about a file that can't be removed, and most often there is none.
    let _ = if path.is_dir() { fs_err::remove_dir_all(path) } else { fs_err::remove_file(path) };
}
