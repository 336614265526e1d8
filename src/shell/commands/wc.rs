//! wc: counts lines, words and bytes.

use crate::shell::{
    Fatal, Process, Status,
    files::show,
    options::{Arguments, parse},
};

/// Lines, words, characters, bytes, longest line.
type Counts = [u64; 5];

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = parse(process, &["l lines", "w words", "m chars", "c bytes", "L max-line-length", "files0-from="])?;
    if arguments.has("files0-from") {
        return Err(process.not_modelled("option --files0-from"));
    }
    let stdin = arguments.operands.is_empty();
    let operands = if stdin { vec![b"-".to_vec()] } else { arguments.operands.clone() };
    let mut status = Status::SUCCESS;
    let mut rows: Vec<(Counts, String)> = Vec::new();
    let (mut total, mut bytes) = ([0; 5], 0);
    let utf8 = process.utf8();
    for path in &operands {
        let Some(text) = process.read_operand(path)? else {
            status = Status::FAILURE;
            continue;
        };
        let counts = count(&text, utf8);
        for (sum, count) in total.iter_mut().zip(counts).take(4) {
            *sum += count;
        }
        total[4] = total[4].max(counts[4]);
        bytes += text.len() as u64;
        rows.push((counts, if stdin { String::new() } else { format!(" {}", show(path)) }));
    }
    if operands.len() > 1 {
        rows.push((total, " total".to_owned()));
    }
    let columns = chosen(&arguments);
    // Columns are as wide as the bytes of all files; a pipe's are not known beforehand.
    let width = match (columns.len(), operands.len()) {
        (1, 1) => 1,
        _ if operands.iter().any(|path| path == b"-") => 7,
        _ => bytes.to_string().len(),
    };
    for (counts, name) in rows {
        let line: Vec<_> = columns.iter().map(|column| format!("{:width$}", counts[*column])).collect();
        process.out(format!("{}{name}\n", line.join(" ")).as_bytes())?;
    }
    Ok(status)
}

fn chosen(arguments: &Arguments) -> Vec<usize> {
    let wanted: Vec<_> = ["l", "w", "m", "c", "L"].iter().map(|option| arguments.has(option)).collect();
    let columns: Vec<_> = (0..5).filter(|index| wanted[*index]).collect();
    if columns.is_empty() { vec![0, 1, 3] } else { columns }
}

fn count(text: &[u8], utf8: bool) -> Counts {
    let lines = memchr::memchr_iter(b'\n', text).count() as u64;
    let words = text.split(|b| b.is_ascii_whitespace() || *b == 0x0b).filter(|word| !word.is_empty()).count() as u64;
    let characters = |bytes: &[u8]| match utf8 {
        true => bytes.utf8_chunks().map(|chunk| chunk.valid().chars().count() as u64).sum(),
        false => bytes.len() as u64,
    };
    let longest = text.split(|&b| b == b'\n').map(|line| columns(line, utf8)).max().unwrap_or(0);
    [lines, words, characters(text), text.len() as u64, longest]
}

/// Width of a line on a screen, tabs at every eighth column.
fn columns(line: &[u8], utf8: bool) -> u64 {
    line.iter().fold(0, |column, byte| match byte {
        b'\t' => column / 8 * 8 + 8,
        0..0x20 | 0x7f => column,
        0x80..0xc0 if utf8 => column,
        0x80.. if !utf8 => column,
        _ => column + 1,
    })
}
