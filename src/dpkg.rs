//! dpkg's database as values: what its files in `/var/lib/dpkg` say, read and written byte for byte.

pub mod alternatives;
pub mod diversions;
pub mod hash;
pub mod overrides;
pub mod triggers;
