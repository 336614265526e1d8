//! `name/suite`: what the package depends on may come from that suite too, as in apt's `SetCandidateRelease`.

use super::{
    state::{CLAUSE_MARKED, State},
    universe::{Clause, RelationId, VersionId},
};
use crate::deb::dependency::Field;

impl State<'_, '_> {
    /// Makes `version` the candidate, and versions of `suite` candidates where only they satisfy its versioned relations.
    /// Whether that was enough. `changed` has the versions that were made candidates, the last of them `version`.
    pub(super) fn follow_suite(&mut self, version: VersionId, suite: &str, changed: &mut Vec<VersionId>) -> bool {
        self.set_candidate(version);
        let own = changed.len().saturating_sub(1);
        let universe = self.universe;
        for clause in universe.clauses_of(version) {
            let field = universe.relation(clause.start).field;
            let critical = matches!(field, Field::PreDepends | Field::Depends);
            if !critical && (field != Field::Recommends || !self.recommends) {
                continue;
            }
            let fine = clause.alternatives().any(|id| self.suffices(id)) || self.switch(clause, suite, changed);
            if !fine && critical {
                changed.truncate(own);
                return false;
            }
        }
        true
    }

    /// Whether a relation's candidate, or one that provides it, satisfies it and has all that it needs already.
    fn suffices(&self, id: RelationId) -> bool {
        let universe = self.universe;
        let relation = universe.relation(id);
        let provided = &universe.package(relation.target).provided_by;
        let candidate = self.mark(relation.target).candidate;
        if relation.constraint.is_none() && !provided.is_empty() {
            return provided.iter().map(|provide| universe.provide(*provide).owner).any(|owner| {
                self.mark(universe.version(owner).package).candidate == Some(owner) && self.is_complete(owner)
            });
        }
        candidate.is_some_and(|version| {
            universe.holds(relation, universe.version(version).text) && self.is_complete(version)
        })
    }

    fn is_complete(&self, version: VersionId) -> bool {
        let universe = self.universe;
        universe
            .clauses_of(version)
            .all(|clause| !universe.relation(clause.start).is_critical() || self.bits(clause.end) & CLAUSE_MARKED != 0)
    }

    /// Makes the suite's version of an alternative the candidate, if that helps.
    fn switch(&mut self, clause: Clause, suite: &str, changed: &mut Vec<VersionId>) -> bool {
        let universe = self.universe;
        for id in clause.alternatives() {
            let relation = universe.relation(id);
            let versions = &universe.package(relation.target).versions;
            let found = versions.iter().copied().find(|version| self.is_in_suite(*version, suite));
            let suits = |version: &VersionId| universe.holds(relation, universe.version(*version).text);
            let Some(version) = found.filter(|_| relation.constraint.is_some()).filter(suits) else { continue };
            let before = self.mark(relation.target).candidate;
            let touched = changed.iter().any(|other| universe.version(*other).package == relation.target);
            if before == Some(version) && touched {
                return true;
            }
            changed.push(version);
            if self.follow_suite(version, suite, changed) {
                return true;
            }
            if id == clause.end {
                return false;
            }
            if let Some(before) = before {
                self.set_candidate(before);
            }
            changed.pop();
        }
        false
    }

    pub(super) fn is_in_suite(&self, version: VersionId, suite: &str) -> bool {
        let stanzas = &self.universe.version(version).stanzas;
        stanzas.iter().any(|(index, _)| self.universe.indexes[*index].origin.is_suite(suite))
    }
}
