//! sort: lines in order.

use std::cmp::Ordering;

use crate::shell::{
    Fatal, Process, Status, Work,
    files::show,
    options::{Arguments, parse},
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
    let mut arguments = parse(process, OPTIONS)?;
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
