//! ln: gives files further names.

use bytes::Bytes;

use crate::{
    shell::{
        Fatal, Process, Status,
        backup::{self, Backup},
        canonical::{Missing, canonical, relative},
        files::{base_name, dir_name, join, show},
        options::{Arguments, parse},
    },
    tree::{Errno, InodeId, Node},
};

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let mut arguments = parse(
        process,
        &[
            "s symbolic",
            "f force",
            "n no-dereference",
            "r relative",
            "T no-target-directory",
            "t target-directory=",
            "v verbose",
            "L logical",
            "P physical",
            "b",
            "backup?",
            "S suffix=",
        ],
    )?;
    let backup = match backup::wanted(process, &arguments) {
        Ok(backup) => backup,
        Err(message) => return process.fail(&message),
    };
    let operands = std::mem::take(&mut arguments.operands);
    let into = |process: &Process<'_>, path: &[u8]| {
        // With -n a link to a directory is what gets replaced.
        let link = arguments.has("n") && process.lookup_no_follow(path).is_ok_and(|id| process.inode(id).is_symlink());
        process.is_dir(path) && !link
    };
    let pairs: Vec<(Vec<u8>, Vec<u8>)> = match (arguments.value("t"), operands.as_slice()) {
        (_, []) => return process.wrong_operands(&[], 0),
        (Some(folder), targets) => targets.iter().map(|t| (t.clone(), join(folder, base_name(t)))).collect(),
        (None, [target]) => vec![(target.clone(), base_name(target).to_vec())],
        (None, [target, name]) if arguments.has("T") || !into(process, name) => vec![(target.clone(), name.clone())],
        (None, [targets @ .., folder]) => {
            if arguments.has("T") {
                return process.wrong_operands(&operands, 2);
            }
            if !process.is_dir(folder) {
                return process.fail(&format!("target '{}' is not a directory", show(folder)));
            }
            targets.iter().map(|t| (t.clone(), join(folder, base_name(t)))).collect()
        }
    };
    let mut status = Status::SUCCESS;
    for (target, name) in pairs {
        if let Err(errno) = link(process, &arguments, backup.as_ref(), &target, &name)? {
            let kind = if arguments.has("s") { "symbolic" } else { "hard" };
            process.complain(&format!("failed to create {kind} link '{}': {errno}", show(&name)))?;
            status = Status::FAILURE;
        }
    }
    Ok(status)
}

fn link(
    process: &mut Process<'_>,
    arguments: &Arguments,
    backup: Option<&Backup>,
    target: &[u8],
    name: &[u8],
) -> Result<Result<(), Errno>, Fatal> {
    let source = if arguments.has("s") {
        None
    } else {
        let found = if arguments.has("L") { process.lookup(target) } else { process.lookup_no_follow(target) };
        match found {
            Ok(id) if process.inode(id).is_dir() => return Ok(Err(Errno::NotPermitted)),
            Ok(id) => Some(id),
            Err(error) => return Ok(Err(error.errno)),
        }
    };
    if let Ok(old) = process.lookup_no_follow(name) {
        if process.inode(old).is_dir() {
            return Ok(Err(Errno::Exists));
        }
        if source == Some(old) && arguments.has("f") {
            return Ok(Ok(()));
        }
        let moved = match backup {
            Some(backup) => backup.make(process, name)?,
            None => false,
        };
        if !moved {
            if !arguments.has("f") {
                return Ok(Err(Errno::Exists));
            }
            let absolute = process.absolute(name);
            if let Err(error) = process.machine.tree.unlink(&absolute) {
                return Ok(Err(error.errno));
            }
        }
    }
    let made = match source {
        Some(id) => hard_link(process, id, name),
        None => {
            let target = if arguments.has("r") { relative_target(process, target, name) } else { target.to_vec() };
            process.create(name, 0o777, Node::Symlink(Bytes::from(target))).map(|_| ()).map_err(|error| error.errno)
        }
    };
    if made.is_ok() && arguments.has("v") {
        let arrow = if arguments.has("s") { "->" } else { "=>" };
        process.out(format!("'{}' {arrow} '{}'\n", show(name), show(target)).as_bytes())?;
    }
    Ok(made)
}

pub(super) fn hard_link(process: &mut Process<'_>, id: InodeId, name: &[u8]) -> Result<(), Errno> {
    let place = process.machine.tree.place(&process.absolute(name)).map_err(|error| error.errno)?;
    process.machine.tree.link(id, place.parent, place.name)
}

/// The target as seen from where the link will be.
fn relative_target(process: &Process<'_>, target: &[u8], name: &[u8]) -> Vec<u8> {
    let to = canonical(process, target, Missing::Anything, true);
    let from = canonical(process, dir_name(name), Missing::Anything, true);
    match (to, from) {
        (Ok(to), Ok(from)) => relative(&to, &from),
        _ => target.to_vec(),
    }
}
