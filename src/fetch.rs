//! The network: signed indexes and locked files from mirrors into the store. No other module opens a socket.
//!
//! Bytes become files of the store only when their size and SHA-256 are those that a signed index or the lock names.
//! A kill leaves begun files, which the next run continues.

mod client;
mod evidence;
mod index;
mod pace;
mod transfer;

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

pub use self::evidence::{Evidence, evidence, has_evidence};
pub use self::index::{Seen, SignedRelease, Source, VerifiedIndex, indexes};
use self::transfer::{Known, Place, Run};
use crate::{
    deb::{compress, release::ReleaseError},
    digest::Sha256,
    manifest::uri::Uri,
    mirror::Mirrors,
    progress::{Event, Progress, Unit},
    store::{self, Store},
    trust::{self, ClaimError},
};

/// How to use the network. The edge fills it in: nothing here reads the environment.
#[expect(missing_debug_implementations, reason = "progress is a function")]
pub struct Settings<'a> {
    /// Open no socket; what the store lacks is an error.
    pub offline: bool,
    /// Downloads at the same time.
    pub connections: usize,
    pub proxies: Proxies,
    pub patience: Patience,
    /// Set by a signal: downloads stop and keep what they have.
    pub cancelled: &'a AtomicBool,
    pub progress: Progress<'a>,
}

/// URIs of proxies, and the hosts that need none, as `http_proxy`, `https_proxy` and `no_proxy` have them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proxies {
    pub http: Option<String>,
    pub https: Option<String>,
    pub except: Option<String>,
}

/// How long to wait for whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// For a connection.
    pub connect: Duration,
    /// For the first byte of an answer, and between any two parts of it.
    pub read: Duration,
    /// After the first round over all mirrors without success; doubles each time.
    pub back_off: Duration,
    /// The longest `Retry-After` that is obeyed.
    pub longest_wait: Duration,
    /// A transfer is given up when it brings less than `slowest` bytes a second for so long.
    pub slow_after: Duration,
    pub slowest: u64,
    /// Requests to a snapshot service: so many at once, then one each time `between` has passed.
    pub burst: u32,
    pub between: Duration,
}

impl Patience {
    pub const USUAL: Self = Self {
        connect: Duration::from_secs(15),
        read: Duration::from_secs(30),
        back_off: Duration::from_millis(500),
        longest_wait: Duration::from_secs(120),
        slow_after: Duration::from_secs(30),
        slowest: 1024,
        burst: 8,
        between: Duration::from_millis(250),
    };
}

/// An HTTP client with its settings.
#[expect(missing_debug_implementations, reason = "settings have none")]
pub struct Net<'a> {
    settings: Settings<'a>,
    /// `None` when offline: what doesn't exist opens no socket.
    transport: Option<client::Transport>,
    pacer: pace::Pacer,
}

/// A file that a lock names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct Wanted {
    /// Below the archive's root: `pool/main/a/apt/apt_2.6.1_amd64.deb`.
    pub path: String,
    /// Bytes.
    pub size: u64,
    pub sha256: Sha256,
    /// Name of the archive, as in base.toml.
    pub archive: String,
}

/// What fetching did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fetched {
    /// Files that the store had already, and those that came.
    pub present: usize,
    pub fetched: usize,
    /// Bytes that came over the network.
    pub received: u64,
}

/// One place that did not give a file.
#[derive(Debug)]
pub struct Attempt {
    pub uri: Uri,
    pub fault: Fault,
}

/// Why a place gave no file.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    #[error("not found")]
    Absent,
    #[error("answers {0}")]
    Status(u16),
    #[error("answers {status}{}", asks(*wait))]
    Busy { status: u16, wait: Option<Duration> },
    #[error("no connection: {why}")]
    Connect { why: String },
    #[error("this machine can check no certificate: {why}")]
    NoCertificates { why: String },
    #[error("the connection broke: {why}")]
    Broken { why: String },
    #[error("ends after {at} of {size} bytes")]
    Cut { at: u64, size: u64 },
    #[error("sends fewer than {slowest} bytes a second")]
    Slow { slowest: u64 },
    #[error("sends another part than asked for")]
    Range,
    #[error("the parts of two downloads don't fit together")]
    Resumed,
    #[error("has {found} bytes or more, expected {expected}")]
    Size { found: u64, expected: u64 },
    #[error("has more than {limit} bytes")]
    TooLarge { limit: u64 },
    #[error("has the sha256 {found}, expected {expected}")]
    Digest { found: Sha256, expected: Sha256 },
    #[error(transparent)]
    Local(std::io::Error),
    /// The file came, and is not trusted.
    #[error(transparent)]
    Refused(Box<Error>),
}

fn asks(wait: Option<Duration>) -> String {
    wait.map(|wait| format!(" and asks to wait {} s", wait.as_secs())).unwrap_or_default()
}

impl Fault {
    /// Whether asking the same place again is pointless.
    fn is_final(&self) -> bool {
        match self {
            Self::Status(status) => (400..500).contains(status) && *status != 408,
            Self::Absent
            | Self::NoCertificates { .. }
            | Self::Size { .. }
            | Self::TooLarge { .. }
            | Self::Digest { .. }
            | Self::Local(_)
            | Self::Refused(_) => true,
            Self::Busy { .. }
            | Self::Connect { .. }
            | Self::Broken { .. }
            | Self::Cut { .. }
            | Self::Slow { .. }
            | Self::Range
            | Self::Resumed => false,
        }
    }

    /// How long the place asks to be left alone.
    fn wait(&self) -> Duration {
        match self {
            Self::Busy { wait, .. } => wait.unwrap_or_default(),
            _ => Duration::ZERO,
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("interrupted")]
    Cancelled,
    #[error("{name} is not in the store, and --offline forbids to fetch it")]
    Offline { name: String },
    #[error("no mirror gives {name}: {}", Attempts(attempts))]
    Failed { name: String, attempts: Vec<Attempt> },
    #[error("the mirror is being updated: {name} is not what its Release file says: {}", Attempts(attempts))]
    Updating { name: String, attempts: Vec<Attempt> },
    #[error("archive `{0}` is not in the base")]
    UnknownArchive(String),
    #[error("`{path}` is no path in an archive's pool")]
    Path { path: String },
    #[error("{file}: {source}")]
    Release { file: String, source: ReleaseError },
    #[error("suite `{suite}` has no index of component `{component}` for {architecture}; it has {has}")]
    NoIndex { suite: String, component: String, architecture: String, has: String },
    #[error("{file}: {source}")]
    Index { file: String, source: compress::Error },
    /// A signed file of the store is not what its name says.
    #[error("{0}")]
    Signed(String),
    #[error(transparent)]
    Trust(#[from] trust::Error),
    #[error(transparent)]
    Claim(#[from] ClaimError),
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error("HTTP client: {0}")]
    Client(#[from] reqwest::Error),
}

impl Error {
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Offline { .. } => Some("run `icos fetch` with a network once".to_owned()),
            Self::Claim(ClaimError::RolledBack { .. }) => {
                Some("the mirror is stale; to go back on purpose, remove the lock first".to_owned())
            }
            Self::Updating { .. } => Some("try again in a few minutes, or name another mirror".to_owned()),
            Self::Failed { attempts, .. } => attempts.iter().find_map(|attempt| match &attempt.fault {
                Fault::Refused(error) => error.hint(),
                Fault::Connect { .. } => Some(format!("check the network, a proxy, or the mirror {}", attempt.uri)),
                Fault::NoCertificates { .. } => Some(
                    "install the package ca-certificates, or use an http: mirror: signatures are checked".to_owned(),
                ),
                Fault::Busy { .. } | Fault::Status(500..) => Some(
                    "the service is overloaded or down: try again later; what is locked and in the store builds without it"
                        .to_owned(),
                ),
                _ => None,
            }),
            _ => None,
        }
    }
}

struct Attempts<'a>(&'a [Attempt]);

impl fmt::Display for Attempts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, attempt) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            match &attempt.fault {
                // It names the file itself.
                Fault::Refused(error) => write!(f, "{separator}{error}")?,
                fault => write!(f, "{separator}{}: {fault}", attempt.uri)?,
            }
        }
        Ok(())
    }
}

impl<'a> Net<'a> {
    pub fn new(settings: Settings<'a>) -> Result<Self, Error> {
        let online = !settings.offline;
        let transport = online.then(|| client::Transport::new(&settings.proxies, &settings.patience)).transpose()?;
        Ok(Self { settings, transport, pacer: pace::Pacer::default() })
    }

    pub fn is_offline(&self) -> bool {
        self.transport.is_none()
    }
}

/// Brings every wanted file into the store. `mirrors` are the archives' by name.
pub fn files(
    net: &Net<'_>,
    store: &Store,
    wanted: &[Wanted],
    mirrors: &BTreeMap<String, Mirrors>,
) -> Result<Fetched, Error> {
    let wanted: BTreeMap<Sha256, &Wanted> = wanted.iter().map(|file| (file.sha256, file)).collect();
    let mut missing = Vec::new();
    for file in wanted.values().filter(|file| store.deb(&file.sha256).is_none()) {
        let archive = mirrors.get(&file.archive).ok_or_else(|| Error::UnknownArchive(file.archive.clone()))?;
        if file.path.split('/').any(|part| matches!(part, "" | "." | "..")) {
            return Err(Error::Path { path: file.path.clone() });
        }
        let places: Vec<_> = archive.pool.iter().map(|mirror| Place::new(mirror, &file.path)).collect();
        missing.push((*file, places));
    }
    // Large files first, so that none is begun when the others are done.
    missing.sort_by_key(|(file, _)| std::cmp::Reverse(file.size));
    let total = missing.iter().map(|(file, _)| file.size).sum();
    (net.settings.progress)(Event::Stage { name: "fetch", unit: Unit::Bytes, total });
    let run = Run::new(net);
    let next = AtomicUsize::new(0);
    let first_error: Mutex<Option<Error>> = Mutex::new(None);
    let work = || {
        while let Some((file, places)) = missing.get(next.fetch_add(1, Ordering::Relaxed)) {
            let known = Known { name: &file.path, size: file.size, sha256: file.sha256 };
            let Err(error) = run.bring(store, known, places) else { continue };
            let mut first = first_error.lock().unwrap_or_else(PoisonError::into_inner);
            // What stops because of the first error says only that it was stopped.
            first.get_or_insert(error);
            run.failed.store(true, Ordering::Relaxed);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..net.settings.connections.clamp(1, missing.len().max(1)) {
            scope.spawn(work);
        }
    });
    match first_error.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Some(error) => Err(error),
        None => Ok(Fetched {
            present: wanted.len() - missing.len(),
            fetched: missing.len(),
            received: run.received.into_inner(),
        }),
    }
}
