//! Numbers of users and groups by name, as the tree's own files have them while a package is unpacked.

use std::collections::BTreeMap;

use crate::tree::{Stat, Tree};

/// The accounts of the system at one moment.
pub(super) struct Names {
    users: BTreeMap<Vec<u8>, u32>,
    groups: BTreeMap<Vec<u8>, u32>,
}

impl Names {
    pub(super) fn read(tree: &Tree) -> Self {
        Self { users: table(tree, b"/etc/passwd"), groups: table(tree, b"/etc/group") }
    }

    /// `#N` or a name.
    pub(super) fn user(&self, name: &[u8]) -> Option<u32> {
        id(&self.users, name)
    }

    pub(super) fn group(&self, name: &[u8]) -> Option<u32> {
        id(&self.groups, name)
    }

    /// Metadata of a member, whose owners count by name where the system knows the names.
    pub(super) fn own(&self, stat: &Stat, user: &[u8], group: &[u8]) -> Stat {
        let mut stat = stat.clone();
        stat.uid = self.users.get(user).copied().unwrap_or(stat.uid);
        stat.gid = self.groups.get(group).copied().unwrap_or(stat.gid);
        stat
    }
}

fn id(table: &BTreeMap<Vec<u8>, u32>, name: &[u8]) -> Option<u32> {
    match name.strip_prefix(b"#") {
        Some(digits) => std::str::from_utf8(digits).ok()?.parse().ok(),
        None => table.get(name).copied(),
    }
}

fn table(tree: &Tree, path: &[u8]) -> BTreeMap<Vec<u8>, u32> {
    let bytes = tree.read(path).unwrap_or_default();
    let mut table = BTreeMap::new();
    for line in bytes.split(|&b| b == b'\n') {
        let mut fields = line.split(|&b| b == b':');
        let (Some(name), Some(number)) = (fields.next(), fields.nth(1)) else { continue };
        let number = std::str::from_utf8(number).ok().and_then(|text| text.parse().ok());
        // The first line of a name counts.
        if let Some(number) = number.filter(|_| !name.is_empty()) {
            table.entry(name.to_vec()).or_insert(number);
        }
    }
    table
}
