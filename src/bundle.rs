//! Bundles: everything that builds of some targets need, in one file that is carried to a machine without a network.
//!
//! A bundle is an uncompressed POSIX tar archive, because nearly all of it is compressed already and any machine can look into it:
//! ```text
//! bundle.json               the manifest: format, targets, and of every member path, kind, size and sha256
//! SHA256SUMS                the sums of bundle.json and all members behind this one, for sha256sum -c
//! program/icos              the program that made the bundle
//! project/<path>            definitions, locks, keys and packages that are files of the project
//! store/<sha256>            packages, signed InRelease files, indexes, and artifacts of overlays
//! ```
//! Members are plain files of root's at the epoch, mode 0644 or 0755, in the byte order of their paths, each padded to 512 bytes;
//! 1024 zeros end the file. Symbolic links and empty folders of overlays stand in the manifest alone. So the manifest determines
//! every byte that is not some member's content, the same inputs give the same bytes on every machine, and a reader needs to
//! compare, not to interpret: any other header, order or name, and any byte more or less, is an error.
//!
//! With a base (`--since`), the manifest still lists everything, but what the base lists, by sha256, has no member and is marked
//! `absent`; `since` is the sha256 of the base's whole file. Whoever imports it must have imported the base.
//!
//! Which files belong to a target is part of the format: an importer computes it anew from the definitions and refuses a bundle
//! with another set.

use std::{fs::File, io, os::unix::fs::FileExt};

use crate::digest::Sha256;

mod manifest;
mod reader;
mod writer;

pub use manifest::{BadManifest, Build, Entry, Kind, Link, Manifest};
pub use reader::Bundle;
pub use writer::write;

/// Of the manifest and of the set of files. Another number is another form, which this program cannot read.
pub const FORMAT: u32 = 1;

/// Path of the program's member.
pub const PROGRAM: &str = "program/icos";

/// What paths of the project, and sums of the store, begin with.
pub const PROJECT: &str = "project/";
pub const STORE: &str = "store/";

const MANIFEST: &str = "bundle.json";
const SUMS: &str = "SHA256SUMS";

/// Members begin at multiples of this.
const BLOCK: u64 = 512;

/// Zeros that end the archive.
const END: u64 = 2 * BLOCK;

/// Bytes that are copied at a time.
const PIECE: usize = 1 << 20;

/// Why a bundle is refused or can't be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("bundle {0}: it is no bundle: it does not begin with the member `{MANIFEST}`")]
    NoBundle(String),
    #[error("bundle {bundle}: member `{member}`: {fault}")]
    Member { bundle: String, member: String, fault: Fault },
    #[error("bundle {bundle}: {extra} bytes follow the last member `{member}` and its end mark")]
    Trailing { bundle: String, member: String, extra: u64 },
    #[error("bundle {bundle}: member `{member}` is not in the bundle and not in the store")]
    NeedsBase { bundle: String, member: String, since: Sha256 },
    #[error("bundle {bundle}: {source}")]
    Io { bundle: String, source: io::Error },
    #[error("{what} is not in the store")]
    NotStored { what: String },
    #[error("{path} has the sha256 {found}, expected {expected}")]
    Changed { path: String, expected: Sha256, found: Sha256 },
    #[error("`{path}`: {why}, which a bundle can't hold")]
    Cannot { path: String, why: &'static str },
}

/// What is wrong with a member.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("the file ends inside it")]
    Cut,
    #[error("the file ends without the end mark behind it")]
    NoEnd,
    #[error("what follows it is no end mark")]
    End,
    #[error("it has more than {0} bytes")]
    TooLong(u64),
    #[error(transparent)]
    Manifest(#[from] BadManifest),
    #[error("it is not the list that follows from {MANIFEST}")]
    Sums,
    #[error("its path is absolute")]
    Absolute,
    #[error("its path has `.`, `..` or nothing between slashes")]
    Escapes,
    #[error("it is not a plain file but of type `{}`", .0.escape_ascii())]
    Type(u8),
    #[error("it is there twice")]
    Twice,
    #[error("it stands where the manifest has `{0}`")]
    Order(String),
    #[error("its header is not the one that follows from the manifest")]
    Header,
    #[error("padding behind it is not zero")]
    Padding,
    #[error("it has the sha256 {found}, expected {expected}")]
    Digest { expected: Sha256, found: Sha256 },
    #[error("no target of the bundle needs it")]
    Stowaway,
    #[error("a target of the bundle needs it, but the manifest does not have it")]
    Missing,
}

impl Error {
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NeedsBase { since, .. } => Some(format!(
                "import the bundle whose sha256 is {since} first; `icos bundle list` and sha256sum tell it"
            )),
            Self::NotStored { .. } => {
                let where_from = "`icos fetch` brings packages, `icos store add` artifacts; InRelease files and indexes are in the \
                                  store with which `icos lock` made the lock";
                Some(where_from.to_owned())
            }
            Self::Member { fault: Fault::Digest { .. } | Fault::Cut | Fault::NoEnd | Fault::Sums, .. } => {
                Some("the file was damaged on its way: carry it over again".to_owned())
            }
            _ => None,
        }
    }
}

pub type Result<T> = std::result::Result<T, Error>;

/// Bytes at any offset: a file, or memory.
pub trait ReadAt: Sync {
    fn size(&self) -> io::Result<u64>;
    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()>;
}

impl ReadAt for File {
    fn size(&self) -> io::Result<u64> {
        let meta = self.metadata()?;
        if meta.is_file() {
            Ok(meta.len())
        } else {
            Err(io::Error::new(io::ErrorKind::InvalidInput, "is no plain file"))
        }
    }

    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        FileExt::read_exact_at(self, buffer, offset)
    }
}

impl ReadAt for Vec<u8> {
    fn size(&self) -> io::Result<u64> {
        Ok(self.len() as u64)
    }

    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        let start = usize::try_from(offset).map_err(|_| io::ErrorKind::UnexpectedEof)?;
        let part = self.get(start..).and_then(|rest| rest.get(..buffer.len())).ok_or(io::ErrorKind::UnexpectedEof)?;
        buffer.copy_from_slice(part);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Sha256;

    fn entry(path: &str, kind: Kind, content: &str) -> Entry {
        let sha256 = Sha256::of(content.as_bytes());
        Entry { path: path.to_owned(), kind, size: content.len() as u64, sha256, executable: false, absent: false }
    }

    fn bundle() -> (Manifest, Vec<u8>) {
        let manifest = Manifest {
            format: FORMAT,
            icos: "0".to_owned(),
            since: None,
            builds: vec![Build { target: "os/dev".to_owned(), base: "test".to_owned() }],
            entries: vec![
                entry(PROGRAM, Kind::Program, PROGRAM),
                entry("project/ic-os/os/image.toml", Kind::Definition, "project/ic-os/os/image.toml"),
            ],
            links: Vec::new(),
            folders: Vec::new(),
        };
        let mut out = Vec::new();
        // Each file holds its own path.
        let open = |entry: &Entry| Ok((io::Cursor::new(entry.path.clone()), entry.path.clone()));
        write(&manifest, "b", &mut out, open, &|_| {}).expect("written");
        (manifest, out)
    }

    #[test]
    fn reads_what_it_writes() {
        let (manifest, bytes) = bundle();
        let read = Bundle::open("b", bytes).expect("a bundle");
        read.verify(&|_| {}).expect("sound");
        assert_eq!(read.manifest(), &manifest);
    }

    /// Every byte counts: there is one file of each manifest.
    #[test]
    fn every_byte_counts() {
        let (_, bytes) = bundle();
        for at in 0..bytes.len() {
            let mut bytes = bytes.clone();
            bytes[at] ^= 1 << (at % 8);
            let read = Bundle::open("b", bytes).and_then(|bundle| bundle.verify(&|_| {}));
            assert!(read.is_err(), "byte {at}");
        }
    }

    #[test]
    fn a_file_that_changes_is_told() {
        let (manifest, _) = bundle();
        let check = |content: &'static str, expect: &str| {
            let open = |_: &Entry| Ok((io::Cursor::new(content), "file".to_owned()));
            let error = write(&manifest, "b", &mut Vec::new(), open, &|_| {}).expect_err("it is another");
            assert!(error.to_string().starts_with(expect), "{error}");
        };
        check("", "file has the sha256 ");
        check("program/ico", "file has the sha256 ");
        check("program/icos and more", "file has the sha256 ");
    }
}
