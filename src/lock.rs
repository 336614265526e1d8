//! What a target is built from, to the byte: the packages, and the evidence that leads from each to a signed InRelease.
//!
//! A lock is canonical: [`write`](writer::write) is the only way to make its text, and [`read`](reader::read) refuses any other.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    date::Instant,
    deb::{
        dependency::{Architecture, PackageName},
        fingerprint::Fingerprint,
        version::Version,
    },
    digest::Sha256,
    manifest::{project::Target, skip::Skip},
};

pub mod delta;
pub mod difference;
pub mod reader;
pub mod stale;
pub mod writer;

/// Of the text's form. Another number is another form, which this program cannot read.
pub const FORMAT: u32 = 1;

/// A locked target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lock {
    pub target: Target,
    pub base: String,
    pub architecture: Architecture,
    /// Others whose packages may stand beside its own.
    pub foreign: Vec<Architecture>,
    /// The instant of the snapshot; without one the archives were live mirrors.
    pub snapshot: Option<Instant>,
    pub policy: Policy,
    /// Digests of the files that were read to make the lock, by their path in the project.
    pub definitions: BTreeMap<String, Sha256>,
    /// Maintainer scripts that are not run.
    pub skips: BTreeSet<Skip>,
    pub suites: BTreeMap<SuiteName, Suite>,
    pub packages: BTreeMap<PackageKey, Package>,
}

/// How the resolver chose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Whose choices the resolver makes, such as `apt 2.6`.
    pub resolver: String,
    pub recommends: bool,
    /// Whether the packages marked `Essential: yes` were asked for first.
    pub essential: bool,
    /// Whether those of `Priority: required` were asked for too.
    pub required: bool,
}

/// A suite of one of the base's archives.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SuiteName {
    pub archive: String,
    pub suite: String,
}

/// What was signed, by whom, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suite {
    /// Of the InRelease file, signature included; of Release where the signature is detached.
    pub in_release: Sha256,
    /// Of Release.gpg, where the archive has no InRelease.
    pub signature: Option<Sha256>,
    /// Of the primary key.
    pub signer: Fingerprint,
    pub date: Instant,
    /// Files that InRelease vouches for, by their path below the suite's folder, as they were fetched.
    pub indexes: BTreeMap<String, File>,
}

/// Bytes, named by what they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct File {
    /// Bytes.
    pub size: u64,
    pub sha256: Sha256,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PackageKey {
    pub name: PackageName,
    pub architecture: Architecture,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    pub version: Version,
    pub file: File,
    pub source: Source,
    pub roles: BTreeSet<Role>,
    /// The reason why the package is in, a line.
    pub why: String,
}

/// Where a package's bytes are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// Named by a stanza of an index of `suite`; `path` is below the archive's root.
    Archive { suite: SuiteName, index: String, path: String },
    /// A file of the project, by its path in it.
    Project { path: String },
}

/// What a package is locked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Installed in the root tree.
    Root,
    /// Unpacked for the boot loader's files, installed nowhere.
    Loader,
}

impl Role {
    const ALL: [Self; 2] = [Self::Root, Self::Loader];

    fn as_str(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Loader => "loader",
        }
    }
}

impl Lock {
    /// The packages locked for `role`, sorted by name.
    pub fn packages(&self, role: Role) -> impl Iterator<Item = (&PackageKey, &Package)> {
        self.packages.iter().filter(move |(_, package)| package.roles.contains(&role))
    }
}
