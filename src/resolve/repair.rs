//! Mending what the walk left broken: apt's `pkgProblemResolver`, of an empty root.
//!
//! Packages that are broken give way in the order of their scores: one loses its mark, or what it is against does, and a
//! protected one looks for a candidate that was passed over. There is no backtracking: what is still broken after
//! twenty rounds cannot be installed.

use super::{
    mark::By,
    score, sort,
    state::{CANDIDATES, CLAUSE_CANDIDATES, CLAUSE_MARKED, State},
    universe::{Clause, PackageId, RelationId, VersionId},
};
use crate::deb::dependency::Field;

const ROUNDS: usize = 20;

/// Scores, and what has been tried.
struct Repair<'s, 'u, 'a> {
    state: &'s mut State<'u, 'a>,
    scores: Vec<i32>,
    requested: Vec<bool>,
    /// Not marked in vain yet.
    untried: Vec<bool>,
}

/// A package that another one wants gone.
struct Kill {
    package: PackageId,
    negative: bool,
}

/// What one clause led to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    NextClause,
    NextPackage,
}

/// Mends what is broken, as far as it goes.
pub(super) fn repair(state: &mut State<'_, '_>, requested: &[PackageId]) {
    if state.broken == 0 {
        return;
    }
    let packages = state.universe.packages.len();
    let mut flags = vec![false; packages];
    for id in requested {
        flags[id.index()] = true;
    }
    let walk = state.universe.walk();
    reinstate(state, &walk);
    let scores = score::scores(state, &walk, &flags);
    let mut order = walk;
    sort::sort(&mut order, |a, b| scores[a.index()] > scores[b.index()]);
    let mut repair = Repair { state, scores, requested: flags, untried: vec![true; packages] };
    for round in 0..ROUNDS {
        let mut changed = false;
        for &id in &order {
            let mark = repair.state.mark(id);
            if let Some(version) = mark.version.filter(|_| mark.broken) {
                changed |= repair.package(id, version, round);
            }
        }
        if !changed {
            return;
        }
    }
}

/// A version that was left without a mark and is broken is marked once more.
fn reinstate(state: &mut State<'_, '_>, walk: &[PackageId]) {
    let mut again = true;
    while again {
        again = false;
        for &id in walk {
            let mark = *state.mark(id);
            if !mark.install && mark.broken {
                state.mark_install(id, false, 0, By::Solver);
                again |= state.mark(id).install;
            }
        }
    }
}

impl Repair<'_, '_, '_> {
    /// Mends one broken package. Whether anything changed.
    fn package(&mut self, id: PackageId, version: VersionId, round: usize) -> bool {
        let mut changed = false;
        let mut kills = Vec::new();
        let clauses: Vec<Clause> = self.state.universe.clauses_of(version).collect();
        for clause in clauses {
            if !self.state.universe.relation(clause.end).is_critical() {
                continue;
            }
            let outcome = self.clause(id, clause, round, &mut kills, &mut changed);
            if outcome == Outcome::NextPackage {
                break;
            }
        }
        if self.state.mark(id).version.is_some() {
            changed |= self.apply(id, &kills, round);
        }
        changed
    }

    fn clause(
        &mut self,
        id: PackageId,
        clause: Clause,
        round: usize,
        kills: &mut Vec<Kill>,
        changed: &mut bool,
    ) -> Outcome {
        let several = clause.start != clause.end;
        let killed = kills.len();
        let mut only_keep = false;
        for alternative in clause.alternatives() {
            if self.state.bits(clause.end) & CLAUSE_MARKED != 0 {
                return Outcome::NextClause;
            }
            let negative = self.state.universe.relation(alternative).is_negative();
            let targets = self.targets(alternative);
            if targets.is_empty() && !self.state.mark(id).protected && !negative {
                if several {
                    continue;
                }
                *changed = true;
                self.state.keep(id, 0);
                return Outcome::NextPackage;
            }
            let done = self.alternative(id, clause, alternative, &targets, round, kills, &mut only_keep);
            *changed |= done;
            if !several && done {
                return Outcome::NextPackage;
            }
        }
        if several && killed == kills.len() {
            if only_keep {
                self.state.keep(id, 0);
                *changed = true;
            } else if !self.state.mark(id).protected {
                self.state.remove(id, 0);
                *changed = true;
            }
        }
        Outcome::NextClause
    }

    /// Every version, chosen or not, that could satisfy a relation, or that it is against.
    fn targets(&self, id: RelationId) -> Vec<VersionId> {
        let universe = self.state.universe;
        let relation = universe.relation(id);
        let target = universe.package(relation.target);
        let own = target.versions.iter().copied().filter(|version| {
            !universe.spares_package(id, relation.target) && universe.holds(relation, universe.version(*version).text)
        });
        let provided = target.provided_by.iter().copied().filter(|provide| {
            !universe.spares_provide(id, *provide) && universe.holds_for(relation, universe.provide(*provide))
        });
        own.chain(provided.map(|provide| universe.provide(provide).owner)).collect()
    }

    #[expect(clippy::too_many_arguments, reason = "one step of the algorithm, which has this much state")]
    fn alternative(
        &mut self,
        id: PackageId,
        clause: Clause,
        alternative: RelationId,
        targets: &[VersionId],
        round: usize,
        kills: &mut Vec<Kill>,
        only_keep: &mut bool,
    ) -> bool {
        let universe = self.state.universe;
        let negative = universe.relation(alternative).is_negative();
        for &version in targets {
            let other = universe.version(version).package;
            if negative && self.state.mark(other).version != Some(version) {
                continue;
            }
            if !negative || self.scores[id.index()] <= self.scores[other.index()] {
                if self.state.mark(id).protected {
                    if self.upgrade(other) {
                        let score = self.scores[id.index()].min(self.scores[other.index()]);
                        self.scores[other.index()] = score;
                        return false;
                    }
                    continue;
                }
                self.give_way(id, other, clause, alternative, round, only_keep);
                return true;
            }
            if universe.relation(alternative).field == Field::Breaks
                && self.state.bits(clause.end) & CLAUSE_CANDIDATES != 0
            {
                self.state.mark_install(other, false, 0, By::Solver);
                continue;
            }
            if !self.state.mark(other).protected {
                kills.push(Kill { package: other, negative });
            }
        }
        false
    }

    /// The broken package itself loses its mark.
    fn give_way(
        &mut self,
        id: PackageId,
        other: PackageId,
        clause: Clause,
        alternative: RelationId,
        round: usize,
        only_keep: &mut bool,
    ) {
        let several = clause.start != clause.end;
        let was_marked = self.state.mark(id).install;
        self.state.keep(id, 0);
        if !self.state.mark(id).broken {
            *only_keep = true;
            if several && was_marked {
                self.state.mark_install(id, false, 0, By::Solver);
            }
            return;
        }
        if self.upgrade(id) {
            return;
        }
        let target = self.state.universe.relation(alternative).target;
        if !several {
            self.state.remove(id, 0);
            if round > 1 {
                self.scores[id.index()] = self.scores[id.index()].max(self.scores[other.index()]);
            }
        } else if self.state.mark(target).candidate.is_some() {
            let before = self.state.broken;
            self.state.mark_install(target, true, 1, By::Solver);
            if self.state.mark(target).broken || self.state.broken > before {
                self.state.remove(target, 1);
            }
        }
    }

    fn apply(&mut self, id: PackageId, kills: &[Kill], round: usize) -> bool {
        let mut changed = false;
        for kill in kills {
            // In an empty root a relation against something held before anything was marked, and no other did.
            let found = kill.negative && self.state.keep(kill.package, 0);
            if (!found || round > 1) && self.scores[id.index()] > self.scores[kill.package.index()] {
                self.scores[kill.package.index()] = self.scores[id.index()];
                changed = true;
            }
            changed |= found;
        }
        changed
    }

    /// Marks a candidate that was passed over, if all that it needs is marked or can be in the same way.
    fn upgrade(&mut self, id: PackageId) -> bool {
        let mark = *self.state.mark(id);
        if !self.untried[id.index()] || mark.candidate.is_none() || self.requested[id.index()] {
            return false;
        }
        self.untried[id.index()] = false;
        let was_kept = !mark.install;
        if !self.state.mark_install(id, false, 0, By::Solver) {
            return false;
        }
        let Some(version) = self.state.mark(id).version else { return false };
        let clauses: Vec<Clause> = self.state.universe.clauses_of(version).collect();
        for clause in clauses {
            if self.state.universe.relation(clause.end).is_critical() && !self.upgrade_clause(clause) {
                if was_kept {
                    self.state.keep(id, 0);
                } else {
                    self.state.remove(id, 0);
                }
                return false;
            }
        }
        true
    }

    fn upgrade_clause(&mut self, clause: Clause) -> bool {
        let mut fine = true;
        for alternative in clause.alternatives() {
            if self.state.bits(clause.end) & CLAUSE_MARKED != 0 {
                break;
            }
            let target = self.smart_target(alternative);
            if self.state.mark(target).protected {
                fine = false;
            } else if self.state.bits(alternative) & CANDIDATES != 0 {
                fine = self.upgrade(target);
                if fine {
                    break;
                }
            } else if self.state.universe.relation(alternative).is_negative() {
                break;
            } else {
                fine = false;
            }
        }
        fine
    }

    /// The package that a relation names, or the first that provides a name without versions.
    fn smart_target(&self, id: RelationId) -> PackageId {
        let universe = self.state.universe;
        let target = universe.relation(id).target;
        if !universe.package(target).versions.is_empty() {
            return target;
        }
        let owners = universe.package(target).provided_by.iter().map(|provide| universe.provide(*provide).owner);
        let mut packages = owners.map(|version| universe.version(version).package);
        packages.find(|package| *package != universe.parent(id)).unwrap_or(target)
    }
}
