//! printenv: values of the environment.

use crate::shell::{Fatal, Process, Status, options::parse_leading};

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = parse_leading(process, &["0 null"])?;
    let end = if arguments.has("0") { 0 } else { b'\n' };
    if arguments.operands.is_empty() {
        for (name, value) in process.environment.clone() {
            process.out(&[&name, b"=".as_slice(), &value, &[end]].concat())?;
        }
        return Ok(Status::SUCCESS);
    }
    let mut status = Status::SUCCESS;
    for name in &arguments.operands {
        match process.environment.get(name).cloned() {
            Some(value) => process.out(&[value.as_slice(), &[end]].concat())?,
            None => status = Status::FAILURE,
        }
    }
    Ok(status)
}
