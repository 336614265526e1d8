//! Marking a package with what it needs: apt's greedy walk (`pkgDepCache::MarkInstall`), of an empty root.
//!
//! A request is marked whatever happens. Everything else is marked only if it can be: its own conflicts are looked at first
//! (what it is against loses its mark unless that is protected), then each clause that nothing marked satisfies is tried
//! alternative by alternative; if none can be marked, the package loses its mark and its candidate.

use std::cmp::Reverse;

use super::{
    state::{CANDIDATES, MARKED, State},
    universe::{Clause, PackageId, RelationId, VersionId},
};

/// apt gives up on chains of dependencies longer than this.
const MAX_DEPTH: usize = 3000;

/// Who wants a package marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    Request,
    Solver,
}

impl State<'_, '_> {
    /// Whether the solver may change the mark.
    fn may_change(&self, id: PackageId, install: bool, depth: usize, by: By) -> bool {
        let mark = self.mark(id);
        depth <= MAX_DEPTH
            && !self.universe.package(id).versions.is_empty()
            && (by == By::Request || mark.install == install || !mark.protected)
    }

    /// Takes back a mark, if that is allowed.
    pub(super) fn keep(&mut self, id: PackageId, depth: usize) -> bool {
        if !self.may_change(id, false, depth, By::Solver) {
            return false;
        }
        if self.mark(id).install {
            self.clear(id);
        }
        true
    }

    /// Takes back the mark of a package that no request wants and the system can do without.
    pub(super) fn remove(&mut self, id: PackageId, depth: usize) -> bool {
        let (mark, package) = (*self.mark(id), self.universe.package(id));
        if depth > MAX_DEPTH || package.versions.is_empty() || mark.protected || package.essential || package.protected
        {
            return false;
        }
        if mark.version.is_none() {
            return true;
        }
        if !mark.automatic {
            return false;
        }
        self.clear(id);
        true
    }

    /// Marks a package; with `follow`, what it needs too. Whether all of that could be marked.
    pub(super) fn mark_install(&mut self, id: PackageId, follow: bool, depth: usize, by: By) -> bool {
        if !self.may_change(id, true, depth, by) {
            return false;
        }
        let before = *self.mark(id);
        let Some(version) = before.candidate else { return false };
        if !before.protected && !before.wanting && !before.broken && before.install {
            return true;
        }
        if follow && !self.candidates_suffice(id, version) {
            return false;
        }
        if by == By::Request {
            self.change(id, by);
        }
        let lenient = self.mark(id).protected || by == By::Request;
        let mut complete = true;
        let (mut needs, mut against) = (Vec::new(), Vec::new());
        if follow {
            self.collect(id, version, &mut needs, &mut against);
            complete = self.displace(id, &against, depth, by);
            if !complete && !lenient {
                return false;
            }
        }
        if by == By::Solver {
            self.change(id, by);
        }
        if !follow {
            return complete;
        }
        let propagate = self.mark(id).protected;
        self.protect(id);
        complete &= self.mark_needs(&needs, depth, propagate, by);
        if !complete && !lenient {
            self.clear(id);
            self.drop_candidate(id);
        }
        if !propagate {
            self.unprotect(id);
        }
        complete
    }

    fn change(&mut self, id: PackageId, by: By) {
        let mark = *self.mark(id);
        if mark.protected && mark.version == mark.candidate {
            return;
        }
        self.set_automatic(id, by == By::Solver);
        self.install(id);
    }

    /// Whether each critical clause can be satisfied at all. If not, the package cannot be marked ever.
    fn candidates_suffice(&mut self, id: PackageId, version: VersionId) -> bool {
        let universe = self.universe;
        for clause in universe.clauses_of(version) {
            let start = universe.relation(clause.start);
            let possible = clause.alternatives().any(|id| self.bits(id) & (MARKED | CANDIDATES) != 0);
            if possible || !start.is_critical() || start.is_negative() {
                continue;
            }
            if !self.mark(id).protected {
                self.disqualify(id);
            }
            return false;
        }
        true
    }

    /// The clauses that are to be satisfied, and the relations against something. For a protected package also those that hold.
    fn collect(&self, id: PackageId, version: VersionId, needs: &mut Vec<Clause>, against: &mut Vec<RelationId>) {
        let protected = self.mark(id).protected;
        for clause in self.universe.clauses_of(version) {
            let holds = clause.alternatives().any(|id| self.bits(id) & MARKED != 0);
            if (holds && !protected) || !self.is_followed(clause.start) {
                continue;
            }
            if self.universe.relation(clause.start).is_negative() {
                against.push(clause.start);
            } else {
                needs.push(clause);
            }
        }
    }

    /// Takes back the marks of what a package is against. Whether that was possible.
    fn displace(&mut self, id: PackageId, against: &[RelationId], depth: usize, by: By) -> bool {
        let propagate = self.mark(id).protected;
        let mut complete = true;
        for &relation in against {
            for version in self.solutions(Clause { start: relation, end: relation }) {
                let other = self.universe.version(version).package;
                if self.mark(other).candidate != Some(version) {
                    continue;
                }
                if self.mark(other).install && !self.keep(other, depth) {
                    complete = false;
                    if !propagate && by == By::Solver {
                        return false;
                    }
                } else if propagate {
                    self.drop_candidate(other);
                    self.protect(other);
                }
            }
        }
        complete
    }

    /// Marks what clauses need. A package that is protected protects whatever is the only solution of a clause.
    fn mark_needs(&mut self, needs: &[Clause], depth: usize, propagate: bool, by: By) -> bool {
        let mut complete = true;
        for &clause in needs {
            let holds = clause.alternatives().any(|id| self.bits(id) & MARKED != 0);
            let critical = self.universe.relation(clause.start).is_critical();
            if holds {
                if propagate && critical && !self.protect_only_solution(clause, depth) {
                    complete = false;
                }
                continue;
            }
            if !self.mark_one(clause, depth, propagate && critical) && critical {
                complete = false;
                if !propagate && by == By::Solver {
                    return false;
                }
            }
        }
        complete
    }

    fn protect_only_solution(&mut self, clause: Clause, depth: usize) -> bool {
        let mut solutions = self.solutions(clause);
        solutions.sort_unstable();
        solutions.dedup();
        let [only] = solutions[..] else { return true };
        let package = self.universe.version(only).package;
        if self.mark(package).protected {
            return true;
        }
        self.protect(package);
        self.mark_install(package, true, depth + 1, By::Solver)
    }

    /// Marks the first alternative that can be.
    fn mark_one(&mut self, clause: Clause, depth: usize, protect_only: bool) -> bool {
        let solutions = self.solutions(clause);
        for &version in &solutions {
            let package = self.universe.version(version).package;
            if self.mark(package).candidate != Some(version) {
                continue;
            }
            if protect_only && solutions.len() == 1 {
                if !self.mark_install(package, false, depth + 1, By::Solver) {
                    continue;
                }
                self.protect(package);
            }
            if self.mark_install(package, true, depth + 1, By::Solver) {
                return true;
            }
        }
        false
    }

    /// The candidates that satisfy a clause, best first: alternative by alternative, each by [`State::rank`]. Of a relation
    /// against something, the candidates that it is against.
    pub(super) fn solutions(&self, clause: Clause) -> Vec<VersionId> {
        let universe = self.universe;
        let mut all: Vec<VersionId> = Vec::new();
        for id in clause.alternatives() {
            let relation = universe.relation(id);
            // The bit, which may be out of date, decides whether apt looks at all.
            if (self.bits(id) & CANDIDATES == 0) != relation.is_negative() {
                continue;
            }
            let target = relation.target;
            let mut found = Vec::new();
            if let Some(version) = self.mark(target).candidate
                && !universe.spares_package(id, target)
                && universe.holds(relation, universe.version(version).text)
            {
                found.push(version);
            }
            for &provide in &universe.package(target).provided_by {
                let entry = universe.provide(provide);
                if !universe.spares_provide(id, provide)
                    && self.mark(universe.version(entry.owner).package).candidate == Some(entry.owner)
                    && universe.holds_for(relation, entry)
                {
                    found.push(entry.owner);
                }
            }
            found.sort_by_key(|version| self.rank(*version, target));
            all.append(&mut found);
        }
        all.dedup();
        if !universe.relation(clause.end).is_negative() {
            all.retain(|version| {
                let mark = self.mark(universe.version(*version).package);
                mark.install || !mark.protected
            });
        }
        all
    }

    /// Order of the versions that provide `target`: protected ones, then the package of that name, essential and protected
    /// packages, the native architecture, the higher priority; at last the name that the indexes mention last.
    fn rank(&self, version: VersionId, target: PackageId) -> impl Ord + use<> {
        let universe = self.universe;
        let id = universe.version(version).package;
        let package = universe.package(id);
        (
            !self.mark(id).protected,
            package.group != universe.package(target).group,
            !package.essential,
            !package.protected,
            package.architecture,
            universe.stanza(version).priority,
            Reverse(id),
        )
    }
}
