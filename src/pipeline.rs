//! The pipeline: from definitions to a lock, and from a lock to images. Each function here is one row of ARCHITECTURE.md's picture.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    boot, bundle, configure,
    date::Instant,
    deb::{dependency::NotAName, packages, version},
    digest::Sha256,
    epoch::Epoch,
    fetch::{self, Net},
    image, label,
    lock::{self, Lock, Role},
    manifest::{
        ManifestError,
        base::{Base, held_at},
        project::{Project, ProjectError, Target},
    },
    mirror::{self, Known, Mirrors},
    output, overlay,
    progress::Progress,
    resolve::{ResolveError, request::BadRoot, universe::UniverseError},
    store,
    store::Store,
    trust,
};

mod answer;
mod archive;
mod assemble;
mod build;
mod bump;
mod carry;
mod fetching;
mod inject;
mod local;
mod locking;
mod prove;
mod refused;
mod rehearsal;
mod rootfs;
mod stale;
mod verify;
mod why;

pub use build::{Build, Built, build};
pub use bump::{Bump, Bumped, bump, diff};
pub use carry::{Carried, Carry, Received, carry, receive};
pub use fetching::{fetch, fetch_target};
pub use inject::{BadInject, Inject, Injected};
pub use locking::{Locked, lock};
pub use prove::{EvidenceLink, Proven, prove};
pub use refused::Refused;
pub use rehearsal::{Rehearsed, rehearse};
pub use rootfs::{Asked, Named, Rootfs, Written, resolve, rootfs};
pub use verify::{Checked, verify_image, verify_sums};
pub use why::{Brings, Explained, Line, Link, Name, Other, Reasons, WhyError, explain, why_package, why_paths};

/// What every stage works with.
#[expect(missing_debug_implementations, reason = "progress is a function")]
pub struct Session<'a> {
    pub project: &'a Project,
    pub store: &'a Store,
    pub net: &'a Net<'a>,
    pub known: &'a Known,
    pub epoch: Epoch,
    pub progress: Progress<'a>,
}

#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    #[error(transparent)]
    Project(#[from] ProjectError),
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    #[error(transparent)]
    Mirror(#[from] mirror::Error),
    #[error(transparent)]
    Trust(#[from] trust::Error),
    #[error(transparent)]
    Fetch(#[from] fetch::Error),
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error(transparent)]
    Lock(#[from] lock::reader::LockError),
    #[error("{file}: there is no lock of {target} on {base}")]
    NoLock { file: String, target: Target, base: String },
    #[error("{file} is of {found}, expected {expected}")]
    OtherLock { file: String, found: String, expected: String },
    #[error("{file} is stale: {}", why.join("; "))]
    Stale { file: String, why: Vec<String> },
    #[error(transparent)]
    Resolve(#[from] ResolveError),
    #[error(transparent)]
    BadRoot(BadRoot),
    #[error("{file}")]
    Index { file: String, source: packages::Error },
    #[error(transparent)]
    Universe(#[from] UniverseError),
    #[error(transparent)]
    Name(NotAName),
    #[error("{path}: {why}")]
    Local { path: String, why: String },
    #[error("{path} has the sha256 {found}, the lock names {expected}")]
    Changed { path: String, found: Sha256, expected: Sha256 },
    #[error("{file}: package {package}: {field} is {locked} in the lock, and {found} in the .deb with its sha256")]
    NotAsLocked { file: String, package: String, field: &'static str, locked: String, found: String },
    #[error("{0}")]
    Package(String, #[source] Box<store::Error>),
    #[error("boot loader: `{wanted}` is no package; it is provided by {}", providers.join(", "))]
    Provided { wanted: String, providers: Vec<String> },
    #[error("version of package `{package}`")]
    Version { package: String, source: version::Error },
    #[error("{file}: {link}: {why}")]
    Unproven { file: String, link: EvidenceLink, why: String },
    #[error(transparent)]
    Bundle(#[from] bundle::Error),
    #[error("bundle {bundle}: {source}")]
    InBundle { bundle: String, source: Box<Self> },
    #[error("member `{member}`: {fault}")]
    Member { member: String, fault: bundle::Fault },
    #[error(transparent)]
    Configure(#[from] configure::Error),
    #[error("{file}: scripts.skip: there is no package {package} on {base}")]
    UnknownSkip { file: String, package: String, base: String, nearest: Vec<String> },
    #[error("{0}")]
    Refused(Box<Refused>),
    #[error(transparent)]
    Overlay(#[from] overlay::OverlayError),
    #[error(transparent)]
    Boot(#[from] boot::BootError),
    #[error(transparent)]
    Image(#[from] image::ImageError),
    #[error(transparent)]
    Label(#[from] label::LabelError),
    #[error("partition `{partition}` is too small; the largest packages are {}", biggest.join(", "))]
    TooLarge { partition: String, biggest: Vec<String>, source: image::ImageError },
    #[error("writing {0}")]
    Writing(String, #[source] Box<output::Error>),
    #[error(transparent)]
    Output(#[from] output::Error),
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error("base `{base}` is pinned to {timestamp}, and it is {now}: what is still to come has no snapshot")]
    Future { base: String, timestamp: Instant, now: Instant },
    #[error("base `{base}` has no package or source `{package}`, which is not to be held")]
    UnknownExcept { package: String, base: String, nearest: Vec<String> },
    #[error("base `{base}` is read from live mirrors, which have no past: {what}")]
    Live { base: String, what: &'static str },
    #[error("{file}: expected `timestamp = \"…\"` in a line of its own above every table")]
    Unmovable { file: String },
    #[error("base `{base}` stands at {from}, which is not before {to}")]
    Backwards { base: String, from: String, to: String },
    #[error("locking {target} on {base}")]
    Locking {
        target: Target,
        base: String,
        /// Whether most packages are held.
        is_held: bool,
        source: Box<PipelineError>,
    },
    #[error("{file} has no [bases.{base}]")]
    NotForBase { file: String, base: String, known: Vec<String> },
    #[error("{file}: variant `{variant}`: there is no overlays/{overlay}/overlay.toml")]
    UnknownOverlay { file: String, variant: String, overlay: String, nearest: Vec<String> },
    #[error("ids: {kind} `{name}` has a number, but nothing makes that {kind}")]
    AbsentId { kind: &'static str, name: String },
    #[error("injected file {target}: {why}")]
    Inject { target: String, why: String },
    #[error("{0}")]
    Verify(String),
    #[error(transparent)]
    Why(#[from] Box<WhyError>),
}

impl PipelineError {
    fn root(error: BadRoot) -> Self {
        Self::BadRoot(error)
    }

    fn name(error: NotAName) -> Self {
        Self::Name(error)
    }

    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoLock { target, base, .. } => Some(format!("`icos lock {target} --base {base}` makes it")),
            Self::OtherLock { .. } | Self::NotAsLocked { .. } => {
                Some("it was changed by hand or renamed: `icos lock` makes it anew".to_owned())
            }
            Self::Stale { .. } | Self::Changed { .. } => {
                Some("`icos lock` makes it anew; review and commit what changes".to_owned())
            }
            Self::Unproven { link, .. } => Some(link.hint().to_owned()),
            Self::Package(_, error) if matches!(**error, store::Error::Digest { .. }) => Some(DAMAGED.to_owned()),
            Self::Store(store::Error::Digest { .. }) => Some(DAMAGED.to_owned()),
            Self::Lock(error) => error.hint(),
            Self::Project(error) => error.hint(),
            Self::Manifest(error) => error.hint().map(str::to_owned),
            Self::Overlay(error) => error.hint(),
            Self::Mirror(error) => Some(error.hint()),
            Self::Fetch(error) => error.hint(),
            Self::Store(store::Error::ReadOnly(_)) => {
                Some("`--store DIR` or ICOS_STORE names one that can be written to".to_owned())
            }
            Self::Resolve(error) => error.hint(),
            Self::UnknownSkip { file, base, nearest, .. } => Some(match nearest.as_slice() {
                [] => format!(
                    "what only some base has is skipped under [[bases.NAME.scripts.skip]] of {file}, not on {base}"
                ),
                _ => format!("did you mean `{}`?", nearest.join("` or `")),
            }),
            Self::Refused(refused) => refused.hint(),
            Self::Configure(
                configure::Error::Failed { package, script, .. } | configure::Error::Fatal { package, script, .. },
            ) => Some(format!(
                "`icos rootfs --skip-script '{package}:{script}=REASON'` leaves it out, for an image [[scripts.skip]] of image.toml"
            )),
            Self::Bundle(error) => error.hint(),
            Self::Configure(error) => error.hint(),
            Self::Provided { .. } => Some("name one of them in image.toml".to_owned()),
            Self::Why(error) => error.hint(),
            Self::Locking { source, is_held: true, .. } if matches!(**source, Self::Resolve(_)) => {
                Some("what a package needs may have to move with it: name that by `--package` as well".to_owned())
            }
            Self::Locking { source, .. } => source.hint(),
            Self::UnknownExcept { nearest, .. } if !nearest.is_empty() => {
                Some(format!("did you mean `{}`?", nearest.join("` or `")))
            }
            Self::Live { base, .. } => Some(format!(
                "`icos bump --base {base}` alone locks what the mirrors have now; a `snapshot` in base.toml has a past"
            )),
            Self::Backwards { .. } => {
                Some("what was before is in the history of snapshots/, whence `git revert` brings it back".to_owned())
            }
            Self::Future { .. } => Some("`--to latest` is the newest there is".to_owned()),
            Self::NotForBase { base, known, .. } => Some(format!(
                "it has {}; [bases.{base}] with `packages` and `loader` would make it one for `{base}`, see docs/images.md",
                known.iter().map(|base| format!("[bases.{base}]")).collect::<Vec<_>>().join(", ")
            )),
            Self::UnknownOverlay { nearest, .. } if !nearest.is_empty() => {
                Some(format!("did you mean `{}`?", nearest.join("` or `")))
            }
            Self::Boot(error) => error.hint(),
            Self::AbsentId { .. } => Some("take it out of [ids] in image.toml, or make it in an overlay".to_owned()),
            Self::Label(error) => error.hint().map(str::to_owned),
            Self::TooLarge { .. } => Some("leave packages out, or enlarge the partition in image.toml".to_owned()),
            _ => None,
        }
    }
}

const DAMAGED: &str = "the store is damaged: `icos store verify` removes what is, and it is fetched again";

pub type Result<T> = std::result::Result<T, PipelineError>;

/// A base's definition.
pub(crate) fn base(project: &Project, name: &str) -> Result<Base> {
    let (file, text) = project.base(name)?;
    Ok(Base::parse(&file, name, &text)?)
}

/// Where an image is defined.
pub(crate) fn image_file(os: &str) -> String {
    format!("ic-os/{os}/image.toml")
}

/// The files that a target's lock is made from, with their digests.
pub(crate) fn definitions(project: &Project, base: &str, os: &str) -> Result<BTreeMap<String, Sha256>> {
    let (base_file, base_text) = project.base(base)?;
    let (_, image_text) = project.image(os)?;
    Ok([(base_file, Sha256::of(base_text.as_bytes())), (image_file(os), Sha256::of(image_text.as_bytes()))].into())
}

/// The lock of a target, which must follow from the definitions as they are now.
pub fn read_lock(project: &Project, base: &str, target: &Target) -> Result<(Lock, String)> {
    let path = project.lock_file(base, target);
    let file = project.relative(&path);
    if !path.is_file() {
        return Err(PipelineError::NoLock { file, target: target.clone(), base: base.to_owned() });
    }
    let text = fs_err::read_to_string(&path)?;
    let lock = lock::reader::read(&file, &text)?;
    let stale = lock.stale(&definitions(project, base, &target.os)?);
    if !stale.is_empty() {
        return Err(PipelineError::Stale { file, why: stale::told(project, &lock, &stale)? });
    }
    check_head(&file, &lock, target, &self::base(project, base)?)?;
    Ok((lock, text))
}

/// Whether a lock that is not stale is its target's, of the base's snapshot and architecture.
fn check_head(file: &str, lock: &Lock, target: &Target, base: &Base) -> Result<()> {
    let told = |target: &Target, name: &str, architecture: &str, snapshot: Option<Instant>| {
        let snapshot = snapshot.map_or("live mirrors".to_owned(), |instant| format!("the snapshot {instant}"));
        format!("{target} on {name} for {architecture} from {snapshot}")
    };
    let found = told(&lock.target, &lock.base, lock.architecture.as_str(), lock.snapshot);
    let expected = told(target, &base.name, &base.architecture, base.timestamp);
    if found == expected {
        return Ok(());
    }
    Err(PipelineError::OtherLock { file: file.to_owned(), found, expected })
}

/// The lock of a target, stale or not, if there is one.
fn read_any_lock(project: &Project, base: &str, target: &Target) -> Result<Option<Lock>> {
    let path = project.lock_file(base, target);
    if !path.is_file() {
        return Ok(None);
    }
    Ok(Some(lock::reader::read(&project.relative(&path), &fs_err::read_to_string(&path)?)?))
}

/// A lock's base, its archives as they were at the instants that the lock is of: the definition may have moved on.
pub(crate) fn base_of(project: &Project, lock: &Lock) -> Result<Base> {
    let base = base(project, &lock.base)?;
    let held = lock.suites.keys().find_map(|suite| held_at(&suite.archive));
    Ok(match lock.snapshot {
        Some(instant) => base.at(instant, held),
        None => base,
    })
}

/// Where the archives of a base are read, by name: nowhere when offline, so that no mirror need be known.
pub(crate) fn mirrors(session: &Session<'_>, base: &Base) -> Result<BTreeMap<String, Mirrors>> {
    let of = |archive| if session.net.is_offline() { Ok(Mirrors::default()) } else { session.known.mirrors(archive) };
    base.archives.iter().map(|archive| Ok((archive.name.clone(), of(archive)?))).collect()
}

/// The sums of everything that any lock or overlay of the project names: packages, the signed files and indexes that vouch for
/// them, and artifacts.
pub fn locked_sums(project: &Project) -> Result<BTreeSet<Sha256>> {
    let mut sums = BTreeSet::new();
    for overlay in project.overlays()? {
        sums.extend(overlay::artifacts(&overlay)?);
    }
    for base in project.bases()? {
        for target in project.targets()? {
            let path = project.lock_file(&base, &target);
            if !path.is_file() {
                continue;
            }
            let file = project.relative(&path);
            let lock = lock::reader::read(&file, &fs_err::read_to_string(&path)?)?;
            sums.extend(lock.packages.values().map(|package| package.file.sha256));
            for suite in lock.suites.values() {
                sums.insert(suite.in_release);
                sums.extend(suite.signature);
                sums.extend(suite.indexes.values().map(|index| index.sha256));
            }
        }
    }
    Ok(sums)
}

/// The packages of a lock for one purpose, as sums in order of their names.
pub(crate) fn sums(lock: &Lock, role: Role) -> Vec<Sha256> {
    lock.packages(role).map(|(_, package)| package.file.sha256).collect()
}
