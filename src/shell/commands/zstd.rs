//! zstd: bytes to one frame and back.

use crate::{
    deb::compress::Compression,
    shell::{
        Fatal, Process, Status,
        commands::gzip::{Coder, code},
        options::parse,
    },
};

/// The highest level without `--ultra`.
const HIGHEST: u32 = 19;

const CODER: Coder = Coder { suffix: b".zst", encode, compression: Compression::Zstd, keeps: true };

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    // Threads change the real program's bytes; ours come from one.
    let table = &[
        "c stdout",
        "d decompress uncompress",
        "q quiet",
        "f force",
        "k keep",
        "rm",
        "z compress",
        "T threads=",
        "1",
        "2",
        "3",
        "4",
        "5",
        "6",
        "7",
        "8",
        "9",
    ];
    let arguments = parse(process, table)?;
    code(process, &arguments, &CODER, 3)
}

fn encode(plain: &[u8], level: u32) -> std::io::Result<Vec<u8>> {
    let mut compressor = zstd::bulk::Compressor::new(level.clamp(1, HIGHEST) as i32)?;
    compressor.include_checksum(true)?;
    compressor.compress(plain)
}
