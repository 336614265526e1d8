//! md5sum and its like: digests of files, and checking lists of them.

use std::fmt::Write;

use md5::Digest;

use crate::shell::{
    Fatal, Process, Status,
    files::show,
    options::{Arguments, parse},
    text::lines,
};

type Sum = fn(&[u8]) -> Vec<u8>;

pub(super) fn md5(process: &mut Process<'_>) -> Result<Status, Fatal> {
    run(process, "MD5", |bytes| md5::Md5::digest(bytes).to_vec())
}

pub(super) fn sha1(process: &mut Process<'_>) -> Result<Status, Fatal> {
    run(process, "SHA1", |bytes| sha1::Sha1::digest(bytes).to_vec())
}

pub(super) fn sha224(process: &mut Process<'_>) -> Result<Status, Fatal> {
    run(process, "SHA224", |bytes| sha2::Sha224::digest(bytes).to_vec())
}

pub(super) fn sha256(process: &mut Process<'_>) -> Result<Status, Fatal> {
    run(process, "SHA256", |bytes| sha2::Sha256::digest(bytes).to_vec())
}

pub(super) fn sha384(process: &mut Process<'_>) -> Result<Status, Fatal> {
    run(process, "SHA384", |bytes| sha2::Sha384::digest(bytes).to_vec())
}

pub(super) fn sha512(process: &mut Process<'_>) -> Result<Status, Fatal> {
    run(process, "SHA512", |bytes| sha2::Sha512::digest(bytes).to_vec())
}

fn hex(sum: &[u8]) -> String {
    sum.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string");
        text
    })
}

fn run(process: &mut Process<'_>, kind: &str, sum: Sum) -> Result<Status, Fatal> {
    let mut arguments = parse(
        process,
        &["b binary", "c check", "t text", "tag", "z zero", "ignore-missing", "quiet", "status", "strict", "w warn"],
    )?;
    if arguments.operands.is_empty() {
        arguments.operands.push(b"-".to_vec());
    }
    let mut status = Status::SUCCESS;
    for path in &arguments.operands {
        let Some(bytes) = process.read_operand(path)? else {
            status = Status::FAILURE;
            continue;
        };
        if arguments.has("c") {
            if !check(process, &arguments, path, &bytes, sum)? {
                status = Status::FAILURE;
            }
            continue;
        }
        let end = if arguments.has("z") { b'\0' } else { b'\n' };
        let sum = hex(&sum(&bytes));
        let mark = if arguments.last_of(&["b", "t"]) == Some("b") { b'*' } else { b' ' };
        let mut line = Vec::new();
        if arguments.has("tag") {
            line.extend_from_slice(kind.as_bytes());
            line.extend_from_slice(b" (");
            line.extend_from_slice(path);
            line.extend_from_slice(format!(") = {sum}").as_bytes());
        } else {
            // A name that would break the list is escaped, and the line says so.
            let odd = path.iter().any(|b| matches!(b, b'\\' | b'\n' | b'\r')) && end == b'\n';
            line.extend_from_slice(if odd { b"\\" } else { b"" });
            line.extend_from_slice(sum.as_bytes());
            line.extend_from_slice(&[b' ', mark]);
            for &byte in path {
                match byte {
                    b'\\' if odd => line.extend_from_slice(b"\\\\"),
                    b'\n' if odd => line.extend_from_slice(b"\\n"),
                    b'\r' if odd => line.extend_from_slice(b"\\r"),
                    byte => line.push(byte),
                }
            }
        }
        line.push(end);
        process.out(&line)?;
    }
    Ok(status)
}

/// Checks the files of a list; false when one differs or can't be read, or no line is of the list's form.
fn check(process: &mut Process<'_>, arguments: &Arguments, list: &[u8], text: &[u8], sum: Sum) -> Result<bool, Fatal> {
    let length = hex(&sum(b"")).len();
    let (mut good, mut bad, mut formed, mut odd) = (0, 0, 0, 0);
    for line in lines(text, b'\n') {
        let digits = line.iter().position(|b| !b.is_ascii_hexdigit()).unwrap_or(line.len());
        let name = match &line[digits..] {
            [b' ', b' ' | b'*', name @ ..] if digits == length && !name.is_empty() => name,
            _ => {
                odd += 1;
                continue;
            }
        };
        formed += 1;
        if arguments.has("ignore-missing") && process.lookup(name).is_err() {
            continue;
        }
        let read = process.read_operand(name)?;
        let verdict = match read {
            None => "FAILED open or read",
            Some(bytes) if hex(&sum(&bytes)).as_bytes() == line[..digits].to_ascii_lowercase() => "OK",
            Some(_) => "FAILED",
        };
        if verdict == "OK" {
            good += 1;
        } else {
            bad += 1;
        }
        if !(arguments.has("status") || (verdict == "OK" && arguments.has("quiet"))) {
            process.out(format!("{}: {verdict}\n", show(name)).as_bytes())?;
        }
    }
    if formed == 0 {
        process.complain(&format!("{}: no properly formatted checksum lines found", show(list)))?;
        return Ok(false);
    }
    if bad > 0 && !arguments.has("status") {
        process.complain(&format!("WARNING: {bad} computed checksum(s) did NOT match"))?;
    }
    Ok(bad == 0 && (good > 0 || !arguments.has("ignore-missing")) && !(odd > 0 && arguments.has("strict")))
}
