//! uniq: drops lines that repeat the one before.

use crate::shell::{
    Fatal, Process, Status,
    files::show,
    options::{Arguments, parse},
    size::number,
    text::lines,
};

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = parse(
        process,
        &[
            "c count",
            "d repeated",
            "D",
            "f skip-fields=",
            "i ignore-case",
            "s skip-chars=",
            "u unique",
            "w check-chars=",
            "z zero-terminated",
        ],
    )?;
    for option in ["f", "s", "w"] {
        if arguments.value(option).is_some_and(|value| number(value).is_none()) {
            return process.fail(&format!("invalid number for -{option}"));
        }
    }
    if arguments.operands.len() > 2 {
        return process.wrong_operands(&arguments.operands, 2);
    }
    let input = arguments.operands.first().cloned().unwrap_or_else(|| b"-".to_vec());
    let Some(text) = process.read_operand(&input)? else { return Ok(Status::FAILURE) };
    let end = if arguments.has("z") { 0 } else { b'\n' };
    let mut out = Vec::new();
    let all: Vec<&[u8]> = lines(&text, end).collect();
    for run in all.chunk_by(|a, b| key(&arguments, a) == key(&arguments, b)) {
        let repeated = run.len() > 1;
        let passed_over = if repeated { arguments.has("u") } else { arguments.has("d") || arguments.has("D") };
        if passed_over {
            continue;
        }
        let shown = if arguments.has("D") { run } else { &run[..1] };
        for line in shown {
            if arguments.has("c") {
                out.extend_from_slice(format!("{:7} ", run.len()).as_bytes());
            }
            out.extend_from_slice(line);
            out.push(end);
        }
    }
    match arguments.operands.get(1).filter(|path| *path != b"-") {
        None => process.out(&out)?,
        Some(path) => {
            if let Err(error) = process.write_file(path, out) {
                return process.fail(&format!("{}: {}", show(path), error.errno));
            }
        }
    }
    Ok(Status::SUCCESS)
}

/// The part of a line that counts.
fn key(arguments: &Arguments, line: &[u8]) -> Vec<u8> {
    let count =
        |option: &str| arguments.value(option).and_then(number).map(|n| usize::try_from(n).unwrap_or(usize::MAX));
    let mut rest = line;
    for _ in 0..count("f").unwrap_or(0).min(line.len()) {
        let blanks = rest.iter().position(|b| !matches!(b, b' ' | b'\t')).unwrap_or(rest.len());
        rest = &rest[blanks..];
        let field = rest.iter().position(|b| matches!(b, b' ' | b'\t')).unwrap_or(rest.len());
        rest = &rest[field..];
    }
    rest = &rest[count("s").unwrap_or(0).min(rest.len())..];
    rest = &rest[..count("w").unwrap_or(usize::MAX).min(rest.len())];
    if arguments.has("i") { rest.to_ascii_lowercase() } else { rest.to_vec() }
}
