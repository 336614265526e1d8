//! What is asked for: names as apt's command line takes them, to versions.

use std::{fmt, str::FromStr};

use super::{
    state::State,
    universe::{Name, PackageId, Provide, Universe, VersionId},
};
use crate::{
    deb::dependency::{Architecture, PackageName},
    nearest::nearest,
};

/// A package to be installed: `name`, `name:arch`, `name=version` or `name/suite`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root {
    pub name: PackageName,
    pub architecture: Option<Architecture>,
    pub choice: Choice,
}

/// Which of a package's versions is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// The one that priorities favour.
    Candidate,
    /// The one that is written so, or provided as that.
    Version(String),
    /// The newest of a suite.
    Suite(String),
    /// The package that is this file of the project: the `path` of its index.
    File(String),
}

/// A text that asks for nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected `name`, `name:arch`, `name=version`, `name/suite` or a path that ends in `.deb`, found `{0}`")]
pub struct BadRoot(String);

impl FromStr for Root {
    type Err = BadRoot;

    fn from_str(text: &str) -> Result<Self, BadRoot> {
        let bad = || BadRoot(text.chars().take(80).collect());
        let (package, choice) = match text.rfind(['/', '=']) {
            None => (text, Choice::Candidate),
            Some(at) => {
                let (package, rest) = (&text[..at], &text[at + 1..]);
                if rest.is_empty() {
                    return Err(bad());
                }
                let is_suite = text.as_bytes()[at] == b'/';
                let rest = rest.to_owned();
                (package, if is_suite { Choice::Suite(rest) } else { Choice::Version(rest) })
            }
        };
        let (name, architecture) = match package.split_once(':') {
            None => (package, None),
            Some((name, architecture)) => (name, Some(Architecture::new(architecture).map_err(|_| bad())?)),
        };
        Ok(Self { name: PackageName::new(name).map_err(|_| bad())?, architecture, choice })
    }
}

impl fmt::Display for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.name)?;
        if let Some(architecture) = &self.architecture {
            write!(f, ":{architecture}")?;
        }
        match &self.choice {
            Choice::Candidate => Ok(()),
            Choice::Version(version) => write!(f, "={version}"),
            Choice::Suite(suite) => write!(f, "/{suite}"),
            Choice::File(path) => write!(f, " ({path})"),
        }
    }
}

/// Why a root cannot be taken for a version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RootError {
    #[error("no package is named `{name}`")]
    Unknown { name: String, nearest: Vec<String> },
    #[error("`{root}`: no such architecture; the base has `{known}`")]
    Architecture { root: String, wanted: String, known: String },
    #[error("`{root}`: the base has no suite `{suite}`")]
    NoSuite { root: String, suite: String, known: Vec<String> },
    #[error("`{name}` is no package, but a name that several provide")]
    Virtual { name: String, providers: Vec<String> },
    #[error("`{name}` is named by other packages, but none provides it")]
    Nothing { name: String },
    #[error("`{name}`: every version is pinned out")]
    NoCandidate { name: String },
    #[error("`{root}`: there is no such version")]
    NoVersion { root: String, versions: Vec<String> },
}

impl RootError {
    pub fn hint(&self) -> Option<String> {
        let list = |words: &[String]| format!("`{}`", words.join("`, `"));
        match self {
            Self::Unknown { nearest, .. } if !nearest.is_empty() => Some(format!("did you mean {}?", list(nearest))),
            Self::Virtual { providers, .. } => Some(format!("choose one of {}", list(providers))),
            Self::NoSuite { known, .. } => Some(format!("its suites are {}", list(known))),
            Self::Architecture { wanted, .. } => {
                Some(format!("`foreign = [\"{wanted}\"]` in base.toml lets packages of {wanted} stand beside its own"))
            }
            Self::NoVersion { versions, .. } => Some(format!("the indexes have {}", list(versions))),
            Self::NoCandidate { name } => Some(format!("ask for `{name}=VERSION`, or change the base's pins")),
            Self::Nothing { .. } => Some("leave it out, or give the base a suite or an archive that has it".to_owned()),
            _ => None,
        }
    }
}

impl State<'_, '_> {
    /// The version that a root asks for. Where others provide a name in the version or suite asked for, they become candidates.
    pub(super) fn root(&mut self, root: &Root) -> Result<VersionId, RootError> {
        let package = self.root_package(root)?;
        let universe = self.universe;
        let versions = &universe.package(package).versions;
        let found = match &root.choice {
            Choice::Candidate => match self.mark(package).candidate {
                Some(candidate) => return Ok(candidate),
                None => return self.sole_provider(package),
            },
            Choice::Version(text) => {
                let own = versions.iter().copied().find(|id| universe.version(*id).text == text);
                own.or_else(|| self.provider(package, |_, provide| provide.version == Some(text)))
            }
            Choice::Suite(suite) => {
                let own = versions.iter().copied().find(|id| self.is_in_suite(*id, suite));
                own.or_else(|| self.provider(package, |state, provide| state.is_in_suite(provide.owner, suite)))
            }
            Choice::File(path) => versions.iter().copied().find(|id| {
                let mut origins =
                    universe.version(*id).stanzas.iter().map(|(index, _)| &universe.indexes[*index].origin);
                origins.any(|origin| origin.archive.is_empty() && origin.path == *path)
            }),
        };
        found.ok_or_else(|| match &root.choice {
            Choice::Suite(suite) if !universe.indexes.iter().any(|index| index.origin.is_suite(suite)) => {
                RootError::NoSuite { root: root.to_string(), suite: suite.clone(), known: suites(universe) }
            }
            _ => RootError::NoVersion {
                root: root.to_string(),
                versions: versions.iter().map(|id| describe(universe, *id)).collect(),
            },
        })
    }

    /// The native package of a name, else one of another architecture that has versions.
    fn root_package(&self, root: &Root) -> Result<PackageId, RootError> {
        let universe = self.universe;
        let name = root.name.as_str();
        let unknown = || {
            let close = nearest(name, universe.names(), 3);
            RootError::Unknown { name: name.to_owned(), nearest: close.into_iter().map(str::to_owned).collect() }
        };
        let architecture = match root.architecture.as_ref().map(Architecture::as_str) {
            None => None,
            Some("all" | "native") => Some(universe.native()),
            Some(name) => Some(universe.architecture(name).ok_or_else(|| RootError::Architecture {
                root: root.to_string(),
                wanted: name.to_owned(),
                known: universe.architecture_names().join("`, `"),
            })?),
        };
        if let Some(architecture) = architecture {
            return universe.find(Name::from(name), architecture).ok_or_else(unknown);
        }
        let group = universe.group(Name::from(name)).ok_or_else(unknown)?;
        let mut siblings = universe.siblings(group).to_vec();
        siblings.sort_by_key(|id| {
            let package = universe.package(*id);
            (package.versions.is_empty(), package.architecture)
        });
        siblings.first().copied().ok_or_else(unknown)
    }

    /// The package itself where it provides its name, else the one other that provides it.
    fn provider(&mut self, package: PackageId, suits: impl Fn(&Self, &Provide<'_>) -> bool) -> Option<VersionId> {
        let universe = self.universe;
        let provides = universe.package(package).provided_by.iter().map(|id| universe.provide(*id));
        let suiting = provides.filter(|provide| suits(self, provide));
        let owners: Vec<VersionId> = suiting.map(|provide| provide.owner).collect();
        let owner = |id: &VersionId| universe.version(*id).package;
        if let Some(itself) = owners.iter().find(|id| owner(id) == package) {
            return Some(*itself);
        }
        for id in &owners {
            if owners.iter().filter(|other| owner(other) == owner(id)).count() == 1 {
                self.set_candidate(*id);
            }
        }
        self.only(&owners, package)
    }

    /// The best of several versions, if they are of one name: of the wanted architecture, or the more preferred one.
    fn only(&self, versions: &[VersionId], wanted: PackageId) -> Option<VersionId> {
        let universe = self.universe;
        let package = |id: &VersionId| universe.package(universe.version(*id).package);
        let one_name = versions.windows(2).all(|pair| package(&pair[0]).group == package(&pair[1]).group);
        let wanted = universe.package(wanted).architecture;
        let rank = |id: &&VersionId| (package(id).architecture != wanted, package(id).architecture);
        versions.iter().filter(|_| one_name).min_by_key(rank).copied()
    }

    /// A name without versions stands for its provider, if that is one.
    fn sole_provider(&self, package: PackageId) -> Result<VersionId, RootError> {
        let universe = self.universe;
        let name = universe.name(package).to_string();
        let owners = universe.package(package).provided_by.iter().map(|id| universe.provide(*id).owner);
        let owners: Vec<VersionId> =
            owners.filter(|id| self.mark(universe.version(*id).package).candidate == Some(*id)).collect();
        let mut names: Vec<String> =
            owners.iter().map(|id| universe.name(universe.version(*id).package).to_string()).collect();
        names.sort();
        names.dedup();
        match self.only(&owners, package) {
            Some(version) => Ok(version),
            None if !names.is_empty() => Err(RootError::Virtual { name, providers: names }),
            None if !universe.package(package).versions.is_empty() => Err(RootError::NoCandidate { name }),
            None => Err(RootError::Nothing { name }),
        }
    }
}

/// The suites of all archives, in the order of the indexes.
fn suites(universe: &Universe<'_>) -> Vec<String> {
    let mut suites: Vec<String> = Vec::new();
    for origin in universe.indexes.iter().map(|index| &index.origin).filter(|origin| !origin.archive.is_empty()) {
        if !suites.contains(&origin.suite) {
            suites.push(origin.suite.clone());
        }
    }
    suites
}

/// `version (suite/component, …)`.
fn describe(universe: &Universe<'_>, id: VersionId) -> String {
    let version = universe.version(id);
    let origins = version.stanzas.iter().map(|(index, _)| &universe.indexes[*index].origin);
    let places: Vec<_> = origins.map(|origin| format!("{}/{}", origin.suite, origin.component)).collect();
    format!("{} ({})", version.text, places.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots() {
        let check = |text: &str, name: &str, architecture: Option<&str>, choice: Choice| {
            let root: Root = text.parse().expect("a root");
            assert_eq!(
                (root.name.as_str(), root.architecture.as_ref().map(Architecture::as_str)),
                (name, architecture)
            );
            assert_eq!(root.choice, choice);
            assert_eq!(root.to_string(), text);
        };
        check("apt", "apt", None, Choice::Candidate);
        check("g++:arm64", "g++", Some("arm64"), Choice::Candidate);
        check("apt=2.6.1", "apt", None, Choice::Version("2.6.1".into()));
        check("apt:amd64=1:2.6", "apt", Some("amd64"), Choice::Version("1:2.6".into()));
        check("apt/bookworm-backports", "apt", None, Choice::Suite("bookworm-backports".into()));
        for bad in ["", "a", "Apt", "apt=", "apt/", "apt:", "apt^", "../x", "apt:Amd64"] {
            assert_eq!(bad.parse::<Root>(), Err(BadRoot(bad.to_owned())));
        }
    }
}
