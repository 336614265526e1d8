//! What changes from one lock to another.

use std::collections::BTreeSet;

use super::{Lock, Package, PackageKey};

/// A package that only one lock has, or both in different versions or bytes.
#[derive(Clone, Copy, Debug)]
pub struct Change<'a> {
    pub key: &'a PackageKey,
    pub old: Option<&'a Package>,
    pub new: Option<&'a Package>,
}

/// What becomes of a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    Added,
    Removed,
    Upgraded,
    Downgraded,
    /// The same version with other bytes: an archive must not do that.
    Rebuilt,
}

impl Kind {
    pub const ALL: [Self; 5] = [Self::Upgraded, Self::Downgraded, Self::Rebuilt, Self::Added, Self::Removed];

    pub fn word(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Upgraded => "upgraded",
            Self::Downgraded => "downgraded",
            Self::Rebuilt => "with other bytes",
        }
    }
}

impl Change<'_> {
    pub fn kind(&self) -> Kind {
        match (self.old, self.new) {
            (None, _) => Kind::Added,
            (_, None) => Kind::Removed,
            (Some(old), Some(new)) => match new.version.cmp(&old.version) {
                std::cmp::Ordering::Greater => Kind::Upgraded,
                std::cmp::Ordering::Less => Kind::Downgraded,
                std::cmp::Ordering::Equal => Kind::Rebuilt,
            },
        }
    }
}

/// The packages that differ, sorted by name and architecture.
pub fn changes<'a>(old: &'a Lock, new: &'a Lock) -> Vec<Change<'a>> {
    let keys: BTreeSet<&PackageKey> = old.packages.keys().chain(new.packages.keys()).collect();
    let change = |key| Change { key, old: old.packages.get(key), new: new.packages.get(key) };
    let differs = |change: &Change<'_>| change.old.map(|old| old.file) != change.new.map(|new| new.file);
    keys.into_iter().map(change).filter(differs).collect()
}
