//! Contents to zstd files of independent frames, RFC 8878: compressed in parallel, the same whatever the number of threads.

use std::io::{self, Write};

use rayon::prelude::*;

use crate::{progress::Advance, tree::Content};

/// Plain bytes in a frame. Part of the output's format: another value gives other bytes.
const FRAME: usize = 4 << 20;

/// Frames in flight, which bounds memory.
const BATCH: u64 = 16;

/// Why compressed bytes could not be written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("compressing with zstd")]
    Compress(#[source] io::Error),
    #[error(transparent)]
    Write(#[from] io::Error),
}

/// Writes `content`, holes as zeros, and returns how many bytes it took. Every frame carries a checksum of its contents. What
/// `advance` is told adds up to the content's length.
pub fn write(content: &Content, level: i32, out: &mut impl Write, advance: Advance<'_>) -> Result<u64, Error> {
    let frames = content.len().div_ceil(FRAME as u64).max(1);
    let mut written = 0;
    for first in (0..frames).step_by(BATCH as usize) {
        let batch: Vec<u64> = (first..frames.min(first + BATCH)).collect();
        let compress = |index: &u64| {
            let compressed = frame(content, *index, level);
            advance((content.len() - index * FRAME as u64).min(FRAME as u64));
            compressed
        };
        let done: Vec<_> = batch.par_iter().with_max_len(1).map(compress).collect();
        for frame in done {
            let frame = frame.map_err(Error::Compress)?;
            out.write_all(&frame)?;
            written += frame.len() as u64;
        }
    }
    Ok(written)
}

fn frame(content: &Content, index: u64, level: i32) -> io::Result<Vec<u8>> {
    let start = index * FRAME as u64;
    let mut plain = vec![0; (content.len() - start).min(FRAME as u64) as usize];
    content.read_at(start, &mut plain);
    let mut compressor = zstd::bulk::Compressor::new(level)?;
    compressor.include_checksum(true)?;
    compressor.compress(&plain)
}
