//! Why a request has no solution, in a few lines: the relation that cannot hold, and what led to it.
//!
//! What the roots make necessary is followed breadth first: clauses with one solution, or, if these contradict nothing, the
//! first solution of every clause, which is what the walk tries first.

use std::{collections::VecDeque, fmt};

use super::{
    reason::{Reason, show_clause},
    state::State,
    universe::{Clause, PackageId, Universe, VersionId},
};

/// A request that contradicts itself or what the indexes offer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// At most six lines: the relation that cannot hold, then what wants the packages of it.
    pub derivation: Vec<String>,
    pub hint: Option<String>,
}

impl std::error::Error for Conflict {}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.derivation.join("\n"))
    }
}

/// Links of a chain that are shown; the middle of longer ones is left out.
const LINKS: usize = 5;

/// What stands against a request. `fresh` is the state before anything was marked, `stuck` the one that stayed broken.
pub(super) fn conflict(fresh: &State<'_, '_>, stuck: &State<'_, '_>, roots: &[(VersionId, Reason<'_>)]) -> Conflict {
    let forced = Needed::collect(fresh, roots, |solutions| solutions.len() == 1);
    let first = || Needed::collect(fresh, roots, |_| true);
    forced.fault().or_else(|| first().fault()).unwrap_or_else(|| unexplained(stuck))
}

/// The packages that roots come to, each with the link that led to it.
struct Needed<'s, 'u, 'a, 'r> {
    state: &'s State<'u, 'a>,
    roots: &'r [(VersionId, Reason<'a>)],
    versions: Vec<VersionId>,
    /// By version: the clause that led to it, or the position of its root.
    links: Vec<Option<Link>>,
    /// The first clause without any solution.
    missing: Option<Clause>,
}

#[derive(Clone, Copy)]
enum Link {
    Root(usize),
    Clause(Clause),
}

impl<'s, 'u, 'a, 'r> Needed<'s, 'u, 'a, 'r> {
    fn collect(
        state: &'s State<'u, 'a>,
        roots: &'r [(VersionId, Reason<'a>)],
        follow: impl Fn(&[VersionId]) -> bool,
    ) -> Self {
        let universe = state.universe;
        let links = vec![None; universe.versions.len()];
        let mut needed = Self { state, roots, versions: Vec::new(), links, missing: None };
        let mut queue = VecDeque::new();
        for (at, (version, _)) in roots.iter().enumerate() {
            needed.links[version.index()].get_or_insert(Link::Root(at));
            queue.push_back(*version);
        }
        while let Some(version) = queue.pop_front() {
            needed.versions.push(version);
            for clause in universe.clauses_of(version) {
                let start = universe.relation(clause.start);
                if !start.is_critical() || start.is_negative() {
                    continue;
                }
                let solutions = state.solutions(clause);
                match solutions.first() {
                    None => {
                        needed.missing.get_or_insert(clause);
                    }
                    Some(&first) if follow(&solutions) && needed.links[first.index()].is_none() => {
                        needed.links[first.index()] = Some(Link::Clause(clause));
                        queue.push_back(first);
                    }
                    Some(_) => {}
                }
            }
        }
        needed
    }

    fn fault(&self) -> Option<Conflict> {
        self.missing.map(|clause| self.show_missing(clause)).or_else(|| self.contradiction())
    }

    /// No candidate satisfies the clause.
    fn show_missing(&self, clause: Clause) -> Conflict {
        let universe = self.state.universe;
        let parent = universe.relation(clause.start).version;
        let mut hint = None;
        let mut offers = Vec::new();
        for relation in clause.alternatives().map(|id| universe.relation(id)) {
            let name = universe.name(relation.target);
            let versions = &universe.package(relation.target).versions;
            if versions.is_empty() {
                offers.push(format!("no package provides {name}"));
            } else {
                let texts: Vec<_> = versions.iter().map(|id| universe.version(*id).text).collect();
                offers.push(format!("{name} comes in {}", texts.join(", ")));
            }
            if let Some(id) = versions.iter().find(|id| universe.holds(relation, universe.version(**id).text)) {
                let suite = suite(universe, *id);
                hint.get_or_insert_with(|| format!("ask for `{name}/{suite}`, whose version suits"));
            }
        }
        let what = format!("{} {}", self.relation(clause), "cannot hold");
        let mut derivation = vec![format!("{what}: {}", offers.join("; "))];
        derivation.extend(self.wanted(parent));
        Conflict { derivation, hint }
    }

    /// Two needed packages that do not go together, or two versions of one package.
    fn contradiction(&self) -> Option<Conflict> {
        let universe = self.state.universe;
        for &version in &self.versions {
            for clause in universe.clauses_of(version) {
                if !universe.relation(clause.start).is_negative() {
                    continue;
                }
                let against = self.state.solutions(clause);
                if let Some(other) = against.into_iter().find(|other| self.links[other.index()].is_some()) {
                    let line = format!("{}, which is {}", self.relation(clause), show(universe, other));
                    return Some(self.show_pair(line, version, other));
                }
            }
        }
        let mut chosen: Vec<Option<VersionId>> = vec![None; universe.packages.len()];
        for &version in &self.versions {
            let package: PackageId = universe.version(version).package;
            if let Some(other) = chosen[package.index()].replace(version) {
                let line =
                    format!("only one of {} and {} can be installed", show(universe, other), show(universe, version));
                return Some(self.show_pair(line, other, version));
            }
        }
        None
    }

    fn show_pair(&self, line: String, a: VersionId, b: VersionId) -> Conflict {
        let mut derivation = vec![line];
        derivation.extend(self.wanted(a));
        derivation.extend(self.wanted(b));
        let root = |id: VersionId| match self.links[id.index()] {
            Some(Link::Root(at)) => match &self.roots[at].1 {
                Reason::Requested(text) => Some(text),
                _ => None,
            },
            _ => None,
        };
        let hint = match (root(a), root(b)) {
            (Some(a), Some(b)) => Some(format!("leave out `{a}` or `{b}`")),
            (Some(only), None) | (None, Some(only)) => Some(format!("leave out `{only}`")),
            (None, None) => None,
        };
        Conflict { derivation, hint }
    }

    /// `name version Field: clause`.
    fn relation(&self, clause: Clause) -> String {
        let relation = self.state.universe.relation(clause.start);
        let parent = show(self.state.universe, relation.version);
        format!("{parent} {}: {}", relation.field.as_str(), show_clause(self.state, clause))
    }

    /// The chain from a root to a package.
    fn wanted(&self, version: VersionId) -> Option<String> {
        let universe = self.state.universe;
        let mut links = Vec::new();
        let mut at = version;
        loop {
            match self.links[at.index()]? {
                Link::Root(root) => {
                    links.push(format!("{} is {}", show(universe, at), self.roots[root].1));
                    break;
                }
                Link::Clause(clause) => {
                    links.push(self.relation(clause));
                    at = universe.relation(clause.start).version;
                }
            }
        }
        links.reverse();
        if links.len() == 1 {
            return links.pop();
        }
        if links.len() > LINKS {
            let left_out = links.len() - LINKS;
            links.splice(2..=2 + left_out, [format!("{} more", left_out + 1)]);
        }
        Some(format!("{} is wanted: {}", universe.name(universe.version(version).package), links.join("; ")))
    }
}

fn show(universe: &Universe<'_>, id: VersionId) -> String {
    format!("{} {}", universe.name(universe.version(id).package), universe.version(id).text)
}

fn suite(universe: &Universe<'_>, id: VersionId) -> String {
    let (index, _) = universe.version(id).stanzas[0];
    universe.indexes[index].origin.suite.clone()
}

/// What the repair left broken, when no contradiction was found on the way that the walk tries first.
fn unexplained(stuck: &State<'_, '_>) -> Conflict {
    let universe = stuck.universe;
    let mut derivation = Vec::new();
    for id in universe.package_ids().filter(|id| stuck.mark(*id).broken) {
        let Some(version) = stuck.mark(id).version else { continue };
        for clause in universe.clauses_of(version) {
            let relation = universe.relation(clause.start);
            if relation.is_critical() && stuck.bits(clause.end) & super::state::CLAUSE_MARKED == 0 {
                let what = if relation.is_negative() { "is hurt" } else { "is not met" };
                let (field, clause) = (relation.field.as_str(), show_clause(stuck, clause));
                derivation.push(format!("{} {field}: {clause} {what}", show(universe, version)));
            }
        }
    }
    derivation.truncate(6);
    Conflict { derivation, hint: Some("every alternative was tried in apt's order, without going back".to_owned()) }
}
