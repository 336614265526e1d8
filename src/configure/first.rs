//! The packages that all others may use without saying so: Essential ones, those of priority required, and what they need.
//!
//! A script may call what is Essential although nothing depends on it, and only a configured package is sure to work: mawk's
//! `awk` is an alternative that its postinst makes. So these come first, as in every installer of Debian.

use std::collections::BTreeSet;

use super::{Run, depend::NEEDED};
use crate::dpkg::{
    database::{Database, PackageId},
    package::Package,
    relation::{Group, Kind},
};

impl Run<'_> {
    /// The packages of `dpkg --configure` before `dpkg --configure --pending`, in the order of its arguments.
    pub(super) fn first(&self) -> Vec<PackageId> {
        let database = self.database();
        let mut chosen: BTreeSet<PackageId> = BTreeSet::new();
        let mut todo: Vec<PackageId> = database.ids().filter(|id| is_base(database.get(*id))).collect();
        while let Some(id) = todo.pop() {
            if !chosen.insert(id) {
                continue;
            }
            for kind in NEEDED {
                for group in database.get(id).relations(kind) {
                    todo.extend(meets(database, group));
                }
            }
        }
        database.sorted().into_iter().filter(|id| chosen.contains(id)).collect()
    }
}

fn is_base(package: &Package) -> bool {
    package.essential || package.text("Priority") == Some(b"required")
}

/// All packages of the first alternative that any package has the name of, or provides. Versions are left to the queue.
fn meets(database: &Database, group: &Group) -> Vec<PackageId> {
    for relation in group {
        let mut found = database.instances(&relation.package).to_vec();
        found.extend(database.ids().filter(|id| {
            let provided = database.get(*id).relations(Kind::Provides);
            provided.iter().any(|provision| provision[0].package == relation.package)
        }));
        if !found.is_empty() {
            return found;
        }
    }
    Vec::new()
}
