//! Images as shared bytes.

use std::fs::File;

use bytes::Bytes;

/// Maps a whole file, however long and sparse.
#[expect(unsafe_code, reason = "a file can only be mapped so; what makes it sound stands below")]
pub fn map(file: &File) -> Bytes {
    // SAFETY: the bytes must not change while they are mapped; a test writes its scratch files before it maps them.
    let map = unsafe { memmap2::Mmap::map(file) }.expect("a file that can be mapped");
    Bytes::from_owner(map)
}
