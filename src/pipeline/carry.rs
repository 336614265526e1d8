//! Targets to a bundle, and a bundle back to a store and a project.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{BufWriter, Write},
    path::{Path, PathBuf},
};

use rayon::prelude::*;

use super::{PipelineError, Result, Session, prove};
use crate::{
    bundle::{self, Bundle, Entry, Manifest, PROGRAM},
    digest::Sha256,
    manifest::project::Target,
    output,
    progress::{Event, Unit},
};

mod contents;
mod receive;

use contents::{Contents, Files, From};
pub use receive::{Received, receive};

/// What is to be carried.
#[derive(Clone, Debug)]
pub struct Carry {
    /// Targets with their bases.
    pub targets: BTreeSet<(Target, String)>,
    /// The running program.
    pub program: PathBuf,
    /// A bundle whose files need not be carried again.
    pub since: Option<PathBuf>,
    /// The bundle's name, and where it is written to until it is complete.
    pub name: String,
    pub output: PathBuf,
}

/// What a bundle came to.
#[derive(Clone, Debug)]
pub struct Carried {
    pub manifest: Manifest,
    /// Of the whole file.
    pub bytes: u64,
    pub sha256: Sha256,
}

/// Writes a bundle of targets whose locks are proven first. Nothing is fetched.
///
/// Every file is read twice, to know its sum before the manifest is written and to copy it, and is not held in memory.
pub fn carry(session: &Session<'_>, carry: &Carry) -> Result<Carried> {
    let contents = contents::of(session.project, &carry.targets)?;
    let mut entries = measured(session, &contents, &carry.program)?;
    prove_all(session, &carry.targets, &contents.files, &entries)?;
    let since = carry.since.as_deref().map(|file| mark_absent(file, &mut entries)).transpose()?;
    let build = |(target, base): &(Target, String)| bundle::Build { target: target.to_string(), base: base.clone() };
    let manifest = Manifest {
        format: bundle::FORMAT,
        icos: env!("CARGO_PKG_VERSION").to_owned(),
        since,
        builds: carry.targets.iter().map(build).collect(),
        entries,
        links: contents.links,
        folders: contents.folders,
    };
    let manifest_fault = |fault: bundle::BadManifest| bundle::Error::Member {
        bundle: carry.name.clone(),
        member: "bundle.json".to_owned(),
        fault: fault.into(),
    };
    manifest.check().map_err(manifest_fault)?;
    write(session, carry, &contents.files, &manifest)?;
    let bytes = fs_err::metadata(&carry.output)?.len();
    Ok(Carried { manifest, bytes, sha256: output::file_digest(&carry.output)? })
}

/// Proves the locks with the files that are carried, of which a package of the project need not be in the store.
fn prove_all(
    session: &Session<'_>,
    targets: &BTreeSet<(Target, String)>,
    files: &Files,
    entries: &[Entry],
) -> Result<()> {
    let from = |entry: &Entry| Some((entry.sha256, &files.get(&entry.path)?.from));
    let there: BTreeMap<Sha256, &From> = entries.iter().filter_map(from).collect();
    let debs: prove::Debs<'_> = &|name, sum| match there.get(&sum) {
        // Whoever edits a project may do so meanwhile, so such a file is not mapped.
        Some(From::Project(path)) => fs_err::read(path).map(Into::into).map_err(|error| error.to_string()),
        Some(From::Store(_)) | None => {
            let path = session.store.deb(&sum).ok_or_else(|| format!("{name} ({sum}) is not in the store"))?;
            prove::mapped(&path)
        }
    };
    for (target, base) in targets {
        prove::prove_with(session, &session.project.lock_file(base, target), debs)?;
    }
    Ok(())
}

fn write(session: &Session<'_>, carry: &Carry, files: &Files, manifest: &Manifest) -> Result<()> {
    let file = fs_err::OpenOptions::new().write(true).create_new(true).open(&carry.output)?;
    let mut out = BufWriter::with_capacity(1 << 20, file);
    let open = |entry: &Entry| {
        let path = match files.get(&entry.path).map(|file| &file.from) {
            Some(From::Project(path)) => path.clone(),
            Some(From::Store(sum)) => session.store.deb(sum).ok_or(std::io::ErrorKind::NotFound)?,
            None => carry.program.clone(),
        };
        Ok((fs_err::File::open(&path)?, path.display().to_string()))
    };
    bundle::write(manifest, &carry.name, &mut out, open, session.progress)?;
    let full = |source| bundle::Error::Io { bundle: carry.name.clone(), source };
    out.flush().and_then(|()| out.get_ref().sync_data()).map_err(full)?;
    Ok(())
}

/// Sizes and sums of everything, in the order of paths. What is in the store must have the sum that it is named by.
fn measured(session: &Session<'_>, contents: &Contents, program: &Path) -> Result<Vec<Entry>> {
    (session.progress)(Event::Stage { name: "read", unit: Unit::Bytes, total: 0 });
    let measure = |(path, file): (&String, &contents::File)| -> Result<Entry> {
        let (from, executable) = match &file.from {
            From::Project(path) => (path.clone(), contents::is_executable(path)?),
            From::Store(sum) => {
                let stored = session.store.deb(sum);
                (stored.ok_or_else(|| bundle::Error::NotStored { what: file.about.clone() })?, false)
            }
        };
        let entry = entry(path, file.kind, &from, executable)?;
        match &file.from {
            From::Store(sum) if *sum != entry.sha256 => {
                let path = from.display().to_string();
                Err(bundle::Error::Changed { path, expected: *sum, found: entry.sha256 }.into())
            }
            _ => Ok(entry),
        }
    };
    let all: Vec<Result<Entry>> = contents.files.par_iter().map(measure).collect();
    let mut entries = all.into_iter().collect::<Result<Vec<_>>>()?;
    entries.push(entry(PROGRAM, bundle::Kind::Program, program, true)?);
    entries.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(entries)
}

fn entry(path: &str, kind: bundle::Kind, from: &Path, executable: bool) -> Result<Entry> {
    let (size, sha256) = (fs_err::metadata(from)?.len(), output::file_digest(from)?);
    Ok(Entry { path: path.to_owned(), kind, size, sha256, executable, absent: false })
}

/// Leaves out what another bundle has, whose sum is returned.
fn mark_absent(file: &Path, entries: &mut [Entry]) -> Result<Sha256> {
    let old = open(file)?;
    old.verify(&|_| {})?;
    let sums = old.sums();
    for entry in entries {
        entry.absent = sums.contains(&entry.sha256);
    }
    Ok(output::file_digest(file)?)
}

fn open(file: &Path) -> Result<Bundle<std::fs::File>> {
    let source = fs_err::File::open(file).map_err(PipelineError::Io)?.into_file();
    Ok(Bundle::open(&file.display().to_string(), source)?)
}
