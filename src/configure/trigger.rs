//! Triggers: noting interests, activating, taking up what scripts activated, and processing.

use super::{Error, Run};
use crate::{
    cause::Cause,
    dpkg::{
        database::{PackageId, Qualified},
        state::State,
        triggers::{self, Directive, DirectiveKind, Interest, TriggerError},
    },
    tree::{Errno, PathError, Stat},
};

impl Run<'_> {
    fn read(&self, path: &[u8]) -> Result<bytes::Bytes, PathError> {
        match self.machine.tree.read(path) {
            Err(error) if error.errno == Errno::NotFound => Ok(bytes::Bytes::new()),
            result => result,
        }
    }

    fn write(&mut self, path: &[u8], text: String) -> Result<(), PathError> {
        let stat = Stat::root(0o644, self.options.epoch.timestamp());
        self.machine.tree.enter(|| Cause::Database { package: None });
        self.machine.tree.write(path, text.into_bytes(), stat)?;
        self.machine.tree.leave();
        Ok(())
    }

    fn parsed<T>(&self, path: &[u8], parse: fn(&[u8]) -> Result<T, TriggerError>) -> Result<T, Error> {
        let bytes = self.read(path)?;
        parse(&bytes).map_err(|source| Error::Triggers { path: path.to_vec(), source })
    }

    fn directives(&self, id: PackageId) -> Result<Vec<Directive>, Error> {
        self.parsed(&self.database().info_path(id, "triggers"), triggers::parse_directives)
    }

    /// Writes down what a package that was just unpacked is interested in.
    pub(super) fn note_interests(&mut self, id: PackageId) -> Result<(), Error> {
        let package = self.database().name(id, Qualified::IfSame);
        for directive in self.directives(id)? {
            if directive.kind != DirectiveKind::Interest {
                continue;
            }
            let interest = Interest { package: package.clone(), awaits: directive.awaits };
            if triggers::is_path(&directive.name) == Some(true) {
                let mut interests = self.parsed(triggers::FILE, triggers::parse_path_interests)?;
                match interests.iter_mut().find(|(path, known)| *path == directive.name && known.package == package) {
                    Some((_, known)) => *known = interest,
                    None => interests.push((directive.name, interest)),
                }
                self.write(triggers::FILE, triggers::render_path_interests(&interests))?;
            } else {
                let path = explicit(&directive.name);
                let mut interests = self.parsed(&path, triggers::parse_interests)?;
                interests.retain(|known| known.package != package);
                interests.push(interest);
                self.write(&path, triggers::render_interests(&interests))?;
            }
        }
        Ok(())
    }

    /// Activates what a package's `triggers` member says whenever the package changes its state.
    pub(super) fn activate_own(&mut self, id: PackageId) -> Result<(), Error> {
        for directive in self.directives(id)? {
            if directive.kind == DirectiveKind::Activate {
                self.activate(&directive.name, directive.awaits.then_some(id))?;
            }
        }
        Ok(())
    }

    /// Activates a trigger, a path with everything above it; `awaiting` is to wait for whoever processes it.
    pub(super) fn activate(&mut self, name: &str, awaiting: Option<PackageId>) -> Result<(), Error> {
        if triggers::is_path(name) == Some(true) {
            return self.activate_path(name, awaiting);
        }
        for interest in self.parsed(&explicit(name), triggers::parse_interests)? {
            self.record(&interest, name, awaiting)?;
        }
        Ok(())
    }

    pub(super) fn activate_path(&mut self, path: &str, awaiting: Option<PackageId>) -> Result<(), Error> {
        let interests = self.parsed(triggers::FILE, triggers::parse_path_interests)?;
        let mut path = path;
        while !path.is_empty() {
            // dpkg keeps the interests in a path with the newest first.
            for (_, interest) in interests.iter().rev().filter(|(known, _)| known == path) {
                self.record(interest, path, awaiting)?;
            }
            path = path.rfind('/').map_or("", |slash| &path[..slash]);
        }
        Ok(())
    }

    /// Notes an activation with the interested package and, if both sides want that, with who waits for it.
    fn record(&mut self, interest: &Interest, name: &str, awaiting: Option<PackageId>) -> Result<(), Error> {
        let Some(pending) = self.database().named(&interest.package) else { return Ok(()) };
        if self.package(pending).state < State::TriggersAwaited {
            return Ok(());
        }
        if !self.package(pending).triggers_pending.iter().any(|known| known == name) {
            let waits = !self.awaiting.awaited_by(pending).is_empty();
            let package = self.database_mut().get_mut(pending);
            package.triggers_pending.insert(0, name.to_owned());
            package.state = if waits { State::TriggersAwaited } else { State::TriggersPending };
            self.note(pending);
        }
        self.queue.defer(pending);
        if let Some(waiting) = awaiting.filter(|_| interest.awaits)
            && self.awaiting.note(pending, waiting)
        {
            let package = self.database_mut().get_mut(waiting);
            if package.state > State::TriggersAwaited {
                package.state = State::TriggersAwaited;
            }
            self.note(waiting);
        }
        Ok(())
    }

    /// Settles what follows from a package's new state: only states about triggers keep pending ones, and nobody waits for a
    /// package that has none.
    pub(super) fn note(&mut self, id: PackageId) {
        let package = self.database_mut().get_mut(id);
        if !matches!(package.state, State::TriggersPending | State::TriggersAwaited) {
            package.triggers_pending.clear();
        }
        let none_pending = package.triggers_pending.is_empty();
        self.name_awaited(id);
        if none_pending {
            self.clear_waiting(id);
        }
    }

    /// The names for the status file of those that a package waits for.
    fn name_awaited(&mut self, id: PackageId) {
        let awaited = self.awaiting.awaited_by(id).iter().map(|other| self.name(*other)).collect();
        self.database_mut().get_mut(id).triggers_awaited = awaited;
    }

    /// Nobody waits for this package any more; those that wait for no other are done.
    pub(super) fn clear_waiting(&mut self, id: PackageId) {
        for waiting in self.awaiting.clear(id) {
            self.name_awaited(waiting);
            let none = self.awaiting.awaited_by(waiting).is_empty();
            let package = self.database_mut().get_mut(waiting);
            if none && package.state == State::TriggersAwaited {
                package.state =
                    if package.triggers_pending.is_empty() { State::Installed } else { State::TriggersPending };
                self.note(waiting);
            }
        }
    }

    /// Takes up the activations that a script left behind.
    pub(super) fn incorporate(&mut self) -> Result<(), Error> {
        let activations = self.parsed(triggers::UNINCORPORATED, triggers::parse_activations)?;
        if activations.is_empty() {
            return Ok(());
        }
        for activation in activations {
            for awaiting in &activation.awaiting {
                let awaiting = awaiting.as_ref().and_then(|name| self.database().named(name));
                self.activate(&activation.name, awaiting)?;
            }
        }
        self.write(triggers::UNINCORPORATED, String::new())?;
        Ok(())
    }

    /// The state that a package comes to when its script has run: triggers may be pending or awaited.
    pub(super) fn settle(&mut self, id: PackageId) -> Result<(), Error> {
        let waits = !self.awaiting.awaited_by(id).is_empty();
        let package = self.database_mut().get_mut(id);
        package.state = match (waits, package.triggers_pending.is_empty()) {
            (true, _) => State::TriggersAwaited,
            (false, false) => State::TriggersPending,
            (false, true) => State::Installed,
        };
        package.config_version = Some(package.version.clone());
        self.note(id);
        self.incorporate()
    }
}

/// The file of a trigger that is no path.
fn explicit(name: &str) -> Vec<u8> {
    [triggers::FOLDER, b"/", name.as_bytes()].concat()
}
