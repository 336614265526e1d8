//! The order of lines as `sort` defines it: keys, their fields and kinds of comparison, bytes in the end.

use std::cmp::Ordering;

use super::{size::number, time::MONTHS};

mod version;

pub(super) use version::version_order;

/// How lines compare.
#[derive(Clone, Debug)]
pub(super) struct Order {
    pub keys: Vec<Key>,
    /// Between fields; without one, fields begin where blanks begin.
    pub separator: Option<u8>,
    /// For the last resort, whole lines.
    pub reverse: bool,
    pub unique: bool,
    pub stable: bool,
}

/// A part of lines, and how to compare it.
#[derive(Clone, Debug)]
pub(super) struct Key {
    /// Fields and bytes to pass over before it.
    start: (u64, u64),
    /// Fields to pass over to its end, and bytes of the next; `None` is the end of the line.
    end: Option<(u64, u64)>,
    skip_start_blanks: bool,
    skip_end_blanks: bool,
    fold: bool,
    dictionary: bool,
    printable: bool,
    kind: Kind,
    pub reverse: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    Numeric,
    General,
    Human,
    Month,
    Version,
}

impl Key {
    pub(super) fn whole() -> Self {
        Self {
            start: (0, 0),
            end: None,
            skip_start_blanks: false,
            skip_end_blanks: false,
            fold: false,
            dictionary: false,
            printable: false,
            kind: Kind::Text,
            reverse: false,
        }
    }

    /// Applies one ordering letter; false when it is none. `b` may stand at either end of a key.
    pub(super) fn set(&mut self, letter: u8, at_start: bool, at_end: bool) -> bool {
        match letter {
            b'b' => {
                self.skip_start_blanks |= at_start;
                self.skip_end_blanks |= at_end;
            }
            b'd' => self.dictionary = true,
            b'f' => self.fold = true,
            b'g' => self.kind = Kind::General,
            b'h' => self.kind = Kind::Human,
            b'i' => self.printable = true,
            b'M' => self.kind = Kind::Month,
            b'n' => self.kind = Kind::Numeric,
            b'r' => self.reverse = true,
            b'V' => self.kind = Kind::Version,
            _ => return false,
        }
        true
    }

    /// Whether no ordering letter was given, so that those of the command line hold.
    pub(super) fn is_plain(&self) -> bool {
        !(self.skip_start_blanks
            || self.skip_end_blanks
            || self.fold
            || self.dictionary
            || self.printable
            || self.reverse)
            && self.kind == Kind::Text
    }

    pub(super) fn inherit(&mut self, global: &Self) {
        *self = Self { start: self.start, end: self.end, ..global.clone() };
    }

    /// Reads `F[.C][LETTERS][,F[.C][LETTERS]]`.
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let mut key = Self::whole();
        let (first, second) = match text.iter().position(|&b| b == b',') {
            Some(comma) => (&text[..comma], Some(&text[comma + 1..])),
            None => (text, None),
        };
        let (field, byte, letters) = place(first)?;
        key.start = (field.checked_sub(1)?, byte.unwrap_or(1).checked_sub(1)?);
        for letter in letters {
            if !key.set(*letter, true, false) {
                return None;
            }
        }
        if let Some(second) = second {
            let (field, byte, letters) = place(second)?;
            let byte = byte.unwrap_or(0);
            key.end = Some((field.checked_sub(u64::from(byte > 0))?, byte));
            if field == 0 {
                return None;
            }
            for letter in letters {
                if !key.set(*letter, false, true) {
                    return None;
                }
            }
        }
        Some(key)
    }

    /// The part of a line that is the key.
    fn of<'l>(&self, line: &'l [u8], separator: Option<u8>) -> &'l [u8] {
        let mut start = skip_fields(line, self.start.0, separator, true);
        if self.skip_start_blanks {
            start = skip_blanks(line, start);
        }
        start = start.saturating_add(usize::try_from(self.start.1).unwrap_or(usize::MAX)).min(line.len());
        let Some((fields, bytes)) = self.end else { return &line[start..] };
        let mut end = skip_fields(line, fields, separator, bytes > 0);
        if bytes > 0 {
            if self.skip_end_blanks {
                end = skip_blanks(line, end);
            }
            end = end.saturating_add(usize::try_from(bytes).unwrap_or(usize::MAX)).min(line.len());
        }
        &line[start..end.max(start)]
    }

    fn compare(&self, a: &[u8], b: &[u8]) -> Ordering {
        let order = match self.kind {
            Kind::Numeric => Number::of(a).cmp(&Number::of(b)),
            Kind::General => general(a).total_cmp(&general(b)),
            Kind::Human => Human::of(a).cmp(&Human::of(b)),
            Kind::Month => month(a).cmp(&month(b)),
            Kind::Version => version_order(a, b),
            Kind::Text if self.fold || self.dictionary || self.printable => self.filtered(a).cmp(&self.filtered(b)),
            Kind::Text => a.cmp(b),
        };
        if self.reverse { order.reverse() } else { order }
    }

    fn filtered(&self, text: &[u8]) -> Vec<u8> {
        let kept = |b: &&u8| {
            let blank = matches!(**b, b' ' | b'\t');
            (!self.dictionary || b.is_ascii_alphanumeric() || blank) && (!self.printable || (b' '..=b'~').contains(*b))
        };
        text.iter().filter(kept).map(|b| if self.fold { b.to_ascii_uppercase() } else { *b }).collect()
    }
}

pub(super) fn compare(order: &Order, a: &[u8], b: &[u8]) -> Ordering {
    for key in &order.keys {
        let result = key.compare(key.of(a, order.separator), key.of(b, order.separator));
        if result != Ordering::Equal {
            return result;
        }
    }
    if !order.keys.is_empty() && (order.unique || order.stable) {
        return Ordering::Equal;
    }
    let result = a.cmp(b);
    if order.reverse { result.reverse() } else { result }
}

/// `F[.C]` and the letters behind.
fn place(text: &[u8]) -> Option<(u64, Option<u64>, &[u8])> {
    let digits = |text: &[u8]| text.iter().position(|b| !b.is_ascii_digit()).unwrap_or(text.len());
    let end = digits(text);
    let field = number(&text[..end])?;
    match &text[end..] {
        [b'.', rest @ ..] => {
            let end = digits(rest);
            Some((field, Some(number(&rest[..end])?), &rest[end..]))
        }
        rest => Some((field, None, rest)),
    }
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n')
}

fn skip_blanks(line: &[u8], from: usize) -> usize {
    from + line[from..].iter().take_while(|b| is_blank(**b)).count()
}

/// Where the line goes on after some fields; `past` is whether a separator behind the last is passed, too.
fn skip_fields(line: &[u8], count: u64, separator: Option<u8>, past: bool) -> usize {
    let mut at = 0;
    let mut left = count;
    while at < line.len() && left > 0 {
        left -= 1;
        match separator {
            Some(separator) => {
                at += line[at..].iter().take_while(|b| **b != separator).count();
                if at < line.len() && (left > 0 || past) {
                    at += 1;
                }
            }
            None => {
                at = skip_blanks(line, at);
                at += line[at..].iter().take_while(|b| !is_blank(**b)).count();
            }
        }
    }
    at
}

/// A decimal number of any length: sign, digits before and behind the point, zeros that say nothing removed.
#[derive(PartialEq, Eq)]
struct Number<'t> {
    negative: bool,
    whole: &'t [u8],
    fraction: &'t [u8],
}

impl<'t> Number<'t> {
    fn of(text: &'t [u8]) -> Self {
        let rest = &text[skip_blanks(text, 0)..];
        let (negative, rest) = match rest {
            [b'-', rest @ ..] => (true, rest),
            rest => (false, rest),
        };
        let zeros = rest.iter().take_while(|b| **b == b'0').count();
        let digits = rest[zeros..].iter().take_while(|b| b.is_ascii_digit()).count();
        let whole = &rest[zeros..zeros + digits];
        let fraction = match &rest[zeros + digits..] {
            [b'.', rest @ ..] => {
                let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
                let last = rest[..digits].iter().rposition(|b| *b != b'0').map_or(0, |last| last + 1);
                &rest[..last]
            }
            _ => &[],
        };
        Self { negative: negative && !(whole.is_empty() && fraction.is_empty()), whole, fraction }
    }

    fn size(&self) -> (usize, &[u8], &[u8]) {
        (self.whole.len(), self.whole, self.fraction)
    }
}

impl Ord for Number<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.negative, other.negative) {
            (false, false) => self.size().cmp(&other.size()),
            (true, true) => other.size().cmp(&self.size()),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
        }
    }
}

impl PartialOrd for Number<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The number at the start of a text as `strtod` reads it; none is below all numbers.
fn general(text: &[u8]) -> f64 {
    let rest = &text[skip_blanks(text, 0)..];
    let text: String = rest.iter().take_while(|b| b.is_ascii_graphic()).map(|b| char::from(*b)).collect();
    let value = (1..=text.len()).rev().find_map(|end| text[..end].parse::<f64>().ok());
    match value {
        None => -f64::NAN,
        Some(value) => value + 0.0,
    }
}

/// A number with a letter for its magnitude.
#[derive(PartialEq, Eq)]
struct Human<'t> {
    magnitude: usize,
    number: Number<'t>,
}

impl<'t> Human<'t> {
    fn of(text: &'t [u8]) -> Self {
        let number = Number::of(text);
        let rest = &text[skip_blanks(text, 0)..];
        let end = rest.iter().take_while(|b| b.is_ascii_digit() || matches!(**b, b'-' | b'.')).count();
        let letter = rest.get(end).copied().unwrap_or(0);
        let letter = if letter == b'k' { b'K' } else { letter };
        let zero = number.whole.is_empty() && number.fraction.is_empty();
        let magnitude = b"KMGTPEZY".iter().position(|l| *l == letter).filter(|_| !zero).map_or(0, |index| index + 1);
        Self { magnitude, number }
    }
}

impl Ord for Human<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let negative = self.number.negative && other.number.negative;
        if self.number.negative != other.number.negative {
            return self.number.cmp(&other.number);
        }
        let magnitudes = self.magnitude.cmp(&other.magnitude);
        let magnitudes = if negative { magnitudes.reverse() } else { magnitudes };
        magnitudes.then_with(|| self.number.cmp(&other.number))
    }
}

impl PartialOrd for Human<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// 1 to 12, or 0 for what is no month.
fn month(text: &[u8]) -> usize {
    let rest = &text[skip_blanks(text, 0)..];
    let Some(name) = rest.get(..3) else { return 0 };
    MONTHS.iter().position(|month| month.as_bytes()[..3].eq_ignore_ascii_case(name)).map_or(0, |index| index + 1)
}
