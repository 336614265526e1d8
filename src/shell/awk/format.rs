//! `printf` of awk.

use super::value::{Value, clamp};
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
    /// The precision is a point alone: 0 for numbers and none for texts.
    bare: bool,
}

/// Fills a format, which a null byte ends; the error is a complaint, and what is before it is there. Numbers become texts by
/// `conversion`.
pub(super) fn format(text: &[u8], values: &[Value], conversion: &[u8], out: &mut Vec<u8>) -> Result<(), String> {
    let text = &text[..memchr::memchr(0, text).unwrap_or(text.len())];
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
        let length = text.get(at).copied().filter(|byte| matches!(byte, b'h' | b'l'));
        at += usize::from(length.is_some());
        let value = values.next().ok_or_else(missing)?;
        text.get(at)
            .and_then(|letter| convert((length, *letter), flags, value, conversion, out))
            .ok_or_else(|| format!("improper conversion in printf(\"{}\")", text.escape_ascii()))?;
        at += 1;
    }
    Ok(())
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
        let precision = number(&mut at)?;
        flags.bare = precision.is_none();
        let precision = precision.unwrap_or(0);
        flags.precision = usize::try_from(precision).ok().map(|precision| precision.min(MAX_WIDTH));
    }
    Ok(at)
}

fn convert(
    (length, letter): (Option<u8>, u8),
    flags: Flags,
    value: &Value,
    conversion: &[u8],
    out: &mut Vec<u8>,
) -> Option<()> {
    match letter {
        b'd' | b'i' => {
            let number = i64::from(clamp(value.number()));
            let number = if length == Some(b'h') { i64::from(number as i16) } else { number };
            let digits = whole(number.unsigned_abs().to_string(), flags);
            pad(flags, sign(flags, number < 0), digits.as_bytes(), flags.precision.is_none(), out);
        }
        b'o' | b'x' | b'X' | b'u' => {
            let number = value.number() as u32;
            unsigned(letter, flags, if length == Some(b'h') { number & 0xffff } else { number }, out);
        }
        _ if length.is_some() => return None,
        b's' => {
            let text = value.bytes(conversion);
            let end = flags.precision.filter(|_| !flags.bare).unwrap_or(text.len()).min(text.len());
            pad(flags, b"", &text[..end], false, out);
        }
        b'c' => character(flags, value, conversion, out),
        b'e' | b'E' | b'f' | b'g' | b'G' => {
            let number = value.number();
            let text = format_float(number.abs(), letter, flags.precision, flags.alternate);
            pad(flags, sign(flags, number.is_sign_negative()), text.as_bytes(), number.is_finite(), out);
        }
        _ => return None,
    }
    Some(())
}

fn unsigned(letter: u8, flags: Flags, number: u32, out: &mut Vec<u8>) {
    let (prefix, digits) = match letter {
        b'o' => ("", format!("{number:o}")),
        b'x' => ("0x", format!("{number:x}")),
        b'X' => ("0X", format!("{number:X}")),
        _ => ("", number.to_string()),
    };
    let prefix = if flags.alternate && number > 0 { prefix } else { "" };
    let mut digits = whole(digits, flags);
    if letter == b'o' && flags.alternate && !digits.starts_with('0') {
        digits.insert(0, '0');
    }
    pad(flags, prefix.as_bytes(), digits.as_bytes(), flags.precision.is_none(), out);
}

/// The character that a number stands for, or a text's first.
fn character(flags: Flags, value: &Value, conversion: &[u8], out: &mut Vec<u8>) {
    if let Some(number) = value.as_number().filter(|_| !matches!(value, Value::Nothing)) {
        return pad(flags, b"", &[(clamp(number) & 0xff) as u8], false, out);
    }
    let text = value.bytes(conversion);
    let first = [text.first().copied().unwrap_or(0)];
    pad(flags, b"", if flags.precision == Some(0) { b"" } else { &first }, false, out);
}

fn whole(digits: String, flags: Flags) -> String {
    let wide = flags.precision.unwrap_or(1);
    let digits = if digits == "0" { String::new() } else { digits };
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
