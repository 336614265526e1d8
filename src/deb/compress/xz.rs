//! Xz files block by block: the index at the end gives each block's place in input and output, so that blocks can be
//! decoded in parallel, each as an xz file of its own. After "The .xz File Format" 1.2.1.

use std::{io::Read, ops::Range};

use rayon::prelude::*;

use super::{Error, Limits, Sink, copy};

const MAGIC: &[u8] = b"\xfd7zXZ\0";
const FOOTER_MAGIC: &[u8] = b"YZ";
/// Stream header and stream footer are both as long.
const EDGE: usize = 12;

/// One block and the header of the stream that it is in.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Block {
    header: usize,
    input: Range<usize>,
    /// As the index has it: without the padding to four bytes.
    unpadded: u64,
    /// Place in the output.
    output: Range<u64>,
}

pub(super) fn decode(input: &[u8], limits: &Limits, limit: u64, sink: Sink<'_>) -> Result<u64, Error> {
    let blocks = blocks(input, limit)?;
    blocks.par_iter().with_max_len(1).try_for_each(|block| {
        let expected = block.output.end - block.output.start;
        let tail = single_block_tail(&input[block.header..][..EDGE], block.unpadded, expected);
        let file = input[block.header..][..EDGE].chain(&input[block.input.clone()]).chain(&*tail);
        let written =
            copy("xz", decoder(file, limits)?, block.output.start, expected, sink).map_err(|error| match error {
                Error::Malformed { ref source, .. } if is_window(source) => Error::Window { limit: limits.window },
                error => error,
            })?;
        if written == expected { Ok(()) } else { Err(fault("a block shorter than the index says", block.input.start)) }
    })?;
    Ok(blocks.last().map_or(0, |block| block.output.end))
}

#[cfg(not(feature = "native-codecs"))]
fn decoder<'a>(file: impl Read + 'a, limits: &Limits) -> Result<impl Read + 'a, Error> {
    let kib = u32::try_from(limits.window >> 10).unwrap_or(u32::MAX);
    Ok(lzma_rust2::XzReader::new_mem_limit(file, false, kib))
}

#[cfg(not(feature = "native-codecs"))]
fn is_window(error: &std::io::Error) -> bool {
    error.kind() == std::io::ErrorKind::OutOfMemory
}

#[cfg(feature = "native-codecs")]
fn decoder<'a>(file: impl Read + 'a, limits: &Limits) -> Result<impl Read + 'a, Error> {
    let stream = liblzma::stream::Stream::new_stream_decoder(limits.window, 0).map_err(|source| Error::Malformed {
        format: "xz",
        output: 0,
        source: source.into(),
    })?;
    Ok(liblzma::read::XzDecoder::new_stream(file, stream))
}

#[cfg(feature = "native-codecs")]
fn is_window(error: &std::io::Error) -> bool {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<liblzma::stream::Error>());
    matches!(inner, Some(liblzma::stream::Error::MemLimit))
}

fn fault(what: &'static str, offset: usize) -> Error {
    Error::Xz { what, offset }
}

/// All blocks of all streams, in order. The sizes that the indexes promise are added up here, before anything is decoded.
fn blocks(input: &[u8], limit: u64) -> Result<Vec<Block>, Error> {
    // Streams are found from the end, where each has its index.
    let mut streams = Vec::new();
    let mut end = input.len();
    while end > 0 {
        let stream = stream(input, end)?;
        end = stream.start;
        streams.push(stream);
    }
    let mut blocks = Vec::new();
    let mut output = 0_u64;
    for stream in streams.iter().rev() {
        let mut at = stream.start + EDGE;
        for &(unpadded, len) in &stream.records {
            let next = output.checked_add(len).filter(|next| *next <= limit).ok_or(Error::TooLarge { limit })?;
            let padded = unpadded.next_multiple_of(4) as usize;
            blocks.push(Block { header: stream.start, input: at..at + padded, unpadded, output: output..next });
            at += padded;
            output = next;
        }
    }
    Ok(blocks)
}

struct Stream {
    start: usize,
    /// Unpadded and uncompressed size of each block; the padded sizes fit into the input.
    records: Vec<(u64, u64)>,
}

/// The stream that ends at `end`, or before zeros that end there.
fn stream(input: &[u8], end: usize) -> Result<Stream, Error> {
    let end = input[..end].iter().rposition(|&b| b != 0).map_or(0, |last| last + 1).next_multiple_of(4).min(end);
    let footer_at = end.checked_sub(EDGE).ok_or(fault("no stream footer", end))?;
    let footer = &input[footer_at..end];
    if &footer[10..] != FOOTER_MAGIC {
        return Err(fault("no stream footer", footer_at));
    }
    if crc32fast::hash(&footer[4..10]) != word(&footer[..4]) {
        return Err(fault("bad checksum of the stream footer", footer_at));
    }
    let index_len = (word(&footer[4..8]) as usize + 1) * 4;
    let index_at = footer_at.checked_sub(index_len).ok_or(fault("index longer than the file", footer_at))?;
    let records = records(&input[index_at..footer_at]).ok_or(fault("malformed index", index_at))?;
    let mut blocks = 0_usize;
    for (unpadded, _) in &records {
        let padded = unpadded.checked_next_multiple_of(4).and_then(|len| usize::try_from(len).ok());
        blocks =
            padded.and_then(|len| blocks.checked_add(len)).ok_or(fault("blocks longer than the file", index_at))?;
    }
    let start = index_at.checked_sub(blocks).and_then(|at| at.checked_sub(EDGE));
    let start = start.ok_or(fault("blocks longer than the file", index_at))?;
    let header = &input[start..start + EDGE];
    if !header.starts_with(MAGIC) {
        return Err(fault("no stream header", start));
    }
    if crc32fast::hash(&header[6..8]) != word(&header[8..]) || header[6..8] != footer[8..10] {
        return Err(fault("bad stream header", start));
    }
    Ok(Stream { start, records })
}

fn records(index: &[u8]) -> Option<Vec<(u64, u64)>> {
    let (body, crc) = index.split_at_checked(index.len().checked_sub(4)?)?;
    if crc32fast::hash(body) != word(crc) {
        return None;
    }
    let (indicator, mut rest) = body.split_first()?;
    let count = number(&mut rest)?;
    // A record takes two bytes at the least, which bounds the list before it is made.
    if *indicator != 0 || count > rest.len() as u64 / 2 {
        return None;
    }
    let mut records = Vec::new();
    for _ in 0..count {
        records.push((number(&mut rest).filter(|len| *len > 0)?, number(&mut rest)?));
    }
    (rest.len() < 4 && rest.iter().all(|&b| b == 0)).then_some(records)
}

/// Index and footer of a file that holds one block alone.
fn single_block_tail(header: &[u8], unpadded: u64, uncompressed: u64) -> Vec<u8> {
    let mut tail = vec![0, 1];
    push_number(&mut tail, unpadded);
    push_number(&mut tail, uncompressed);
    tail.resize(tail.len().next_multiple_of(4), 0);
    let crc = crc32fast::hash(&tail);
    tail.extend(crc.to_le_bytes());
    let mut footer = [0; 6];
    footer[..4].copy_from_slice(&(tail.len() as u32 / 4 - 1).to_le_bytes());
    footer[4..].copy_from_slice(&header[6..8]);
    tail.extend(crc32fast::hash(&footer).to_le_bytes());
    tail.extend(footer);
    tail.extend(FOOTER_MAGIC);
    tail
}

fn word(bytes: &[u8]) -> u32 {
    u32::from_le_bytes(bytes.try_into().expect("four bytes"))
}

/// Seven bits a byte, least significant first, at most nine bytes.
fn number(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for place in 0..9 {
        let (&byte, after) = rest.split_first()?;
        *rest = after;
        value |= u64::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return (byte != 0 || place == 0).then_some(value);
        }
    }
    None
}

fn push_number(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}
