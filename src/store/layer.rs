//! Layers: a package decompressed once into one file, mapped by every build after that.

use std::{
    collections::BTreeMap,
    io,
    os::unix::fs::{FileExt, PermissionsExt},
};

use bytes::Bytes;
use fs_err as fs;
use rayon::prelude::*;
use zerocopy::{FromBytes, IntoBytes};

use super::{
    Error, LAYERS, Result, Store, TMP,
    format::{ALIGN, CHUNK, Header, MAGIC, VERSION},
};
use crate::{
    deb::{
        archive::{self, Part},
        compress::{self, Limits},
    },
    digest::{Hasher, Sha256},
    map::map,
    tar::{self, Kind, Member},
    tree::Name,
};

/// A package unpacked. All bytes are ranges of one mapped file.
#[derive(Clone, Debug)]
pub struct Layer {
    /// The files of control.tar.
    pub control: BTreeMap<Name, ControlFile>,
    /// The members of data.tar, in its order.
    pub members: Vec<Member>,
    /// Length of data.tar, in bytes.
    pub data_len: u64,
}

/// One file that describes the package or is a script of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControlFile {
    pub content: Bytes,
    /// Permission bits.
    pub mode: u16,
}

pub(super) fn open_or_make(store: &Store, sum: &Sha256) -> Result<Layer> {
    match open(store, sum)? {
        Some(file) => file.layer(sum),
        None => make(store, sum)?.layer(sum),
    }
}

/// A layer's file, checked.
struct File {
    control: Bytes,
    data: Bytes,
}

/// The layer in the store; `None` when there is none, or one of another version, cut short or damaged.
fn open(store: &Store, sum: &Sha256) -> Result<Option<File>> {
    let path = store.path(LAYERS, sum);
    // Opening a named pipe would wait for ever.
    if path.symlink_metadata().is_ok_and(|there| !there.is_file()) {
        return Ok(None);
    }
    let file = match fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    if file.metadata()?.len() < ALIGN {
        return Ok(None);
    }
    Ok(check(&map(file.file())?, sum))
}

/// Whether the store has a sound layer of this package; reads all of it.
pub(super) fn is_sound(store: &Store, sum: &Sha256) -> Result<bool> {
    Ok(open(store, sum)?.is_some())
}

fn check(bytes: &Bytes, sum: &Sha256) -> Option<File> {
    let (header, _) = Header::read_from_prefix(bytes).ok()?;
    let expected = plan(sum, header.control_len.get(), header.data_len.get())?;
    let padding = bytes.get(size_of::<Header>()..ALIGN as usize)?;
    let sound = Header { digest: [0; 32], ..header } == expected
        && padding.iter().all(|byte| *byte == 0)
        && header.file_len.get() == bytes.len() as u64
        && header.digest == digest(&expected, bytes).0;
    sound.then(|| parts(bytes, &header))
}

/// The archives in a file that its header describes.
fn parts(bytes: &Bytes, header: &Header) -> File {
    let part = |start: u64, len: u64| bytes.slice(start as usize..(start + len) as usize);
    File { control: part(ALIGN, header.control_len.get()), data: part(header.data_offset.get(), header.data_len.get()) }
}

/// The header of a layer whose archives have these lengths, its digest still zero; `None` when no file could be so long.
fn plan(sum: &Sha256, control_len: u64, data_len: u64) -> Option<Header> {
    let data_offset = ALIGN.checked_add(control_len)?.checked_next_multiple_of(ALIGN)?;
    let file_len = data_offset.checked_add(data_len)?;
    Some(Header {
        magic: MAGIC,
        version: VERSION.into(),
        reserved: 0.into(),
        control_len: control_len.into(),
        data_offset: data_offset.into(),
        data_len: data_len.into(),
        file_len: file_len.into(),
        deb: sum.0,
        digest: [0; 32],
    })
}

fn digest(header: &Header, file: &[u8]) -> Sha256 {
    let sums: Vec<Sha256> = file[ALIGN as usize..].par_chunks(CHUNK).map(Sha256::of).collect();
    let mut hasher = Hasher::new();
    hasher.update(header.as_bytes());
    sums.iter().for_each(|sum| hasher.update(&sum.0));
    hasher.finish()
}

impl File {
    fn layer(&self, sum: &Sha256) -> Result<Layer> {
        let members = |part, archive| tar::members(archive).map_err(|source| Error::Tar { deb: *sum, part, source });
        let mut control = BTreeMap::new();
        for member in members("control.tar", &self.control)? {
            let bad = || Error::ControlMember { deb: *sum, path: member.path.clone() };
            match &member.kind {
                Kind::Directory if member.path.is_root() => {}
                Kind::Regular(content) => {
                    let name = Name::new(member.path.relative()).map_err(|_| bad())?;
                    let content = content.bytes(ALIGN).ok_or_else(bad)?;
                    control.insert(name, ControlFile { content, mode: member.stat.mode });
                }
                _ => return Err(bad()),
            }
        }
        Ok(Layer { control, members: members("data.tar", &self.data)?, data_len: self.data.len() as u64 })
    }
}

/// Decompresses a package of the store into a new layer.
fn make(store: &Store, sum: &Sha256) -> Result<File> {
    let deb = verified(store, sum)?;
    let archive = archive::read(&deb).map_err(|source| Error::Archive { deb: *sum, source })?;
    let file = store.temporary(sum).map_err(|error| store.writing(error, &store.root.join(TMP)))?;
    let control_len = unpack(store, &file, ALIGN, sum, "control.tar", &archive.control)?;
    let too_long = || Error::NoSpace(file.path().to_path_buf());
    let data_offset = plan(sum, control_len, 0).ok_or_else(too_long)?.data_offset.get();
    let data_len = unpack(store, &file, data_offset, sum, "data.tar", &archive.data)?;
    let header = plan(sum, control_len, data_len).ok_or_else(too_long)?;
    seal(&file, header).map_err(|error| store.writing(error, file.path()))?;
    let layer = parts(&map(file.as_file())?, &header);
    let target = store.path(LAYERS, sum);
    file.into_temp_path().persist(&target).map_err(|error| store.writing(error.error, &target))?;
    Ok(layer)
}

fn verified(store: &Store, sum: &Sha256) -> Result<Bytes> {
    let path = store.deb(sum).ok_or(Error::Absent(*sum))?;
    let deb = map(fs::File::open(&path)?.file())?;
    let found = Sha256::of(&deb);
    if found == *sum { Ok(deb) } else { Err(Error::Digest { path, expected: *sum, found }) }
}

fn unpack(
    store: &Store,
    file: &tempfile::NamedTempFile,
    start: u64,
    deb: &Sha256,
    part: &'static str,
    packed: &Part,
) -> Result<u64> {
    let write = |offset: u64, bytes: &[u8]| file.as_file().write_all_at(bytes, start + offset);
    compress::decode(packed.compression, &packed.bytes, &Limits::PACKAGE, &write).map_err(|error| match error {
        compress::Error::Write(error) => store.writing(error, file.path()),
        source => Error::Compressed { deb: *deb, part, source },
    })
}

/// Writes the header of a layer whose archives are in place.
fn seal(file: &tempfile::NamedTempFile, header: Header) -> io::Result<()> {
    let file = file.as_file();
    file.set_len(header.file_len.get())?;
    let digest = digest(&header, &map(file)?).0;
    file.write_all_at(Header { digest, ..header }.as_bytes(), 0)?;
    file.sync_data()?;
    file.set_permissions(PermissionsExt::from_mode(0o444))
}
