//! A manifest and the files that it names to the bytes of a bundle.

use std::io::{self, Read, Write};

use super::{BLOCK, END, Entry, Error, MANIFEST, Manifest, PIECE, Result, SUMS};
use crate::{
    digest::Hasher,
    progress::{Event, Progress, Unit},
    tar,
};

/// Writes a bundle to `out`. `open` gives an entry's contents and their name for messages; they are checked once more while they
/// are copied.
pub fn write<R: Read>(
    manifest: &Manifest,
    bundle: &str,
    out: &mut impl Write,
    mut open: impl FnMut(&Entry) -> io::Result<(R, String)>,
    progress: Progress<'_>,
) -> Result<()> {
    let failed = |source| Error::Io { bundle: bundle.to_owned(), source };
    let present = || manifest.entries.iter().filter(|entry| !entry.absent);
    progress(Event::Stage { name: "write", unit: Unit::Bytes, total: present().map(|entry| entry.size).sum() });
    for (name, text) in [(MANIFEST, manifest.text()), (SUMS, manifest.sums())] {
        begin(out, name, text.len() as u64, false, bundle)?;
        out.write_all(text.as_bytes()).map_err(failed)?;
        pad(out, text.len() as u64).map_err(failed)?;
    }
    let mut buffer = vec![0; PIECE];
    for entry in present() {
        begin(out, &entry.path, entry.size, entry.executable, bundle)?;
        let (mut from, path) = open(entry).map_err(failed)?;
        let (mut hasher, mut left) = (Hasher::new(), entry.size);
        loop {
            let count = from.read(&mut buffer).map_err(failed)?;
            // What has become longer has another sum, too; its first bytes alone must not make the header lie.
            let taken = (count as u64).min(left) as usize;
            hasher.update(&buffer[..count]);
            out.write_all(&buffer[..taken]).map_err(failed)?;
            left -= taken as u64;
            progress(Event::Advance(taken as u64));
            if count == 0 || taken < count {
                break;
            }
        }
        let found = hasher.finish();
        if found != entry.sha256 || left > 0 {
            return Err(Error::Changed { path, expected: entry.sha256, found });
        }
        pad(out, entry.size).map_err(failed)?;
    }
    out.write_all(&[0; END as usize]).and_then(|()| out.flush()).map_err(failed)
}

/// The header of a member, in the one form that it can have; `None` for what [`Manifest::check`] refuses.
pub(super) fn header(name: &str, size: u64, executable: bool) -> Option<[u8; BLOCK as usize]> {
    tar::plain_header(name, size, if executable { 0o755 } else { 0o644 })
}

fn begin(out: &mut impl Write, name: &str, size: u64, executable: bool, bundle: &str) -> Result<()> {
    let header = header(name, size, executable);
    let header = header.ok_or_else(|| Error::Cannot { path: name.to_owned(), why: "it is too large" })?;
    out.write_all(&header).map_err(|source| Error::Io { bundle: bundle.to_owned(), source })
}

fn pad(out: &mut impl Write, size: u64) -> io::Result<()> {
    let padding = size.next_multiple_of(BLOCK) - size;
    out.write_all(&[0; BLOCK as usize][..padding as usize])
}
