//! touch: makes files, and sets their times.

use crate::{
    shell::{
        Fatal, Process, Status,
        date::{self, posix_stamp},
        files::show,
        options::{Arguments, parse},
    },
    tree::{Content, Errno, Node, Timestamp},
};

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments =
        parse(process, &["a", "c no-create", "d date=", "f", "h no-dereference", "m", "r reference=", "t=", "time="])?;
    if arguments.operands.is_empty() {
        return process.fail("missing file operand");
    }
    let time = match time(process, &arguments) {
        Ok(time) => time,
        Err(message) => return process.fail(&message),
    };
    let access = |value: &[u8]| matches!(value, b"atime" | b"access" | b"use");
    let only_access = (arguments.has("a") && !arguments.has("m"))
        || arguments.value("time").is_some_and(|value| access(value) && !arguments.has("m"));
    let mut status = Status::SUCCESS;
    for path in arguments.operands.iter().filter(|path| *path != b"-") {
        let found = if arguments.has("h") { process.lookup_no_follow(path) } else { process.lookup(path) };
        let id = match found {
            Ok(id) => Ok(id),
            Err(error) if error.errno == Errno::NotFound && (arguments.has("c") || arguments.has("h")) => {
                if !arguments.has("c") {
                    process.complain(&format!("setting times of '{}': {}", show(path), error.errno))?;
                    status = Status::FAILURE;
                }
                continue;
            }
            Err(error) if error.errno == Errno::NotFound => {
                let target = process.machine.tree.dangling(&process.absolute(path));
                let target = if path.ends_with(b"/") { Ok(path.clone()) } else { target };
                target.and_then(|target| process.create(&target, 0o666, Node::Regular(Content::empty())))
            }
            Err(error) => Err(error),
        };
        match id {
            Ok(_) if only_access => {}
            Ok(id) => process.machine.tree.stat_mut(id).mtime = time,
            Err(error) => {
                process.complain(&format!("cannot touch '{}': {}", show(path), error.errno))?;
                status = Status::FAILURE;
            }
        }
    }
    Ok(status)
}

fn time(process: &Process<'_>, arguments: &Arguments) -> Result<Timestamp, String> {
    let mut now = process.machine.epoch.timestamp();
    if let Some(reference) = arguments.value("r") {
        let found = if arguments.has("h") { process.lookup_no_follow(reference) } else { process.lookup(reference) };
        let id =
            found.map_err(|error| format!("failed to get attributes of '{}': {}", show(reference), error.errno))?;
        now = process.inode(id).stat.mtime;
    }
    if let Some(text) = arguments.value("d") {
        return date::parse(text, now).ok_or_else(|| format!("invalid date format '{}'", show(text)));
    }
    match arguments.value("t") {
        None => Ok(now),
        Some(stamp) => posix_stamp(stamp, now).ok_or_else(|| format!("invalid date format '{}'", show(stamp))),
    }
}
