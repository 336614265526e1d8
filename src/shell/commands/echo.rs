//! echo, the program: unlike the shell's own it leaves backslashes alone unless -e is given.

use crate::shell::{Fatal, Process, Status, text::c_escape};

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let mut words = process.arguments();
    let (mut newline, mut escapes) = (true, false);
    while words.first().is_some_and(|word| {
        word.len() > 1 && word[0] == b'-' && word[1..].iter().all(|b| matches!(b, b'n' | b'e' | b'E'))
    }) {
        for letter in words.remove(0) {
            match letter {
                b'n' => newline = false,
                b'e' => escapes = true,
                b'E' => escapes = false,
                _ => {}
            }
        }
    }
    let text = words.join(&b' ');
    let mut out = Vec::new();
    let mut at = 0;
    while at < text.len() {
        match (text[at], text.get(at + 1)) {
            (b'\\', Some(b'c')) if escapes => {
                newline = false;
                break;
            }
            (b'\\', Some(b'0')) if escapes => {
                // Up to three digits may stand behind the zero.
                let digits = text[at + 2..].iter().take(3).take_while(|b| (b'0'..=b'7').contains(*b)).count();
                let value = text[at + 2..at + 2 + digits].iter().fold(0_u32, |n, b| n * 8 + u32::from(b - b'0'));
                out.push((value & 0xff) as u8);
                at += 2 + digits;
            }
            (b'\\', Some(b'a' | b'b' | b'f' | b'n' | b'r' | b't' | b'v' | b'\\')) if escapes => {
                let (byte, next) = c_escape(&text, at);
                out.push(byte);
                at = next;
            }
            (b'\\', Some(b'x')) if escapes && text.get(at + 2).is_some_and(u8::is_ascii_hexdigit) => {
                let digits = text[at + 2..].iter().take(2).take_while(|b| b.is_ascii_hexdigit()).count();
                let hex = std::str::from_utf8(&text[at + 2..at + 2 + digits]).unwrap_or("0");
                out.push(u8::from_str_radix(hex, 16).unwrap_or(0));
                at += 2 + digits;
            }
            (b'\\', Some(b'e')) if escapes => {
                out.push(0x1b);
                at += 2;
            }
            (byte, _) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    if newline {
        out.push(b'\n');
    }
    process.out(&out)?;
    Ok(Status::SUCCESS)
}
