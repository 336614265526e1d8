//! A base's indexes, every byte of them led back to a pinned key.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::{PipelineError, Result, Session, local::LocalDeb, mirrors};
use crate::{
    date::Instant,
    deb::packages,
    epoch::machine_now,
    fetch::{Seen, Source, VerifiedIndex, indexes},
    lock::Lock,
    manifest::base::Base,
    resolve::universe::{Index, Origin, Universe},
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
    Ok(indexes(session.net, session.store, &sources, &base.architectures(), &seen(before), now)?)
}

/// What a lock has seen of each suite, by archive and suite.
fn seen(lock: Option<&Lock>) -> BTreeMap<(String, String), Seen> {
    let suites = lock.into_iter().flat_map(|lock| &lock.suites);
    suites
        .map(|(name, suite)| {
            let seen = Seen { digest: suite.in_release, signature: suite.signature, date: suite.date };
            ((name.archive.clone(), name.suite.clone()), seen)
        })
        .collect()
}

/// Indexes with their texts, for a universe to borrow from.
pub(super) struct Offer {
    pub(super) indexes: Vec<VerifiedIndex>,
    texts: Vec<Vec<u8>>,
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
        let mut indexes = self.parsed()?;
        for deb in own {
            indexes.push(deb.index(base)?);
        }
        Ok(Universe::from_indexes(&base.architectures(), indexes)?)
    }

    /// Every package of every index.
    pub(super) fn parsed(&self) -> Result<Vec<Index<'_>>> {
        let mut indexes = Vec::new();
        for (index, text) in self.indexes.iter().zip(&self.texts) {
            let signed = &index.release;
            let stanzas = packages::parse(text, &index.architecture)
                .map_err(|source| PipelineError::Index { file: format!("{}/{}", signed.suite, index.path), source })?;
            let origin = Origin {
                archive: signed.archive.clone(),
                suite: signed.suite.clone(),
                component: index.component.clone(),
                path: index.path.clone(),
                names: signed.release.suite.iter().chain(&signed.release.codename).cloned().collect(),
                not_automatic: signed.release.not_automatic,
                but_automatic_upgrades: signed.release.but_automatic_upgrades,
            };
            indexes.push(Index { origin, stanzas });
        }
        Ok(indexes)
    }
}
