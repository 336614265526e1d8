//! Owners, modes, attributes and access lists that lines give to files.

use super::item::Item;
use crate::{
    shell::{
        Fatal, Process,
        acl::{Acl, Which},
        stop::show,
    },
    tree::{InodeId, Node},
};

/// Sets owner and mode; `new` when the line has just made the file.
pub(super) fn set(process: &mut Process<'_>, item: &Item, id: InodeId, new: bool) {
    let inode = process.machine.tree.get(id);
    let (directory, symlink) = (inode.is_dir(), inode.is_symlink());
    let stat = process.machine.tree.stat_mut(id);
    let owner = (stat.uid, stat.gid);
    if let Some(uid) = item.uid.filter(|uid| new || !uid.only_new) {
        stat.uid = uid.value;
    }
    if let Some(gid) = item.gid.filter(|gid| new || !gid.only_new) {
        stat.gid = gid.value;
    }
    let mode = item.mode.filter(|mode| new || !mode.only_new).map(|mode| mode.value);
    let mode = mode.map_or(stat.mode, |mode| if item.masked { masked(mode, stat.mode, directory) } else { mode });
    if !symlink {
        stat.mode = mode;
    }
    if owner != (stat.uid, stat.gid) && !directory {
        stat.xattrs.remove(b"security.capability".as_slice());
    }
    if !symlink {
        Acl::follow_mode(&mut process.machine.tree, id);
    }
}

/// The mode without rights that nobody has now, and without special bits for files.
fn masked(mode: u16, current: u16, directory: bool) -> u16 {
    let mut mode = mode;
    for bits in [0o111, 0o222, 0o444] {
        if current & bits == 0 {
            mode &= !bits;
        }
    }
    if directory { mode } else { mode & 0o777 }
}

/// Whether the attributes could be set.
pub(super) fn set_xattrs(process: &mut Process<'_>, item: &Item, path: &[u8], id: InodeId) -> Result<bool, Fatal> {
    for (name, value) in &item.xattrs {
        let regular = matches!(process.machine.tree.get(id).node, Node::Regular(_) | Node::Directory(_));
        let known = [b"user.".as_slice(), b"trusted.", b"security."].iter().any(|space| name.starts_with(space));
        if !known || (name.starts_with(b"user.") && !regular) {
            let (name, value) = (show(name), show(value));
            let why = "Operation not supported";
            let line = format!("Setting extended attribute {name}={value} on {} failed: {why}", show(path));
            super::log(process, &line)?;
            return Ok(false);
        }
        process.machine.tree.stat_mut(id).xattrs.insert(name.as_slice().into(), value.as_slice().into());
    }
    Ok(true)
}

/// Adds the entries to the file's lists (`+`) or makes them the lists.
pub(super) fn set_acl(process: &mut Process<'_>, item: &Item, id: InodeId) {
    let tree = &mut process.machine.tree;
    let inode = tree.get(id);
    if inode.is_symlink() {
        return;
    }
    let directory = inode.is_dir();
    for which in [Which::Access, Which::Default] {
        let entries: Vec<_> = item.acl.iter().filter(|(list, _, _)| *list == which).collect();
        if entries.is_empty() || (which == Which::Default && !directory) {
            continue;
        }
        let mut acl = if item.plus { Acl::of(tree, id, which) } else { Acl::default() };
        for (_, who, rights) in entries {
            acl.0.insert(*who, *rights);
        }
        if !item.plus {
            // The mask of a list that is given is worked out before the file's own entries join it.
            acl.add_mask();
        } else if acl
            .0
            .keys()
            .any(|who| matches!(who, crate::shell::acl::Who::User(_) | crate::shell::acl::Who::Group(_)))
        {
            acl.set_mask();
        }
        acl.add_base(tree.get(id).stat.mode);
        acl.apply(tree, id, which);
    }
}
