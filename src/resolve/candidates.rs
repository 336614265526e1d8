//! Which version of each package may be chosen: the one of highest priority, the newest of several.
//!
//! Priorities are apt's (apt_preferences(5)): an index has 500, 100 if its packages are only followed, 1 if they are taken only
//! when asked for; a version has the highest of its indexes'. The first pin that matches a version replaces that; a pin of
//! `*` without a version replaces an index's. A version below 1 cannot be chosen.

use std::cmp::Reverse;

use super::universe::{Origin, PackageId, Universe, VersionId};
use crate::manifest::base::{Pin, plain_name};

/// The candidate of each package, by its number.
pub(super) type Candidates = Vec<Option<VersionId>>;

pub(super) fn candidates(universe: &Universe<'_>, pins: &[Pin]) -> Candidates {
    let indexes: Vec<i32> = universe.indexes.iter().map(|index| index_priority(&index.origin, pins)).collect();
    let best = |id: PackageId| {
        let versions = &universe.package(id).versions;
        let ranked = versions.iter().enumerate().map(|(age, &version)| {
            let priority = version_priority(universe, version, &indexes, pins);
            (priority, Reverse(age), version)
        });
        ranked.filter(|(priority, ..)| *priority > 0).max().map(|(.., version)| version)
    };
    universe.package_ids().map(best).collect()
}

fn index_priority(origin: &Origin, pins: &[Pin]) -> i32 {
    let general = |pin: &&Pin| pin.packages == ["*"] && pin.version.is_none() && matches_origin(pin, origin);
    if let Some(pin) = pins.iter().find(general) {
        return pin.priority;
    }
    match (origin.but_automatic_upgrades, origin.not_automatic) {
        (true, _) => 100,
        (false, true) => 1,
        (false, false) => 500,
    }
}

fn version_priority(universe: &Universe<'_>, id: VersionId, indexes: &[i32], pins: &[Pin]) -> i32 {
    let version = universe.version(id);
    let name = universe.name(version.package).name;
    let special = |pin: &&Pin| {
        let origins = version.stanzas.iter().map(|(index, _)| &universe.indexes[*index].origin);
        (pin.packages != ["*"] || pin.version.is_some())
            && pin.packages.iter().any(|pattern| matches(pattern, name))
            && pin.version.as_ref().is_none_or(|pattern| matches(pattern, version.text))
            && origins.into_iter().any(|origin| matches_origin(pin, origin))
    };
    match pins.iter().find(special) {
        Some(pin) => pin.priority,
        None => version.stanzas.iter().map(|(index, _)| indexes[*index]).max().unwrap_or(0),
    }
}

fn matches_origin(pin: &Pin, origin: &Origin) -> bool {
    let is = |wanted: &Option<String>, found: &String| wanted.as_ref().is_none_or(|wanted| wanted == found);
    pin.archive.as_ref().is_none_or(|archive| archive == plain_name(&origin.archive))
        && is(&pin.component, &origin.component)
        // By base.toml's name alone: the codename `noble` is that of Ubuntu's other pockets too.
        && is(&pin.suite, &origin.suite)
}

impl Origin {
    /// Whether this is what people call the suite: its name in base.toml, or the Release file's `Suite` or `Codename`.
    pub(super) fn is_suite(&self, name: &str) -> bool {
        self.suite == name || self.names.iter().any(|known| known == name)
    }
}

/// Whether `pattern`, in which `*` stands for any text, matches all of `text`.
fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut parts: Vec<_> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        let check = |pattern, text, expect| assert_eq!(matches(pattern, text), expect, "{pattern} {text}");
        check("linux-image", "linux-image", true);
        check("linux-image", "linux-image-amd64", false);
        check("linux-*", "linux-image-amd64", true);
        check("*", "x", true);
        check("*-amd64", "linux-image-amd64", true);
        check("l*i*64", "linux-image-amd64", true);
        check("l*i*65", "linux-image-amd64", false);
        check("aa*aa", "aaa", false);
        check("6.1.*", "6.1.99-1", true);
    }
}
