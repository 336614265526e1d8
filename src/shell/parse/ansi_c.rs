//! `$'...'`: bash's quotes, in which a backslash means what it means in C.

use super::{Parser, Result};
use crate::shell::syntax::Part;

impl Parser<'_> {
    /// `$'...'` from its first inner byte on.
    pub(super) fn ansi_c_quotes(&mut self) -> Result<Part> {
        let mut text = Vec::new();
        loop {
            match self.cursor.next_raw() {
                Some(b'\'') => break,
                Some(b'\\') => {
                    text.push(b'\\');
                    text.extend(self.cursor.next_raw());
                }
                Some(byte) => text.push(byte),
                None => return self.syntax("Unterminated quoted string"),
            }
        }
        match unescape(&text) {
            Some(text) => Ok(Part::Quoted(text)),
            None => self.bash_only("\\x{...} or \\u beyond ASCII").map(|()| Part::Quoted(text)),
        }
    }
}

/// What the text means; `None` when that hangs on the locale or on bash's version. A zero byte ends it, as it does bash's strings.
fn unescape(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some((&byte, behind)) = rest.split_first() {
        rest = behind;
        let meant = if byte == b'\\' { escape(&mut rest, &mut out)? } else { Some(byte) };
        match meant {
            Some(0) => break,
            Some(byte) => out.push(byte),
            None => {}
        }
    }
    Some(out)
}

/// The byte that an escape means, of which `rest` is what follows the backslash; `Some(None)` when it means none, its text
/// having gone to `out`.
fn escape(rest: &mut &[u8], out: &mut Vec<u8>) -> Option<Option<u8>> {
    let Some((&letter, behind)) = rest.split_first() else { return Some(Some(b'\\')) };
    let before = std::mem::replace(rest, behind);
    let byte = match letter {
        b'a' => 7,
        b'b' => 8,
        b'e' | b'E' => 27,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 11,
        b'\\' | b'\'' | b'"' | b'?' => letter,
        b'0'..=b'7' => {
            *rest = before;
            low(digits(rest, 8, 3).unwrap_or_default())
        }
        // bash takes digits in braces too, in ways that nothing should depend on.
        b'x' if rest.starts_with(b"{") => return None,
        b'x' | b'u' | b'U' => {
            match digits(rest, 16, if letter == b'x' { 2 } else { 4 + 4 * u32::from(letter == b'U') }) {
                Some(value) if letter == b'x' || value < 0x80 => low(value),
                Some(_) => return None,
                None => return Some(keep(out, letter)),
            }
        }
        b'c' if !rest.is_empty() => {
            let letter = rest[0];
            // A backslash may stand doubled here, as everywhere in these quotes.
            *rest = rest.strip_prefix(br"\\").unwrap_or(&rest[1..]);
            if letter == b'?' { 0x7f } else { letter.to_ascii_uppercase() & 0x1f }
        }
        _ => return Some(keep(out, letter)),
    };
    Some(Some(byte))
}

/// An escape that is none stays.
fn keep(out: &mut Vec<u8>, letter: u8) -> Option<u8> {
    out.push(b'\\');
    Some(letter)
}

/// Up to `most` digits; `None` when there is not one.
fn digits(rest: &mut &[u8], radix: u32, most: u32) -> Option<u32> {
    let mut value = None;
    for _ in 0..most {
        let Some(digit) = rest.first().and_then(|&byte| char::from(byte).to_digit(radix)) else { break };
        value = Some(value.unwrap_or(0) * radix + digit);
        *rest = &rest[1..];
    }
    value
}

fn low(value: u32) -> u8 {
    value.to_le_bytes()[0]
}
