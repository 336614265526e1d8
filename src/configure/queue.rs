//! The order of configuration: dpkg's queue, its rounds, and the processing of triggers.
//!
//! Packages that can't be configured yet go to the end of the queue. When a while passes without any being configured, the next
//! round allows more: first cycles of dependencies are broken, then triggers are processed for packages that are awaited.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::{
    Error, Run,
    depend::{Dependencies, Place},
};
use crate::dpkg::{
    database::{Database, PackageId},
    relation::Kind,
    state::{State, Want},
};

/// What is allowed to get on, numbered as dpkg's tries; 5 and 6 allow more only to those who force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Round(u8);

impl Round {
    const CYCLES: Self = Self(2);
    const TRIGGERS: Self = Self(3);
    const TRIGGER_CYCLES: Self = Self(4);
    const LAST: Self = Self(7);
}

impl Default for Round {
    fn default() -> Self {
        Self(1)
    }
}

/// Packages to be configured and what is known about them.
#[derive(Debug, Default)]
pub(super) struct Queue {
    packages: VecDeque<PackageId>,
    queued: BTreeSet<PackageId>,
    /// Packages that will be configured if they can.
    to_be_installed: BTreeSet<PackageId>,
    round: Round,
    /// Packages looked at since one was last configured.
    since_nothing: usize,
    /// A package whose triggers would let another be configured.
    by_trigger: Option<PackageId>,
    /// Relations that are ignored because they close a cycle.
    broken: BTreeSet<Place>,
    /// Who provides a name, in dpkg's order: package and place in its `Provides`.
    providers: BTreeMap<String, Vec<(PackageId, usize)>>,
    /// Who breaks a name: package and place in its `Breaks`.
    breakers: BTreeMap<String, Vec<(PackageId, usize)>>,
    /// Packages whose triggers are processed at the end, unless they were before.
    deferred: VecDeque<PackageId>,
    cycle: TriggerCycle,
}

/// Pending triggers at each processing, to notice when they go round in a circle: a hare that goes on with each processing
/// and a tortoise that goes half as fast.
#[derive(Debug, Default)]
struct TriggerCycle {
    steps: Vec<Vec<(PackageId, Vec<String>)>>,
    tortoise: usize,
    advance: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Processing {
    /// Because the queue came to the package.
    Queued,
    /// At the end, if nothing hinders.
    Deferred,
}

impl Queue {
    pub(super) fn is_to_be_installed(&self, id: PackageId) -> bool {
        self.to_be_installed.contains(&id)
    }

    pub(super) fn is_broken(&self, place: Place) -> bool {
        self.broken.contains(&place)
    }

    pub(super) fn break_at(&mut self, place: Place) {
        self.broken.insert(place);
    }

    pub(super) fn providers(&self, name: &str) -> &[(PackageId, usize)] {
        self.providers.get(name).map_or(&[], Vec::as_slice)
    }

    pub(super) fn breakers(&self, name: &str) -> &[(PackageId, usize)] {
        self.breakers.get(name).map_or(&[], Vec::as_slice)
    }

    /// Processes the package's triggers at the end.
    pub(super) fn defer(&mut self, id: PackageId) {
        if !self.deferred.contains(&id) {
            self.deferred.push_back(id);
        }
    }

    fn push(&mut self, id: PackageId) {
        if self.queued.insert(id) {
            self.packages.push_back(id);
        }
    }

    /// Fills the tables by name; dpkg has the package that it read last first.
    fn index(&mut self, database: &Database) {
        for id in database.sorted() {
            for (kind, table) in [(Kind::Provides, &mut self.providers), (Kind::Breaks, &mut self.breakers)] {
                for (place, group) in database.get(id).relations(kind).iter().enumerate() {
                    table.entry(group[0].package.clone()).or_default().insert(0, (id, place));
                }
            }
        }
    }
}

impl Run<'_> {
    /// Configures everything that is unpacked, and processes the triggers. It can be that triggers remain which dpkg would
    /// process when it is started again: then this is `true`, unless nothing was done at all.
    pub(super) fn configure_pending(&mut self) -> Result<bool, Error> {
        let before = self.states();
        let database = self.database();
        let pending = |id: &PackageId| {
            let package = database.get(*id);
            let pending = matches!(package.state, State::Unpacked | State::HalfConfigured)
                || !package.triggers_pending.is_empty();
            pending && matches!(package.want, Want::Install | Want::Hold)
        };
        let pending: Vec<_> = database.walk().into_iter().filter(pending).collect();
        self.configure_all(&pending)?;
        let after = self.states();
        Ok(after != before && after.iter().any(|(state, _)| *state != State::Installed))
    }

    /// Configures these packages, which are queued in this order, and processes the triggers: one run of dpkg.
    pub(super) fn configure_all(&mut self, packages: &[PackageId]) -> Result<(), Error> {
        self.queue = Queue::default();
        let database =
            self.machine.dpkg.as_ref().expect("the database is there from the beginning to the end of a run");
        self.queue.index(database);
        packages.iter().for_each(|id| self.queue.push(*id));
        self.queue.to_be_installed.clone_from(&self.queue.queued);
        self.process_queue()?;
        while let Some(id) = self.queue.deferred.pop_front() {
            self.process_triggers(id, Processing::Deferred)?;
        }
        Ok(())
    }

    fn states(&self) -> Vec<(State, usize)> {
        let database = self.database();
        let state = |id| (database.get(id).state, database.get(id).triggers_pending.len());
        database.ids().map(state).collect()
    }

    fn process_queue(&mut self) -> Result<(), Error> {
        while let Some(mut id) = self.queue.packages.pop_front() {
            self.queue.queued.remove(&id);
            let length = self.queue.packages.len();
            let waited = self.queue.since_nothing;
            self.queue.since_nothing += 1;
            if waited > length * 3 + 2 {
                self.next_round(id)?;
            } else if self.queue.since_nothing > length * 2 + 2 {
                let by_trigger = self.queue.by_trigger.filter(|_| self.queue.round >= Round::TRIGGERS);
                match by_trigger.filter(|other| !self.package(*other).triggers_pending.is_empty()) {
                    Some(other) => {
                        self.queue.push(id);
                        self.queue.by_trigger = None;
                        id = other;
                    }
                    None => self.next_round(id)?,
                }
            }
            if self.package(id).triggers_pending.is_empty() {
                self.configure(id)?;
            } else {
                self.process_triggers(id, Processing::Queued)?;
            }
        }
        Ok(())
    }

    fn next_round(&mut self, id: PackageId) -> Result<(), Error> {
        self.queue.round.0 += 1;
        self.queue.since_nothing = 0;
        if self.queue.round < Round::LAST {
            return Ok(());
        }
        let problems = match self.dependencies(id) {
            Dependencies::Unmet(problems) => problems,
            _ => "\n    its dependencies wait for it".to_owned(),
        };
        Err(Error::Dependencies { package: self.name(id), problems })
    }

    /// Configures one package, or puts it to the end of the queue.
    fn configure(&mut self, id: PackageId) -> Result<(), Error> {
        if self.package(id).state >= State::TriggersAwaited {
            return Ok(());
        }
        if self.queue.round >= Round::CYCLES && self.break_cycle(id) {
            self.queue.since_nothing = 0;
        }
        match self.dependencies(id) {
            Dependencies::Deferred(by_trigger) => {
                self.queue.by_trigger = by_trigger.or(self.queue.by_trigger);
                self.queue.push(id);
                return Ok(());
            }
            Dependencies::Unmet(problems) => return Err(Error::Dependencies { package: self.name(id), problems }),
            Dependencies::Met => {}
        }
        self.queue.cycle = TriggerCycle::default();
        if let Some(problems) = self.breaks(id) {
            return Err(Error::Dependencies { package: self.name(id), problems });
        }
        self.queue.since_nothing = 0;
        let name = self.name(id);
        self.report.configured.push(name);
        (self.advance)(1);
        self.activate_own(id)?;
        self.place_conffiles(id)?;
        self.database_mut().get_mut(id).state = State::HalfConfigured;
        self.note(id);
        self.postinst(id, &["configure".to_owned(), String::new()])?;
        self.database_mut().get_mut(id).triggers_pending.clear();
        self.settle(id)
    }

    /// Processes a package's pending triggers, or puts it to the end of the queue.
    fn process_triggers(&mut self, id: PackageId, processing: Processing) -> Result<(), Error> {
        self.queue.deferred.retain(|other| *other != id);
        if self.package(id).triggers_pending.is_empty() {
            self.clear_waiting(id);
            return Ok(());
        }
        if self.queue.round < Round::TRIGGERS && processing == Processing::Queued {
            self.queue.push(id);
            return Ok(());
        }
        if self.queue.round >= Round::CYCLES && self.break_cycle(id) {
            self.queue.since_nothing = 0;
        }
        match self.dependencies(id) {
            Dependencies::Deferred(by_trigger) => {
                self.queue.by_trigger = by_trigger.or(self.queue.by_trigger);
                if self.queue.round >= Round::TRIGGER_CYCLES {
                    self.check_trigger_cycle()?;
                }
                self.queue.push(id);
                return Ok(());
            }
            Dependencies::Unmet(_) if processing == Processing::Deferred => {
                self.queue.cycle = TriggerCycle::default();
                return Ok(());
            }
            Dependencies::Unmet(problems) => return Err(Error::Dependencies { package: self.name(id), problems }),
            Dependencies::Met => {}
        }
        self.check_trigger_cycle()?;
        let names = self.package(id).triggers_pending.join(" ");
        self.database_mut().get_mut(id).state = State::HalfConfigured;
        self.note(id);
        self.queue.since_nothing = 0;
        self.postinst(id, &["triggered".to_owned(), names])?;
        self.settle(id)
    }

    /// Notes what is pending, and fails when nothing that was pending before has been done since.
    fn check_trigger_cycle(&mut self) -> Result<(), Error> {
        let database = self.database();
        let pending = database.walk().into_iter().map(|id| (id, database.get(id).triggers_pending.clone()));
        let now: Vec<(PackageId, Vec<String>)> = pending.filter(|(_, names)| !names.is_empty()).collect();
        let cycle = &mut self.queue.cycle;
        cycle.steps.push(now);
        if cycle.steps.len() == 1 {
            return Ok(());
        }
        if cycle.advance {
            cycle.tortoise += 1;
        }
        cycle.advance = !cycle.advance;
        let then = self.queue.cycle.steps[self.queue.cycle.tortoise].clone();
        let still = |(id, names): &(PackageId, Vec<String>)| {
            names.iter().all(|name| self.package(*id).triggers_pending.contains(name))
        };
        if then.iter().all(still) {
            return Err(Error::TriggerCycle(then.iter().map(|(id, _)| self.name(*id)).collect()));
        }
        Ok(())
    }
}
