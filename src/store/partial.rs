//! Downloads on their way into the store: they survive a kill, one process at a time writes each, and only what has the right
//! size and sum becomes a file of the store.

use std::{
    io,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

use fs_err as fs;

use super::{DEBS, Error, PARTIAL, Result, Store};
use crate::digest::{Hasher, Sha256};

/// A file that is not in the store yet, locked for this process.
#[derive(Debug)]
pub struct Partial<'a> {
    store: &'a Store,
    sum: Sha256,
    file: fs::File,
}

impl Store {
    /// The begun download of the file with this sum, empty if there was none; waits while another process works on it. `None`
    /// when the store has the file, which may have come about during the wait.
    pub fn partial(&self, sum: &Sha256) -> Result<Option<Partial<'_>>> {
        let path = self.path(PARTIAL, sum);
        loop {
            if self.deb(sum).is_some() {
                return Ok(None);
            }
            let file = fs::OpenOptions::new().create(true).truncate(false).read(true).write(true).open(&path);
            let file = file.map_err(|error| self.writing(error, &path))?;
            file.file().lock()?;
            // Whoever held the lock may have moved the file into the store, or removed it.
            match fs::metadata(&path) {
                Ok(there) if there.ino() == file.metadata()?.ino() => {
                    return Ok(Some(Partial { store: self, sum: *sum, file }));
                }
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl Partial<'_> {
    /// Bytes that are there already.
    pub fn len(&self) -> Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    /// Whether nothing is there yet.
    pub fn is_empty(&self) -> Result<bool> {
        Ok(self.len()? == 0)
    }

    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// To be written to; the position is where the last writer of this value left it.
    pub fn file(&mut self) -> &mut fs::File {
        &mut self.file
    }

    /// Adds bytes at the end.
    pub fn append(&mut self, bytes: &[u8]) -> Result<()> {
        let file = &mut self.file;
        let written = io::Seek::seek(file, io::SeekFrom::End(0)).and_then(|_| io::Write::write_all(file, bytes));
        written.map_err(|error| self.store.writing(error, self.file.path()))
    }

    /// Throws away what is there.
    pub fn restart(&mut self) -> Result<()> {
        self.file.set_len(0)?;
        io::Seek::rewind(&mut self.file)?;
        Ok(())
    }

    /// Takes away what is there, which nobody will continue.
    pub fn discard(self) -> Result<()> {
        Ok(fs::remove_file(self.file.path())?)
    }

    /// Puts the file into the store when it is what it should be; otherwise it is thrown away, as no more bytes could mend it.
    pub fn commit(mut self, size: u64) -> Result<PathBuf> {
        let path = self.file.path().to_path_buf();
        let checked = self.check(size);
        if let Err(error) = checked {
            fs::remove_file(&path)?;
            return Err(error);
        }
        self.file.sync_data().map_err(|error| self.store.writing(error, &path))?;
        let target = self.store.path(DEBS, &self.sum);
        fs::rename(&path, &target).map_err(|error| self.store.writing(error, &target))?;
        // Only then: others wait to open it for writing under its old name, and so does the next process after a kill.
        self.file.set_permissions(PermissionsExt::from_mode(0o444))?;
        Ok(target)
    }

    fn check(&mut self, size: u64) -> Result<()> {
        let path = self.file.path().to_path_buf();
        let found = self.len()?;
        if found != size {
            return Err(Error::Size { path, expected: size, found });
        }
        let mut hasher = Hasher::new();
        io::Seek::rewind(&mut self.file)?;
        io::copy(&mut self.file, &mut hasher)?;
        let found = hasher.finish();
        if found != self.sum {
            return Err(Error::Digest { path, expected: self.sum, found });
        }
        Ok(())
    }
}
