//! chown and chgrp: change who files belong to.

use crate::{
    shell::{
        Fatal, Process, Status,
        accounts::{self, Owner},
        files::show,
        options::{Arguments, parse},
    },
    tree::InodeId,
};

const OPTIONS: &[&str] = &[
    "R recursive",
    "h no-dereference",
    "dereference",
    "f silent quiet",
    "v verbose",
    "c changes",
    "H",
    "L",
    "P",
    "from=",
    "reference=",
    "preserve-root",
    "no-preserve-root",
];

pub(super) fn chown(process: &mut Process<'_>) -> Result<Status, Fatal> {
    run(process, |process, text| {
        accounts::owner(&process.machine.tree, text).map_err(|what| format!("invalid {what}: '{}'", show(text)))
    })
}

pub(super) fn chgrp(process: &mut Process<'_>) -> Result<Status, Fatal> {
    run(process, |process, text| match accounts::gid(&process.machine.tree, text) {
        Some(gid) => Ok(Owner { uid: None, gid: Some(gid) }),
        None if text.is_empty() => Ok(Owner::default()),
        None => Err(format!("invalid group: '{}'", show(text))),
    })
}

type ReadOwner = fn(&Process<'_>, &[u8]) -> Result<Owner, String>;

fn run(process: &mut Process<'_>, read: ReadOwner) -> Result<Status, Fatal> {
    let mut arguments = parse(process, OPTIONS)?;
    if arguments.has("v") || arguments.has("c") {
        return Err(process.not_modelled("a report of changes"));
    }
    let from = match arguments.value("from").map(|text| accounts::owner(&process.machine.tree, text)) {
        Some(Err(what)) => return process.fail(&format!("invalid {what}")),
        Some(Ok(owner)) => owner,
        None => Owner::default(),
    };
    let mut operands = std::mem::take(&mut arguments.operands);
    let owner = match arguments.value("reference") {
        Some(reference) => match process.lookup(reference) {
            Ok(id) => {
                let stat = &process.inode(id).stat;
                let group_only = process.name() == b"chgrp";
                Owner { uid: (!group_only).then_some(stat.uid), gid: Some(stat.gid) }
            }
            Err(error) => {
                return process.fail(&format!("failed to get attributes of '{}': {}", show(reference), error.errno));
            }
        },
        None if operands.is_empty() => return process.wrong_operands(&[], 0),
        None => match read(process, &operands.remove(0)) {
            Ok(owner) => owner,
            Err(message) => return process.fail(&message),
        },
    };
    if operands.is_empty() {
        return process.wrong_operands(&[], 0);
    }
    let mut status = Status::SUCCESS;
    for path in &operands {
        if let Err(errno) = change(process, &arguments, owner, from, path) {
            if !arguments.has("f") {
                process.complain(&format!("cannot access '{}': {errno}", show(path)))?;
            }
            status = Status::FAILURE;
        }
    }
    Ok(status)
}

fn change(
    process: &mut Process<'_>,
    arguments: &Arguments,
    owner: Owner,
    from: Owner,
    path: &[u8],
) -> Result<(), crate::tree::Errno> {
    let recursive = arguments.has("R");
    let traverse = arguments.last_of(&["H", "L", "P"]).unwrap_or("P");
    // A recursive change that follows no links changes the links themselves.
    let links_themselves = arguments.has("h") || (recursive && traverse == "P" && !arguments.has("dereference"));
    let top = match links_themselves && !(recursive && traverse != "P") {
        true => process.lookup_no_follow(path),
        false => process.lookup(path),
    }
    .map_err(|error| error.errno)?;
    let apply = |process: &mut Process<'_>, id: InodeId| {
        let stat = &process.inode(id).stat;
        let is = |want: Option<u32>, have: u32| want.is_none_or(|want| want == have);
        if is(from.uid, stat.uid) && is(from.gid, stat.gid) {
            owner.apply(&mut process.machine.tree, id);
        }
    };
    if !recursive {
        apply(process, top);
        return Ok(());
    }
    if traverse == "L" {
        let mut outcome = Ok(());
        for (_, id) in process.below_following(path, top) {
            match process.inode(id).is_symlink() {
                true => outcome = Err(crate::tree::Errno::NotFound),
                false => apply(process, id),
            }
        }
        return outcome;
    }
    for (path, id) in process.below(path, top) {
        let id = match process.inode(id).is_symlink() && !links_themselves {
            true => match process.lookup(&path) {
                Ok(id) => id,
                Err(_) => continue,
            },
            false => id,
        };
        apply(process, id);
    }
    Ok(())
}
