//! Settings' schemas, `*.gschema.xml` and what overrides them, to a GVDB file: the work of `glib-compile-schemas`.
//!
//! The form: `gschema.dtd` of GIO. Each schema is a table of its keys; a key is the tuple of its default value and of what is
//! known about its values, each with a letter before it: `l` translation, `c` choices, `e` enumeration, `f` flags, `r` range,
//! `d` defaults of single desktops.

mod key;
mod overrides;
mod read;
mod text_map;
mod write;

use std::collections::BTreeMap;

use super::{gvdb::TooLarge, hash::Table};
use key::Key;
use text_map::TextMap;

/// All schemas that files define.
#[derive(Debug, Default)]
pub struct Schemas {
    schemas: Table<Schema>,
    enums: BTreeMap<String, Enumeration>,
    flags: BTreeMap<String, Enumeration>,
}

#[derive(Debug, Default)]
struct Schema {
    path: Option<String>,
    gettext_domain: Option<String>,
    extends: Option<String>,
    list_of: Option<String>,
    keys: Table<Key>,
}

/// The values of an enumeration or of flags.
#[derive(Debug)]
struct Enumeration {
    values: TextMap,
}

/// Why a file is no file of schemas.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// glib passes the file over.
    #[error("line {line}: {reason}")]
    Rejected { line: u32, reason: String },
    /// glib may take the file.
    #[error("line {line}: {reason} is not modelled")]
    NotModelled { line: u32, reason: String },
}

impl Schemas {
    /// Adds what a file defines; nothing of it when it is rejected.
    pub fn add(&mut self, text: &str) -> Result<(), Fault> {
        read::add(self, text)
    }

    /// Puts the values of an override file in the place of defaults; which of them are passed over, or why all are.
    pub fn set_overrides(&mut self, text: &[u8]) -> Result<Vec<String>, String> {
        overrides::set(self, text)
    }

    /// The compiled file.
    pub fn compile(&self) -> Result<Vec<u8>, TooLarge> {
        write::file(self)
    }

    fn get(&self, id: &str) -> Option<&Schema> {
        self.schemas.get(id.as_bytes())
    }

    /// A schema and all that it extends, itself first.
    fn ancestry<'s>(&'s self, schema: &'s Schema) -> impl Iterator<Item = &'s Schema> {
        std::iter::successors(Some(schema), |schema| self.get(schema.extends.as_deref()?))
    }
}
