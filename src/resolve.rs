//! Requests to the packages that apt would install into an empty root.
//!
//! apt's choices are the specification: a greedy walk from the requests ([`mark`]) over candidates that priorities fix beforehand
//! ([`candidates`]), a repair of what the walk left broken ([`repair`]), and a sweep of what is marked for nothing
//! ([`garbage`]). Packages are numbered as apt numbers them, for the numbers decide between equals. `ARCHITECTURE.md` lists the
//! rules; the tests put random requests to apt itself.

use std::{collections::BTreeMap, io};

use crate::{deb::packages::Priority, manifest::base::Pin};

mod candidates;
mod conflict;
mod garbage;
mod mark;
mod reason;
mod repair;
pub mod request;
mod score;
mod sort;
mod state;
mod suite;
pub mod universe;

use candidates::Candidates;
use mark::By;
use request::{Choice, Root, RootError};
use state::State;
use universe::{Origin, PackageId, Universe, VersionId};

pub use conflict::Conflict;
pub use reason::Reason;

/// Whose choices are made, for the lock.
pub const RESOLVER: &str = "apt 2.6";

/// apt's walk nests as deep as chains of dependencies, which it cuts at 3,000.
const STACK: usize = 64 << 20;

/// What is to be installed.
#[derive(Clone, Debug)]
pub struct Request<'r> {
    pub roots: &'r [Root],
    /// Asks for the packages marked `Essential: yes` before all others.
    pub essential: bool,
    /// Asks for those of `Priority: required` after them.
    pub required: bool,
    /// Follows Recommends.
    pub recommends: bool,
}

/// The packages that a request comes to, by name and architecture.
#[derive(Clone, Debug)]
pub struct Solution<'u, 'a> {
    pub packages: BTreeMap<(&'a str, &'a str), Chosen<'u, 'a>>,
}

/// A package of a solution.
#[derive(Clone, Debug)]
pub struct Chosen<'u, 'a> {
    pub stanza: &'u crate::deb::packages::Stanza<'a>,
    /// Where the stanza is from.
    pub origin: &'u Origin,
    /// Why it is in: the last link of a shortest chain from a root.
    pub reason: Reason<'a>,
}

/// Why a request has no solution.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    #[error(transparent)]
    Root(#[from] RootError),
    #[error(transparent)]
    Conflict(#[from] Conflict),
    #[error(transparent)]
    Thread(#[from] io::Error),
}

impl ResolveError {
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Root(error) => error.hint(),
            Self::Conflict(conflict) => conflict.hint.clone(),
            Self::Thread(_) => None,
        }
    }
}

type Roots<'r, 'a> = (Vec<(VersionId, Reason<'a>)>, Vec<(VersionId, &'r str)>);

/// A universe in which every package has its candidate, ready for requests.
#[derive(Debug)]
pub struct Resolver<'u, 'a> {
    universe: &'u Universe<'a>,
    candidates: Candidates,
    bits: Vec<u8>,
}

impl<'u, 'a> Resolver<'u, 'a> {
    pub fn new(universe: &'u Universe<'a>, pins: &[Pin]) -> Self {
        let candidates = candidates::candidates(universe, pins);
        let bits = state::initial_bits(universe, &candidates);
        Self { universe, candidates, bits }
    }

    /// The packages that apt would install.
    pub fn solve(&self, request: &Request<'_>) -> Result<Solution<'u, 'a>, ResolveError> {
        std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().name("resolve".to_owned()).stack_size(STACK);
            let thread = thread.spawn_scoped(scope, || self.solve_here(request))?;
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    fn solve_here(&self, request: &Request<'_>) -> Result<Solution<'u, 'a>, ResolveError> {
        let mut state = State::new(self.universe, &self.candidates, self.bits.clone(), request.recommends);
        let (roots, suites) = self.roots(&mut state, request)?;
        let mut requested: Vec<PackageId> = Vec::new();
        for (version, _) in &roots {
            let id = self.universe.version(*version).package;
            state.set_candidate(*version);
            state.protect(id);
            state.mark_install(id, false, 0, By::Request);
            requested.push(id);
        }
        let mut changed = Vec::new();
        for (version, suite) in suites {
            changed.push(version);
            state.follow_suite(version, suite, &mut changed);
        }
        for &id in &requested {
            state.mark_install(id, true, 0, By::Request);
        }
        repair::repair(&mut state, &requested);
        if state.broken != 0 {
            let mut fresh = State::new(self.universe, &self.candidates, self.bits.clone(), request.recommends);
            roots.iter().for_each(|(version, _)| fresh.set_candidate(*version));
            return Err(conflict::conflict(&fresh, &state, &roots).into());
        }
        garbage::drop_unreachable(&mut state);
        Ok(self.solution(&state, &roots))
    }

    /// The versions asked for, each once, with the reason; and those that were asked for by suite.
    fn roots<'r>(&self, state: &mut State<'_, '_>, request: &Request<'r>) -> Result<Roots<'r, 'a>, RootError> {
        let mut roots: Vec<(VersionId, Reason<'a>)> = Vec::new();
        let mut suites = Vec::new();
        if request.essential {
            roots.extend(self.all(state, |id| self.universe.package(id).essential).map(|id| (id, Reason::Essential)));
        }
        if request.required {
            let is_required = |id| {
                let candidate = state.mark(id).candidate;
                candidate.is_some_and(|version| self.universe.stanza(version).priority == Priority::Required)
            };
            roots.extend(self.all(state, is_required).map(|id| (id, Reason::Required)));
        }
        for root in request.roots {
            let version = state.root(root)?;
            roots.push((version, Reason::Requested(root.to_string())));
            if let Choice::Suite(suite) = &root.choice {
                suites.push((version, suite.as_str()));
            }
        }
        let mut seen = vec![false; self.universe.versions.len()];
        roots.retain(|(version, _)| !std::mem::replace(&mut seen[version.index()], true));
        Ok((roots, suites))
    }

    /// Candidates of the native packages that `suits`.
    fn all(&self, state: &State<'_, '_>, suits: impl Fn(PackageId) -> bool) -> impl Iterator<Item = VersionId> {
        let native = |id: &PackageId| self.universe.package(*id).architecture == self.universe.native();
        let ids = self.universe.package_ids().filter(native).filter(move |id| suits(*id));
        ids.filter_map(|id| state.mark(id).candidate)
    }

    fn solution(&self, state: &State<'u, 'a>, roots: &[(VersionId, Reason<'a>)]) -> Solution<'u, 'a> {
        let reasons = reason::reasons(state, roots);
        let mut packages = BTreeMap::new();
        for id in self.universe.package_ids() {
            let mark = state.mark(id);
            if let Some(version) = mark.version.filter(|_| mark.install) {
                let (index, at) = self.universe.version(version).stanzas[0];
                let index = &self.universe.indexes[index];
                let stanza = &index.stanzas[at];
                let reason = reasons[id.index()].clone().unwrap_or(Reason::Unreached);
                let chosen = Chosen { stanza, origin: &index.origin, reason };
                packages.insert((stanza.name, stanza.architecture), chosen);
            }
        }
        Solution { packages }
    }
}
