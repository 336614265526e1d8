//! A base's indexes, every byte of them led back to a pinned key.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use rayon::prelude::*;

use super::{PipelineError, Result, Session, local::LocalDeb, mirrors, read_any_lock};
use crate::{
    date::Instant,
    deb::packages,
    epoch::machine_now,
    fetch::{Seen, Source, VerifiedIndex, indexes},
    lock::Lock,
    manifest::base::{Archive, Base, Hold, held_at, is_held},
    nearest::nearest,
    resolve::universe::{Builder, Index, Origin, Universe},
    trust::Keyring,
};

/// Fetches and verifies what `base` offers for its architectures. `before` is a lock that must not be newer.
pub(super) fn verified(session: &Session<'_>, base: &Base, before: Option<&Lock>) -> Result<Vec<VerifiedIndex>> {
    let now = Instant::from_seconds(machine_now());
    // A service that is asked for what is to come answers with today's archive, and with another one tomorrow.
    if let Some(timestamp) = base.timestamp.filter(|timestamp| now < *timestamp && !session.net.is_offline()) {
        return Err(PipelineError::Future { base: base.name.clone(), timestamp, now });
    }
    let mirrors = mirrors(session, base)?;
    let mut keyrings = Vec::new();
    for archive in &base.archives {
        let mut files = BTreeMap::new();
        for key in &archive.keys {
            let path = session.project.keys().join(&key.file);
            files.insert(session.project.relative(&path), fs_err::read(&path)?);
        }
        let pins: Vec<_> = archive.keys.iter().map(|key| key.fingerprint.clone()).collect();
        keyrings.push(Keyring::new(&pins, &files.into_iter().collect::<Vec<_>>())?);
    }
    let sources: Vec<Source<'_>> = base
        .archives
        .iter()
        .zip(&keyrings)
        .map(|(archive, keyring)| Source { archive, keyring, mirrors: &mirrors[&archive.name] })
        .collect();
    let seen = match before {
        None if session.net.is_offline() => seen_by_any(session, base)?,
        before => seen(base, before),
    };
    Ok(indexes(session.net, session.store, &sources, &base.architectures(), &seen, now)?)
}

/// The newest signed files that any lock of the base names and the store has: without a network nothing newer is to be had.
fn seen_by_any(session: &Session<'_>, base: &Base) -> Result<BTreeMap<(String, String), Seen>> {
    let mut newest: BTreeMap<(String, String), Seen> = BTreeMap::new();
    for target in session.project.targets()? {
        let lock = read_any_lock(session.project, &base.name, &target)?;
        for (suite, seen) in seen(base, lock.as_ref()) {
            let is_older = newest.get(&suite).is_none_or(|known| known.date < seen.date);
            if is_older && session.store.deb(&seen.digest).is_some() {
                newest.insert(suite, seen);
            }
        }
    }
    Ok(newest)
}

/// What a lock has seen of each suite, by archive and suite.
fn seen(base: &Base, lock: Option<&Lock>) -> BTreeMap<(String, String), Seen> {
    let Some(lock) = lock else { return BTreeMap::new() };
    let mut found = BTreeMap::new();
    for (name, suite) in &lock.suites {
        let seen = Seen { digest: suite.in_release, signature: suite.signature, date: suite.date };
        // What the lock has read at the instant that is held now.
        let held = base.archives.iter().filter(|archive| {
            archive.plain_name() == name.archive && held_at(&archive.name).is_some_and(|at| lock.snapshot == Some(at))
        });
        for archive in held {
            found.entry((archive.name.clone(), name.suite.clone())).or_insert(seen);
        }
        found.insert((name.archive.clone(), name.suite.clone()), seen);
    }
    found
}

/// Takes from the indexes of the base's own instant what is not held: the excepted packages, all of their sources, and what the
/// held indexes don't have at all.
fn apply(hold: &Hold, base: &Base, indexes: &mut [Index<'_>]) -> Result<()> {
    let held: BTreeSet<String> = indexes
        .iter()
        .filter(|index| is_held(&index.origin.archive))
        .flat_map(|index| index.stanzas.iter().map(|stanza| stanza.name.to_owned()))
        .collect();
    let twins: BTreeSet<&str> =
        base.archives.iter().filter(|archive| archive.is_held()).map(Archive::plain_name).collect();
    let is_excepted = |name: &str| hold.except.iter().any(|except| except == name);
    let sources: BTreeSet<String> = indexes
        .iter()
        .flat_map(|index| &index.stanzas)
        .filter(|stanza| is_excepted(stanza.name) || is_excepted(stanza.source.0))
        .map(|stanza| stanza.source.0.to_owned())
        .collect();
    let is_known = |except: &&String| {
        let mut stanzas = indexes.iter().flat_map(|index| &index.stanzas);
        stanzas.any(|stanza| stanza.name == except.as_str() || stanza.source.0 == except.as_str())
    };
    if let Some(unknown) = hold.except.iter().find(|except| !is_known(except)) {
        let names = indexes.iter().flat_map(|index| &index.stanzas).flat_map(|stanza| [stanza.name, stanza.source.0]);
        let nearest = nearest(unknown, names, 3).into_iter().map(str::to_owned).collect();
        return Err(PipelineError::UnknownExcept { package: unknown.clone(), base: base.name.clone(), nearest });
    }
    for index in indexes.iter_mut().filter(|index| twins.contains(index.origin.archive.as_str())) {
        index.stanzas.retain(|stanza| sources.contains(stanza.source.0) || !held.contains(stanza.name));
    }
    Ok(())
}

fn origin(index: &VerifiedIndex) -> Origin {
    let signed = &index.release;
    Origin {
        archive: signed.archive.clone(),
        suite: signed.suite.clone(),
        component: index.component.clone(),
        path: index.path.clone(),
        names: signed.release.suite.iter().chain(&signed.release.codename).cloned().collect(),
        not_automatic: signed.release.not_automatic,
        but_automatic_upgrades: signed.release.but_automatic_upgrades,
    }
}

fn unread(index: &VerifiedIndex, source: packages::Error) -> PipelineError {
    PipelineError::Index { file: format!("{}/{}", index.release.suite, index.path), source }
}

/// Indexes with their texts, for a universe to borrow from.
pub(super) struct Offer {
    pub(super) indexes: Vec<VerifiedIndex>,
    texts: Vec<Bytes>,
}

impl Offer {
    pub(super) fn new(session: &Session<'_>, base: &Base, before: Option<&Lock>) -> Result<Self> {
        Self::of(verified(session, base, before)?)
    }

    /// What indexes hold that have been verified.
    pub(super) fn of(indexes: Vec<VerifiedIndex>) -> Result<Self> {
        let texts = indexes.par_iter().map(|index| Ok(index.packages()?)).collect::<Result<Vec<_>>>()?;
        Ok(Self { indexes, texts })
    }

    /// Every package of every index, and those of the user's own, for the resolver.
    pub(super) fn universe<'a>(&'a self, base: &'a Base, own: &'a [LocalDeb]) -> Result<Universe<'a>> {
        let mut builder = Builder::new(&base.architectures());
        let add = |builder: &mut Builder<'a>, index: Index<'a>| {
            builder.index(index.origin);
            builder.add(index.stanzas)
        };
        match &base.hold {
            // What is held is known only when all is read.
            Some(hold) => {
                let mut indexes = self.parsed()?;
                apply(hold, base, &mut indexes)?;
                indexes.into_iter().try_for_each(|index| add(&mut builder, index))?;
            }
            None => {
                for (index, text) in self.indexes.iter().zip(&self.texts) {
                    builder.index(origin(index));
                    packages::parse_each(text, &index.architecture, |stanzas| {
                        builder.add(stanzas.map_err(|source| unread(index, source))?)?;
                        Ok::<_, PipelineError>(())
                    })?;
                }
            }
        }
        for deb in own {
            add(&mut builder, deb.index(base)?)?;
        }
        Ok(builder.finish())
    }

    /// Every package of every index.
    pub(super) fn parsed(&self) -> Result<Vec<Index<'_>>> {
        let mut indexes = Vec::new();
        for (index, text) in self.indexes.iter().zip(&self.texts) {
            let stanzas = packages::parse(text, &index.architecture);
            let stanzas = stanzas.map_err(|source| unread(index, source))?;
            indexes.push(Index { origin: origin(index), stanzas });
        }
        Ok(indexes)
    }
}
