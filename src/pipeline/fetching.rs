//! What a lock names, into the store: packages, and the evidence that vouches for them.

use std::collections::BTreeMap;

use super::{PipelineError, Result, Session, base, mirrors, read_lock};
use crate::{
    fetch,
    lock::{Lock, Source},
    manifest::{base::Base, project::Target},
    mirror::Mirrors,
    progress::Event,
    store,
};

/// Brings everything that a lock names into the store.
pub fn fetch(session: &Session<'_>, base: &Base, lock: &Lock) -> Result<fetch::Fetched> {
    let mut wanted = Vec::new();
    for package in lock.packages.values() {
        match &package.source {
            Source::Archive { suite, path, .. } => wanted.push(fetch::Wanted {
                path: path.clone(),
                size: package.file.size,
                sha256: package.file.sha256,
                archive: suite.archive.clone(),
            }),
            Source::Project { path } => {
                let file = session.project.root.join(path);
                session.store.insert(&file, &package.file.sha256).map_err(|error| match error {
                    store::Error::Digest { found, expected, .. } => {
                        PipelineError::Changed { path: path.clone(), found, expected }
                    }
                    error => error.into(),
                })?;
            }
        }
    }
    // Mirrors are looked for only when something is missing: a full store needs none.
    let missing = wanted.iter().any(|file| session.store.deb(&file.sha256).is_none());
    let mirrors = if missing { mirrors(session, base)? } else { BTreeMap::new() };
    Ok(fetch::files(session.net, session.store, &wanted, &mirrors)?)
}

/// Brings what a target's lock names into the store, and the evidence that the archives still have.
pub fn fetch_target(session: &Session<'_>, target: &Target, name: &str) -> Result<(fetch::Fetched, fetch::Evidence)> {
    let (lock, _) = read_lock(session.project, name, target)?;
    let base = base(session.project, name)?;
    let packages = fetch(session, &base, &lock)?;
    Ok((packages, fetch_evidence(session, &base, &lock)?))
}

/// Brings the signed files and indexes that a lock names. What is lost is told, and no error: nothing is built from it.
fn fetch_evidence(session: &Session<'_>, base: &Base, lock: &Lock) -> Result<fetch::Evidence> {
    let mut all = fetch::Evidence::default();
    for (name, suite) in lock.suites.iter().filter(|(_, suite)| !fetch::has_evidence(session.store, suite)) {
        let archive = base.archives.iter().find(|archive| archive.name == name.archive);
        let archive = archive.ok_or_else(|| fetch::Error::UnknownArchive(name.archive.clone()))?;
        let offline = session.net.is_offline();
        let mirrors = if offline { Ok(Mirrors::default()) } else { session.known.mirrors(archive) };
        let evidence = match mirrors {
            Ok(mirrors) => fetch::evidence(session.net, session.store, &mirrors, &name.suite, suite)?,
            Err(error) => fetch::Evidence { lost: Some(error.to_string()), ..Default::default() },
        };
        if let Some(lost) = &evidence.lost {
            let text = format!(
                "{lost}; the packages of {} are all there, but `icos verify` and `icos bundle` lack what proves them",
                lock.target
            );
            (session.progress)(Event::Warning(&text));
        }
        all.fetched += evidence.fetched;
        all.received += evidence.received;
        all.lost = all.lost.or(evidence.lost);
    }
    Ok(all)
}
