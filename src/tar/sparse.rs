//! Sparse members: GNU tar's old header form and its PAX forms 0.0, 0.1 and 1.0, read to contents with holes.

use bytes::Bytes;
use zerocopy::FromBytes;

use super::{
    Fault,
    format::{BLOCK, GnuExtension, GnuRun, GnuTail},
    number,
    pax::{self, decimal},
};
use crate::tree::Content;

/// Length of the file and its runs as (offset, length), in the order of their data.
#[derive(Debug)]
pub(super) struct Map {
    size: u64,
    runs: Vec<(u64, u64)>,
}

impl Map {
    /// From an old GNU header and the extension blocks that `next` hands out.
    pub(super) fn from_gnu(
        tail: &GnuTail,
        mut next: impl FnMut() -> Result<[u8; BLOCK], Fault>,
    ) -> Result<Self, Fault> {
        let size = field("realsize", &tail.realsize)?;
        let mut runs = Vec::new();
        take(&mut runs, &tail.sp)?;
        let mut more = tail.isextended != 0;
        while more {
            let block = next()?;
            let extension = GnuExtension::ref_from_bytes(&block).expect("a block is as long as an extension");
            take(&mut runs, &extension.sp)?;
            more = extension.isextended != 0;
        }
        Ok(Self { size, runs })
    }

    /// From PAX records; in form 1.0 the map stands before the data, and is cut off from it.
    pub(super) fn from_pax(sparse: &pax::Sparse<'_>, data: &mut Bytes) -> Result<Self, Fault> {
        let size = sparse.size.ok_or(Fault::SparseMap)?;
        match (sparse.major.unwrap_or(0), sparse.minor.unwrap_or(0)) {
            (0, 0 | 1) => {
                let pairs = sparse.map.chunks_exact(2);
                if !pairs.remainder().is_empty() {
                    return Err(Fault::SparseMap);
                }
                Ok(Self { size, runs: pairs.map(|pair| (pair[0], pair[1])).collect() })
            }
            (1, 0) => {
                let (runs, len) = map_before_data(data).ok_or(Fault::SparseMap)?;
                let _ = data.split_to(len);
                Ok(Self { size, runs })
            }
            (major, minor) => Err(Fault::SparseVersion { major, minor }),
        }
    }

    /// The file that the map and its data make; every byte of `data` must have its place.
    pub(super) fn content(&self, data: &Bytes) -> Result<Content, Fault> {
        let mut at = 0_usize;
        let mut runs = Vec::with_capacity(self.runs.len());
        for &(offset, len) in self.runs.iter().filter(|(_, len)| *len > 0) {
            let end = usize::try_from(len).ok().and_then(|len| at.checked_add(len)).ok_or(Fault::SparseMap)?;
            if end > data.len() {
                return Err(Fault::SparseMap);
            }
            runs.push((offset, data.slice(at..end)));
            at = end;
        }
        if at != data.len() || i64::try_from(self.size).is_err() {
            return Err(Fault::SparseMap);
        }
        Content::sparse(self.size, runs).ok_or(Fault::SparseMap)
    }
}

fn take(runs: &mut Vec<(u64, u64)>, entries: &[GnuRun]) -> Result<(), Fault> {
    for entry in entries.iter().take_while(|entry| !number::is_blank(&entry.offset)) {
        runs.push((field("sparse offset", &entry.offset)?, field("sparse length", &entry.numbytes)?));
    }
    Ok(())
}

fn field(name: &'static str, bytes: &[u8]) -> Result<u64, Fault> {
    let value = number::parse(bytes).ok_or_else(|| Fault::Number { field: name, value: bytes.into() })?;
    u64::try_from(value).map_err(|_| Fault::Range { field: name, value })
}

/// Decimal lines: how many runs, then offset and length of each; padded to a block. Returns the bytes taken, too.
fn map_before_data(data: &[u8]) -> Option<(Vec<(u64, u64)>, usize)> {
    let mut at = 0;
    let mut line = || {
        let rest = data.get(at..)?;
        let end = memchr::memchr(b'\n', &rest[..rest.len().min(21)])?;
        at += end + 1;
        decimal(&rest[..end])
    };
    let count = line()?;
    // Each run takes four bytes at the least, which bounds the list before it is made.
    if count > data.len() as u64 / 4 {
        return None;
    }
    let mut runs = Vec::new();
    for _ in 0..count {
        runs.push((line()?, line()?));
    }
    let padded = at.next_multiple_of(BLOCK);
    data[at..].get(..padded - at)?.iter().all(|&b| b == 0).then_some((runs, padded))
}
