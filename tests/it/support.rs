//! What the integration tests share: foreign judges and scratch folders.

pub mod gpg;
pub mod judge;
