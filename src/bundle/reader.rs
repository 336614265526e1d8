//! The bytes of a bundle to its manifest and members, all of them checked.

use std::collections::BTreeSet;

use rayon::prelude::*;

use super::{
    BLOCK, BadManifest, END, Entry, Error, Fault, MANIFEST, Manifest, PIECE, ReadAt, Result, SUMS, manifest, writer,
};
use crate::{
    digest::{Hasher, Sha256},
    progress::{Event, Progress, Unit},
    tar,
};

/// Longest manifest, in bytes: fifty thousand files.
const MAX_MANIFEST: u64 = 16 << 20;

/// An open bundle whose form is right: every header, every size, the manifest, the end.
#[derive(Debug)]
pub struct Bundle<S> {
    name: String,
    source: S,
    manifest: Manifest,
    /// Where each entry's contents begin; `None` for what the base has.
    offsets: Vec<Option<u64>>,
}

impl<S: ReadAt> Bundle<S> {
    /// Reads everything but the contents of the members. `name` stands for the file in messages.
    pub fn open(name: &str, source: S) -> Result<Self> {
        let size = source.size().map_err(|source| Error::Io { bundle: name.to_owned(), source })?;
        let walk = Walk { name, source: &source, size };
        let (manifest, mut at) = walk.manifest()?;
        at = walk.sums(&manifest, at)?;
        let (mut offsets, mut last) = (Vec::new(), SUMS);
        let mut before = BTreeSet::from([MANIFEST.as_bytes().to_vec(), SUMS.as_bytes().to_vec()]);
        for entry in &manifest.entries {
            if entry.absent {
                offsets.push(None);
                continue;
            }
            let start = walk.header(&entry.path, entry.size, entry.executable, at, &before)?;
            offsets.push(Some(start));
            at = walk.padded(&entry.path, start, entry.size)?;
            before.insert(entry.path.clone().into_bytes());
            last = &entry.path;
        }
        walk.end(last, at, &before)?;
        Ok(Self { name: name.to_owned(), source, manifest, offsets })
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The sums of everything that is in the bundle or in what it is based on.
    pub fn sums(&self) -> BTreeSet<Sha256> {
        self.manifest.entries.iter().map(|entry| entry.sha256).collect()
    }

    /// Checks the sum of every member.
    pub fn verify(&self, progress: Progress<'_>) -> Result<()> {
        let entries = &self.manifest.entries;
        let total = entries.iter().filter(|entry| !entry.absent).map(|entry| entry.size).sum();
        progress(Event::Stage { name: "check", unit: Unit::Bytes, total });
        let check = |index: usize| {
            let done = self.copy(index, &mut |_| Ok::<(), Error>(()));
            progress(Event::Advance(entries[index].size));
            done
        };
        // All of them, so that the first fault by order is told, whichever thread was first.
        let all: Vec<_> =
            (0..entries.len()).into_par_iter().filter(|&index| !entries[index].absent).map(check).collect();
        all.into_iter().collect()
    }

    /// Copies an entry's contents piece by piece; an error at the end when they have not their sum. An absent one's are none.
    pub fn copy<E: From<Error>>(
        &self,
        index: usize,
        to: &mut dyn FnMut(&[u8]) -> std::result::Result<(), E>,
    ) -> std::result::Result<(), E> {
        let Some(start) = self.offsets[index] else { return Ok(()) };
        let entry = &self.manifest.entries[index];
        let failed = |source| Error::Io { bundle: self.name.clone(), source };
        let mut buffer = vec![0; PIECE.min(usize::try_from(entry.size).unwrap_or(PIECE))];
        let (mut hasher, mut done) = (Hasher::new(), 0);
        while done < entry.size {
            let part = &mut buffer[..(entry.size - done).min(PIECE as u64) as usize];
            self.source.read_exact_at(part, start + done).map_err(failed)?;
            hasher.update(part);
            to(part)?;
            done += part.len() as u64;
        }
        let found = hasher.finish();
        if found == entry.sha256 {
            return Ok(());
        }
        Err(self.fault(entry, Fault::Digest { expected: entry.sha256, found }).into())
    }

    /// An error about an entry.
    pub fn fault(&self, entry: &Entry, fault: Fault) -> Error {
        Error::Member { bundle: self.name.clone(), member: entry.path.clone(), fault }
    }
}

/// A bundle on its way in.
struct Walk<'a, S> {
    name: &'a str,
    source: &'a S,
    size: u64,
}

impl<S: ReadAt> Walk<'_, S> {
    fn fault(&self, member: &str, fault: impl Into<Fault>) -> Error {
        Error::Member { bundle: self.name.to_owned(), member: member.to_owned(), fault: fault.into() }
    }

    fn bytes(&self, member: &str, at: u64, len: u64) -> Result<Vec<u8>> {
        if at.checked_add(len).is_none_or(|end| end > self.size) {
            return Err(self.fault(member, Fault::Cut));
        }
        let mut bytes = vec![0; usize::try_from(len).map_err(|_| self.fault(member, Fault::Cut))?];
        let read = self.source.read_exact_at(&mut bytes, at);
        read.map_err(|source| Error::Io { bundle: self.name.to_owned(), source })?;
        Ok(bytes)
    }

    fn block(&self, member: &str, at: u64) -> Result<[u8; BLOCK as usize]> {
        let block = self.bytes(member, at, BLOCK)?;
        Ok(block.try_into().expect("a block was asked for"))
    }

    fn manifest(&self) -> Result<(Manifest, u64)> {
        // A header begins with the name.
        let begin = self.bytes(MANIFEST, 0, self.size.min(MANIFEST.len() as u64))?;
        if !MANIFEST.as_bytes().starts_with(&begin) {
            return Err(Error::NoBundle(self.name.to_owned()));
        }
        let found = tar::read_plain(&self.block(MANIFEST, 0)?);
        let size = found.size.ok_or_else(|| self.fault(MANIFEST, Fault::Header))?;
        if size > MAX_MANIFEST {
            return Err(self.fault(MANIFEST, Fault::TooLong(MAX_MANIFEST)));
        }
        let start = self.header(MANIFEST, size, false, 0, &BTreeSet::new())?;
        let text = self.bytes(MANIFEST, start, size)?;
        let manifest = Manifest::read(&text).map_err(|bad| self.fault(MANIFEST, bad))?;
        Ok((manifest, self.padded(MANIFEST, start, size)?))
    }

    fn sums(&self, manifest: &Manifest, at: u64) -> Result<u64> {
        let expected = manifest.sums();
        let size = expected.len() as u64;
        let before = BTreeSet::from([MANIFEST.as_bytes().to_vec()]);
        let start = self.header(SUMS, size, false, at, &before)?;
        let found = self.bytes(SUMS, start, size)?;
        if found != expected.as_bytes() {
            // The manifest's own sum is the first.
            let sum = |text: &[u8]| std::str::from_utf8(text.get(..64)?).ok()?.parse::<Sha256>().ok();
            return Err(match (sum(&found), sum(expected.as_bytes())) {
                (Some(named), Some(is)) if named != is => {
                    self.fault(MANIFEST, Fault::Digest { expected: named, found: is })
                }
                _ => self.fault(SUMS, Fault::Sums),
            });
        }
        self.padded(SUMS, start, size)
    }

    /// Where the contents begin of the member whose header must be at `at`.
    fn header(&self, name: &str, size: u64, executable: bool, at: u64, before: &BTreeSet<Vec<u8>>) -> Result<u64> {
        let block = self.block(name, at)?;
        if writer::header(name, size, executable).is_some_and(|expected| expected == block) {
            return Ok(at + BLOCK);
        }
        let (found, fault) = wrong(&block, name, before);
        Err(self.fault(&found, fault))
    }

    /// Where the next member begins.
    fn padded(&self, name: &str, start: u64, size: u64) -> Result<u64> {
        let end = start.checked_add(size).filter(|end| *end <= self.size);
        let end = end.ok_or_else(|| self.fault(name, Fault::Cut))?;
        let padding = self.bytes(name, end, end.next_multiple_of(BLOCK) - end)?;
        if padding.iter().any(|byte| *byte != 0) {
            return Err(self.fault(name, Fault::Padding));
        }
        Ok(end + padding.len() as u64)
    }

    fn end(&self, last: &str, at: u64, before: &BTreeSet<Vec<u8>>) -> Result<()> {
        if self.size - at < END {
            return Err(self.fault(last, Fault::NoEnd));
        }
        let mark = self.bytes(last, at, END)?;
        if mark.iter().any(|byte| *byte != 0) {
            let block = mark[..BLOCK as usize].try_into().expect("the mark is longer than a block");
            let (found, fault) = wrong(&block, "", before);
            return Err(if found.is_empty() { self.fault(last, Fault::End) } else { self.fault(&found, fault) });
        }
        match self.size - at - END {
            0 => Ok(()),
            extra => Err(Error::Trailing { bundle: self.name.to_owned(), member: last.to_owned(), extra }),
        }
    }
}

/// What stands where `expected` should, and what is wrong with it.
fn wrong(block: &[u8; BLOCK as usize], expected: &str, before: &BTreeSet<Vec<u8>>) -> (String, Fault) {
    let found = tar::read_plain(block);
    let name = found.name.escape_ascii().to_string();
    let fault = match std::str::from_utf8(&found.name).map(manifest::check_path) {
        _ if found.name.starts_with(b"/") => Fault::Absolute,
        _ if found.name.is_empty() => return (expected.to_owned(), Fault::Header),
        Ok(Err(BadManifest::Path { .. }))
            if found.name.split(|b| *b == b'/').any(|part| matches!(part, b"" | b"." | b"..")) =>
        {
            Fault::Escapes
        }
        _ if found.kind != b'0' => Fault::Type(found.kind),
        _ if before.contains(&found.name) => Fault::Twice,
        _ if found.name == expected.as_bytes() => Fault::Header,
        _ if expected.is_empty() => Fault::Stowaway,
        _ => Fault::Order(expected.to_owned()),
    };
    (name, fault)
}
