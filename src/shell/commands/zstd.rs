//! zstd: bytes to one frame and back.

use std::io::{self, Write};

use crate::{
    deb::compress::Compression,
    shell::{
        Fatal, Process, Status,
        commands::gzip::{Coder, Plain, code},
        options::parse,
    },
};

/// The highest level without `--ultra`.
const HIGHEST: u32 = 19;

/// Bytes given to the encoder at once.
const CHUNK: usize = 128 << 10;

const CODER: Coder = Coder { suffix: b".zst", encode, compression: Compression::Zstd, keeps: true };

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
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

/// One frame, as the real program makes it: in jobs of a size that the level decides, so that the number of threads cannot be
/// seen. Its length is in the header where the input is a file. The bytes are those of this version of zstd.
fn encode(plain: Plain<'_>, level: u32) -> io::Result<Vec<u8>> {
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), level.clamp(1, HIGHEST) as i32)?;
    encoder.include_checksum(true)?;
    encoder.multithread(rayon::current_num_threads() as u32)?;
    if let Plain::File(bytes) = plain {
        encoder.set_pledged_src_size(Some(bytes.len() as u64))?;
    }
    // What comes in one piece would have its length in the header.
    plain.bytes().chunks(CHUNK).try_for_each(|chunk| encoder.write_all(chunk))?;
    encoder.finish()
}
