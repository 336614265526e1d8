//! base64: bytes as letters, and back.

use crate::shell::{Fatal, Process, Status, files::show, options::parse, size::number};

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = parse(process, &["d decode", "i ignore-garbage", "w wrap="])?;
    if arguments.operands.len() > 1 {
        return process.wrong_operands(&arguments.operands, 1);
    }
    let path = arguments.operands.first().cloned().unwrap_or_else(|| b"-".to_vec());
    let Some(text) = process.read_operand(&path)? else { return Ok(Status::FAILURE) };
    if arguments.has("d") {
        let (bytes, whole) = decode(&text, arguments.has("i"));
        process.out(&bytes)?;
        return if whole { Ok(Status::SUCCESS) } else { process.fail("invalid input") };
    }
    let wrap = arguments.value("w").unwrap_or(b"76").to_vec();
    let Some(wrap) = number(&wrap).and_then(|n| usize::try_from(n).ok()) else {
        return process.fail(&format!("invalid wrap size: '{}'", show(&wrap)));
    };
    let encoded = encode(&text);
    if wrap == 0 {
        process.out(&encoded)?;
    } else {
        for line in encoded.chunks(wrap) {
            process.out(&[line, b"\n"].concat())?;
        }
    }
    Ok(Status::SUCCESS)
}

fn encode(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let value = (0..3).fold(0_u32, |value, index| value << 8 | u32::from(chunk.get(index).copied().unwrap_or(0)));
        for index in 0..4 {
            let digit = ALPHABET[(value >> (18 - 6 * index) & 63) as usize];
            out.push(if index <= chunk.len() { digit } else { b'=' });
        }
    }
    out
}

/// The bytes, and whether all of the text was of the right form.
fn decode(text: &[u8], lenient: bool) -> (Vec<u8>, bool) {
    let mut out = Vec::new();
    let (mut value, mut digits, mut padding) = (0_u32, 0, 0);
    for byte in text.iter().copied().filter(|b| *b != b'\n') {
        let digit = ALPHABET.iter().position(|letter| *letter == byte);
        match (digit, byte) {
            (Some(digit), _) if padding == 0 => {
                value = value << 6 | u32::try_from(digit).unwrap_or(0);
                digits += 1;
            }
            (None, b'=') if digits + padding < 4 && digits >= 2 => {
                value <<= 6;
                padding += 1;
            }
            (None, _) if lenient && byte != b'=' => {}
            _ => return (out, false),
        }
        if digits + padding == 4 {
            out.extend_from_slice(&value.to_be_bytes()[1..4 - padding]);
            (value, digits, padding) = (0, 0, 0);
        }
    }
    if digits > 1 {
        let bytes = (value << (6 * (4 - digits))).to_be_bytes();
        out.extend_from_slice(&bytes[1..digits]);
    }
    (out, digits + padding == 0)
}
