//! The profiles of `/usr/share/pam-configs`: fields as in a control file, by name.

use std::collections::{BTreeMap, BTreeSet};

use crate::shell::{Fatal, Process, files::show};

/// Profiles that name this module are not used: it is gone.
const GONE: &str = "pam_tally";

#[derive(Debug, Default)]
struct Profile {
    fields: BTreeMap<String, String>,
    conflicts: BTreeSet<String>,
    priority: i64,
}

#[derive(Debug)]
pub(super) struct Profiles(BTreeMap<String, Profile>);

/// Which of the two blocks of a file a profile's lines go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Block {
    Primary,
    Additional,
}

impl Profiles {
    pub(super) fn read(process: &mut Process<'_>, folder: &[u8]) -> Result<Result<Self, String>, Fatal> {
        let entries = process.lookup(folder).ok().and_then(|id| process.inode(id).entries());
        let Some(entries) = entries else {
            return Ok(Err("could not open config directory: No such file or directory".to_owned()));
        };
        let names: Vec<Vec<u8>> = entries.keys().map(|name| name.as_bytes().to_vec()).collect();
        let mut profiles = BTreeMap::new();
        for name in names {
            let is_backup = name.ends_with(b"~") || name.len() > 2 && name.starts_with(b"#") && name.ends_with(b"#");
            if is_backup {
                continue;
            }
            let path = [folder, b"/", &name].concat();
            let text = match process.read_file(&path) {
                Ok(text) => text,
                Err(error) => return Ok(Err(format!("could not read profile {}: {}", show(&path), error.errno))),
            };
            let odd = |what: &str| process.not_modelled(format!("{}: {what}", show(&path)));
            let (Ok(name), Ok(text)) = (String::from_utf8(name.clone()), std::str::from_utf8(&text)) else {
                return Err(odd("text that is not UTF-8"));
            };
            if let Some(profile) = parse(text).map_err(odd)? {
                profiles.insert(name, profile);
            }
        }
        Ok(Ok(Self(profiles)))
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// A field's text, empty when there is none.
    pub(super) fn field(&self, name: &str, field: &str) -> &str {
        self.0.get(name).and_then(|profile| profile.fields.get(field)).map_or("", String::as_str)
    }

    pub(super) fn conflict(&self, name: &str, other: &str) -> bool {
        self.0.get(name).is_some_and(|profile| profile.conflicts.contains(other))
    }

    /// All names, those of high priority first.
    pub(super) fn sorted(&self) -> Vec<String> {
        self.in_order(self.0.keys().cloned().collect())
    }

    /// Names once each, those of high priority first, and of the same priority the last first.
    pub(super) fn in_order(&self, mut names: Vec<String>) -> Vec<String> {
        let priority = |name: &String| self.0.get(name).map_or(0, |profile| profile.priority);
        names.sort_by(|a, b| priority(b).cmp(&priority(a)).then_with(|| b.cmp(a)));
        names.dedup();
        names
    }

    /// The lines that a profile adds to a file; `kind` is the field's name, `first` whether it is the first of its block.
    pub(super) fn lines(&self, name: &str, kind: &str, first: bool) -> &str {
        let initial = self.field(name, &format!("{kind}-Initial"));
        if first && !initial.is_empty() { initial } else { self.field(name, kind) }
    }

    /// Where a profile's lines of this kind go, if it has any.
    pub(super) fn block(&self, name: &str, kind: &str) -> Option<Block> {
        match self.field(name, &format!("{kind}-Type")) {
            "Primary" => Some(Block::Primary),
            "Additional" => Some(Block::Additional),
            _ => None,
        }
    }
}

/// A profile, or nothing for one that is not to be used.
fn parse(text: &str) -> Result<Option<Profile>, &'static str> {
    let mut profile = Profile::default();
    let mut current = String::new();
    for line in text.lines() {
        let (first, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        if let Some(field) = first.strip_suffix(':').filter(|field| !field.is_empty()) {
            // What was called Auth-Final at first is Auth.
            current = field.strip_suffix("-Final").unwrap_or(field).to_owned();
            let value = rest.trim_start();
            if current == "Conflicts" {
                profile.conflicts.extend(value.split(", ").map(str::to_owned));
            } else {
                profile.fields.insert(current.clone(), value.to_owned());
            }
            continue;
        }
        let value = profile.fields.entry(current.clone()).or_default();
        if !line.trim().is_empty() {
            value.push('\n');
            value.push_str(line.trim());
        }
        if value.contains(GONE) {
            return Ok(None);
        }
        *value = value.trim_start().to_owned();
    }
    if !profile.fields.contains_key("Session-Interactive-Only") {
        for suffix in ["-Type", "", "-Initial"] {
            if let Some(value) = profile.fields.get(&format!("Session{suffix}")).cloned() {
                profile.fields.insert(format!("Session-noninteractive{suffix}"), value);
            }
        }
    }
    let types = ["Auth", "Account", "Password", "Session", "Session-noninteractive"];
    let has_odd_type = types.iter().any(|kind| {
        profile
            .fields
            .get(&format!("{kind}-Type"))
            .is_some_and(|kind| !matches!(kind.as_str(), "Primary" | "Additional" | ""))
    });
    if has_odd_type {
        return Err("a type that is neither Primary nor Additional");
    }
    let priority = profile.fields.get("Priority").map_or("0", |text| text.trim());
    profile.priority = priority.parse().map_err(|_| "a priority that is no number")?;
    Ok(Some(profile))
}
