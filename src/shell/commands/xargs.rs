//! xargs: runs a command with arguments read from standard input.

use crate::shell::{
    Fatal, Process, Status,
    files::show,
    options::{Arguments, parse_leading},
    size::number,
};

/// Bytes of one command line, as GNU xargs has it by default.
const MAX_BYTES: usize = 131_072;

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = parse_leading(
        process,
        &[
            "0 null",
            "a arg-file=",
            "d delimiter=",
            "E=",
            "I=",
            "i replace?",
            "L max-lines=",
            "n max-args=",
            "P max-procs=",
            "r no-run-if-empty",
            "s max-chars=",
            "t verbose",
            "x exit",
        ],
    )?;
    if arguments.has("L") || arguments.has("E") {
        return Err(process.not_modelled("options -L and -E"));
    }
    let text = match arguments.value("a") {
        None => process.read_all(0),
        Some(path) => match process.read_file(path) {
            Ok(text) => text,
            Err(error) => return process.fail(&format!("Cannot open input file '{}': {}", show(path), error.errno)),
        },
    };
    let delimiter = match arguments.last_of(&["0", "d"]) {
        None => None,
        Some("0") => Some(0),
        Some(_) => match delimiter(arguments.value("d").unwrap_or_default()) {
            Some(byte) => Some(byte),
            None => return process.fail("Invalid input delimiter specification"),
        },
    };
    let replace = match arguments.last_of(&["I", "i"]) {
        None => None,
        Some("i") if arguments.value("i") == Some(b"") => Some(b"{}".to_vec()),
        Some(option) => arguments.value(option).map(<[u8]>::to_vec),
    };
    let items = match (delimiter, &replace) {
        (Some(end), _) => crate::shell::text::lines(&text, end).map(<[u8]>::to_vec).collect(),
        (None, Some(_)) => match words(&text, true) {
            Ok(items) => items,
            Err(message) => return process.fail(message),
        },
        (None, None) => match words(&text, false) {
            Ok(items) => items,
            Err(message) => return process.fail(message),
        },
    };
    let command = match arguments.operands.is_empty() {
        true => vec![b"echo".to_vec()],
        false => arguments.operands.clone(),
    };
    let Some(lines) = command_lines(&arguments, &command, items, replace.as_deref()) else {
        return process.fail("invalid number for -n or -s");
    };
    run_all(process, &arguments, lines)
}

fn run_all(process: &mut Process<'_>, arguments: &Arguments, lines: Vec<Vec<Vec<u8>>>) -> Result<Status, Fatal> {
    let mut status = Status::SUCCESS;
    if !arguments.has("a") {
        // Commands read nothing: xargs has the input.
        process.descriptors.insert(0, crate::shell::OpenFile::null());
    }
    for line in lines {
        if arguments.has("t") {
            let mut shown = line.join(&b' ');
            shown.push(b'\n');
            process.write(2, &shown)?;
        }
        match process.run(line)? {
            Status(0) => {}
            Status(code @ (126 | 127)) => return Ok(Status(code)),
            Status(255) => return Ok(Status(124)),
            Status(_) => status = Status(123),
        }
    }
    Ok(status)
}

fn delimiter(text: &[u8]) -> Option<u8> {
    match text {
        [byte] => Some(*byte),
        b"\\n" => Some(b'\n'),
        b"\\t" => Some(b'\t'),
        b"\\0" => Some(0),
        _ => None,
    }
}

/// The command lines that the items make; `None` when a number is none.
fn command_lines(
    arguments: &Arguments,
    command: &[Vec<u8>],
    items: Vec<Vec<u8>>,
    replace: Option<&[u8]>,
) -> Option<Vec<Vec<Vec<u8>>>> {
    if let Some(mark) = replace {
        let fill = |item: &Vec<u8>| command.iter().map(|word| substitute(word, mark, item)).collect();
        return Some(items.iter().map(fill).collect());
    }
    let value = |option: &str| arguments.value(option).map(|text| number(text).filter(|n| *n > 0));
    let most = match value("n") {
        Some(n) => usize::try_from(n?).ok()?,
        None => usize::MAX,
    };
    let bytes = match value("s") {
        Some(n) => usize::try_from(n?).ok()?,
        None => MAX_BYTES,
    };
    let base: usize = command.iter().map(|word| word.len() + 1).sum();
    let mut lines: Vec<Vec<Vec<u8>>> = Vec::new();
    let (mut count, mut size) = (0, base);
    for item in items {
        if lines.is_empty() || count >= most || size + item.len() + 1 > bytes {
            lines.push(command.to_vec());
            (count, size) = (0, base);
        }
        count += 1;
        size += item.len() + 1;
        lines.last_mut()?.push(item);
    }
    if lines.is_empty() && !arguments.has("r") {
        lines.push(command.to_vec());
    }
    Some(lines)
}

fn substitute(word: &[u8], mark: &[u8], item: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = word;
    while let Some(at) = memchr::memmem::find(rest, mark).filter(|_| !mark.is_empty()) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(item);
        rest = &rest[at + mark.len()..];
    }
    out.extend_from_slice(rest);
    out
}

/// Words between blanks, or whole lines less their leading blanks; quotes and backslashes protect.
fn words(text: &[u8], by_line: bool) -> Result<Vec<Vec<u8>>, &'static str> {
    let mut items = Vec::new();
    let mut word: Option<Vec<u8>> = None;
    let mut bytes = text.iter().copied();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\n' => items.extend(word.take()),
            b' ' | b'\t' if word.is_none() => {}
            b' ' | b'\t' if !by_line => items.extend(word.take()),
            b'\\' => word.get_or_insert_default().extend(bytes.next()),
            b'"' | b'\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match bytes.next() {
                        Some(end) if end == byte => break,
                        None | Some(b'\n') => {
                            return Err("unmatched quote; by default quotes are special to xargs unless you use -0");
                        }
                        Some(inner) => word.push(inner),
                    }
                }
            }
            other => word.get_or_insert_default().push(other),
        }
    }
    items.extend(word);
    Ok(items)
}
