//! seq: numbers in a row.

use crate::shell::{Fatal, Process, Status, files::show, options::parse_list};

/// Bytes that are written at once.
const CHUNK: usize = 64 << 10;

/// A decimal number: value times ten to the `decimals`.
#[derive(Clone, Copy)]
struct Decimal {
    scaled: i128,
    decimals: u32,
    /// Digits before the point as they were written.
    width: usize,
}

fn decimal(text: &[u8]) -> Option<Decimal> {
    let text = std::str::from_utf8(text).ok()?;
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all = format!("{whole}{fraction}");
    if all.is_empty() || all.len() > 30 || !all.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let value: i128 = all.parse().ok()?;
    let width = whole.len().max(1) + usize::from(negative);
    let decimals = u32::try_from(fraction.len()).ok()?;
    Some(Decimal { scaled: if negative { -value } else { value }, decimals, width })
}

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let mut words = process.arguments();
    // Negative numbers are operands.
    let negative = |word: &[u8]| word.len() > 1 && word[0] == b'-' && (word[1].is_ascii_digit() || word[1] == b'.');
    if let Some(at) = words.iter().position(|word| negative(word))
        && !words.iter().any(|word| word == b"--")
    {
        words.insert(at, b"--".to_vec());
    }
    let arguments = parse_list(process, words, &["s separator=", "w equal-width", "f format="])?;
    if arguments.has("f") {
        return Err(process.not_modelled("option -f"));
    }
    let mut numbers = Vec::new();
    for word in &arguments.operands {
        match decimal(word) {
            Some(number) => numbers.push(number),
            None => return process.fail(&format!("invalid floating point argument: '{}'", show(word))),
        }
    }
    let one = Decimal { scaled: 1, decimals: 0, width: 1 };
    let (first, step, last) = match numbers.as_slice() {
        [last] => (one, one, *last),
        [first, last] => (*first, one, *last),
        [first, step, last] => (*first, *step, *last),
        _ => return process.wrong_operands(&arguments.operands, 3),
    };
    if step.scaled == 0 {
        return process.fail("invalid Zero increment value: '0'");
    }
    let decimals = first.decimals.max(step.decimals);
    let shared = decimals.max(last.decimals);
    let scale = |number: Decimal| number.scaled * 10_i128.pow(shared - number.decimals);
    let (start, by, end) = (scale(first), scale(step), scale(last));
    let separator = arguments.value("s").unwrap_or(b"\n").to_vec();
    let point = if decimals > 0 { decimals as usize + 1 } else { 0 };
    let width = if arguments.has("w") { first.width.max(last.width) + point } else { 0 };
    let mut out = Vec::new();
    let mut value = start;
    while if by > 0 { value <= end } else { value >= end } {
        process.machine.step()?;
        if out.len() >= CHUNK {
            process.out(&out)?;
            out.clear();
        }
        if value != start {
            out.extend_from_slice(&separator);
        }
        let number = if shared > decimals { value / 10_i128.pow(shared - decimals) } else { value };
        match i64::try_from(number) {
            Ok(number) if decimals == 0 && width == 0 => out.extend_from_slice(number.to_string().as_bytes()),
            _ => out.extend_from_slice(shown(number, decimals, width).as_bytes()),
        }
        value += by;
    }
    if value != start {
        out.push(b'\n');
    }
    process.out(&out)?;
    Ok(Status::SUCCESS)
}

fn shown(value: i128, decimals: u32, width: usize) -> String {
    let unit = 10_u128.pow(decimals);
    let sign = if value < 0 { "-" } else { "" };
    let size = value.unsigned_abs();
    let digits = match decimals {
        0 => size.to_string(),
        _ => format!("{}.{:0wide$}", size / unit, size % unit, wide = decimals as usize),
    };
    let wide = width.saturating_sub(sign.len());
    format!("{sign}{digits:0>wide$}")
}
