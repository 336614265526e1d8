//! `%` specifiers of systemd's configuration files, as far as a tree that has never booted can answer them.

use super::{Fatal, Process};

/// What became of a text with specifiers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Expanded {
    Text(Vec<u8>),
    /// The machine's id before the first boot.
    Unresolvable,
    /// The machine's id where there isn't even an empty file for it.
    Missing,
    /// The id of the boot that is running: none is.
    NoBoot,
    /// A letter that is none.
    Unknown,
}

/// Replaces the specifiers of `text`.
pub(super) fn expand(process: &Process<'_>, text: &[u8]) -> Result<Expanded, Fatal> {
    let mut out = Vec::new();
    let mut bytes = text.iter();
    while let Some(&byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let value: &[u8] = match bytes.next() {
            Some(b'%') => b"%",
            Some(b'a') => match process.machine.architecture.as_str() {
                "amd64" => b"x86-64",
                "arm64" => b"arm64",
                other => return Err(process.not_modelled(format!("%a on {other}"))),
            },
            Some(b'T') => b"/tmp",
            Some(b'V') => b"/var/tmp",
            Some(b't') => b"/run",
            Some(b'S') => b"/var/lib",
            Some(b'C') => b"/var/cache",
            Some(b'L') => b"/var/log",
            Some(b'u' | b'g') => b"root",
            Some(b'U' | b'G') => b"0",
            Some(b'h') => b"/root",
            Some(b'm') => match process.machine.tree.read(b"/etc/machine-id") {
                Ok(id) if id.len() >= 32 && id[..32].iter().all(u8::is_ascii_hexdigit) => {
                    out.extend_from_slice(&id[..32]);
                    continue;
                }
                Ok(_) => return Ok(Expanded::Unresolvable),
                Err(_) => return Ok(Expanded::Missing),
            },
            Some(letter @ (b'o' | b'w' | b'W' | b'B' | b'A' | b'M')) => {
                out.extend_from_slice(&release(process, *letter));
                continue;
            }
            Some(b'b') => return Ok(Expanded::NoBoot),
            Some(letter @ (b'H' | b'l' | b'q' | b'v')) => {
                return Err(process.not_modelled(format!("%{} before the first boot", char::from(*letter))));
            }
            Some(_) => return Ok(Expanded::Unknown),
            // A lone sign at the end stands for itself.
            None => b"%",
        };
        out.extend_from_slice(value);
    }
    Ok(Expanded::Text(out))
}

/// A field of `/etc/os-release`; empty when it is not there.
fn release(process: &Process<'_>, letter: u8) -> Vec<u8> {
    let field: &[u8] = match letter {
        b'o' => b"ID",
        b'w' => b"VERSION_ID",
        b'W' => b"VARIANT_ID",
        b'B' => b"BUILD_ID",
        b'A' => b"IMAGE_VERSION",
        _ => b"IMAGE_ID",
    };
    let tree = &process.machine.tree;
    let text = tree.read(b"/etc/os-release").or_else(|_| tree.read(b"/usr/lib/os-release")).unwrap_or_default();
    let value = text
        .split(|&b| b == b'\n')
        .find_map(|line| line.strip_prefix(field)?.strip_prefix(b"=").map(<[u8]>::to_vec))
        .unwrap_or_default();
    let quoted = |quote: &[u8]| value.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote)).map(<[u8]>::to_vec);
    quoted(b"\"").or_else(|| quoted(b"'")).unwrap_or(value)
}

/// Why the columns of a line can't be read: an open quote, or a bad escape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BadQuotes;

/// Cuts a line into at most `most` columns at blanks, quotes and, with `escapes`, C escapes removed; and what is left of it.
pub(super) fn columns(line: &[u8], most: usize, escapes: bool) -> Result<(Vec<Vec<u8>>, Vec<u8>), BadQuotes> {
    let mut columns = Vec::new();
    let mut rest = line.trim_ascii_start();
    while columns.len() < most && !rest.is_empty() {
        let (word, behind) = word(rest, escapes)?;
        columns.push(word);
        rest = behind.trim_ascii_start();
    }
    Ok((columns, rest.to_vec()))
}

fn word(text: &[u8], escapes: bool) -> Result<(Vec<u8>, &[u8]), BadQuotes> {
    let mut word = Vec::new();
    let mut quote = None;
    let mut index = 0;
    while let Some(&byte) = text.get(index) {
        index += 1;
        match (quote, byte) {
            (_, b'\\') => {
                let next = *text.get(index).ok_or(BadQuotes)?;
                if escapes {
                    index += unescape(&text[index..], &mut word).ok_or(BadQuotes)?;
                } else {
                    word.push(next);
                    index += 1;
                }
            }
            (Some(open), _) if open == byte => quote = None,
            (None, b'"' | b'\'') => quote = Some(byte),
            (None, _) if byte.is_ascii_whitespace() => return Ok((word, &text[index..])),
            _ => word.push(byte),
        }
    }
    if quote.is_some() { Err(BadQuotes) } else { Ok((word, &[])) }
}

/// One C escape behind its backslash; how many bytes it takes.
pub(super) fn unescape(text: &[u8], out: &mut Vec<u8>) -> Option<usize> {
    let simple = match text.first()? {
        b'a' => 7,
        b'b' => 8,
        b'f' => 12,
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 11,
        b'\\' => b'\\',
        b'"' => b'"',
        b'\'' => b'\'',
        b's' => b' ',
        b'x' => {
            let digits = std::str::from_utf8(text.get(1..3)?).ok()?;
            out.push(u8::from_str_radix(digits, 16).ok().filter(|byte| *byte != 0)?);
            return Some(3);
        }
        b'0'..=b'7' => {
            let digits = std::str::from_utf8(text.get(..3)?).ok()?;
            out.push(u8::from_str_radix(digits, 8).ok().filter(|byte| *byte != 0)?);
            return Some(3);
        }
        _ => return None,
    };
    out.push(simple);
    Some(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_columns() {
        let check = |line: &str, most, expect: Option<(&[&str], &str)>| {
            let got = columns(line.as_bytes(), most, true).ok();
            let expect = expect.map(|(words, rest)| {
                (words.iter().map(|w| w.as_bytes().to_vec()).collect::<Vec<_>>(), rest.as_bytes().to_vec())
            });
            assert_eq!(got, expect, "{line}");
        };
        check("d /run/x 0755 root root - -", 3, Some((&["d", "/run/x", "0755"], "root root - -")));
        check("u \"a b\" - 'c d' \"\"", 9, Some((&["u", "a b", "-", "c d", ""], "")));
        check(r"f /a\qb", 9, None);
        check(r"f /a\x20b - x\t", 9, Some((&["f", "/a b", "-", "x\t"], "")));
        check("f \"open", 9, None);
    }
}
