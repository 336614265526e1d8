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
    each(process, words, &|wanted, text| {
        let count =
            if wanted.sign == Some(b'-') { wanted.total(text).saturating_sub(wanted.count) } else { wanted.count };
        if wanted.lines { first_lines(text, count, wanted.end) } else { &text[..index(count).min(text.len())] }
    })
}

/// How much of a file is wanted.
pub(super) struct Wanted {
    pub(super) lines: bool,
    /// The one before the count.
    pub(super) sign: Option<u8>,
    pub(super) count: u64,
    /// What ends a line.
    pub(super) end: u8,
}

impl Wanted {
    /// How much there is.
    pub(super) fn total(&self, text: &[u8]) -> u64 {
        if self.lines { count_lines(text, self.end) } else { text.len() as u64 }
    }
}

pub(super) fn index(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

/// Writes the wanted part of each file, for head and tail.
pub(super) fn each(
    process: &mut Process<'_>,
    words: Vec<Vec<u8>>,
    part: &dyn for<'t> Fn(&Wanted, &'t [u8]) -> &'t [u8],
) -> Result<Status, Fatal> {
    let mut arguments =
        parse_list(process, words, &["n lines=", "c bytes=", "q quiet", "silent", "v verbose", "z zero-terminated"])?;
    let unit = arguments.last_of(&["n", "c"]).unwrap_or("n");
    let text = arguments.value(unit).unwrap_or(b"10").to_vec();
    let (sign, digits) = match text.as_slice() {
        [sign @ (b'+' | b'-'), digits @ ..] => (Some(*sign), digits),
        digits => (None, digits),
    };
    let Some(count) = size(digits) else {
        let what = if unit == "n" { "lines" } else { "bytes" };
        return process.fail(&format!("invalid number of {what}: '{}'", show(&text)));
    };
    let end = if arguments.has("z") { 0 } else { b'\n' };
    let wanted = Wanted { lines: unit == "n", sign, count, end };
    if arguments.operands.is_empty() {
        arguments.operands.push(b"-".to_vec());
    }
    let titles = match arguments.last_of(&["q", "silent", "v"]) {
        Some("v") => true,
        Some(_) => false,
        None => arguments.operands.len() > 1,
    };
    let mut status = Status::SUCCESS;
    let mut before = "";
    for path in &arguments.operands {
        let text = match process.read_file(path) {
            Ok(text) => text,
            Err(error) => {
                process.complain(&format!("cannot open '{}' for reading: {}", show(path), error.errno))?;
                status = Status::FAILURE;
                continue;
            }
        };
        if titles {
            let name = if path == b"-" { "standard input".to_owned() } else { show(path) };
            process.out(format!("{before}==> {name} <==\n").as_bytes())?;
        }
        before = "\n";
        process.out(part(&wanted, &text))?;
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
