//! setfacl: changes the access control lists of files and directories.

use crate::{
    shell::{
        Fatal, Process, Status,
        acl::{Acl, Which, Who, parse_entry},
        files::show,
        options,
    },
    tree::InodeId,
};

/// What is done to the lists, in the order given.
enum Change {
    RemoveAll,
    RemoveDefault,
    Modify(Vec<Entry>),
    /// The same in the place of what a list had.
    Set(Vec<Entry>),
    Remove(Vec<Entry>),
}

#[derive(Clone, Copy)]
struct Entry {
    which: Which,
    who: Who,
    rights: u8,
    /// Whether `X` was asked for: to enter directories, and to execute what somebody may execute already.
    conditional: bool,
}

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let table = &[
        "m modify=",
        "x remove=",
        "b remove-all",
        "k remove-default",
        "set=",
        "n no-mask",
        "mask",
        "d default",
        "R recursive",
        "P physical",
        "L logical",
    ];
    let arguments = options::parse(process, table)?;
    if arguments.has("L") || arguments.has("mask") || arguments.operands.iter().any(|path| path == b"-") {
        return Err(process.not_modelled("option -L, --mask or files from standard input"));
    }
    let changes = match changes(process, &arguments) {
        Ok(changes) => changes,
        Err(option) => {
            process.complain(&format!("Option -{option}: Invalid argument near character 1"))?;
            return Ok(Status(2));
        }
    };
    if changes.is_empty() || arguments.operands.is_empty() {
        process.complain("nothing to do")?;
        return Ok(Status(2));
    }
    let mut status = Status::SUCCESS;
    for path in &arguments.operands {
        let Ok(top) = process.lookup(path) else {
            process.complain(&format!("{}: No such file or directory", show(path)))?;
            status = Status::FAILURE;
            continue;
        };
        let recursive = arguments.has("R");
        let linked = process.lookup_no_follow(path).is_ok_and(|id| process.inode(id).is_symlink());
        if recursive && arguments.has("P") && linked {
            continue;
        }
        // What a link leads to is changed, but not entered.
        let files = if recursive && !linked { process.below(path, top) } else { vec![(path.clone(), top)] };
        for (path, id) in files {
            if process.inode(id).is_symlink() {
                continue;
            }
            if let Err(message) = change(process, id, &changes, recursive, arguments.has("n")) {
                process.complain(&format!("{}: {message}", show(&path)))?;
                status = Status::FAILURE;
            }
        }
    }
    Ok(status)
}

/// What the options say; or the name of the one that can't be understood.
fn changes(process: &Process<'_>, arguments: &options::Arguments) -> Result<Vec<Change>, &'static str> {
    let mut changes = Vec::new();
    let mut default = false;
    for (option, value) in &arguments.options {
        let parse = || entries(process, value, default, *option == "x").ok_or(*option);
        changes.push(match *option {
            "b" => Change::RemoveAll,
            "k" => Change::RemoveDefault,
            "m" => Change::Modify(parse()?),
            "x" => Change::Remove(parse()?),
            "set" => Change::Set(parse()?),
            "d" => {
                default = true;
                continue;
            }
            _ => continue,
        });
    }
    Ok(changes)
}

/// Entries as an argument has them; without their rights where they are to be removed.
fn entries(process: &Process<'_>, text: &[u8], default: bool, removed: bool) -> Option<Vec<Entry>> {
    let parse = |entry: &[u8]| {
        let mut entry = entry.trim_ascii().to_vec();
        if default && !entry.starts_with(b"d:") && !entry.starts_with(b"default:") {
            entry.splice(..0, *b"d:");
        }
        if removed {
            while entry.last() == Some(&b':') {
                entry.pop();
            }
            // `u` and `g` alone are the owner's.
            let parts = entry.split(|&b| b == b':').filter(|part| !matches!(*part, b"d" | b"default")).count();
            entry.extend_from_slice(if parts > 1 { b":---" } else { b"::---" });
        }
        let rights = entry.iter().rposition(|&b| b == b':').map_or(0, |colon| colon + 1);
        let conditional = entry[rights..].contains(&b'X');
        let plain: Vec<u8> =
            entry[..rights].iter().chain(entry[rights..].iter().filter(|b| **b != b'X')).copied().collect();
        let (which, who, rights) = parse_entry(&process.machine.tree, &plain)?;
        Some(Entry { which, who, rights, conditional })
    };
    text.split(|&b| b == b',').filter(|entry| !entry.trim_ascii().is_empty()).map(parse).collect()
}

/// Applies the changes to one file's lists.
fn change(
    process: &mut Process<'_>,
    id: InodeId,
    changes: &[Change],
    recursive: bool,
    keeps_mask: bool,
) -> Result<(), &'static str> {
    let tree = &process.machine.tree;
    let (mode, is_dir) = (tree.get(id).stat.mode, tree.get(id).is_dir());
    let mut access = Acl::of(tree, id, Which::Access);
    access.add_base(mode);
    let mut default = Acl::of(tree, id, Which::Default);
    // Whether a list was changed, and whether its mask was given.
    let (mut changed, mut masked) = ([false; 2], [false; 2]);
    for change in changes {
        let (entries, set) = match change {
            Change::RemoveAll => {
                default = Acl::default();
                strip(&mut access);
                continue;
            }
            Change::RemoveDefault => {
                default = Acl::default();
                continue;
            }
            Change::Set(entries) => (entries, true),
            Change::Modify(entries) | Change::Remove(entries) => (entries, false),
        };
        if set && entries.iter().any(|entry| entry.which == Which::Access) {
            access = Acl::default();
        }
        if set && entries.iter().any(|entry| entry.which == Which::Default) {
            default = Acl::default();
        }
        for entry in entries {
            if entry.which == Which::Default && !is_dir {
                if recursive {
                    continue;
                }
                return Err("Only directories can have default ACLs");
            }
            let executable = is_dir || access.0.values().any(|rights| rights & 1 != 0);
            let list = if entry.which == Which::Access { &mut access } else { &mut default };
            let index = usize::from(entry.which == Which::Default);
            changed[index] |= entry.who != Who::Mask;
            if matches!(change, Change::Remove(_)) {
                changed[index] = true;
                list.0.remove(&entry.who);
                continue;
            }
            masked[index] |= entry.who == Who::Mask;
            list.0.insert(entry.who, entry.rights | u8::from(entry.conditional && executable));
        }
    }
    if !default.0.is_empty() {
        for who in [Who::Owner, Who::OwningGroup, Who::Other] {
            let rights = access.0.get(&who).copied().unwrap_or(0);
            default.0.entry(who).or_insert(rights);
        }
    }
    for (list, index) in [(&mut access, 0), (&mut default, 1)] {
        finish_mask(list, changed[index] && !masked[index] && !keeps_mask);
    }
    let whole = [Who::Owner, Who::OwningGroup, Who::Other].iter().all(|who| access.0.contains_key(who));
    if !whole {
        return Err("Malformed access ACL: Missing or wrong entry");
    }
    access.apply(&mut process.machine.tree, id, Which::Access);
    default.apply(&mut process.machine.tree, id, Which::Default);
    Ok(())
}

/// Leaves the three entries that every list has.
fn strip(acl: &mut Acl) {
    // The owning group keeps what the mask left it.
    if let Some(mask) = acl.0.get(&Who::Mask).copied() {
        acl.0.entry(Who::OwningGroup).and_modify(|rights| *rights &= mask);
    }
    acl.0.retain(|who, _| matches!(who, Who::Owner | Who::OwningGroup | Who::Other));
}

/// Adds the mask that a list needs: what the owning group has, and what others of the group class have when it is computed.
fn finish_mask(acl: &mut Acl, compute: bool) {
    let named = acl.0.keys().any(|who| matches!(who, Who::User(_) | Who::Group(_)));
    if named && !acl.0.contains_key(&Who::Mask) {
        let group = acl.0.get(&Who::OwningGroup).copied().unwrap_or(0);
        acl.0.insert(Who::Mask, group);
    }
    if compute && acl.0.contains_key(&Who::Mask) {
        acl.set_mask();
    }
}
