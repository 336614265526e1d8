//! Why a target has a package, and who made or changed one of its paths.

use std::collections::BTreeMap;

use super::{Result, Session, build};
use crate::{
    manifest::project::Target,
    progress::{Event, Unit},
    shell::pattern,
    tree::{Tree, history::History},
};

mod deeds;
mod name;
mod package;

pub use deeds::{Line, Other};
pub use name::{Explained, Name};
pub use package::{Brings, Link, Reasons, why_package};

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
pub enum WhyError {
    #[error("{target} has no `{}`, nor has anything made it", path.escape_ascii())]
    NoPath { target: Target, path: Vec<u8>, near: Vec<String> },
    #[error("`{package}` is not in the lock of {target} on {base}{}", told(base, offered))]
    NotLocked { package: String, target: Target, base: String, offered: Offered, near: Vec<String> },
    #[error("`{package}` is not in the lock of {target} on {base}, which has {}", found.join(", "))]
    Otherwise { package: String, target: Target, base: String, found: Vec<String> },
}

/// What a base has of a name that a lock does not have.
#[derive(Debug)]
pub enum Offered {
    /// A package, and its newest version.
    Version(String),
    /// Packages that provide the name: those of the lock or, when it has none of them, of the base.
    Provided {
        locked: bool,
        by: Vec<String>,
    },
    Nothing,
    /// It could not be looked up.
    Unknown(String),
}

impl WhyError {
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NotLocked { offered: Offered::Provided { by, locked: true }, target, .. } => {
                Some(format!("`icos why {target} {}` says why it is there", by.join(" ")))
            }
            Self::NoPath { near, .. } | Self::NotLocked { near, .. } if !near.is_empty() => {
                Some(format!("did you mean {}?", near.join(" or ")))
            }
            _ => None,
        }
    }
}

/// What there is to say about a path, or why there is nothing.
type Answer = std::result::Result<Explained, Box<WhyError>>;

/// Whether a base has a package, for an error about a lock that doesn't.
fn told(base: &str, offered: &Offered) -> String {
    match offered {
        Offered::Version(version) => format!("; {base} has it as {version}, and nothing brings it in"),
        Offered::Provided { by, locked: true } => {
            format!("; it is a name that {} provides, which is in the lock", by.join(", "))
        }
        Offered::Provided { by, locked: false } => {
            format!("; it is a name that others provide, none of them in the lock: {}", by.join(", "))
        }
        Offered::Nothing => format!("; {base} has none of that name"),
        Offered::Unknown(why) => format!("; whether {base} has it is not known: {why}"),
    }
}

/// Links followed from one path before it is called a loop.
const MAX_LINKS: usize = 40;

/// Explains paths of a target, in which `*`, `?` and `[...]` match as in the shell. The target's root tree is made anew to see
/// who does what; nothing is written.
pub fn why_paths(session: &Session<'_>, target: &Target, base: &str, paths: &[String]) -> Result<Vec<Answer>> {
    let build::Root { lock, mut tree, .. } = build::root(session, target, base, None, &[], true)?;
    (session.progress)(Event::Stage { name: "explain", unit: Unit::Packages, total: 0 });
    let versions = lock.packages.iter().map(|(key, package)| (key.name.as_str(), package.version.as_str())).collect();
    let asked: Vec<Vec<u8>> = paths.iter().flat_map(|path| expanded(&tree, path)).collect();
    let history = tree.history().expect("the journal that was asked for");
    let missing =
        |path: Vec<u8>| Box::new(WhyError::NoPath { target: target.clone(), near: near(&history, &path), path });
    let explain = |path: Vec<u8>| name::explain(&history, &versions, &path).ok_or_else(|| missing(path));
    Ok(asked.into_iter().map(explain).collect())
}

/// Explains one path of a tree that has kept a journal; `None` when it is not there and never was. `versions` are those of
/// the packages by name.
pub fn explain(tree: &mut Tree, versions: &BTreeMap<&str, &str>, path: &[u8]) -> Option<Explained> {
    name::explain(&tree.history()?, versions, path)
}

/// The paths that a pattern means, or what was typed.
fn expanded(tree: &Tree, path: &str) -> Vec<Vec<u8>> {
    if path.contains(['*', '?', '[']) {
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        let fits = |names: Vec<&[u8]>| {
            let mut pairs = parts.iter().zip(&names);
            names.len() == parts.len() && pairs.all(|(part, name)| pattern::matches(part.as_bytes(), name))
        };
        let found: Vec<Vec<u8>> = tree
            .walk()
            .filter(|visit| fits(visit.path.names().collect()))
            .map(|v| v.path.as_bytes().to_vec())
            .collect();
        if !found.is_empty() {
            return found;
        }
    }
    vec![path.as_bytes().to_vec()]
}

/// Paths that may have been meant: of the same folder, or of the same name elsewhere.
fn near(history: &History<'_>, path: &[u8]) -> Vec<String> {
    const MOST: usize = 3;
    let tree = history.tree();
    let text = String::from_utf8_lossy(path);
    let (folder, name) = text.trim_end_matches('/').rsplit_once('/').unwrap_or(("", &text));
    let mut found = Vec::new();
    if let Ok((id, real)) = tree.resolve(format!("/{folder}").as_bytes()) {
        let names: Vec<String> =
            tree.get(id).entries().into_iter().flatten().map(|(n, _)| lossy(n.as_bytes())).collect();
        let close = crate::nearest::nearest(name, names.iter().map(String::as_str), MOST);
        let prefix = if real.is_root() { String::new() } else { real.to_string() };
        found.extend(close.iter().map(|name| format!("{prefix}/{name}")));
    }
    let elsewhere = tree.walk().filter(|visit| visit.path.names().next_back() == Some(name.as_bytes()));
    let elsewhere = elsewhere.map(|visit| visit.path.to_string());
    found.extend(elsewhere.take(MOST));
    found.dedup();
    found.truncate(MOST);
    found
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
