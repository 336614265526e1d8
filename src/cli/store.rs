//! `icos store`: where the cache is, what it has, whether it is sound, and removing what no lock names.

use std::{fmt::Write, process::ExitCode};

use serde_json::json;

use super::{DIFFERS, Edge, args::StoreAction, shown};
use crate::{digest::Sha256, manifest::size::Bytes, pipeline};

pub(super) fn run(edge: &Edge, action: &StoreAction) -> anyhow::Result<ExitCode> {
    match action {
        StoreAction::Path => {
            let path = edge.store_folder()?;
            edge.print(&format!("{}\n", path.display()), &json!({ "path": shown(&path) }))?;
        }
        StoreAction::List => list(edge)?,
        StoreAction::Add { file } => {
            let sum = Sha256::of(&fs_err::read(file)?);
            edge.store()?.insert(file, &sum)?;
            edge.print(&format!("{sum}\n"), &json!({ "sha256": sum }))?;
        }
        StoreAction::Verify => return verify(edge),
        StoreAction::Gc => {
            let project = edge.project()?;
            let freed = edge.store()?.gc(|| anyhow::Ok(pipeline::locked_sums(&project)?))?;
            let text = format!("removed {} files, {}\n", freed.files, Bytes(freed.bytes));
            edge.print(&text, &json!({ "files": freed.files, "bytes": freed.bytes }))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn list(edge: &Edge) -> anyhow::Result<()> {
    let (mut text, mut files, mut total) = (String::new(), Vec::new(), 0);
    for (sum, entry) in edge.store()?.list()? {
        let (deb, layer) = (entry.deb.unwrap_or(0), entry.layer.unwrap_or(0));
        total += deb + layer + entry.partial.unwrap_or(0);
        writeln!(text, "{sum} {deb:>12} {layer:>12}")?;
        files.push(json!({ "sha256": sum, "deb": entry.deb, "layer": entry.layer, "partial": entry.partial }));
    }
    writeln!(text, "{} packages, {}", files.len(), Bytes(total))?;
    edge.print(&text, &json!({ "packages": files, "bytes": total }))
}

fn verify(edge: &Edge) -> anyhow::Result<ExitCode> {
    let bad = edge.store()?.verify()?;
    let text = if bad.is_empty() {
        "all files are what their names say\n".to_owned()
    } else {
        let state = |removed| if removed { "damaged, removed" } else { "damaged, and still there" };
        bad.iter().map(|file| format!("{}: {}\n", state(file.removed), file.path.display())).collect()
    };
    let files = bad.iter().map(|file| json!({ "path": shown(&file.path), "removed": file.removed }));
    edge.print(&text, &json!({ "damaged": files.collect::<Vec<_>>() }))?;
    Ok(if bad.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(DIFFERS) })
}
