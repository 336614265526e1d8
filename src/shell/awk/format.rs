//! `printf` of awk.

use super::value::{Value, number_text};
use crate::shell::builtins::format_float;

/// Widest field and longest precision.
const MAX_WIDTH: usize = 100_000;

/// One conversion's flags.
#[derive(Clone, Copy, Default)]
struct Flags {
    left: bool,
    plus: bool,
    blank: bool,
    alternate: bool,
    zero: bool,
    width: usize,
    precision: Option<usize>,
}

/// Fills a format; the error is a complaint. Numbers become texts by `conversion`.
pub(super) fn format(text: &[u8], values: &[Value], conversion: &[u8]) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    let mut values = values.iter();
    let mut at = 0;
    while at < text.len() {
        if text[at] != b'%' {
            out.push(text[at]);
            at += 1;
            continue;
        }
        at += 1;
        if text.get(at) == Some(&b'%') {
            out.push(b'%');
            at += 1;
            continue;
        }
        let missing = || format!("not enough arguments passed to printf(\"{}\")", text.escape_ascii());
        let mut flags = Flags::default();
        at = read_flags(text, at, &mut flags, &mut || values.next().map(Value::number).ok_or_else(missing))?;
        let Some(&letter) = text.get(at) else {
            return Err(format!("bad conversion in printf(\"{}\")", text.escape_ascii()));
        };
        at += 1;
        if matches!(letter, b'h' | b'l' | b'L') {
            return Err(format!("bad conversion in printf(\"{}\")", text.escape_ascii()));
        }
        let value = values.next().ok_or_else(missing)?;
        convert(letter, flags, value, conversion, &mut out)
            .ok_or_else(|| format!("bad conversion in printf(\"{}\")", text.escape_ascii()))?;
    }
    Ok(out)
}

fn read_flags(
    text: &[u8],
    mut at: usize,
    flags: &mut Flags,
    next: &mut impl FnMut() -> Result<f64, String>,
) -> Result<usize, String> {
    loop {
        match text.get(at) {
            Some(b'-') => flags.left = true,
            Some(b'+') => flags.plus = true,
            Some(b' ') => flags.blank = true,
            Some(b'#') => flags.alternate = true,
            Some(b'0') => flags.zero = true,
            _ => break,
        }
        at += 1;
    }
    let mut number = |at: &mut usize| -> Result<Option<i64>, String> {
        if text.get(*at) == Some(&b'*') {
            *at += 1;
            return next().map(|value| Some(value as i64));
        }
        let start = *at;
        while text.get(*at).is_some_and(u8::is_ascii_digit) {
            *at += 1;
        }
        let digits = std::str::from_utf8(&text[start..*at]).unwrap_or_default();
        Ok(digits.parse().ok())
    };
    if let Some(width) = number(&mut at)? {
        flags.left |= width < 0;
        flags.width = usize::try_from(width.unsigned_abs()).unwrap_or(MAX_WIDTH).min(MAX_WIDTH);
    }
    if text.get(at) == Some(&b'.') {
        at += 1;
        let precision = number(&mut at)?.unwrap_or(0);
        flags.precision = usize::try_from(precision).ok().map(|precision| precision.min(MAX_WIDTH));
    }
    Ok(at)
}

fn convert(letter: u8, flags: Flags, value: &Value, conversion: &[u8], out: &mut Vec<u8>) -> Option<()> {
    match letter {
        b's' => {
            let text = value.bytes(conversion);
            let end = flags.precision.unwrap_or(text.len()).min(text.len());
            pad(flags, b"", &text[..end], false, out);
        }
        b'c' => {
            let byte = match value {
                Value::Number(number) => vec![(*number as i64 & 0xff) as u8],
                other => vec![other.bytes(conversion).first().copied().unwrap_or(0)],
            };
            pad(flags, b"", &byte, false, out);
        }
        b'd' | b'i' => {
            let number = value.number();
            if !number.is_finite() {
                pad(flags, b"", &number_text(number, conversion), false, out);
                return Some(());
            }
            let number = number.trunc();
            let digits = whole(format!("{:.0}", number.abs()), flags);
            pad(flags, sign(flags, number < 0.0), digits.as_bytes(), flags.precision.is_none(), out);
        }
        b'o' | b'x' | b'X' | b'u' => {
            let number = value.number().max(0.0) as u64;
            let (prefix, digits) = match letter {
                b'o' => (if flags.alternate { "0" } else { "" }, format!("{number:o}")),
                b'x' => (if flags.alternate && number > 0 { "0x" } else { "" }, format!("{number:x}")),
                b'X' => (if flags.alternate && number > 0 { "0X" } else { "" }, format!("{number:X}")),
                _ => ("", number.to_string()),
            };
            pad(flags, prefix.as_bytes(), whole(digits, flags).as_bytes(), flags.precision.is_none(), out);
        }
        b'e' | b'E' | b'f' | b'F' | b'g' | b'G' => {
            let number = value.number();
            if !number.is_finite() {
                pad(flags, b"", &number_text(number, conversion), false, out);
                return Some(());
            }
            let text = format_float(number.abs(), letter, flags.precision, flags.alternate);
            pad(flags, sign(flags, number.is_sign_negative()), text.as_bytes(), true, out);
        }
        _ => return None,
    }
    Some(())
}

fn whole(digits: String, flags: Flags) -> String {
    let wide = flags.precision.unwrap_or(0);
    format!("{digits:0>wide$}")
}

fn sign(flags: Flags, negative: bool) -> &'static [u8] {
    match () {
        () if negative => b"-",
        () if flags.plus => b"+",
        () if flags.blank => b" ",
        () => b"",
    }
}

fn pad(flags: Flags, prefix: &[u8], body: &[u8], zeros: bool, out: &mut Vec<u8>) {
    let missing = flags.width.saturating_sub(prefix.len() + body.len());
    let fill = |out: &mut Vec<u8>, byte| out.resize(out.len() + missing, byte);
    match (flags.left, flags.zero && zeros) {
        (true, _) => {
            out.extend_from_slice(prefix);
            out.extend_from_slice(body);
            fill(out, b' ');
        }
        (false, true) => {
            out.extend_from_slice(prefix);
            fill(out, b'0');
            out.extend_from_slice(body);
        }
        (false, false) => {
            fill(out, b' ');
            out.extend_from_slice(prefix);
            out.extend_from_slice(body);
        }
    }
}
