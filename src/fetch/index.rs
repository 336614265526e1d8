//! Signed indexes: InRelease, its signature and claims, then the Packages files that it names by digest.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use bytes::Bytes;

use super::{
    Error, Fault, Net, pace,
    transfer::{Known, Place, Run, Stop},
};
use crate::{
    date::Instant,
    deb::{
        compress::{Compression, Limits, decode_to_vec},
        release::{self, Entry, Release},
    },
    digest::Sha256,
    manifest::base::{Archive, Origin},
    map::map,
    mirror::Mirrors,
    progress::{Event, Unit},
    store::{self, Store},
    trust::{self, Evidence, Freshness, Keyring, Verified},
};

/// An archive of the base with what is known of it elsewhere.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    pub archive: &'a Archive,
    pub keyring: &'a Keyring,
    pub mirrors: &'a Mirrors,
}

/// What a lock has seen of a suite: its Release file must not be older than that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Of InRelease, or of Release, which is taken from the store when offline.
    pub digest: Sha256,
    /// Of Release.gpg, where the signature is detached.
    pub signature: Option<Sha256>,
    /// The Release file's own.
    pub date: Instant,
}

/// A Release file with the proof that it is the archive's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedRelease {
    pub archive: String,
    pub suite: String,
    pub release: Release,
    pub evidence: Evidence,
}

/// An index whose bytes a signed Release file names.
#[derive(Clone, Debug)]
pub struct VerifiedIndex {
    pub release: Arc<SignedRelease>,
    pub component: String,
    pub architecture: String,
    /// Below the suite's folder: `main/binary-amd64/Packages.xz`.
    pub path: String,
    /// Size and digest of the file as it was fetched.
    pub entry: Entry,
    text: Text,
}

/// Where the text of an index is.
#[derive(Clone, Debug)]
struct Text {
    file: PathBuf,
    sha256: Sha256,
    compression: Compression,
}

/// Bytes of a Release file beyond which it is not read.
pub(super) const MAX_RELEASE: u64 = 16 << 20;

/// How often a suite is read anew because its mirror is being updated.
const MAX_UPDATES: u32 = 3;

/// Forms of an index, best first. The raw one is listed in Release files, but most mirrors don't serve it.
const FORMS: [(&str, Compression); 4] =
    [(".xz", Compression::Xz), (".zst", Compression::Zstd), (".gz", Compression::Gzip), ("", Compression::None)];

/// Reads the indexes of every suite and component, in the base's order. `seen` is by archive and suite.
///
/// Only InRelease is asked for each time; what it names by digest comes from the store when it is there.
pub fn indexes(
    net: &Net<'_>,
    store: &Store,
    sources: &[Source<'_>],
    architectures: &[&str],
    seen: &BTreeMap<(String, String), Seen>,
    now: Instant,
) -> Result<Vec<VerifiedIndex>, Error> {
    (net.settings.progress)(Event::Stage { name: "indexes", unit: Unit::Bytes, total: 0 });
    let mut indexes = Vec::new();
    for source in sources {
        let only = &source.archive.architectures;
        let read_for = |name: &&str| only.is_empty() || only.iter().any(|known| known == name);
        let architectures: Vec<_> = architectures.iter().copied().filter(read_for).collect();
        for suite in &source.archive.suites {
            let seen = seen.get(&(source.archive.name.clone(), suite.clone())).copied();
            let reader = Reader { run: Run::new(net), store, source: *source, suite, seen, now };
            indexes.extend(reader.suite(&architectures)?);
        }
    }
    Ok(indexes)
}

impl VerifiedIndex {
    /// The text of the index.
    pub fn packages(&self) -> Result<Bytes, Error> {
        self.text.read(&self.path)
    }
}

impl Text {
    fn read(&self, name: &str) -> Result<Bytes, Error> {
        let packed = map(fs_err::File::open(&self.file)?.file())?;
        let found = Sha256::of(&packed);
        if found != self.sha256 {
            let path = self.file.clone();
            return Err(store::Error::Digest { path, expected: self.sha256, found }.into());
        }
        if self.compression == Compression::None {
            return Ok(packed);
        }
        let text = decode_to_vec(self.compression, &packed, &Limits::INDEX);
        text.map(Bytes::from).map_err(|source| Error::Index { file: name.to_owned(), source })
    }
}

/// One suite on its way in.
struct Reader<'a> {
    run: Run<'a>,
    store: &'a Store,
    source: Source<'a>,
    suite: &'a str,
    seen: Option<Seen>,
    now: Instant,
}

impl Reader<'_> {
    fn suite(&self, architectures: &[&str]) -> Result<Vec<VerifiedIndex>, Error> {
        let settings = &self.run.net.settings;
        for _ in 1..MAX_UPDATES {
            match self.snapshot_of_suite(architectures) {
                Err(Error::Updating { name, .. }) => {
                    let note = format!("{name}: the mirror is being updated; reading {} again", self.suite);
                    (settings.progress)(Event::Note(&note));
                    if !pace::pause(settings.patience.back_off * 4, &|| self.run.is_halted()) {
                        return Err(Error::Cancelled);
                    }
                }
                other => return other,
            }
        }
        self.snapshot_of_suite(architectures)
    }

    fn snapshot_of_suite(&self, architectures: &[&str]) -> Result<Vec<VerifiedIndex>, Error> {
        let release = Arc::new(self.release()?);
        let mut indexes = Vec::new();
        for component in &self.source.archive.components {
            for architecture in architectures {
                indexes.push(self.index(&release, component, architecture)?);
            }
            let all = &release.release;
            if !all.indexes_hold_all && has_index(all, component, "all") {
                indexes.push(self.index(&release, component, "all")?);
            }
        }
        Ok(indexes)
    }

    fn release(&self) -> Result<SignedRelease, Error> {
        let name = format!("dists/{}/InRelease", self.suite);
        if self.run.net.is_offline() {
            return self.kept(&name);
        }
        let dists = &self.source.mirrors.dists;
        let places = |file: &str| -> Vec<Place> {
            let path = format!("dists/{}/{file}", self.suite);
            dists.iter().map(|mirror| Place::new(mirror, &path)).collect()
        };
        let beside: Vec<_> = places("Release").into_iter().zip(places("Release.gpg")).collect();
        let refused = |error| Stop::from(Fault::Refused(Box::new(error)));
        self.run.rounds(&name, &places("InRelease"), |index, place| {
            let name = place.uri.to_string();
            match self.run.read(place, MAX_RELEASE) {
                Ok(bytes) => {
                    let verified = self.clearsigned(&name, &bytes).map_err(refused)?;
                    let signed = self.checked(verified, &name).map_err(refused)?;
                    self.keep_signed(&bytes)?;
                    Ok(signed)
                }
                Err(Stop::Fault { fault: Fault::Absent, .. }) => {
                    let (release, signature) = &beside[index];
                    let name = release.uri.to_string();
                    let bytes = self.run.read(release, MAX_RELEASE)?;
                    let signature = self.run.read(signature, MAX_RELEASE)?;
                    let verified = trust::detached(&name, &bytes, &signature, self.source.keyring, self.now);
                    let signed = verified.map_err(Error::from).and_then(|verified| self.checked(verified, &name));
                    let signed = signed.map_err(refused)?;
                    self.keep_signed(&bytes)?;
                    self.keep_signed(&signature)?;
                    Ok(signed)
                }
                Err(stop) => Err(stop),
            }
        })
    }

    /// The Release file that a lock has seen, out of the store.
    fn kept(&self, name: &str) -> Result<SignedRelease, Error> {
        let absent = |name: &str| Error::Offline { name: name.to_owned() };
        let read = |sum: Sha256, name: &str| {
            let bytes = fs_err::read(self.store.deb(&sum).ok_or_else(|| absent(name))?)?;
            let found = Sha256::of(&bytes);
            match found == sum {
                true => Ok(bytes),
                false => Err(Error::Signed(format!("{name}: the store's has the sha256 {found}, expected {sum}"))),
            }
        };
        let seen = self.seen.ok_or_else(|| absent(name))?;
        let Some(signature) = seen.signature else {
            return self.checked(self.clearsigned(name, &read(seen.digest, name)?)?, name);
        };
        let name = name.replace("InRelease", "Release");
        let (bytes, signature) = (read(seen.digest, &name)?, read(signature, &format!("{name}.gpg"))?);
        self.checked(trust::detached(&name, &bytes, &signature, self.source.keyring, self.now)?, &name)
    }

    fn clearsigned(&self, name: &str, bytes: &[u8]) -> Result<Verified, Error> {
        Ok(trust::clearsigned(name, bytes, self.source.keyring, self.now)?)
    }

    /// Reads a verified Release file and checks that it is the one that was asked for.
    fn checked(&self, verified: Verified, name: &str) -> Result<SignedRelease, Error> {
        let release =
            release::parse(verified.text()).map_err(|source| Error::Release { file: name.to_owned(), source })?;
        let freshness = match &self.source.archive.origin {
            Origin::Snapshot { instant, .. } => Freshness::Pinned { instant: *instant },
            Origin::Host | Origin::Mirrors(_) if self.run.net.is_offline() => Freshness::Locked,
            Origin::Host | Origin::Mirrors(_) => Freshness::Live { now: self.now },
        };
        if matches!(freshness, Freshness::Live { .. }) {
            let evidence = verified.evidence();
            self.source.keyring.stands(evidence, self.now).map_err(|fault| trust::Error::KeyEnded {
                file: name.to_owned(),
                key: evidence.key.clone(),
                fault,
            })?;
        }
        trust::check_claims(name, &release, self.suite, freshness, self.seen.map(|seen| seen.date))?;
        Ok(SignedRelease {
            archive: self.source.archive.name.clone(),
            suite: self.suite.to_owned(),
            release,
            evidence: verified.evidence().clone(),
        })
    }

    /// Puts a signed file into the store, where the lock's evidence finds it.
    fn keep_signed(&self, bytes: &[u8]) -> Result<(), store::Error> {
        self.keep(bytes, Entry { size: bytes.len() as u64, sha256: Sha256::of(bytes) })
    }

    fn keep(&self, bytes: &[u8], entry: Entry) -> Result<(), store::Error> {
        let Some(mut partial) = self.store.partial(&entry.sha256)? else { return Ok(()) };
        partial.restart()?;
        partial.append(bytes)?;
        partial.commit(entry.size).map(|_| ())
    }

    fn index(&self, release: &Arc<SignedRelease>, component: &str, architecture: &str) -> Result<VerifiedIndex, Error> {
        let mut refused = None;
        for form in forms(&release.release, component, architecture) {
            match self.form(&release.release, &form) {
                Ok(file) => {
                    return Ok(VerifiedIndex {
                        release: release.clone(),
                        component: component.to_owned(),
                        architecture: architecture.to_owned(),
                        entry: form.entry,
                        text: self.text(&release.release, &form, file)?,
                        path: form.path,
                    });
                }
                // Not every form that is listed is served, or kept when offline. What is served with other bytes is
                // of another update.
                Err(Error::Failed { name, attempts }) if attempts.iter().all(|attempt| is_update(&attempt.fault)) => {
                    refused.get_or_insert(Error::Updating { name, attempts });
                }
                Err(error @ Error::Offline { .. }) => {
                    refused.get_or_insert(error);
                }
                Err(error) => return Err(error),
            }
        }
        Err(refused.unwrap_or_else(|| Error::NoIndex {
            suite: self.suite.to_owned(),
            component: component.to_owned(),
            architecture: architecture.to_owned(),
            has: has(&release.release),
        }))
    }

    /// One form of an index in the store.
    fn form(&self, release: &Release, form: &Form) -> Result<PathBuf, Error> {
        let name = format!("dists/{}/{}", self.suite, form.path);
        let known = Known { name: &name, size: form.entry.size, sha256: form.entry.sha256 };
        self.run.bring(self.store, known, &self.places(release, form))?;
        Ok(self.store.deb(&form.entry.sha256).ok_or(store::Error::Absent(form.entry.sha256))?)
    }

    /// The text of a form. It is decompressed once and kept under the digest that Release files list for it.
    fn text(&self, release: &Release, form: &Form, file: PathBuf) -> Result<Text, Error> {
        let packed = Text { file, sha256: form.entry.sha256, compression: form.compression };
        let raw = form.path.rsplit_once('.').and_then(|(raw, _)| release.files.get(raw));
        let Some(raw) = raw else { return Ok(packed) };
        if self.store.deb(&raw.sha256).is_none() {
            match self.keep(&packed.read(&form.path)?, *raw) {
                Ok(()) => {}
                Err(store::Error::ReadOnly(_)) => return Ok(packed),
                Err(error) => return Err(error.into()),
            }
        }
        let file = self.store.deb(&raw.sha256).ok_or(store::Error::Absent(raw.sha256))?;
        Ok(Text { file, sha256: raw.sha256, compression: Compression::None })
    }

    fn places(&self, release: &Release, form: &Form) -> Vec<Place> {
        let mut places = Vec::new();
        let dists = format!("dists/{}", self.suite);
        for mirror in &self.source.mirrors.dists {
            if let (true, Some((folder, _))) = (release.acquire_by_hash, form.path.rsplit_once('/')) {
                let path = format!("{dists}/{folder}/by-hash/SHA256/{}", form.entry.sha256);
                places.push(Place::new(mirror, &path));
            }
            places.push(Place::new(mirror, &format!("{dists}/{}", form.path)));
        }
        places
    }
}

/// One form of an index, as a Release file lists it.
struct Form {
    path: String,
    entry: Entry,
    compression: Compression,
}

fn forms(release: &Release, component: &str, architecture: &str) -> Vec<Form> {
    let forms = FORMS.iter().filter_map(|(ending, compression)| {
        let path = format!("{component}/binary-{architecture}/Packages{ending}");
        let entry = *release.files.get(&path)?;
        Some(Form { path, entry, compression: *compression })
    });
    forms.collect()
}

fn has_index(release: &Release, component: &str, architecture: &str) -> bool {
    !forms(release, component, architecture).is_empty()
}

fn is_update(fault: &Fault) -> bool {
    matches!(fault, Fault::Absent | Fault::Size { .. } | Fault::Digest { .. })
}

/// What a suite has, for the message that it lacks something.
fn has(release: &Release) -> String {
    format!("components {} for {}", release.components.join(", "), release.architectures.join(", "))
}
