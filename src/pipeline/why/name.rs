//! One path of a target: what it is, whose it is, and what happened to it.

use std::collections::BTreeMap;

use super::{
    MAX_LINKS,
    deeds::{self, Line},
    lossy,
};
use crate::{
    configure,
    dpkg::database,
    tree::{
        InodeId, Node, Tree, TreePath,
        history::{Found, History},
    },
};

/// A path that was asked for, and where the symbolic link lead that it may be.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Explained {
    /// As it was asked for.
    pub path: String,
    /// The path, then what each symbolic link leads to.
    pub names: Vec<Name>,
}

#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Name {
    /// Symbolic links to folders followed.
    pub path: String,
    /// What is there; nothing when it is gone or was never made.
    pub is: Option<Is>,
    /// Packages whose lists have the path, with their versions.
    pub packages: Vec<String>,
    pub history: Vec<Line>,
    /// Why nothing makes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_made: Option<&'static str>,
}

/// What a name stands for.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Is {
    pub kind: &'static str,
    /// In octal.
    pub mode: String,
    pub uid: u32,
    pub gid: u32,
    /// Bytes.
    pub size: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Other names of the same file.
    pub also: Vec<String>,
}

/// Explains a path; `None` when it is not there and never was.
pub(super) fn explain(history: &History<'_>, versions: &BTreeMap<&str, &str>, path: &[u8]) -> Option<Explained> {
    let mut names: Vec<Name> = Vec::new();
    let mut next = path.to_vec();
    for _ in 0..MAX_LINKS {
        let Ok(found) = history.find(&next) else {
            let not_made = configure::not_made(&next);
            if names.is_empty() || not_made.is_some() {
                let never = |reason| Name {
                    path: lossy(&next),
                    is: None,
                    packages: Vec::new(),
                    history: Vec::new(),
                    not_made: Some(reason),
                };
                names.push(never(not_made?));
            }
            break;
        };
        names.push(name(history, versions, &next, &found));
        let Some(target) = history.link(&found) else { break };
        next = if target.starts_with(b"/") {
            target.to_vec()
        } else {
            let folder = found.path.split().map_or(TreePath::root(), |(folder, _)| folder);
            [folder.as_bytes(), b"/", target].concat()
        };
    }
    Some(Explained { path: lossy(path), names })
}

fn name(history: &History<'_>, versions: &BTreeMap<&str, &str>, asked: &[u8], found: &Found) -> Name {
    let tree = history.tree();
    Name {
        path: found.path.to_string(),
        is: found.inode.map(|id| {
            let inode = tree.get(id);
            Is {
                kind: kind(&inode.node),
                mode: format!("{:04o}", inode.stat.mode),
                uid: inode.stat.uid,
                gid: inode.stat.gid,
                size: inode.size(),
                target: history.link(found).map(lossy),
                also: if inode.links() > 1 { others(tree, id, found) } else { Vec::new() },
            }
        }),
        packages: listed(tree, versions, &[asked, found.path.as_bytes()]),
        history: deeds::lines(&history.of(found), history.journal()),
        not_made: None,
    }
}

/// The other names of a file.
fn others(tree: &Tree, id: InodeId, found: &Found) -> Vec<String> {
    let names = tree.walk().filter(|visit| visit.id == id && visit.path != found.path);
    names.map(|visit| visit.path.to_string()).collect()
}

fn kind(node: &Node) -> &'static str {
    match node {
        Node::Directory(_) => "directory",
        Node::Regular(_) => "file",
        Node::Symlink(_) => "symlink",
        Node::CharDevice(_) => "character device",
        Node::BlockDevice(_) => "block device",
        Node::Fifo => "fifo",
        Node::Socket => "socket",
    }
}

/// The packages whose lists have the path; lists may have it as it was before `/usr` was merged.
fn listed(tree: &Tree, versions: &BTreeMap<&str, &str>, paths: &[&[u8]]) -> Vec<String> {
    let mut wanted: Vec<&[u8]> = paths.to_vec();
    wanted.extend(paths.iter().filter_map(|path| path.strip_prefix(b"/usr").filter(|rest| rest.starts_with(b"/"))));
    let Ok(info) = tree.lookup(database::INFO) else { return Vec::new() };
    let mut packages = Vec::new();
    for (file, _) in tree.get(info).entries().into_iter().flatten() {
        let Some(package) = file.as_bytes().strip_suffix(b".list") else { continue };
        let Ok(list) = tree.read(&[database::INFO, b"/", file.as_bytes()].concat()) else { continue };
        if list.split(|&b| b == b'\n').any(|line| !line.is_empty() && wanted.contains(&line)) {
            let package = lossy(package);
            let name = package.split(':').next().unwrap_or_default();
            packages.push(match versions.get(name) {
                Some(version) => format!("{package} {version}"),
                None => package,
            });
        }
    }
    packages
}
