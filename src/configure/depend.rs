//! Whether a package's dependencies are met, will be, or can't be; what breaks it, and what conflicts with it.

use super::{Error, Run};
use crate::dpkg::{
    database::{Database, PackageId, Qualified},
    package::{MultiArch, Package},
    relation::{Kind, Relation, render_group, render_version},
    state::State,
};

/// What comes of one way to meet a dependency; the order counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Found {
    Nothing,
    /// It may be met later.
    Deferred,
    Met,
}

/// What comes of all dependencies of a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Dependencies {
    Met,
    /// Some may be met later; if triggers of one package would meet all of them, this is it.
    Deferred(Option<PackageId>),
    /// Some can't be met, as the text says.
    Unmet(String),
}

/// Where a relation stands: package, field, group and place in the group.
pub(super) type Place = (PackageId, Kind, usize, usize);

/// The fields that must be met before a package is configured, in dpkg's order.
pub(super) const NEEDED: [Kind; 2] = [Kind::Depends, Kind::PreDepends];

/// Whether a version meets a relation.
pub(super) fn version_meets(package: &Package, relation: &Relation) -> bool {
    relation.version.as_ref().is_none_or(|(comparison, version)| comparison.holds(&package.version, version))
}

/// Whether a package's architecture meets a relation in a field of `dependent`.
pub(super) fn architecture_meets(
    database: &Database,
    package: &Package,
    dependent: &Package,
    kind: Kind,
    relation: &Relation,
) -> bool {
    if relation.architecture.is_none() && package.multi_arch == MultiArch::Foreign {
        return true;
    }
    let negative = matches!(kind, Kind::Conflicts | Kind::Breaks | Kind::Replaces);
    let any = match &relation.architecture {
        Some(qualifier) => qualifier == "any",
        None => negative,
    };
    if any && (negative || package.multi_arch == MultiArch::Allowed) {
        return true;
    }
    let wanted = relation.architecture.as_deref().unwrap_or(&dependent.architecture);
    let native = |name: &'_ str| if name == "all" { database.native.clone() } else { name.to_owned() };
    native(wanted) == native(&package.architecture)
}

/// Whether a `Provides` entry meets a relation: one without a version meets none that asks for one.
fn provision_meets(provision: &Relation, relation: &Relation) -> bool {
    match (&provision.version, &relation.version) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some((_, provided)), Some((comparison, version))) => comparison.holds(provided, version),
    }
}

impl Run<'_> {
    /// The real packages that a relation may mean.
    pub(super) fn candidates(&self, dependent: PackageId, kind: Kind, relation: &Relation) -> Vec<PackageId> {
        let database = self.database();
        let instances = database.instances(&relation.package).iter().copied();
        let meets =
            |id: &PackageId| architecture_meets(database, database.get(*id), database.get(dependent), kind, relation);
        instances.filter(meets).collect()
    }

    /// Whether the package can be configured now.
    pub(super) fn dependencies(&self, id: PackageId) -> Dependencies {
        let package = self.package(id);
        let mut unmet = String::new();
        let (mut deferred, mut other_means, mut by_trigger) = (false, false, None);
        for kind in NEEDED {
            for (index, group) in package.relations(kind).iter().enumerate() {
                let mut trigger = None;
                match self.group(id, kind, index, group, &mut trigger) {
                    Found::Met => {}
                    Found::Deferred => {
                        deferred = true;
                        match trigger {
                            Some(trigger) => by_trigger = Some(trigger),
                            None => other_means = true,
                        }
                    }
                    Found::Nothing => {
                        unmet.push_str(&format!("\n    it needs {}{}", render_group(group), self.whereabouts(group)));
                    }
                }
            }
        }
        if !unmet.is_empty() {
            return Dependencies::Unmet(unmet);
        }
        if deferred { Dependencies::Deferred(by_trigger.filter(|_| !other_means)) } else { Dependencies::Met }
    }

    fn whereabouts(&self, group: &[Relation]) -> String {
        let database = self.database();
        let known = group.iter().flat_map(|relation| database.instances(&relation.package));
        let known = known.map(|id| {
            let package = database.get(*id);
            let version = render_version(&package.version);
            format!("; {} {version} is {}", database.name(*id, Qualified::IfAmbiguous), package.state)
        });
        let text: String = known.collect();
        if text.is_empty() { ", which is not there".to_owned() } else { text }
    }

    fn group(
        &self,
        id: PackageId,
        kind: Kind,
        index: usize,
        group: &[Relation],
        trigger: &mut Option<PackageId>,
    ) -> Found {
        let mut found = Found::Nothing;
        for (at, relation) in group.iter().enumerate() {
            if self.queue.is_broken((id, kind, index, at)) {
                return Found::Met;
            }
            for candidate in self.candidates(id, kind, relation) {
                found = found.max(self.candidate(candidate, version_meets(self.package(candidate), relation), trigger));
                if found == Found::Met {
                    return found;
                }
            }
            for (provider, provision) in self.queue.providers(&relation.package) {
                let provided = &self.package(*provider).relations(Kind::Provides)[*provision][0];
                let database = self.database();
                let package = database.get(*provider);
                if !architecture_meets(database, package, self.package(id), kind, relation) {
                    continue;
                }
                let mut one = self.candidate(*provider, provision_meets(provided, relation), trigger);
                if one == Found::Deferred && *provider == id {
                    // A package that provides what it needs is being configured right now.
                    one = Found::Met;
                }
                found = found.max(one);
                if found == Found::Met {
                    return found;
                }
            }
        }
        found
    }

    /// What a package does for a dependency that it may meet.
    fn candidate(&self, id: PackageId, meets: bool, trigger: &mut Option<PackageId>) -> Found {
        match self.package(id).state {
            State::NotInstalled | State::ConfigFiles | State::HalfInstalled => Found::Nothing,
            _ if !meets => Found::Nothing,
            State::Installed | State::TriggersPending => Found::Met,
            State::TriggersAwaited => {
                *trigger = self.awaiting.awaited_by(id).first().copied();
                Found::Deferred
            }
            State::Unpacked | State::HalfConfigured => {
                if self.queue.is_to_be_installed(id) {
                    Found::Deferred
                } else {
                    Found::Nothing
                }
            }
        }
    }

    /// What breaks the package: an installed package whose `Breaks` means it.
    pub(super) fn breaks(&self, id: PackageId) -> Option<String> {
        let database = self.database();
        let package = database.get(id);
        let provided = package.relations(Kind::Provides).iter().flatten();
        let names = std::iter::once((package.name.as_str(), None))
            .chain(provided.map(|provision| (provision.package.as_str(), Some(provision))));
        for (name, provision) in names {
            for (breaker, place) in self.queue.breakers(name) {
                let theirs = database.get(*breaker);
                let relation = &theirs.relations(Kind::Breaks)[*place][0];
                let there = !matches!(theirs.state, State::NotInstalled | State::ConfigFiles);
                let broken = there
                    && *breaker != id
                    && version_meets(package, relation)
                    && architecture_meets(database, package, theirs, Kind::Breaks, relation)
                    && provision.is_none_or(|provision| provision_meets(provision, relation));
                if broken {
                    return Some(format!("\n    {} breaks {relation}", self.name(*breaker)));
                }
            }
        }
        None
    }

    /// Refuses a package that conflicts with one that is there.
    pub(super) fn check_conflicts(&self, id: PackageId) -> Result<(), Error> {
        let database = self.database();
        for other in database.ids().filter(|other| *other != id && database.get(*other).name != database.get(id).name) {
            if self.conflicts(id, other) || self.conflicts(other, id) {
                return Err(Error::Conflict { package: self.name(id), other: self.name(other) });
            }
        }
        Ok(())
    }

    /// Whether the first package's `Conflicts` means the second.
    fn conflicts(&self, first: PackageId, second: PackageId) -> bool {
        let database = self.database();
        let (ours, theirs) = (database.get(first), database.get(second));
        ours.relations(Kind::Conflicts).iter().flatten().any(|relation| {
            let real = relation.package == theirs.name
                && version_meets(theirs, relation)
                && architecture_meets(database, theirs, ours, Kind::Conflicts, relation);
            let mut provided = theirs.relations(Kind::Provides).iter().flatten();
            real || provided
                .any(|provision| provision.package == relation.package && provision_meets(provision, relation))
        })
    }
}
