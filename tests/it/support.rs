//! What the integration tests share: foreign judges and scratch folders.

pub mod apt;
pub mod archive;
pub mod client;
pub mod deb;
pub mod elf;
pub mod gpg;
pub mod judge;
pub mod map;
pub mod noble;
pub mod random;
pub mod real;
pub mod server;
pub mod tree;
