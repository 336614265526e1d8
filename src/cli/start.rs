//! `icos boot`: from a target or an image to a virtual machine.

use std::{path::PathBuf, process::ExitCode, time::Duration};

use anyhow::Context;
use serde_json::json;

use super::{
    Edge,
    args::{Boot, Format},
    boot::{self, Acceleration, Options},
    build::output_folder,
};

pub(super) fn run(edge: &Edge, args: &Boot) -> anyhow::Result<ExitCode> {
    let image = image(edge, &args.image)?;
    // On a machine that only tests, one way that works everywhere is worth more than speed where there is KVM.
    let acceleration = match args.accelerator {
        Acceleration::Auto if edge.environment.ci => Acceleration::Tcg,
        chosen => chosen,
    };
    let options = Options {
        image,
        memory_mib: args.memory,
        processors: args.cpus,
        acceleration,
        search: edge.environment.search.clone(),
    };
    let echo = edge.format == Format::Text && edge.screen.is_loud();
    let session = boot::boot(&options, &args.expect, Duration::from_secs(args.timeout), echo)?;
    let lines = session.console.lines().count();
    edge.print(
        &format!("\n`{}` showed on the console\n", args.expect),
        &json!({ "seen": args.expect, "lines": lines }),
    )?;
    Ok(ExitCode::SUCCESS)
}

/// A file that there is, or the disk of a target that was built.
fn image(edge: &Edge, text: &str) -> anyhow::Result<PathBuf> {
    let file = PathBuf::from(text);
    if file.is_file() {
        return Ok(file);
    }
    let project = edge.project()?;
    let target = project.target(text).with_context(|| format!("`{text}` is neither a file nor a target"))?;
    let disk = output_folder(&project, &target).join("disk.img");
    anyhow::ensure!(disk.is_file(), "{} is not there; `icos build {target}` makes it", disk.display());
    Ok(disk)
}
