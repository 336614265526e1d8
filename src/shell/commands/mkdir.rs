//! mkdir: makes directories.

use std::collections::BTreeMap;

use crate::{
    shell::{
        Fatal, Process, Status,
        files::{dir_name, show},
        mode::Mode,
        options::{Arguments, parse},
    },
    tree::{Errno, Node},
};

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    // Without SELinux in the running kernel, -Z does nothing.
    let arguments = parse(process, &["p parents", "m mode=", "v verbose", "Z", "context?"])?;
    if arguments.operands.is_empty() {
        return process.wrong_operands(&[], 0);
    }
    let mode = match arguments.value("m") {
        None => None,
        Some(text) => match Mode::parse(text) {
            Some(mode) => Some(mode),
            None => return process.fail(&format!("invalid mode '{}'", show(text))),
        },
    };
    let mut status = Status::SUCCESS;
    for path in &arguments.operands {
        if let Err((path, errno)) = make(process, &arguments, mode.as_ref(), path)? {
            process.complain(&format!("cannot create directory '{}': {errno}", show(&path)))?;
            status = Status::FAILURE;
        }
    }
    Ok(status)
}

type Failure = (Vec<u8>, Errno);

fn make(
    process: &mut Process<'_>,
    arguments: &Arguments,
    mode: Option<&Mode>,
    path: &[u8],
) -> Result<Result<(), Failure>, Fatal> {
    if arguments.has("p") {
        if process.is_dir(path) {
            return Ok(Ok(()));
        }
        let mut missing = Vec::new();
        let mut parent = dir_name(path);
        while !process.is_dir(parent) && !matches!(parent, b"/" | b".") {
            missing.push(parent);
            parent = dir_name(parent);
        }
        for parent in missing.into_iter().rev() {
            if process.is_dir(parent) {
                // `a/../b`: making `a` brought `a/..`.
                continue;
            }
            if let Err(error) = process.create(parent, 0o777, Node::Directory(BTreeMap::new())) {
                return Ok(Err((parent.to_vec(), error.errno)));
            }
            announce(process, arguments, parent)?;
        }
        if process.is_dir(path) {
            return Ok(Ok(()));
        }
    }
    match process.create(path, 0o777, Node::Directory(BTreeMap::new())) {
        Ok(id) => {
            announce(process, arguments, path)?;
            if let Some(mode) = mode {
                let umask = process.umask;
                let stat = process.machine.tree.stat_mut(id);
                // The mode is what chmod makes of one without any umask; an inherited setgid bit stays.
                stat.mode = mode.apply(0o777 | stat.mode & 0o2000, true, umask);
            }
            Ok(Ok(()))
        }
        Err(error) => Ok(Err((path.to_vec(), error.errno))),
    }
}

fn announce(process: &mut Process<'_>, arguments: &Arguments, path: &[u8]) -> Result<(), Fatal> {
    if arguments.has("v") {
        process.out(format!("mkdir: created directory '{}'\n", show(path)).as_bytes())?;
    }
    Ok(())
}
