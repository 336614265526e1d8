//! `icos why`: reasons for packages, and who made or changed paths.

use std::{fmt::Write, process::ExitCode};

use serde_json::json;

use super::{
    Edge,
    args::{Format, Why},
    lock::base_of,
};
use crate::pipeline::{self, Brings, Explained, Line, Name, PipelineError, Reasons};

/// Lines of a history that are shown unless all are asked for: the first, and the last ones.
const SHOWN: usize = 8;

pub(super) fn run(edge: &Edge, args: &Why) -> anyhow::Result<ExitCode> {
    let project = edge.project()?;
    let target = project.target(&args.target)?;
    let base = base_of(&project, &target, args.base.as_deref())?;
    // No package has a slash in its name: `etc/passwd` is meant as seen from the root.
    let (paths, packages): (Vec<&String>, Vec<&String>) = args.what.iter().partition(|what| what.contains('/'));
    let paths: Vec<String> = paths.iter().map(|path| format!("/{}", path.trim_start_matches('/'))).collect();
    let mut unanswered: Vec<PipelineError> = Vec::new();
    let mut reasons = Vec::new();
    edge.session(args.offline, |session| {
        for package in packages {
            match pipeline::why_package(session, &target, &base, package) {
                Ok(found) => reasons.push(found),
                Err(error @ PipelineError::Why(_)) => unanswered.push(error),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    })?;
    let mut explained = Vec::new();
    if !paths.is_empty() {
        let answers =
            edge.session(args.offline, |session| Ok(pipeline::why_paths(session, &target, &base, &paths)?))?;
        for answer in answers {
            match answer {
                Ok(path) => explained.push(path),
                Err(error) => unanswered.push(error.into()),
            }
        }
    }
    edge.screen.end();
    let mut text = String::new();
    reasons.iter().for_each(|reasons| show_reasons(&mut text, reasons));
    explained.iter().for_each(|path| show_path(&mut text, path, edge.verbose));
    // What can be answered is, whatever else was asked.
    if !reasons.is_empty() || !explained.is_empty() || unanswered.is_empty() {
        let told: Vec<String> = unanswered.iter().map(ToString::to_string).collect();
        edge.print(
            &text,
            &json!({
                "target": target.to_string(), "base": base, "packages": reasons, "paths": explained, "unanswered": told
            }),
        )?;
        if edge.format == Format::Json && !unanswered.is_empty() {
            return Ok(ExitCode::FAILURE);
        }
    }
    let mut unanswered = unanswered.into_iter();
    let Some(first) = unanswered.next() else { return Ok(ExitCode::SUCCESS) };
    unanswered.for_each(|error| edge.note(&error.to_string()));
    Err(first.into())
}

fn put(text: &mut String, line: std::fmt::Arguments<'_>) {
    text.write_fmt(line).expect("a String takes everything");
    text.push('\n');
}

fn blank_between(text: &mut String) {
    if !text.is_empty() {
        text.push('\n');
    }
}

fn show_reasons(text: &mut String, reasons: &Reasons) {
    blank_between(text);
    put(text, format_args!("{}", reasons.request));
    for link in &reasons.chain {
        match &link.brings {
            Some(Brings { field, clause }) => {
                put(text, format_args!("  {} {} {field}: {clause}", link.name, link.version));
            }
            None => put(text, format_args!("  {} {}", link.name, link.version)),
        }
    }
}

fn show_path(text: &mut String, explained: &Explained, all: bool) {
    blank_between(text);
    if explained.names.first().is_some_and(|name| name.path != explained.path) {
        put(text, format_args!("{} is {}, links followed", explained.path, explained.names[0].path));
    }
    for name in &explained.names {
        let what = match &name.is {
            Some(is) => {
                let target = is.target.as_ref().map(|target| format!(" to {target}")).unwrap_or_default();
                let size = if is.kind == "file" { format!(", {} bytes", is.size) } else { String::new() };
                let also = is.also.iter().map(|name| format!(", also {name}")).collect::<String>();
                format!("{}{target}, {} {}:{}{size}{also}", is.kind, is.mode, is.uid, is.gid)
            }
            None if name.not_made.is_some() => "not made".to_owned(),
            None => "gone".to_owned(),
        };
        put(text, format_args!("{}: {what}", name.path));
        for (deed, rest) in rows(name, all) {
            put(text, format_args!("  {deed:<8}  {rest}"));
        }
    }
}

/// What there is to say about a name, each with the word that it begins with.
fn rows(name: &Name, all: bool) -> Vec<(&str, String)> {
    let mut rows = Vec::new();
    rows.extend(name.not_made.map(|reason| ("never", format!("policy: {reason}"))));
    if !name.packages.is_empty() {
        rows.push(("listed", few(&name.packages, all)));
    }
    // Times alone are no change that anybody asks for.
    let lines: Vec<&Line> = name.history.iter().filter(|line| all || line.deed != "time").collect();
    let left_out = if all { 0 } else { lines.len().saturating_sub(SHOWN) };
    for (index, line) in lines.iter().enumerate() {
        if index == 1 && left_out > 0 {
            rows.push(("…", format!("{left_out} changes more; -v shows them")));
        }
        if index == 0 || index > left_out {
            let other = line.other.as_ref().map(|other| format!(", {} {}", other.how, other.path)).unwrap_or_default();
            rows.push((&line.deed, format!("{}{other}", line.by)));
        }
    }
    rows
}

/// Packages in a line; many share the folders that all systems have.
fn few(packages: &[String], all: bool) -> String {
    const MOST: usize = 3;
    if all || packages.len() <= MOST {
        return packages.join(", ");
    }
    format!("{}, {} more", packages[..MOST].join(", "), packages.len() - MOST)
}
