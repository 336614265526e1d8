//! The cache as the loader reads it.

use super::{ENTRY_LEN, HEADER_LEN, Library, MAGIC};

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("no cache of form 1.1")]
    Magic,
    #[error("malformed cache at byte {0}")]
    Malformed(usize),
}

/// The libraries in their order, but those for processors with special abilities.
pub fn read(bytes: &[u8]) -> Result<Vec<Library>, Error> {
    if !bytes.starts_with(MAGIC) {
        return Err(Error::Magic);
    }
    let number = |at: usize| {
        let four = bytes.get(at..at + 4).and_then(|four| four.try_into().ok()).ok_or(Error::Malformed(at))?;
        Ok(u32::from_le_bytes(four))
    };
    let string = |at: usize| {
        let start = usize::try_from(number(at)?).map_err(|_| Error::Malformed(at))?;
        let rest = bytes.get(start..).ok_or(Error::Malformed(at))?;
        let end = memchr::memchr(0, &rest[..rest.len().min(4096)]).ok_or(Error::Malformed(at))?;
        Ok(rest[..end].to_vec())
    };
    let count = usize::try_from(number(MAGIC.len())?).map_err(|_| Error::Malformed(MAGIC.len()))?;
    let mut libraries = Vec::new();
    // A count beyond the file's end is met there.
    for at in (0..count).map(|index| HEADER_LEN + ENTRY_LEN * index) {
        let (flags, special) = (number(at)?, number(at + 16)? != 0 || number(at + 20)? != 0);
        let library = Library { flags, soname: string(at + 4)?, path: string(at + 8)? };
        if !special {
            libraries.push(library);
        }
    }
    Ok(libraries)
}
