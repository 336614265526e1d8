//! Packages made in memory: a .deb of given control fields, scripts and files.

use std::io::Write;

use icos::{
    digest::Sha256,
    store::{Layer, Store},
};

/// One package to be. Members are compressed with gzip; contents are plain files, programs among them by their first bytes.
#[derive(Clone, Debug)]
pub struct Deb {
    pub name: String,
    pub version: String,
    pub architecture: String,
    /// Control fields besides the three above and those that every package has.
    pub fields: Vec<(String, String)>,
    /// Maintainer scripts and other files of control.tar by name.
    pub control: Vec<(String, String)>,
    /// Files by path, without a leading slash.
    pub files: Vec<(String, Vec<u8>)>,
}

impl Deb {
    pub fn new(name: &str, version: &str) -> Self {
        let (name, version) = (name.to_owned(), version.to_owned());
        let file = (format!("usr/share/doc/{name}/copyright"), format!("{name} {version}\n").into_bytes());
        Self { name, version, architecture: "amd64".into(), fields: vec![], control: vec![], files: vec![file] }
    }

    pub fn of(mut self, architecture: &str) -> Self {
        architecture.clone_into(&mut self.architecture);
        self
    }

    pub fn field(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn file(mut self, path: &str, content: &[u8]) -> Self {
        self.files.push((path.to_owned(), content.to_vec()));
        self
    }

    /// A script or another file of control.tar.
    pub fn control(mut self, name: &str, content: &str) -> Self {
        self.control.push((name.to_owned(), content.to_owned()));
        self
    }

    /// The control file.
    pub fn stanza(&self) -> String {
        let Self { name, version, architecture, .. } = self;
        let mut stanza = format!("Package: {name}\nVersion: {version}\nArchitecture: {architecture}\n");
        stanza.push_str("Maintainer: Nobody <nobody@example.org>\n");
        for (name, value) in &self.fields {
            stanza.push_str(&format!("{name}: {value}\n"));
        }
        stanza.push_str("Description: made for a test\n");
        stanza
    }

    /// The file's bytes.
    pub fn build(&self) -> Vec<u8> {
        let mut control = vec![("control".to_owned(), self.stanza().into_bytes(), 0o644)];
        for (name, content) in &self.control {
            control.push((name.clone(), content.clone().into_bytes(), 0o755));
        }
        let mode = |content: &[u8]| match content {
            SETUID => 0o4755,
            _ if content.starts_with(b"#!") || content.starts_with(b"\x7fELF") => 0o755,
            _ => 0o644,
        };
        let files: Vec<_> =
            self.files.iter().map(|(path, content)| (path.clone(), content.clone(), mode(content))).collect();
        let mut out = b"!<arch>\n".to_vec();
        for (name, content) in [
            ("debian-binary", b"2.0\n".to_vec()),
            ("control.tar.gz", gzip(&tar(&control))),
            ("data.tar.gz", gzip(&tar(&files))),
        ] {
            out.extend(format!("{name:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n", 0, 0, 0, "100644", content.len()).bytes());
            out.extend(&content);
            out.resize(out.len().next_multiple_of(2), b'\n');
        }
        out
    }
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("memory takes everything")
}

/// The content of what becomes a device node.
pub const DEVICE: &[u8] = b"\0a device node";

/// The content of what becomes a program with the setuid bit.
pub const SETUID: &[u8] = b"\x7fELF, setuid";

/// A ustar archive of files and the folders above them.
fn tar(files: &[(String, Vec<u8>, u32)]) -> Vec<u8> {
    let mut out = Vec::new();
    header(&mut out, "./", b'5', 0o755, 0);
    let mut folders = std::collections::BTreeSet::new();
    for (path, content, mode) in files {
        for (at, _) in path.match_indices('/') {
            if folders.insert(&path[..=at]) {
                header(&mut out, &format!("./{}", &path[..=at]), b'5', 0o755, 0);
            }
        }
        if content == DEVICE {
            header(&mut out, &format!("./{path}"), b'3', *mode, 0);
            continue;
        }
        header(&mut out, &format!("./{path}"), b'0', *mode, content.len());
        out.extend(content);
        out.resize(out.len().next_multiple_of(512), 0);
    }
    out.resize(out.len() + 1024, 0);
    out
}

fn header(out: &mut Vec<u8>, path: &str, kind: u8, mode: u32, size: usize) {
    assert!(path.len() < 100, "{path} needs a long name");
    let mut block = [0; 512];
    let mut put = |at: usize, text: &str| block[at..at + text.len()].copy_from_slice(text.as_bytes());
    put(0, path);
    put(100, &format!("{mode:07o}"));
    put(108, "0000000");
    put(116, "0000000");
    put(124, &format!("{size:011o}"));
    put(136, "00000000000");
    put(148, "        ");
    put(257, "ustar\x0000");
    put(265, "root");
    put(297, "root");
    put(329, "0000001");
    put(337, "0000003");
    block[156] = kind;
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    out.extend(block);
}

/// The layers of packages, as a store unpacks them.
pub fn layers(debs: &[Deb]) -> Vec<Layer> {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let store = Store::open(&folder.path().join("store")).expect("a store");
    let layer = |deb: &Deb| {
        let (file, bytes) = (folder.path().join("deb"), deb.build());
        fs_err::write(&file, &bytes).expect("written");
        let sum = Sha256::of(&bytes);
        store.insert(&file, &sum).expect("inserted");
        store.layer(&sum).expect("a layer")
    };
    debs.iter().map(layer).collect()
}
