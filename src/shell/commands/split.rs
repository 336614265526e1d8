//! split: a file in pieces.

use crate::shell::{
    Fatal, Process, Status,
    files::show,
    options::parse,
    size::{number, size},
};

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = parse(process, &["a suffix-length=", "b bytes=", "d", "l lines=", "additional-suffix="])?;
    if arguments.operands.len() > 2 {
        return process.wrong_operands(&arguments.operands, 2);
    }
    let input = arguments.operands.first().cloned().unwrap_or_else(|| b"-".to_vec());
    let prefix = arguments.operands.get(1).cloned().unwrap_or_else(|| b"x".to_vec());
    let text = match process.read_file(&input) {
        Ok(text) => text,
        Err(error) => return process.fail(&format!("cannot open '{}' for reading: {}", show(&input), error.errno)),
    };
    let by_bytes = arguments.has("b");
    let wanted = arguments.value(if by_bytes { "b" } else { "l" }).unwrap_or(b"1000");
    let Some(count) = size(wanted).and_then(|n| usize::try_from(n).ok()).filter(|n| *n > 0) else {
        return process.fail(&format!("invalid number: '{}'", show(wanted)));
    };
    let Some(length) = number(arguments.value("a").unwrap_or(b"2")).filter(|n| (1..=10).contains(n)) else {
        return process.fail("invalid suffix length");
    };
    let pieces: Vec<Vec<u8>> = match by_bytes {
        true => text.chunks(count).map(<[u8]>::to_vec).collect(),
        false => {
            let all: Vec<&[u8]> = text.split_inclusive(|&b| b == b'\n').collect();
            all.chunks(count).map(<[&[u8]]>::concat).collect()
        }
    };
    let letters: &[u8] = if arguments.has("d") { b"0123456789" } else { b"abcdefghijklmnopqrstuvwxyz" };
    for (index, piece) in pieces.into_iter().enumerate() {
        let Some(suffix) = suffix(index, length, letters) else {
            return process.fail("output file suffixes exhausted");
        };
        let path = [&prefix, suffix.as_slice(), arguments.value("additional-suffix").unwrap_or_default()].concat();
        if let Err(error) = process.write_file(&path, piece) {
            return process.fail(&format!("{}: {}", show(&path), error.errno));
        }
    }
    Ok(Status::SUCCESS)
}

fn suffix(mut index: usize, length: u64, letters: &[u8]) -> Option<Vec<u8>> {
    let mut suffix = Vec::new();
    for _ in 0..length {
        suffix.push(letters[index % letters.len()]);
        index /= letters.len();
    }
    suffix.reverse();
    (index == 0).then_some(suffix)
}
