//! printf, the program: the shell's own formats.

use crate::shell::{Fatal, Process, Status, builtins::print};

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let mut words = process.arguments();
    if words.first().is_some_and(|word| word == b"--") {
        words.remove(0);
    }
    let Some((format, values)) = words.split_first() else { return process.fail("missing operand") };
    let printed = print(format, values);
    process.out(&printed.out)?;
    for message in printed.faults.iter().chain(&printed.error) {
        process.complain(message)?;
    }
    Ok(if printed.faults.is_empty() && printed.error.is_none() { Status::SUCCESS } else { Status::FAILURE })
}
