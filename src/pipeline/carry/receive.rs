//! A bundle into a store and a project: everything is checked before anything is written.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use bytes::Bytes;

use super::{
    super::{PipelineError, Result, Session, prove},
    contents, open,
};
use crate::{
    bundle::{self, Bundle, Entry, Fault, Kind, Manifest, PROGRAM, PROJECT},
    digest::Sha256,
    manifest::project::Target,
    output,
    progress::{Event, Progress, Unit},
    store::Store,
};

/// A bundle that was found right.
#[derive(Debug)]
pub struct Received {
    bundle: Bundle<std::fs::File>,
    /// Packages of each target, in the manifest's order.
    pub packages: Vec<usize>,
}

/// Checks everything in the bundle `file`: its form, sums, the files that its targets need, and each lock's evidence. `scratch` is
/// an empty project and store of its own, which get the definitions and the evidence. `stored` tells where the user's store has
/// what the bundle's base brought.
pub fn receive(
    file: &Path,
    scratch: &Session<'_>,
    stored: &dyn Fn(&Sha256) -> Result<Option<PathBuf>>,
) -> Result<Received> {
    let bundle = open(file)?;
    bundle.verify(scratch.progress)?;
    let mut present = Present::new();
    for (index, entry) in bundle.manifest().entries.iter().enumerate() {
        let base = if entry.absent { Some(in_base(&bundle, entry, stored(&entry.sha256)?)?) } else { None };
        if let Some(path) = entry.path.strip_prefix(PROJECT) {
            place(&bundle, index, base.as_deref(), &scratch.project.root.join(path))?;
        } else if matches!(entry.kind, Kind::Release | Kind::Index) {
            match base {
                Some(ref path) => drop(scratch.store.insert(path, &entry.sha256)?),
                None => drop(put(scratch.store, &bundle, index)?),
            }
        }
        present.insert(entry.sha256, base.map_or(Place::Bundle(index), Place::Store));
    }
    rest(bundle.manifest(), &scratch.project.root)?;
    let packages = prove_all(&bundle, scratch, &present)
        .map_err(|source| PipelineError::InBundle { bundle: bundle.name().to_owned(), source: Box::new(source) })?;
    Ok(Received { bundle, packages })
}

/// Where the bytes with a sum are.
enum Place {
    /// The entry of this index.
    Bundle(usize),
    /// The user's store.
    Store(PathBuf),
}

type Present = BTreeMap<Sha256, Place>;

/// Proves every lock with what the scratch project and store were given.
fn prove_all(bundle: &Bundle<std::fs::File>, scratch: &Session<'_>, present: &Present) -> Result<Vec<usize>> {
    let targets = targets(bundle.manifest());
    check_needed(bundle.manifest(), &contents::of(scratch.project, &targets)?)?;
    let debs: prove::Debs<'_> = &|name, sum| match present.get(&sum) {
        Some(Place::Bundle(index)) => content(bundle, *index).map_err(|error| error.to_string()),
        Some(Place::Store(path)) => prove::mapped(path),
        None => Err(format!("{name} ({sum}) is not in the bundle")),
    };
    let prove = |(target, base): &(Target, String)| {
        let lock = scratch.project.lock_file(base, target);
        Ok(prove::prove_with(scratch, &lock, debs)?.packages)
    };
    targets.iter().map(prove).collect()
}

/// An entry's contents; those of a package fit into memory, as its installation needs them there.
fn content(bundle: &Bundle<std::fs::File>, index: usize) -> bundle::Result<Bytes> {
    let mut content = Vec::new();
    bundle.copy(index, &mut |piece| {
        content.extend_from_slice(piece);
        Ok::<(), bundle::Error>(())
    })?;
    Ok(content.into())
}

impl Received {
    pub fn manifest(&self) -> &Manifest {
        self.bundle.manifest()
    }

    /// Puts everything into the store that it lacks, and returns how many files that were.
    pub fn store(&self, store: &Store, progress: Progress<'_>) -> Result<usize> {
        let entries = &self.manifest().entries;
        let total = entries.iter().map(|entry| entry.size).sum();
        progress(Event::Stage { name: "import", unit: Unit::Bytes, total });
        let mut count = 0;
        for (index, entry) in entries.iter().enumerate() {
            if !entry.absent && put(store, &self.bundle, index)? {
                count += 1;
            }
            progress(Event::Advance(entry.size));
        }
        Ok(count)
    }

    /// Writes the definitions and the program into an empty folder. What the base brought comes from the store.
    pub fn project(&self, store: &Store, folder: &Path) -> Result<()> {
        for (index, entry) in self.manifest().entries.iter().enumerate() {
            let path = match entry.path.strip_prefix(PROJECT) {
                Some(path) => path,
                None if entry.path == PROGRAM => "icos",
                None => continue,
            };
            let base = if entry.absent { Some(in_base(&self.bundle, entry, store.deb(&entry.sha256))?) } else { None };
            place(&self.bundle, index, base.as_deref(), &folder.join(path))?;
        }
        rest(self.manifest(), folder)
    }
}

fn targets(manifest: &Manifest) -> BTreeSet<(Target, String)> {
    let target = |build: &bundle::Build| Some((build.target.parse().ok()?, build.base.clone()));
    manifest.builds.iter().filter_map(target).collect()
}

/// The file of the store that an absent entry is, with its sum checked.
fn in_base(bundle: &Bundle<std::fs::File>, entry: &Entry, stored: Option<PathBuf>) -> Result<PathBuf> {
    let needs = || bundle::Error::NeedsBase {
        bundle: bundle.name().to_owned(),
        member: entry.path.clone(),
        since: bundle.manifest().since.unwrap_or(entry.sha256),
    };
    let path = stored.ok_or_else(needs)?;
    let found = output::file_digest(&path)?;
    if found != entry.sha256 {
        let path = path.display().to_string();
        return Err(bundle::Error::Changed { path, expected: entry.sha256, found }.into());
    }
    Ok(path)
}

/// The files must be those that the targets need, no other.
fn check_needed(manifest: &Manifest, needed: &contents::Contents) -> Result<()> {
    let found: BTreeMap<&str, Kind> = manifest.entries.iter().map(|entry| (entry.path.as_str(), entry.kind)).collect();
    let missing = needed.files.iter().find(|(path, file)| found.get(path.as_str()) != Some(&file.kind));
    if let Some((path, _)) = missing {
        return Err(PipelineError::Member { member: path.clone(), fault: Fault::Missing });
    }
    let file = found.keys().copied().find(|path| *path != PROGRAM && !needed.files.contains_key(*path));
    let link = manifest.links.iter().find(|link| !needed.links.contains(link)).map(|link| link.path.as_str());
    let folder = manifest.folders.iter().find(|path| !needed.folders.contains(path)).map(String::as_str);
    match file.or(link).or(folder) {
        Some(path) => Err(PipelineError::Member { member: path.to_owned(), fault: Fault::Stowaway }),
        None => Ok(()),
    }
}

/// Puts a member into a store; `false` when that has it.
fn put(store: &Store, bundle: &Bundle<std::fs::File>, index: usize) -> Result<bool> {
    let entry = &bundle.manifest().entries[index];
    let Some(mut partial) = store.partial(&entry.sha256)? else { return Ok(false) };
    partial.restart()?;
    let copied = bundle.copy(index, &mut |piece| Ok::<(), PipelineError>(partial.append(piece)?));
    match copied {
        Ok(()) => partial.commit(entry.size)?,
        Err(error) => {
            // It would only take space; a failure to remove it is the lesser one.
            let _ = partial.discard();
            return Err(error);
        }
    };
    Ok(true)
}

/// Writes an entry to a file that does not exist yet.
fn place(bundle: &Bundle<std::fs::File>, index: usize, base: Option<&Path>, to: &Path) -> Result<()> {
    let entry = &bundle.manifest().entries[index];
    if let Some(folder) = to.parent() {
        fs_err::create_dir_all(folder)?;
    }
    let mode = if entry.executable { 0o777 } else { 0o666 };
    let mut file = fs_err::OpenOptions::new();
    file.write(true).create_new(true).options_mut().mode(mode);
    let mut file = file.open(to)?;
    match base {
        Some(path) => drop(std::io::copy(&mut fs_err::File::open(path)?, &mut file)?),
        None => bundle.copy(index, &mut |piece| Ok::<(), PipelineError>(file.write_all(piece)?))?,
    }
    Ok(())
}

/// Empty folders and, when all files are there, links.
fn rest(manifest: &Manifest, root: &Path) -> Result<()> {
    let below = |path: &str| root.join(path.strip_prefix(PROJECT).unwrap_or(path));
    for folder in &manifest.folders {
        fs_err::create_dir_all(below(folder))?;
    }
    for link in &manifest.links {
        let path = below(&link.path);
        if let Some(folder) = path.parent() {
            fs_err::create_dir_all(folder)?;
        }
        fs_err::os::unix::fs::symlink(&link.target, path)?;
    }
    Ok(())
}
