//! cut: columns of lines, by bytes or by fields.

use crate::shell::{
    Fatal, Process, Status,
    files::show,
    options::{Arguments, parse},
    size::number,
    text::lines,
};

/// Ranges of columns from 1, both ends included, ascending and apart.
type Columns = Vec<(u64, u64)>;

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let mut arguments = parse(
        process,
        &[
            "b bytes=",
            "c characters=",
            "f fields=",
            "d delimiter=",
            "n",
            "s only-delimited",
            "complement",
            "output-delimiter=",
            "z zero-terminated",
        ],
    )?;
    let Some(list) = arguments.last_of(&["b", "c", "f"]) else {
        return process.fail("you must specify a list of bytes, characters, or fields");
    };
    let text = arguments.value(list).unwrap_or_default().to_vec();
    let Some(mut columns) = columns(&text) else {
        return process.fail(&format!("invalid list '{}'", show(&text)));
    };
    if arguments.has("complement") {
        columns = complement(&columns);
    }
    let delimiter = arguments.value("d").unwrap_or(b"\t").to_vec();
    if delimiter.len() > 1 {
        return process.fail("the delimiter must be a single character");
    }
    let delimiter = delimiter.first().copied().unwrap_or(0);
    let end = if arguments.has("z") { 0 } else { b'\n' };
    let mut operands = std::mem::take(&mut arguments.operands);
    if operands.is_empty() {
        operands.push(b"-".to_vec());
    }
    let mut status = Status::SUCCESS;
    for path in &operands {
        let Some(text) = process.read_operand(path)? else {
            status = Status::FAILURE;
            continue;
        };
        let mut out = Vec::new();
        for line in lines(&text, end) {
            let kept = match list {
                "f" => by_fields(&arguments, &columns, delimiter, line, &mut out),
                _ => {
                    by_bytes(&arguments, &columns, line, &mut out);
                    true
                }
            };
            if kept {
                out.push(end);
            }
        }
        process.out(&out)?;
    }
    Ok(status)
}

fn columns(text: &[u8]) -> Option<Columns> {
    let mut ranges = Vec::new();
    for part in text.split(|b| matches!(b, b',' | b' ' | b'\t')) {
        let (low, high) = match part.iter().position(|&b| b == b'-') {
            None => {
                let column = number(part)?;
                (column, column)
            }
            Some(dash) => {
                let (low, high) = (&part[..dash], &part[dash + 1..]);
                if low.is_empty() && high.is_empty() {
                    return None;
                }
                let low = if low.is_empty() { 1 } else { number(low)? };
                (low, if high.is_empty() { u64::MAX } else { number(high)? })
            }
        };
        if low == 0 || high < low {
            return None;
        }
        ranges.push((low, high));
    }
    ranges.sort_unstable();
    let mut apart: Columns = Vec::new();
    for (low, high) in ranges {
        match apart.last_mut() {
            Some(last) if low <= last.1 => last.1 = last.1.max(high),
            _ => apart.push((low, high)),
        }
    }
    Some(apart)
}

fn complement(columns: &Columns) -> Columns {
    let mut rest = Vec::new();
    let mut next = 1;
    for (low, high) in columns {
        if *low > next {
            rest.push((next, low - 1));
        }
        match high.checked_add(1) {
            Some(after) => next = after,
            None => return rest,
        }
    }
    rest.push((next, u64::MAX));
    rest
}

fn within(columns: &Columns, column: u64) -> bool {
    columns.iter().any(|(low, high)| (*low..=*high).contains(&column))
}

fn by_bytes(arguments: &Arguments, columns: &Columns, line: &[u8], out: &mut Vec<u8>) {
    let between = arguments.value("output-delimiter").unwrap_or_default();
    let at = |column: u64| usize::try_from(column).unwrap_or(usize::MAX).min(line.len());
    let mut first = true;
    for (low, high) in columns {
        let part = &line[at(low - 1)..at(*high)];
        if part.is_empty() {
            continue;
        }
        if !first {
            out.extend_from_slice(between);
        }
        first = false;
        out.extend_from_slice(part);
    }
}

fn by_fields(arguments: &Arguments, columns: &Columns, delimiter: u8, line: &[u8], out: &mut Vec<u8>) -> bool {
    if !line.contains(&delimiter) {
        if !arguments.has("s") {
            out.extend_from_slice(line);
        }
        return !arguments.has("s");
    }
    let own = [delimiter];
    let between = arguments.value("output-delimiter").unwrap_or(&own);
    let mut first = true;
    for (field, column) in line.split(|&b| b == delimiter).zip(1..) {
        if within(columns, column) {
            if !first {
                out.extend_from_slice(between);
            }
            first = false;
            out.extend_from_slice(field);
        }
    }
    true
}
