//! The one pass over the output: metadata and data, each into its place, several at a time, zeros left out.

use std::{fs::File, io};

use rayon::prelude::*;

use super::Plan;
use crate::{progress::Advance, sparse};

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

pub(super) fn write(plan: &Plan<'_>, out: &File, base: u64, advance: Advance<'_>) -> io::Result<()> {
    plan.pieces.par_iter().try_for_each(|piece| sparse::write(out, base + piece.offset, &piece.bytes))?;
    plan.data.par_iter().try_for_each(|data| {
        sparse::write(out, base + data.offset, data.bytes)?;
        advance(data.bytes.len() as u64);
        Ok(())
    })
}
