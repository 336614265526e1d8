//! head: the first part of files.

use crate::shell::{
    Fatal, Process, Status,
    files::show,
    options::parse_list,
    size::size,
    text::{count_lines, first_lines},
};

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let words = obsolete(process.arguments());
    let mut arguments =
        parse_list(process, words, &["n lines=", "c bytes=", "q quiet", "silent", "v verbose", "z zero-terminated"])?;
    let unit = arguments.last_of(&["n", "c"]).unwrap_or("n");
    let text = arguments.value(unit).unwrap_or(b"10").to_vec();
    let (from_end, digits) = match text.strip_prefix(b"-") {
        Some(digits) => (true, digits),
        None => (false, text.as_slice()),
    };
    let Some(count) = size(digits) else {
        let what = if unit == "n" { "lines" } else { "bytes" };
        return process.fail(&format!("invalid number of {what}: '{}'", show(&text)));
    };
    if arguments.operands.is_empty() {
        arguments.operands.push(b"-".to_vec());
    }
    let end = if arguments.has("z") { 0 } else { b'\n' };
    let titles = match arguments.last_of(&["q", "silent", "v"]) {
        Some("v") => true,
        Some(_) => false,
        None => arguments.operands.len() > 1,
    };
    let mut status = Status::SUCCESS;
    let mut first = true;
    for path in &arguments.operands {
        let Some(text) = process.read_operand(path)? else {
            status = Status::FAILURE;
            continue;
        };
        if titles {
            let name = if path == b"-" { "standard input".to_owned() } else { show(path) };
            process.out(format!("{}==> {name} <==\n", if first { "" } else { "\n" }).as_bytes())?;
        }
        first = false;
        let total = if unit == "n" { count_lines(&text, end) } else { text.len() as u64 };
        let count = if from_end { total.saturating_sub(count) } else { count };
        let part = match unit {
            "n" => first_lines(&text, count, end),
            _ => &text[..usize::try_from(count).unwrap_or(usize::MAX).min(text.len())],
        };
        process.out(part)?;
    }
    Ok(status)
}

/// `-5` is `-n 5`, `-5c` is `-c 5`.
pub(super) fn obsolete(mut words: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    if let Some(first) = words.first()
        && let [b'-', rest @ ..] = first.as_slice()
        && rest.first().is_some_and(u8::is_ascii_digit)
    {
        let end = rest.iter().position(|b| !b.is_ascii_digit()).unwrap_or(rest.len());
        let (digits, letters) = rest.split_at(end);
        let unit: &[u8] = if letters.contains(&b'c') { b"-c" } else { b"-n" };
        words.splice(..1, [unit.to_vec(), digits.to_vec()]);
    }
    words
}
