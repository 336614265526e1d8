//! `icos bundle`: targets into one file, and back on a machine without a network.

use std::{
    collections::BTreeSet,
    fmt::Write,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context;
use serde_json::json;

use super::{
    Edge,
    args::{BundleAction, BundleCreate, BundleImport},
    interrupt::Unfinished,
    lock, shown, targets,
};
use crate::{
    bundle::{Bundle, Manifest},
    digest::Sha256,
    manifest::{project::Project, size::Bytes},
    output, pipeline,
    progress::Event,
    store::Store,
};

pub(super) fn run(edge: &Edge, action: &BundleAction) -> anyhow::Result<ExitCode> {
    match action {
        BundleAction::Create(args) => create(edge, args)?,
        BundleAction::Import(args) => import(edge, args)?,
        BundleAction::List { file } => list(edge, file)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn create(edge: &Edge, args: &BundleCreate) -> anyhow::Result<()> {
    let program = std::env::current_exe().context("the running program")?;
    let path = std::path::absolute(&args.output).context("bundle")?;
    anyhow::ensure!(!path.is_dir(), "{} is a folder", path.display());
    let done = edge.session(true, |session| {
        let project = session.project;
        let mut with_bases = BTreeSet::new();
        for target in targets(project, &args.targets, || lock::locked(project, args.base.as_deref()))? {
            let base = lock::base_of(project, &target, args.base.as_deref())?;
            with_bases.insert((target, base));
        }
        let unfinished = Unfinished::beside(&path, &|text| edge.note(text))?;
        let carry = pipeline::Carry {
            targets: with_bases,
            program,
            since: args.since.clone(),
            name: args.output.display().to_string(),
            output: unfinished.path.clone(),
        };
        let done = pipeline::carry(session, &carry)?;
        fs_err::rename(&unfinished.path, &path)?;
        Ok(done)
    })?;
    edge.screen.end();
    let (present, absent) = counts(&done.manifest);
    let mut text = format!("{}: {present} files, {}", args.output.display(), Bytes(done.bytes));
    if let Some(since) = done.manifest.since {
        write!(text, "; {absent} more are in the bundle with sha256 {since}")?;
    }
    writeln!(text, "\n{}", done.sha256)?;
    let json = json!({
        "bundle": shown(&args.output), "sha256": done.sha256, "bytes": done.bytes, "files": present, "absent": absent,
        "since": done.manifest.since,
    });
    edge.print(&text, &json)
}

/// Files that are in the bundle, and those that its base has.
fn counts(manifest: &Manifest) -> (usize, usize) {
    let absent = manifest.entries.iter().filter(|entry| entry.absent).count();
    (manifest.entries.len() - absent, absent)
}

fn import(edge: &Edge, args: &BundleImport) -> anyhow::Result<()> {
    let into = args.into.as_deref().map(empty_folder).transpose()?;
    let folder = edge.store_folder()?;
    // Until all is checked the store is not even made.
    let there = folder.join("debs").is_dir().then(|| Store::open(&folder)).transpose()?;
    let stored = |sum: &Sha256| Ok(there.as_ref().and_then(|store| store.deb(sum)));
    let scratch = Unfinished::temporary()?;
    let project = Project::at(scratch.path.join("project"));
    let evidence = Store::open(&scratch.path.join("store"))?;
    let received =
        edge.session_of(&project, &evidence, true, |scratch| Ok(pipeline::receive(&args.file, scratch, &stored)?))?;
    drop(there);
    let store = Store::open(&folder)?;
    let progress = |event: Event<'_>| edge.screen.tell(event);
    let count = received.store(&store, &progress)?;
    if let Some(into) = &into {
        let unfinished = Unfinished::beside(into, &|text| edge.note(text))?;
        received.project(&store, &unfinished.path)?;
        // An empty folder gives way to it.
        fs_err::rename(&unfinished.path, into)?;
    }
    edge.screen.end();
    let manifest = received.manifest();
    let (mut text, mut builds) = (String::new(), Vec::new());
    for (build, packages) in manifest.builds.iter().zip(&received.packages) {
        writeln!(text, "{} on {}: {packages} packages, each led back to a pinned key", build.target, build.base)?;
        builds.push(json!({ "target": build.target, "base": build.base, "packages": packages }));
    }
    writeln!(text, "{count} of {} files are new in {}", manifest.entries.len(), folder.display())?;
    if let Some(into) = &args.into {
        writeln!(text, "definitions and program are in {}", into.display())?;
    }
    let into = args.into.as_deref().map(shown);
    let json =
        json!({ "bundle": shown(&args.file), "builds": builds, "new": count, "store": shown(&folder), "into": into });
    edge.print(&text, &json)
}

/// The folder's full path, when it is not there or empty.
fn empty_folder(folder: &Path) -> anyhow::Result<PathBuf> {
    let path = std::path::absolute(folder).context("--into")?;
    let there = path.symlink_metadata();
    let is_folder = there.as_ref().is_ok_and(|there| there.is_dir());
    let empty = there.is_err() || (is_folder && fs_err::read_dir(&path)?.next().is_none());
    anyhow::ensure!(empty, "--into {}: expected a folder that is new or empty", folder.display());
    Ok(path)
}

fn list(edge: &Edge, file: &Path) -> anyhow::Result<()> {
    let bundle = Bundle::open(&file.display().to_string(), fs_err::File::open(file)?.into_file())?;
    let manifest = bundle.manifest();
    let sum = output::file_digest(file)?;
    let mut text = format!("sha256 {sum}\nicos   {}\n", manifest.icos);
    if let Some(since) = manifest.since {
        writeln!(text, "since  {since}")?;
    }
    for build in &manifest.builds {
        writeln!(text, "target {} on {}", build.target, build.base)?;
    }
    for entry in &manifest.entries {
        let place = if entry.absent { "base" } else { "" };
        writeln!(text, "{:<10} {place:<4} {:>12} {} {}", entry.kind.as_str(), entry.size, entry.sha256, entry.path)?;
    }
    for link in &manifest.links {
        writeln!(text, "link {} -> {}", link.path, link.target)?;
    }
    for folder in &manifest.folders {
        writeln!(text, "folder {folder}")?;
    }
    let (present, absent) = counts(manifest);
    writeln!(text, "{present} files here, {absent} in the base")?;
    edge.print(&text, &json!({ "bundle": shown(file), "sha256": sum, "manifest": manifest }))
}
