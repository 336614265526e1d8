//! The one pass over the output: metadata and data, each into its place, several at a time, zeros left out.

use std::{fs::File, io, os::unix::fs::FileExt};

use rayon::prelude::*;

use super::{Plan, format::BLOCK};

/// Metadata at an offset in the file system.
#[derive(Debug)]
pub(super) struct Piece {
    pub(super) offset: u64,
    pub(super) bytes: Vec<u8>,
}

/// Contents at an offset in the file system.
#[derive(Clone, Copy, Debug)]
pub(super) struct Data<'a> {
    pub(super) offset: u64,
    pub(super) bytes: &'a [u8],
}

pub(super) fn write(plan: &Plan<'_>, out: &File, base: u64) -> io::Result<()> {
    plan.pieces.par_iter().try_for_each(|piece| write_nonzero(out, base + piece.offset, &piece.bytes))?;
    plan.data.par_iter().try_for_each(|data| write_nonzero(out, base + data.offset, data.bytes))
}

/// Writes `bytes` but for whole blocks of zeros.
fn write_nonzero(out: &File, offset: u64, bytes: &[u8]) -> io::Result<()> {
    let mut start = 0;
    for (index, block) in bytes.chunks(BLOCK).enumerate() {
        if is_zero(block) {
            let here = index * BLOCK;
            out.write_all_at(&bytes[start..here], offset + start as u64)?;
            start = here + block.len();
        }
    }
    out.write_all_at(&bytes[start..], offset + start as u64)
}

fn is_zero(block: &[u8]) -> bool {
    let (words, rest) = block.as_chunks::<16>();
    words.iter().all(|word| u128::from_ne_bytes(*word) == 0) && rest.iter().all(|&byte| byte == 0)
}
