//! The shared MIME database: descriptions of types, `packages/*.xml`, to the files that programs read.
//!
//! The form of both: the Shared MIME-info Database specification, 0.21, `mime.cache` 1.2. Where it leaves the order of lines and
//! strings open, it is that of `update-mime-database`.

mod cache;
mod magic;
mod read;
mod text;
mod xml;

use crate::glib::hash::Table;
use magic::{Magic, TreeMagic};

/// Patterns of names and contents that stand for none.
const NO_GLOBS: &str = "__NOGLOBS__";
const NO_MAGIC: &str = "__NOMAGIC__";

/// Folders in which files of types that are gone are removed.
pub const MEDIA_TYPES: [&str; 16] = [
    "all",
    "uri",
    "print",
    "text",
    "application",
    "image",
    "audio",
    "inode",
    "video",
    "message",
    "model",
    "multipart",
    "x-content",
    "x-epoc",
    "x-scheme-handler",
    "font",
];

/// All types that files describe.
#[derive(Debug, Default)]
pub struct Database {
    types: Vec<MimeType>,
    by_name: Table<usize>,
    /// By `URI name`.
    namespaces: Table<usize>,
    globs: Table<Vec<Glob>>,
    magic: Vec<Magic>,
    tree_magic: Vec<TreeMagic>,
    /// The types that a type is a kind of.
    parents: Table<Vec<String>>,
    aliases: Table<usize>,
    icons: Table<String>,
    generic_icons: Table<String>,
}

#[derive(Debug)]
struct MimeType {
    name: String,
    fields: Vec<Field>,
}

/// An element that is handed on to the type's own file.
#[derive(Debug)]
struct Field {
    /// A comment's language, or that it has none.
    comment: Option<Option<String>>,
    xml: String,
}

#[derive(Debug)]
struct Glob {
    pattern: String,
    mime_type: usize,
    weight: i32,
    case_sensitive: bool,
    /// It says that earlier patterns of the type don't count.
    deletes: bool,
}

/// A file that can't be read, though the program may be able to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what} is not modelled")]
pub struct NotModelled {
    pub line: u32,
    pub what: String,
}

impl Database {
    /// Adds what a file describes; what the program would say about types that are wrong.
    pub fn add(&mut self, text: &str) -> Result<Vec<String>, NotModelled> {
        read::add(self, text)
    }

    /// Whether a type of this name is described.
    pub fn has(&self, name: &str) -> bool {
        self.by_name.get(name.as_bytes()).is_some()
    }

    /// The files, in the order in which they are written; `version` is that of shared-mime-info.
    pub fn files(&mut self, version: &str) -> Result<Vec<(String, Vec<u8>)>, NotModelled> {
        let of_types = self.by_name.iter().map(|(_, &id)| {
            let mime_type = &self.types[id];
            (format!("{}.xml", mime_type.name.to_ascii_lowercase()), xml::file(mime_type).into_bytes())
        });
        let mut files: Vec<_> = of_types.collect();
        self.sort_magic();
        let texts = [
            ("globs", text::globs(self)),
            ("globs2", text::weighted_globs(self)),
            ("magic", text::magic(self)),
            ("XMLnamespaces", text::namespaces(self)),
            ("subclasses", text::parents(self)),
            ("aliases", text::aliases(self)),
            ("types", text::types(self)),
            ("generic-icons", text::icons(&self.generic_icons)),
            ("icons", text::icons(&self.icons)),
            ("treemagic", text::tree_magic(self)),
            ("mime.cache", cache::file(self)?),
            ("version", format!("{version}\n").into_bytes()),
        ];
        files.extend(texts.map(|(name, bytes)| (name.to_owned(), bytes)));
        Ok(files)
    }

    fn name(&self, mime_type: usize) -> &str {
        &self.types[mime_type].name
    }

    /// The parts of a type's name; names without a slash are refused.
    fn key(&self, mime_type: usize) -> (&str, &str) {
        self.name(mime_type).split_once('/').unwrap_or_default()
    }

    /// Brings rules into the order in which they are tried.
    fn sort_magic(&mut self) {
        let mut magic = std::mem::take(&mut self.magic);
        magic.sort_by(|a, b| {
            let by_rank = b.priority.cmp(&a.priority).then_with(|| self.key(a.mime_type).cmp(&self.key(b.mime_type)));
            // What deletes comes first, in the order of the files.
            b.deletes.cmp(&a.deletes).then(if a.deletes { std::cmp::Ordering::Equal } else { by_rank })
        });
        self.magic = magic;
        let mut magic = std::mem::take(&mut self.tree_magic);
        magic.sort_by(|a, b| {
            b.priority.cmp(&a.priority).then_with(|| self.key(a.mime_type).cmp(&self.key(b.mime_type)))
        });
        self.tree_magic = magic;
    }
}
