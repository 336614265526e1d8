//! Every package, version and relation of a base's indexes, numbered in the order in which apt numbers them.
//!
//! The numbers decide between equals, so they are part of the answer: see [`build`] for where they come from.

use std::{cmp::Ordering, fmt};

use crate::deb::{
    dependency::Field,
    packages::{MultiArch, Stanza},
    version,
};

mod build;

pub use build::{Builder, UniverseError};

/// What is read as one: the packages of one component of a suite for one architecture.
#[derive(Clone, Debug)]
pub struct Index<'a> {
    /// Where it is from.
    pub origin: Origin,
    pub stanzas: Vec<Stanza<'a>>,
}

/// Where an index is from, by the names of the base, and what its Release file says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Of base.toml. Empty for packages that are files of the project.
    pub archive: String,
    /// As base.toml names it.
    pub suite: String,
    pub component: String,
    /// Below the suite's folder.
    pub path: String,
    /// The Release file's own `Suite` and `Codename`.
    pub names: Vec<String>,
    /// Its packages are taken only when asked for by suite.
    pub not_automatic: bool,
    /// Its packages are not taken, but followed once they are there.
    pub but_automatic_upgrades: bool,
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u32);

        impl $name {
            pub(super) fn new(index: usize) -> Self {
                Self(u32::try_from(index).expect("an index of less than 4 GiB has fewer entries than 2^32"))
            }

            pub(super) fn index(self) -> usize {
                self.0 as usize
            }
        }
    };
}

id!(
    /// A name that packages and relations share, on any architecture.
    GroupId
);
id!(
    /// A name on an architecture. It need not have versions.
    PackageId
);
id!(
    /// A version of a package.
    VersionId
);
id!(
    /// A relation of a version.
    RelationId
);
id!(
    /// That a version provides a package.
    ProvideId
);
id!(
    /// An architecture, or the `any` of `name:any`.
    ArchitectureId
);

/// A name, with the qualifier that relations give it: `python3:any` is a name of its own, which `python3` provides if it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Name<'a> {
    pub name: &'a str,
    pub qualifier: Option<&'a str>,
}

#[derive(Clone, Debug)]
struct Group<'a> {
    name: Name<'a>,
    /// Where the name is in the universe's own text.
    text: usize,
    /// Of the name: see [`Name::hash`].
    hash: u32,
    /// Of the same bucket.
    next: Option<GroupId>,
    /// In the order of their numbers.
    packages: Vec<PackageId>,
}

#[derive(Clone, Debug)]
pub(super) struct Package {
    pub(super) group: GroupId,
    pub(super) architecture: ArchitectureId,
    pub(super) essential: bool,
    pub(super) protected: bool,
    /// Newest first.
    pub(super) versions: Vec<VersionId>,
    /// Last come first.
    pub(super) provided_by: Vec<ProvideId>,
    /// Relations that name this package.
    pub(super) wanted_by: Vec<RelationId>,
}

#[derive(Clone, Debug)]
pub(super) struct Version<'a> {
    pub(super) package: PackageId,
    pub(super) text: &'a str,
    /// The stanzas that describe it, by index and position.
    pub(super) stanzas: Vec<(usize, usize)>,
    pub(super) multi_arch: MultiArch,
    /// First and one past the last of its relations.
    relations: (usize, usize),
    provides: Vec<ProvideId>,
}

#[derive(Clone, Debug)]
pub(super) struct Relation<'a> {
    pub(super) version: VersionId,
    pub(super) target: PackageId,
    pub(super) field: Field,
    pub(super) constraint: Option<(Comparison, &'a str)>,
    /// Whether the next relation of the version is an alternative.
    pub(super) or: bool,
    /// Follows from Multi-Arch, written in no field.
    pub(super) implicit: bool,
    /// Names an architecture.
    specific: bool,
}

/// How versions must compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Written(crate::deb::dependency::Operator),
    /// Of packages that can be installed together in one version only.
    Differs,
}

#[derive(Clone, Debug)]
pub(super) struct Provide<'a> {
    pub(super) owner: VersionId,
    pub(super) target: PackageId,
    pub(super) version: Option<&'a str>,
    pub(super) implicit: bool,
    specific: bool,
}

/// The packages that can be chosen from.
#[derive(Debug)]
pub struct Universe<'a> {
    /// The native one first, then those that packages may be asked for.
    architectures: Vec<&'a str>,
    /// How many of `architectures` are not just named somewhere.
    known_architectures: usize,
    groups: Vec<Group<'a>>,
    /// All names: an index is so large that comparing with a name there waits for memory.
    text: String,
    /// The first group of each bucket of names.
    buckets: Vec<Option<GroupId>>,
    pub(super) packages: Vec<Package>,
    pub(super) versions: Vec<Version<'a>>,
    pub(super) relations: Vec<Relation<'a>>,
    pub(super) provides: Vec<Provide<'a>>,
    pub(super) indexes: Vec<Index<'a>>,
}

impl<'a> Universe<'a> {
    /// Reads `indexes` in this order. `architectures` begins with the native one.
    pub fn from_indexes(architectures: &[&'a str], indexes: Vec<Index<'a>>) -> Result<Self, UniverseError> {
        let mut builder = Builder::new(architectures);
        for index in indexes {
            builder.index(index.origin);
            builder.add(index.stanzas)?;
        }
        Ok(builder.finish())
    }

    pub(super) fn native(&self) -> ArchitectureId {
        ArchitectureId(0)
    }

    /// The architecture of that name, if packages of it can be chosen.
    pub(super) fn architecture(&self, name: &str) -> Option<ArchitectureId> {
        self.architectures[..self.known_architectures].iter().position(|known| *known == name).map(ArchitectureId::new)
    }

    /// Names of the architectures that packages can be chosen of.
    pub(super) fn architecture_names(&self) -> &[&'a str] {
        &self.architectures[..self.known_architectures]
    }

    pub(super) fn architecture_name(&self, id: ArchitectureId) -> &'a str {
        self.architectures[id.index()]
    }

    pub(super) fn package_ids(&self) -> impl Iterator<Item = PackageId> + use<> {
        (0..self.packages.len()).map(PackageId::new)
    }

    pub(super) fn package(&self, id: PackageId) -> &Package {
        &self.packages[id.index()]
    }

    pub(super) fn version(&self, id: VersionId) -> &Version<'a> {
        &self.versions[id.index()]
    }

    pub(super) fn relation(&self, id: RelationId) -> &Relation<'a> {
        &self.relations[id.index()]
    }

    pub(super) fn provide(&self, id: ProvideId) -> &Provide<'a> {
        &self.provides[id.index()]
    }

    /// The first stanza that describes a version.
    pub(super) fn stanza(&self, id: VersionId) -> &Stanza<'a> {
        let (index, at) = self.version(id).stanzas[0];
        &self.indexes[index].stanzas[at]
    }

    /// The relations of a version, in the order of its fields: Pre-Depends, Depends, Conflicts, Breaks, Recommends, Suggests.
    pub(super) fn relations_of(&self, id: VersionId) -> impl DoubleEndedIterator<Item = RelationId> + use<> {
        let (start, end) = self.version(id).relations;
        (start..end).map(RelationId::new)
    }

    pub(super) fn provides_of(&self, id: VersionId) -> &[ProvideId] {
        &self.version(id).provides
    }

    /// The clauses of a version: alternatives from first to last.
    pub(super) fn clauses_of(&self, id: VersionId) -> impl Iterator<Item = Clause> + '_ {
        let (mut at, end) = self.version(id).relations;
        std::iter::from_fn(move || {
            let start = at;
            while at < end && self.relations[at].or {
                at += 1;
            }
            (start < end).then(|| {
                let clause = Clause { start: RelationId::new(start), end: RelationId::new(at.min(end - 1)) };
                at = (at + 1).min(end);
                clause
            })
        })
    }

    pub(super) fn parent(&self, relation: RelationId) -> PackageId {
        self.version(self.relation(relation).version).package
    }

    pub(super) fn name(&self, id: PackageId) -> Name<'a> {
        self.groups[self.package(id).group.index()].name
    }

    /// Packages of one name, by architecture.
    pub(super) fn siblings(&self, group: GroupId) -> &[PackageId] {
        &self.groups[group.index()].packages
    }

    pub(super) fn group(&self, name: Name<'_>) -> Option<GroupId> {
        self.group_of(name, name.hash())
    }

    fn group_of(&self, name: Name<'_>, hash: u32) -> Option<GroupId> {
        let mut at = self.buckets[build::bucket(hash)];
        while let Some(id) = at {
            let group = &self.groups[id.index()];
            if group.hash == hash
                && group.name.qualifier == name.qualifier
                && self.text[group.text..group.text + group.name.name.len()] == *name.name
            {
                return Some(id);
            }
            at = group.next;
        }
        None
    }

    pub(super) fn find(&self, name: Name<'_>, architecture: ArchitectureId) -> Option<PackageId> {
        let siblings = self.siblings(self.group(name)?);
        siblings.iter().copied().find(|id| self.package(*id).architecture == architecture)
    }

    /// Every name that has versions.
    pub fn names(&self) -> impl Iterator<Item = &'a str> + '_ {
        let real = |group: &&Group<'a>| group.packages.iter().any(|id| !self.package(*id).versions.is_empty());
        self.groups.iter().filter(real).map(|group| group.name.name)
    }

    /// Packages in the order in which apt walks its table of names.
    pub(super) fn walk(&self) -> Vec<PackageId> {
        let mut order = Vec::with_capacity(self.packages.len());
        for first in &self.buckets {
            let mut at = *first;
            while let Some(group) = at {
                order.extend_from_slice(self.siblings(group));
                at = self.groups[group.index()].next;
            }
        }
        order
    }

    /// Whether `relation` asks for, or against, this version of its target.
    pub(super) fn holds(&self, relation: &Relation<'_>, version: &str) -> bool {
        match relation.constraint {
            None => true,
            Some((Comparison::Written(operator), wanted)) => operator.holds(version, wanted),
            Some((Comparison::Differs, other)) => {
                version::compare(version.as_bytes(), other.as_bytes()) != Ordering::Equal
            }
        }
    }

    /// The same for something that is provided: without a version it meets no constraint.
    pub(super) fn holds_for(&self, relation: &Relation<'_>, provide: &Provide<'_>) -> bool {
        relation.constraint.is_none() || provide.version.is_some_and(|version| self.holds(relation, version))
    }

    /// A package is not against itself, nor against its namesakes when they go together.
    pub(super) fn spares_package(&self, id: RelationId, target: PackageId) -> bool {
        let relation = self.relation(id);
        let parent = self.parent(id);
        relation.is_negative()
            && self.package(parent).group == self.package(target).group
            && (parent == target
                || (self.version(relation.version).multi_arch == MultiArch::Same && !relation.implicit))
    }

    /// A package is not against what provides a name that it provides too, if that is a namesake.
    pub(super) fn spares_provide(&self, id: RelationId, provide: ProvideId) -> bool {
        let relation = self.relation(id);
        let owner = self.version(self.provide(provide).owner).package;
        relation.is_negative()
            && (self.package(owner).group == self.package(self.parent(id)).group || relation.implicit)
    }
}

/// Alternatives, from the first to the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Clause {
    pub(super) start: RelationId,
    pub(super) end: RelationId,
}

impl Clause {
    pub(super) fn alternatives(self) -> impl Iterator<Item = RelationId> + use<> {
        (self.start.0..=self.end.0).map(RelationId)
    }
}

impl Relation<'_> {
    pub(super) fn is_negative(&self) -> bool {
        matches!(self.field, Field::Conflicts | Field::Breaks)
    }

    /// Must hold for a package to work.
    pub(super) fn is_critical(&self) -> bool {
        self.is_negative() || matches!(self.field, Field::PreDepends | Field::Depends)
    }
}

impl Name<'_> {
    /// The bytes as one text: `name` or `name:qualifier`.
    fn bytes(&self) -> impl Iterator<Item = u8> + '_ {
        let qualifier = self.qualifier.into_iter().flat_map(|text| std::iter::once(b':').chain(text.bytes()));
        self.name.bytes().chain(qualifier)
    }

    /// apt's hash of the text, whatever its case.
    fn hash(&self) -> u32 {
        let add = |sum: u32, byte: &u8| sum.wrapping_mul(33).wrapping_add(u32::from(byte.to_ascii_lowercase()));
        let sum = self.name.as_bytes().iter().fold(5381, add);
        self.qualifier.map_or(sum, |qualifier| qualifier.as_bytes().iter().fold(add(sum, &b':'), add))
    }

    fn len(&self) -> usize {
        self.name.len() + self.qualifier.map_or(0, |text| text.len() + 1)
    }
}

impl<'a> From<&'a str> for Name<'a> {
    fn from(name: &'a str) -> Self {
        Self { name, qualifier: None }
    }
}

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)?;
        self.qualifier.map_or(Ok(()), |qualifier| write!(f, ":{qualifier}"))
    }
}

impl Comparison {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Written(operator) => operator.as_str(),
            Self::Differs => "!=",
        }
    }
}
