//! What `disable` and `purge` take away.

use super::{
    Instance, is_link,
    links::{find_unit, setting},
    recorded, state_path,
};
use crate::shell::{Process, stop::Stop};

/// Removes the links of a unit that its state file lists, and those of the units in its `Also=`.
pub(super) fn links(process: &mut Process<'_>, instance: Instance, path: &[u8], purge: bool) -> Result<(), Stop> {
    let mut todo = vec![path.to_vec()];
    let mut done = Vec::new();
    while let Some(path) = todo.pop() {
        let entries = recorded(process, instance, &path);
        let tree = &mut process.machine.tree;
        if purge {
            // It need not be there.
            let _ = tree.unlink(&state_path(instance, &path));
        }
        for link in entries {
            let linked = is_link(process, &link);
            if purge || linked {
                let _ = process.machine.tree.unlink(&instance.state(&link, instance.enabled()));
            }
            if linked {
                let _ = process.machine.tree.unlink(&link);
            }
        }
        let text = process.machine.tree.read(&process.absolute(&path)).unwrap_or_default();
        for line in text.split(|&b| b == b'\n') {
            if let Some((_, value)) = setting(line, &["Also"]) {
                let also = find_unit(process, instance, value);
                if !done.contains(&also) {
                    todo.push(also);
                }
            }
        }
        done.push(path);
    }
    Ok(())
}

/// Removes the directories of state files and of links that are empty now.
pub(super) fn empty_folders(process: &mut Process<'_>) {
    for instance in [Instance::System, Instance::User] {
        empty(process, instance.enabled().as_bytes());
    }
    for instance in [Instance::System, Instance::User] {
        for folder in visible_folders(process, instance.folder().as_bytes()) {
            empty(process, &folder);
        }
    }
}

fn visible_folders(process: &Process<'_>, path: &[u8]) -> Vec<Vec<u8>> {
    let tree = &process.machine.tree;
    let mut found = Vec::new();
    for (name, _) in tree.find(path).and_then(|inode| inode.entries()).into_iter().flatten() {
        let below = [path, b"/", name.as_bytes()].concat();
        if !name.as_bytes().starts_with(b".") && tree.find(&below).is_some_and(crate::tree::Inode::is_dir) {
            found.push(below);
        }
    }
    found
}

/// Removes a directory that holds nothing but empty directories, and what empty ones it holds otherwise.
pub(super) fn empty(process: &mut Process<'_>, path: &[u8]) {
    let mut order = vec![path.to_vec()];
    let mut next = 0;
    while let Some(folder) = order.get(next).cloned() {
        order.extend(visible_folders(process, &folder));
        next += 1;
    }
    for folder in order.into_iter().rev() {
        // A directory that is not empty stays, and so does a link to one.
        let _ = process.machine.tree.remove_dir(&folder);
    }
}
