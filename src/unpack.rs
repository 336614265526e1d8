//! Layers into one tree, with dpkg's rules for what may stand where and its record of who installed what.
//!
//! [`base`] and [`lay_out`] make what a bootstrap begins with: a merged `/usr` and every package's files as tar would put
//! them, so that the programs that scripts call are there before dpkg begins. [`package`] then unpacks as dpkg does, over
//! what is there. Contents are shared with the layers, never copied.

use crate::{
    cause::Cause,
    deb::control,
    dpkg::{
        database::{Database, PackageId},
        diversions::DiversionError,
        overrides::OverrideError,
        package::PackageError,
    },
    store::Layer,
    tar::{Kind, Member},
    tree::{Errno, Node, PathError, Stat, Timestamp, Tree, TreePath},
};

mod conffiles;
mod info;
mod names;
mod owners;
mod place;

pub use conffiles::{ConffileError, Listed};
pub use info::control_text;
pub use owners::Owners;

use names::Names;

/// Why packages can't be unpacked into one tree.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{package}: {source}")]
    Package { package: String, source: Fault },
    #[error(transparent)]
    Tree(#[from] PathError),
}

/// What is wrong with one package, or with it beside the others.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    #[error(transparent)]
    Tree(#[from] PathError),
    #[error("it has no control file")]
    NoControl,
    #[error("control file: {0}")]
    Control(#[from] control::Error),
    #[error("control file: {0}")]
    Paragraph(#[from] PackageError),
    #[error("conffiles: {0}")]
    Conffiles(#[from] ConffileError),
    #[error("{0}")]
    Diversions(#[from] DiversionError),
    #[error("{0}")]
    Overrides(#[from] OverrideError),
    #[error("unknown user or group `{}` in an override of `{}`", name.escape_ascii(), path.escape_ascii())]
    OverrideOwner { name: Vec<u8>, path: Vec<u8> },
    #[error("`{path}` is also in package {other}, and neither replaces the other")]
    Conflict { path: TreePath, other: String },
    #[error("`{path}` differs from the one that {other} installed, which must be the same")]
    SharedDiffers { path: TreePath, other: String },
    #[error("`{path}` is what `{}` is diverted to", from.escape_ascii())]
    Diverted { path: TreePath, from: Vec<u8> },
    #[error("`{path}` is a directory already")]
    Directory { path: TreePath },
    #[error("`{path}` lies behind the symbolic link `{link}` of the same package")]
    ThroughLink { path: TreePath, link: TreePath },
    #[error("`{path}` is a hard link to `{target}`, which the package has not brought before it")]
    HardLink { path: TreePath, target: TreePath },
    #[error("`{path}` has a line break in its name")]
    LineBreak { path: TreePath },
    /// Debian Policy 10.6 forbids them; they are made when a system starts.
    #[error("`{path}` is a device node or a named pipe, which no package may bring")]
    Device { path: TreePath },
    #[error("conffile `{path}` is no plain file")]
    ConffileKind { path: TreePath },
    #[error("all files of package {0} are replaced")]
    Disappears(String),
}

/// An empty root with a merged `/usr`, as usrmerge(1) asks for it: `/bin` and its like lead into `/usr`.
pub fn base(mtime: Timestamp) -> Result<Tree, Error> {
    let mut tree = Tree::new(Stat::root(0o755, mtime));
    for name in ["bin", "sbin", "lib", "lib64"] {
        tree.create_dir_all(format!("/usr/{name}").as_bytes(), &Stat::root(0o755, mtime))?;
        let target = Node::Symlink(format!("usr/{name}").into_bytes().into());
        tree.create(format!("/{name}").as_bytes(), Stat::root(0o777, mtime), target)?;
    }
    Ok(tree)
}

/// Puts a package's files into the tree as `tar --extract --keep-directory-symlink` does: the last one wins.
pub fn lay_out(tree: &mut Tree, name: &str, layer: &Layer) -> Result<(), Error> {
    let failed = |source| Error::Package { package: name.to_owned(), source };
    check_links(layer).map_err(failed)?;
    tree.enter(|| Cause::LayOut { package: name.into() });
    for member in &layer.members {
        lay_out_member(tree, member).map_err(failed)?;
    }
    tree.leave();
    Ok(())
}

fn lay_out_member(tree: &mut Tree, member: &Member) -> Result<(), Fault> {
    let path = member.path.as_bytes();
    if matches!(member.kind, Kind::CharDevice(_) | Kind::BlockDevice(_) | Kind::Fifo) {
        return Err(Fault::Device { path: member.path.clone() });
    }
    if member.kind == Kind::Directory {
        match tree.lookup(path) {
            Ok(id) if tree.get(id).is_dir() => {
                *tree.stat_mut(id) = member.stat.clone();
                return Ok(());
            }
            Ok(_) => tree.unlink(path)?,
            Err(error) if error.errno == Errno::NotFound => {}
            Err(error) => return Err(error.into()),
        }
    }
    if let Some((parent, _)) = member.path.split() {
        tree.create_dir_all(parent.as_bytes(), &Stat::root(0o755, member.stat.mtime))?;
    }
    place::replace(tree, member, &member.path, member.stat.clone())
}

/// Refuses members below a symbolic link of the same package: where they land would depend on the order of unpacking.
fn check_links(layer: &Layer) -> Result<(), Fault> {
    let links: std::collections::BTreeSet<&TreePath> = layer
        .members
        .iter()
        .filter(|member| matches!(member.kind, Kind::Symlink(_)))
        .map(|member| &member.path)
        .collect();
    for member in &layer.members {
        if member.path.as_bytes().contains(&b'\n') {
            return Err(Fault::LineBreak { path: member.path.clone() });
        }
        let mut path = member.path.clone();
        while let Some((parent, _)) = path.split() {
            if links.contains(&parent) {
                return Err(Fault::ThroughLink { path: member.path.clone(), link: parent });
            }
            path = parent;
        }
    }
    Ok(())
}

/// Unpacks a package whose preinst has run: its files, its control files and its entry in the database.
pub fn package(
    tree: &mut Tree,
    database: &mut Database,
    owners: &mut Owners,
    id: PackageId,
    layer: &Layer,
    now: Timestamp,
) -> Result<(), Error> {
    let name = database.get(id).name.clone();
    unpack(tree, database, owners, id, layer, now).map_err(|source| Error::Package { package: name, source })
}

fn unpack(
    tree: &mut Tree,
    database: &mut Database,
    owners: &mut Owners,
    id: PackageId,
    layer: &Layer,
    now: Timestamp,
) -> Result<(), Fault> {
    let listed = conffiles::listed(layer)?;
    let name = database.get(id).name.clone();
    tree.enter(|| Cause::Unpack { package: name.as_str().into() });
    let mut unpacking = place::Unpacking {
        diversions: place::diversions(tree)?,
        overrides: place::overrides(tree)?,
        names: Names::read(tree),
        conffiles: listed.iter().map(|listed| listed.path.as_slice()).collect(),
        tree,
        database,
        owners,
        id,
    };
    let done = unpacking.members(layer)?;
    tree.leave();
    owners.add(id, &done.paths);
    tree.enter(|| Cause::Database { package: Some(name.into()) });
    info::write(tree, database, id, layer, &done.paths, now)?;
    conffiles::record(database, id, &listed, &done);
    place::take_from_others(tree, database, owners, id, &done, now)?;
    tree.leave();
    Ok(())
}
