//! `icos lock` and `icos fetch`.

use std::{fmt::Write, process::ExitCode};

use anyhow::Context;
use serde_json::json;

use super::{
    DIFFERS, Edge,
    args::{Fetch, Lock},
    interrupt::Unfinished,
    targets,
};
use crate::{
    lock,
    manifest::{
        project::{Project, Target},
        size::Bytes,
    },
    pipeline,
};

/// The base of a target: the one that was named, or its image's own.
pub(super) fn base_of(project: &Project, target: &Target, named: Option<&str>) -> anyhow::Result<String> {
    match named {
        Some(base) => {
            // An unknown base is said to be one before it is found to have no lock.
            project.base(base)?;
            Ok(base.to_owned())
        }
        None => Ok(project.image(&target.os)?.0.default_base),
    }
}

/// The targets that have a lock on their base.
pub(super) fn locked(project: &Project, base: Option<&str>) -> anyhow::Result<Vec<Target>> {
    let mut found = Vec::new();
    for target in project.targets()? {
        if project.lock_file(&base_of(project, &target, base)?, &target).is_file() {
            found.push(target);
        }
    }
    if found.is_empty() {
        match base {
            None => anyhow::bail!("no target has a lock yet; `icos lock TARGET` makes one"),
            Some(base) => {
                anyhow::bail!("no target has a lock on base `{base}` yet; `icos lock TARGET --base {base}` makes one")
            }
        }
    }
    Ok(found)
}

pub(super) fn run(edge: &Edge, args: &Lock) -> anyhow::Result<ExitCode> {
    let (mut rows, mut differs, mut text) = (Vec::new(), false, String::new());
    edge.session(false, |session| {
        let project = session.project;
        for target in targets(project, &args.targets, || locked(project, args.base.as_deref()))? {
            let base = base_of(project, &target, args.base.as_deref())?;
            let doing = || format!("locking {target} on {base}");
            let made = pipeline::lock(session, &target, &base).with_context(doing)?;
            let rehearse = !args.check && !args.no_rehearsal;
            let rehearsed =
                rehearse.then(|| pipeline::rehearse(session, &made.lock)).transpose().with_context(doing)?;
            edge.screen.end();
            let path = project.lock_file(&base, &target);
            let old = path.is_file().then(|| fs_err::read_to_string(&path)).transpose()?;
            let changed = old.as_deref() != Some(&made.text);
            let differences = differences(&project.relative(&path), old.as_deref(), &made.lock);
            differs |= changed;
            if changed && !args.check {
                let unfinished = Unfinished::beside(&path, &|text| edge.note(text))?;
                fs_err::write(&unfinished.path, &made.text)?;
                fs_err::rename(&unfinished.path, &path)?;
            }
            let file = project.relative(&path);
            let state = match (changed, args.check) {
                (false, _) => "unchanged",
                (true, false) => "written",
                (true, true) => "differs",
            };
            writeln!(text, "{file}: {} packages, {}, {state}", made.packages, Bytes(made.bytes))?;
            for difference in differences.iter().filter(|_| args.check) {
                writeln!(text, "  {difference}")?;
            }
            for skip in &made.lock.skips {
                writeln!(text, "  not run: {skip}")?;
            }
            let rehearsal = match &rehearsed {
                None => "none",
                Some(rehearsed) if rehearsed.remembered => "remembered",
                Some(_) => "passed",
            };
            rows.push(json!({
                "target": target.to_string(),
                "base": base,
                "file": file,
                "packages": made.packages,
                "bytes": made.bytes,
                "state": state,
                "differences": differences,
                "rehearsal": rehearsal,
                "skipped": made.lock.skips,
                "unneeded": rehearsed.map(|rehearsed| rehearsed.unneeded).unwrap_or_default(),
            }));
        }
        Ok(())
    })?;
    edge.print(&text, &json!({ "locks": rows }))?;
    Ok(if differs && args.check { ExitCode::from(DIFFERS) } else { ExitCode::SUCCESS })
}

/// What a new lock has otherwise than the text of the old one, in words.
fn differences(file: &str, old: Option<&str>, new: &lock::Lock) -> Vec<String> {
    match old.map(|text| lock::reader::read(file, text)) {
        None => vec!["there is no lock yet".to_owned()],
        Some(Ok(old)) => old.differences(new),
        Some(Err(error)) => vec![error.to_string()],
    }
}

pub(super) fn fetch(edge: &Edge, args: &Fetch) -> anyhow::Result<ExitCode> {
    let (mut rows, mut text) = (Vec::new(), String::new());
    edge.session(false, |session| {
        let project = session.project;
        for target in targets(project, &args.targets, || locked(project, args.base.as_deref()))? {
            let base = base_of(project, &target, args.base.as_deref())?;
            let (done, proof) = pipeline::fetch_target(session, &target, &base).with_context(|| format!("fetching {target}"))?;
            edge.screen.end();
            let (present, fetched) = (done.present, done.fetched);
            let bytes = done.received + proof.received;
            writeln!(text, "{target}: {fetched} packages fetched, {}; {present} were there", Bytes(bytes))?;
            rows.push(json!({ "target": target.to_string(), "base": base, "fetched": fetched, "present": present, "bytes": bytes,
                "evidence": { "fetched": proof.fetched, "complete": proof.lost.is_none() } }));
        }
        Ok(())
    })?;
    edge.print(&text, &json!({ "targets": rows }))?;
    Ok(ExitCode::SUCCESS)
}
