//! `read`: one line of standard input, split by `IFS` into variables.

use super::options;
use crate::shell::{
    interpreter::{Shell, Unwind},
    parse::is_name,
    raw::Raw,
};

/// One byte read; an escaped one separates nothing.
type Byte = (u8, bool);

pub(super) fn read(shell: &mut Shell<'_>, arguments: &[Vec<u8>]) -> Result<u32, Unwind> {
    let mut arguments = arguments.to_vec();
    // A prompt is only shown on a terminal.
    if let Some(at) = arguments.iter().position(|argument| argument == b"-p")
        && arguments[1..at].iter().all(|argument| argument.starts_with(b"-"))
    {
        arguments.drain(at..(at + 2).min(arguments.len()));
    }
    let (letters, names) = options(shell, &arguments, b"r")?;
    if names.is_empty() {
        return Err(shell.error("arg count"));
    }
    if let Some(bad) = names.iter().find(|name| !is_name(name)) {
        return Err(shell.error(&format!("{}: bad variable name", Raw(bad))));
    }
    let (line, complete) = read_line(shell, letters.contains(&b'r'));
    let separators = shell.field_separators();
    let mut rest = line.as_slice();
    for (index, name) in names.iter().enumerate() {
        let last = index + 1 == names.len();
        let value = if last { remainder(rest, &separators) } else { field(&mut rest, &separators) };
        shell.assign(name, value)?;
    }
    Ok(u32::from(!complete))
}

/// The bytes of a line without its newline, and whether it had one.
fn read_line(shell: &mut Shell<'_>, raw: bool) -> (Vec<Byte>, bool) {
    let mut line = Vec::new();
    let Some(descriptor) = shell.descriptor(0).cloned() else { return (line, false) };
    while let Some(text) = shell.machine.read_line(&descriptor) {
        let ended = text.ends_with(b"\n");
        let body = if ended { &text[..text.len() - 1] } else { &text };
        let mut bytes = body.iter().copied().filter(|&b| b != 0);
        let mut joined = false;
        while let Some(byte) = bytes.next() {
            if byte != b'\\' || raw {
                line.push((byte, false));
                continue;
            }
            match bytes.next() {
                Some(next) => line.push((next, true)),
                None => joined = ended,
            }
        }
        if !joined {
            return (line, ended);
        }
    }
    (line, false)
}

fn blank(byte: &Byte, separators: &[u8]) -> bool {
    !byte.1 && matches!(byte.0, b' ' | b'\t' | b'\n') && separators.contains(&byte.0)
}

fn separates(byte: &Byte, separators: &[u8]) -> bool {
    !byte.1 && separators.contains(&byte.0)
}

fn bytes(line: &[Byte]) -> Vec<u8> {
    line.iter().map(|(byte, _)| *byte).collect()
}

fn skip_blanks<'l>(line: &'l [Byte], separators: &[u8]) -> &'l [Byte] {
    let blanks = line.iter().take_while(|byte| blank(byte, separators)).count();
    &line[blanks..]
}

/// Takes one field and what separates it from the next.
fn field(rest: &mut &[Byte], separators: &[u8]) -> Vec<u8> {
    let line = skip_blanks(rest, separators);
    let end = line.iter().position(|byte| separates(byte, separators)).unwrap_or(line.len());
    let value = bytes(&line[..end]);
    let after = skip_blanks(&line[end..], separators);
    *rest = match after.first() {
        Some(byte) if separates(byte, separators) => skip_blanks(&after[1..], separators),
        _ => after,
    };
    value
}

/// What is left for the last variable: everything, or one field when nothing but its separator follows.
fn remainder(rest: &[Byte], separators: &[u8]) -> Vec<u8> {
    let line = skip_blanks(rest, separators);
    let mut after = line;
    let first = field(&mut after, separators);
    if after.is_empty() {
        return first;
    }
    let end = line.iter().rposition(|byte| !blank(byte, separators)).map_or(0, |last| last + 1);
    bytes(&line[..end])
}
