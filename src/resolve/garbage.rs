//! Dropping what was marked on the way to nothing: packages that no request leads to any more.

use super::{
    mark::By,
    state::State,
    universe::{PackageId, VersionId},
};
use crate::deb::dependency::Field;

/// Takes back the marks of packages that were not asked for and that nothing marked depends on, recommends or suggests.
pub(super) fn drop_unreachable(state: &mut State<'_, '_>) {
    let reachable = reachable(state);
    let universe = state.universe;
    let mut garbage: Vec<PackageId> =
        universe.package_ids().filter(|id| state.mark(*id).install && !reachable[id.index()]).collect();
    garbage.sort_by_key(|id| (universe.name(*id).name, universe.package(*id).architecture));
    for &id in &garbage {
        state.remove(id, 0);
    }
    while state.broken + state.wanting > 0 {
        let Some(at) = garbage.iter().position(|id| is_missed(state, *id)) else { return };
        let id = garbage.remove(at);
        state.mark_install(id, false, 0, By::Solver);
    }
}

fn reachable(state: &State<'_, '_>) -> Vec<bool> {
    let universe = state.universe;
    let mut reached = vec![false; universe.packages.len()];
    let is_root = |id: &PackageId| {
        let (mark, package) = (state.mark(*id), universe.package(*id));
        mark.install && (!mark.automatic || package.essential || package.protected)
    };
    let mut todo: Vec<PackageId> = universe.package_ids().filter(is_root).collect();
    while let Some(id) = todo.pop() {
        let Some(version) = marked(state, id).filter(|_| !std::mem::replace(&mut reached[id.index()], true)) else {
            continue;
        };
        for relation in universe.relations_of(version).map(|id| universe.relation(id)) {
            if relation.is_negative() || relation.field == Field::Enhances {
                continue;
            }
            if marked(state, relation.target)
                .is_some_and(|version| universe.holds(relation, universe.version(version).text))
            {
                todo.push(relation.target);
            }
            for provide in universe.package(relation.target).provided_by.iter().map(|id| universe.provide(*id)) {
                let owner = universe.version(provide.owner).package;
                if marked(state, owner) == Some(provide.owner) && universe.holds_for(relation, provide) {
                    todo.push(owner);
                }
            }
        }
    }
    reached
}

fn marked(state: &State<'_, '_>, id: PackageId) -> Option<VersionId> {
    state.mark(id).version.filter(|_| state.mark(id).install)
}

/// Whether a package that stays follows a relation to one that went.
fn is_missed(state: &State<'_, '_>, id: PackageId) -> bool {
    let universe = state.universe;
    let Some(candidate) = state.mark(id).candidate else { return false };
    let provided = universe.provides_of(candidate).iter().map(|provide| universe.provide(*provide).target);
    std::iter::once(id).chain(provided).any(|target| {
        universe.package(target).wanted_by.iter().any(|&relation| {
            let entry = universe.relation(relation);
            let parent = state.mark(universe.version(entry.version).package);
            !entry.is_negative()
                && state.is_followed(relation)
                && parent.install
                && parent.candidate == Some(entry.version)
        })
    })
}
