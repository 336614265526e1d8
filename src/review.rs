//! What a new lock changes for those who review it: packages with their changelogs, files with more rights, units, accounts, kernels.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::{
    date::Instant,
    deb::changelog::{self, Entry},
    lock::{
        Lock,
        delta::{self, Change, Kind},
    },
    manifest::base::held_at,
    tree::Tree,
};

pub mod documents;
mod facts;
mod markdown;

use documents::Documents;
use facts::Facts;
pub use markdown::render as markdown;

/// One side: a lock, what its packages say of themselves, and the tree that they make.
#[derive(Clone, Copy, Debug)]
pub struct Side<'a> {
    pub lock: &'a Lock,
    pub documents: &'a Documents,
    pub tree: &'a Tree,
}

/// What changes from one lock to another.
#[derive(Clone, Debug, Serialize)]
pub struct Review {
    pub target: String,
    pub base: String,
    /// What the old lock is of, when that is another target or base.
    pub before: Option<Before>,
    /// Instants of the snapshots; absent for live mirrors.
    pub from: Option<String>,
    pub to: Option<String>,
    /// Instant at which the new lock holds all but a few packages.
    pub held: Option<String>,
    pub packages: Vec<Package>,
    /// Every vulnerability that a new changelog entry names, with the packages whose entries do.
    pub vulnerabilities: BTreeMap<String, BTreeSet<String>>,
    /// Bytes of all .debs, and of what they take when installed, after less before.
    pub download: i64,
    pub installed: i64,
    pub kernels: Lines,
    pub privileged: Lines,
    pub units: Lines,
    pub users: Lines,
    pub groups: Lines,
    /// Maintainer scripts that icos cannot run, on each side.
    pub scripts: Lines,
}

/// What a lock is of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Before {
    pub target: String,
    pub base: String,
}

/// A package that changes.
#[derive(Clone, Debug, Serialize)]
pub struct Package {
    pub name: String,
    pub architecture: String,
    pub change: Kind,
    pub old: Option<String>,
    pub new: Option<String>,
    /// After less before, in bytes.
    pub download: i64,
    pub installed: i64,
    /// Why a new package is there.
    pub why: Option<String>,
    pub changelog: Changelog,
}

/// What the .debs' own changelogs say about the change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Changelog {
    /// Nothing is to be said of packages that are only on one side.
    NotAsked,
    Entries(Vec<Entry>),
    /// The old version is not in the new changelog, or one side has none.
    Unknown,
}

/// Lines that only the new or the old side has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Lines {
    pub added: Vec<String>,
    pub removed: Vec<String>,
}

impl Lines {
    pub fn between(old: &BTreeSet<String>, new: &BTreeSet<String>) -> Self {
        Self { added: new.difference(old).cloned().collect(), removed: old.difference(new).cloned().collect() }
    }

    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty()
    }
}

impl Review {
    /// Compares two sides; `scripts` are those that each side cannot run.
    pub fn new(old: Side<'_>, new: Side<'_>, scripts: Lines) -> Self {
        let facts = [old, new].map(|side| Facts::of(side.tree));
        let lines = |pick: fn(&Facts) -> &BTreeSet<String>| Lines::between(pick(&facts[0]), pick(&facts[1]));
        let changes = delta::changes(old.lock, new.lock);
        let packages: Vec<Package> = changes.iter().map(|change| package(change, old, new)).collect();
        let instant = |side: Side<'_>| side.lock.snapshot.map(|instant| instant.to_compact());
        let is_same = old.lock.target == new.lock.target && old.lock.base == new.lock.base;
        Self {
            target: new.lock.target.to_string(),
            base: new.lock.base.clone(),
            before: (!is_same).then(|| Before { target: old.lock.target.to_string(), base: old.lock.base.clone() }),
            from: instant(old),
            to: instant(new),
            held: new.lock.suites.keys().find_map(|name| held_at(&name.archive)).map(Instant::to_compact),
            vulnerabilities: vulnerabilities(&packages),
            download: packages.iter().map(|package| package.download).fold(0, i64::saturating_add),
            installed: packages.iter().map(|package| package.installed).fold(0, i64::saturating_add),
            packages,
            kernels: lines(|facts| &facts.kernels),
            privileged: lines(|facts| &facts.privileged),
            units: lines(|facts| &facts.units),
            users: lines(|facts| &facts.users),
            groups: lines(|facts| &facts.groups),
            scripts,
        }
    }

    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        let sets = [&self.kernels, &self.privileged, &self.units, &self.users, &self.groups, &self.scripts];
        self.packages.is_empty() && sets.into_iter().all(Lines::is_empty)
    }
}

fn package(change: &Change<'_>, old: Side<'_>, new: Side<'_>) -> Package {
    let name = change.key.name.as_str();
    let architecture = change.key.architecture.as_str();
    let log = |side: Side<'_>| side.documents.changelog(name, side.lock.architecture.as_str());
    let changelog = match change.kind() {
        Kind::Upgraded => changelog::since(&log(new), &log(old)).map_or(Changelog::Unknown, Changelog::Entries),
        // What is taken back is told of as well.
        Kind::Downgraded => changelog::since(&log(old), &log(new)).map_or(Changelog::Unknown, Changelog::Entries),
        Kind::Added | Kind::Removed | Kind::Rebuilt => Changelog::NotAsked,
    };
    let size = |side: Option<&crate::lock::Package>| {
        side.map_or(0, |package| i64::try_from(package.file.size).unwrap_or(i64::MAX))
    };
    let installed = |side: Side<'_>| i64::try_from(side.documents.installed(name)).unwrap_or(i64::MAX);
    Package {
        name: name.to_owned(),
        architecture: architecture.to_owned(),
        change: change.kind(),
        old: change.old.map(|package| package.version.as_str().to_owned()),
        new: change.new.map(|package| package.version.as_str().to_owned()),
        download: size(change.new) - size(change.old),
        installed: installed(new).saturating_sub(installed(old)),
        why: change.new.filter(|_| change.old.is_none()).map(|package| package.why.clone()),
        changelog,
    }
}

fn vulnerabilities(packages: &[Package]) -> BTreeMap<String, BTreeSet<String>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in packages.iter().filter(|package| package.change == Kind::Upgraded) {
        let Changelog::Entries(entries) = &package.changelog else { continue };
        for name in entries.iter().flat_map(|entry| &entry.vulnerabilities) {
            found.entry(name.clone()).or_default().insert(package.name.clone());
        }
    }
    found
}
