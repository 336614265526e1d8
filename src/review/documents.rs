//! What packages say of themselves: their changelogs and sizes, read from what each .deb brings, whatever becomes of it later.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    deb::{
        changelog::{self, Entry},
        compress::{Compression, Limits, decode_to_vec},
    },
    store::Layer,
    tar::Kind,
    tree::{Content, Node, Stat, Timestamp, Tree},
};

/// The changelogs and sizes of one system's packages.
#[derive(Debug)]
pub struct Documents {
    /// Nothing but changelogs, and links between folders of documents.
    tree: Tree,
    installed: BTreeMap<String, u64>,
    /// Of packages and of their sources.
    names: BTreeSet<String>,
}

const FOLDER: &[u8] = b"/usr/share/doc/";
const CHANGELOG: &[u8] = b"changelog";

/// Bounds of an unpacked changelog; one beyond them counts as none.
const LIMITS: Limits = Limits { output: 64 << 20, ..Limits::PACKAGE };

impl Default for Documents {
    fn default() -> Self {
        Self {
            tree: Tree::new(Stat::root(0o755, Timestamp::default())),
            installed: BTreeMap::new(),
            names: BTreeSet::new(),
        }
    }
}

impl Documents {
    /// Takes a package's.
    pub fn add(&mut self, name: &str, layer: &Layer) {
        let control =
            layer.control.iter().find(|(file, _)| file.as_bytes() == b"control").map(|(_, file)| &file.content);
        let text = control.map(|bytes| String::from_utf8_lossy(bytes)).unwrap_or_default();
        let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        let kib = field("Installed-Size:").and_then(|kib| kib.parse::<u64>().ok());
        self.installed.insert(name.to_owned(), kib.unwrap_or(0).saturating_mul(1024));
        // `Source: name (version)`.
        let source = field("Source:").and_then(|source| source.split(' ').next());
        self.names.extend([Some(name), source].into_iter().flatten().map(str::to_owned));
        for member in &layer.members {
            let path = member.path.as_bytes();
            let path = [if path.starts_with(b"/") { b"" } else { b"/".as_slice() }, path].concat();
            let Some(below) = path.strip_prefix(FOLDER) else { continue };
            let mut parts = below.split(|byte| *byte == b'/');
            match (parts.next(), parts.next(), parts.next(), &member.kind) {
                (Some(_), None, None, Kind::Symlink(target)) => self.put(&path, Node::Symlink(target.clone())),
                (Some(_), Some(file), None, Kind::Regular(content)) if file.starts_with(CHANGELOG) => {
                    self.put(&path, Node::Regular(content.clone()));
                }
                (Some(_), Some(file), None, Kind::Symlink(target)) if file.starts_with(CHANGELOG) => {
                    self.put(&path, Node::Symlink(target.clone()));
                }
                _ => {}
            }
        }
    }

    /// The first package that brings a path has it: packages of one name and several architectures bring the same. What has no
    /// place, behind a link that leads nowhere, is as good as absent.
    fn put(&mut self, path: &[u8], node: Node) {
        let stat = |mode| Stat::root(mode, Timestamp::default());
        let folder = path.iter().rposition(|byte| *byte == b'/').map_or(path, |end| &path[..end]);
        if self.tree.create_dir_all(folder, &stat(0o755)).is_ok() {
            let _ = self.tree.create(path, stat(0o644), node);
        }
    }

    /// Whether some package, or the source of one, has this name.
    pub fn has(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    /// Bytes that a package takes when installed, as it says.
    pub fn installed(&self, package: &str) -> u64 {
        self.installed.get(package).copied().unwrap_or(0)
    }

    /// The changelog that a package brought, newest entry first; empty when it brought none.
    ///
    /// A package that was only rebuilt has the entry about that in a file of its own. Packages of one source may share a
    /// folder of documents by a symbolic link.
    pub fn changelog(&self, package: &str, architecture: &str) -> Vec<Entry> {
        let first = |files: [String; 4]| {
            let text = files.iter().find_map(|file| self.text(package, file));
            text.map(|text| changelog::entries(&text)).unwrap_or_default()
        };
        let with = |ending: &str| {
            [
                format!("changelog.Debian{ending}.gz"),
                format!("changelog.Debian{ending}"),
                format!("changelog{ending}.gz"),
                format!("changelog{ending}"),
            ]
        };
        let mut entries = first(with(&format!(".{architecture}")));
        entries.extend(first(with("")));
        entries
    }

    fn text(&self, package: &str, file: &str) -> Option<String> {
        let path = format!("/usr/share/doc/{package}/{file}");
        let Node::Regular(content) = &self.tree.find(path.as_bytes())?.node else { return None };
        let packed = content.bytes(Content::READ_LIMIT)?;
        let plain = match file.ends_with(".gz") {
            true => decode_to_vec(Compression::Gzip, &packed, &LIMITS).ok()?,
            false => packed.to_vec(),
        };
        Some(String::from_utf8_lossy(&plain).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_changelogs() {
        let entry = |version: &str| format!("s ({version}) x; urgency=low\n\n  * y\n\n -- z\n");
        let mut documents = Documents::default();
        let files = [
            ("a/changelog.Debian", entry("1-2")),
            ("a/changelog.Debian.amd64", entry("1-2+b1")),
            ("a/changelog", "upstream's".to_owned()),
            ("c/changelog", entry("3")),
        ];
        for (path, text) in files {
            let path = [FOLDER, path.as_bytes()].concat();
            documents.put(&path, Node::Regular(text.into_bytes().into()));
        }
        let link = Node::Symlink(b"a".to_vec().into());
        documents.put(b"/usr/share/doc/b", link);
        let check = |package: &str, expect: &[&str]| {
            let versions: Vec<_> =
                documents.changelog(package, "amd64").into_iter().map(|entry| entry.version).collect();
            assert_eq!(versions, expect, "{package}");
        };
        check("a", &["1-2+b1", "1-2"]);
        check("b", &["1-2+b1", "1-2"]);
        check("c", &["3"]);
        check("d", &[]);
    }
}
