//! The chain of reasons from a target's request to one of its packages, as its lock has them.
//!
//! A lock holds for each package the last link of a shortest chain, found breadth first from the request, so that following
//! them backwards gives a shortest chain.

use std::collections::BTreeSet;

use super::{
    super::{Result, Session, archive::Offer, base, read_lock},
    Offered, WhyError,
};
use crate::{
    deb::{packages::Stanza, version::Version},
    lock::{Lock, Package, PackageKey},
    manifest::project::Target,
    nearest::nearest,
};

/// Why a package is in a lock.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Reasons {
    pub package: String,
    /// What the chain begins with: what the target asks for.
    pub request: String,
    /// From what was asked for to the package.
    pub chain: Vec<Link>,
}

/// A package on the way, and how it brings the next.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Link {
    pub name: String,
    pub version: String,
    pub architecture: String,
    /// The last brings nothing.
    pub brings: Option<Brings>,
}

/// A clause of a package's control file.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Brings {
    pub field: String,
    pub clause: String,
}

/// The reasons for a package of a target: `name`, `name:architecture` or `name=version`.
pub fn why_package(session: &Session<'_>, target: &Target, base_name: &str, package: &str) -> Result<Reasons> {
    let (lock, _) = read_lock(session.project, base_name, target)?;
    let (asked, version) = package.split_once('=').map_or((package, None), |(name, version)| (name, Some(version)));
    let is_asked = |found: &Locked<'_>| version.is_none_or(|version| found.1.version.as_str() == version);
    if let Some(found) = find(&lock, asked, None).filter(is_asked) {
        return Ok(reasons(&lock, found));
    }
    let name = asked.split(':').next().unwrap_or(asked);
    let (package, target, base) = (package.to_owned(), target.clone(), base_name.to_owned());
    let found: Vec<String> = of_name(&lock, name).map(shown).collect();
    let error = if found.is_empty() {
        let offered =
            offered(session, base_name, &lock, name).unwrap_or_else(|error| Offered::Unknown(error.to_string()));
        WhyError::NotLocked { package, target, base, offered, near: near(&lock, name) }
    } else {
        WhyError::Otherwise { package, target, base, found }
    };
    Err(Box::new(error).into())
}

type Locked<'a> = (&'a PackageKey, &'a Package);

fn of_name<'a>(lock: &'a Lock, name: &str) -> impl Iterator<Item = Locked<'a>> {
    lock.packages.iter().filter(move |(key, _)| key.name.as_str() == name)
}

fn shown((key, package): Locked<'_>) -> String {
    format!("{} {} {}", key.name, package.version.as_str(), key.architecture)
}

/// A locked package by name; of several architectures the wanted one, else the first.
fn find<'a>(lock: &'a Lock, package: &str, wanted: Option<&str>) -> Option<Locked<'a>> {
    let (name, architecture) = match package.split_once(':') {
        Some((name, architecture)) => (name, Some(architecture)),
        None => (package, None),
    };
    let mut found = of_name(lock, name).collect::<Vec<_>>().into_iter();
    match architecture {
        Some(architecture) => found.find(|(key, _)| {
            // As for apt, a package for all architectures is one of the system's own.
            let is_own = architecture == lock.architecture.as_str();
            key.architecture.as_str() == architecture || is_own && key.architecture.as_str() == "all"
        }),
        None => {
            let best = found.clone().find(|(key, _)| Some(key.architecture.as_str()) == wanted);
            best.or_else(|| found.next())
        }
    }
}

fn reasons(lock: &Lock, (key, package): Locked<'_>) -> Reasons {
    let mut chain = vec![link((key, package), None)];
    let (mut why, mut seen) = (package.why.as_str(), BTreeSet::from([key]));
    while let Some((name, field, clause)) = relation(why)
        && let Some(found) = find(lock, name, Some(key.architecture.as_str()))
        && seen.insert(found.0)
    {
        chain.push(link(found, Some(Brings { field: field.to_owned(), clause: clause.to_owned() })));
        why = &found.1.why;
    }
    chain.reverse();
    Reasons { package: key.name.to_string(), request: request(lock, why), chain }
}

fn link((key, package): Locked<'_>, brings: Option<Brings>) -> Link {
    Link {
        name: key.name.to_string(),
        version: package.version.as_str().to_owned(),
        architecture: key.architecture.as_str().to_owned(),
        brings,
    }
}

/// A reason that another package gives: its name, the field and the clause.
fn relation(why: &str) -> Option<(&str, &str, &str)> {
    let (name, rest) = why.split_once(' ')?;
    let (field, clause) = rest.split_once(": ")?;
    (!field.contains(' ')).then_some((name, field, clause))
}

/// What a chain begins with, in a sentence.
fn request(lock: &Lock, why: &str) -> String {
    let target = &lock.target;
    match why {
        "essential" => format!("{target} asks for every package marked Essential"),
        "priority required" => format!("{target} asks for every package of Priority: required"),
        "boot loader" => format!("{target} takes its boot loader from a package"),
        "kept by the resolver" => format!("{target} keeps, as apt does, what nothing else leads to"),
        why => match why.strip_prefix("requested as ") {
            Some(root) => format!("{target} asks for {root}"),
            None => format!("{target}: {why}"),
        },
    }
}

/// What the base has of a name, by the indexes that the lock names.
fn offered(session: &Session<'_>, base_name: &str, lock: &Lock, name: &str) -> Result<Offered> {
    let base = base(session.project, base_name)?;
    let offer = Offer::new(session, &base, Some(lock))?;
    let indexes = offer.parsed()?;
    let stanzas = || indexes.iter().flat_map(|index| &index.stanzas);
    let versions =
        stanzas().filter(|stanza| stanza.name == name).filter_map(|stanza| Version::new(stanza.version).ok());
    let newest = versions.max();
    let providers = stanzas().filter(|stanza| stanza.provides.iter().any(|provide| provide.name == name));
    let is_locked =
        |stanza: &&Stanza<'_>| of_name(lock, stanza.name).any(|(_, package)| package.file.sha256 == stanza.file.sha256);
    let names = |stanzas: Vec<&Stanza<'_>>| {
        let names: BTreeSet<String> = stanzas.iter().map(|stanza| stanza.name.to_owned()).collect();
        names.into_iter().collect::<Vec<_>>()
    };
    let (locked, others): (Vec<_>, Vec<_>) = providers.partition(is_locked);
    Ok(match newest {
        _ if !locked.is_empty() => Offered::Provided { locked: true, by: names(locked) },
        Some(version) => Offered::Version(version.as_str().to_owned()),
        None if !others.is_empty() => Offered::Provided { locked: false, by: names(others) },
        None => Offered::Nothing,
    })
}

/// Locked packages that may have been meant.
fn near(lock: &Lock, package: &str) -> Vec<String> {
    nearest(package, lock.packages.keys().map(|key| key.name.as_str()), 3).into_iter().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_reasons() {
        let check = |why: &str, expect: Option<(&str, &str, &str)>| assert_eq!(relation(why), expect, "{why}");
        check("udev Depends: adduser", Some(("udev", "Depends", "adduser")));
        check("a Pre-Depends: b (>= 1) | c", Some(("a", "Pre-Depends", "b (>= 1) | c")));
        for why in ["essential", "priority required", "requested as a", "boot loader", "kept by the resolver"] {
            check(why, None);
        }
    }
}
