//! nl: numbers lines.

use crate::shell::{
    Fatal, Process, Status,
    files::show,
    options::parse,
    size::{number, signed},
    text::lines,
};

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let mut arguments = parse(
        process,
        &[
            "b body-numbering=",
            "i line-increment=",
            "n number-format=",
            "s number-separator=",
            "v starting-line-number=",
            "w number-width=",
        ],
    )?;
    let all = match arguments.value("b").unwrap_or(b"t") {
        b"a" => true,
        b"t" => false,
        other => return Err(process.not_modelled(format!("numbering style `{}`", show(other)))),
    };
    let (Some(step), Some(mut next), Some(width)) = (
        signed(arguments.value("i").unwrap_or(b"1")),
        signed(arguments.value("v").unwrap_or(b"1")),
        number(arguments.value("w").unwrap_or(b"6")).filter(|width| (1..=100).contains(width)),
    ) else {
        return process.fail("invalid number");
    };
    let width = usize::try_from(width).unwrap_or(6);
    let format = arguments.value("n").unwrap_or(b"rn").to_vec();
    let separator = arguments.value("s").unwrap_or(b"\t").to_vec();
    if arguments.operands.is_empty() {
        arguments.operands.push(b"-".to_vec());
    }
    let mut status = Status::SUCCESS;
    for path in &arguments.operands {
        let Some(text) = process.read_operand(path)? else {
            status = Status::FAILURE;
            continue;
        };
        let mut out = Vec::new();
        for line in lines(&text, b'\n') {
            if matches!(line, b"\\:" | b"\\:\\:" | b"\\:\\:\\:") {
                return Err(process.not_modelled("logical pages"));
            }
            if line.is_empty() && !all {
                out.resize(out.len() + width + separator.len(), b' ');
            } else {
                let number = match format.as_slice() {
                    b"ln" => format!("{next:<width$}"),
                    b"rz" => format!("{next:0width$}"),
                    _ => format!("{next:width$}"),
                };
                next = next.saturating_add(step);
                out.extend_from_slice(number.as_bytes());
                out.extend_from_slice(&separator);
            }
            out.extend_from_slice(line);
            out.push(b'\n');
        }
        process.out(&out)?;
    }
    Ok(status)
}
