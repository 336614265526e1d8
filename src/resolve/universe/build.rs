//! Indexes to a universe, numbering names as apt does: in the order in which stanzas mention them.
//!
//! With several architectures relations and provides multiply: a package that is `Multi-Arch: foreign` serves all of them, a
//! package that is not `same` is against its namesakes, and `name:any` is provided by what is `allowed`.

use super::{
    ArchitectureId, Comparison, Group, GroupId, Index, MultiArch, Name, Origin, Package, PackageId, Provide, ProvideId,
    Relation, RelationId, Universe, Version, VersionId,
};
use crate::deb::{
    dependency::{self, Field},
    packages::Stanza,
    version,
};

/// Two indexes, or one, that contradict themselves.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum UniverseError {
    #[error("{index}: `{package}` {version} is listed twice with different digests, {first} and {second}")]
    TwoDigests { index: String, package: String, version: String, first: String, second: String },
}

/// Number of buckets of apt's table of names.
const BUCKETS: usize = 196_613;

/// The bucket of names with a hash.
pub(super) fn bucket(hash: u32) -> usize {
    hash as usize % BUCKETS
}

/// A universe that grows: one index after the other is begun, and its stanzas come in as many pieces as suits.
///
/// Relations and provides are still added to: each version's relations are a list, as new names can insert some.
#[derive(Debug)]
pub struct Builder<'a> {
    universe: Universe<'a>,
    /// First and last relation of each version, and the next of each relation.
    first: Vec<Option<usize>>,
    next: Vec<Option<usize>>,
    any: ArchitectureId,
    /// Whether a relation has asked for a `name:arch`.
    has_specific: bool,
}

impl<'a> Builder<'a> {
    /// Without any package. `architectures` begins with the native one.
    pub fn new(architectures: &[&'a str]) -> Self {
        let mut names = architectures.to_vec();
        names.push("any");
        let universe = Universe {
            known_architectures: architectures.len(),
            architectures: names,
            groups: Vec::new(),
            text: String::new(),
            buckets: vec![None; BUCKETS],
            packages: Vec::new(),
            versions: Vec::new(),
            relations: Vec::new(),
            provides: Vec::new(),
            indexes: Vec::new(),
        };
        let any = ArchitectureId::new(architectures.len());
        Self { universe, first: Vec::new(), next: Vec::new(), any, has_specific: false }
    }

    /// Begins an index.
    pub fn index(&mut self, origin: Origin) {
        self.universe.indexes.push(Index { origin, stanzas: Vec::new() });
    }

    /// The next stanzas of the index that was begun last.
    pub fn add(&mut self, stanzas: Vec<Stanza<'a>>) -> Result<(), UniverseError> {
        let number = self.universe.indexes.len().checked_sub(1).expect("an index that was begun");
        let index = &mut self.universe.indexes[number];
        let begin = index.stanzas.len();
        index.stanzas.extend(stanzas);
        let end = index.stanzas.len();
        for at in begin..end {
            let stanza = &mut self.universe.indexes[number].stanzas[at];
            let (relations, provides) = (std::mem::take(&mut stanza.relations), std::mem::take(&mut stanza.provides));
            self.stanza((number, at), &relations, &provides)?;
        }
        Ok(())
    }
}

/// How a relation or a provide came to be.
#[derive(Clone, Copy, Default)]
struct Flags {
    implicit: bool,
    specific: bool,
}

const IMPLICIT: Flags = Flags { implicit: true, specific: false };
const SPECIFIC: Flags = Flags { implicit: false, specific: true };
const BOTH: Flags = Flags { implicit: true, specific: true };
const NEITHER: Flags = Flags { implicit: false, specific: false };

impl<'a> Builder<'a> {
    fn stanza(
        &mut self,
        at: (usize, usize),
        relations: &[(Field, dependency::Relation<'a>)],
        provides: &[dependency::Relation<'a>],
    ) -> Result<(), UniverseError> {
        let stanza = &self.universe.indexes[at.0].stanzas[at.1];
        let (name, text, multi_arch) = (Name::from(stanza.name), stanza.version, stanza.multi_arch);
        let architecture = stanza.architecture;
        let (essential, protected) = (stanza.essential, stanza.protected);
        let architecture = self.architecture(architecture);
        let package = self.package(name, architecture);
        let (position, same) = self.place(package, at)?;
        let entry = &mut self.universe.packages[package.index()];
        entry.essential |= essential;
        entry.protected |= protected;
        if let Some(version) = same {
            self.universe.versions[version.index()].stanzas.push(at);
            return Ok(());
        }
        let id = VersionId::new(self.universe.versions.len());
        let provided = Vec::new();
        self.universe.versions.push(Version {
            package,
            text,
            stanzas: vec![at],
            multi_arch,
            relations: (0, 0),
            provides: provided,
        });
        self.first.push(None);
        self.universe.packages[package.index()].versions.insert(position, id);
        let mut last = None;
        for (field, relation) in relations {
            self.written(id, *field, relation, &mut last);
        }
        self.provides(id, provides);
        self.namesakes(package, id);
        Ok(())
    }

    /// Where a new version goes among the package's, or the version that it is.
    fn place(&self, package: PackageId, at: (usize, usize)) -> Result<(usize, Option<VersionId>), UniverseError> {
        let stanza = &self.universe.indexes[at.0].stanzas[at.1];
        let versions = &self.universe.package(package).versions;
        for (position, &id) in versions.iter().enumerate() {
            let known = self.universe.stanza(id);
            match version::compare(stanza.version.as_bytes(), known.version.as_bytes()) {
                std::cmp::Ordering::Greater => return Ok((position, None)),
                std::cmp::Ordering::Less => {}
                std::cmp::Ordering::Equal => {
                    let same = is_same(stanza, known);
                    let in_index = self.universe.version(id).stanzas.iter().any(|(index, _)| *index == at.0);
                    if (same || in_index) && stanza.file.sha256 != known.file.sha256 && stanza.version == known.version
                    {
                        let origin = &self.universe.indexes[at.0].origin;
                        return Err(UniverseError::TwoDigests {
                            index: format!("{}/{}", origin.suite, origin.path),
                            package: stanza.name.to_owned(),
                            version: stanza.version.to_owned(),
                            first: known.file.sha256.to_string(),
                            second: stanza.file.sha256.to_string(),
                        });
                    }
                    if same {
                        return Ok((position, Some(id)));
                    }
                }
            }
        }
        Ok((versions.len(), None))
    }

    fn architecture(&mut self, name: &'a str) -> ArchitectureId {
        if name == "all" || name == "native" {
            return self.universe.native();
        }
        let known = &mut self.universe.architectures;
        let at = known.iter().position(|known| *known == name).unwrap_or_else(|| {
            known.push(name);
            known.len() - 1
        });
        ArchitectureId::new(at)
    }

    fn is_known(&self, architecture: ArchitectureId) -> bool {
        architecture.index() < self.universe.known_architectures
    }

    /// The group of a name. In a bucket short names come first, names of one length in the order of their bytes.
    fn group(&mut self, name: Name<'a>) -> GroupId {
        let universe = &mut self.universe;
        let hash = name.hash();
        if let Some(known) = universe.group_of(name, hash) {
            return known;
        }
        let bucket = bucket(hash);
        let (mut before, mut at) = (None::<GroupId>, universe.buckets[bucket]);
        while let Some(id) = at {
            let known = &universe.groups[id.index()];
            if name.len().cmp(&known.name.len()).then_with(|| name.bytes().cmp(known.name.bytes())).is_lt() {
                break;
            }
            (before, at) = (Some(id), known.next);
        }
        let id = GroupId::new(universe.groups.len());
        let text = universe.text.len();
        universe.text.push_str(name.name);
        universe.groups.push(Group { name, text, hash, next: at, packages: Vec::new() });
        match before {
            None => universe.buckets[bucket] = Some(id),
            Some(before) => universe.groups[before.index()].next = Some(id),
        }
        id
    }

    fn sibling(&self, group: GroupId, architecture: ArchitectureId) -> Option<PackageId> {
        let siblings = self.universe.siblings(group);
        if architecture == self.any {
            return siblings.first().copied();
        }
        siblings.iter().copied().find(|id| self.universe.package(*id).architecture == architecture)
    }

    /// The package of a name on an architecture, made if it is new.
    fn package(&mut self, name: Name<'a>, architecture: ArchitectureId) -> PackageId {
        let group = self.group(name);
        self.package_of(group, architecture)
    }

    fn package_of(&mut self, group: GroupId, architecture: ArchitectureId) -> PackageId {
        if let Some(known) = self.sibling(group, architecture) {
            return known;
        }
        let id = PackageId::new(self.universe.packages.len());
        self.universe.packages.push(Package {
            group,
            architecture,
            essential: false,
            protected: false,
            versions: Vec::new(),
            provided_by: Vec::new(),
            wanted_by: Vec::new(),
        });
        if !self.universe.siblings(group).is_empty() {
            self.inherit(group, id);
        }
        self.universe.groups[group.index()].packages.push(id);
        let name = self.universe.groups[group.index()].name;
        if let Some(qualifier) = name.qualifier.filter(|text| architecture == self.any && *text != "any") {
            self.has_specific = true;
            let bare = self.architecture(qualifier);
            let bare = self.package(Name::from(name.name), bare);
            self.serve_specific(bare, id);
        }
        id
    }

    /// The package that stands for its namesakes: the native one, else the first that can be chosen.
    fn preferred(&self, group: GroupId) -> Option<PackageId> {
        (0..self.universe.known_architectures).find_map(|at| self.sibling(group, ArchitectureId::new(at)))
    }

    /// A new package of a known name gets what its namesakes have: providers that serve every architecture, namesakes that
    /// do, and the relations against the name.
    fn inherit(&mut self, group: GroupId, new: PackageId) {
        if let Some(model) = self.preferred(group) {
            for id in self.universe.package(model).provided_by.clone() {
                let provide = self.universe.provide(id).clone();
                let owner = self.universe.version(provide.owner);
                let owner_architecture = self.universe.package(owner.package).architecture;
                let foreign = owner.multi_arch == MultiArch::Foreign && self.is_known(owner_architecture);
                if foreign && !provide.specific && !provide.implicit {
                    self.provide(provide.owner, new, provide.version, NEITHER);
                }
            }
        }
        for sibling in self.universe.siblings(group).to_vec() {
            if !self.is_known(self.universe.package(sibling).architecture) {
                continue;
            }
            for version in self.universe.package(sibling).versions.clone() {
                let (multi_arch, text) =
                    (self.universe.version(version).multi_arch, self.universe.version(version).text);
                if multi_arch == MultiArch::Foreign {
                    self.provide(version, new, Some(text), IMPLICIT);
                }
            }
        }
        if let Some(model) = self.preferred(group) {
            for id in self.universe.package(model).wanted_by.clone() {
                let relation = self.universe.relation(id);
                if !relation.specific && !relation.implicit && relation.is_negative() {
                    let (version, field, constraint) = (relation.version, relation.field, relation.constraint);
                    self.relation(new, version, field, constraint, false, NEITHER, &mut None);
                }
            }
        }
    }

    /// `name:arch` is provided by what `name` on that architecture is.
    fn serve_specific(&mut self, bare: PackageId, specific: PackageId) {
        for id in self.universe.package(bare).provided_by.clone() {
            let provide = self.universe.provide(id);
            let owner = provide.owner;
            let package = self.universe.version(owner).package;
            if !provide.implicit
                && self.universe.package(package).architecture == self.universe.package(bare).architecture
            {
                let text = self.universe.version(owner).text;
                self.provide(owner, specific, Some(text), BOTH);
            }
        }
        for version in self.universe.package(bare).versions.clone() {
            let text = self.universe.version(version).text;
            self.provide(version, specific, Some(text), BOTH);
        }
    }

    /// One relation of a field.
    fn written(
        &mut self,
        version: VersionId,
        field: Field,
        relation: &dependency::Relation<'a>,
        last: &mut Option<usize>,
    ) {
        let package = self.universe.version(version).package;
        let own = self.universe.package(package).architecture;
        let constraint = relation.constraint.map(|(operator, version)| (Comparison::Written(operator), version));
        let (name, architecture, flags) = match relation.qualifier {
            None => (Name::from(relation.name), own, NEITHER),
            Some("any") => (Name { name: relation.name, qualifier: Some("any") }, self.any, NEITHER),
            Some(qualifier) => {
                let qualifier = if qualifier == "native" { self.universe.architectures[0] } else { qualifier };
                (Name { name: relation.name, qualifier: Some(qualifier) }, self.any, SPECIFIC)
            }
        };
        let group = self.group(name);
        let against = matches!(field, Field::Conflicts | Field::Breaks | Field::Replaces);
        if against && !flags.specific && !self.universe.siblings(group).is_empty() {
            for target in self.universe.siblings(group).to_vec() {
                self.relation(target, version, field, constraint, relation.or, flags, last);
            }
        } else {
            let target = self.package_of(group, architecture);
            self.relation(target, version, field, constraint, relation.or, flags, last);
        }
    }

    /// Adds a relation after `last`, or after all others of the version. Fields that only make names known are not kept.
    #[expect(clippy::too_many_arguments, reason = "the parts of a relation")]
    fn relation(
        &mut self,
        target: PackageId,
        version: VersionId,
        field: Field,
        constraint: Option<(Comparison, &'a str)>,
        or: bool,
        flags: Flags,
        last: &mut Option<usize>,
    ) {
        if matches!(field, Field::Replaces | Field::Enhances) {
            return;
        }
        let id = self.universe.relations.len();
        let Flags { implicit, specific } = flags;
        self.universe.relations.push(Relation { version, target, field, constraint, or, implicit, specific });
        self.universe.packages[target.index()].wanted_by.push(RelationId::new(id));
        if last.is_none() {
            let mut at = self.first[version.index()];
            while let Some(relation) = at {
                *last = at;
                at = self.next[relation];
            }
        }
        let link = last.map_or(&mut self.first[version.index()], |last| &mut self.next[last]);
        let after = link.replace(id);
        self.next.push(after);
        *last = Some(id);
    }

    fn provides(&mut self, version: VersionId, provides: &[dependency::Relation<'a>]) {
        let package = self.universe.version(version).package;
        let (own, group) = (self.universe.package(package).architecture, self.universe.package(package).group);
        let (name, text) = (self.universe.groups[group.index()].name.name, self.universe.version(version).text);
        let multi_arch = self.universe.version(version).multi_arch;
        let own_name = self.universe.architecture_name(own);
        let served = self.universe.provides_of(version).iter().any(|id| {
            let provide = self.universe.provide(*id);
            provide.implicit && provide.specific
        });
        for provided in provides {
            let given = provided.constraint.map(|(_, version)| version);
            let bare = Name::from(provided.name);
            match provided.qualifier {
                Some(qualifier) => {
                    if qualifier != "any" {
                        let architecture = self.architecture(qualifier);
                        self.provide_name(version, bare, architecture, given, BOTH);
                    }
                    let qualified = Name { name: provided.name, qualifier: Some(qualifier) };
                    self.provide_name(version, qualified, self.any, given, SPECIFIC);
                    continue;
                }
                None if multi_arch == MultiArch::Foreign => self.provide_everywhere(version, bare, given, NEITHER),
                None => {
                    if multi_arch == MultiArch::Allowed {
                        let any = Name { name: provided.name, qualifier: Some("any") };
                        self.provide_name(version, any, self.any, given, IMPLICIT);
                    }
                    self.provide_name(version, bare, own, given, NEITHER);
                }
            }
            let specific = Name { name: provided.name, qualifier: Some(own_name) };
            if let Some(known) = self.known_specific(specific) {
                self.provide(version, known, given, BOTH);
            }
        }
        match multi_arch {
            MultiArch::Allowed => {
                self.provide_name(version, Name { name, qualifier: Some("any") }, self.any, Some(text), IMPLICIT);
            }
            MultiArch::Foreign => self.provide_everywhere(version, Name::from(name), Some(text), IMPLICIT),
            MultiArch::No | MultiArch::Same => {}
        }
        if !served && let Some(known) = self.known_specific(Name { name, qualifier: Some(own_name) }) {
            self.provide(version, known, Some(text), BOTH);
        }
    }

    /// The package of `name:arch`, if a relation has asked for it.
    fn known_specific(&self, name: Name<'a>) -> Option<PackageId> {
        let group = if self.has_specific { self.universe.group(name) } else { None };
        group.and_then(|group| self.universe.siblings(group).first().copied())
    }

    fn provide_name(
        &mut self,
        version: VersionId,
        name: Name<'a>,
        architecture: ArchitectureId,
        given: Option<&'a str>,
        flags: Flags,
    ) {
        let owner = self.universe.version(version);
        let package = self.universe.package(owner.package);
        let itself = self.universe.groups[package.group.index()].name == name && package.architecture == architecture;
        if itself && given.is_none_or(|given| given == owner.text) {
            return;
        }
        let target = self.package(name, architecture);
        self.provide(version, target, given, flags);
    }

    /// On every architecture on which the name is known.
    fn provide_everywhere(&mut self, version: VersionId, name: Name<'a>, given: Option<&'a str>, flags: Flags) {
        let owner = self.universe.version(version).package;
        let siblings =
            self.universe.group(name).map(|group| self.universe.siblings(group).to_vec()).unwrap_or_default();
        if siblings.is_empty() {
            self.provide_name(version, name, self.universe.native(), given, flags);
        }
        for target in siblings {
            if !(flags.implicit && target == owner) {
                self.provide(version, target, given, flags);
            }
        }
    }

    fn provide(&mut self, owner: VersionId, target: PackageId, version: Option<&'a str>, flags: Flags) {
        let id = ProvideId::new(self.universe.provides.len());
        let Flags { implicit, specific } = flags;
        self.universe.provides.push(Provide { owner, target, version, implicit, specific });
        self.universe.packages[target.index()].provided_by.insert(0, id);
        self.universe.versions[owner.index()].provides.push(id);
    }

    /// Packages of one name are against each other, unless they are `Multi-Arch: same` and of one version.
    fn namesakes(&mut self, package: PackageId, version: VersionId) {
        let group = self.universe.package(package).group;
        let siblings: Vec<_> = self.universe.siblings(group).iter().copied().filter(|id| *id != package).collect();
        if self.universe.package(package).versions.len() == 1 {
            for &sibling in &siblings {
                for other in self.universe.package(sibling).versions.clone() {
                    self.against(other, package);
                }
            }
        }
        for sibling in siblings {
            if !self.universe.package(sibling).versions.is_empty() {
                self.against(version, sibling);
            }
        }
    }

    fn against(&mut self, version: VersionId, target: PackageId) {
        let Version { multi_arch, text, .. } = *self.universe.version(version);
        let (field, constraint) = match multi_arch {
            MultiArch::Same => (Field::Breaks, Some((Comparison::Differs, text))),
            _ => (Field::Conflicts, None),
        };
        self.relation(target, version, field, constraint, false, IMPLICIT, &mut None);
    }

    /// Whether no relation was inserted before another; then versions have the ranges of their relations.
    fn is_sorted(&mut self) -> bool {
        let mut end = 0;
        for (version, first) in self.universe.versions.iter_mut().zip(&self.first) {
            version.relations.0 = end;
            let mut at = *first;
            while let Some(relation) = at {
                if relation != end {
                    return false;
                }
                end += 1;
                at = self.next[relation];
            }
            version.relations.1 = end;
        }
        true
    }

    /// Lays the relations of each version side by side, where they are not already.
    pub fn finish(mut self) -> Universe<'a> {
        if self.is_sorted() {
            return self.universe;
        }
        let universe = &mut self.universe;
        let mut sorted = Vec::with_capacity(universe.relations.len());
        let mut moved = vec![RelationId(0); universe.relations.len()];
        for (version, first) in universe.versions.iter_mut().zip(&self.first) {
            version.relations.0 = sorted.len();
            let mut at = *first;
            while let Some(old) = at {
                moved[old] = RelationId::new(sorted.len());
                sorted.push(universe.relations[old].clone());
                at = self.next[old];
            }
            version.relations.1 = sorted.len();
        }
        universe.relations = sorted;
        for package in &mut universe.packages {
            for relation in &mut package.wanted_by {
                *relation = moved[relation.index()];
            }
        }
        self.universe
    }
}

fn is_same(a: &Stanza<'_>, b: &Stanza<'_>) -> bool {
    let all = |stanza: &Stanza<'_>| stanza.architecture == "all";
    a.build() == b.build() && a.file.size == b.file.size && a.multi_arch == b.multi_arch && all(a) == all(b)
}
