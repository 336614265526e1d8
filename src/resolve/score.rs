//! How much breaks when a package gives way: apt's scores of what is marked.

use super::{
    state::State,
    universe::{PackageId, RelationId},
};
use crate::deb::{dependency::Field, packages::Priority};

const ESSENTIAL: i32 = 100;
const ADD_PROTECTED: i32 = 10_000;
const ADD_ESSENTIAL: i32 = 5_000;

/// Scores by package. `walk` is the order of apt's table of names, in which scores pass on to what provides a name.
pub(super) fn scores(state: &State<'_, '_>, walk: &[PackageId], requested: &[bool]) -> Vec<i32> {
    let universe = state.universe;
    let mut scores = vec![0; universe.packages.len()];
    for &id in walk {
        own(state, id, &mut scores);
    }
    let before = scores.clone();
    for &id in walk.iter().filter(|id| state.mark(**id).version.is_some()) {
        for relation in universe.package(id).wanted_by.iter().map(|id| universe.relation(*id)) {
            let parent = universe.version(relation.version).package;
            let positive = matches!(relation.field, Field::PreDepends | Field::Depends | Field::Recommends);
            if positive && state.mark(parent).version == Some(relation.version) {
                scores[id.index()] += before[parent.index()].max(0);
            }
        }
    }
    for &id in walk {
        let gained = (scores[id.index()] - before[id.index()]).abs();
        if gained != 0 {
            for provider in providers(state, id, |provide| !universe.provide(provide).implicit) {
                scores[provider.index()] += gained;
            }
        }
    }
    for &id in walk {
        let package = universe.package(id);
        if requested[id.index()] {
            scores[id.index()] += ADD_PROTECTED;
        }
        if package.essential || package.protected {
            scores[id.index()] += ADD_ESSENTIAL;
        }
    }
    scores
}

/// What a package is worth, and what its relations give to others.
fn own(state: &State<'_, '_>, id: PackageId, scores: &mut [i32]) {
    let universe = state.universe;
    let Some(version) = state.mark(id).version else { return };
    let package = universe.package(id);
    if package.essential || package.protected {
        scores[id.index()] += ESSENTIAL;
    }
    scores[id.index()] += match universe.stanza(version).priority {
        Priority::None => 0,
        Priority::Required => 3,
        Priority::Important => 2,
        Priority::Standard => 1,
        Priority::Optional => -1,
        Priority::Extra => -2,
    };
    for relation in universe.relations_of(version) {
        pass_on(state, relation, scores);
    }
}

fn pass_on(state: &State<'_, '_>, id: RelationId, scores: &mut [i32]) {
    let universe = state.universe;
    let relation = universe.relation(id);
    let points = match relation.field {
        Field::PreDepends | Field::Depends | Field::Recommends => 1,
        Field::Conflicts | Field::Breaks => -1,
        Field::Suggests | Field::Enhances | Field::Replaces | Field::Provides => return,
    };
    let target = relation.target;
    if !universe.spares_package(id, target) {
        if relation.constraint.is_some() {
            let marked = state.mark(target).version;
            if marked.is_none_or(|version| !universe.holds(relation, universe.version(version).text)) {
                return;
            }
        }
        scores[target.index()] += points;
    }
    let suits =
        |provide| !universe.spares_provide(id, provide) && universe.holds_for(relation, universe.provide(provide));
    for provider in providers(state, target, suits) {
        scores[provider.index()] += points;
    }
}

/// Marked packages that provide `id`, each once.
fn providers(
    state: &State<'_, '_>,
    id: PackageId,
    suits: impl Fn(super::universe::ProvideId) -> bool,
) -> Vec<PackageId> {
    let universe = state.universe;
    let provides = universe.package(id).provided_by.iter().copied().filter(|provide| suits(*provide));
    let owners = provides.map(|provide| universe.provide(provide).owner);
    let marked = owners.filter(|owner| state.mark(universe.version(*owner).package).version == Some(*owner));
    let mut packages: Vec<_> = marked.map(|owner| universe.version(owner).package).collect();
    packages.sort_unstable();
    packages.dedup();
    packages
}
