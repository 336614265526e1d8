//! `icos build`: locks to images.

use std::{
    fmt::Write,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context;
use serde_json::json;

use super::{Edge, args::Build, interrupt::Unfinished, lock, targets};
use crate::{
    manifest::{
        project::{Project, Target},
        size::Bytes,
    },
    pipeline::{self, Built},
};

/// Where a target's files are by default.
pub(super) fn output_folder(project: &Project, target: &Target) -> PathBuf {
    project.root.join("out").join(&target.os).join(&target.variant)
}

pub(super) fn run(edge: &Edge, args: &Build) -> anyhow::Result<ExitCode> {
    let mut built = Vec::new();
    edge.session(args.offline, |session| {
        let targets = targets(session.project, &args.targets, || lock::locked(session.project, args.base.as_deref()))?;
        anyhow::ensure!(args.output.is_none() || targets.len() == 1, "--output takes the files of one target");
        for target in targets {
            let begun = edge.screen.seconds();
            let base = lock::base_of(session.project, &target, args.base.as_deref())?;
            let folder = match &args.output {
                Some(folder) => std::path::absolute(folder).context("output folder")?,
                None => output_folder(session.project, &target),
            };
            let unfinished = Unfinished::beside(&folder, &|text| edge.note(text))?;
            fs_err::create_dir_all(&unfinished.path)?;
            let build = pipeline::Build {
                target: target.clone(),
                base,
                version: args.image_version.clone(),
                inject: args.inject.clone(),
                folder: unfinished.path.clone(),
            };
            let done = pipeline::build(session, &build).with_context(|| format!("building {target}"))?;
            edge.screen.end();
            put_in_place(&unfinished.path, &folder)?;
            edge.note(&summary(&done, &folder, edge.screen.seconds() - begun)?);
            built.push(done);
        }
        Ok(())
    })?;
    edge.print("", &json!({ "built": built }))?;
    Ok(ExitCode::SUCCESS)
}

/// Replaces the files of an earlier build by those of this one; other files of the folder stay.
fn put_in_place(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs_err::create_dir_all(to)?;
    // The sums go last and the old ones first: a folder that has sums has the files that they name.
    let sums = "SHA256SUMS";
    if to.join(sums).exists() {
        fs_err::remove_file(to.join(sums))?;
    }
    let mut names = Vec::new();
    for entry in fs_err::read_dir(from)? {
        names.push(entry?.file_name());
    }
    names.sort_by_key(|name| name == sums);
    for name in names {
        fs_err::rename(from.join(&name), to.join(&name))?;
    }
    Ok(())
}

fn summary(built: &Built, folder: &Path, seconds: f64) -> anyhow::Result<String> {
    let mut text = String::new();
    writeln!(text, "{} on {}: {} packages, {} paths", built.target, built.base, built.packages, built.paths)?;
    for part in &built.partitions {
        writeln!(text, "  {:<8} {:<6} {:>10}", part.partition, part.file_system, Bytes(part.bytes).to_string())?;
    }
    for file in &built.injected {
        writeln!(text, "  injected {} {} {}", file.sha256, file.mode, file.target)?;
    }
    for skipped in &built.skipped {
        writeln!(text, "  not run: {skipped}")?;
    }
    if let Some(counts) = &built.labels {
        let (labelled, rest) = (counts.labelled, counts.left + counts.unmatched);
        writeln!(text, "  SELinux labels: {labelled} paths, {rest} without one by the policy's own rules")?;
    }
    for note in &built.notes {
        writeln!(text, "  note: {note}")?;
    }
    // Most of the disk is holes: the archive beside it has the sum.
    let disk = folder.join("disk.img");
    let meta = disk.metadata().context("disk.img")?;
    let (on_disk, apparent) = (Bytes(meta.blocks() * 512).to_string(), Bytes(meta.len()));
    let note = "sparse, no sum";
    writeln!(text, "  {note:<64}  {on_disk:>10}  {} (of {apparent})", disk.display())?;
    for (name, (size, sum)) in &built.files {
        writeln!(text, "  {sum}  {:>10}  {}", Bytes(*size).to_string(), folder.join(name).display())?;
    }
    write!(text, "  version {}; {seconds:.1} s", built.version)?;
    Ok(text)
}
