//! What the loader's tools ask of an ELF file (gABI, System V): class, machine, type, and names in its dynamic section.
//!
//! Strings and tables are bounded, so that no file can make more of itself than a few times its size.

use object::{
    Endianness,
    elf::{
        DF_1_NODEFLIB, DT_AUXILIARY, DT_FILTER, DT_FLAGS_1, DT_NEEDED, DT_NULL, DT_RPATH, DT_RUNPATH, DT_SONAME,
        DT_STRSZ, DT_STRTAB, DynamicTag, ELFMAG, ET_DYN, ET_EXEC, FileHeader32, FileHeader64, PT_DYNAMIC, PT_INTERP,
    },
    read::elf::{Dyn, FileHeader, ProgramHeader},
};

/// Entries of a dynamic section; the largest programs have some hundred.
const MAX_ENTRIES: usize = 1 << 14;
/// Bytes of a name: as many as a path may have.
const MAX_NAME: usize = 4096;

/// A shared object or a program.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dynamic {
    pub is_64: bool,
    /// `e_machine`.
    pub machine: u16,
    /// `ET_DYN`: can be loaded as a library.
    pub is_shared: bool,
    /// `ET_EXEC`: a program at a fixed address.
    pub is_executable: bool,
    /// Has a dynamic section at all; a static program needs none.
    pub is_dynamic: bool,
    pub interpreter: Option<Vec<u8>>,
    pub soname: Option<Vec<u8>>,
    pub needed: Vec<Vec<u8>>,
    pub rpath: Option<Vec<u8>>,
    pub runpath: Option<Vec<u8>>,
    /// `DF_1_NODEFLIB`: what it needs is not searched in the default folders.
    pub no_default_folders: bool,
    /// `DT_FILTER` or `DT_AUXILIARY`: another library stands in for some of its symbols.
    pub is_filter: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("not an ELF file")]
    Magic,
    #[error("malformed ELF file")]
    Malformed,
}

/// Reads the dynamic section; a static program has an empty one.
pub fn dynamic(bytes: &[u8]) -> Result<Dynamic, Error> {
    if !bytes.starts_with(&ELFMAG) {
        return Err(Error::Magic);
    }
    match bytes.get(4) {
        Some(1) => read::<FileHeader32<Endianness>>(bytes, false),
        Some(2) => read::<FileHeader64<Endianness>>(bytes, true),
        _ => Err(Error::Malformed),
    }
}

fn read<H: FileHeader<Endian = Endianness>>(bytes: &[u8], is_64: bool) -> Result<Dynamic, Error> {
    let malformed = |_| Error::Malformed;
    let header = H::parse(bytes).map_err(malformed)?;
    let endian = header.endian().map_err(malformed)?;
    let segments = header.program_headers(endian, bytes).map_err(malformed)?;
    let kind = header.e_type(endian);
    let mut found = Dynamic {
        is_64,
        machine: header.e_machine(endian).0,
        is_shared: kind == ET_DYN,
        is_executable: kind == ET_EXEC,
        ..Dynamic::default()
    };
    if let Some(segment) = segments.iter().find(|segment| segment.p_type(endian) == PT_INTERP) {
        let data = segment.data(endian, bytes).map_err(|()| Error::Malformed)?;
        found.interpreter = Some(name(data)?);
    }
    if let Some(segment) = segments.iter().find(|segment| segment.p_type(endian) == PT_DYNAMIC) {
        found.is_dynamic = true;
        let entries = segment.dynamic(endian, bytes).map_err(malformed)?.unwrap_or_default();
        names::<H>(&mut found, entries, segments, endian, bytes)?;
    }
    Ok(found)
}

fn names<H: FileHeader<Endian = Endianness>>(
    found: &mut Dynamic,
    entries: &[H::Dyn],
    segments: &[H::ProgramHeader],
    endian: Endianness,
    bytes: &[u8],
) -> Result<(), Error> {
    let entries: Vec<(DynamicTag, u64)> = entries
        .iter()
        .map(|entry| (entry.d_tag(endian), entry.d_val(endian).into()))
        .take_while(|(tag, _)| *tag != DT_NULL)
        .take(MAX_ENTRIES + 1)
        .collect();
    if entries.len() > MAX_ENTRIES {
        return Err(Error::Malformed);
    }
    let value = |wanted: DynamicTag| entries.iter().find(|(tag, _)| *tag == wanted).map(|(_, value)| *value);
    found.no_default_folders = value(DT_FLAGS_1).is_some_and(|flags| flags & DF_1_NODEFLIB.0 != 0);
    found.is_filter = value(DT_FILTER).or(value(DT_AUXILIARY)).is_some();
    let (Some(address), Some(size)) = (value(DT_STRTAB), value(DT_STRSZ)) else { return Ok(()) };
    let strings = segments
        .iter()
        .find_map(|segment| segment.data_range(endian, bytes, address, size).ok().flatten())
        .ok_or(Error::Malformed)?;
    let string = |offset: u64| {
        name(usize::try_from(offset).ok().and_then(|offset| strings.get(offset..)).ok_or(Error::Malformed)?)
    };
    for (tag, value) in &entries {
        match *tag {
            DT_SONAME => found.soname = Some(string(*value)?),
            DT_NEEDED => found.needed.push(string(*value)?),
            DT_RPATH => found.rpath = Some(string(*value)?),
            DT_RUNPATH => found.runpath = Some(string(*value)?),
            _ => {}
        }
    }
    Ok(())
}

/// The string that some bytes begin with.
fn name(bytes: &[u8]) -> Result<Vec<u8>, Error> {
    let bytes = &bytes[..bytes.len().min(MAX_NAME)];
    let end = memchr::memchr(0, bytes).ok_or(Error::Malformed)?;
    Ok(bytes[..end].to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_running_program() {
        let path = std::env::current_exe().expect("a path");
        let found = dynamic(&fs_err::read(path).expect("readable")).expect("an ELF file");
        assert!(found.needed.iter().any(|name| name == b"libc.so.6"), "{found:?}");
        assert!(found.soname.is_none() && found.interpreter.is_some());
    }

    #[test]
    fn refuses_what_is_none() {
        assert_eq!(dynamic(b"#!/bin/sh"), Err(Error::Magic));
        assert_eq!(dynamic(b"\x7fELF\x02\x01\x01"), Err(Error::Malformed));
        assert_eq!(dynamic(b"\x7fELF\x09"), Err(Error::Malformed));
    }
}
