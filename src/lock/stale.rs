//! Whether a lock still follows from the definitions, and what changed when it does not.

use std::collections::BTreeMap;

use super::Lock;
use crate::digest::Sha256;

/// A definition that changed after the lock was made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Stale {
    #[error("`{0}` has changed since the lock was made")]
    Changed(String),
    #[error("`{0}` is a definition that the lock does not know")]
    New(String),
    #[error("`{0}` is gone, which the lock was made from")]
    Gone(String),
}

impl Lock {
    /// Compares the definitions as they are, by path in the project, with those that the lock was made from.
    pub fn stale(&self, definitions: &BTreeMap<String, Sha256>) -> Vec<Stale> {
        let mut stale = Vec::new();
        for (path, sha256) in &self.definitions {
            match definitions.get(path) {
                None => stale.push(Stale::Gone(path.clone())),
                Some(now) if now != sha256 => stale.push(Stale::Changed(path.clone())),
                Some(_) => {}
            }
        }
        let new = definitions.keys().filter(|path| !self.definitions.contains_key(*path));
        stale.extend(new.map(|path| Stale::New(path.clone())));
        stale
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lock::reader;

    #[test]
    fn says_what_changed() {
        let text = reader::tests::sample();
        let lock = reader::read("x.lock", &text).expect("a lock");
        let mut now = lock.definitions.clone();
        assert_eq!(lock.stale(&now), []);
        now.insert("ic-os/guestos/image.toml".into(), Sha256::of(b"x"));
        now.remove("snapshots/debian-bookworm/base.toml");
        now.insert("other.toml".into(), Sha256::of(b"x"));
        let said: Vec<_> = lock.stale(&now).iter().map(ToString::to_string).collect();
        assert_eq!(
            said,
            [
                "`ic-os/guestos/image.toml` has changed since the lock was made",
                "`snapshots/debian-bookworm/base.toml` is gone, which the lock was made from",
                "`other.toml` is a definition that the lock does not know",
            ]
        );
    }
}
