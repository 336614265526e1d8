//! The packages of a system: look-ups, their names where dpkg writes them, and the status file.

use std::collections::BTreeMap;

use super::{
    hash::package_bin,
    package::{MultiArch, Package, PackageError},
    relation::Kind,
    state::{Flag, State, Want},
};
use crate::deb::control::{self, Comments};

pub const FOLDER: &[u8] = b"/var/lib/dpkg";
pub const INFO: &[u8] = b"/var/lib/dpkg/info";
pub const STATUS: &[u8] = b"/var/lib/dpkg/status";
pub const ARCH: &[u8] = b"/var/lib/dpkg/arch";
pub const FORMAT: &[u8] = b"/var/lib/dpkg/info/format";

/// Index of a package in its [`Database`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PackageId(usize);

/// All packages, and the architectures of the system.
#[derive(Clone, Debug)]
pub struct Database {
    /// dpkg's name of the system's own architecture.
    pub native: String,
    /// Further architectures whose packages may be installed.
    pub foreign: Vec<String>,
    packages: Vec<Package>,
    /// Instances by name, in the order in which they came.
    by_name: BTreeMap<String, Vec<PackageId>>,
}

/// When a package's name is qualified by its architecture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Qualified {
    Never,
    /// When other architectures of it may be installed beside it.
    IfSame,
    /// Also when it is not of the system's architecture.
    IfAmbiguous,
}

/// A status file that can't be read.
#[derive(Debug, thiserror::Error)]
pub enum StatusError {
    #[error(transparent)]
    Control(#[from] control::Error),
    #[error("line {line}: {source}")]
    Package { line: usize, source: PackageError },
    #[error("package {0} twice")]
    Twice(String),
}

impl Database {
    pub fn new(native: &str) -> Self {
        Self { native: native.to_owned(), foreign: Vec::new(), packages: Vec::new(), by_name: BTreeMap::new() }
    }

    /// Reads the status file and the list of architectures, of which the first is the system's own.
    pub fn parse(status: &[u8], architectures: &[u8], native: &str) -> Result<Self, StatusError> {
        let mut database = Self::new(native);
        let architectures = String::from_utf8_lossy(architectures);
        database.foreign = architectures.lines().filter(|name| *name != native).map(str::to_owned).collect();
        for paragraph in control::paragraphs(status, Comments::Refuse) {
            let paragraph = paragraph?;
            let line = paragraph.fields.first().map_or(0, |field| field.line);
            let package = Package::from_status(&paragraph).map_err(|source| StatusError::Package { line, source })?;
            if database.find(&package.name, &package.architecture).is_some() {
                return Err(StatusError::Twice(package.name));
            }
            database.add(package);
        }
        Ok(database)
    }

    pub fn add(&mut self, package: Package) -> PackageId {
        let id = PackageId(self.packages.len());
        self.by_name.entry(package.name.clone()).or_default().push(id);
        self.packages.push(package);
        id
    }

    pub fn get(&self, id: PackageId) -> &Package {
        &self.packages[id.0]
    }

    pub fn get_mut(&mut self, id: PackageId) -> &mut Package {
        &mut self.packages[id.0]
    }

    pub fn ids(&self) -> impl DoubleEndedIterator<Item = PackageId> + use<> {
        (0..self.packages.len()).map(PackageId)
    }

    /// All packages of this name.
    pub fn instances(&self, name: &str) -> &[PackageId] {
        self.by_name.get(name).map_or(&[], Vec::as_slice)
    }

    pub fn find(&self, name: &str, architecture: &str) -> Option<PackageId> {
        self.instances(name).iter().copied().find(|id| self.get(*id).architecture == architecture)
    }

    /// The package that `NAME` or `NAME:ARCHITECTURE` means.
    pub fn named(&self, text: &str) -> Option<PackageId> {
        match text.split_once(':') {
            Some((name, architecture)) => self.find(name, architecture),
            None => self.instances(text).first().copied(),
        }
    }

    /// Whether packages of this architecture belong to the system as much as those of its own.
    pub fn is_native(&self, architecture: &str) -> bool {
        architecture == self.native || architecture == "all"
    }

    pub fn name(&self, id: PackageId, qualified: Qualified) -> String {
        let package = self.get(id);
        let same = package.multi_arch == MultiArch::Same;
        let qualify = match qualified {
            Qualified::Never => false,
            Qualified::IfSame => same,
            Qualified::IfAmbiguous => same || !self.is_native(&package.architecture),
        };
        if qualify { format!("{}:{}", package.name, package.architecture) } else { package.name.clone() }
    }

    /// Where a control file of an installed package is kept.
    pub fn info_path(&self, id: PackageId, kind: &str) -> Vec<u8> {
        [INFO, b"/", self.name(id, Qualified::IfSame).as_bytes(), b".", kind.as_bytes()].concat()
    }

    /// Ids in the order of the status file: by name, then architecture.
    pub fn sorted(&self) -> Vec<PackageId> {
        let mut ids: Vec<PackageId> = self.ids().collect();
        ids.sort_by_cached_key(|id| (self.name(*id, Qualified::Never), self.get(*id).architecture.clone()));
        ids
    }

    /// The status file. Packages that nobody wants and that are not installed are left out.
    pub fn render(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for id in self.sorted() {
            let package = self.get(id);
            if (package.want, package.flag, package.state) == (Want::Unknown, Flag::Ok, State::NotInstalled) {
                continue;
            }
            out.extend_from_slice(&package.render());
            out.push(b'\n');
        }
        out
    }

    /// Ids in the order in which a dpkg that has just read the status file walks its table of packages.
    ///
    /// A name has its place in the table from when it is first met, as a package's own or in a dependency of one; names that
    /// share a bin stand in the order in which they came.
    pub fn walk(&self) -> Vec<PackageId> {
        let mut names: Vec<&str> = Vec::new();
        for id in self.sorted() {
            let package = self.get(id);
            names.push(&package.name);
            let groups = Kind::ALL.into_iter().flat_map(|kind| package.relations(kind));
            names.extend(groups.flatten().map(|relation| relation.package.as_str()));
        }
        let mut first: BTreeMap<&str, usize> = BTreeMap::new();
        for (index, name) in names.iter().enumerate() {
            first.entry(name).or_insert(index);
        }
        let mut order: Vec<(u32, usize, &str)> =
            first.into_iter().map(|(name, index)| (package_bin(name), index, name)).collect();
        order.sort_unstable();
        order.into_iter().flat_map(|(_, _, name)| self.instances(name).iter().copied()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATUS: &str = "\
Package: base-files
Essential: yes
Status: install ok installed
Priority: required
Section: admin
Installed-Size: 340
Maintainer: Santiago <s@example.org>
Architecture: amd64
Multi-Arch: foreign
Version: 12.4+deb12u15
Replaces: base, dpkg (<= 1.15.0)
Provides: base
Pre-Depends: awk
Breaks: debian-security-support (<< 2019.04.25)
Conffiles:
 /etc/debian_version 2a6b0cd0a3b6a7a2a4f1a0c2dbd6b1ae
 /etc/old file 0123456789abcdef0123456789abcdef obsolete
Description: Debian base system miscellaneous files
 This package contains the basic filesystem hierarchy.
 .
 And more.
Homepage: https://example.org

Package: libc6
Status: install ok triggers-pending
Maintainer: GNU <g@example.org>
Architecture: amd64
Multi-Arch: same
Source: glibc
Version: 2.36-9
Triggers-Pending: a

Package: zz
Status: install reinstreq half-installed
Maintainer: Z <z@example.org>
Architecture: i386
Version: 1:1
Config-Version: 1:0
Triggers-Awaited: libc6:amd64

";

    #[test]
    fn status_comes_back() {
        let database = Database::parse(STATUS.as_bytes(), b"amd64\ni386\n", "amd64").expect("valid");
        assert_eq!(String::from_utf8(database.render()).expect("UTF-8"), STATUS);
        assert_eq!(database.foreign, ["i386"]);
        let names = |qualified| database.ids().map(|id| database.name(id, qualified)).collect::<Vec<_>>();
        assert_eq!(names(Qualified::Never), ["base-files", "libc6", "zz"]);
        assert_eq!(names(Qualified::IfSame), ["base-files", "libc6:amd64", "zz"]);
        assert_eq!(names(Qualified::IfAmbiguous), ["base-files", "libc6:amd64", "zz:i386"]);
        let libc6 = database.named("libc6:amd64").expect("there");
        assert_eq!(database.get(libc6).triggers_pending, ["a"]);
        assert_eq!(database.info_path(libc6, "list"), b"/var/lib/dpkg/info/libc6:amd64.list");
    }

    #[test]
    fn fields_are_put_in_order() {
        let control = "Package: A\nversion: 0:1\nX-Other: x\ndescription: d\nDepends: b(>=1)|c\nPriority: Optional\n\
                       Architecture: all\nMaintainer: m\nSection: s\nSize: 7\n";
        let paragraph = control::paragraph(control.as_bytes(), Comments::Refuse).expect("valid");
        let package = Package::from_control(&paragraph).expect("valid");
        assert_eq!(
            String::from_utf8(package.render()).expect("UTF-8"),
            "Package: a\nStatus: unknown ok not-installed\nPriority: optional\nSection: s\nMaintainer: m\n\
             Architecture: all\nVersion: 1\nDepends: b (>= 1) | c\nDescription: d\nX-Other: x\n"
        );
    }

    #[test]
    fn refuses_what_is_no_package() {
        let check = |control: &str, expect: &str| {
            let paragraph = control::paragraph(control.as_bytes(), Comments::Refuse).expect("valid");
            let got = Package::from_control(&paragraph).map(|_| ()).map_err(|error| error.to_string());
            assert_eq!(got, Err(expect.to_owned()));
        };
        check("Package: a\nVersion: 1\n", "field `Architecture` is missing");
        check("Package: -\nVersion: 1\nArchitecture: all\n", "field `Package` has the bad value `-`");
        check(
            "Package: a\nVersion: 1\nArchitecture: all\nDepends: |\n",
            "field `Depends`: expected a package name at ``",
        );
        check("Package: a\nStatus: install ok installed\n", "field `Status` is not allowed in a control file");
        check("Package: a\nVersion: 1\nArchitecture: all\nOptional: b\n", "obsolete field `Optional`");
        check(
            "Package: a\nVersion: 1\nArchitecture: all\nMulti-Arch: same\n",
            "field `Multi-Arch` has the bad value `same`",
        );
    }
}
