//! sort: lines in order.

use std::cmp::Ordering;

use crate::shell::{
    Fatal, Process, Status, Work,
    files::show,
    options::{Arguments, parse_list},
    size::number,
    sort::{Key, Order, compare},
    text::lines,
};

const OPTIONS: &[&str] = &[
    "b ignore-leading-blanks",
    "c check?",
    "C",
    "d dictionary-order",
    "f ignore-case",
    "g general-numeric-sort",
    "h human-numeric-sort",
    "i ignore-nonprinting",
    "k key=",
    "m merge",
    "M month-sort",
    "n numeric-sort",
    "o output=",
    "r reverse",
    "R random-sort",
    "s stable",
    "S buffer-size=",
    "t field-separator=",
    "T temporary-directory=",
    "u unique",
    "V version-sort",
    "z zero-terminated",
    "parallel=",
];

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let mut arguments = parse_list(process, with_keys(process.arguments()), OPTIONS)?;
    if arguments.has("R") {
        return Err(process.not_modelled("a random order"));
    }
    let separator = match arguments.value("t") {
        None => None,
        Some(b"\\0") => Some(0),
        Some([byte]) => Some(*byte),
        Some(other) => {
            process.complain(&format!("bad tab '{}'", show(other)))?;
            return Ok(Status(2));
        }
    };
    let order = match order(&arguments, separator) {
        Ok(order) => order,
        Err(message) => {
            process.complain(&message)?;
            return Ok(Status(2));
        }
    };
    let mut operands = std::mem::take(&mut arguments.operands);
    if operands.is_empty() {
        operands.push(b"-".to_vec());
    }
    let end = if arguments.has("z") { 0 } else { b'\n' };
    let mut texts = Vec::new();
    for path in &operands {
        match process.read_file(path) {
            Ok(text) => texts.push(text),
            Err(error) => {
                process.complain(&format!("cannot read: {}: {}", show(path), error.errno))?;
                return Ok(Status(2));
            }
        }
    }
    let count: usize = texts.iter().map(|text| memchr::memchr_iter(end, text).count() + 1).sum();
    process.machine.work(Work::Pieces(count))?;
    let length = texts.iter().map(|text| text.len() + 1).sum();
    process.machine.fits_budget(length)?;
    let mut all: Vec<&[u8]> = texts.iter().flat_map(|text| lines(text, end)).collect();
    if arguments.has("c") || arguments.has("C") {
        let quiet = arguments.has("C") || matches!(arguments.value("c"), Some(b"quiet" | b"silent"));
        return check(process, &order, &all, &operands[0], quiet);
    }
    all.sort_by(|a, b| compare(&order, a, b));
    if order.unique {
        all.dedup_by(|later, first| compare(&order, first, later) == Ordering::Equal);
    }
    let mut out = Vec::with_capacity(length);
    for line in all {
        out.extend_from_slice(line);
        out.push(end);
    }
    match arguments.value("o") {
        None => process.out(&out)?,
        Some(path) => {
            if let Err(error) = process.write_file(path, out) {
                process.complain(&format!("open failed: {}: {}", show(path), error.errno))?;
                return Ok(Status(2));
            }
        }
    }
    Ok(Status::SUCCESS)
}

/// The old way to give a key, `+FROM [-TO]` with fields and bytes counted from 0, as `-k`.
fn with_keys(arguments: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    let digit = |text: &[u8]| text.first().is_some_and(u8::is_ascii_digit);
    let mut rest = arguments.into_iter().peekable();
    let mut found = Vec::new();
    while let Some(argument) = rest.next() {
        let start = argument.strip_prefix(b"+").filter(|text| digit(text)).and_then(|text| place(text, true));
        let Some(mut key) = start else {
            let last = argument == b"--";
            found.push(argument);
            if last {
                found.extend(rest);
                break;
            }
            continue;
        };
        let end = rest.peek().and_then(|next| next.strip_prefix(b"-").filter(|text| digit(text)));
        if let Some(end) = end.and_then(|text| place(text, false)) {
            key.push(b',');
            key.extend(end);
            rest.next();
        }
        found.extend([b"-k".to_vec(), key]);
    }
    found
}

/// `F[.C][LETTERS]`, counted from 0, as a place counted from 1; an end at byte 0 is that of the field before.
fn place(text: &[u8], start: bool) -> Option<Vec<u8>> {
    let digits = |text: &[u8]| text.iter().take_while(|b| b.is_ascii_digit()).count();
    let (field, rest) = text.split_at(digits(text));
    let (byte, letters) = match rest {
        [b'.', rest @ ..] => rest.split_at(digits(rest)),
        rest => (b"0".as_slice(), rest),
    };
    let (field, byte) = (number(field)?, number(byte)?);
    let place = match (start, byte) {
        (true, _) => format!("{}.{}", field.checked_add(1)?, byte.checked_add(1)?),
        (false, 0) => field.to_string(),
        (false, _) => format!("{}.{byte}", field.checked_add(1)?),
    };
    Some([place.as_bytes(), letters].concat())
}

fn order(arguments: &Arguments, separator: Option<u8>) -> Result<Order, String> {
    let mut global = Key::whole();
    for (option, _) in &arguments.options {
        if option.len() == 1 {
            global.set(option.as_bytes()[0], true, true);
        }
    }
    let mut keys = Vec::new();
    for (_, text) in arguments.options.iter().filter(|(option, _)| *option == "k") {
        let mut key = Key::parse(text).ok_or_else(|| format!("invalid field specification '{}'", show(text)))?;
        if key.is_plain() {
            key.inherit(&global);
        }
        keys.push(key);
    }
    let reverse = global.reverse;
    if keys.is_empty() && !global.is_plain() {
        keys.push(global);
    }
    Ok(Order { keys, separator, reverse, unique: arguments.has("u"), stable: arguments.has("s") })
}

fn check(process: &mut Process<'_>, order: &Order, all: &[&[u8]], path: &[u8], quiet: bool) -> Result<Status, Fatal> {
    let bad = |pair: &[&[u8]]| match compare(order, pair[0], pair[1]) {
        Ordering::Greater => true,
        Ordering::Equal => order.unique,
        Ordering::Less => false,
    };
    let Some(at) = all.windows(2).position(bad) else { return Ok(Status::SUCCESS) };
    if !quiet {
        process.complain(&format!("{}:{}: disorder: {}", show(path), at + 2, show(all[at + 1])))?;
    }
    Ok(Status::FAILURE)
}
