//! Whole files as shared bytes: the only unsafe code of the program.

use std::{fs::File, io};

use bytes::Bytes;

/// Maps a file. It must not change as long as the bytes or ranges of them live, but for parts that nobody reads.
#[expect(unsafe_code, reason = "a file can only be mapped so; what makes it sound stands below")]
pub(crate) fn map(file: &File) -> io::Result<Bytes> {
    // SAFETY: the bytes must not change while they are mapped. Files of the store get their names when they are complete, are
    // read-only from then on, and are replaced by rename and removed by unlink, both of which leave a mapped file as it was.
    // All other files that are mapped have a temporary name that this process gave them, and it has finished writing where it
    // reads the map.
    let map = unsafe { memmap2::Mmap::map(file) }?;
    Ok(Bytes::from_owner(map))
}
