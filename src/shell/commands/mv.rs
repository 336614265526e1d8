//! mv: renames files, or moves them into a directory.

use crate::{
    shell::{
        Fatal, Process, Status,
        backup::{self, Backup},
        files::{base_name, join, show},
        options::{Arguments, parse},
    },
    tree::Errno,
};

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let mut arguments = parse(
        process,
        &[
            "f force",
            "n no-clobber",
            "u update",
            "v verbose",
            "T no-target-directory",
            "t target-directory=",
            "Z context",
            "b",
            "backup?",
            "S suffix=",
            "strip-trailing-slashes",
        ],
    )?;
    let backup = match backup::wanted(process, &arguments) {
        Ok(backup) => backup,
        Err(message) => return process.fail(&message),
    };
    let operands = std::mem::take(&mut arguments.operands);
    let pairs: Vec<(Vec<u8>, Vec<u8>)> = match (arguments.value("t"), operands.as_slice()) {
        (_, []) => return process.wrong_operands(&[], 0),
        (Some(folder), sources) => sources.iter().map(|s| (s.clone(), join(folder, base_name(s)))).collect(),
        (None, [_]) => return process.wrong_operands(&operands, 1),
        (None, [source, target]) if arguments.has("T") || !process.is_dir(target) => {
            vec![(source.clone(), target.clone())]
        }
        (None, [sources @ .., folder]) => {
            if arguments.has("T") {
                return process.wrong_operands(&operands, 2);
            }
            if !process.is_dir(folder) {
                return process.fail(&format!("target '{}' is not a directory", show(folder)));
            }
            sources.iter().map(|s| (s.clone(), join(folder, base_name(s)))).collect()
        }
    };
    let mut status = Status::SUCCESS;
    for (source, target) in pairs {
        if let Err(message) = rename(process, &arguments, backup.as_ref(), &source, &target)? {
            process.complain(&message)?;
            status = Status::FAILURE;
        }
    }
    Ok(status)
}

fn rename(
    process: &mut Process<'_>,
    arguments: &Arguments,
    backup: Option<&Backup>,
    source: &[u8],
    target: &[u8],
) -> Result<Result<(), String>, Fatal> {
    let id = match process.lookup_no_follow(source) {
        Ok(id) => id,
        Err(error) => return Ok(Err(format!("cannot stat '{}': {}", show(source), error.errno))),
    };
    let (from, to) = (process.absolute(source), process.absolute(target));
    if let Ok(old) = process.lookup_no_follow(target) {
        if arguments.last_of(&["f", "n"]) == Some("n") {
            return Ok(Ok(()));
        }
        let newer = process.inode(id).stat.mtime > process.inode(old).stat.mtime;
        if arguments.has("u") && !newer {
            return Ok(Ok(()));
        }
        let tree = &process.machine.tree;
        let place = |path: &[u8]| tree.place(path).map(|place| place.path());
        if old == id && (backup.is_none() || place(&from) == place(&to)) {
            return Ok(Err(format!("'{}' and '{}' are the same file", show(source), show(target))));
        }
        match (process.inode(id).is_dir(), process.inode(old).is_dir()) {
            (true, false) => {
                return Ok(Err(format!(
                    "cannot overwrite non-directory '{}' with directory '{}'",
                    show(target),
                    show(source)
                )));
            }
            (false, true) => {
                return Ok(Err(format!("cannot overwrite directory '{}' with non-directory", show(target))));
            }
            _ => {}
        }
        if let Some(backup) = backup {
            backup.make(process, target)?;
        }
    }
    if target.ends_with(b"/") && !process.inode(id).is_dir() {
        return Ok(Err(format!("cannot move '{}' to '{}': {}", show(source), show(target), Errno::NotDirectory)));
    }
    if let Err(error) = process.machine.tree.rename(&from, &to) {
        return Ok(Err(match error.errno {
            Errno::Invalid => {
                format!("cannot move '{}' to a subdirectory of itself, '{}'", show(source), show(target))
            }
            errno => format!("cannot move '{}' to '{}': {errno}", show(source), show(target)),
        }));
    }
    if arguments.has("v") {
        process.out(format!("renamed '{}' -> '{}'\n", show(source), show(target)).as_bytes())?;
    }
    Ok(Ok(()))
}
