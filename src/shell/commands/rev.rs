//! rev: the characters of lines in reverse order.

use crate::shell::{
    Fatal, Process, Status,
    options::parse,
    text::{characters, lines},
};

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let mut arguments = parse(process, &[])?;
    if arguments.operands.is_empty() {
        arguments.operands.push(b"-".to_vec());
    }
    let utf8 = process.utf8();
    let mut status = Status::SUCCESS;
    for path in &arguments.operands {
        let Some(text) = process.read_operand(path)? else {
            status = Status::FAILURE;
            continue;
        };
        let mut out = Vec::with_capacity(text.len());
        for line in lines(&text, b'\n') {
            characters(line, utf8).into_iter().rev().for_each(|character| out.extend_from_slice(character));
            out.push(b'\n');
        }
        if !text.ends_with(b"\n") {
            out.pop();
        }
        process.out(&out)?;
    }
    Ok(status)
}
