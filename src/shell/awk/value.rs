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
    fn as_number(&self) -> Option<f64> {
        match self {
            Self::Nothing => Some(0.0),
            Self::Number(number) => Some(*number),
            Self::Text(_) => None,
            Self::Input(text) => {
                let blanks = text.iter().rev().take_while(|b| b.is_ascii_whitespace()).count();
                let (number, end) = leading_number(text);
                (end > 0 && end + blanks == text.len()).then_some(number)
            }
        }
    }

    /// By numbers when both are or look like them, else by bytes.
    pub(super) fn compare(&self, other: &Self, conversion: &[u8]) -> Option<Ordering> {
        match (self.as_number(), other.as_number()) {
            (Some(a), Some(b)) => a.partial_cmp(&b),
            _ => Some(self.bytes(conversion).cmp(&other.bytes(conversion))),
        }
    }
}

/// Whole numbers as such, others by the format in `CONVFMT` or `OFMT`.
pub(super) fn number_text(number: f64, conversion: &[u8]) -> Vec<u8> {
    if number.is_nan() {
        return if number.is_sign_negative() { b"-nan".to_vec() } else { b"nan".to_vec() };
    }
    if number.is_infinite() {
        return if number < 0.0 { b"-inf".to_vec() } else { b"inf".to_vec() };
    }
    if number == number.trunc() && number.abs() < 1e16 {
        return (number as i64).to_string().into_bytes();
    }
    format::format(conversion, &[Value::Number(number)], conversion).unwrap_or_default()
}

/// The number at the start of a text and where it ends, as `strtod` has it; 0 when there is none.
pub(super) fn leading_number(text: &[u8]) -> (f64, usize) {
    let blanks = text.iter().take_while(|b| b.is_ascii_whitespace()).count();
    let rest = &text[blanks..];
    let sign = usize::from(matches!(rest.first(), Some(b'+' | b'-')));
    let negative = rest.first() == Some(&b'-');
    let signed = |value: f64| if negative { -value } else { value };
    let body = &rest[sign..];
    for (name, value) in [("infinity", f64::INFINITY), ("inf", f64::INFINITY), ("nan", f64::NAN)] {
        if body.len() >= name.len() && body[..name.len()].eq_ignore_ascii_case(name.as_bytes()) {
            return (signed(value), blanks + sign + name.len());
        }
    }
    if let [b'0', b'x' | b'X', digits @ ..] = body {
        let count = digits.iter().take_while(|b| b.is_ascii_hexdigit()).count();
        if count > 0 {
            let digit = |b: &u8| f64::from(char::from(*b).to_digit(16).unwrap_or(0));
            let value = digits[..count].iter().fold(0.0, |value, b| value * 16.0 + digit(b));
            return (signed(value), blanks + sign + 2 + count);
        }
    }
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
        let exponent_sign = usize::from(matches!(body.get(end + 1), Some(b'+' | b'-')));
        let exponent = digits((end + 1 + exponent_sign).min(body.len()));
        if exponent > 0 {
            end += 1 + exponent_sign + exponent;
        }
    }
    let value = std::str::from_utf8(&body[..end]).ok().and_then(|text| text.parse().ok()).unwrap_or(0.0);
    (signed(value), blanks + sign + end)
}
