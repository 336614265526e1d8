//! Why each package of a solution is in: the last link of a shortest chain from a root.

use std::{collections::VecDeque, fmt};

use super::{
    state::State,
    universe::{Clause, PackageId, RelationId, VersionId},
};
use crate::deb::dependency::Field;

/// Why a package is part of a solution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason<'a> {
    Essential,
    Required,
    /// The root's own words.
    Requested(String),
    /// A clause of another package of the solution.
    Relation {
        name: &'a str,
        architecture: &'a str,
        field: Field,
        clause: String,
    },
    /// apt keeps it though no chain of relations leads to it.
    Unreached,
}

impl fmt::Display for Reason<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Essential => f.write_str("essential"),
            Self::Required => f.write_str("priority required"),
            Self::Requested(root) => write!(f, "requested as {root}"),
            Self::Relation { name, field, clause, .. } => write!(f, "{name} {}: {clause}", field.as_str()),
            Self::Unreached => f.write_str("kept by the resolver"),
        }
    }
}

/// Reasons by package. Chains of dependencies count before chains with a recommendation, those before any with a suggestion.
pub(super) fn reasons<'a>(state: &State<'_, 'a>, roots: &[(VersionId, Reason<'a>)]) -> Vec<Option<Reason<'a>>> {
    let universe = state.universe;
    let mut reasons: Vec<Option<Reason<'a>>> = vec![None; universe.packages.len()];
    for (version, reason) in roots {
        reasons[universe.version(*version).package.index()].get_or_insert_with(|| reason.clone());
    }
    let stages = [Field::Depends, Field::Recommends, Field::Suggests];
    for last in 1..=stages.len() {
        let follows = |field| field == Field::PreDepends || stages[..last].contains(&field);
        let reached = universe.package_ids().filter(|id| reasons[id.index()].is_some());
        let mut queue: VecDeque<PackageId> = reached.collect();
        while let Some(id) = queue.pop_front() {
            let Some(version) = state.mark(id).version else { continue };
            for clause in universe.clauses_of(version) {
                let field = universe.relation(clause.start).field;
                for next in clause.alternatives().filter(|_| follows(field)).flat_map(|id| marked_targets(state, id)) {
                    if reasons[next.index()].is_none() {
                        let stanza = universe.stanza(version);
                        let (name, architecture) = (stanza.name, stanza.architecture);
                        let clause = show_clause(state, clause);
                        reasons[next.index()] = Some(Reason::Relation { name, architecture, field, clause });
                        queue.push_back(next);
                    }
                }
            }
        }
    }
    reasons
}

/// Marked packages that satisfy a relation.
fn marked_targets(state: &State<'_, '_>, id: RelationId) -> Vec<PackageId> {
    let universe = state.universe;
    let relation = universe.relation(id);
    let version = state.mark(relation.target).version;
    let own = version.filter(|version| universe.holds(relation, universe.version(*version).text));
    let mut found: Vec<PackageId> = own.map(|_| relation.target).into_iter().collect();
    for provide in universe.package(relation.target).provided_by.iter().map(|id| universe.provide(*id)) {
        let owner = universe.version(provide.owner).package;
        if state.mark(owner).version == Some(provide.owner) && universe.holds_for(relation, provide) {
            found.push(owner);
        }
    }
    found
}

/// A clause as its field has it.
pub(super) fn show_clause(state: &State<'_, '_>, clause: Clause) -> String {
    let universe = state.universe;
    let show = |id: RelationId| {
        let relation = universe.relation(id);
        let name = universe.name(relation.target);
        match relation.constraint {
            None => name.to_string(),
            Some((comparison, version)) => format!("{name} ({} {version})", comparison.as_str()),
        }
    };
    clause.alternatives().map(show).collect::<Vec<_>>().join(" | ")
}
