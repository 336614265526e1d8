//! A lock's evidence, link by link: pinned key, InRelease, index, stanza, .deb. No network; everything comes from the store.

use std::{collections::BTreeMap, path::Path};

use super::{PipelineError, Result, Session, archive::Offer, base};
use crate::{
    digest::Sha256,
    lock::{self, Lock, PackageKey, Source},
};

/// What a lock's evidence comes to.
#[derive(Clone, Debug)]
pub struct Proven {
    pub packages: usize,
    /// Suites with the fingerprint that signed them.
    pub suites: BTreeMap<String, String>,
}

/// Proves every package of the lock in `file`.
pub fn prove(session: &Session<'_>, file: &Path) -> Result<Proven> {
    prove_with(session, file, &|key, sum| check_deb(session, key, sum))
}

/// Whether a package's bytes are there and have their sum; else, what is wrong.
pub(super) type CheckDeb<'a> = &'a dyn Fn(&PackageKey, Sha256) -> std::result::Result<(), String>;

/// Proves every package of the lock in `file`, whose bytes `check_deb` knows; the rest of the evidence is in the store.
pub(super) fn prove_with(session: &Session<'_>, file: &Path, check_deb: CheckDeb<'_>) -> Result<Proven> {
    let name = session.project.relative(file);
    let lock = lock::reader::read(&name, &fs_err::read_to_string(file)?)?;
    let base = base(session.project, &lock.base)?;
    let offer = Offer::new(session, &base, Some(&lock))?;
    let fail = |fault: String| PipelineError::Unproven { file: name.clone(), fault };
    check_suites(&lock, &offer).map_err(fail)?;
    let indexes = offer.parsed()?;
    let mut listed = BTreeMap::new();
    for index in &indexes {
        for stanza in &index.stanzas {
            let key = (stanza.name, stanza.architecture, stanza.version);
            listed.entry(key).or_insert_with(Vec::new).push((&index.origin, stanza));
        }
    }
    for (key, package) in &lock.packages {
        let named = format!("package {} {}", key.name, package.version.as_str());
        if let Source::Archive { suite, index, path } = &package.source {
            let stanzas = listed.get(&(key.name.as_str(), key.architecture.as_str(), package.version.as_str()));
            let same = stanzas.into_iter().flatten().any(|(origin, stanza)| {
                (origin.archive.as_str(), origin.suite.as_str(), &origin.path) == (&suite.archive, &suite.suite, index)
                    && (stanza.file.path, stanza.file.size, stanza.file.sha256)
                        == (path.as_str(), package.file.size, package.file.sha256)
            });
            if !same {
                return Err(fail(format!("{named}: {}/{index} has no such stanza", suite.suite)));
            }
        }
        check_deb(key, package.file.sha256).map_err(|fault| fail(format!("{named}: {fault}")))?;
    }
    let suites = lock.suites.iter().map(|(name, suite)| (name.suite.clone(), suite.signer.to_string())).collect();
    Ok(Proven { packages: lock.packages.len(), suites })
}

/// Whether what was read from the store is what the lock saw signed.
fn check_suites(lock: &Lock, offer: &Offer) -> std::result::Result<(), String> {
    for index in &offer.indexes {
        let signed = &index.release;
        let found = lock.suites.iter().find(|(name, _)| name.archive == signed.archive && name.suite == signed.suite);
        let (name, suite) = found.ok_or_else(|| format!("suite {} is not in the lock", signed.suite))?;
        if suite.in_release != signed.evidence.digest {
            return Err(format!("suite {}: InRelease is another file than the lock names", name.suite));
        }
        if suite.signer != signed.evidence.signer {
            return Err(format!(
                "suite {}: signed by {}, the lock says {}",
                name.suite, signed.evidence.signer, suite.signer
            ));
        }
        let listed = suite.indexes.get(&index.path);
        if listed.is_none_or(|file| file.sha256 != index.entry.sha256 || file.size != index.entry.size) {
            return Err(format!("suite {}: index {} is not the one that the lock names", name.suite, index.path));
        }
    }
    Ok(())
}

fn check_deb(session: &Session<'_>, key: &PackageKey, sum: Sha256) -> std::result::Result<(), String> {
    let path = session.store.deb(&sum).ok_or_else(|| format!("{} is not in the store", key.name))?;
    let found = crate::output::file_digest(&path).map_err(|error| error.to_string())?;
    if found == sum { Ok(()) } else { Err(format!("{} has the sha256 {found}, expected {sum}", path.display())) }
}
