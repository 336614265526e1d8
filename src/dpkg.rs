//! dpkg's database as values: what its files in `/var/lib/dpkg` say, read and written byte for byte as dpkg 1.21 does.

pub mod alternatives;
pub mod database;
pub mod diversions;
pub mod hash;
pub mod overrides;
pub mod package;
pub mod relation;
pub mod state;
pub mod triggers;
