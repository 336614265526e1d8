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
        unfinished().push(path.clone());
        Self { path }
    }
}

/// Puts all in their places, or none: a signal waits until it is done, and what was there comes back when one fails.
pub(super) fn put_in_place(ready: &[(Unfinished, PathBuf)]) -> std::io::Result<()> {
    let old = ready.iter().map(|(_, place)| place.is_file().then(|| fs_err::read(place)).transpose());
    let old = old.collect::<std::io::Result<Vec<_>>>()?;
    let held = unfinished();
    if CANCELLED.load(Ordering::SeqCst) {
        return Err(std::io::ErrorKind::Interrupted.into());
    }
    for (at, (unfinished, place)) in ready.iter().enumerate() {
        if let Err(error) = fs_err::rename(&unfinished.path, place) {
            for ((_, place), old) in ready[..at].iter().zip(&old) {
                match old {
                    Some(old) => fs_err::write(place, old)?,
                    None => fs_err::remove_file(place)?,
                }
            }
            return Err(error);
        }
    }
    drop(held);
    Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_or_none() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        let ready = |names: &[&str]| -> Vec<(Unfinished, PathBuf)> {
            let one = |name: &&str| {
                let unfinished = Unfinished::new(path(&format!(".{name}")));
                fs_err::write(&unfinished.path, format!("new {name}")).expect("written");
                (unfinished, path(name))
            };
            names.iter().map(one).collect()
        };
        let read = |name: &str| fs_err::read_to_string(path(name)).ok();
        fs_err::write(path("a"), "old").expect("written");
        // No file takes the place of a folder with something in it.
        fs_err::create_dir_all(path("folder/x")).expect("made");
        put_in_place(&ready(&["a", "b", "folder"])).expect_err("the folder stays");
        assert_eq!((read("a").as_deref(), read("b"), read(".a"), read(".folder")), (Some("old"), None, None, None));
        put_in_place(&ready(&["a", "b"])).expect("written");
        assert_eq!((read("a").as_deref(), read("b").as_deref()), (Some("new a"), Some("new b")));
    }
}
