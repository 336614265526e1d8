//! Answers that were worked out before, by a digest of everything that they follow from.

use std::io::Write;

use fs_err as fs;

use super::{ANSWERS, Error, Result, Store};
use crate::digest::Sha256;

impl Store {
    /// What was kept under a key; nothing when that is damaged.
    pub fn answer(&self, key: &Sha256) -> Option<Vec<u8>> {
        let bytes = fs::read(self.path(ANSWERS, key)).ok()?;
        let (sum, answer) = bytes.split_at_checked(32)?;
        (Sha256::of(answer).0 == *sum).then(|| answer.to_vec())
    }

    /// Keeps an answer; a store that is read-only or full does without.
    pub fn keep_answer(&self, key: &Sha256, answer: &[u8]) -> Result<()> {
        let path = self.path(ANSWERS, key);
        let kept = || -> std::io::Result<()> {
            let mut file = self.temporary(key)?;
            file.write_all(&Sha256::of(answer).0)?;
            file.write_all(answer)?;
            file.persist(&path).map_err(|error| error.error)?;
            Ok(())
        };
        match kept() {
            Ok(()) => Ok(()),
            Err(error) => match self.writing(error, &path) {
                Error::ReadOnly(_) | Error::NoSpace(_) => Ok(()),
                error => Err(error),
            },
        }
    }
}
