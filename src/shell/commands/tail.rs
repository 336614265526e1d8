//! tail: the last part of files.

use crate::shell::{
    Fatal, Process, Status,
    files::show,
    options::parse_list,
    size::size,
    text::{after_lines, count_lines},
};

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let mut words = super::head::obsolete(process.arguments());
    // `+5` is `-n +5`.
    if words.first().is_some_and(|word| word.len() > 1 && word[0] == b'+' && word[1..].iter().all(u8::is_ascii_digit)) {
        words.insert(0, b"-n".to_vec());
    }
    let mut arguments =
        parse_list(process, words, &["n lines=", "c bytes=", "q quiet", "silent", "v verbose", "z zero-terminated"])?;
    let unit = arguments.last_of(&["n", "c"]).unwrap_or("n");
    let text = arguments.value(unit).unwrap_or(b"10").to_vec();
    let (from_start, digits) = match text.as_slice() {
        [b'+', digits @ ..] => (true, digits),
        [b'-', digits @ ..] => (false, digits),
        digits => (false, digits),
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
        let read = match process.read_file(path) {
            Ok(bytes) => bytes,
            Err(error) => {
                process.complain(&format!("cannot open '{}' for reading: {}", show(path), error.errno))?;
                status = Status::FAILURE;
                continue;
            }
        };
        if titles {
            let name = if path == b"-" { "standard input".to_owned() } else { show(path) };
            process.out(format!("{}==> {name} <==\n", if first { "" } else { "\n" }).as_bytes())?;
        }
        first = false;
        let total = if unit == "n" { count_lines(&read, end) } else { read.len() as u64 };
        let skip = if from_start { count.saturating_sub(1) } else { total.saturating_sub(count) };
        let part = match unit {
            "n" => after_lines(&read, skip, end),
            _ => &read[usize::try_from(skip).unwrap_or(usize::MAX).min(read.len())..],
        };
        process.out(part)?;
    }
    Ok(status)
}
