//! A store with a client for the network, and sites to fetch from: the signed test archive, and one large file.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Mutex, atomic::AtomicBool},
    time::Duration,
};

use icos::{
    date::Instant,
    digest::Sha256,
    fetch::{self, Error, Fetched, Net, Patience, Proxies, Seen, Settings, Source, VerifiedIndex, Wanted},
    manifest::{base::Base, uri::Uri},
    mirror::{Mirror, Mirrors},
    progress::Event,
    store::Store,
    trust::Keyring,
};

use super::{
    archive::{Archive, Suite, signing_day},
    deb::Deb,
    server::Server,
};

/// Everything quick, so that tests of waiting don't take long.
pub const PATIENCE: Patience = Patience {
    connect: Duration::from_secs(2),
    read: Duration::from_millis(400),
    back_off: Duration::from_millis(5),
    longest_wait: Duration::from_secs(3),
    slow_after: Duration::from_millis(200),
    slowest: 1_000_000,
    burst: 100,
    between: Duration::from_millis(1),
};

/// A store and a client, and what they told.
pub struct Client {
    /// Where the store is, when it is to vanish with the client.
    #[expect(dead_code, reason = "held, not read")]
    pub folder: Option<tempfile::TempDir>,
    pub store: Store,
    pub cancelled: AtomicBool,
    pub offline: bool,
    pub proxies: Proxies,
    pub patience: Patience,
    pub notes: Mutex<Vec<String>>,
    pub advanced: Mutex<u64>,
}

impl Client {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let store = folder.path().to_path_buf();
        Self { folder: Some(folder), ..Self::at(&store) }
    }

    /// With the store in a folder that outlives the client.
    pub fn at(folder: &Path) -> Self {
        Self {
            folder: None,
            store: Store::open(folder).expect("a store"),
            cancelled: AtomicBool::new(false),
            offline: false,
            proxies: Proxies::default(),
            patience: PATIENCE,
            notes: Mutex::default(),
            advanced: Mutex::default(),
        }
    }

    pub fn with<T>(&self, act: impl FnOnce(&Net<'_>) -> T) -> T {
        let progress = |event: Event<'_>| match event {
            Event::Note(note) => self.notes.lock().expect("no panic").push(note.to_owned()),
            Event::Advance(bytes) => *self.advanced.lock().expect("no panic") += bytes,
            Event::Stage { .. } | Event::Warning(_) => {}
        };
        let settings = Settings {
            offline: self.offline,
            connections: 4,
            proxies: self.proxies.clone(),
            patience: self.patience,
            cancelled: &self.cancelled,
            progress: &progress,
        };
        act(&Net::new(settings).expect("a client"))
    }

    pub fn files(&self, wanted: &[Wanted], servers: &[&str]) -> Result<Fetched, Error> {
        let mirrors = BTreeMap::from([("test".to_owned(), mirrors(servers))]);
        self.with(|net| fetch::files(net, &self.store, wanted, &mirrors))
    }

    pub fn indexes(&self, site: &Site, servers: &[&str], seen: Option<Seen>) -> Result<Vec<VerifiedIndex>, Error> {
        let (keyring, mirrors) = (site.keyring(), mirrors(servers));
        let base = site.base("mirror = \"host\"");
        let source = Source { archive: &base.archives[0], keyring: &keyring, mirrors: &mirrors };
        let seen = seen.into_iter().map(|seen| (("test".to_owned(), "sid".to_owned()), seen)).collect();
        self.with(|net| fetch::indexes(net, &self.store, &[source], &["amd64"], &seen, today()))
    }

    /// Names of what the store has in one of its folders.
    pub fn names(&self, folder: &str) -> Vec<String> {
        let entries = fs_err::read_dir(self.store.root().join(folder)).expect("a folder");
        let mut names: Vec<_> =
            entries.map(|entry| entry.expect("readable").file_name().into_string().expect("UTF-8")).collect();
        names.sort();
        names
    }

    /// Nothing in the store is other than its name says.
    pub fn check(&self) {
        assert_eq!(self.store.verify().expect("readable"), [] as [icos::store::Damaged; 0]);
    }
}

pub fn mirrors(roots: &[&str]) -> Mirrors {
    let mirror = |root: &&str| Mirror { root: Uri::parse(root).expect("a URI"), is_snapshot: false };
    let roots: Vec<_> = roots.iter().map(mirror).collect();
    Mirrors { dists: roots.clone(), pool: roots }
}

/// A day after the signatures of the test archive.
pub fn today() -> Instant {
    signing_day().plus(86_400)
}

/// An archive with suite `sid` and a server for it.
pub struct Site {
    pub archive: Archive,
    pub server: Server,
    pub suite: Suite,
}

impl Site {
    pub fn new() -> Option<Self> {
        let archive = Archive::new()?;
        let stanzas = [archive.add(&Deb::new("a", "1")), archive.add(&Deb::new("b", "1:2-3"))];
        let suite = Suite::new("sid").with(&stanzas);
        archive.publish(&suite);
        let server = Server::start(archive.root());
        Some(Self { archive, server, suite })
    }

    pub fn keyring(&self) -> Keyring {
        let pin = self.archive.key.parse().expect("a fingerprint");
        Keyring::new(&[pin], &[("test.asc".into(), self.archive.certificate())]).expect("a keyring")
    }

    pub fn base(&self, origin: &str) -> Base {
        Base::parse("base.toml", "test", &self.archive.base(origin, &["sid"])).expect("a base")
    }
}

/// One large file below a folder with a server; no signatures.
pub struct Pool {
    pub folder: tempfile::TempDir,
    pub server: Server,
    pub content: Vec<u8>,
}

pub const PATH: &str = "pool/main/x/x/x_1+b~1_amd64.deb";

impl Pool {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        // Every part of it differs from every other.
        let content: Vec<u8> = (0..200_000_u32).flat_map(u32::to_le_bytes).collect();
        fs_err::create_dir_all(folder.path().join(PATH).parent().expect("a folder")).expect("writable");
        fs_err::write(folder.path().join(PATH), &content).expect("writable");
        let server = Server::start(folder.path());
        Self { folder, server, content }
    }

    pub fn wanted(&self) -> Wanted {
        Wanted {
            path: PATH.to_owned(),
            size: self.content.len() as u64,
            sha256: Sha256::of(&self.content),
            archive: "test".to_owned(),
        }
    }
}
