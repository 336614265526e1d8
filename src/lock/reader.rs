//! Text to a lock. Whatever the writer would not have written is refused, with its line.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::{FORMAT, File, Lock, Package, PackageKey, Policy, Role, Source, Suite, SuiteName, writer};
use crate::{
    date::Instant,
    deb::{
        dependency::{Architecture, PackageName},
        fingerprint::Fingerprint,
        version::Version,
    },
    digest::Sha256,
    manifest::{
        self, ManifestError,
        skip::{self, Skip},
    },
};

/// Why a text is no lock.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    #[error(transparent)]
    Syntax(ManifestError),
    #[error("{file}: format {found}, but this program reads format {FORMAT}")]
    Format { file: String, found: u32 },
    #[error("{file}: {place}: {key}: {message}")]
    Value { file: String, place: String, key: &'static str, message: String },
    #[error("{file}: {place} is given twice")]
    Twice { file: String, place: String },
    #[error("{file}: package `{package}` refers to `{index}` of {archive}/{suite}, which the lock does not have")]
    NoIndex { file: String, package: String, archive: String, suite: String, index: String },
    #[error("{file}:{line}: expected `{expected}`, found `{found}`")]
    NotCanonical { file: String, line: usize, expected: String, found: String },
}

impl LockError {
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Syntax(error) => error.hint().map(str::to_owned),
            Self::Format { .. } | Self::NotCanonical { .. } => {
                Some("take it back from version control, or remove it and make it again with `icos lock`".to_owned())
            }
            _ => None,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLock {
    format: u32,
    target: String,
    base: String,
    architecture: String,
    #[serde(default)]
    foreign: Vec<String>,
    snapshot: String,
    policy: RawPolicy,
    definitions: BTreeMap<String, Sha256>,
    #[serde(default, rename = "skip")]
    skips: Vec<Skip>,
    #[serde(default, rename = "suite")]
    suites: Vec<RawSuite>,
    #[serde(default, rename = "package")]
    packages: Vec<RawPackage>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPolicy {
    resolver: String,
    recommends: bool,
    essential: bool,
    required: bool,
    phasing: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RawSuite {
    archive: String,
    name: String,
    date: String,
    signer: Fingerprint,
    in_release: Sha256,
    signature: Option<Sha256>,
    #[serde(default, rename = "index")]
    indexes: Vec<RawIndex>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawIndex {
    path: String,
    size: u64,
    sha256: Sha256,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPackage {
    name: String,
    version: String,
    architecture: String,
    archive: Option<String>,
    suite: Option<String>,
    index: Option<String>,
    path: String,
    size: u64,
    sha256: Sha256,
    roles: Vec<String>,
    why: String,
}

/// Reads the text of `file`.
pub fn read(file: &str, text: &str) -> Result<Lock, LockError> {
    let raw: RawLock = manifest::read(file, text).map_err(LockError::Syntax)?;
    if raw.format != FORMAT {
        return Err(LockError::Format { file: file.to_owned(), found: raw.format });
    }
    let at = |place: String| Place { file, place };
    let top = at("the lock".to_owned());
    let mut suites = BTreeMap::new();
    for entry in raw.suites {
        let name = SuiteName { archive: entry.archive.clone(), suite: entry.name.clone() };
        let place = at(format!("suite {}/{}", name.archive, name.suite));
        let suite = suite(entry, &place)?;
        if suites.insert(name, suite).is_some() {
            return Err(place.twice());
        }
    }
    let mut packages = BTreeMap::new();
    for entry in raw.packages {
        let place = at(format!("package `{}`", entry.name));
        let (key, package) = package(entry, &place, &suites)?;
        if packages.insert(key, package).is_some() {
            return Err(place.twice());
        }
    }
    if raw.policy.phasing != "include all" {
        return Err(top.fail("phasing", format!("expected `include all`, found `{}`", raw.policy.phasing)));
    }
    skip::check(&raw.skips).map_err(|error| top.fail("skip", error))?;
    let snapshot = match raw.snapshot.as_str() {
        "live" => None,
        text => Some(Instant::from_compact(text).map_err(|error| top.fail("snapshot", error))?),
    };
    let foreign = raw.foreign.iter().map(|name| Architecture::new(name));
    let lock = Lock {
        target: raw.target.parse().map_err(|error| top.fail("target", error))?,
        base: raw.base,
        architecture: Architecture::new(&raw.architecture).map_err(|error| top.fail("architecture", error))?,
        foreign: foreign.collect::<Result<_, _>>().map_err(|error| top.fail("foreign", error))?,
        snapshot,
        policy: Policy {
            resolver: raw.policy.resolver,
            recommends: raw.policy.recommends,
            essential: raw.policy.essential,
            required: raw.policy.required,
        },
        definitions: raw.definitions,
        skips: raw.skips.into_iter().collect(),
        suites,
        packages,
    };
    check_canonical(file, text, &lock)?;
    Ok(lock)
}

fn suite(raw: RawSuite, place: &Place<'_>) -> Result<Suite, LockError> {
    let mut indexes = BTreeMap::new();
    for index in raw.indexes {
        if !stays_inside(&index.path) {
            return Err(place.fail("path", format!("`{}` leads out of the suite", index.path)));
        }
        if indexes.insert(index.path, File { size: index.size, sha256: index.sha256 }).is_some() {
            return Err(place.twice());
        }
    }
    Ok(Suite {
        in_release: raw.in_release,
        signature: raw.signature,
        signer: raw.signer,
        date: Instant::from_compact(&raw.date).map_err(|error| place.fail("date", error))?,
        indexes,
    })
}

fn package(
    raw: RawPackage,
    place: &Place<'_>,
    suites: &BTreeMap<SuiteName, Suite>,
) -> Result<(PackageKey, Package), LockError> {
    let name = PackageName::new(&raw.name).map_err(|error| place.fail("name", error))?;
    let architecture = Architecture::new(&raw.architecture).map_err(|error| place.fail("architecture", error))?;
    if !stays_inside(&raw.path) {
        return Err(place.fail("path", format!("`{}` leads out of the archive", raw.path)));
    }
    let source = match (raw.archive, raw.suite, raw.index) {
        (Some(archive), Some(suite), Some(index)) => {
            let suite = SuiteName { archive, suite };
            if suites.get(&suite).is_none_or(|entry| !entry.indexes.contains_key(&index)) {
                let (file, SuiteName { archive, suite }) = (place.file.to_owned(), suite);
                return Err(LockError::NoIndex { file, package: raw.name, archive, suite, index });
            }
            Source::Archive { suite, index, path: raw.path }
        }
        (None, None, None) => Source::Project { path: raw.path },
        _ => return Err(place.fail("archive", "expected all of `archive`, `suite` and `index`, or none")),
    };
    let role = |word: &String| Role::ALL.into_iter().find(|role| role.as_str() == word);
    let roles = raw.roles.iter().map(|word| role(word).ok_or_else(|| place.fail("roles", format!("unknown `{word}`"))));
    let roles = roles.collect::<Result<BTreeSet<_>, _>>()?;
    if roles.is_empty() {
        return Err(place.fail("roles", "expected at least one"));
    }
    let version = Version::new(&raw.version).map_err(|error| place.fail("version", error))?;
    let file = File { size: raw.size, sha256: raw.sha256 };
    Ok((PackageKey { name, architecture }, Package { version, file, source, roles, why: raw.why }))
}

/// Paths are joined to roots, so they must be relative and stay below them.
fn stays_inside(path: &str) -> bool {
    !path.contains(['\\', '\0']) && path.split('/').all(|part| !matches!(part, "" | "." | ".."))
}

/// Two texts that mean the same but differ would hide from a review what changed.
fn check_canonical(file: &str, text: &str, lock: &Lock) -> Result<(), LockError> {
    let canonical = writer::write(lock);
    if canonical == text {
        return Ok(());
    }
    let (mut expected, mut found) = (canonical.split('\n'), text.split('\n'));
    let mut line = 1;
    loop {
        match (expected.next(), found.next()) {
            (Some(expected), Some(found)) if expected == found => line += 1,
            (expected, found) => {
                let shown = |text: Option<&str>| text.unwrap_or("the end").chars().take(120).collect();
                let (expected, found) = (shown(expected), shown(found));
                return Err(LockError::NotCanonical { file: file.to_owned(), line, expected, found });
            }
        }
    }
}

/// What an error is about.
struct Place<'a> {
    file: &'a str,
    place: String,
}

impl Place<'_> {
    fn fail(&self, key: &'static str, message: impl ToString) -> LockError {
        LockError::Value { file: self.file.to_owned(), place: self.place.clone(), key, message: message.to_string() }
    }

    fn twice(&self) -> LockError {
        LockError::Twice { file: self.file.to_owned(), place: self.place.clone() }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    const SUM: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    pub(in crate::lock) fn sample() -> String {
        format!(
            r#"# Made by `icos lock`. To change it, change the definitions and run that again.
format = 1
target = "guestos/dev"
base = "debian-bookworm"
architecture = "amd64"
snapshot = "20240601T000000Z"

[policy]
resolver = "apt 2.6"
recommends = false
essential = true
required = false
phasing = "include all"

[definitions]
"ic-os/guestos/image.toml" = "{SUM}"
"snapshots/debian-bookworm/base.toml" = "{SUM}"

[[skip]]
package = "man-db"
script = "postinst"
reason = "builds a \"cache\""

[[suite]]
archive = "debian"
name = "bookworm"
date = "20240501T000000Z"
signer = "A7236886F3CCCAAD148A27F80E98404D386FA1D9"
in-release = "{SUM}"

[[suite.index]]
path = "main/binary-amd64/Packages.xz"
size = 9
sha256 = "{SUM}"

[[package]]
name = "adduser"
version = "3.134"
architecture = "all"
archive = "debian"
suite = "bookworm"
index = "main/binary-amd64/Packages.xz"
path = "pool/main/a/adduser/adduser_3.134_all.deb"
size = 183616
sha256 = "{SUM}"
roles = ["root", "loader"]
why = "requested"

[[package]]
name = "ours"
version = "1:2-3"
architecture = "amd64"
path = "debs/ours.deb"
size = 7
sha256 = "{SUM}"
roles = ["root"]
why = "requested"

# The end.
"#
        )
    }

    #[test]
    fn reads_what_it_writes() {
        let lock = read("x.lock", &sample()).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(writer::write(&lock), sample());
        let names = |role| lock.packages(role).map(|(key, _)| key.name.to_string()).collect::<Vec<_>>();
        assert_eq!(
            (names(Role::Root), names(Role::Loader)),
            (vec!["adduser".into(), "ours".into()], vec!["adduser".into()])
        );
    }

    #[test]
    fn refuses_what_the_writer_would_not_write() {
        let check = |from: &str, to: &str, expect: &str| {
            assert!(sample().contains(from), "{from:?}");
            let error = read("x.lock", &sample().replacen(from, to, 1)).expect_err("refused");
            let found = error.to_string();
            assert_eq!(found.lines().next(), Some(expect), "{from:?} to {to:?}");
        };
        check("format = 1", "format = 2", "x.lock: format 2, but this program reads format 1");
        check(
            "base =",
            "colour = 1\nbase =",
            "x.lock:4:1: unknown field `colour`, expected one of `format`, `target`, `base`, `architecture`, `foreign`, `snapshot`, `policy`, `definitions`, `skip`, `suite`, `package`",
        );
        check("size = 7\n", "", "x.lock:49:1: missing field `size`");
        check("size = 7", "size = -7", "x.lock:54:8: invalid value: integer `-7`, expected u64");
        check(
            "guestos/dev",
            "guestos",
            "x.lock: the lock: target: expected a target such as `guestos/dev`, found `guestos`",
        );
        check(
            "\"20240601",
            "\"2024060x",
            "x.lock: the lock: snapshot: expected a date like `20250804T000000Z`, found `2024060xT000000Z`",
        );
        check("include all", "by chance", "x.lock: the lock: phasing: expected `include all`, found `by chance`");
        check(
            "\"3.134\"",
            "\"v3.134\"",
            "x.lock: package `adduser`: version: version `v3.134`: expected a digit at the start at byte 0",
        );
        check("\"adduser\"", "\"../x\"", "x.lock: package `../x`: name: `../x` is no package name");
        check(
            "pool/main/a",
            "pool/../a",
            "x.lock: package `adduser`: path: `pool/../a/adduser/adduser_3.134_all.deb` leads out of the archive",
        );
        check("\"debs/", "\"/debs/", "x.lock: package `ours`: path: `/debs/ours.deb` leads out of the archive");
        check("\"loader\"", "\"boot\"", "x.lock: package `adduser`: roles: unknown `boot`");
        check("[\"root\"]", "[]", "x.lock: package `ours`: roles: expected at least one");
        check(
            "\"ours\"\nversion = \"1:2-3\"\narchitecture = \"amd64\"",
            "\"adduser\"\nversion = \"1:2-3\"\narchitecture = \"all\"",
            "x.lock: package `adduser` is given twice",
        );
        check(
            "suite = \"bookworm\"",
            "suite = \"trixie\"",
            "x.lock: package `adduser` refers to `main/binary-amd64/Packages.xz` of debian/trixie, which the lock does not have",
        );
        check(
            "archive = \"debian\"\nsuite",
            "suite",
            "x.lock: package `adduser`: archive: expected all of `archive`, `suite` and `index`, or none",
        );
        check("size = 7", "size = 0x7", "x.lock:54: expected `size = 7`, found `size = 0x7`");
        check(
            "# Made",
            "# made",
            "x.lock:1: expected `# Made by `icos lock`. To change it, change the definitions and run that again.`, found `# made by `icos lock`. To change it, change the definitions and run that again.`",
        );
        check(
            "roles = [\"root\"]",
            "roles = ['root']",
            "x.lock:56: expected `roles = [\"root\"]`, found `roles = ['root']`",
        );
        check("\n[[suite]]", "\n\n[[suite]]", "x.lock:24: expected `[[suite]]`, found ``");
    }

    #[test]
    fn any_truncation_is_refused() {
        let text = sample();
        for end in 0..text.len() {
            assert!(read("x.lock", &text[..end]).is_err(), "cut at {end}");
        }
    }
}
