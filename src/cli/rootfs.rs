//! `icos rootfs`: an ad-hoc tree into a folder, an archive or a file system.

use std::{path::Path, process::ExitCode};

use anyhow::Context;
use serde_json::json;

use super::{Edge, args::Rootfs, interrupt::Unfinished, shown};
use crate::{
    manifest::{size::Bytes, skip},
    output::Kind,
    pipeline,
};

pub(super) fn run(edge: &Edge, args: &Rootfs) -> anyhow::Result<ExitCode> {
    let form = form(&args.output)?;
    let output = std::path::absolute(&args.output).context("output")?;
    let there = output.symlink_metadata();
    if there.as_ref().is_ok_and(|there| there.is_symlink() || (there.is_dir() && form != Kind::Folder)) {
        let what = if output.is_symlink() { "a symbolic link" } else { "a folder" };
        anyhow::bail!("{} is {what}, which no output takes the place of", output.display());
    }
    if form == Kind::Folder && there.is_ok() {
        let empty = output.is_dir() && fs_err::read_dir(&output)?.next().is_none();
        anyhow::ensure!(empty, "{} exists and is not an empty folder", output.display());
    }
    let asked = pipeline::Asked {
        base: args.request.base.clone(),
        packages: args.request.packages.clone(),
        recommends: args.request.recommends,
        essential: true,
        required: args.required,
    };
    let skips = args.skip_script.clone();
    skip::check(&skips).context("--skip-script")?;
    let unfinished = Unfinished::beside(&output, &|text| edge.note(text))?;
    let done = edge.session(args.offline, |session| {
        let rootfs = pipeline::Rootfs { asked, form, skips, output: unfinished.path.clone() };
        Ok(pipeline::rootfs(session, &rootfs)?)
    })?;
    edge.screen.end();
    if form == Kind::Folder && output.is_dir() {
        fs_err::remove_dir(&output)?;
    }
    fs_err::rename(&unfinished.path, &output)?;
    for note in &done.notes {
        edge.note(note);
    }
    for skip in &args.skip_script {
        edge.note(&format!("not run: {skip}"));
    }
    edge.note(&format!(
        "{}: {} packages, {} paths, {}; {:.1} s",
        output.display(),
        done.packages,
        done.paths,
        Bytes(done.bytes),
        edge.screen.seconds()
    ));
    let (packages, paths, bytes) = (done.packages, done.paths, done.bytes);
    let skipped = &args.skip_script;
    let json =
        json!({ "output": shown(&output), "packages": packages, "paths": paths, "bytes": bytes, "skipped": skipped });
    edge.print("", &json)?;
    Ok(ExitCode::SUCCESS)
}

/// By the end of the name; an ending of some other form of image is no folder's name.
fn form(output: &Path) -> anyhow::Result<Kind> {
    let name = output.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let odd = [".gz", ".xz", ".img", ".squashfs", ".qcow2", ".zip"].iter().find(|ending| name.ends_with(*ending));
    if let Some(odd) = odd {
        anyhow::bail!("{}: `{odd}` cannot be written; a folder, .tar, .tar.zst or .ext4 can", output.display());
    }
    Ok(Kind::of(output))
}
