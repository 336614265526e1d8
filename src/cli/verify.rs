//! `icos verify`: an image, a built target or a lock, read again.

use std::{
    fmt::Write,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context;
use serde_json::json;

use super::{Edge, args::Verify, build::output_folder, lock::base_of, shown};
use crate::{manifest::image::Disk, pipeline};

pub(super) fn run(edge: &Edge, args: &Verify) -> anyhow::Result<ExitCode> {
    let file = PathBuf::from(&args.what);
    if file.is_file() {
        if file.extension().is_some_and(|ending| ending == "lock") {
            return lock(edge, &file);
        }
        return image(edge, &file, None);
    }
    let project = edge.project()?;
    let target =
        project.target(&args.what).with_context(|| format!("`{}` is neither a file nor a target", args.what))?;
    let folder = output_folder(&project, &target);
    if !folder.join("SHA256SUMS").is_file() {
        return lock(edge, &project.lock_file(&base_of(&project, &target, args.base.as_deref())?, &target));
    }
    let names = pipeline::verify_sums(&folder)?;
    edge.note(&format!("{}: the sums of {} hold", folder.display(), names.join(", ")));
    let (definition, _) = project.image(&target.os)?;
    image(edge, &folder.join("disk.img"), Some(&definition.disk))
}

fn image(edge: &Edge, file: &Path, expected: Option<&Disk>) -> anyhow::Result<ExitCode> {
    let checked = pipeline::verify_image(file, expected)?;
    let mut text = String::new();
    for part in &checked {
        let digest = part.digest.map(|digest| digest.to_string()).unwrap_or_default();
        writeln!(text, "{:<8} {:<6} {:>7} paths  {digest}", part.partition, part.file_system, part.paths)?;
    }
    edge.print(&text, &json!({ "image": shown(file), "partitions": checked }))?;
    Ok(ExitCode::SUCCESS)
}

fn lock(edge: &Edge, file: &Path) -> anyhow::Result<ExitCode> {
    let proven = edge.session(true, |session| Ok(pipeline::prove(session, file)?))?;
    let text = format!("{}: {} packages, each led back to a pinned key\n", file.display(), proven.packages);
    edge.print(&text, &json!({ "lock": shown(file), "packages": proven.packages, "suites": proven.suites }))?;
    Ok(ExitCode::SUCCESS)
}
