//! test and [, the programs: the shell's own conditions.

use crate::shell::{
    Fatal, Process, Status,
    builtins::{Condition, Facts},
};

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let mut words = process.arguments();
    if process.name() == b"[" && words.pop().is_none_or(|word| word != b"]") {
        process.complain("missing ']'")?;
        return Ok(Status(2));
    }
    let facts = Facts { machine: process.machine, folder: &process.folder, descriptors: &process.descriptors };
    match Condition::new(&words, &facts).holds() {
        Ok(true) => Ok(Status::SUCCESS),
        Ok(false) => Ok(Status::FAILURE),
        Err(message) => {
            process.complain(&message)?;
            Ok(Status(2))
        }
    }
}
