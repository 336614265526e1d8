//! Looking after a store: what it has, whether that is sound, and removing what nobody needs.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::{Path, PathBuf},
};

use fs_err as fs;
use rayon::prelude::*;

use super::{ANSWERS, DEBS, Error, LAYERS, PARTIAL, Result, Store, TEMPORARY, TMP, layer};
use crate::{digest::Sha256, map::map};

/// What the store has of one package; sizes in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    pub deb: Option<u64>,
    pub layer: Option<u64>,
    pub partial: Option<u64>,
}

/// What a clean-up removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Freed {
    pub files: u64,
    pub bytes: u64,
}

/// A file of the store that is not what its name says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damaged {
    pub path: PathBuf,
    /// Whether it is gone now; a store that can't be written to keeps it, and so does one with things of others in it.
    pub removed: bool,
}

impl Store {
    pub fn list(&self) -> Result<BTreeMap<Sha256, Entry>> {
        let mut entries: BTreeMap<Sha256, Entry> = BTreeMap::new();
        let mut add = |folder, set: fn(&mut Entry, u64)| -> Result<()> {
            for (sum, size) in self.files(folder)? {
                set(entries.entry(sum).or_default(), size);
            }
            Ok(())
        };
        add(DEBS, |entry, size| entry.deb = Some(size))?;
        add(LAYERS, |entry, size| entry.layer = Some(size))?;
        add(PARTIAL, |entry, size| entry.partial = Some(size))?;
        Ok(entries)
    }

    /// Reads everything; removes the files that are not what their names say, and returns them. What is no file at all, and was
    /// put there by somebody else, stays.
    pub fn verify(&self) -> Result<Vec<Damaged>> {
        let check = |folder, sound: fn(&Self, &Sha256) -> Result<bool>| -> Result<Vec<_>> {
            let files = self.files(folder)?;
            let bad = files.par_iter().map(|(sum, _)| Ok((!sound(self, sum)?).then(|| self.path(folder, sum))));
            Ok(bad.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect())
        };
        let mut bad = check(DEBS, |store, sum| {
            let file = fs::File::open(store.path(DEBS, sum))?;
            Ok(Sha256::of(&map(file.file())?) == *sum)
        })?;
        bad.extend(check(LAYERS, layer::is_sound)?);
        let remove = |path: PathBuf| Damaged { removed: fs::remove_file(&path).is_ok(), path };
        let mut damaged: Vec<Damaged> = bad.into_iter().map(remove).collect();
        for folder in [DEBS, LAYERS, PARTIAL, ANSWERS] {
            damaged.extend(self.foreign(folder)?.into_iter().map(|path| Damaged { path, removed: false }));
        }
        Ok(damaged)
    }

    /// What has the name of a file of ours and is none.
    fn foreign(&self, folder: &str) -> Result<Vec<PathBuf>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(self.root.join(folder))? {
            let entry = entry?;
            let is_ours = entry.file_name().to_str().is_some_and(|name| name.parse::<Sha256>().is_ok());
            if is_ours && !entry.file_type()?.is_file() {
                found.push(entry.path());
            }
        }
        found.sort();
        Ok(found)
    }

    /// Removes everything but the packages and layers that `keep` names. Nobody else may be using the store, also while `keep`
    /// finds out.
    pub fn gc<E: From<Error>>(
        &self,
        keep: impl FnOnce() -> std::result::Result<BTreeSet<Sha256>, E>,
    ) -> std::result::Result<Freed, E> {
        self.exclusively(|| {
            let keep = keep()?;
            Ok(self.collect(&keep)?)
        })
    }

    fn collect(&self, keep: &BTreeSet<Sha256>) -> Result<Freed> {
        let mut freed = clear(&self.root.join(TMP))?;
        for (folder, keeps) in [(DEBS, true), (LAYERS, true), (PARTIAL, false), (ANSWERS, false)] {
            for (sum, size) in self.files(folder)? {
                if !keeps || !keep.contains(&sum) {
                    fs::remove_file(self.path(folder, &sum))?;
                    freed.files += 1;
                    freed.bytes += size;
                }
            }
        }
        Ok(freed)
    }

    /// Sums and sizes of the files in a folder of the store; files with other names are none of ours.
    fn files(&self, folder: &str) -> Result<Vec<(Sha256, u64)>> {
        let mut files = Vec::new();
        for entry in fs::read_dir(self.root.join(folder))? {
            let entry = entry?;
            let Some(Ok(sum)) = entry.file_name().to_str().map(str::parse) else { continue };
            match entry.metadata() {
                Ok(meta) if !meta.is_file() => {}
                Ok(meta) => files.push((sum, meta.len())),
                // Another process has moved it on.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error.into()),
            }
        }
        files.sort();
        Ok(files)
    }
}

/// Removes what a kill has left in tmp: files of ours, and nothing where the folder itself is somebody else's, behind a link.
pub(super) fn clear(folder: &Path) -> Result<Freed> {
    let mut freed = Freed::default();
    if !folder.symlink_metadata()?.is_dir() {
        return Ok(freed);
    }
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let is_ours = entry.file_name().to_str().is_some_and(|name| name.starts_with(TEMPORARY));
        if is_ours && entry.file_type()?.is_file() {
            freed.files += 1;
            freed.bytes += entry.metadata()?.len();
            fs::remove_file(entry.path())?;
        }
    }
    Ok(freed)
}
