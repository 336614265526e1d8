//! Values of awk: numbers, texts, and texts from outside that may be numbers.

use std::{cmp::Ordering, rc::Rc};

use super::format;

#[derive(Clone, Debug)]
pub(super) enum Value {
    /// Never assigned: zero and empty at once.
    Nothing,
    Number(f64),
    Text(Rc<[u8]>),
    /// From input: a number, too, if it looks like one.
    Input(Rc<[u8]>),
}

impl Value {
    pub(super) fn text(bytes: &[u8]) -> Self {
        Self::Text(bytes.into())
    }

    pub(super) fn input(bytes: &[u8]) -> Self {
        Self::Input(bytes.into())
    }

    pub(super) fn truth(holds: bool) -> Self {
        Self::Number(if holds { 1.0 } else { 0.0 })
    }

    pub(super) fn number(&self) -> f64 {
        match self {
            Self::Nothing => 0.0,
            Self::Number(number) => *number,
            Self::Text(text) | Self::Input(text) => leading_number(text).0,
        }
    }

    /// As text, numbers by `conversion` unless they are whole.
    pub(super) fn bytes(&self, conversion: &[u8]) -> Rc<[u8]> {
        match self {
            Self::Nothing => Rc::from(b"".as_slice()),
            Self::Number(number) => number_text(*number, conversion).into(),
            Self::Text(text) | Self::Input(text) => Rc::clone(text),
        }
    }

    pub(super) fn is_true(&self) -> bool {
        match self {
            Self::Nothing => false,
            Self::Number(number) => *number != 0.0,
            Self::Text(text) => !text.is_empty(),
            Self::Input(text) => self.as_number().map_or(!text.is_empty(), |number| number != 0.0),
        }
    }

    /// The number, for a value that compares as one.
    pub(super) fn as_number(&self) -> Option<f64> {
        match self {
            Self::Nothing => Some(0.0),
            Self::Number(number) => Some(*number),
            Self::Text(_) => None,
            Self::Input(text) => looks_like(text),
        }
    }

    /// By numbers when both are or look like them, else by bytes. No number is all numbers' equal.
    pub(super) fn compare(&self, other: &Self, conversion: &[u8]) -> Ordering {
        match (self.as_number(), other.as_number()) {
            (Some(a), Some(b)) => a.partial_cmp(&b).unwrap_or(Ordering::Equal),
            _ => self.bytes(conversion).cmp(&other.bytes(conversion)),
        }
    }
}

/// The number that a whole text looks like: from a digit, point or sign to a digit or point, blanks around it, and within the
/// range of numbers. So `0x10` looks like one and `0x1A` does not.
fn looks_like(text: &[u8]) -> Option<f64> {
    let blank = |b: &u8| matches!(b, b' ' | b'\t' | b'\n');
    let start = text.iter().position(|b| !blank(b))?;
    let end = text.iter().rposition(|b| !blank(b))? + 1;
    let body = &text[start..end];
    let digit = |b: &u8| b.is_ascii_digit() || *b == b'.';
    if !(digit(&body[0]) || matches!(body[0], b'+' | b'-')) || !body.last().is_some_and(digit) {
        return None;
    }
    let (number, length) = leading_number(body);
    (length == body.len() && in_range(number, body)).then_some(number)
}

/// Whether a decimal number was neither too large nor too small for its type.
pub(super) fn in_range(number: f64, text: &[u8]) -> bool {
    let mantissa = text.split(|b| matches!(b, b'e' | b'E' | b'p' | b'P')).next().unwrap_or_default();
    let nothing = mantissa.iter().all(|b| !(b'1'..=b'9').contains(b));
    number.is_finite() && (nothing || number.abs() >= f64::MIN_POSITIVE)
}

/// Largest whole number that is written as such, which `%d` writes for all above; the smallest is its negative.
pub(super) const LARGEST: f64 = i32::MAX as f64;

/// A number as C's `int`, without its fraction.
pub(super) fn clamp(number: f64) -> i32 {
    let number = if number.is_nan() { -LARGEST } else { number };
    number.clamp(-LARGEST, LARGEST) as i32
}

/// Whole numbers as such, others and those beyond C's `int` by the format in `CONVFMT` or `OFMT`.
pub(super) fn number_text(number: f64, conversion: &[u8]) -> Vec<u8> {
    if number.is_nan() {
        return if number.is_sign_negative() { b"-nan".to_vec() } else { b"nan".to_vec() };
    }
    if number.is_infinite() {
        return if number < 0.0 { b"-inf".to_vec() } else { b"inf".to_vec() };
    }
    if number == number.trunc() && number.abs() <= LARGEST {
        return (number as i64).to_string().into_bytes();
    }
    let mut out = Vec::new();
    // A format that is none leaves what is before its fault; in one that takes a text, the number is in the usual format.
    let _ = format::format(conversion, &[Value::Number(number)], b"%.6g", &mut out);
    out
}

/// What `strtod` takes for blank.
fn is_space(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == 0x0b
}

/// The number at the start of a text and where it ends, as `strtod` has it; 0 when there is none.
pub(super) fn leading_number(text: &[u8]) -> (f64, usize) {
    let blanks = text.iter().take_while(|b| is_space(**b)).count();
    let rest = &text[blanks..];
    let sign = usize::from(matches!(rest.first(), Some(b'+' | b'-')));
    let body = &rest[sign..];
    let (value, length) = named(body).or_else(|| hexadecimal(body)).unwrap_or_else(|| decimal(body));
    match length {
        0 => (0.0, 0),
        length => (if rest[0] == b'-' { -value } else { value }, blanks + sign + length),
    }
}

fn named(body: &[u8]) -> Option<(f64, usize)> {
    [("infinity", f64::INFINITY), ("inf", f64::INFINITY), ("nan", f64::NAN)].into_iter().find_map(|(name, value)| {
        let begins = body.len() >= name.len() && body[..name.len()].eq_ignore_ascii_case(name.as_bytes());
        begins.then_some((value, name.len()))
    })
}

/// `0x`, digits with a point among them, and a power of two.
fn hexadecimal(body: &[u8]) -> Option<(f64, usize)> {
    let [b'0', b'x' | b'X', digits @ ..] = body else { return None };
    let (mut value, mut scale, mut any, mut at) = (0.0, None, false, 0);
    while let Some(byte) = digits.get(at) {
        match (char::from(*byte).to_digit(16), &mut scale) {
            (Some(digit), scale) => {
                value = value * 16.0 + f64::from(digit);
                any = true;
                scale.iter_mut().for_each(|scale: &mut i32| *scale -= 4);
            }
            (None, scale @ None) if *byte == b'.' => *scale = Some(0),
            _ => break,
        }
        at += 1;
    }
    if !any {
        return None;
    }
    let (power, length) = match digits.get(at) {
        Some(b'p' | b'P') => exponent(&digits[at..]),
        _ => (0, 0),
    };
    Some((value * f64::from(scale.unwrap_or(0).saturating_add(power)).exp2(), 2 + at + length))
}

/// The exponent behind its letter and its length with it, nothing when no digit follows.
fn exponent(text: &[u8]) -> (i32, usize) {
    let sign = usize::from(matches!(text.get(1), Some(b'+' | b'-')));
    let digits = text[1 + sign..].iter().take_while(|b| b.is_ascii_digit()).count();
    let number = std::str::from_utf8(&text[1..1 + sign + digits]).unwrap_or_default();
    let limit = if text.get(1) == Some(&b'-') { -10_000 } else { 10_000 };
    if digits == 0 { (0, 0) } else { (number.parse().unwrap_or(limit), 1 + sign + digits) }
}

/// Digits with a point among them, and a power of ten.
pub(super) fn decimal(body: &[u8]) -> (f64, usize) {
    let digits = |from: usize| body[from..].iter().take_while(|b| b.is_ascii_digit()).count();
    let whole = digits(0);
    let mut end = whole;
    let mut fraction = 0;
    if body.get(end) == Some(&b'.') {
        fraction = digits(end + 1);
        if whole + fraction > 0 {
            end += 1 + fraction;
        }
    }
    if whole + fraction == 0 {
        return (0.0, 0);
    }
    if matches!(body.get(end), Some(b'e' | b'E')) {
        end += exponent(&body[end..]).1;
    }
    let value = std::str::from_utf8(&body[..end]).ok().and_then(|text| text.parse().ok()).unwrap_or(0.0);
    (value, end)
}
