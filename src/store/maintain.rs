//! Looking after a store: what it has, whether that is sound, and removing what nobody needs.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::Path,
};

use fs_err as fs;
use rayon::prelude::*;

use super::{ANSWERS, DEBS, LAYERS, PARTIAL, Result, Store, TMP, layer};
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

    /// Reads everything and returns the files that are not what their names say.
    pub fn verify(&self) -> Result<Vec<std::path::PathBuf>> {
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
        Ok(bad)
    }

    /// Removes everything but the packages and layers in `keep`. Nobody else may be using the store.
    pub fn gc(&self, keep: &BTreeSet<Sha256>) -> Result<Freed> {
        self.exclusively(|| {
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
        })
    }

    /// Sums and sizes of the files in a folder of the store; files with other names are none of ours.
    fn files(&self, folder: &str) -> Result<Vec<(Sha256, u64)>> {
        let mut files = Vec::new();
        for entry in fs::read_dir(self.root.join(folder))? {
            let entry = entry?;
            let Some(Ok(sum)) = entry.file_name().to_str().map(str::parse) else { continue };
            match entry.metadata() {
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

/// Empties a folder of files.
pub(super) fn clear(folder: &Path) -> Result<Freed> {
    let mut freed = Freed::default();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        freed.files += 1;
        freed.bytes += entry.metadata()?.len();
        fs::remove_file(entry.path())?;
    }
    Ok(freed)
}
