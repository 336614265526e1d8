//! Held packages: everything but a few stays as it was at an earlier instant of the base's snapshots.

use serde::Deserialize;

use super::{Archive, Base, Origin};
use crate::date::Instant;

/// `[hold]` of `base.toml`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// What is held is as it was then.
    pub instant: Instant,
    /// Packages, by name or by their source's, that are of the base's own instant.
    pub except: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HoldFile {
    timestamp: String,
    except: Vec<String>,
}

/// What stands between an archive's name and the instant at which it is held.
const AT: char = '@';

pub(super) fn checked(raw: HoldFile, timestamp: Option<Instant>, archives: &[Archive]) -> Result<Hold, String> {
    let instant = Instant::from_compact(&raw.timestamp).map_err(|error| format!("hold: timestamp: {error}"))?;
    let now = timestamp.ok_or("hold: the base has no `timestamp`")?;
    if instant >= now {
        return Err("hold: expected a timestamp before the base's own".to_owned());
    }
    if raw.except.is_empty() {
        return Err("hold: except: expected at least one package".to_owned());
    }
    if let Some(live) = archives.iter().find(|archive| !archive.has_past()) {
        return Err(format!("hold: archive `{}` is read from live mirrors, which have no past", live.name));
    }
    Ok(Hold { instant, except: raw.except })
}

impl Base {
    /// The base at another instant, with archives held at `held`; live archives stay what they are. Who is excepted from the
    /// hold is not said: this serves to read what a lock names, not to resolve.
    pub fn at(&self, instant: Instant, held: Option<Instant>) -> Self {
        let own = self.archives.iter().filter(|archive| !archive.is_held());
        let moved = own.clone().map(|archive| {
            let moved = archive.at(instant).unwrap_or_else(|| archive.clone());
            Archive { name: archive.name.clone(), ..moved }
        });
        let held = held.into_iter().flat_map(|held| own.clone().filter_map(move |archive| archive.at(held)));
        let archives = moved.chain(held).collect();
        Self { timestamp: Some(instant), archives, hold: None, ..self.clone() }
    }
}

impl Archive {
    /// The archive as it was at another instant, under a name that says so; `None` for a live one.
    pub(super) fn at(&self, instant: Instant) -> Option<Self> {
        let Origin::Snapshot { template, .. } = &self.origin else { return None };
        let origin = super::snapshot(template, None, Some(instant)).ok()?;
        Some(Self { name: format!("{}{AT}{}", self.name, instant.to_compact()), origin, ..self.clone() })
    }

    /// Whether it can be read as it was at an instant.
    pub fn has_past(&self) -> bool {
        matches!(self.origin, Origin::Snapshot { .. })
    }

    /// Whether this is an archive as it was at a hold's instant.
    pub fn is_held(&self) -> bool {
        is_held(&self.name)
    }

    /// The name without the instant at which it is held.
    pub fn plain_name(&self) -> &str {
        plain_name(&self.name)
    }
}

/// An archive's name without the instant at which it is held.
pub fn plain_name(archive: &str) -> &str {
    archive.split_once(AT).map_or(archive, |(name, _)| name)
}

/// Whether an archive of this name is one at a hold's instant.
pub fn is_held(archive: &str) -> bool {
    archive.contains(AT)
}

/// The instant in the name of a held archive.
pub fn held_at(archive: &str) -> Option<Instant> {
    archive.split_once(AT).and_then(|(_, instant)| Instant::from_compact(instant).ok())
}
