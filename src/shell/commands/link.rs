//! `link` and `unlink`: one more name for a file, one less.

use crate::shell::{Fatal, Process, Status, files::show, options::parse};

pub(super) fn link(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = parse(process, &[])?;
    let [from, to] = arguments.operands.as_slice() else { return process.wrong_operands(&arguments.operands, 2) };
    let made = match process.lookup_no_follow(from) {
        Ok(id) => super::ln::hard_link(process, id, to),
        Err(error) => Err(error.errno),
    };
    match made {
        Ok(()) => Ok(Status::SUCCESS),
        Err(errno) => process.fail(&format!("cannot create link '{}' to '{}': {errno}", show(to), show(from))),
    }
}

pub(super) fn unlink(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = parse(process, &[])?;
    let [path] = arguments.operands.as_slice() else { return process.wrong_operands(&arguments.operands, 1) };
    let absolute = process.absolute(path);
    match process.machine.tree.unlink(&absolute) {
        Ok(_) => Ok(Status::SUCCESS),
        Err(error) => process.fail(&format!("cannot unlink '{}': {}", show(path), error.errno)),
    }
}
