//! Formats of GLib: GVariant values, GVDB files, and the settings' schemas that are compiled to both.

pub mod gvdb;
pub mod hash;
pub mod key_file;
pub mod schema;
pub mod variant;
