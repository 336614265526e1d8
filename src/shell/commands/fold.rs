//! fold: breaks long lines.

use crate::shell::{Fatal, Process, Status, files::show, options::parse, size::number};

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let mut arguments = parse(process, &["b bytes", "s spaces", "w width="])?;
    let text = arguments.value("w").unwrap_or(b"80").to_vec();
    let Some(width) = number(&text).filter(|width| *width > 0) else {
        return process.fail(&format!("invalid number of columns: '{}'", show(&text)));
    };
    let width = usize::try_from(width).unwrap_or(usize::MAX);
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
        for line in text.split_inclusive(|&b| b == b'\n') {
            fold(line, width, arguments.has("b"), arguments.has("s"), &mut out);
        }
        process.out(&out)?;
    }
    Ok(status)
}

fn fold(line: &[u8], width: usize, bytes: bool, spaces: bool, out: &mut Vec<u8>) {
    let mut row: Vec<u8> = Vec::new();
    let mut column = 0;
    for &byte in line {
        if byte == b'\n' {
            row.push(byte);
            break;
        }
        let mut next = advance(column, byte, bytes);
        if next > width && !row.is_empty() {
            let end = row.iter().rposition(|b| spaces && matches!(*b, b' ' | b'\t')).map_or(row.len(), |last| last + 1);
            out.extend(row.drain(..end));
            out.push(b'\n');
            column = row.iter().fold(0, |column, byte| advance(column, *byte, bytes));
            next = advance(column, byte, bytes);
        }
        row.push(byte);
        column = next;
    }
    out.extend(row);
}

/// The column behind a byte.
fn advance(column: usize, byte: u8, bytes: bool) -> usize {
    match byte {
        _ if bytes => column + 1,
        0x08 => column.saturating_sub(1),
        b'\r' => 0,
        b'\t' => column / 8 * 8 + 8,
        _ => column + 1,
    }
}
