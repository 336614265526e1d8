//! The cache as the loader reads it.

use super::{ENTRY_LEN, EXTENSION_MAGIC, GENERATOR, HEADER_LEN, HWCAPS, IS_HWCAPS, Library, MAGIC};

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("no cache of form 1.1")]
    Magic,
    #[error("malformed cache at byte {0}")]
    Malformed(usize),
    #[error("a library for a processor of the old kind at byte {0}")]
    OldAbilities(usize),
}

/// What a cache says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cache {
    /// In their order, the preferred of equal names first.
    pub libraries: Vec<Library>,
    /// What the program that wrote it calls itself.
    pub generator: Vec<u8>,
}

/// Names are paths at most.
const MAX_NAME: usize = 4096;
/// Sections of the extension; two are known.
const MAX_SECTIONS: usize = 16;

pub fn read(bytes: &[u8]) -> Result<Cache, Error> {
    if !bytes.starts_with(MAGIC) {
        return Err(Error::Magic);
    }
    let (generator, hwcaps) = extension(bytes)?;
    let count = offset(bytes, MAGIC.len())?;
    let mut libraries = Vec::new();
    // A count beyond the file's end is met there.
    for at in (0..count).map(|index| HEADER_LEN + ENTRY_LEN * index) {
        let abilities = u64::from(number(bytes, at + 16)?) | u64::from(number(bytes, at + 20)?) << 32;
        let hwcaps = if abilities == 0 {
            None
        } else if abilities & IS_HWCAPS == 0 {
            return Err(Error::OldAbilities(at));
        } else {
            Some(hwcaps.get(offset(bytes, at + 16)?).cloned().ok_or(Error::Malformed(at))?)
        };
        let (soname, path) = (string(bytes, at + 4)?, string(bytes, at + 8)?);
        libraries.push(Library { soname, path, flags: number(bytes, at)?, hwcaps });
    }
    Ok(Cache { libraries, generator })
}

/// The generator and the names of folders in `glibc-hwcaps`; a cache need not have either.
fn extension(bytes: &[u8]) -> Result<(Vec<u8>, Vec<Vec<u8>>), Error> {
    let (mut generator, mut hwcaps) = (Vec::new(), Vec::new());
    let at = offset(bytes, MAGIC.len() + 12)?;
    if at == 0 {
        return Ok((generator, hwcaps));
    }
    let count = offset(bytes, at.saturating_add(4))?;
    if number(bytes, at)? != EXTENSION_MAGIC || count > MAX_SECTIONS {
        return Err(Error::Malformed(at));
    }
    for section in (0..count).map(|index| at + 8 + 16 * index) {
        let (start, len) = (offset(bytes, section + 8)?, offset(bytes, section + 12)?);
        let content = start.checked_add(len).and_then(|end| bytes.get(start..end)).ok_or(Error::Malformed(section))?;
        match number(bytes, section)? {
            GENERATOR => generator = content.to_vec(),
            HWCAPS => hwcaps = (0..len / 4).map(|index| string(bytes, start + 4 * index)).collect::<Result<_, _>>()?,
            _ => {}
        }
    }
    Ok((generator, hwcaps))
}

fn number(bytes: &[u8], at: usize) -> Result<u32, Error> {
    let four = at.checked_add(4).and_then(|end| bytes.get(at..end)).and_then(|four| four.try_into().ok());
    four.map(u32::from_le_bytes).ok_or(Error::Malformed(at))
}

fn offset(bytes: &[u8], at: usize) -> Result<usize, Error> {
    usize::try_from(number(bytes, at)?).map_err(|_| Error::Malformed(at))
}

/// The string that the number at a place leads to.
fn string(bytes: &[u8], at: usize) -> Result<Vec<u8>, Error> {
    let rest = bytes.get(offset(bytes, at)?..).ok_or(Error::Malformed(at))?;
    let end = memchr::memchr(0, &rest[..rest.len().min(MAX_NAME)]).ok_or(Error::Malformed(at))?;
    Ok(rest[..end].to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Cache {
        let library = |soname: &str, hwcaps: Option<&str>| Library {
            soname: soname.into(),
            path: format!("/lib/{}{soname}", hwcaps.unwrap_or_default()).into(),
            flags: 0x0303,
            hwcaps: hwcaps.map(|name| name.as_bytes().to_vec()),
        };
        let libraries = [("libb.so.2", Some("x86-64-v2")), ("libb.so.2", Some("x86-64-v3")), ("libb.so.2", None)];
        let libraries = libraries.into_iter().chain([("liba.so.1", None)]).map(|(name, hwcaps)| library(name, hwcaps));
        Cache { libraries: libraries.collect(), generator: b"ldconfig (us)".to_vec() }
    }

    #[test]
    fn reads_what_is_written() {
        let expect = sample();
        let text = super::super::render(expect.libraries.clone(), &[b"unused".to_vec()], &expect.generator);
        assert_eq!(read(&text), Ok(expect));
        let empty = Cache { libraries: Vec::new(), generator: b"g".to_vec() };
        assert_eq!(read(&super::super::render(Vec::new(), &[], b"g")), Ok(empty));
    }

    #[test]
    fn damage_is_an_error_or_another_cache() {
        let text = super::super::render(sample().libraries, &[], b"g");
        for at in 0..text.len() {
            assert!(at == 0 || read(&text[..at]) != Ok(sample()));
            for byte in [0, 0x7f, 0xff] {
                let mut damaged = text.clone();
                damaged[at] = byte;
                drop(read(&damaged));
            }
        }
    }
}
