//! `echo`: dash's, which reads backslashes; in scripts for bash, bash's, which does so after `-e` alone.

use crate::shell::{
    interpreter::{Shell, Unwind},
    parse::Dialect,
};

pub(super) fn echo(shell: &mut Shell<'_>, arguments: &[Vec<u8>]) -> Result<u32, Unwind> {
    let mut words = &arguments[1..];
    let mut newline = true;
    let mut escapes = shell.dialect == Dialect::Dash;
    while let Some((first, rest)) = words.split_first() {
        let taken = match shell.dialect {
            Dialect::Dash => first == b"-n",
            Dialect::Bash => first.len() > 1 && first[0] == b'-' && first[1..].iter().all(|b| b"neE".contains(b)),
        };
        if !taken {
            break;
        }
        for letter in &first[1..] {
            match letter {
                b'n' => newline = false,
                letter => escapes = *letter == b'e',
            }
        }
        words = rest;
        if shell.dialect == Dialect::Dash {
            break;
        }
    }
    let joined = words.join(&b' ');
    let mut text = joined.clone();
    let mut stopped = false;
    if escapes {
        text.clear();
        stopped = unescape(&joined, &mut text);
    }
    if newline && !stopped {
        text.push(b'\n');
    }
    shell.write(1, &text)?;
    Ok(0)
}

/// Appends a text with its backslash sequences replaced; whether `\c` has cut it off.
pub(super) fn unescape(text: &[u8], out: &mut Vec<u8>) -> bool {
    let mut rest = text;
    while let Some(backslash) = memchr::memchr(b'\\', rest) {
        out.extend_from_slice(&rest[..backslash]);
        rest = &rest[backslash + 1..];
        match rest.first() {
            Some(b'c') => return true,
            // An octal number after \0 has three more digits.
            Some(b'0') => {
                let (byte, length) = octal(&rest[1..]);
                out.push(byte);
                rest = &rest[1 + length..];
            }
            _ => {
                let (byte, length) = escape(rest);
                out.push(byte);
                rest = &rest[length..];
            }
        }
    }
    out.extend_from_slice(rest);
    false
}

/// The byte that the text behind a backslash stands for, and how much of it is used: none for an unknown sequence.
pub(super) fn escape(text: &[u8]) -> (u8, usize) {
    match text.first() {
        Some(b'0'..=b'7') => octal(text),
        Some(b'\\') => (b'\\', 1),
        Some(b'a') => (7, 1),
        Some(b'b') => (8, 1),
        Some(b'e') => (0x1b, 1),
        Some(b'f') => (12, 1),
        Some(b'n') => (b'\n', 1),
        Some(b'r') => (b'\r', 1),
        Some(b't') => (b'\t', 1),
        Some(b'v') => (11, 1),
        _ => (b'\\', 0),
    }
}

/// Up to three octal digits.
fn octal(text: &[u8]) -> (u8, usize) {
    let length = text.iter().take(3).take_while(|b| matches!(b, b'0'..=b'7')).count();
    let value = text[..length].iter().fold(0_u32, |value, digit| value * 8 + u32::from(digit - b'0'));
    (value as u8, length)
}
