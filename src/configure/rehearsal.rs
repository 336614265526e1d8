//! Rehearsals: an installation that goes on behind scripts that fail, so that all of them are told at once.
//!
//! A package whose script fails is taken as configured, and that script of it is not run again: what follows sees nearly what
//! it would see if the script were skipped.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::{Error, Installed, Options, Run, Skip, sorted_packages};
use crate::{
    dpkg::{
        database::{Database, PackageId},
        relation::{Kind, render_version},
    },
    progress::Advance,
    shell::Fatal,
    store::Layer,
};

/// What a rehearsal comes to.
#[derive(Debug)]
pub struct Rehearsal {
    /// In the order in which the scripts ran; each script is in it once.
    pub failures: Vec<Failure>,
    /// Skipped scripts that run to their end with status 0.
    pub unneeded: Vec<Skip>,
    /// The tree, or what ended the run although failed scripts don't.
    pub end: Result<Installed, Error>,
}

/// A script that does not run to a good end.
#[derive(Clone, Debug)]
pub struct Failure {
    pub package: String,
    pub version: String,
    pub script: &'static str,
    pub arguments: Vec<String>,
    pub cause: Cause,
    /// What it wrote to its standard output and error.
    pub output: Vec<u8>,
    /// The package itself and all that depend on it, by however many steps.
    pub dependents: BTreeSet<String>,
    /// An earlier failure that this one may only follow from: script and package.
    pub follows: Option<(&'static str, String)>,
}

/// Why a script failed.
#[derive(Clone, Debug)]
pub enum Cause {
    /// It ended so.
    Status(u8),
    /// It came to something that icos does not do.
    Fatal(Box<Fatal>),
}

/// What is noted while the scripts run.
#[derive(Debug, Default)]
pub(super) struct Notes {
    failures: Vec<(PackageId, Failure)>,
    /// Whether each skipped script has always ended well.
    skipped: BTreeMap<(PackageId, &'static str), bool>,
}

/// Installs packages as [`super::install`] does, but goes on behind scripts that fail.
pub fn rehearse(layers: &[Layer], options: &Options, advance: Advance<'_>) -> Result<Rehearsal, Error> {
    let packages = sorted_packages(layers, options)?;
    let mut run = Run::new(&packages, options, advance)?;
    run.notes = Some(Notes::default());
    let done = run.all(packages);
    let notes = run.notes.take().unwrap_or_default();
    let failures = failures(run.database(), notes.failures);
    let name = |id: &PackageId| run.package(*id).name.clone();
    let fine = notes.skipped.iter().filter(|(_, fine)| **fine);
    let fine: Vec<(String, &str)> = fine.map(|((id, script), _)| (name(id), *script)).collect();
    let unneeded =
        options.skips.iter().filter(|skip| fine.iter().any(|f| (&f.0, f.1) == (&skip.package, &skip.script)));
    let unneeded = unneeded.cloned().collect();
    Ok(Rehearsal { failures, unneeded, end: done.and_then(|()| run.finish()) })
}

/// The failures with how they hang together.
fn failures(database: &Database, noted: Vec<(PackageId, Failure)>) -> Vec<Failure> {
    let dependents = Dependents::new(database);
    let mut failures: Vec<Failure> = Vec::new();
    for (id, mut failure) in noted {
        failure.dependents = dependents.of(id).iter().map(|id| database.get(*id).name.clone()).collect();
        // What icos lacks it lacks anyway; a status may come of what an earlier script has left undone.
        if matches!(failure.cause, Cause::Status(_)) {
            let before = failures.iter().find(|before| before.dependents.contains(&failure.package));
            failure.follows = before.map(|before| (before.script, before.package.clone()));
        }
        failures.push(failure);
    }
    failures
}

/// Who depends on whom, by names alone: versions have been found to fit.
struct Dependents {
    direct: BTreeMap<PackageId, Vec<PackageId>>,
}

impl Dependents {
    fn new(database: &Database) -> Self {
        let mut by_name: BTreeMap<&str, Vec<PackageId>> = BTreeMap::new();
        for id in database.ids() {
            let package = database.get(id);
            by_name.entry(&package.name).or_default().push(id);
            for provided in package.relations(Kind::Provides).iter().flatten() {
                by_name.entry(&provided.package).or_default().push(id);
            }
        }
        let mut direct: BTreeMap<PackageId, Vec<PackageId>> = BTreeMap::new();
        for id in database.ids() {
            for relation in super::depend::NEEDED.iter().flat_map(|kind| database.get(id).relations(*kind)).flatten() {
                for needed in by_name.get(relation.package.as_str()).into_iter().flatten() {
                    direct.entry(*needed).or_default().push(id);
                }
            }
        }
        Self { direct }
    }

    fn of(&self, id: PackageId) -> BTreeSet<PackageId> {
        let (mut found, mut queue) = (BTreeSet::from([id]), VecDeque::from([id]));
        while let Some(next) = queue.pop_front() {
            for dependent in self.direct.get(&next).into_iter().flatten() {
                if found.insert(*dependent) {
                    queue.push_back(*dependent);
                }
            }
        }
        found
    }
}

impl Run<'_> {
    /// Whether this script has failed in this rehearsal.
    pub(super) fn has_failed(&self, id: PackageId, script: &str) -> bool {
        let failures = self.notes.iter().flat_map(|notes| &notes.failures);
        failures.into_iter().any(|(failed, failure)| *failed == id && failure.script == script)
    }

    /// Notes a failure in a rehearsal; `false` when this is none.
    pub(super) fn note_failure(
        &mut self,
        id: PackageId,
        script: &'static str,
        arguments: &[String],
        cause: &Cause,
        output: &[u8],
    ) -> bool {
        let package = self.package(id);
        let failure = Failure {
            package: package.name.clone(),
            version: render_version(&package.version),
            script,
            arguments: arguments.to_vec(),
            cause: cause.clone(),
            output: output.to_vec(),
            dependents: BTreeSet::new(),
            follows: None,
        };
        let Some(notes) = &mut self.notes else { return false };
        notes.failures.push((id, failure));
        true
    }

    /// Runs a skipped script in a rehearsal, and takes back what it did: a skip that has become needless should go.
    pub(super) fn try_skipped(
        &mut self,
        id: PackageId,
        script: &'static str,
        path: &[u8],
        arguments: &[String],
    ) -> Result<(), Error> {
        let Some(notes) = &self.notes else { return Ok(()) };
        if notes.skipped.get(&(id, script)) == Some(&false) {
            return Ok(());
        }
        let before = self.machine.save();
        let attempt = self.attempt(id, script, path, arguments);
        self.machine.restore(before);
        let fine = matches!(attempt?, (Ok(status), _) if status.success());
        if let Some(notes) = &mut self.notes {
            notes.skipped.insert((id, script), fine);
        }
        Ok(())
    }
}
