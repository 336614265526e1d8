//! Debian's formats: packages, control files, versions, dependencies, indexes.

pub mod archive;
pub mod changelog;
pub mod compress;
pub mod control;
pub mod dependency;
pub mod fingerprint;
pub mod packages;
pub mod release;
pub mod version;
