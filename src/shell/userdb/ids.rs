//! The next free uid or gid, as `useradd` and `groupadd` of the shadow suite find it.

use std::collections::BTreeSet;

use super::{LoginDefs, UserDb, pinned};
use crate::shell::{Fatal, Process};

/// Which numbers are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::shell) enum Kind {
    User,
    Group,
}

impl Kind {
    fn setting(self, name: &str) -> String {
        match self {
            Self::User => name.replace('#', "UID"),
            Self::Group => name.replace('#', "GID"),
        }
    }
}

/// A free number for an ordinary or a system account; `None` when the range is used up.
///
/// A number that is pinned to `name` comes first, and one that is pinned to another account is not free.
/// Ordinary numbers are taken above the highest in use, system numbers below the lowest, and only then from the gaps.
pub(in crate::shell) fn next_id(
    process: &Process<'_>,
    db: &UserDb,
    defs: &LoginDefs,
    kind: Kind,
    system: bool,
    name: &[u8],
    preferred: Option<u32>,
) -> Result<Option<u32>, Fatal> {
    if let Some(id) = pinned(process, db, kind, name)? {
        return Ok(Some(id));
    }
    let ordinary = defs.id(process, &kind.setting("#_MIN"), 1000)?;
    let (lowest, highest) = if system {
        let highest = defs.id(process, &kind.setting("SYS_#_MAX"), ordinary.saturating_sub(1))?;
        (defs.id(process, &kind.setting("SYS_#_MIN"), 101)?.max(1), highest)
    } else {
        (ordinary, defs.id(process, &kind.setting("#_MAX"), 60_000)?)
    };
    if highest < lowest {
        return Err(process.not_modelled(format!("{lowest} to {highest} as a range of ids")));
    }
    let used: BTreeSet<u32> = match kind {
        Kind::User => db.users.records().map(|user| user.uid).collect(),
        Kind::Group => db.groups.records().map(|group| group.gid).collect(),
    };
    let kept: BTreeSet<u32> = kind.pins(&process.machine.ids).values().copied().collect();
    let preferred_lowest = if system { 1 } else { lowest };
    if let Some(id) =
        preferred.filter(|id| (preferred_lowest..=highest).contains(id) && !used.contains(id) && !kept.contains(id))
    {
        return Ok(Some(id));
    }
    let in_range = || used.range(lowest..=highest);
    let free = |id: &u32| !used.contains(id) && !kept.contains(id);
    Ok(if system {
        let start = in_range().next().map_or(highest, |first| first - 1);
        let start = if start < lowest { highest } else { start };
        (lowest..=start).rev().find(free).or_else(|| (lowest..=highest).rev().find(free))
    } else {
        let start = in_range().next_back().map_or(lowest, |last| last + 1);
        let start = if start > highest { lowest } else { start };
        (start..=highest).find(free).or_else(|| (lowest..=highest).find(free))
    })
}
