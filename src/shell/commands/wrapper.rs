//! Commands that only run another in conditions that nobody here can see: nice, nohup, timeout and their like.

use crate::shell::{
    Fatal, Process, Status,
    options::{Arguments, parse_leading},
};

pub(super) fn nice(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = parse_leading(process, &["n adjustment=", "1", "2", "5", "0", "9"])?;
    if arguments.operands.is_empty() {
        process.out(b"0\n")?;
        return Ok(Status::SUCCESS);
    }
    rest(process, arguments, 0)
}

pub(super) fn ionice(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = parse_leading(process, &["c class=", "n classdata=", "p pid=", "t ignore"])?;
    if arguments.has("p") {
        return Ok(Status::SUCCESS);
    }
    rest(process, arguments, 0)
}

/// `chrt [OPTIONS] PRIORITY COMMAND...`, or `-p` for a process that runs.
pub(super) fn chrt(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = parse_leading(
        process,
        &["b batch", "f fifo", "i idle", "o other", "r rr", "p pid", "a all-tasks", "v verbose"],
    )?;
    if arguments.has("p") {
        return Ok(Status::SUCCESS);
    }
    rest(process, arguments, 1)
}

pub(super) fn nohup(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = parse_leading(process, &[])?;
    rest(process, arguments, 0)
}

pub(super) fn setsid(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = parse_leading(process, &["c ctty", "f fork", "w wait"])?;
    rest(process, arguments, 0)
}

/// `timeout DURATION COMMAND...`: nothing here takes time.
pub(super) fn timeout(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments =
        parse_leading(process, &["k kill-after=", "s signal=", "v verbose", "foreground", "preserve-status"])?;
    rest(process, arguments, 1)
}

pub(super) fn stdbuf(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = parse_leading(process, &["i input=", "o output=", "e error="])?;
    rest(process, arguments, 0)
}

fn rest(process: &mut Process<'_>, arguments: Arguments, skip: usize) -> Result<Status, Fatal> {
    if arguments.operands.len() <= skip {
        process.complain("missing operand")?;
        return Ok(Status(125));
    }
    process.run(arguments.operands[skip..].to_vec())
}

/// As another user, which only a command may that makes no files of its own: they would be the other user's.
pub(super) fn setpriv(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let table = &["reuid=", "regid=", "init-groups", "clear-groups", "keep-groups", "reset-env"];
    let arguments = parse_leading(process, table)?;
    match arguments.operands.first() {
        Some(command) if command.ends_with(b"/mandb") => rest(process, arguments, 0),
        _ => Err(process.not_modelled("a command that may make files")),
    }
}
