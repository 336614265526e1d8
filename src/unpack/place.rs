//! Members of a package to their places in the tree, past diversions, overrides and the files of other packages.

use std::collections::BTreeSet;

use super::{Fault, Names, Owners, info};
use crate::{
    dpkg::{
        database::{Database, PackageId, Qualified},
        diversions::{self, Diversions},
        overrides::{self, Overrides},
        package::MultiArch,
        relation::Kind as Field,
    },
    store::Layer,
    tar::{Kind, Member},
    tree::{Errno, InodeId, Node, PathError, Stat, Timestamp, Tree, TreePath},
};

/// What dpkg appends to the name of a configuration file until the package is configured.
const NEW: &[u8] = b".dpkg-new";

/// One package being unpacked.
pub(super) struct Unpacking<'a> {
    pub(super) tree: &'a mut Tree,
    pub(super) database: &'a Database,
    pub(super) owners: &'a Owners,
    pub(super) id: PackageId,
    pub(super) diversions: Diversions,
    pub(super) overrides: Overrides,
    pub(super) names: Names,
    pub(super) conffiles: BTreeSet<&'a [u8]>,
}

/// What unpacking did.
#[derive(Default)]
pub(super) struct Done {
    /// The package's list: its paths in the archive's order, without those that another package keeps.
    pub(super) paths: Vec<Vec<u8>>,
    /// Paths that were put in place and so belong to no other package any more.
    pub(super) placed: BTreeSet<Vec<u8>>,
    /// Configuration files that another package keeps.
    pub(super) kept: BTreeSet<Vec<u8>>,
}

pub(super) fn diversions(tree: &Tree) -> Result<Diversions, Fault> {
    Ok(Diversions::parse(&read(tree, diversions::PATH)?)?)
}

pub(super) fn overrides(tree: &Tree) -> Result<Overrides, Fault> {
    Ok(Overrides::parse(&read(tree, overrides::PATH)?)?)
}

fn read(tree: &Tree, path: &[u8]) -> Result<bytes::Bytes, PathError> {
    match tree.read(path) {
        Err(error) if error.errno == Errno::NotFound => Ok(bytes::Bytes::new()),
        result => result,
    }
}

/// A member's path as dpkg lists it.
fn listed_path(path: &TreePath) -> Vec<u8> {
    if path.is_root() { b"/.".to_vec() } else { path.as_bytes().to_vec() }
}

/// What another package's claim to the same path means.
enum Claim {
    /// Take the path over, or share it.
    Place,
    /// The other package replaces this one's file.
    Keep,
    /// The file that is there must be the same, and stays.
    Same(PackageId),
}

impl Unpacking<'_> {
    pub(super) fn members(&mut self, layer: &Layer) -> Result<Done, Fault> {
        super::check_links(layer)?;
        let mut done = Done::default();
        for member in &layer.members {
            self.member(member, &mut done)?;
        }
        Ok(done)
    }

    fn member(&mut self, member: &Member, done: &mut Done) -> Result<(), Fault> {
        let path = listed_path(&member.path);
        if let Some(diversion) = self.diversions.0.iter().find(|diversion| diversion.to == path) {
            return Err(Fault::Diverted { path: member.path.clone(), from: diversion.from.clone() });
        }
        let package = self.database.get(self.id).name.clone();
        let place = self.diversions.installed_as(&path, package.as_bytes()).to_vec();
        let stat = self.stat(member, &path)?;
        if self.is_there(member, &place)? {
            done.paths.push(path);
            return Ok(());
        }
        match self.claim(member, &path, &place)? {
            Claim::Keep => {
                if self.conffiles.contains(path.as_slice()) {
                    done.kept.insert(path);
                }
                return Ok(());
            }
            Claim::Same(other) => {
                self.compare(member, &place, other)?;
                done.paths.push(path);
                return Ok(());
            }
            Claim::Place => {}
        }
        if self.conffiles.contains(path.as_slice()) {
            if !matches!(member.kind, Kind::Regular(_) | Kind::HardLink(_)) {
                return Err(Fault::ConffileKind { path: member.path.clone() });
            }
            self.put(member, &[&place, NEW].concat(), stat)?;
        } else {
            self.put(member, &place, stat)?;
        }
        done.paths.push(path.clone());
        done.placed.insert(path);
        Ok(())
    }

    /// Owner, mode and time of the member; an override of its path, diverted or not, counts first.
    fn stat(&self, member: &Member, path: &[u8]) -> Result<Stat, Fault> {
        let mut stat = self.names.own(&member.stat, &member.user, &member.group);
        if let Some(entry) = self.overrides.of(path) {
            let unknown = |name: &[u8]| Fault::OverrideOwner { name: name.to_vec(), path: path.to_vec() };
            stat.uid = self.names.user(&entry.user).ok_or_else(|| unknown(&entry.user))?;
            stat.gid = self.names.group(&entry.group).ok_or_else(|| unknown(&entry.group))?;
            stat.mode = entry.mode;
        }
        Ok(stat)
    }

    /// Whether the member has nothing to do: a directory that exists, maybe behind a link, or a link in place of one.
    fn is_there(&self, member: &Member, place: &[u8]) -> Result<bool, Fault> {
        let is_dir = |id: InodeId| self.tree.get(id).is_dir();
        match &member.kind {
            Kind::Directory => Ok(self.tree.lookup(place).is_ok_and(is_dir)),
            Kind::Symlink(target) => {
                let Ok(here) = self.tree.lookup_no_follow(place) else { return Ok(false) };
                if is_dir(here) {
                    return Ok(true);
                }
                let Ok(old) = self.tree.lookup(place) else { return Ok(false) };
                if !self.tree.get(here).is_symlink() || !is_dir(old) {
                    return Ok(false);
                }
                let parent = self.tree.place(place)?.parent_path;
                let target =
                    if target.starts_with(b"/") { target.to_vec() } else { [parent.as_bytes(), b"/", target].concat() };
                Ok(self.tree.lookup(&target).is_ok_and(|new| new == old))
            }
            _ => Ok(false),
        }
    }

    /// Settles whose the path is when other packages have it, too.
    fn claim(&self, member: &Member, path: &[u8], place: &[u8]) -> Result<Claim, Fault> {
        let ours = self.database.get(self.id);
        let exists = self.tree.lookup_no_follow(place).is_ok();
        let diversion = self.diversions.from(path);
        let mut claim = Claim::Place;
        for &other in self.owners.of(path) {
            let theirs = self.database.get(other);
            if other == self.id {
                continue;
            }
            let same = MultiArch::Same;
            if theirs.name == ours.name && theirs.multi_arch == same && ours.multi_arch == same {
                if exists && theirs.version == ours.version {
                    claim = Claim::Same(other);
                }
                continue;
            }
            if let Some(diversion) = diversion {
                let by = diversion.package.as_deref();
                if by == Some(theirs.name.as_bytes()) || by == Some(ours.name.as_bytes()) {
                    continue;
                }
            }
            if !exists && member.kind == Kind::Directory {
                continue;
            }
            if replaces(self.database, self.id, other) {
                continue;
            }
            if replaces(self.database, other, self.id) {
                claim = Claim::Keep;
                continue;
            }
            let other = self.database.name(other, Qualified::IfAmbiguous);
            return Err(Fault::Conflict { path: member.path.clone(), other });
        }
        Ok(claim)
    }

    /// The file in place must be what the member is.
    fn compare(&self, member: &Member, place: &[u8], other: PackageId) -> Result<(), Fault> {
        let differs =
            || Fault::SharedDiffers { path: member.path.clone(), other: self.database.name(other, Qualified::IfSame) };
        let path = listed_path(&member.path);
        let new = [place, NEW].concat();
        let place = if self.conffiles.contains(path.as_slice()) && self.tree.lookup_no_follow(&new).is_ok() {
            &new
        } else {
            place
        };
        let here = self.tree.get(self.tree.lookup_no_follow(place)?);
        let same = match (&member.kind, &here.node) {
            (Kind::Regular(ours), Node::Regular(theirs)) => ours == theirs,
            (Kind::HardLink(target), Node::Regular(_)) => {
                let target = self.tree.find(target.as_bytes()).map(|inode| &inode.node);
                target == Some(&here.node)
            }
            (Kind::Symlink(ours), Node::Symlink(theirs)) => ours == theirs,
            (Kind::Fifo, Node::Fifo) => true,
            (Kind::CharDevice(ours), Node::CharDevice(theirs)) => ours == theirs,
            (Kind::BlockDevice(ours), Node::BlockDevice(theirs)) => ours == theirs,
            _ => false,
        };
        if same { Ok(()) } else { Err(differs()) }
    }

    fn put(&mut self, member: &Member, place: &[u8], stat: Stat) -> Result<(), Fault> {
        let place = TreePath::new(place).map_err(|errno| PathError { path: place.into(), errno })?;
        let Kind::HardLink(target) = &member.kind else { return replace(self.tree, member, &place, stat) };
        let package = self.database.get(self.id).name.as_bytes();
        let mut source = self.diversions.installed_as(target.as_bytes(), package).to_vec();
        if self.conffiles.contains(target.as_bytes()) {
            source.extend_from_slice(NEW);
        }
        link(self.tree, member, &place, &source)
    }
}

/// Whether the first package's `Replaces` names the second.
fn replaces(database: &Database, new: PackageId, old: PackageId) -> bool {
    let old = database.get(old);
    database.get(new).relations(Field::Replaces).iter().flatten().any(|relation| {
        relation.package == old.name
            && relation.version.as_ref().is_none_or(|(comparison, version)| comparison.holds(&old.version, version))
    })
}

/// Makes the member at `place`, in the place of anything but a directory.
pub(super) fn replace(tree: &mut Tree, member: &Member, place: &TreePath, stat: Stat) -> Result<(), Fault> {
    let node = match &member.kind {
        Kind::HardLink(target) => return link(tree, member, place, target.as_bytes()),
        Kind::Directory => Node::Directory(std::collections::BTreeMap::new()),
        Kind::Regular(content) => Node::Regular(content.clone()),
        Kind::Symlink(target) => Node::Symlink(target.clone()),
        Kind::CharDevice(device) => Node::CharDevice(*device),
        Kind::BlockDevice(device) => Node::BlockDevice(*device),
        Kind::Fifo => Node::Fifo,
    };
    clear(tree, member, place)?;
    let stat = if matches!(node, Node::Symlink(_)) { Stat { mode: 0o777, ..stat } } else { stat };
    tree.create(place.as_bytes(), stat, node)?;
    Ok(())
}

/// Gives the file at `source` a further name.
fn link(tree: &mut Tree, member: &Member, place: &TreePath, source: &[u8]) -> Result<(), Fault> {
    let missing = || {
        let target = TreePath::new(source).unwrap_or_else(|_| TreePath::root());
        Fault::HardLink { path: member.path.clone(), target }
    };
    let inode = tree.lookup_no_follow(source).map_err(|_| missing())?;
    if tree.lookup_no_follow(place.as_bytes()).is_ok_and(|here| here == inode) {
        return Ok(());
    }
    clear(tree, member, place)?;
    let target = tree.place(place.as_bytes())?;
    tree.link(inode, target.parent, target.name).map_err(|errno| PathError { path: place.as_bytes().into(), errno })?;
    Ok(())
}

/// Removes what is at `place`; a directory stands in the way.
fn clear(tree: &mut Tree, member: &Member, place: &TreePath) -> Result<(), Fault> {
    match tree.unlink(place.as_bytes()) {
        Ok(()) => Ok(()),
        Err(error) if error.errno == Errno::NotFound => Ok(()),
        Err(error) if error.errno == Errno::IsDirectory => Err(Fault::Directory { path: member.path.clone() }),
        Err(error) => Err(error.into()),
    }
}

/// Takes what was replaced from the lists of the packages that had it.
pub(super) fn take_from_others(
    tree: &mut Tree,
    database: &mut Database,
    owners: &mut Owners,
    id: PackageId,
    done: &Done,
    now: Timestamp,
) -> Result<(), Fault> {
    let name = database.get(id).name.clone();
    let diversions = diversions(tree)?;
    let mut losers = BTreeSet::new();
    for path in &done.placed {
        let by = diversions.from(path).and_then(|diversion| diversion.package.clone());
        if by.as_deref() == Some(name.as_bytes()) {
            continue;
        }
        for &other in owners.of(path) {
            let theirs = &database.get(other).name;
            if *theirs != name && by.as_deref() != Some(theirs.as_bytes()) {
                losers.insert(other);
            }
        }
    }
    for other in losers {
        let package = database.get_mut(other);
        for conffile in package.conffiles.iter_mut().filter(|conffile| done.placed.contains(&conffile.path)) {
            conffile.obsolete = true;
        }
        let path = database.info_path(other, "list");
        let old = tree.read(&path)?;
        let lines = old.split(|&b| b == b'\n').filter(|line| !line.is_empty());
        let (gone, left): (Vec<&[u8]>, Vec<&[u8]>) = lines.partition(|line| done.placed.contains(*line));
        gone.iter().for_each(|line| owners.remove(other, line));
        if left.iter().all(|line| owners.of(line).len() > 1 || *line == b"/.") {
            return Err(Fault::Disappears(database.name(other, Qualified::IfAmbiguous)));
        }
        let left: Vec<Vec<u8>> = left.into_iter().map(<[u8]>::to_vec).collect();
        tree.unlink(&path)?;
        tree.create(&path, Stat::root(0o644, now), Node::Regular(info::list(&left).into()))?;
    }
    Ok(())
}
