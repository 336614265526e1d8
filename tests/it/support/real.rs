//! A part of a real system as a tree: what its loader needs.

use std::{
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::Path,
};

use bytes::Bytes;
use icos::tree::{Node, Stat, Timestamp, Tree};

use super::map::map;

/// Folders, files and links; contents only of what may be a program, a library, or the loader's own.
pub fn libraries(root: &Path) -> Tree {
    let mut tree = Tree::new(Stat::root(0o755, Timestamp::default()));
    let parts = ["bin", "sbin", "lib", "lib32", "lib64", "usr", "etc", "opt"];
    for part in parts.iter().map(|part| root.join(part)).filter(|part| part.symlink_metadata().is_ok()) {
        add(&mut tree, root, &part);
    }
    tree
}

fn add(tree: &mut Tree, root: &Path, path: &Path) {
    let stat = fs_err::symlink_metadata(path).expect("there");
    let inside = path.strip_prefix(root).expect("inside");
    let kind = stat.file_type();
    let is_kept = |path: &Path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.contains(".so") || stat.permissions().mode() & 0o111 != 0 || inside.starts_with("etc/ld.so.conf.d")
    };
    let node = if kind.is_dir() {
        Node::Directory(Default::default())
    } else if kind.is_symlink() {
        let target = fs_err::read_link(path).expect("a link");
        Node::Symlink(target.as_os_str().as_encoded_bytes().to_vec().into())
    } else if kind.is_file() && is_kept(path) {
        let bytes =
            if stat.len() == 0 { Bytes::new() } else { map(fs_err::File::open(path).expect("readable").file()) };
        Node::Regular(bytes.into())
    } else {
        return;
    };
    let mode = u16::try_from(stat.mode() & 0o7777).expect("a mode");
    let name = [b"/", inside.as_os_str().as_encoded_bytes()].concat();
    tree.create(&name, Stat::root(mode, Timestamp::default()), node).expect("made");
    if kind.is_dir() && !inside.starts_with("usr/share") && !inside.starts_with("usr/src") {
        for entry in fs_err::read_dir(path).into_iter().flatten() {
            add(tree, root, &entry.expect("there").path());
        }
    }
}
