//! Compressed bytes to plain ones: xz, zstd and gzip, with bounds on what comes out and on what decoding takes.
//!
//! Xz files of several blocks, as dpkg-deb makes them of large packages, are decoded block by block in parallel.

use std::{
    io::{self, Read},
    sync::Mutex,
};

mod xz;

/// How bytes are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    None,
    Gzip,
    Xz,
    Zstd,
}

/// Bounds against hostile input.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Most bytes that may come out.
    pub output: u64,
    /// Most bytes that may come out for each byte that goes in; not applied below [`Limits::FREE`].
    pub ratio: u64,
    /// Most bytes that a decoder may take for its window.
    pub window: u64,
}

impl Limits {
    /// Output up to this is fine at any ratio.
    pub const FREE: u64 = 64 << 20;

    /// For members of packages: Debian's largest unpack to a few GiB, at ratios below 30; `xz -9` needs a window of 64 MiB,
    /// `zstd --ultra -22` of 128 MiB.
    pub const PACKAGE: Self = Self { output: 16 << 30, ratio: 300, window: 128 << 20 };

    /// For indexes of archives: they compress to a tenth or so.
    pub const INDEX: Self = Self { output: 1 << 30, ratio: 300, window: 128 << 20 };

    fn output_of(&self, input: usize) -> u64 {
        self.output.min((input as u64).saturating_mul(self.ratio).max(Self::FREE))
    }
}

/// Why bytes could not be decoded.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("decompresses to more than {limit} bytes")]
    TooLarge { limit: u64 },
    #[error("decompressing needs a window of more than {limit} bytes")]
    Window { limit: u64 },
    #[error("no compressed data")]
    Empty,
    #[error("malformed xz file: {what} at byte {offset}")]
    Xz { what: &'static str, offset: usize },
    #[error("malformed {format} data after {output} decompressed bytes")]
    Malformed {
        format: &'static str,
        output: u64,
        #[source]
        source: io::Error,
    },
    #[error("writing decompressed data")]
    Write(#[source] io::Error),
}

/// Takes decompressed bytes and where they belong; called from several threads, in any order.
pub type Sink<'a> = &'a (dyn Fn(u64, &[u8]) -> io::Result<()> + Sync);

/// Decodes `input` into `sink` and returns how many bytes there were.
pub fn decode(compression: Compression, input: &[u8], limits: &Limits, sink: Sink<'_>) -> Result<u64, Error> {
    if input.is_empty() && compression != Compression::None {
        return Err(Error::Empty);
    }
    let limit = limits.output_of(input.len());
    match compression {
        Compression::None if input.len() as u64 > limits.output => Err(Error::TooLarge { limit: limits.output }),
        Compression::None => sink(0, input).map(|()| input.len() as u64).map_err(Error::Write),
        Compression::Gzip => copy("gzip", flate2::bufread::MultiGzDecoder::new(input), 0, limit, sink),
        Compression::Zstd => {
            let fail = |source| Error::Malformed { format: "zstd", output: 0, source };
            let mut decoder = zstd::stream::read::Decoder::with_buffer(input).map_err(fail)?;
            decoder.window_log_max(limits.window.ilog2()).map_err(fail)?;
            copy("zstd", decoder, 0, limit, sink)
        }
        Compression::Xz => xz::decode(input, limits, limit, sink),
    }
}

/// Decodes into memory.
pub fn decode_to_vec(compression: Compression, input: &[u8], limits: &Limits) -> Result<Vec<u8>, Error> {
    let output = Mutex::new(Vec::new());
    decode(compression, input, limits, &|offset, bytes| {
        let mut output = output.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let start = usize::try_from(offset).map_err(io::Error::other)?;
        if output.len() < start + bytes.len() {
            output.resize(start + bytes.len(), 0);
        }
        output[start..start + bytes.len()].copy_from_slice(bytes);
        Ok(())
    })?;
    Ok(output.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner))
}

/// Reads to the end and hands every piece on, from `start` in the output; more than `limit` bytes are refused.
fn copy(format: &'static str, mut from: impl Read, start: u64, limit: u64, sink: Sink<'_>) -> Result<u64, Error> {
    let mut buffer = vec![0; 256 << 10];
    let mut output = 0;
    loop {
        let n = match from.read(&mut buffer) {
            Ok(0) => return Ok(output),
            Ok(n) => n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(source) => return Err(Error::Malformed { format, output: start + output, source }),
        };
        if n as u64 > limit - output {
            return Err(Error::TooLarge { limit });
        }
        sink(start + output, &buffer[..n]).map_err(Error::Write)?;
        output += n as u64;
    }
}
