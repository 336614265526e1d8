//! Patterns of `file_contexts(5)`, which are PCRE's, in terms of the `regex` crate.

use std::fmt::Write;

/// Characters that make an entry a pattern.
const SPECIAL: &[u8] = b".^$?*+|[({";

/// The path that a pattern without special characters stands for.
pub(super) fn plain(pattern: &[u8]) -> Result<Option<Vec<u8>>, String> {
    let mut path = Vec::with_capacity(pattern.len());
    let mut rest = pattern.iter();
    while let Some(&byte) = rest.next() {
        match byte {
            b'\\' => path.push(escaped(rest.next())?),
            b')' => return Err("a parenthesis that closes nothing".to_owned()),
            _ if SPECIAL.contains(&byte) => return Ok(None),
            _ => path.push(byte),
        }
    }
    Ok(Some(path))
}

/// How long a pattern's first folder is when nothing in it is special, else 0.
pub(super) fn stem(pattern: &[u8]) -> usize {
    let slash = pattern.iter().skip(1).position(|&b| b == b'/').map_or(0, |slash| slash + 1);
    // A backslash keeps its place: the stem is compared with paths as it is written.
    if pattern[..slash].iter().any(|byte| SPECIAL.contains(byte)) { 0 } else { slash }
}

/// A character behind a backslash; letters and digits would be classes, references and control characters.
fn escaped(byte: Option<&u8>) -> Result<u8, String> {
    match byte {
        Some(&byte) if byte.is_ascii_punctuation() || byte == b' ' => Ok(byte),
        Some(&byte) => Err(format!("`\\{}` in a pattern is not modelled", byte.escape_ascii())),
        None => Err("a backslash at the end of a pattern".to_owned()),
    }
}

/// Bytes that every match begins with, and the expression that says what `^PATTERN$` says to PCRE when a dot is any byte.
pub(super) fn translate(pattern: &[u8]) -> Result<(Vec<u8>, String), String> {
    let mut out = Translation { text: "^".to_owned(), ..Translation::default() };
    let mut rest = pattern;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'\\' => {
                let (first, after) = rest.split_first().map_or((None, rest), |(first, after)| (Some(first), after));
                rest = after;
                out.literal(escaped(first)?);
            }
            b'[' => rest = out.class(rest)?,
            b'(' => {
                if rest.starts_with(b"?") || rest.starts_with(b"*") {
                    return Err("a group with a `?` or `*` behind its parenthesis is not modelled".to_owned());
                }
                out.depth += 1;
                out.special("(");
            }
            b')' => {
                out.depth = out.depth.checked_sub(1).ok_or("a parenthesis that closes nothing")?;
                out.text.push(')');
            }
            b'|' => {
                out.has_top_branch |= out.depth == 0;
                out.special("|");
            }
            b'.' => out.special("."),
            b'*' | b'+' | b'?' => rest = out.repeat(&[byte], rest)?,
            b'{' => {
                let (count, after) = count(rest).ok_or("a brace that counts nothing is not modelled")?;
                rest = out.repeat(&[b"{", count, b"}"].concat(), after)?;
            }
            b'^' | b'$' => return Err(format!("`{}` inside a pattern is not modelled", char::from(byte))),
            _ => out.literal(byte),
        }
    }
    if out.depth > 0 {
        return Err("a parenthesis that is not closed".to_owned());
    }
    // PCRE's `$` stands before a newline at the end as well.
    out.text.push_str("\\n?\\z");
    let prefix = if out.has_top_branch { Vec::new() } else { out.prefix };
    Ok((prefix, out.text))
}

/// `N}`, `N,}` or `N,M}` behind a brace: without the brace, and what follows.
fn count(rest: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = rest.iter().position(|&b| b == b'}')?;
    let (count, after) = (&rest[..end], &rest[end + 1..]);
    let mut numbers = count.splitn(2, |&b| b == b',');
    let is_number = |text: &[u8]| !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    let (low, high) = (numbers.next()?, numbers.next());
    (is_number(low) && high.is_none_or(|high| high.is_empty() || is_number(high))).then_some((count, after))
}

#[derive(Default)]
struct Translation {
    text: String,
    depth: usize,
    prefix: Vec<u8>,
    prefix_ended: bool,
    /// Whether a `|` stands outside all groups, where `^` and `$` hold for one branch each.
    has_top_branch: bool,
}

impl Translation {
    fn byte(&mut self, byte: u8) {
        if byte.is_ascii_alphanumeric() || b"/_ ".contains(&byte) {
            self.text.push(char::from(byte));
        } else {
            write!(self.text, "\\x{byte:02x}").expect("strings take everything");
        }
    }

    fn literal(&mut self, byte: u8) {
        self.byte(byte);
        if !self.prefix_ended {
            self.prefix.push(byte);
        }
    }

    fn special(&mut self, text: &str) {
        self.text.push_str(text);
        self.prefix_ended = true;
    }

    /// A repetition of what is before it, which may then be absent.
    fn repeat<'a>(&mut self, operator: &[u8], rest: &'a [u8]) -> Result<&'a [u8], String> {
        if matches!(self.text.as_bytes().last(), Some(b'^' | b'(' | b'|')) {
            return Err("a repetition of nothing".to_owned());
        }
        if !self.prefix_ended {
            self.prefix.pop();
        }
        self.special(std::str::from_utf8(operator).expect("digits and marks"));
        match rest.first() {
            Some(b'+') => Err("a repetition that gives nothing back is not modelled".to_owned()),
            Some(b'*' | b'{') => Err("a repetition of a repetition".to_owned()),
            // As few as possible: the same matches when they must reach the end.
            Some(b'?') => {
                self.text.push('?');
                Ok(&rest[1..])
            }
            _ => Ok(rest),
        }
    }

    /// A class, from behind its bracket; what follows it.
    fn class<'a>(&mut self, mut rest: &'a [u8]) -> Result<&'a [u8], String> {
        self.special("[");
        if let Some(after) = rest.strip_prefix(b"^") {
            self.text.push('^');
            rest = after;
        }
        let mut is_first = true;
        loop {
            let (&byte, after) = rest.split_first().ok_or("a class that is not closed")?;
            rest = after;
            match byte {
                b']' if !is_first => break,
                b'[' if matches!(rest.first(), Some(b':' | b'.' | b'=')) => {
                    return Err("a named class is not modelled".to_owned());
                }
                b'\\' => {
                    let (first, after) = rest.split_first().ok_or("a class that is not closed")?;
                    rest = after;
                    self.byte(escaped(Some(first))?);
                }
                b'-' if !is_first && !rest.starts_with(b"]") => {
                    if matches!(rest.first(), Some(b'\\' | b'[')) {
                        return Err("a range to an escaped character is not modelled".to_owned());
                    }
                    self.text.push('-');
                }
                _ => self.byte(byte),
            }
            is_first = false;
        }
        self.text.push(']');
        Ok(rest)
    }
}
