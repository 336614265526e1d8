//! A file's holes: asked of the file system for speed, decided by the bytes.

use std::{fs::File, io};

use bytes::Bytes;
use rayon::prelude::*;
use rustix::{fs::SeekFrom, io::Errno};

use crate::{map::map, sparse::is_zero, tree::Content};

/// Holes are blocks of zeros of this size, so that what is found depends on the file's bytes alone.
const BLOCK: usize = 4096;

/// Bytes looked through by one thread at a time, whole blocks.
const PIECE: usize = 1024 * BLOCK;

/// The file's contents, mapped, as data between holes.
pub(super) fn content(file: &File) -> io::Result<Content> {
    let len = file.metadata()?.len();
    let bytes = map(file)?;
    let mut runs: Vec<(u64, Bytes)> = Vec::new();
    for (start, end) in extents(file, len)? {
        let pieces: Vec<(usize, usize)> = (start..end).step_by(PIECE).map(|at| (at, end.min(at + PIECE))).collect();
        let data: Vec<Vec<(usize, usize)>> = pieces.par_iter().map(|&(start, end)| data(&bytes, start, end)).collect();
        for (start, end) in data.into_iter().flatten() {
            match runs.last_mut() {
                Some((at, run)) if *at as usize + run.len() == start => *run = bytes.slice(*at as usize..end),
                _ => runs.push((start as u64, bytes.slice(start..end))),
            }
        }
    }
    Content::sparse(len, runs).ok_or_else(|| io::Error::other("the file changed while it was read"))
}

/// Where the file system says that there may be data, widened to whole blocks.
fn extents(file: &File, len: u64) -> io::Result<Vec<(usize, usize)>> {
    let mut extents: Vec<(usize, usize)> = Vec::new();
    let mut at = 0;
    let whole = usize::try_from(len).map_err(io::Error::other)?;
    while at < len {
        let start = match rustix::fs::seek(file, SeekFrom::Data(at)) {
            Ok(start) => start,
            Err(Errno::NXIO) => break,
            // A file system that knows nothing of holes.
            Err(Errno::INVAL) => return Ok(vec![(0, whole)]),
            Err(error) => return Err(error.into()),
        };
        let end = rustix::fs::seek(file, SeekFrom::Hole(start))?;
        let start = start as usize / BLOCK * BLOCK;
        let end = (end as usize).next_multiple_of(BLOCK).min(whole);
        match extents.last_mut() {
            Some((_, last)) if *last >= start => *last = end,
            _ => extents.push((start, end)),
        }
        at = end as u64;
    }
    Ok(extents)
}

/// The blocks that are not zero, touching ones as one.
fn data(bytes: &[u8], start: usize, end: usize) -> Vec<(usize, usize)> {
    let mut found: Vec<(usize, usize)> = Vec::new();
    for at in (start..end).step_by(BLOCK) {
        let stop = end.min(at + BLOCK);
        if is_zero(&bytes[at..stop]) {
            continue;
        }
        match found.last_mut() {
            Some((_, last)) if *last == at => *last = stop,
            _ => found.push((at, stop)),
        }
    }
    found
}
