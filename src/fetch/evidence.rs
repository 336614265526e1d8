//! What a lock names as evidence, brought once more: signed files and indexes, each by its digest.

use super::{
    Error, Fault, Net,
    index::MAX_RELEASE,
    transfer::{Known, Place, Run},
};
use crate::{
    digest::Sha256,
    lock::{File, Suite},
    mirror::Mirrors,
    store::Store,
};

/// What became of the evidence of a suite.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// Files that came.
    pub fetched: usize,
    /// Bytes that came over the network.
    pub received: u64,
    /// Why a file that is missing could not be had; what is led by it was not asked for then.
    pub lost: Option<String>,
}

/// Brings what a lock names of `name`, a suite that is read from `mirrors`.
///
/// Archives forget signed files and, later, indexes, so that it is no error when one cannot be had: packages are checked by the
/// lock's own digests.
pub fn evidence(net: &Net<'_>, store: &Store, mirrors: &Mirrors, name: &str, suite: &Suite) -> Result<Evidence, Error> {
    let bring = Bring { run: Run::new(net), store, mirrors, name };
    let mut fetched = 0;
    let lost = match bring.all(suite, &mut fetched) {
        Ok(()) => None,
        Err(error @ (Error::Failed { .. } | Error::Offline { .. })) => Some(error.to_string()),
        Err(error) => return Err(error),
    };
    Ok(Evidence { fetched, received: bring.run.received.into_inner(), lost })
}

/// Whether the store has all that a lock names of a suite.
pub fn has_evidence(store: &Store, suite: &Suite) -> bool {
    let indexes = suite.indexes.values().map(|index| index.sha256);
    [suite.in_release].into_iter().chain(suite.signature).chain(indexes).all(|sum| store.deb(&sum).is_some())
}

struct Bring<'a> {
    run: Run<'a>,
    store: &'a Store,
    mirrors: &'a Mirrors,
    name: &'a str,
}

impl Bring<'_> {
    /// The signed files first: without them indexes prove nothing.
    fn all(&self, suite: &Suite, fetched: &mut usize) -> Result<(), Error> {
        match suite.signature {
            None => self.signed("InRelease", suite.in_release, fetched)?,
            Some(signature) => {
                self.signed("Release", suite.in_release, fetched)?;
                self.signed("Release.gpg", signature, fetched)?;
            }
        }
        for (path, index) in &suite.indexes {
            self.index(path, index, fetched)?;
        }
        Ok(())
    }

    fn places(&self, paths: &[String]) -> Vec<Place> {
        let of = |mirror| paths.iter().map(move |path| Place::new(mirror, path));
        self.mirrors.dists.iter().flat_map(of).collect()
    }

    /// A file whose size the lock doesn't know.
    fn signed(&self, file: &str, sha256: Sha256, fetched: &mut usize) -> Result<(), Error> {
        if self.store.deb(&sha256).is_some() {
            return Ok(());
        }
        let path = format!("dists/{}/{file}", self.name);
        self.run.rounds(&path, &self.places(std::slice::from_ref(&path)), |_, place| {
            let bytes = self.run.read(place, MAX_RELEASE)?;
            let found = Sha256::of(&bytes);
            if found != sha256 {
                return Err(Fault::Digest { found, expected: sha256 }.into());
            }
            if let Some(mut partial) = self.store.partial(&sha256)? {
                partial.restart()?;
                partial.append(&bytes)?;
                partial.commit(bytes.len() as u64)?;
            }
            Ok(())
        })?;
        *fetched += 1;
        Ok(())
    }

    fn index(&self, path: &str, index: &File, fetched: &mut usize) -> Result<(), Error> {
        if self.store.deb(&index.sha256).is_some() {
            return Ok(());
        }
        let dists = format!("dists/{}", self.name);
        let name = format!("{dists}/{path}");
        let by_hash =
            path.rsplit_once('/').map(|(folder, _)| format!("{dists}/{folder}/by-hash/SHA256/{}", index.sha256));
        let paths: Vec<String> = by_hash.into_iter().chain([name.clone()]).collect();
        let known = Known { name: &name, size: index.size, sha256: index.sha256 };
        self.run.bring(self.store, known, &self.places(&paths))?;
        *fetched += 1;
        Ok(())
    }
}
