//! `bundle.json`: canonical, so that there is one text of each manifest.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{FORMAT, MANIFEST, PROGRAM, PROJECT, STORE, SUMS};
use crate::{digest::Sha256, manifest::project::Target, tar};

/// What is in a bundle, or in it and its base.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    pub format: u32,
    /// Version of the program that made it.
    pub icos: String,
    /// Of the whole file of the bundle that must have been imported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Sha256>,
    /// By target and base.
    pub builds: Vec<Build>,
    /// By path.
    pub entries: Vec<Entry>,
    /// Symbolic links in overlays, by path.
    pub links: Vec<Link>,
    /// Empty folders of overlays, by path.
    pub folders: Vec<String>,
}

/// A target that can be built from the bundle.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Build {
    pub target: String,
    pub base: String,
}

/// A file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    pub path: String,
    pub kind: Kind,
    /// Bytes.
    pub size: u64,
    pub sha256: Sha256,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub executable: bool,
    /// The base has it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub absent: bool,
}

/// A symbolic link.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Link {
    pub path: String,
    pub target: String,
}

/// What a file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Program,
    Definition,
    Lock,
    Key,
    Package,
    /// An InRelease file, or a Release file or its detached signature.
    Release,
    Index,
    Artifact,
}

impl Kind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Program => "program",
            Self::Definition => "definition",
            Self::Lock => "lock",
            Self::Key => "key",
            Self::Package => "package",
            Self::Release => "release",
            Self::Index => "index",
            Self::Artifact => "artifact",
        }
    }
}

/// Why a text is no manifest.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadManifest {
    #[error("{0}")]
    Syntax(String),
    #[error("format {0}, but this program reads format {FORMAT}")]
    Format(u32),
    #[error("it is not written as icos writes it")]
    NotCanonical,
    #[error("`{0}` is named twice")]
    Twice(String),
    #[error("`{0}` is not in its place by order")]
    Order(String),
    #[error("`{path}`: {why}")]
    Path { path: String, why: &'static str },
    #[error("`{0}` is no target on a base")]
    Build(String),
    #[error("no target")]
    NoBuild,
    #[error("no {PROGRAM}")]
    NoProgram,
    #[error("`{0}` is absent, but no base is named")]
    NoBase(String),
}

type Checked = Result<(), BadManifest>;

impl Manifest {
    /// The one text of this manifest.
    pub fn text(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("texts and numbers are JSON");
        text.push('\n');
        text
    }

    /// Reads a text, which must be the one that [`Manifest::text`] gives.
    pub fn read(text: &[u8]) -> Result<Self, BadManifest> {
        #[derive(Deserialize)]
        struct Numbered {
            format: u32,
        }
        let syntax = |error: serde_json::Error| BadManifest::Syntax(error.to_string());
        let Numbered { format } = serde_json::from_slice(text).map_err(syntax)?;
        if format != FORMAT {
            return Err(BadManifest::Format(format));
        }
        let manifest: Self = serde_json::from_slice(text).map_err(syntax)?;
        manifest.check()?;
        if manifest.text().as_bytes() != text {
            return Err(BadManifest::NotCanonical);
        }
        Ok(manifest)
    }

    /// The text of the member `SHA256SUMS`.
    pub(super) fn sums(&self) -> String {
        let mut text = format!("{}  {MANIFEST}\n", Sha256::of(self.text().as_bytes()));
        for entry in self.entries.iter().filter(|entry| !entry.absent) {
            text += &format!("{}  {}\n", entry.sha256, entry.path);
        }
        text
    }

    /// Checks all that a manifest alone can be wrong in.
    pub fn check(&self) -> Checked {
        for build in &self.builds {
            let word = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || b"-.".contains(&c);
            let base = !build.base.is_empty() && !build.base.starts_with('.') && build.base.bytes().all(word);
            if !base || build.target.parse::<Target>().is_err() {
                return Err(BadManifest::Build(format!("{} on {}", build.target, build.base)));
            }
        }
        if self.builds.is_empty() {
            return Err(BadManifest::NoBuild);
        }
        ascending(self.builds.iter().map(|build| format!("{} on {}", build.target, build.base)))?;
        for entry in &self.entries {
            check_entry(entry, self.since.is_some())?;
        }
        if !self.entries.iter().any(|entry| entry.kind == Kind::Program) {
            return Err(BadManifest::NoProgram);
        }
        ascending(self.entries.iter().map(|entry| &entry.path))?;
        for path in self.links.iter().map(|link| &link.path).chain(&self.folders) {
            check_path(path)?;
            let inside = path.strip_prefix(PROJECT).and_then(|path| path.strip_prefix("overlays/"));
            // An overlay's own definition is a file, so that reading it leads nowhere else.
            if inside.and_then(|path| path.split_once('/')).is_none_or(|(_, rest)| rest == "overlay.toml") {
                return Err(bad(path, "it is not inside an overlay"));
            }
        }
        for link in &self.links {
            // What a list shows must be what is there.
            if !(1..4096).contains(&link.target.len()) || link.target.contains(char::is_control) {
                return Err(bad(&link.path, "what it leads to is empty, too long, or has a control character"));
            }
        }
        ascending(self.links.iter().map(|link| &link.path))?;
        ascending(&self.folders)?;
        self.check_parents()
    }

    /// No path may be that of another or of its parent: nothing is ever written through a link, or twice.
    fn check_parents(&self) -> Checked {
        let entries = self.entries.iter().map(|entry| entry.path.as_str());
        let others = self.links.iter().map(|link| link.path.as_str()).chain(self.folders.iter().map(String::as_str));
        let mut all = BTreeSet::new();
        for path in entries.chain(others) {
            if !all.insert(path) {
                return Err(BadManifest::Twice(path.to_owned()));
            }
        }
        for path in &all {
            let mut parents = path.match_indices('/').map(|(slash, _)| &path[..slash]);
            if parents.any(|parent| all.contains(parent)) {
                return Err(bad(path, "what it is in is no folder"));
            }
        }
        Ok(())
    }
}

fn bad(path: &str, why: &'static str) -> BadManifest {
    BadManifest::Path { path: path.to_owned(), why }
}

fn ascending<T: AsRef<str>>(names: impl IntoIterator<Item = T>) -> Checked {
    let mut before: Option<T> = None;
    for name in names {
        match before.as_ref().map(|before| before.as_ref().cmp(name.as_ref())) {
            Some(std::cmp::Ordering::Equal) => return Err(BadManifest::Twice(name.as_ref().to_owned())),
            Some(std::cmp::Ordering::Greater) => return Err(BadManifest::Order(name.as_ref().to_owned())),
            _ => before = Some(name),
        }
    }
    Ok(())
}

/// A relative path that stays where it is put, and that `SHA256SUMS` and tar can hold.
pub(super) fn check_path(path: &str) -> Checked {
    if path.starts_with('/') {
        return Err(bad(path, "the path is absolute"));
    }
    if path.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return Err(bad(path, "the path has `.`, `..` or nothing between slashes"));
    }
    if path.contains(|c: char| c.is_control() || c == '\\') {
        return Err(bad(path, "the path has a control character or a backslash"));
    }
    if tar::plain_header(path, 0, 0o644).is_none() {
        return Err(bad(path, "the path is too long for POSIX tar"));
    }
    Ok(())
}

fn check_entry(entry: &Entry, has_base: bool) -> Checked {
    let path = &entry.path;
    check_path(path)?;
    let stored = path.strip_prefix(STORE);
    if stored.is_some_and(|sum| sum != entry.sha256.to_string()) {
        return Err(bad(path, "its sha256 is another"));
    }
    let fits = match entry.kind {
        Kind::Program => path == PROGRAM,
        Kind::Definition | Kind::Lock | Kind::Key => path.starts_with(PROJECT),
        Kind::Package => path.starts_with(PROJECT) || stored.is_some(),
        Kind::Release | Kind::Index | Kind::Artifact => stored.is_some(),
    };
    if !fits || path == MANIFEST || path == SUMS {
        return Err(bad(path, "a file of its kind lies elsewhere"));
    }
    if entry.executable && !path.starts_with(PROJECT) && entry.kind != Kind::Program {
        return Err(bad(path, "files of the store are not executable"));
    }
    if tar::plain_header(path, entry.size, 0o644).is_none() {
        return Err(bad(path, "it is too large for POSIX tar, which holds 8 GiB"));
    }
    if entry.absent && !has_base {
        return Err(BadManifest::NoBase(path.clone()));
    }
    Ok(())
}
