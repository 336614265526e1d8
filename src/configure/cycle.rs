//! Breaking cycles of dependencies, as dpkg does when it gets no further.

use std::collections::BTreeSet;

use super::{
    Run,
    depend::{NEEDED, Place},
};
use crate::dpkg::database::PackageId;

/// A step of the path from the package that is looked at.
struct Step {
    package: PackageId,
    /// The relation that is being followed.
    place: Place,
}

impl Run<'_> {
    /// Looks for a cycle that the package is on or leads to, and breaks it; tells whether there was one.
    pub(super) fn break_cycle(&mut self, id: PackageId) -> bool {
        let found = self.find_cycle(id, &mut Vec::new(), &mut BTreeSet::new());
        if let Some(place) = found {
            self.queue.break_at(place);
        }
        found.is_some()
    }

    /// The relation to be ignored so that a cycle ends. `done` are packages that lead to none.
    fn find_cycle(&self, id: PackageId, path: &mut Vec<Step>, done: &mut BTreeSet<PackageId>) -> Option<Place> {
        if done.contains(&id) {
            return None;
        }
        for kind in NEEDED {
            for (index, group) in self.package(id).relations(kind).iter().enumerate() {
                for (at, relation) in group.iter().enumerate() {
                    let place = (id, kind, index, at);
                    if self.queue.is_broken(place) {
                        continue;
                    }
                    let real = self.candidates(id, kind, relation);
                    let provided = self.queue.providers(&relation.package).iter().map(|(provider, _)| *provider);
                    let provided = provided.filter(|provider| self.queue.is_to_be_installed(*provider));
                    for next in real.into_iter().chain(provided) {
                        path.push(Step { package: id, place });
                        let on_path = path[..path.len() - 1].iter().rposition(|step| step.package == next);
                        let broken = match on_path {
                            Some(start) => Some(self.weakest(&path[start..])),
                            None => self.find_cycle(next, path, done),
                        };
                        path.pop();
                        if broken.is_some() {
                            return broken;
                        }
                    }
                }
            }
        }
        done.insert(id);
        None
    }

    /// The last step whose package has no postinst, so that nothing is lost by ignoring what it needs; else the first one.
    fn weakest(&self, cycle: &[Step]) -> Place {
        let without = cycle.iter().rev().find(|step| {
            let path = self.database().info_path(step.package, "postinst");
            self.machine.tree.find(&path).is_none()
        });
        without.unwrap_or(&cycle[0]).place
    }
}
