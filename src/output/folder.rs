//! A tree to a folder of the host: what an ordinary user may make, and all of it for root.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    io,
    os::unix::{ffi::OsStrExt, fs::FileExt},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

use fs_err as fs;
use rayon::prelude::*;
use rustix::{
    fs::{AtFlags, CWD, FileType, Mode, Timespec, Timestamps, XattrFlags},
    io::Errno,
    process::{Gid, Uid},
};

use super::{Error, Result};
use crate::tree::{Content, Inode, InodeId, Node, Stat, Tree, TreePath};

/// What an ordinary user can't make, by count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// Files that belong to the user instead of whom the tree says.
    pub owners: u64,
    /// Of these, files without the setuid or setgid bit that they have in the tree: it would lend the user's own rights to all.
    pub privileges: u64,
    /// Device nodes, which are missing.
    pub devices: u64,
    /// Extended attributes, which are missing.
    pub xattrs: u64,
}

/// Setuid and setgid.
const PRIVILEGES: u16 = 0o6000;

/// Writes the tree into the new folder `path`. As root everything is kept; as an ordinary user owners and the rights that
/// they lend, device nodes and privileged attributes are not, and are counted.
pub fn folder(tree: &Tree, path: &Path) -> Result<LeftOut> {
    let writer = Writer { root: rustix::process::geteuid().is_root(), ..Writer::default() };
    let mut folders = Vec::new();
    let mut others: BTreeMap<InodeId, Vec<PathBuf>> = BTreeMap::new();
    for visit in tree.walk() {
        let place = place(path, &visit.path);
        if tree.get(visit.id).is_dir() {
            // Closed to others until it is complete: nobody can slip a symbolic link in.
            at(&place, rustix::fs::mkdir(&place, Mode::RWXU))?;
            folders.push((place, visit.id));
        } else {
            others.entry(visit.id).or_default().push(place);
        }
    }
    others.par_iter().try_for_each(|(id, places)| writer.leaf(tree.get(*id), places))?;
    // Deepest first: a folder's time changes when something is put into it, and it may end up closed to writing.
    for (place, id) in folders.iter().rev() {
        writer.metadata(place, tree.get(*id))?;
    }
    Ok(LeftOut {
        owners: writer.owners.into_inner(),
        privileges: writer.privileges.into_inner(),
        devices: writer.devices.into_inner(),
        xattrs: writer.xattrs.into_inner(),
    })
}

/// The walk passes no symbolic link, so the path's parents are folders that were just made.
fn place(root: &Path, path: &TreePath) -> PathBuf {
    root.join(OsStr::from_bytes(path.relative()))
}

#[derive(Default)]
struct Writer {
    root: bool,
    owners: AtomicU64,
    privileges: AtomicU64,
    devices: AtomicU64,
    xattrs: AtomicU64,
}

impl Writer {
    /// Makes anything but a folder, under all its names.
    fn leaf(&self, inode: &Inode, places: &[PathBuf]) -> Result<()> {
        let Some((first, rest)) = places.split_first() else { return Ok(()) };
        let node = |kind, device| rustix::fs::mknodat(CWD, first, kind, Mode::RUSR | Mode::WUSR, device);
        match &inode.node {
            Node::Regular(content) => write(first, content)?,
            Node::Symlink(target) => at(first, rustix::fs::symlink(OsStr::from_bytes(target), first))?,
            Node::Fifo => at(first, node(FileType::Fifo, 0))?,
            Node::Socket => at(first, node(FileType::Socket, 0))?,
            Node::CharDevice(_) | Node::BlockDevice(_) if !self.root => {
                self.devices.fetch_add(places.len() as u64, Ordering::Relaxed);
                return Ok(());
            }
            Node::CharDevice(device) => {
                at(first, node(FileType::CharacterDevice, rustix::fs::makedev(device.major, device.minor)))?;
            }
            Node::BlockDevice(device) => {
                at(first, node(FileType::BlockDevice, rustix::fs::makedev(device.major, device.minor)))?;
            }
            Node::Directory(_) => unreachable!("directories are made before"),
        }
        for place in rest {
            at(place, rustix::fs::link(first, place))?;
        }
        self.metadata(first, inode)
    }

    /// Owner first, as changing it clears the bits and attributes that come after.
    fn metadata(&self, place: &Path, inode: &Inode) -> Result<()> {
        let Stat { mode, uid, gid, mtime, xattrs } = &inode.stat;
        let mut mode = *mode;
        if self.root {
            let (uid, gid) = (Uid::from_raw(*uid), Gid::from_raw(*gid));
            at(place, rustix::fs::chownat(CWD, place, Some(uid), Some(gid), AtFlags::SYMLINK_NOFOLLOW))?;
        } else if *uid != rustix::process::geteuid().as_raw() || *gid != rustix::process::getegid().as_raw() {
            self.owners.fetch_add(1, Ordering::Relaxed);
            if mode & PRIVILEGES != 0 && !inode.is_symlink() {
                mode &= !PRIVILEGES;
                self.privileges.fetch_add(1, Ordering::Relaxed);
            }
        }
        for (name, value) in xattrs {
            match rustix::fs::lsetxattr(place, OsStr::from_bytes(name), value, XattrFlags::empty()) {
                Err(Errno::PERM | Errno::NOTSUP) if !self.root => {
                    self.xattrs.fetch_add(1, Ordering::Relaxed);
                }
                result => at(place, result)?,
            }
        }
        if !inode.is_symlink() {
            at(place, rustix::fs::chmod(place, Mode::from_raw_mode(mode.into())))?;
        }
        let time = Timespec { tv_sec: mtime.seconds, tv_nsec: mtime.nanoseconds.into() };
        let times = Timestamps { last_access: time, last_modification: time };
        at(place, rustix::fs::utimensat(CWD, place, &times, AtFlags::SYMLINK_NOFOLLOW))
    }
}

fn write(place: &Path, content: &Content) -> Result<()> {
    let file = fs::OpenOptions::new().write(true).create_new(true).open(place)?;
    for (offset, data) in content.runs() {
        file.file().write_all_at(data, offset).map_err(|source| Error::At { path: place.to_path_buf(), source })?;
    }
    // A hole at the end.
    if content.runs().last().map_or(0, |(offset, data)| offset + data.len() as u64) < content.len() {
        file.set_len(content.len())?;
    }
    Ok(())
}

fn at<T>(place: &Path, result: rustix::io::Result<T>) -> Result<T> {
    result.map_err(|errno| Error::At { path: place.to_path_buf(), source: io::Error::from(errno) })
}
