//! cksum: POSIX's checksum of files.

use crate::shell::{Fatal, Process, Status, files::show, options::parse};

const POLYNOMIAL: u32 = 0x04c1_1db7;

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let mut arguments = parse(process, &[])?;
    let named = !arguments.operands.is_empty();
    if !named {
        arguments.operands.push(b"-".to_vec());
    }
    let mut status = Status::SUCCESS;
    for path in &arguments.operands {
        let Some(text) = process.read_operand(path)? else {
            status = Status::FAILURE;
            continue;
        };
        let name = if named { format!(" {}", show(path)) } else { String::new() };
        process.out(format!("{} {}{name}\n", checksum(&text), text.len()).as_bytes())?;
    }
    Ok(status)
}

/// The CRC of the bytes and of their count, least significant byte first without trailing zeros.
fn checksum(bytes: &[u8]) -> u32 {
    let count = bytes.len().to_le_bytes();
    let last = count.iter().rposition(|b| *b != 0).map_or(0, |last| last + 1);
    let step = |crc: u32, byte: &u8| {
        (0..8).fold(crc ^ u32::from(*byte) << 24, |crc, _| crc << 1 ^ if crc >> 31 == 1 { POLYNOMIAL } else { 0 })
    };
    !bytes.iter().chain(&count[..last]).fold(0, step)
}
