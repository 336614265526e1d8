//! What one lock has otherwise than another, in words: one line a difference, in the order of the lock's text.

use std::{collections::BTreeMap, fmt::Display};

use super::{Lock, Package, Role, Source, Suite};

/// Packages that are named before the rest is only counted.
const SHOWN: usize = 8;

impl Lock {
    /// What `new` has otherwise than this one; empty when they are equal.
    pub fn differences(&self, new: &Self) -> Vec<String> {
        let mut lines = self.differences_of_head(new);
        let name = |path: &String| format!("definition `{path}`");
        compare(&mut lines, &self.definitions, &new.definitions, name, |_, _| vec!["has changed".to_owned()]);
        let skips = |lock: &Self| -> BTreeMap<String, ()> {
            lock.skips.iter().map(|skip| (format!("skip of the {skip}"), ())).collect()
        };
        compare(&mut lines, &skips(self), &skips(new), String::clone, |(), ()| Vec::new());
        let name = |name: &super::SuiteName| format!("suite {}/{}", name.archive, name.suite);
        compare(&mut lines, &self.suites, &new.suites, name, differences_of_suites);
        // A package for all architectures may become one of a single one: the name is what people know it by.
        let named = |lock: &Self| -> BTreeMap<String, Package> {
            let several = |name: &str| lock.packages.keys().filter(|key| key.name.as_str() == name).count() > 1;
            let shown = |key: &super::PackageKey| match several(key.name.as_str()) {
                true => format!("package {}:{}", key.name, key.architecture),
                false => format!("package {}", key.name),
            };
            lock.packages.iter().map(|(key, package)| (shown(key), package.clone())).collect()
        };
        let (old_named, new_named) = (named(self), named(new));
        let reworded = reworded(&old_named, &new_named);
        let others = |named: &BTreeMap<String, Package>| -> BTreeMap<String, Package> {
            let others = named.iter().filter(|(name, _)| !reworded.contains(name));
            others.map(|(name, package)| (name.clone(), package.clone())).collect()
        };
        compare(&mut lines, &others(&old_named), &others(&new_named), String::clone, differences_of_packages);
        lines.extend(told(&reworded));
        let architecture = |lock: &Self| -> BTreeMap<String, String> {
            lock.packages.keys().map(|key| (key.name.to_string(), key.architecture.to_string())).collect()
        };
        let (old, new) = (architecture(self), architecture(new));
        for (name, was) in &old {
            let key = format!("package {name}");
            if let (Some(is), true, true) = (new.get(name), old_named.contains_key(&key), new_named.contains_key(&key))
            {
                lines.extend(changed("architecture", was, is).map(|change| format!("{key}: {change}")));
            }
        }
        lines
    }

    fn differences_of_head(&self, new: &Self) -> Vec<String> {
        let snapshot = |lock: &Self| lock.snapshot.map_or("live".to_owned(), |instant| instant.to_string());
        let (old_policy, new_policy) = (&self.policy, &new.policy);
        let lines = [
            changed("target", &self.target, &new.target),
            changed("base", &self.base, &new.base),
            changed("architecture", &self.architecture, &new.architecture),
            changed("snapshot", &snapshot(self), &snapshot(new)),
            changed("resolver", &old_policy.resolver, &new_policy.resolver),
            changed("recommends", &old_policy.recommends, &new_policy.recommends),
            changed("essential", &old_policy.essential, &new_policy.essential),
            changed("required", &old_policy.required, &new_policy.required),
        ];
        lines.into_iter().flatten().collect()
    }
}

/// Packages for which only the reason is another, when there are several.
fn reworded<'a>(old: &'a BTreeMap<String, Package>, new: &BTreeMap<String, Package>) -> Vec<&'a String> {
    let is_reworded = |name: &str, old: &Package| {
        new.get(name).is_some_and(|new| old != new && Package { why: new.why.clone(), ..old.clone() } == *new)
    };
    let found: Vec<&String> = old.iter().filter(|(name, old)| is_reworded(name, old)).map(|(name, _)| name).collect();
    if found.len() > 1 { found } else { Vec::new() }
}

/// One line for all of them.
fn told(reworded: &[&String]) -> Option<String> {
    let names: Vec<&str> = reworded.iter().take(SHOWN).filter_map(|name| name.strip_prefix("package ")).collect();
    let more = match reworded.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    (!reworded.is_empty()).then(|| format!("another `why` of {} packages: {}{more}", reworded.len(), names.join(", ")))
}

fn compare<K: Ord, V: PartialEq>(
    lines: &mut Vec<String>,
    old: &BTreeMap<K, V>,
    new: &BTreeMap<K, V>,
    name: impl Fn(&K) -> String,
    differences: impl Fn(&V, &V) -> Vec<String>,
) {
    for key in old.keys().chain(new.keys().filter(|key| !old.contains_key(*key))) {
        match (old.get(key), new.get(key)) {
            (Some(old), Some(new)) if old != new => {
                lines.extend(differences(old, new).into_iter().map(|text| format!("{}: {text}", name(key))));
            }
            (Some(_), None) => lines.push(format!("{}: gone", name(key))),
            (None, Some(_)) => lines.push(format!("{}: new", name(key))),
            _ => {}
        }
    }
}

fn changed<T: PartialEq + Display>(what: &str, old: &T, new: &T) -> Option<String> {
    (old != new).then(|| format!("{what} was {old}, is {new}"))
}

fn differences_of_suites(old: &Suite, new: &Suite) -> Vec<String> {
    let mut lines: Vec<String> = [changed("date", &old.date, &new.date), changed("signer", &old.signer, &new.signer)]
        .into_iter()
        .flatten()
        .collect();
    if (old.in_release, old.signature) != (new.in_release, new.signature) {
        lines.push("another signed file".to_owned());
    }
    let name = |path: &String| format!("index {path}");
    compare(&mut lines, &old.indexes, &new.indexes, name, |_, _| vec!["has changed".to_owned()]);
    lines
}

fn differences_of_packages(old: &Package, new: &Package) -> Vec<String> {
    let roles =
        |package: &Package| package.roles.iter().map(|role: &Role| role.as_str()).collect::<Vec<_>>().join(", ");
    let origin = |package: &Package| match &package.source {
        Source::Archive { suite, path, .. } => format!("{path} of {}/{}", suite.archive, suite.suite),
        Source::Project { path } => path.clone(),
    };
    let mut lines: Vec<String> = [
        changed("version", &old.version.as_str(), &new.version.as_str()),
        changed("file", &origin(old), &origin(new)),
        changed("size", &old.file.size, &new.file.size),
        changed("sha256", &old.file.sha256, &new.file.sha256),
        changed("roles", &roles(old), &roles(new)),
        changed("why", &old.why, &new.why),
    ]
    .into_iter()
    .flatten()
    .collect();
    // Another version is another file; the rest follows.
    if old.version.as_str() != new.version.as_str() {
        lines.truncate(1);
    }
    if lines.is_empty() {
        lines.push("the index that lists it is another".to_owned());
    }
    lines
}

#[cfg(test)]
mod tests {
    use crate::lock::reader;

    #[test]
    fn says_what_differs() {
        let text = reader::tests::sample();
        let old = reader::read("x.lock", &text).expect("a lock");
        let check = |changes: &[(&str, &str)], expect: &[&str]| {
            let new = changes.iter().fold(text.clone(), |text, (from, to)| {
                assert!(text.contains(from), "{from}");
                text.replacen(from, to, 1)
            });
            let new = reader::read("x.lock", &new).expect("a lock");
            assert_eq!(old.differences(&new), expect, "{changes:?}");
        };
        check(&[], &[]);
        check(&[("3.134", "3.135"), ("size = 183616", "size = 3")], &["package adduser: version was 3.134, is 3.135"]);
        check(&[("size = 183616", "size = 3")], &["package adduser: size was 183616, is 3"]);
        check(&[("name = \"ours\"", "name = \"theirs\"")], &["package ours: gone", "package theirs: new"]);
        check(
            &[("architecture = \"all\"", "architecture = \"amd64\"")],
            &["package adduser: architecture was all, is amd64"],
        );
        let reworded = ("\nwhy = \"requested\"", "\nwhy = \"asked for\"");
        check(&[reworded], &["package adduser: why was requested, is asked for"]);
        check(&[reworded, reworded], &["another `why` of 2 packages: adduser, ours"]);
        check(&[("[\"root\", \"loader\"]", "[\"root\"]")], &["package adduser: roles was root, loader, is root"]);
        check(
            &[
                ("date = \"20240501T000000Z\"", "date = \"20240502T000000Z\""),
                ("snapshot = \"20240601T000000Z\"", "snapshot = \"live\""),
            ],
            &[
                "snapshot was 2024-06-01T00:00:00Z, is live",
                "suite debian/bookworm: date was 2024-05-01T00:00:00Z, is 2024-05-02T00:00:00Z",
            ],
        );
        check(
            &[("builds a", "made a")],
            &[
                "skip of the postinst of man-db: builds a \"cache\": gone",
                "skip of the postinst of man-db: made a \"cache\": new",
            ],
        );
        check(
            &[("ic-os/guestos/image.toml\" = \"b", "ic-os/guestos/image.toml\" = \"a")],
            &["definition `ic-os/guestos/image.toml`: has changed"],
        );
    }
}
