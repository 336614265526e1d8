//! What steps bring onto the target from outside: files beside `overlay.toml`, and artifacts with their sums.

use std::{
    os::unix::{ffi::OsStrExt, fs::PermissionsExt},
    path::{Path, PathBuf},
};

use bytes::Bytes;

use super::{LoadFault, Source};
use crate::{
    digest::{Sha256, Sha512},
    manifest::overlay::Mode,
    tree::Content,
};

/// Something to be placed at a path of the target.
#[derive(Clone, Debug)]
pub(super) struct Placed {
    pub(super) path: Vec<u8>,
    pub(super) entry: Entry,
}

#[derive(Clone, Debug)]
pub(super) enum Entry {
    Directory,
    File { content: Content, mode: u16 },
    Symlink(Vec<u8>),
}

impl Placed {
    pub(super) fn file(path: impl Into<Vec<u8>>, content: impl Into<Content>, mode: u16) -> Self {
        Self { path: path.into(), entry: Entry::File { content: content.into(), mode } }
    }

    /// What an overlay's digest covers.
    pub(super) fn summary(&self) -> Vec<u8> {
        match &self.entry {
            Entry::Directory => b"directory".to_vec(),
            Entry::File { content, mode } => {
                format!("file {mode:o} {}", crate::tree::content_digest(content)).into_bytes()
            }
            Entry::Symlink(target) => [b"symlink ", target.as_slice()].concat(),
        }
    }
}

/// A path of the target below a folder of it.
pub(super) fn below(folder: &str, relative: &[u8]) -> Vec<u8> {
    [folder.trim_end_matches('/').as_bytes(), b"/", relative].concat()
}

/// Where a name leads beside the overlay. A symbolic link on the way could lead anywhere on this machine, so none is followed.
fn beside(source: &Source<'_>, name: &str) -> Result<PathBuf, LoadFault> {
    let mut path = source.folder.to_path_buf();
    for part in Path::new(name).components() {
        path.push(part);
        if path.is_symlink() {
            return Err(LoadFault::Link(path));
        }
    }
    Ok(path)
}

/// A file beside the overlay.
pub(super) fn read(source: &Source<'_>, name: &str) -> Result<Vec<u8>, LoadFault> {
    let path = beside(source, name)?;
    match path.metadata() {
        Ok(metadata) if metadata.is_file() => Ok(fs_err::read(&path)?),
        Ok(metadata) if !metadata.is_dir() => Err(LoadFault::Kind(path)),
        _ => Err(LoadFault::NoFile(path)),
    }
}

/// A single file, or what a folder holds; parents come before what is in them.
pub(super) fn copied(source: &Source<'_>, from: &str, to: &str, mode: Option<Mode>) -> Result<Vec<Placed>, LoadFault> {
    let top = beside(source, from)?;
    if !top.is_dir() {
        let Ok(metadata) = top.metadata() else { return Err(LoadFault::NoFile(top)) };
        let Mode(bits) = mode.unwrap_or(Mode(if metadata.permissions().mode() & 0o100 != 0 { 0o755 } else { 0o644 }));
        return Ok(vec![Placed::file(to, read(source, from)?, bits)]);
    }
    if mode.is_some() {
        return Err(LoadFault::ModeOfFolder(top));
    }
    let mut found = entries(&top)?;
    found.sort_by(|a, b| a.0.cmp(&b.0));
    let all = found.into_iter().map(|(relative, entry)| Placed { path: below(to, &relative), entry });
    Ok(std::iter::once(Placed { path: to.into(), entry: Entry::Directory }).chain(all).collect())
}

fn entries(top: &Path) -> Result<Vec<(Vec<u8>, Entry)>, LoadFault> {
    let mut found = Vec::new();
    let mut todo = vec![top.to_path_buf()];
    while let Some(folder) = todo.pop() {
        for entry in fs_err::read_dir(&folder)? {
            let path = entry?.path();
            let relative = path.strip_prefix(top).expect("an entry below the folder that was listed");
            let relative = relative.as_os_str().as_bytes().to_vec();
            let metadata = fs_err::symlink_metadata(&path)?;
            if metadata.is_dir() {
                found.push((relative, Entry::Directory));
                todo.push(path);
            } else if metadata.is_symlink() {
                let target = fs_err::read_link(&path)?.as_os_str().as_bytes().to_vec();
                found.push((relative, Entry::Symlink(target)));
            } else if metadata.is_file() {
                let mode = if metadata.permissions().mode() & 0o100 != 0 { 0o755 } else { 0o644 };
                found.push((relative, Entry::File { content: fs_err::read(&path)?.into(), mode }));
            } else {
                return Err(LoadFault::Kind(path));
            }
        }
    }
    Ok(found)
}

/// The bytes of an artifact, which have the sums that the step says: from beside the overlay, else from the store.
pub(super) fn artifact(
    source: &Source<'_>,
    from: &str,
    sha256: Option<Sha256>,
    sha512: Option<Sha512>,
) -> Result<Bytes, LoadFault> {
    let beside = beside(source, from)?;
    let stored = || sha256.and_then(|sum| (source.stored)(&sum));
    let path: PathBuf = if beside.is_file() { beside } else { stored().ok_or(LoadFault::NoArtifact(beside))? };
    let bytes = fs_err::read(&path)?;
    let differs = |kind, expected: String, found: String| {
        if expected == found { Ok(()) } else { Err(LoadFault::Sum { path: path.clone(), kind, expected, found }) }
    };
    if let Some(expected) = sha256 {
        differs("sha256", expected.to_string(), Sha256::of(&bytes).to_string())?;
    }
    if let Some(expected) = sha512 {
        differs("sha512", expected.to_string(), Sha512::of(&bytes).to_string())?;
    }
    Ok(bytes.into())
}
