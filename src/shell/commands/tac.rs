//! tac: lines in reverse order.

use crate::shell::{Fatal, Process, Status, options::parse};

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let mut arguments = parse(process, &[])?;
    if arguments.operands.is_empty() {
        arguments.operands.push(b"-".to_vec());
    }
    let mut status = Status::SUCCESS;
    for path in &arguments.operands {
        let Some(text) = process.read_operand(path)? else {
            status = Status::FAILURE;
            continue;
        };
        let mut out = Vec::with_capacity(text.len());
        for line in text.split_inclusive(|&b| b == b'\n').rev() {
            out.extend_from_slice(line);
        }
        process.out(&out)?;
    }
    Ok(status)
}
