//! The chain of reasons from a target's request to one of its packages, as its lock has them.
//!
//! A lock holds for each package the last link of a shortest chain, found breadth first from the request, so that following
//! them backwards gives a shortest chain.

use std::collections::BTreeSet;

use super::{
    super::{Result, Session, archive::Offer, base, read_lock},
    WhyError,
};
use crate::{
    deb::version::Version,
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

/// The reasons for a package of a target: `name` or `name:architecture`.
pub fn why_package(session: &Session<'_>, target: &Target, base_name: &str, package: &str) -> Result<Reasons> {
    let (lock, _) = read_lock(session.project, base_name, target)?;
    match find(&lock, package, None) {
        Some(found) => Ok(reasons(&lock, found)),
        None => Err(Box::new(WhyError::NotLocked {
            package: package.to_owned(),
            target: target.clone(),
            base: base_name.to_owned(),
            version: offered(session, base_name, &lock, package),
            near: near(&lock, package),
        })
        .into()),
    }
}

type Locked<'a> = (&'a PackageKey, &'a Package);

/// A locked package by name; of several architectures the wanted one, else the first.
fn find<'a>(lock: &'a Lock, package: &str, wanted: Option<&str>) -> Option<Locked<'a>> {
    let (name, architecture) = match package.split_once(':') {
        Some((name, architecture)) => (name, Some(architecture)),
        None => (package, None),
    };
    let of_name = || lock.packages.iter().filter(|(key, _)| key.name.as_str() == name);
    match architecture {
        Some(architecture) => of_name().find(|(key, _)| key.architecture.as_str() == architecture),
        None => of_name().find(|(key, _)| Some(key.architecture.as_str()) == wanted).or_else(|| of_name().next()),
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

/// The newest version that the base has, by the indexes that the lock names.
fn offered(
    session: &Session<'_>,
    base_name: &str,
    lock: &Lock,
    package: &str,
) -> std::result::Result<Option<String>, String> {
    let look = || -> Result<Option<String>> {
        let base = base(session.project, base_name)?;
        let offer = Offer::new(session, &base, Some(lock))?;
        let name = package.split(':').next().unwrap_or(package);
        let indexes = offer.parsed()?;
        let stanzas = indexes.iter().flat_map(|index| &index.stanzas).filter(|stanza| stanza.name == name);
        let newest = stanzas.filter_map(|stanza| Version::new(stanza.version).ok()).max();
        Ok(newest.map(|version| version.as_str().to_owned()))
    };
    look().map_err(|error| error.to_string())
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
