//! runlevel: no record of one, as in a tree that has never been started.

use crate::shell::{Fatal, Process, Status};

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    if process.argv.len() > 1 {
        return Err(process.not_modelled("an argument"));
    }
    process.out(b"unknown\n")?;
    Ok(Status::FAILURE)
}
