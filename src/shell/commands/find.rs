//! find: files of a tree by an expression, in the order of names.

use crate::shell::{
    Fatal, Process, Status,
    find::{Stop, parse, run as walk},
};

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    match parse(process) {
        Ok(query) => walk(process, &query),
        Err(Stop::Error(message)) => process.fail(&message),
        Err(Stop::Fatal(fatal)) => Err(fatal),
    }
}
