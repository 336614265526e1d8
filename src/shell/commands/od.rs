//! od: bytes in numbers.

use crate::shell::{
    Fatal, Process, Status,
    options::{Arguments, parse},
    size::size,
};

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = parse(
        process,
        &[
            "A address-radix=",
            "b",
            "c",
            "j skip-bytes=",
            "N read-bytes=",
            "t format=",
            "v output-duplicates",
            "x",
            "w width?",
        ],
    )?;
    let Some(format) = format(&arguments) else { return Err(process.not_modelled("this format")) };
    let mut text = Vec::new();
    let operands = if arguments.operands.is_empty() { vec![b"-".to_vec()] } else { arguments.operands.clone() };
    for path in &operands {
        let Some(bytes) = process.read_operand(path)? else { return Ok(Status::FAILURE) };
        text.extend_from_slice(&bytes);
    }
    let count = |option: &str, usual: usize| match arguments.value(option) {
        None => Some(usual),
        Some(text) => size(text).and_then(|n| usize::try_from(n).ok()),
    };
    let (Some(skip), Some(most)) = (count("j", 0), count("N", usize::MAX)) else {
        return process.fail("invalid number");
    };
    let start = skip.min(text.len());
    let part = &text[start..start.saturating_add(most).min(text.len())];
    let width = match arguments.value("w") {
        None => 16,
        Some(b"") => 32,
        Some(text) => size(text).and_then(|n| usize::try_from(n).ok()).filter(|n| *n > 0).unwrap_or(16),
    };
    let address = |at: usize| match arguments.value("A") {
        Some(b"n") => Some(String::new()),
        Some(b"d") => Some(format!("{at:07}")),
        Some(b"x") => Some(format!("{at:06x}")),
        None | Some(b"o") => Some(format!("{at:07o}")),
        Some(_) => None,
    };
    let mut out = String::new();
    let mut before: Option<&[u8]> = None;
    let mut starred = false;
    for (index, row) in part.chunks(width).enumerate() {
        let Some(address) = address(start + index * width) else { return process.fail("invalid output address radix") };
        if before == Some(row) && !arguments.has("v") {
            if !starred {
                out.push_str("*\n");
            }
            starred = true;
            continue;
        }
        (before, starred) = (Some(row), false);
        out.push_str(&address);
        row.chunks(format.size).for_each(|unit| out.push_str(&format.show(unit)));
        out.push('\n');
    }
    if let Some(end) = address(start + part.len()).filter(|end| !end.is_empty()) {
        out.push_str(&format!("{end}\n"));
    }
    process.out(out.as_bytes())?;
    Ok(Status::SUCCESS)
}

/// How units of a few bytes are shown.
struct Format {
    letter: u8,
    size: usize,
}

fn format(arguments: &Arguments) -> Option<Format> {
    let chosen = arguments.last_of(&["b", "c", "x", "t"]);
    let text = match chosen {
        None => return Some(Format { letter: b'o', size: 2 }),
        Some("b") => b"o1".as_slice(),
        Some("c") => b"c",
        Some("x") => b"x2",
        Some(_) => arguments.value("t")?,
    };
    let (letter, size) = text.split_first()?;
    let size = match (letter, size) {
        (b'c' | b'a', b"") => 1,
        (b'o' | b'x' | b'd' | b'u', b"") => 4,
        (b'o' | b'x' | b'd' | b'u', [digit @ (b'1' | b'2' | b'4' | b'8')]) => usize::from(digit - b'0'),
        _ => return None,
    };
    (*letter != b'a').then_some(Format { letter: *letter, size })
}

impl Format {
    fn show(&self, unit: &[u8]) -> String {
        let mut bytes = [0; 8];
        bytes[..unit.len()].copy_from_slice(unit);
        let value = u64::from_le_bytes(bytes);
        let bits = u32::try_from(self.size * 8).unwrap_or(64);
        match (self.letter, self.size) {
            (b'x', size) => format!(" {value:0wide$x}", wide = size * 2),
            (b'o', size) => format!(" {value:0wide$o}", wide = [0, 3, 6, 0, 11, 0, 0, 0, 22][size]),
            (b'u', size) => format!(" {value:wide$}", wide = [0, 3, 5, 0, 10, 0, 0, 0, 20][size]),
            (b'd', size) => {
                let shift = 64 - bits;
                let signed = (value << shift).cast_signed() >> shift;
                format!(" {signed:wide$}", wide = [0, 4, 6, 0, 11, 0, 0, 0, 20][size])
            }
            _ => format!(" {:>3}", letter(unit[0])),
        }
    }
}

fn letter(byte: u8) -> String {
    match byte {
        0 => "\\0".to_owned(),
        7 => "\\a".to_owned(),
        8 => "\\b".to_owned(),
        9 => "\\t".to_owned(),
        10 => "\\n".to_owned(),
        11 => "\\v".to_owned(),
        12 => "\\f".to_owned(),
        13 => "\\r".to_owned(),
        b' '..=b'~' => char::from(byte).to_string(),
        _ => format!("{byte:03o}"),
    }
}
