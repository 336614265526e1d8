//! The contents of a regular file: shared bytes, usually a range of a mapped layer, or a sparse list of them.

use bytes::Bytes;

/// What a regular file holds. Cloning shares the bytes.
#[derive(Clone, Debug)]
pub struct Content(Repr);

#[derive(Clone, Debug)]
enum Repr {
    Whole(Bytes),
    /// Length and the data runs, ascending, not empty, not overlapping, inside the length; the rest reads as zeros.
    Sparse {
        len: u64,
        runs: Vec<(u64, Bytes)>,
    },
}

impl Content {
    /// What a reader that wants a whole file asks [`Content::bytes`] for: no file of a package is near it.
    pub const READ_LIMIT: u64 = 1 << 30;

    pub fn empty() -> Self {
        Self(Repr::Whole(Bytes::new()))
    }

    /// A file of `len` bytes that is zero but for `runs`; `None` when the runs are not ascending, apart and inside `len`.
    pub fn sparse(len: u64, runs: Vec<(u64, Bytes)>) -> Option<Self> {
        let mut end = 0;
        for (offset, data) in &runs {
            if *offset < end || data.is_empty() {
                return None;
            }
            end = offset.checked_add(data.len() as u64)?;
        }
        (end <= len).then_some(Self(Repr::Sparse { len, runs }))
    }

    pub fn len(&self) -> u64 {
        match &self.0 {
            Repr::Whole(bytes) => bytes.len() as u64,
            Repr::Sparse { len, .. } => *len,
        }
    }

    /// How many bytes [`Content::bytes`] makes, as it does where there are holes; 0 where it shares.
    pub fn made_by_bytes(&self) -> u64 {
        match &self.0 {
            Repr::Whole(_) => 0,
            Repr::Sparse { len, .. } => *len,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The data runs as (offset, bytes), ascending; everything between them is zero.
    pub fn runs(&self) -> impl Iterator<Item = (u64, &Bytes)> {
        let (whole, runs) = match &self.0 {
            Repr::Whole(bytes) => ((!bytes.is_empty()).then_some((0, bytes)), [].as_slice()),
            Repr::Sparse { runs, .. } => (None, runs.as_slice()),
        };
        whole.into_iter().chain(runs.iter().map(|(offset, data)| (*offset, data)))
    }

    /// Fills `buffer` with what the file reads as from `offset` on, zeros beyond its end. Returns whether any data was met, as
    /// opposed to holes.
    pub fn read_at(&self, offset: u64, buffer: &mut [u8]) -> bool {
        let end = offset.saturating_add(buffer.len() as u64);
        let whole;
        let runs = match &self.0 {
            Repr::Whole(bytes) => {
                whole = [(0, bytes.clone())];
                whole.as_slice()
            }
            Repr::Sparse { runs, .. } => &runs[runs.partition_point(|(at, data)| at + data.len() as u64 <= offset)..],
        };
        let mut filled = 0;
        for (at, data) in runs.iter().take_while(|(at, _)| *at < end) {
            let skipped = offset.saturating_sub(*at);
            let data = data.get(skipped as usize..).unwrap_or_default();
            let start = (at + skipped - offset) as usize;
            let len = data.len().min(buffer.len() - start);
            buffer[filled..start].fill(0);
            buffer[start..start + len].copy_from_slice(&data[..len]);
            filled = start + len;
        }
        buffer[filled..].fill(0);
        filled > 0
    }

    /// Writes `data` at `offset`, filling a gap with zeros. Appending to contents that nobody else shares copies nothing.
    pub(super) fn write_at(&mut self, offset: u64, data: &[u8]) {
        let whole = match &mut self.0 {
            Repr::Whole(bytes) => std::mem::take(bytes),
            Repr::Sparse { .. } => self.bytes(u64::MAX).unwrap_or_default(),
        };
        let mut whole = whole.try_into_mut().unwrap_or_else(|shared| shared.as_ref().into());
        let start = usize::try_from(offset).expect("the caller bounds the length");
        let end = start + data.len();
        if whole.len() < end {
            whole.resize(start.max(whole.len()), 0);
            let tail = data.len() - (whole.len() - start).min(data.len());
            let inside = data.len() - tail;
            whole[start..start + inside].copy_from_slice(&data[..inside]);
            whole.extend_from_slice(&data[inside..]);
        } else {
            whole[start..end].copy_from_slice(data);
        }
        self.0 = Repr::Whole(whole.freeze());
    }

    /// The whole file as one slice; `None` for a sparse file longer than `limit` bytes. Shares where it can.
    pub fn bytes(&self, limit: u64) -> Option<Bytes> {
        match &self.0 {
            Repr::Whole(bytes) => Some(bytes.clone()),
            Repr::Sparse { len, .. } if *len > limit => None,
            Repr::Sparse { len, runs } => {
                let mut whole = vec![0; usize::try_from(*len).ok()?];
                for (offset, data) in runs {
                    let start = usize::try_from(*offset).ok()?;
                    whole[start..start + data.len()].copy_from_slice(data);
                }
                Some(whole.into())
            }
        }
    }
}

impl From<Bytes> for Content {
    fn from(bytes: Bytes) -> Self {
        Self(Repr::Whole(bytes))
    }
}

impl From<Vec<u8>> for Content {
    fn from(bytes: Vec<u8>) -> Self {
        Bytes::from(bytes).into()
    }
}

/// Two contents are equal when they read the same, however their runs are cut.
impl PartialEq for Content {
    fn eq(&self, other: &Self) -> bool {
        if self.len() != other.len() {
            return false;
        }
        let (mut a, mut b) = (Pieces::new(self), Pieces::new(other));
        let mut at = 0;
        while at < self.len() {
            let (x, y) = (a.at(at), b.at(at));
            let step = x.len().min(y.len());
            let same = match (x, y) {
                (Piece::Data(x), Piece::Data(y)) => x[..step as usize] == y[..step as usize],
                (Piece::Data(d), Piece::Zero(_)) | (Piece::Zero(_), Piece::Data(d)) => {
                    d[..step as usize].iter().all(|&b| b == 0)
                }
                (Piece::Zero(_), Piece::Zero(_)) => true,
            };
            if !same {
                return false;
            }
            at += step;
        }
        true
    }
}

impl Eq for Content {}

enum Piece<'a> {
    Data(&'a [u8]),
    Zero(u64),
}

impl Piece<'_> {
    fn len(&self) -> u64 {
        match self {
            Piece::Data(data) => data.len() as u64,
            Piece::Zero(len) => *len,
        }
    }
}

struct Pieces<'a> {
    len: u64,
    runs: Vec<(u64, &'a Bytes)>,
    next: usize,
}

impl<'a> Pieces<'a> {
    fn new(content: &'a Content) -> Self {
        Self { len: content.len(), runs: content.runs().collect(), next: 0 }
    }

    /// What stands at `at`, up to where it changes; `at` never goes back.
    fn at(&mut self, at: u64) -> Piece<'a> {
        while let Some(&(offset, data)) = self.runs.get(self.next) {
            if at < offset {
                return Piece::Zero(offset - at);
            }
            if at < offset + data.len() as u64 {
                return Piece::Data(&data[(at - offset) as usize..]);
            }
            self.next += 1;
        }
        Piece::Zero(self.len - at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equality_ignores_runs() {
        let whole = Content::from(b"ab\0\0\0c".to_vec());
        let sparse = Content::sparse(6, vec![(0, Bytes::from_static(b"ab")), (5, Bytes::from_static(b"c"))])
            .expect("valid runs");
        assert_eq!(whole, sparse);
        assert_ne!(Content::from(b"ab\0\0\0d".to_vec()), sparse);
        assert_eq!(sparse.bytes(6).as_deref(), Some(b"ab\0\0\0c".as_slice()));
        assert_eq!(sparse.bytes(5), None);
        assert_eq!(Content::sparse(1 << 32, vec![]), Content::sparse(1 << 32, vec![(9, Bytes::from_static(b"\0"))]));
    }

    #[test]
    fn writes_anywhere() {
        let check = |start: &[u8], offset, data: &[u8], expect: &[u8]| {
            let mut content = Content::from(start.to_vec());
            content.write_at(offset, data);
            assert_eq!(content.bytes(99).as_deref(), Some(expect));
        };
        check(b"", 0, b"ab", b"ab");
        check(b"ab", 2, b"c", b"abc");
        check(b"abcd", 1, b"XY", b"aXYd");
        check(b"abcd", 3, b"XY", b"abcXY");
        check(b"a", 3, b"d", b"a\0\0d");
        let mut sparse = Content::sparse(3, vec![(1, Bytes::from_static(b"b"))]).expect("valid runs");
        sparse.write_at(0, b"a");
        assert_eq!(sparse.bytes(3).as_deref(), Some(b"ab\0".as_slice()));
    }

    #[test]
    fn reads_anywhere() {
        let run = |at, text: &'static str| (at, Bytes::from_static(text.as_bytes()));
        let sparse = Content::sparse(12, vec![run(2, "ab"), run(4, "c"), run(8, "de")]).expect("valid runs");
        for content in [sparse.bytes(99).expect("short").into(), sparse] {
            let whole = content.bytes(99).expect("short");
            for offset in 0..16 {
                for len in 0..16 {
                    let mut buffer = vec![0xff; len];
                    let data = content.read_at(offset, &mut buffer);
                    let expect: Vec<u8> =
                        (0..len).map(|at| whole.get(offset as usize + at).copied().unwrap_or(0)).collect();
                    assert_eq!(buffer, expect, "{offset} {len}");
                    assert!(data || expect.iter().all(|&b| b == 0), "{offset} {len}");
                }
            }
        }
    }

    #[test]
    fn refuses_bad_runs() {
        let run = |at| (at, Bytes::from_static(b"xy"));
        assert_eq!(Content::sparse(3, vec![run(2)]), None);
        assert_eq!(Content::sparse(9, vec![run(3), run(4)]), None);
        assert_eq!(Content::sparse(9, vec![(0, Bytes::new())]), None);
    }
}
