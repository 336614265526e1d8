//! Ctrl-C: work is asked to stop, and what it had half-written is taken away.

use std::{
    io,
    os::unix::fs::{DirBuilderExt, MetadataExt},
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use anyhow::Context;
use fs_err::os::unix::fs::OpenOptionsExt;
use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    iterator::Signals,
};

/// Set once a signal has come; downloads look at it between reads.
pub(super) static CANCELLED: AtomicBool = AtomicBool::new(false);

/// Outputs that are not complete yet.
static UNFINISHED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Watches for signals from now on. `tell` says that one has come, once nothing half-written is left.
pub(super) fn watch(tell: impl Fn() + Send + 'static) -> std::io::Result<()> {
    let mut signals = Signals::new([SIGHUP, SIGINT, SIGTERM])?;
    std::thread::spawn(move || {
        if let Some(signal) = signals.forever().next() {
            CANCELLED.store(true, Ordering::SeqCst);
            for path in unfinished().iter() {
                remove(path);
            }
            tell();
            // As shells have it for a program that a signal ended.
            std::process::exit(128 + signal);
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
            let lock = match own_folder(parent, &folder) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                opened => opened?,
            };
            if lock.file().try_lock().is_err() {
                wait(&format!("waiting for another process that makes {}", output.display()));
                lock.file().lock()?;
            }
            // Whoever had the lock has removed the folder at its end.
            match fs_err::symlink_metadata(&folder) {
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

    /// For what nobody keeps, in a new folder among the temporary files, which no other process knows.
    pub(super) fn temporary() -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("icos-").tempdir().context("temporary folder")?;
        let lock = fs_err::File::open(folder.path())?;
        let folder = folder.keep();
        unfinished().push(folder.clone());
        Ok(Self { path: folder.join("work"), folder, lock })
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
        unfinished().retain(|other| *other != self.folder);
        remove(&self.folder);
    }
}

fn unfinished() -> std::sync::MutexGuard<'static, Vec<PathBuf>> {
    UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Opens the folder, made if it is not there. It must be a folder indeed, and the user's own: what is in it will be removed.
fn own_folder(parent: &Path, folder: &Path) -> io::Result<fs_err::File> {
    fs_err::create_dir_all(parent)?;
    let mut builder = std::fs::DirBuilder::new();
    match builder.mode(0o700).create(folder) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            return Err(io::Error::new(error.kind(), format!("{}: {error}", folder.display())));
        }
        _ => {}
    }
    let there = fs_err::symlink_metadata(folder)?;
    if !there.is_dir() || there.uid() != rustix::process::geteuid().as_raw() {
        let text =
            format!("{} is there and is no folder of this user's; icos would work in it: remove it", folder.display());
        return Err(io::Error::new(io::ErrorKind::AlreadyExists, text));
    }
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::DIRECTORY;
    fs_err::OpenOptions::new().read(true).custom_flags(flags.bits() as i32).open(folder)
}

fn remove(path: &Path) {
    let is_folder = path.symlink_metadata().is_ok_and(|there| there.is_dir());
    // Nothing more can be done about a file that can't be removed, and most often there is none.
    let _ = if is_folder { fs_err::remove_dir_all(path) } else { fs_err::remove_file(path) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_in_the_way_leads_nowhere() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        fs_err::create_dir(path("precious")).expect("made");
        fs_err::write(path("precious/gold"), "gold").expect("written");
        fs_err::os::unix::fs::symlink("precious", path(".out.unfinished")).expect("linked");
        let error = Unfinished::beside(&path("out"), &|_| {}).expect_err("refused").to_string();
        assert!(
            error.ends_with(
                ".out.unfinished is there and is no folder of this user's; icos would work in it: remove it"
            ),
            "{error}"
        );
        assert!(path("precious/gold").is_file() && path(".out.unfinished").is_symlink());
        // What a killed process left is removed, and links in it are not followed.
        fs_err::remove_file(path(".out.unfinished")).expect("removed");
        fs_err::create_dir_all(path(".out.unfinished/half")).expect("made");
        fs_err::os::unix::fs::symlink(path("precious"), path(".out.unfinished/link")).expect("linked");
        let unfinished = Unfinished::beside(&path("out"), &|_| {}).expect("a hidden folder");
        assert_eq!(fs_err::read_dir(path(".out.unfinished")).expect("there").count(), 0);
        drop(unfinished);
        assert!(path("precious/gold").is_file() && !path(".out.unfinished").exists());
    }

    #[test]
    fn all_or_none() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        let ready = |names: &[&str]| -> Vec<(Unfinished, PathBuf)> {
            let one = |name: &&str| {
                let unfinished = Unfinished::beside(&path(name), &|_| {}).expect("a hidden folder");
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
        assert_eq!((read("a").as_deref(), read("b")), (Some("old"), None));
        put_in_place(&ready(&["a", "b"])).expect("written");
        assert_eq!((read("a").as_deref(), read("b").as_deref()), (Some("new a"), Some("new b")));
    }
}
