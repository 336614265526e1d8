//! A signed archive in a folder: pool, indexes, Release files and the key that signs them.

use std::{collections::BTreeMap, io::Write, path::Path};

use icos::{date::Instant, digest::Sha256};

use super::{
    deb::{Deb, gzip},
    gpg::Gpg,
};

/// The folder that a mirror would serve, and the signer.
pub struct Archive {
    folder: tempfile::TempDir,
    gpg: Gpg,
    /// Fingerprint of the key that signs.
    pub key: String,
}

/// A suite as it is to be published. What tests vary is public.
#[derive(Clone, Debug)]
pub struct Suite {
    /// Its folder under `dists`, and its `Suite`.
    pub name: String,
    pub codename: String,
    pub date: Instant,
    pub valid_until: Option<Instant>,
    pub acquire_by_hash: bool,
    /// More fields of the Release file, whole lines.
    pub fields: String,
    /// Text of `Packages` by component and architecture.
    pub indexes: BTreeMap<(String, String), String>,
    /// Endings of the index files that are written: `""`, `.gz`, `.xz`, `.zst`.
    pub forms: Vec<&'static str>,
}

/// When archives of tests are signed: see [`Gpg::clearsign`].
pub fn signing_day() -> Instant {
    Instant::from_compact("20240601T000000Z").expect("a date")
}

impl Suite {
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            codename: name.to_owned(),
            date: signing_day(),
            valid_until: None,
            acquire_by_hash: true,
            fields: String::new(),
            indexes: BTreeMap::new(),
            forms: vec!["", ".gz", ".xz"],
        }
    }

    /// With these stanzas in the index of `main` for amd64.
    pub fn with(self, stanzas: &[String]) -> Self {
        self.with_index("main", stanzas)
    }

    /// With these stanzas in the index of a component for amd64.
    pub fn with_index(mut self, component: &str, stanzas: &[String]) -> Self {
        self.indexes.insert((component.into(), "amd64".into()), stanzas.join("\n"));
        self
    }
}

impl Archive {
    /// `None` when gpg is not installed and this is not CI.
    pub fn new() -> Option<Self> {
        let gpg = Gpg::new()?;
        let key = gpg.key("archive", "ed25519", "sign");
        Some(Self { folder: tempfile::tempdir().expect("a folder"), gpg, key })
    }

    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    pub fn uri(&self) -> String {
        format!("file:{}", self.root().display())
    }

    /// Puts a package into the pool and returns its stanza for an index.
    pub fn add(&self, deb: &Deb) -> String {
        let Deb { name, version, architecture, .. } = deb;
        let (_, version) = version.split_once(':').unwrap_or(("", version));
        self.put(&format!("{name}_{version}_{architecture}.deb"), &deb.stanza(), &deb.build())
    }

    /// Puts a file into the pool and returns the stanza that its control text becomes in an index.
    pub fn put(&self, file: &str, control: &str, bytes: &[u8]) -> String {
        let (name, _) = file.split_once('_').expect("name_version_architecture.deb");
        let path = format!("pool/main/{}/{name}/{file}", &name[..1]);
        self.write(&path, bytes);
        format!("{control}Filename: {path}\nSize: {}\nSHA256: {}\n", bytes.len(), Sha256::of(bytes))
    }

    /// Copies the whole archive as it is now to another folder.
    pub fn freeze(&self, to: &Path) {
        copy(self.root(), to);
    }

    /// Writes a suite's indexes and signs its Release file: InRelease, Release and Release.gpg.
    pub fn publish(&self, suite: &Suite) {
        let release = self.release(suite);
        let dists = format!("dists/{}", suite.name);
        self.write(&format!("{dists}/InRelease"), &self.gpg.clearsign(&self.key, &release, &[]));
        self.write(&format!("{dists}/Release"), release.as_bytes());
        let arguments =
            ["--faked-system-time", "20240601T000000", "--armor", "--local-user", &self.key, "--detach-sign"];
        self.write(&format!("{dists}/Release.gpg"), &self.gpg.ok(&arguments, release.as_bytes()));
    }

    /// Writes the indexes and returns the text of the Release file.
    fn release(&self, suite: &Suite) -> String {
        let Suite { name, codename, date, fields, .. } = suite;
        let words = |pick: fn(&(String, String)) -> &String| {
            let words: std::collections::BTreeSet<_> = suite.indexes.keys().map(pick).cloned().collect();
            words.into_iter().collect::<Vec<_>>().join(" ")
        };
        let mut text = format!("Origin: Test\nLabel: Test\nSuite: {name}\nCodename: {codename}\n");
        text.push_str(&format!("Date: {}\n", rfc2822(*date)));
        if let Some(until) = suite.valid_until {
            text.push_str(&format!("Valid-Until: {}\n", rfc2822(until)));
        }
        text.push_str(&format!("Acquire-By-Hash: {}\n", if suite.acquire_by_hash { "yes" } else { "no" }));
        text.push_str("No-Support-for-Architecture-all: Packages\n");
        text.push_str(&format!("Architectures: {}\n", words(|(_, architecture)| architecture)));
        text.push_str(&format!("Components: {}\n{fields}SHA256:\n", words(|(component, _)| component)));
        for ((component, architecture), index) in &suite.indexes {
            let folder = format!("{component}/binary-{architecture}");
            for form in ["", ".gz", ".xz", ".zst"] {
                // As in real archives the raw index is always listed, served or not.
                let served = suite.forms.contains(&form);
                if !served && !form.is_empty() {
                    continue;
                }
                let bytes = compressed(index.as_bytes(), form);
                let sum = Sha256::of(&bytes);
                text.push_str(&format!(" {sum} {} {folder}/Packages{form}\n", bytes.len()));
                if served {
                    let dists = format!("dists/{name}/{folder}");
                    self.write(&format!("{dists}/Packages{form}"), &bytes);
                    self.write(&format!("{dists}/by-hash/SHA256/{sum}"), &bytes);
                }
            }
        }
        text
    }

    pub fn write(&self, path: &str, bytes: &[u8]) {
        let path = self.root().join(path);
        fs_err::create_dir_all(path.parent().expect("a folder")).expect("writable");
        fs_err::write(path, bytes).expect("writable");
    }

    /// `base.toml` of a base `test` with this archive; `origin` is its line, such as `mirror = "host"`.
    pub fn base(&self, origin: &str, suites: &[&str]) -> String {
        let key = &self.key;
        format!(
            "name = \"test\"\narchitecture = \"amd64\"\n\n[[archive]]\nname = \"test\"\n{origin}\nsuites = {suites:?}\n\
             components = [\"main\"]\nkeys = [{{ fingerprint = \"{key}\", file = \"test.asc\" }}]\n"
        )
    }

    /// The certificate that goes with [`Archive::base`], to be written to `snapshots/keys/test.asc`.
    pub fn certificate(&self) -> Vec<u8> {
        self.gpg.export(&self.key)
    }
}

fn copy(from: &Path, to: &Path) {
    fs_err::create_dir_all(to).expect("writable");
    for entry in fs_err::read_dir(from).expect("a folder").map(|entry| entry.expect("readable")) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs_err::copy(entry.path(), target).expect("copied");
        }
    }
}

fn compressed(bytes: &[u8], form: &str) -> Vec<u8> {
    match form {
        "" => bytes.to_vec(),
        ".gz" => gzip(bytes),
        ".xz" => {
            let options = lzma_rust2::XzOptions::with_preset(1);
            let mut writer = lzma_rust2::XzWriter::new(Vec::new(), options).expect("a writer");
            writer.write_all(bytes).and_then(|()| writer.finish()).expect("memory takes everything")
        }
        ".zst" => zstd::encode_all(bytes, 1).expect("memory takes everything"),
        other => panic!("unknown form `{other}`"),
    }
}

fn rfc2822(instant: Instant) -> String {
    let text = instant.to_string();
    let weekdays = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    let weekday = weekdays[instant.seconds().div_euclid(86_400).rem_euclid(7) as usize];
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let month: usize = text[5..7].parse().expect("two digits");
    format!("{weekday}, {} {} {} {} UTC", &text[8..10], months[month - 1], &text[..4], &text[11..19])
}
