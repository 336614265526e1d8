//! What is marked for installation, and which relations hold: apt's dependency cache, of an empty root.
//!
//! Each relation has two bits, whether what is marked satisfies it and whether the candidates would; the last alternative of a
//! clause has both for the clause. They are brought up to date when a package changes its mark, *not* when it loses its
//! candidate, and later choices see that: apt's do too.

use rayon::prelude::*;

use super::{
    candidates::Candidates,
    universe::{PackageId, RelationId, Universe, VersionId},
};
use crate::deb::dependency::Field;

/// What is marked satisfies this relation.
pub(super) const MARKED: u8 = 1;
/// The candidates would satisfy it.
pub(super) const CANDIDATES: u8 = 2;
/// The two for the alternatives up to this one.
pub(super) const CLAUSE_MARKED: u8 = MARKED << CLAUSE;
pub(super) const CLAUSE_CANDIDATES: u8 = CANDIDATES << CLAUSE;
const CLAUSE: u8 = 2;

/// One package's mark.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark {
    /// What may be marked. It can be lost on the way.
    pub(super) candidate: Option<VersionId>,
    /// What will be installed.
    pub(super) version: Option<VersionId>,
    /// Whether that was asked for; false with a version only where apt forgets to take the version back.
    pub(super) install: bool,
    /// Only a request can change the mark.
    pub(super) protected: bool,
    /// Came in by a relation.
    pub(super) automatic: bool,
    /// A critical relation of the version does not hold.
    pub(super) broken: bool,
    /// A critical or a wanted one does not.
    pub(super) wanting: bool,
}

/// Marks and bits, and the count of packages that are broken.
#[derive(Clone, Debug)]
pub(super) struct State<'u, 'a> {
    pub(super) universe: &'u Universe<'a>,
    pub(super) recommends: bool,
    marks: Vec<Mark>,
    bits: Vec<u8>,
    pub(super) broken: usize,
    pub(super) wanting: usize,
}

/// The bits of an empty root.
pub(super) fn initial_bits(universe: &Universe<'_>, candidates: &Candidates) -> Vec<u8> {
    let relations = 0..universe.relations.len();
    let satisfies = |id: RelationId| {
        let hit = satisfied(universe, id, |package| candidates[package.index()]);
        let bits = if hit { CANDIDATES } else { 0 };
        if universe.relation(id).is_negative() { !bits & (MARKED | CANDIDATES) } else { bits }
    };
    let mut bits: Vec<u8> = relations.into_par_iter().map(|at| satisfies(RelationId::new(at))).collect();
    for at in 0..bits.len() {
        bits[at] = with_clause(universe, RelationId::new(at), &bits);
    }
    bits
}

/// The bits of a relation with those of its clause up to it.
fn with_clause(universe: &Universe<'_>, id: RelationId, bits: &[u8]) -> u8 {
    let at = id.index();
    let own = bits[at] & (MARKED | CANDIDATES);
    let continues =
        at > 0 && universe.relations[at - 1].or && universe.relations[at - 1].version == universe.relations[at].version;
    let before = if continues { bits[at - 1] >> CLAUSE } else { 0 };
    own | ((own | before) << CLAUSE)
}

/// Whether the versions that `chosen` gives satisfy a relation; a negative one, whether they are what it is against.
fn satisfied(universe: &Universe<'_>, id: RelationId, chosen: impl Fn(PackageId) -> Option<VersionId>) -> bool {
    let relation = universe.relation(id);
    let target = relation.target;
    if let Some(version) = chosen(target)
        && !universe.spares_package(id, target)
        && universe.holds(relation, universe.version(version).text)
    {
        return true;
    }
    universe.package(target).provided_by.iter().any(|&provide| {
        let entry = universe.provide(provide);
        chosen(universe.version(entry.owner).package) == Some(entry.owner)
            && !universe.spares_provide(id, provide)
            && universe.holds_for(relation, entry)
    })
}

impl<'u, 'a> State<'u, 'a> {
    pub(super) fn new(universe: &'u Universe<'a>, candidates: &Candidates, bits: Vec<u8>, recommends: bool) -> Self {
        let mark = |candidate: &Option<VersionId>| Mark {
            candidate: *candidate,
            version: None,
            install: false,
            protected: false,
            automatic: false,
            broken: false,
            wanting: false,
        };
        let marks = candidates.iter().map(mark).collect();
        Self { universe, recommends, marks, bits, broken: 0, wanting: 0 }
    }

    pub(super) fn mark(&self, id: PackageId) -> &Mark {
        &self.marks[id.index()]
    }

    pub(super) fn bits(&self, id: RelationId) -> u8 {
        self.bits[id.index()]
    }

    /// A relation that is followed: critical ones, and recommendations if they are wanted.
    pub(super) fn is_followed(&self, id: RelationId) -> bool {
        let relation = self.universe.relation(id);
        relation.is_critical() || (self.recommends && relation.field == Field::Recommends)
    }

    pub(super) fn protect(&mut self, id: PackageId) {
        self.marks[id.index()].protected = true;
    }

    pub(super) fn unprotect(&mut self, id: PackageId) {
        self.marks[id.index()].protected = false;
    }

    pub(super) fn set_automatic(&mut self, id: PackageId, automatic: bool) {
        self.marks[id.index()].automatic = automatic;
    }

    /// Bits stay as they are.
    pub(super) fn drop_candidate(&mut self, id: PackageId) {
        let mark = &mut self.marks[id.index()];
        mark.candidate = mark.version;
    }

    /// The package has no candidate any more and is no longer asked for; its version stays, and so do the bits.
    pub(super) fn disqualify(&mut self, id: PackageId) {
        let mark = &mut self.marks[id.index()];
        mark.candidate = None;
        mark.install = false;
    }

    /// Makes a version the candidate, before anything is marked.
    pub(super) fn set_candidate(&mut self, version: VersionId) {
        let id = self.universe.version(version).package;
        let before = self.marks[id.index()].candidate;
        if before == Some(version) {
            return;
        }
        let mark = &mut self.marks[id.index()];
        if mark.install && mark.candidate == mark.version {
            mark.version = Some(version);
        }
        mark.candidate = Some(version);
        self.update(id);
    }

    /// Marks the candidate.
    pub(super) fn install(&mut self, id: PackageId) {
        let mark = &mut self.marks[id.index()];
        mark.version = mark.candidate;
        mark.install = true;
        self.update(id);
    }

    /// Takes the mark back.
    pub(super) fn clear(&mut self, id: PackageId) {
        let mark = &mut self.marks[id.index()];
        mark.version = None;
        mark.install = false;
        self.update(id);
    }

    /// Brings up to date what depends on a package's mark.
    fn update(&mut self, id: PackageId) {
        let universe = self.universe;
        self.update_package(id);
        self.update_relations(&universe.package(id).wanted_by);
        if let Some(candidate) = self.mark(id).candidate {
            for &provide in universe.provides_of(candidate) {
                let target = universe.provide(provide).target;
                self.update_relations(&universe.package(target).wanted_by);
            }
        }
    }

    fn update_relations(&mut self, relations: &'u [RelationId]) {
        for &id in relations {
            let relation = self.universe.relation(id);
            let marked = satisfied(self.universe, id, |package| self.marks[package.index()].version);
            // What is marked is mostly the candidate, so that the same versions need no second comparison.
            let target = &self.marks[relation.target.index()];
            let same =
                target.version == target.candidate && self.universe.package(relation.target).provided_by.is_empty();
            let candidates = if same {
                marked
            } else {
                satisfied(self.universe, id, |package| self.marks[package.index()].candidate)
            };
            let mut bits = if marked { MARKED } else { 0 } | if candidates { CANDIDATES } else { 0 };
            if relation.is_negative() {
                bits = !bits & (MARKED | CANDIDATES);
            }
            if bits == self.bits[id.index()] & (MARKED | CANDIDATES) {
                continue;
            }
            self.bits[id.index()] = bits;
            self.update_clause(id);
            let parent = self.universe.parent(id);
            if self.mark(parent).version == Some(relation.version) {
                self.update_package(parent);
            }
        }
    }

    fn update_clause(&mut self, id: RelationId) {
        let mut at = id.index();
        loop {
            self.bits[at] = with_clause(self.universe, RelationId::new(at), &self.bits);
            if !self.universe.relations[at].or || at + 1 == self.bits.len() {
                return;
            }
            at += 1;
        }
    }

    fn update_package(&mut self, id: PackageId) {
        let (mut broken, mut wanting) = (false, false);
        if let Some(version) = self.mark(id).version {
            for clause in self.universe.clauses_of(version) {
                if self.bits(clause.end) & CLAUSE_MARKED != 0 {
                    continue;
                }
                if self.universe.relation(clause.start).is_critical() {
                    (broken, wanting) = (true, true);
                    break;
                }
                wanting |= self.is_followed(clause.start);
            }
        }
        let mark = &mut self.marks[id.index()];
        self.broken = self.broken + usize::from(broken) - usize::from(mark.broken);
        self.wanting = self.wanting + usize::from(wanting) - usize::from(mark.wanting);
        (mark.broken, mark.wanting) = (broken, wanting);
    }
}
