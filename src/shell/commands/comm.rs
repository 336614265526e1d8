//! comm: what two sorted files have alone and in common.

use std::cmp::Ordering;

use crate::shell::{Fatal, Process, Status, options::parse, text::lines};

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments =
        parse(process, &["1", "2", "3", "check-order", "nocheck-order", "output-delimiter=", "z zero-terminated"])?;
    let [first, second] = arguments.operands.as_slice() else {
        return process.wrong_operands(&arguments.operands, 2);
    };
    let (Some(a), Some(b)) = (process.read_operand(first)?, process.read_operand(second)?) else {
        return Ok(Status::FAILURE);
    };
    let end = if arguments.has("z") { 0 } else { b'\n' };
    let between = arguments.value("output-delimiter").unwrap_or(b"\t");
    let mut out = Vec::new();
    let (mut a, mut b) = (lines(&a, end).peekable(), lines(&b, end).peekable());
    loop {
        let order = match (a.peek(), b.peek()) {
            (None, None) => break,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(a), Some(b)) => a.cmp(b),
        };
        let (column, line) = match order {
            Ordering::Less => (1, a.next()),
            Ordering::Greater => (2, b.next()),
            Ordering::Equal => {
                a.next();
                (3, b.next())
            }
        };
        if arguments.has(["1", "2", "3"][column - 1]) {
            continue;
        }
        let before = ["1", "2"].iter().take(column - 1).filter(|option| !arguments.has(option)).count();
        (0..before).for_each(|_| out.extend_from_slice(between));
        out.extend_from_slice(line.unwrap_or_default());
        out.push(end);
    }
    process.out(&out)?;
    Ok(Status::SUCCESS)
}
