//! `snapshots/<base>/base.toml`: the archives that images are built from, at one instant, and who must have signed them.

use serde::Deserialize;

use super::{ManifestError, uri::Uri};
use crate::{date::Instant, deb::fingerprint::Fingerprint};

pub mod edit;
mod hold;

pub use hold::{Hold, held_at, is_held, plain_name};

/// Stands in a snapshot's URI for the base's timestamp.
const TIMESTAMP: &str = "@TIMESTAMP@";

/// A base, checked: every archive has suites, components, keys and an origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Base {
    pub name: String,
    /// Debian's name of it: `amd64`.
    pub architecture: String,
    /// Others whose packages may stand beside its own, as `dpkg --add-architecture` says it.
    pub foreign: Vec<String>,
    /// The instant that snapshot origins are read at.
    pub timestamp: Option<Instant>,
    /// With a hold, those at its instant follow those at the base's own.
    pub archives: Vec<Archive>,
    pub hold: Option<Hold>,
    pub pins: Vec<Pin>,
}

/// One archive: a `dists/` and a `pool/` below one root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Archive {
    pub name: String,
    pub origin: Origin,
    /// Tried before the origin for packages, which the lock pins by digest.
    pub pool: Vec<PoolMirror>,
    pub suites: Vec<String>,
    pub components: Vec<String>,
    /// What it is read for; empty for all that the base has.
    pub architectures: Vec<String>,
    pub keys: Vec<PinnedKey>,
}

/// Where an archive's `dists/` is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A live mirror that the user or the host names.
    Host,
    /// Live mirrors, tried in turn.
    Mirrors(Vec<Uri>),
    /// A service that serves the archive as it was at an instant.
    Snapshot {
        root: Uri,
        instant: Instant,
        /// As base.toml has it.
        template: String,
    },
}

/// Where packages may come from besides the origin.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum PoolMirror {
    /// `host`: what the user or the host names for the archive.
    Host,
    Mirror(Uri),
}

/// A certificate that may sign the archive.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PinnedKey {
    /// Of the primary key.
    pub fingerprint: Fingerprint,
    /// Armored, under `snapshots/keys/`.
    pub file: String,
}

/// A preference, as apt's: it changes the priority of candidates. Every condition that is given must hold.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pin {
    /// Names, or patterns with `*`.
    pub packages: Vec<String>,
    /// An archive of this base.
    pub archive: Option<String>,
    pub suite: Option<String>,
    pub component: Option<String>,
    /// A version, or a pattern with `*`.
    pub version: Option<String>,
    pub priority: i32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BaseFile {
    name: String,
    architecture: String,
    #[serde(default)]
    foreign: Vec<String>,
    timestamp: Option<String>,
    #[serde(rename = "archive")]
    archives: Vec<ArchiveFile>,
    hold: Option<hold::HoldFile>,
    #[serde(default, rename = "pin")]
    pins: Vec<Pin>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ArchiveFile {
    name: String,
    /// `host`, the one origin that is a word.
    mirror: Option<HostWord>,
    mirrors: Option<Vec<Uri>>,
    snapshot: Option<String>,
    /// Before it, the snapshot service has nothing.
    earliest: Option<String>,
    #[serde(default)]
    pool: Vec<PoolMirror>,
    suites: Vec<String>,
    components: Vec<String>,
    #[serde(default)]
    architectures: Vec<String>,
    keys: Vec<PinnedKey>,
}

#[derive(Deserialize)]
enum HostWord {
    #[serde(rename = "host")]
    Host,
}

impl TryFrom<String> for PoolMirror {
    type Error = super::uri::BadUri;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        if text == "host" { Ok(Self::Host) } else { Uri::parse(&text).map(Self::Mirror) }
    }
}

impl Base {
    /// Reads and checks `base.toml`. `folder` is the name of the folder that it lies in.
    pub fn parse(file: &str, folder: &str, text: &str) -> Result<Self, ManifestError> {
        let raw: BaseFile = super::read(file, text)?;
        checked(raw, folder).map_err(|message| ManifestError::invalid(file, message))
    }

    /// All architectures, the system's own first.
    pub fn architectures(&self) -> Vec<&str> {
        std::iter::once(&self.architecture).chain(&self.foreign).map(String::as_str).collect()
    }

    pub fn archive(&self, name: &str) -> Option<&Archive> {
        self.archives.iter().find(|archive| archive.name == name)
    }
}

fn checked(raw: BaseFile, folder: &str) -> Result<Base, String> {
    if raw.name != folder {
        return Err(format!("the base is named `{}`, but its folder `{folder}`", raw.name));
    }
    check_architectures(&raw)?;
    let timestamp = raw.timestamp.as_deref().map(Instant::from_compact).transpose();
    let timestamp = timestamp.map_err(|error| format!("timestamp: {error}"))?;
    let archives = raw.archives.into_iter().map(|archive| {
        let name = archive.name.clone();
        checked_archive(archive, timestamp).map_err(|message| format!("archive `{name}`: {message}"))
    });
    let mut archives = archives.collect::<Result<Vec<_>, _>>()?;
    if archives.is_empty() {
        return Err("no [[archive]]".to_owned());
    }
    for (index, archive) in archives.iter().enumerate() {
        if archives[..index].iter().any(|before| before.name == archive.name) {
            return Err(format!("archive `{}` is defined twice", archive.name));
        }
    }
    if timestamp.is_some() && !archives.iter().any(Archive::has_past) {
        return Err("timestamp: no archive has a `snapshot`".to_owned());
    }
    for pin in &raw.pins {
        check_pin(pin, &archives).map_err(|message| format!("pin of `{}`: {message}", pin.packages.join(" ")))?;
    }
    let hold = raw.hold.map(|hold| hold::checked(hold, timestamp, &archives)).transpose()?;
    if let Some(hold) = &hold {
        let held: Vec<_> = archives.iter().filter_map(|archive| archive.at(hold.instant)).collect();
        archives.extend(held);
    }
    let BaseFile { name, architecture, foreign, pins, .. } = raw;
    Ok(Base { name, architecture, foreign, timestamp, archives, hold, pins })
}

fn check_architectures(raw: &BaseFile) -> Result<(), String> {
    let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let is_name = |name: &str| !matches!(name, "" | "all" | "any") && name.bytes().all(is_word);
    if !is_name(&raw.architecture) {
        return Err(format!("architecture: expected a name such as `amd64`, found `{}`", raw.architecture));
    }
    for (at, name) in raw.foreign.iter().enumerate() {
        if !is_name(name) {
            return Err(format!("foreign: expected a name such as `i386`, found `{name}`"));
        }
        if *name == raw.architecture || raw.foreign[..at].contains(name) {
            return Err(format!("foreign: `{name}` is named twice"));
        }
    }
    for archive in &raw.archives {
        let has = |name: &&String| **name == raw.architecture || raw.foreign.contains(name);
        if let Some(name) = archive.architectures.iter().find(|name| !has(name)) {
            return Err(format!("archive `{}`: architectures: the base has no `{name}`", archive.name));
        }
    }
    Ok(())
}

fn checked_archive(raw: ArchiveFile, timestamp: Option<Instant>) -> Result<Archive, String> {
    let origin = match (raw.mirror, raw.mirrors, raw.snapshot, raw.earliest) {
        (Some(HostWord::Host), None, None, None) => Origin::Host,
        (None, Some(mirrors), None, None) if !mirrors.is_empty() => Origin::Mirrors(mirrors),
        (None, None, Some(template), earliest) => snapshot(&template, earliest.as_deref(), timestamp)?,
        (.., None, Some(_)) => return Err("earliest: only a `snapshot` has an earliest instant".to_owned()),
        _ => return Err("expected one of `mirror = \"host\"`, `mirrors = [URI]` and `snapshot = URI`".to_owned()),
    };
    for (key, names) in [("suites", &raw.suites), ("components", &raw.components)] {
        if names.is_empty() {
            return Err(format!("{key}: expected at least one"));
        }
        if let Some(bad) = names.iter().find(|name| !is_path(name)) {
            return Err(format!("{key}: `{bad}` is no name"));
        }
        if let Some((_, twice)) = names.iter().enumerate().find(|(index, name)| names[..*index].contains(name)) {
            return Err(format!("{key}: `{twice}` is named twice"));
        }
    }
    if raw.keys.is_empty() {
        return Err("keys: expected at least one; an archive without a pinned key can't be trusted".to_owned());
    }
    if let Some(key) = raw.keys.iter().find(|key| !is_path(&key.file) || key.file.contains('/')) {
        return Err(format!("keys: `{}` is no name of a file in snapshots/keys", key.file));
    }
    let ArchiveFile { name, pool, suites, components, architectures, keys, .. } = raw;
    if !is_path(&name) || name.contains('/') {
        return Err("name: expected a word".to_owned());
    }
    Ok(Archive { name, origin, pool, suites, components, architectures, keys })
}

fn snapshot(template: &str, earliest: Option<&str>, timestamp: Option<Instant>) -> Result<Origin, String> {
    let instant = timestamp.ok_or("snapshot: the base has no `timestamp`")?;
    let earliest = earliest.map(Instant::from_compact).transpose().map_err(|error| format!("earliest: {error}"))?;
    if let Some(earliest) = earliest.filter(|earliest| instant < *earliest) {
        return Err(format!("the timestamp {instant} is before {earliest}, the earliest instant that is served"));
    }
    if template.matches(TIMESTAMP).count() != 1 {
        return Err(format!("snapshot: expected {TIMESTAMP} once in `{template}`"));
    }
    let root = Uri::parse(&template.replace(TIMESTAMP, &instant.to_compact()));
    let root = root.map_err(|error| format!("snapshot: {error}"))?;
    Ok(Origin::Snapshot { root, instant, template: template.to_owned() })
}

fn check_pin(pin: &Pin, archives: &[Archive]) -> Result<(), String> {
    if pin.packages.is_empty() {
        return Err("packages: expected at least one".to_owned());
    }
    let known = |name: &Option<String>, has: &dyn Fn(&Archive, &String) -> bool| {
        name.as_ref().filter(|name| !archives.iter().any(|archive| has(archive, name))).cloned()
    };
    if let Some(name) = known(&pin.archive, &|archive, name| archive.name == *name) {
        return Err(format!("archive `{name}` is not in this base"));
    }
    if let Some(name) = known(&pin.suite, &|archive, name| archive.suites.contains(name)) {
        return Err(format!("suite `{name}` is not in this base"));
    }
    if let Some(name) = known(&pin.component, &|archive, name| archive.components.contains(name)) {
        return Err(format!("component `{name}` is not in this base"));
    }
    Ok(())
}

/// A relative path of plain names, such as `noble-security` or `bookworm/updates`.
fn is_path(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._+~".contains(&byte);
    text.split('/').all(|part| !part.is_empty() && !part.starts_with('.') && part.bytes().all(is_plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "F6ECB3762474EDA9D21B7022871920D1991BC93C";

    fn sample() -> String {
        format!(
            "name = \"x\"\narchitecture = \"amd64\"\ntimestamp = \"20250804T000000Z\"\n\n\
             [[archive]]\nname = \"u\"\nsnapshot = \"https://example.org/u/@TIMESTAMP@/\"\npool = [\"host\"]\n\
             earliest = \"20230301T000000Z\"\n\
             suites = [\"n\", \"n-security\"]\ncomponents = [\"main\"]\n\
             keys = [{{ fingerprint = \"{KEY}\", file = \"u.asc\" }}]\n\n\
             [[pin]]\npackages = [\"*\"]\nsuite = \"n-security\"\npriority = 990\n"
        )
    }

    #[test]
    fn reads_a_base() {
        let base = Base::parse("base.toml", "x", &sample()).expect("a base");
        let root = Uri::parse("https://example.org/u/20250804T000000Z").expect("a URI");
        let instant = Instant::from_compact("20250804T000000Z").expect("a date");
        assert_eq!(base.timestamp, Some(instant));
        let template = "https://example.org/u/@TIMESTAMP@/".to_owned();
        assert_eq!(base.archives[0].origin, Origin::Snapshot { root, instant, template });
        assert_eq!(base.archives[0].pool, [PoolMirror::Host]);
        assert_eq!(base.archives[0].keys[0].fingerprint.to_string(), KEY);
        assert_eq!(base.pins[0].suite.as_deref(), Some("n-security"));
    }

    fn check(from: &str, to: &str, expect: &str, hint: Option<&str>) {
        assert!(sample().contains(from), "{from}");
        let error = Base::parse("base.toml", "x", &sample().replacen(from, to, 1)).expect_err("refused");
        assert_eq!((error.to_string().as_str(), error.hint()), (expect, hint));
    }

    #[test]
    fn refuses_architectures_that_are_none() {
        let architecture = "architecture = \"amd64\"\n";
        let foreign = |more: &str| format!("{architecture}{more}\n");
        for (more, expect) in [
            ("foreign = [\"I386\"]", "base.toml: foreign: expected a name such as `i386`, found `I386`"),
            ("foreign = [\"i386\", \"i386\"]", "base.toml: foreign: `i386` is named twice"),
            ("foreign = [\"amd64\"]", "base.toml: foreign: `amd64` is named twice"),
        ] {
            check(architecture, &foreign(more), expect, None);
        }
        check(
            "components =",
            "architectures = [\"i386\"]\ncomponents =",
            "base.toml: archive `u`: architectures: the base has no `i386`",
            None,
        );
    }

    #[test]
    fn holds_are_archives_of_another_instant() {
        let hold = "[hold]\ntimestamp = \"20250701T000000Z\"\nexcept = [\"openssl\"]\n";
        let base = Base::parse("base.toml", "x", &format!("{}\n{hold}", sample())).expect("a base");
        let shown: Vec<_> = base.archives.iter().map(|archive| (archive.name.as_str(), archive.is_held())).collect();
        assert_eq!(shown, [("u", false), ("u@20250701T000000Z", true)]);
        assert_eq!(base.archives[1].plain_name(), "u");
        let Origin::Snapshot { root, .. } = &base.archives[1].origin else { panic!("a snapshot") };
        assert_eq!(root.to_string(), "https://example.org/u/20250701T000000Z");
    }

    #[test]
    fn refuses_wrong_holds() {
        let held = |timestamp: &str, except: &str| {
            format!("\n\n[hold]\ntimestamp = \"{timestamp}\"\nexcept = [{except}]\n\n[[archive]]")
        };
        let check_hold = |hold: &str, expect: &str| {
            let text = sample().replacen("\n\n[[archive]]", hold, 1);
            let error = Base::parse("base.toml", "x", &text).expect_err("refused");
            assert_eq!(error.to_string(), format!("base.toml: hold: {expect}"));
        };
        check_hold(&held("20260101T000000Z", "\"a\""), "expected a timestamp before the base's own");
        check_hold(&held("20250101T000000Z", ""), "except: expected at least one package");
        let live = format!(
            "{}\nname = \"live\"\nmirror = \"host\"\nsuites = [\"n\"]\ncomponents = [\"main\"]\n\
             keys = [{{ fingerprint = \"{KEY}\", file = \"u.asc\" }}]\n\n[[archive]]",
            held("20250101T000000Z", "\"a\"")
        );
        check_hold(&live, "archive `live` is read from live mirrors, which have no past");
    }

    #[test]
    fn refuses_what_is_wrong() {
        check(
            "suites =",
            "suits =",
            "base.toml:10:1: unknown field `suits`, expected one of `name`, `mirror`, `mirrors`, `snapshot`, `earliest`, \
             `pool`, `suites`, `components`, `architectures`, `keys`",
            Some("did you mean `suites`?"),
        );
        check("name = \"x\"", "name = \"y\"", "base.toml: the base is named `y`, but its folder `x`", None);
        check(
            "timestamp = \"20250804T000000Z\"\n",
            "",
            "base.toml: archive `u`: snapshot: the base has no `timestamp`",
            None,
        );
        check(
            "2025",
            "2025-",
            "base.toml: timestamp: expected a date like `20250804T000000Z`, found `2025-0804T000000Z`",
            None,
        );
        check(
            "@TIMESTAMP@",
            "now",
            "base.toml: archive `u`: snapshot: expected @TIMESTAMP@ once in `https://example.org/u/now/`",
            None,
        );
        check(
            "snapshot =",
            "mirror = \"host\"\nsnapshot =",
            "base.toml: archive `u`: expected one of `mirror = \"host\"`, `mirrors = [URI]` and `snapshot = URI`",
            None,
        );
        check(
            "timestamp = \"2025",
            "timestamp = \"2022",
            "base.toml: archive `u`: the timestamp 2022-08-04T00:00:00Z is before 2023-03-01T00:00:00Z, the earliest \
             instant that is served",
            None,
        );
        check(
            "snapshot = \"https://example.org/u/@TIMESTAMP@/\"",
            "mirror = \"host\"",
            "base.toml: archive `u`: earliest: only a `snapshot` has an earliest instant",
            None,
        );
        check("\"n\", ", "\"../n\", ", "base.toml: archive `u`: suites: `../n` is no name", None);
        check("\"n-security\"]", "\"n\"]", "base.toml: archive `u`: suites: `n` is named twice", None);
        check("[\"main\"]", "[]", "base.toml: archive `u`: components: expected at least one", None);
        check(
            "u.asc",
            "a/u.asc",
            "base.toml: archive `u`: keys: `a/u.asc` is no name of a file in snapshots/keys",
            None,
        );
        check(
            &format!("[{{ fingerprint = \"{KEY}\", file = \"u.asc\" }}]"),
            "[]",
            "base.toml: archive `u`: keys: expected at least one; an archive without a pinned key can't be trusted",
            None,
        );
        check("suite = \"n-s", "suite = \"m-s", "base.toml: pin of `*`: suite `m-security` is not in this base", None);
        let error = Base::parse("base.toml", "x", &sample().replacen(KEY, "1234", 1)).expect_err("refused");
        assert!(error.to_string().starts_with("base.toml:12:"), "{error}");
        assert!(error.to_string().ends_with("expected a fingerprint of 40 or 64 hex digits, found `1234`"), "{error}");
    }
}
