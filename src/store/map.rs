//! Files of the store as shared bytes: the only unsafe code of the program.

use std::{fs::File, io};

use bytes::Bytes;

/// Maps a whole file.
#[expect(unsafe_code, reason = "a file can only be mapped so; what makes it sound stands below")]
pub(super) fn map(file: &File) -> io::Result<Bytes> {
    // SAFETY: the bytes must not change while they are mapped. Files of the store get their names when they are complete, are
    // read-only from then on, and are replaced by rename and removed by unlink, both of which leave a mapped file as it was. A
    // file that has no such name yet is one that this process alone writes, and it writes only where nobody reads the map.
    let map = unsafe { memmap2::Mmap::map(file) }?;
    Ok(Bytes::from_owner(map))
}
