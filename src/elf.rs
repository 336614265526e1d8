//! What the loader's tools ask of an ELF file (gABI, System V): class, machine, type, and names in its dynamic section.

use object::{
    Endianness,
    elf::{DT_NEEDED, DT_RPATH, DT_RUNPATH, DT_SONAME, ELFMAG, ET_DYN, FileHeader32, FileHeader64, PT_INTERP},
    read::elf::{Dyn, FileHeader, ProgramHeader},
};

/// A shared object or a dynamically linked program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dynamic {
    pub is_64: bool,
    /// `e_machine`.
    pub machine: u16,
    /// `ET_DYN`: can be loaded as a library.
    pub is_shared: bool,
    pub interpreter: Option<Vec<u8>>,
    pub soname: Option<Vec<u8>>,
    pub needed: Vec<Vec<u8>>,
    pub rpath: Option<Vec<u8>>,
    pub runpath: Option<Vec<u8>>,
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
    let mut found = Dynamic {
        is_64,
        machine: header.e_machine(endian).0,
        is_shared: header.e_type(endian) == ET_DYN,
        interpreter: None,
        soname: None,
        needed: Vec::new(),
        rpath: None,
        runpath: None,
    };
    for segment in segments {
        if segment.p_type(endian) == PT_INTERP {
            let data = segment.data(endian, bytes).map_err(|()| Error::Malformed)?;
            found.interpreter = Some(data.split(|&b| b == 0).next().unwrap_or_default().to_vec());
        }
        if let Some(entries) = segment.dynamic(endian, bytes).map_err(malformed)? {
            names::<H>(&mut found, entries, segments, endian, bytes)?;
        }
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
    use object::elf::{DT_NULL, DT_STRSZ, DT_STRTAB, DynamicTag};
    let entries: Vec<(DynamicTag, u64)> = entries
        .iter()
        .map(|entry| (entry.d_tag(endian), entry.d_val(endian).into()))
        .take_while(|(tag, _)| *tag != DT_NULL)
        .collect();
    let value = |wanted: DynamicTag| entries.iter().find(|(tag, _)| *tag == wanted).map(|(_, value)| *value);
    let (Some(address), Some(size)) = (value(DT_STRTAB), value(DT_STRSZ)) else { return Ok(()) };
    let strings = segments
        .iter()
        .find_map(|segment| segment.data_range(endian, bytes, address, size).ok().flatten())
        .ok_or(Error::Malformed)?;
    let string = |offset: u64| {
        let rest = usize::try_from(offset).ok().and_then(|offset| strings.get(offset..)).ok_or(Error::Malformed)?;
        Ok(rest.split(|&b| b == 0).next().unwrap_or_default().to_vec())
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
