//! cat: files one after the other to standard output.

use crate::shell::{
    Fatal, Process, Status,
    files::show,
    options::{Arguments, parse},
};

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let mut arguments = parse(
        process,
        &[
            "A show-all",
            "b number-nonblank",
            "e",
            "E show-ends",
            "n number",
            "s squeeze-blank",
            "t",
            "T show-tabs",
            "u",
            "v show-nonprinting",
        ],
    )?;
    if arguments.operands.is_empty() {
        arguments.operands.push(b"-".to_vec());
    }
    let mut status = Status::SUCCESS;
    let plain = arguments.options.iter().all(|(option, _)| *option == "u");
    let mut text = Vec::new();
    for file in &arguments.operands {
        match process.read_file(file) {
            Ok(bytes) if plain => process.out(&bytes)?,
            Ok(bytes) => text.extend_from_slice(&bytes),
            Err(error) => {
                process.complain(&format!("{}: {}", show(file), error.errno))?;
                status = Status::FAILURE;
            }
        }
    }
    if !plain {
        process.machine.fits_budget(text.len())?;
        process.out(&dress(&arguments, &text))?;
    }
    Ok(status)
}

/// The text with the options' numbers and marks.
fn dress(arguments: &Arguments, text: &[u8]) -> Vec<u8> {
    let any = |names: &[&str]| names.iter().any(|name| arguments.has(name));
    let (ends, tabs, visible) = (any(&["A", "e", "E"]), any(&["A", "t", "T"]), any(&["A", "e", "t", "v"]));
    let mut out = Vec::new();
    let mut number = 0;
    let mut blank_before = false;
    for line in text.split_inclusive(|&b| b == b'\n') {
        let blank = line == b"\n";
        if blank && blank_before && any(&["s"]) {
            continue;
        }
        blank_before = blank;
        if any(&["b"]) && !blank || any(&["n"]) && !any(&["b"]) {
            number += 1;
            out.extend_from_slice(format!("{number:6}\t").as_bytes());
        }
        for &byte in line {
            match byte {
                b'\n' if ends => out.extend_from_slice(b"$\n"),
                b'\n' => out.push(b'\n'),
                b'\t' if tabs => out.extend_from_slice(b"^I"),
                b'\t' => out.push(b'\t'),
                byte if visible => push_visible(&mut out, byte),
                byte => out.push(byte),
            }
        }
    }
    out
}

fn push_visible(out: &mut Vec<u8>, byte: u8) {
    let low = byte & 0x7f;
    if byte >= 0x80 {
        out.extend_from_slice(b"M-");
    }
    match low {
        0..0x20 => out.extend_from_slice(&[b'^', low + 0x40]),
        0x7f => out.extend_from_slice(b"^?"),
        _ => out.push(low),
    }
}
