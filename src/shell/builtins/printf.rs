//! `printf`: dash's.

use super::echo::{escape, unescape};
use crate::shell::{
    interpreter::{Shell, Unwind},
    raw::Raw,
};

pub(super) fn printf(shell: &mut Shell<'_>, arguments: &[Vec<u8>]) -> Result<u32, Unwind> {
    let rest = match arguments.get(1).map(Vec::as_slice) {
        Some(b"--") => &arguments[2..],
        Some([b'-', letter, ..]) => {
            let letter = char::from(*letter);
            return Err(shell.error(&format!("Illegal option -{letter}")));
        }
        _ => &arguments[1..],
    };
    let Some((format, values)) = rest.split_first() else { return Err(shell.error("usage: printf format [arg ...]")) };
    let printed = print(format, values);
    shell.write(1, &printed.out)?;
    for fault in &printed.faults {
        shell.warn(fault)?;
    }
    match printed.error {
        None => Ok(u32::from(!printed.faults.is_empty())),
        Some(fault) => Err(shell.error(&fault)),
    }
}

/// What `printf` has to say.
#[derive(Debug)]
pub(in crate::shell) struct Printed {
    pub(in crate::shell) out: Vec<u8>,
    /// Arguments that are no numbers: the output goes on, the status is 1.
    pub(in crate::shell) faults: Vec<String>,
    /// What ended it.
    pub(in crate::shell) error: Option<String>,
}

/// Fills the format with the values, again and again until they are used up.
pub(in crate::shell) fn print(format: &[u8], values: &[Vec<u8>]) -> Printed {
    let mut printing = Printing { values, out: Vec::new(), faults: Vec::new() };
    let result = loop {
        let before = printing.values.len();
        match printing.pass(format) {
            Ok(true) if !printing.values.is_empty() && printing.values.len() < before => {}
            other => break other,
        }
    };
    Printed { out: printing.out, faults: printing.faults, error: result.err() }
}

struct Printing<'a> {
    values: &'a [Vec<u8>],
    out: Vec<u8>,
    /// Arguments that are no numbers: the output goes on, the status is 1.
    faults: Vec<String>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Specification {
    alternate: bool,
    left: bool,
    plus: bool,
    space: bool,
    zero: bool,
    width: usize,
    precision: Option<usize>,
}

/// Wider fields than this are refused: they only fill memory.
const MAX_WIDTH: i64 = 1 << 20;

impl<'a> Printing<'a> {
    /// Prints the format once; `false` when `\c` has ended all output.
    fn pass(&mut self, format: &[u8]) -> Result<bool, String> {
        let mut rest = format;
        while let Some((&byte, after)) = rest.split_first() {
            rest = after;
            match byte {
                b'\\' => {
                    let (byte, length) = escape(rest);
                    self.out.push(byte);
                    rest = &rest[length..];
                }
                b'%' if rest.first() == Some(&b'%') => {
                    self.out.push(b'%');
                    rest = &rest[1..];
                }
                b'%' => {
                    let start = rest;
                    let specification = self.specification(&mut rest)?;
                    let Some((&conversion, after)) = rest.split_first() else {
                        return Err("missing format character".to_owned());
                    };
                    rest = after;
                    match self.convert(specification, conversion) {
                        Some(true) => {}
                        Some(false) => return Ok(false),
                        None => {
                            let shown = &start[..start.len() - rest.len()];
                            return Err(format!("%{}: invalid directive", Raw(shown)));
                        }
                    }
                }
                byte => self.out.push(byte),
            }
        }
        Ok(true)
    }

    fn specification(&mut self, rest: &mut &[u8]) -> Result<Specification, String> {
        let mut found = Specification::default();
        while let Some((&flag, after)) = rest.split_first() {
            match flag {
                b'#' => found.alternate = true,
                b'-' => found.left = true,
                b'+' => found.plus = true,
                b' ' => found.space = true,
                b'0' => found.zero = true,
                _ => break,
            }
            *rest = after;
        }
        let width = self.count(rest)?.unwrap_or(0);
        found.left |= width < 0;
        found.width = usize::try_from(width.unsigned_abs()).unwrap_or(0);
        if let Some(after) = rest.strip_prefix(b".") {
            *rest = after;
            found.precision = usize::try_from(self.count(rest)?.unwrap_or(0)).ok();
        }
        Ok(found)
    }

    /// Digits, or `*` for the next argument.
    fn count(&mut self, rest: &mut &[u8]) -> Result<Option<i64>, String> {
        let count = if let Some(after) = rest.strip_prefix(b"*") {
            *rest = after;
            self.integer()
        } else {
            let length = rest.iter().take_while(|b| b.is_ascii_digit()).count();
            if length == 0 {
                return Ok(None);
            }
            let digits = std::str::from_utf8(&rest[..length]).unwrap_or_default();
            *rest = &rest[length..];
            digits.parse().unwrap_or(i64::MAX)
        };
        if count.unsigned_abs() > MAX_WIDTH.unsigned_abs() {
            Err(format!("{count}: too wide"))
        } else {
            Ok(Some(count))
        }
    }

    fn value(&mut self) -> Option<&'a [u8]> {
        let (first, rest) = self.values.split_first()?;
        self.values = rest;
        Some(first)
    }

    /// Prints one argument; `Some(false)` ends all output, `None` is no conversion.
    fn convert(&mut self, specification: Specification, conversion: u8) -> Option<bool> {
        match conversion {
            b'b' => {
                let mut text = Vec::new();
                let stopped = unescape(self.value().unwrap_or_default(), &mut text);
                self.pad_text(specification, &text);
                return Some(!stopped);
            }
            b's' => {
                let text = self.value().unwrap_or_default();
                self.pad_text(specification, text);
            }
            b'c' => {
                let text = self.value().unwrap_or_default();
                let first = text.first().copied().unwrap_or(0);
                self.pad_text(specification, &[first]);
            }
            b'd' | b'i' => {
                let value = self.integer();
                let sign = sign(specification, value < 0);
                self.pad_number(specification, sign, value.unsigned_abs().to_string(), "");
            }
            b'u' | b'o' | b'x' | b'X' => {
                let value = self.unsigned();
                let (digits, prefix) = match conversion {
                    b'u' => (value.to_string(), ""),
                    b'o' if specification.alternate && value != 0 => (format!("0{value:o}"), ""),
                    b'o' => (format!("{value:o}"), ""),
                    b'x' => (format!("{value:x}"), "0x"),
                    _ => (format!("{value:X}"), "0X"),
                };
                let prefix = if specification.alternate && value != 0 { prefix } else { "" };
                self.pad_number(specification, "", digits, prefix);
            }
            b'e' | b'E' | b'f' | b'F' | b'g' | b'G' => {
                let value = self.float();
                let text =
                    super::float::format(value.abs(), conversion, specification.precision, specification.alternate);
                let specification = Specification { precision: None, ..specification };
                self.pad_number(specification, sign(specification, value.is_sign_negative()), text, "");
            }
            _ => return None,
        }
        Some(true)
    }

    fn pad_text(&mut self, specification: Specification, text: &[u8]) {
        let text = &text[..specification.precision.unwrap_or(text.len()).min(text.len())];
        let fill = specification.width.saturating_sub(text.len());
        if !specification.left {
            self.out.resize(self.out.len() + fill, b' ');
        }
        self.out.extend_from_slice(text);
        if specification.left {
            self.out.resize(self.out.len() + fill, b' ');
        }
    }

    fn pad_number(&mut self, specification: Specification, sign: &str, digits: String, prefix: &str) {
        let digits = match specification.precision {
            Some(0) if digits == "0" => String::new(),
            Some(precision) => format!("{}{digits}", "0".repeat(precision.saturating_sub(digits.len()))),
            None => digits,
        };
        let fill = specification.width.saturating_sub(sign.len() + prefix.len() + digits.len());
        let zeros = specification.zero && !specification.left && specification.precision.is_none();
        if !specification.left && !zeros {
            self.out.resize(self.out.len() + fill, b' ');
        }
        self.out.extend_from_slice(sign.as_bytes());
        self.out.extend_from_slice(prefix.as_bytes());
        if zeros {
            self.out.resize(self.out.len() + fill, b'0');
        }
        self.out.extend_from_slice(digits.as_bytes());
        if specification.left {
            self.out.resize(self.out.len() + fill, b' ');
        }
    }

    fn integer(&mut self) -> i64 {
        let (magnitude, negative, text) = self.number();
        let value = if negative { 0_i64.checked_sub_unsigned(magnitude) } else { i64::try_from(magnitude).ok() };
        value.unwrap_or_else(|| {
            self.too_large(text);
            if negative { i64::MIN } else { i64::MAX }
        })
    }

    /// A negative number counts down from the greatest, as C has it.
    fn unsigned(&mut self) -> u64 {
        match self.number() {
            (magnitude, true, _) if magnitude < u64::MAX => magnitude.wrapping_neg(),
            (magnitude, ..) => magnitude,
        }
    }

    fn too_large(&mut self, text: &[u8]) {
        self.faults.push(format!("{}: Numerical result out of range", Raw(text)));
    }

    /// The next argument as a number: C's constants, or a quote and a byte; and whether it is negative.
    fn number(&mut self) -> (u64, bool, &'a [u8]) {
        let text = self.value().unwrap_or_default();
        if let [b'\'' | b'"', rest @ ..] = text {
            return (u64::from(rest.first().copied().unwrap_or(0)), false, text);
        }
        if text.is_empty() {
            return (0, false, text);
        }
        let start = text.iter().take_while(|b| matches!(b, b' ' | b'\t'..=b'\r')).count();
        let body = &text[start..];
        let signed = usize::from(matches!(body.first(), Some(b'-' | b'+')));
        let (radix, skip) = match &body[signed..] {
            [b'0', b'x' | b'X', digit, ..] if digit.is_ascii_hexdigit() => (16, 2),
            [b'0', ..] => (8, 0),
            _ => (10, 0),
        };
        let digits = &body[signed + skip..];
        let length = digits.iter().take_while(|&&b| char::from(b).is_digit(radix)).count();
        let mut value = Some(0_u64);
        for &digit in &digits[..length] {
            let digit = u64::from(char::from(digit).to_digit(radix).unwrap_or(0));
            value = value.and_then(|value| value.checked_mul(u64::from(radix))?.checked_add(digit));
        }
        if value.is_none() {
            self.too_large(text);
        }
        if length == 0 {
            self.faults.push(format!("{}: expected numeric value", Raw(text)));
        } else if digits.len() > length {
            self.faults.push(format!("{}: not completely converted", Raw(text)));
        }
        (value.unwrap_or(u64::MAX), body.first() == Some(&b'-'), text)
    }

    fn float(&mut self) -> f64 {
        let Some(text) = self.value() else { return 0.0 };
        if let [b'\'' | b'"', rest @ ..] = text {
            return f64::from(rest.first().copied().unwrap_or(0));
        }
        match std::str::from_utf8(text).ok().and_then(|text| text.trim_start().parse().ok()) {
            Some(value) => value,
            None if text.is_empty() => 0.0,
            None => {
                self.faults.push(format!("{}: expected numeric value", Raw(text)));
                0.0
            }
        }
    }
}

fn sign(specification: Specification, negative: bool) -> &'static str {
    match specification {
        _ if negative => "-",
        Specification { plus: true, .. } => "+",
        Specification { space: true, .. } => " ",
        _ => "",
    }
}
