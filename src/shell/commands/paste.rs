//! paste: lines of files side by side.

use crate::shell::{
    Fatal, Process, Status,
    files::show,
    options::parse,
    text::{c_escape, lines},
};

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let mut arguments = parse(process, &["d delimiters=", "s serial", "z zero-terminated"])?;
    let between = delimiters(arguments.value("d").unwrap_or(b"\t"));
    let end = if arguments.has("z") { 0 } else { b'\n' };
    if arguments.operands.is_empty() {
        arguments.operands.push(b"-".to_vec());
    }
    // Every `-` takes the next line of one input.
    let dashes = arguments.operands.iter().filter(|path| *path == b"-").count().max(1);
    let input =
        if arguments.operands.iter().any(|path| path == b"-") { process.read_all(0) } else { Default::default() };
    let mut columns: Vec<Vec<Vec<u8>>> = Vec::new();
    let mut dash = 0;
    for path in &arguments.operands {
        if path == b"-" && !arguments.has("s") {
            columns.push(lines(&input, end).skip(dash).step_by(dashes).map(<[u8]>::to_vec).collect());
            dash += 1;
            continue;
        }
        let text = match path.as_slice() {
            b"-" => input.clone(),
            path => match process.read_file(path) {
                Ok(text) => text,
                Err(error) => return process.fail(&format!("{}: {}", show(path), error.errno)),
            },
        };
        columns.push(lines(&text, end).map(<[u8]>::to_vec).collect());
    }
    let rows: Vec<Vec<Vec<u8>>> = match arguments.has("s") {
        true => columns,
        false => {
            let height = columns.iter().map(Vec::len).max().unwrap_or(0);
            let cell = |column: &Vec<Vec<u8>>, row: usize| column.get(row).cloned().unwrap_or_default();
            (0..height).map(|row| columns.iter().map(|column| cell(column, row)).collect()).collect()
        }
    };
    let mut out = Vec::new();
    for row in rows {
        for (index, cell) in row.iter().enumerate() {
            if index > 0 {
                out.extend(between[(index - 1) % between.len()]);
            }
            out.extend_from_slice(cell);
        }
        out.push(end);
    }
    process.out(&out)?;
    Ok(Status::SUCCESS)
}

/// One delimiter a place, `\0` being none; at least one.
fn delimiters(text: &[u8]) -> Vec<Option<u8>> {
    let mut all = Vec::new();
    let mut at = 0;
    while at < text.len() {
        if text[at..].starts_with(b"\\0") {
            all.push(None);
            at += 2;
        } else if text[at] == b'\\' && at + 1 < text.len() {
            let (byte, next) = c_escape(text, at);
            all.push(Some(byte));
            at = next;
        } else {
            all.push(Some(text[at]));
            at += 1;
        }
    }
    if all.is_empty() { vec![None] } else { all }
}
