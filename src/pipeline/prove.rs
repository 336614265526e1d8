//! A lock's evidence, link by link: pinned key, InRelease, index, stanza, .deb. No network; everything comes from the store.

use std::{collections::BTreeMap, fmt, path::Path};

use bytes::Bytes;
use rayon::prelude::*;

use super::{PipelineError, Result, Session, archive::Offer, base_of, check_head, definitions, stale};
use crate::{
    deb::{
        archive,
        compress::{Limits, decode_to_vec},
        control,
        packages::Stanza,
    },
    digest::Sha256,
    fetch,
    lock::{self, Lock, Package, PackageKey, Source},
    map::map,
    progress::Event,
    resolve::universe::{Index, Origin},
    tar,
};

/// What a lock's evidence comes to.
#[derive(Clone, Debug)]
pub struct Proven {
    pub packages: usize,
    /// Suites with the fingerprint that signed them.
    pub suites: BTreeMap<String, String>,
}

/// Two neighbours in the chain of evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EvidenceLink {
    /// A pinned key signed the InRelease that the lock names.
    Signature,
    /// That is the lock's suite, as of its date, from its signer.
    Release,
    /// It names the index, whose bytes the store has.
    Index,
    /// The index has the package's stanza.
    Stanza,
    /// The stanza names the .deb, whose bytes the store has and which says of itself what the lock says.
    Deb,
}

impl fmt::Display for EvidenceLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Signature => "pinned key to InRelease",
            Self::Release => "lock to InRelease",
            Self::Index => "InRelease to index",
            Self::Stanza => "index to stanza",
            Self::Deb => "stanza to .deb",
        })
    }
}

impl EvidenceLink {
    pub(super) fn hint(self) -> &'static str {
        match self {
            Self::Signature | Self::Index => {
                "`icos store verify` removes what is damaged, `icos lock --check` brings the signed files again that the archive \
                 still has"
            }
            Self::Release | Self::Stanza => "the lock was changed by hand or its base was: `icos lock` makes it anew",
            Self::Deb => "`icos store verify` removes what is damaged, `icos fetch` brings it again",
        }
    }
}

/// A link that does not hold, and why.
struct Broken(EvidenceLink, String);

type Checked<T = ()> = std::result::Result<T, Broken>;

fn broken<T>(link: EvidenceLink, why: impl fmt::Display) -> Checked<T> {
    Err(Broken(link, why.to_string()))
}

/// Proves every package of the lock in `file`.
pub fn prove(session: &Session<'_>, file: &Path) -> Result<Proven> {
    prove_with(session, file, &|name, sum| {
        let path = session.store.deb(&sum).ok_or_else(|| format!("{name} ({sum}) is not in the store"))?;
        mapped(&path)
    })
}

/// The bytes of the .deb with a name and a sum, which is not checked; else, why there are none.
pub(super) type Debs<'a> = &'a (dyn Fn(&str, Sha256) -> std::result::Result<Bytes, String> + Sync);

/// A file of the store.
pub(super) fn mapped(path: &Path) -> std::result::Result<Bytes, String> {
    fs_err::File::open(path).and_then(|file| map(file.file())).map_err(|error| error.to_string())
}

/// Proves every package of the lock in `file` with the bytes that `debs` has; the rest of the evidence is in the store.
pub(super) fn prove_with(session: &Session<'_>, file: &Path, debs: Debs<'_>) -> Result<Proven> {
    let name = session.project.relative(file);
    let lock = lock::reader::read(&name, &fs_err::read_to_string(file)?)?;
    let base = base_of(session.project, &lock)?;
    let now = lock.stale(&definitions(session.project, &lock.base, &lock.target.os)?);
    let own = session.project.relative(&session.project.lock_file(&lock.base, &lock.target));
    if name.starts_with("snapshots/") && name != own {
        let found = format!("{} on {}", lock.target, lock.base);
        return Err(PipelineError::OtherLock { file: name, found, expected: format!("that of {own}") });
    }
    if now.is_empty() {
        check_head(&name, &lock, &lock.target, &base)?;
    }
    for text in stale::told(session.project, &lock, &now)? {
        (session.progress)(Event::Warning(&format!("{name} is stale: {text}")));
    }
    let fail = |Broken(link, why): Broken| PipelineError::Unproven { file: name.clone(), link, why };
    let offer = Offer::new(session, &base, Some(&lock)).map_err(|error| fail(signed(error)))?;
    check_suites(&lock, &offer).map_err(fail)?;
    let indexes = offer.parsed().map_err(|error| fail(Broken(EvidenceLink::Stanza, chain(&error))))?;
    let listed = listed(&indexes);
    let packages: Vec<_> = lock.packages.iter().collect();
    let checked: Vec<Checked> =
        packages.par_iter().map(|(key, package)| prove_one(debs, &listed, key, package)).collect();
    checked.into_iter().collect::<Checked>().map_err(fail)?;
    let suites = lock.suites.iter().map(|(name, suite)| (name.suite.clone(), suite.signer.to_string())).collect();
    Ok(Proven { packages: lock.packages.len(), suites })
}

/// The link that an error before the packages belongs to.
fn signed(error: PipelineError) -> Broken {
    let link = match &error {
        PipelineError::Fetch(fetch::Error::Claim(_) | fetch::Error::Release { .. }) => EvidenceLink::Release,
        PipelineError::Fetch(fetch::Error::Offline { name }) if !name.contains("/binary-") => EvidenceLink::Signature,
        PipelineError::Fetch(fetch::Error::Trust(_) | fetch::Error::Signed(_)) | PipelineError::Trust(_) => {
            EvidenceLink::Signature
        }
        _ => EvidenceLink::Index,
    };
    let why = match &error {
        PipelineError::Fetch(fetch::Error::Offline { name }) => format!("{name} is not in the store"),
        _ => chain(&error),
    };
    Broken(link, why)
}

/// An error with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        if !text.ends_with(&next) {
            text = format!("{text}: {next}");
        }
        cause = error.source();
    }
    text
}

/// Whether what was read from the store is what the lock saw signed.
fn check_suites(lock: &Lock, offer: &Offer) -> Checked {
    for index in &offer.indexes {
        let signed = &index.release;
        let found = lock.suites.iter().find(|(name, _)| name.archive == signed.archive && name.suite == signed.suite);
        let Some((name, suite)) = found else {
            return broken(EvidenceLink::Release, format!("suite {} is not in the lock", signed.suite));
        };
        let (name, evidence) = (&name.suite, &signed.evidence);
        let fail = |what: String| broken(EvidenceLink::Release, format!("suite {name}: {what}"));
        if (suite.in_release, suite.signature) != (evidence.digest, evidence.signature) {
            return fail("InRelease is another file than the lock names".to_owned());
        }
        if suite.signer != evidence.signer {
            return fail(format!("signed by {}, the lock says {}", evidence.signer, suite.signer));
        }
        if suite.date != signed.release.date {
            return fail(format!("dated {}, the lock says {}", signed.release.date, suite.date));
        }
        let listed = suite.indexes.get(&index.path);
        if listed.is_none_or(|file| file.sha256 != index.entry.sha256 || file.size != index.entry.size) {
            return broken(
                EvidenceLink::Index,
                format!("suite {name}: index {} is not the one that the lock names", index.path),
            );
        }
    }
    Ok(())
}

/// Every stanza, by name, architecture and version.
type Listed<'a> = BTreeMap<[&'a str; 3], Vec<(&'a Origin, &'a Stanza<'a>)>>;

fn listed<'a>(indexes: &'a [Index<'a>]) -> Listed<'a> {
    let mut listed = Listed::new();
    for index in indexes {
        for stanza in &index.stanzas {
            let key = [stanza.name, stanza.architecture, stanza.version];
            listed.entry(key).or_default().push((&index.origin, stanza));
        }
    }
    listed
}

fn prove_one(debs: Debs<'_>, listed: &Listed<'_>, key: &PackageKey, package: &Package) -> Checked {
    let named = format!("package {} {}", key.name, package.version.as_str());
    check_stanza(listed, key, package)
        .and_then(|()| check_deb(debs, key, package))
        .map_err(|Broken(link, why)| Broken(link, format!("{named}: {why}")))
}

fn check_stanza(listed: &Listed<'_>, key: &PackageKey, package: &Package) -> Checked {
    let Source::Archive { suite, index, path } = &package.source else { return Ok(()) };
    let same = [key.name.as_str(), key.architecture.as_str(), package.version.as_str()];
    let of_index =
        |origin: &Origin| (&origin.archive, &origin.suite, &origin.path) == (&suite.archive, &suite.suite, index);
    let stanzas = listed.get(&same).into_iter().flatten().filter(|(origin, _)| of_index(origin));
    let mut why = "has no such stanza".to_owned();
    for (_, stanza) in stanzas {
        let file = &stanza.file;
        if (file.path, file.size, file.sha256) == (path.as_str(), package.file.size, package.file.sha256) {
            return Ok(());
        }
        why = if file.sha256 != package.file.sha256 {
            format!("has the sha256 {} in its stanza, the lock says {}", file.sha256, package.file.sha256)
        } else if file.size != package.file.size {
            format!("has the size {} in its stanza, the lock says {}", file.size, package.file.size)
        } else {
            format!("has the file {} in its stanza, the lock says {path}", file.path)
        };
    }
    broken(EvidenceLink::Stanza, format!("dists/{}/{index} {why}", suite.suite))
}

/// Whether the package's bytes are there, and are the package that the lock calls them.
fn check_deb(debs: Debs<'_>, key: &PackageKey, package: &Package) -> Checked {
    let sum = package.file.sha256;
    let name = match &package.source {
        Source::Archive { path, .. } | Source::Project { path } => path,
    };
    let bytes = debs(name, sum).or_else(|why| broken(EvidenceLink::Deb, why))?;
    let found = Sha256::of(&bytes);
    if found != sum {
        return broken(EvidenceLink::Deb, format!("{name} has the sha256 {found}, expected {sum}"));
    }
    if bytes.len() as u64 != package.file.size {
        return broken(
            EvidenceLink::Deb,
            format!("{name} has {} bytes, the lock says {}", bytes.len(), package.file.size),
        );
    }
    let expected = [
        ("Package", key.name.as_str()),
        ("Version", package.version.as_str()),
        ("Architecture", key.architecture.as_str()),
    ];
    let control = control_file(&bytes).or_else(|why| broken(EvidenceLink::Deb, format!("{name}: {why}")))?;
    let fields = control::paragraph(&control, control::Comments::Refuse);
    let fields = fields.or_else(|error| broken(EvidenceLink::Deb, format!("{name}: control: {error}")))?;
    for (field, expected) in expected {
        let found = String::from_utf8_lossy(fields.get(field).unwrap_or_default());
        if found != expected {
            return broken(EvidenceLink::Deb, format!("{name} says {field}: {found}, the lock says {expected}"));
        }
    }
    Ok(())
}

/// The control file of a .deb.
fn control_file(deb: &Bytes) -> std::result::Result<Bytes, String> {
    let archive = archive::read(deb).map_err(|error| error.to_string())?;
    let packed = &archive.control;
    let unpacked =
        decode_to_vec(packed.compression, &packed.bytes, &Limits::PACKAGE).map_err(|error| error.to_string())?;
    let members = tar::members(&unpacked.into()).map_err(|error| error.to_string())?;
    let content = members.into_iter().find_map(|member| match member.kind {
        tar::Kind::Regular(content) if member.path.relative() == b"control" => Some(content),
        _ => None,
    });
    content.and_then(|content| content.bytes(1)).ok_or_else(|| "no control file".to_owned())
}
