//! What a reviewer would want to know of a system, read off its configured tree.

use std::collections::{BTreeMap, BTreeSet};

use crate::tree::{Content, Inode, Node, Tree};

/// Of one system; each set is of lines for people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Facts {
    /// Files that give whoever runs them more rights: setuid, setgid, capabilities.
    pub privileged: BTreeSet<String>,
    /// Units of systemd, by path.
    pub units: BTreeSet<String>,
    pub users: BTreeSet<String>,
    pub groups: BTreeSet<String>,
    /// Releases of kernels that have modules.
    pub kernels: BTreeSet<String>,
}

const UNIT_FOLDERS: [&[u8]; 4] =
    [b"/etc/systemd/system", b"/etc/systemd/user", b"/usr/lib/systemd/system", b"/usr/lib/systemd/user"];
/// systemd.unit(5).
const UNIT_ENDINGS: [&str; 11] = [
    ".service",
    ".socket",
    ".device",
    ".mount",
    ".automount",
    ".swap",
    ".target",
    ".path",
    ".timer",
    ".slice",
    ".scope",
];
const CAPABILITY: &[u8] = b"security.capability";

impl Facts {
    pub(super) fn of(tree: &Tree) -> Self {
        Self {
            privileged: privileged(tree),
            units: units(tree),
            users: accounts(tree, b"/etc/passwd"),
            groups: accounts(tree, b"/etc/group"),
            kernels: names(tree, b"/usr/lib/modules").into_iter().collect(),
        }
    }
}

fn read(tree: &Tree, path: &[u8]) -> Option<Vec<u8>> {
    let Node::Regular(content) = &tree.find(path)?.node else { return None };
    content.bytes(Content::READ_LIMIT).map(|bytes| bytes.to_vec())
}

/// The names in a folder; none when there is no such folder.
fn names(tree: &Tree, folder: &[u8]) -> Vec<String> {
    let entries = tree.find(folder).and_then(Inode::entries);
    entries.into_iter().flatten().map(|(name, _)| name.as_bytes().escape_ascii().to_string()).collect()
}

fn privileged(tree: &Tree) -> BTreeSet<String> {
    let [users, groups] = [b"/etc/passwd".as_slice(), b"/etc/group"].map(|file| numbers(tree, file));
    let name =
        |names: &BTreeMap<String, String>, id: u32| names.get(&id.to_string()).cloned().unwrap_or(id.to_string());
    let mut found = BTreeSet::new();
    for visit in tree.walk() {
        let inode = tree.get(visit.id);
        let mode = inode.stat.mode;
        let has_capability = inode.stat.xattrs.contains_key(CAPABILITY);
        if inode.is_file() && (mode & 0o6000 != 0 || has_capability) {
            let capability = if has_capability { " with capabilities" } else { "" };
            let path = visit.path.as_bytes().escape_ascii().to_string();
            let (user, group) = (name(&users, inode.stat.uid), name(&groups, inode.stat.gid));
            found.insert(format!("/{} {mode:04o} {user}:{group}{capability}", path.trim_start_matches('/')));
        }
    }
    found
}

fn units(tree: &Tree) -> BTreeSet<String> {
    let is_unit = |name: &String| UNIT_ENDINGS.iter().any(|ending| name.ends_with(ending));
    let of = |folder: &&[u8]| {
        let prefix = folder.escape_ascii().to_string();
        names(tree, folder).into_iter().filter(is_unit).map(move |name| format!("{prefix}/{name}")).collect::<Vec<_>>()
    };
    UNIT_FOLDERS.iter().flat_map(of).collect()
}

/// Names with numbers from passwd(5) or group(5).
fn accounts(tree: &Tree, file: &[u8]) -> BTreeSet<String> {
    records(tree, file).into_iter().map(|(name, number)| format!("{name} {number}")).collect()
}

/// Names by number; of several the first, as getpwuid(3) has it.
fn numbers(tree: &Tree, file: &[u8]) -> BTreeMap<String, String> {
    records(tree, file).into_iter().rev().map(|(name, number)| (number, name)).collect()
}

fn records(tree: &Tree, file: &[u8]) -> Vec<(String, String)> {
    let text = read(tree, file).unwrap_or_default();
    let record = |line: &[u8]| {
        let mut fields = line.split(|byte| *byte == b':');
        let (name, number) = (fields.next()?, fields.nth(1)?);
        Some((name.escape_ascii().to_string(), number.escape_ascii().to_string()))
    };
    text.split(|byte| *byte == b'\n').filter_map(record).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::{Stat, Timestamp};

    fn tree(files: &[(&str, u16, &str)]) -> Tree {
        let stat = |mode| Stat::root(mode, Timestamp::default());
        let mut tree = Tree::new(stat(0o755));
        for (path, mode, text) in files {
            let (folder, _) = path.rsplit_once('/').expect("absolute");
            tree.create_dir_all(folder.as_bytes(), &stat(0o755)).expect("made");
            let node = Node::Regular(text.as_bytes().to_vec().into());
            tree.create(path.as_bytes(), stat(*mode), node).expect("made");
        }
        tree
    }

    #[test]
    fn reads_a_tree() {
        let facts = Facts::of(&tree(&[
            ("/usr/bin/su", 0o4755, ""),
            ("/usr/bin/ls", 0o755, ""),
            ("/usr/lib/systemd/system/a.service", 0o644, ""),
            ("/usr/lib/systemd/system/a.service.d/b.conf", 0o644, ""),
            ("/usr/lib/modules/6.1.0-1/modules.dep", 0o644, ""),
            ("/etc/passwd", 0o644, "root:x:0:0:root:/root:/bin/sh\nbad\n"),
        ]));
        let lines = |set: &BTreeSet<String>| set.iter().cloned().collect::<Vec<_>>().join("\n");
        assert_eq!(lines(&facts.privileged), "/usr/bin/su 4755 root:0");
        assert_eq!(lines(&facts.units), "/usr/lib/systemd/system/a.service");
        assert_eq!(lines(&facts.users), "root 0");
        assert_eq!(lines(&facts.kernels), "6.1.0-1");
    }
}
