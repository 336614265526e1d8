//! Why a request has no solution, in a few lines: the relation that cannot hold, and what led to it.
//!
//! What the roots make necessary is followed breadth first: clauses with one solution, or, if these contradict nothing, the
//! first solution of every clause, which is what the walk tries first.

use std::{collections::VecDeque, fmt};

use super::{
    reason::{Reason, show_clause},
    state::State,
    universe::{Clause, PackageId, Relation, Universe, VersionId},
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

/// Lines of a derivation.
const LINES: usize = 6;

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
            offers.push(offer(self.state, relation));
            let versions = &universe.package(relation.target).versions;
            if let Some(id) = versions.iter().find(|id| universe.holds(relation, universe.version(**id).text)) {
                let (name, choice) = (universe.name(relation.target), self.choice(*id));
                let pinned =
                    if self.state.mark(relation.target).candidate.is_none() { ", or change its pin" } else { "" };
                hint.get_or_insert_with(|| format!("ask for `{name}{choice}`, whose version suits{pinned}"));
            }
        }
        let mut derivation = vec![format!("{} cannot hold: {}", self.relation(clause), offers.join("; "))];
        derivation.extend(self.wanted(parent));
        derivation.extend(self.others(parent));
        derivation.truncate(LINES);
        let root = self.root(parent);
        let hint =
            hint.or_else(|| Some(format!("leave out `{}`, or give the base a suite or an archive that has it", root?)));
        Conflict { derivation, hint }
    }

    /// What asks for a version behind its package's name: its suite, unless that has others.
    fn choice(&self, id: VersionId) -> String {
        let universe = self.state.universe;
        let (own, version) = (suite(universe, id), universe.version(id));
        let versions = &universe.package(version.package).versions;
        match versions.iter().filter(|other| suite(universe, **other) == own).count() {
            1 => format!("/{own}"),
            _ => format!("={}", version.text),
        }
    }

    /// Why other alternatives on the way to a package don't help.
    fn others(&self, version: VersionId) -> Vec<String> {
        let universe = self.state.universe;
        let mut lines = Vec::new();
        let mut at = version;
        while let Some(Link::Clause(clause)) = self.links[at.index()] {
            let others = self.state.solutions(clause).into_iter().filter(|other| *other != at);
            lines.extend(others.filter_map(|other| {
                Some(format!("{} is no way out: {}", show(universe, other), self.against(other)?))
            }));
            at = universe.relation(clause.start).version;
        }
        lines
    }

    /// What stands against a version that is not needed.
    fn against(&self, version: VersionId) -> Option<String> {
        let universe = self.state.universe;
        for clause in universe.clauses_of(version) {
            let start = universe.relation(clause.start);
            let solutions = self.state.solutions(clause);
            if start.is_negative() {
                if let Some(other) = solutions.into_iter().find(|other| self.links[other.index()].is_some()) {
                    return Some(self.hurt(clause, other));
                }
            } else if start.is_critical() && solutions.is_empty() {
                return Some(format!("{} cannot hold", self.relation(clause)));
            }
        }
        let negative = |clause: &Clause| universe.relation(clause.start).is_negative();
        let needed = self.versions.iter().flat_map(|needed| universe.clauses_of(*needed)).filter(negative);
        let hurts = needed.into_iter().find(|clause| self.state.solutions(*clause).contains(&version));
        hurts.map(|clause| self.hurt(clause, version))
    }

    /// A relation that forbids `other`.
    fn hurt(&self, clause: Clause, other: VersionId) -> String {
        let universe = self.state.universe;
        let is_it = clause.alternatives().any(|id| universe.relation(id).target == universe.version(other).package);
        let (relation, other) = (self.relation(clause), show(universe, other));
        if is_it { format!("{relation}, which is {other}") } else { format!("{relation}, which {other} provides") }
    }

    /// What was asked for and led to a version.
    fn root(&self, version: VersionId) -> Option<&str> {
        let mut at = version;
        loop {
            match self.links[at.index()]? {
                Link::Clause(clause) => at = self.state.universe.relation(clause.start).version,
                Link::Root(root) => match &self.roots[root].1 {
                    Reason::Requested(text) => return Some(text),
                    _ => return None,
                },
            }
        }
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
                    return Some(self.show_pair(self.hurt(clause, other), version, other));
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
        let mut roots: Vec<&str> = [self.root(a), self.root(b)].into_iter().flatten().collect();
        roots.dedup();
        let hint = match roots.as_slice() {
            [] => "the base contradicts itself: change its suites or pins".to_owned(),
            roots => format!("leave out `{}`", roots.join("` or `")),
        };
        let hint = Some(hint);
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

/// What there is under the name of a relation.
fn offer(state: &State<'_, '_>, relation: &Relation) -> String {
    let universe = state.universe;
    let (name, package) = (universe.name(relation.target), universe.package(relation.target));
    let mut texts = Vec::new();
    if !package.versions.is_empty() {
        let versions: Vec<_> = package
            .versions
            .iter()
            .map(|id| {
                let (index, _) = universe.version(*id).stanzas[0];
                let origin = &universe.indexes[index].origin;
                let rare = if origin.not_automatic { ", NotAutomatic" } else { "" };
                format!("{} ({}{rare})", universe.version(*id).text, origin.suite)
            })
            .collect();
        let chosen = match state.mark(relation.target).candidate {
            None => "pinned out".to_owned(),
            Some(id) => format!("candidate {}", universe.version(id).text),
        };
        let chosen =
            if package.versions.len() == 1 && chosen.starts_with('c') { String::new() } else { format!(", {chosen}") };
        texts.push(format!("{name} comes in {}{chosen}", versions.join(", ")));
    }
    for provide in package.provided_by.iter().map(|id| universe.provide(*id)) {
        let version = provide.version.map_or("without a version".to_owned(), |version| format!("as version {version}"));
        texts.push(format!("{} provides {name} {version}", show(universe, provide.owner)));
    }
    match texts.is_empty() {
        true => format!("no package provides {name}"),
        false => texts.join(", "),
    }
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
    derivation.truncate(LINES);
    Conflict { derivation, hint: Some("every alternative was tried in apt's order, without going back".to_owned()) }
}
