//! Which packages installed a path.

use std::collections::BTreeMap;

use crate::dpkg::database::PackageId;

/// Packages by the paths that their lists have; `/.` is the root.
#[derive(Clone, Debug, Default)]
pub struct Owners(BTreeMap<Box<[u8]>, Vec<PackageId>>);

impl Owners {
    pub fn of(&self, path: &[u8]) -> &[PackageId] {
        self.0.get(path).map_or(&[], Vec::as_slice)
    }

    pub(super) fn add(&mut self, id: PackageId, paths: &[Vec<u8>]) {
        for path in paths {
            let owners = self.0.entry(path.as_slice().into()).or_default();
            if !owners.contains(&id) {
                owners.push(id);
            }
        }
    }

    pub(super) fn remove(&mut self, id: PackageId, path: &[u8]) {
        if let Some(owners) = self.0.get_mut(path) {
            owners.retain(|owner| *owner != id);
        }
    }
}
