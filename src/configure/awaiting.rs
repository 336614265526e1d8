//! Who waits for whose triggers.

use std::collections::BTreeMap;

use crate::dpkg::database::PackageId;

/// The packages in state triggers-awaited, from both ends.
#[derive(Clone, Debug, Default)]
pub(super) struct Awaiting {
    /// For each waiting package those it waits for, the first noted first.
    awaited: BTreeMap<PackageId, Vec<PackageId>>,
    /// For each awaited package those that wait for it, the last noted first.
    waiting: BTreeMap<PackageId, Vec<PackageId>>,
}

impl Awaiting {
    /// The packages that `waiting` waits for.
    pub(super) fn awaited_by(&self, waiting: PackageId) -> &[PackageId] {
        self.awaited.get(&waiting).map_or(&[], Vec::as_slice)
    }

    /// Notes that `waiting` waits for `awaited`; tells whether that is new.
    pub(super) fn note(&mut self, awaited: PackageId, waiting: PackageId) -> bool {
        let list = self.awaited.entry(waiting).or_default();
        if list.contains(&awaited) {
            return false;
        }
        list.push(awaited);
        self.waiting.entry(awaited).or_default().insert(0, waiting);
        true
    }

    /// Nobody waits for `awaited` any more; returns who did.
    pub(super) fn clear(&mut self, awaited: PackageId) -> Vec<PackageId> {
        let waiting = self.waiting.remove(&awaited).unwrap_or_default();
        for package in &waiting {
            if let Some(list) = self.awaited.get_mut(package) {
                list.retain(|other| *other != awaited);
            }
        }
        waiting
    }
}
