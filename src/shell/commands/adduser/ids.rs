//! The first free number of a range, or the one that a pool reserves.

use super::Range;
use crate::shell::{
    Machine,
    userdb::{Kind, UserDb, is_kept},
};

fn first(range: Range, reserved: Option<u32>, free: impl Fn(u32) -> bool) -> Option<u32> {
    match reserved {
        Some(id) => Some(id).filter(|id| free(*id)),
        None => (range.first..=range.last).find(|id| free(*id)),
    }
}

pub(super) fn uid(machine: &Machine, db: &UserDb, range: Range, reserved: Option<u32>) -> Option<u32> {
    first(range, reserved, |id| {
        db.user_by_id(id).is_none() && (reserved.is_some() || !is_kept(machine, Kind::User, id))
    })
}

pub(super) fn gid(machine: &Machine, db: &UserDb, range: Range, reserved: Option<u32>) -> Option<u32> {
    first(range, reserved, |id| {
        db.group_by_id(id).is_none() && (reserved.is_some() || !is_kept(machine, Kind::Group, id))
    })
}

/// A number that neither a user nor a group has; a reserved one only has to be no group's.
pub(super) fn both(machine: &Machine, db: &UserDb, range: Range, reserved: Option<u32>) -> Option<u32> {
    let group_free = |id: u32| db.group_by_id(id).is_none();
    let kept = |id: u32| [Kind::User, Kind::Group].iter().any(|kind| is_kept(machine, *kind, id));
    match reserved {
        Some(id) => Some(id).filter(|id| group_free(*id)),
        None => (range.first..=range.last).find(|id| group_free(*id) && db.user_by_id(*id).is_none() && !kept(*id)),
    }
}
