//! `icos bump` and `icos diff`.

use std::{collections::BTreeSet, process::ExitCode};

use serde_json::{Value, json};

use super::{
    DIFFERS, Edge,
    args::{Bump, Diff, To},
    interrupt::{self, Unfinished},
    lock::{base_of, locked},
};
use crate::{
    manifest::project::{Project, Target},
    pipeline::{self, Bumped},
    review::{self, Review},
};

pub(super) fn run(edge: &Edge, args: &Bump) -> anyhow::Result<ExitCode> {
    let mut files = Vec::new();
    let bumped = edge.session(false, |session| {
        let (base, targets) = moved(session.project, args.base.as_deref())?;
        let bump = pipeline::Bump {
            base,
            to: match args.to {
                To::Latest => None,
                To::At(instant) => Some(instant),
            },
            packages: args.package.iter().map(ToString::to_string).collect(),
            targets,
            rehearse: !args.no_rehearsal,
        };
        let bumped = pipeline::bump(session, &bump)?;
        files.extend(bumped.files.iter().map(|(file, _)| session.project.relative(file)));
        if !args.check {
            write(edge, &bumped)?;
        }
        Ok(bumped)
    })?;
    let state = match (files.is_empty(), args.check) {
        (true, _) => "unchanged",
        (false, false) => "written",
        (false, true) => "differs",
    };
    let reviews: Vec<&Review> = bumped.reviews.iter().collect();
    print(edge, &reviews, json!({ "state": state, "files": files }))?;
    Ok(if state == "differs" { ExitCode::from(DIFFERS) } else { ExitCode::SUCCESS })
}

/// The base to move and its locked targets.
fn moved(project: &Project, named: Option<&str>) -> anyhow::Result<(String, Vec<Target>)> {
    let targets = locked(project, named)?;
    let bases = targets.iter().map(|target| base_of(project, target, named));
    let bases = bases.collect::<anyhow::Result<BTreeSet<String>>>()?;
    match bases.into_iter().collect::<Vec<_>>().as_slice() {
        [base] => Ok((base.clone(), targets)),
        several => anyhow::bail!("there are locks on `{}`; choose one by --base", several.join("` and `")),
    }
}

/// Writes all files or none.
fn write(edge: &Edge, bumped: &Bumped) -> anyhow::Result<()> {
    let mut ready = Vec::new();
    for (file, text) in &bumped.files {
        let unfinished = Unfinished::beside(file, &|text| edge.note(text))?;
        fs_err::write(&unfinished.path, text)?;
        ready.push((unfinished, file.clone()));
    }
    Ok(interrupt::put_in_place(&ready)?)
}

pub(super) fn diff(edge: &Edge, args: &Diff) -> anyhow::Result<ExitCode> {
    let review = edge.session(false, |session| Ok(pipeline::diff(session, &args.old, &args.new)?))?;
    print(edge, &[&review], json!({}))?;
    Ok(ExitCode::SUCCESS)
}

/// Prints reviews as Markdown, or as JSON with the Markdown and what else there is to say.
fn print(edge: &Edge, reviews: &[&Review], mut object: Value) -> anyhow::Result<()> {
    edge.screen.end();
    let markdown = review::markdown(reviews);
    object["reviews"] = json!(reviews);
    object["markdown"] = json!(markdown);
    edge.print(&markdown, &object)
}
