//! SELinux's policy as packages ship it: what libsemanage writes from modules' own texts, and the label that a path gets.
//!
//! Formats: policy packages and module policies of libsepol (`policydb.h`, `module.c`), `file_contexts(5)`,
//! `selabel_file(5)`. The rules of a policy are not read here: nothing compiles them.

mod contexts;
mod homedirs;
mod labels;
mod package;
mod policydb;
mod users;

pub use contexts::{Context, Contexts, Entry, Kind, Linked};
pub use homedirs::{Account, Homes, homedirs};
pub use labels::{ATTRIBUTE, Files, Label, Labels, kind};
pub use package::Package;
pub use policydb::{Policy, PolicyKind, Symbols, User};
pub use users::{Login, UsersExtra, seusers, users_extra};

/// Why a policy, or a file of one, can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("malformed policy package: {what} at byte {offset}")]
    Malformed { what: &'static str, offset: usize },
    #[error("{what} {number} of a policy module")]
    Unsupported { what: &'static str, number: u32 },
    #[error("line `{line}`: {why}")]
    Line { line: String, why: String },
    #[error("two labels for `{path}`: {first} and {second}")]
    Conflict { path: String, first: String, second: String },
    #[error("the policy declares no {kind} `{name}`")]
    Undeclared { kind: &'static str, name: String },
}

impl Error {
    fn line(line: &[u8], why: impl Into<String>) -> Self {
        Self::Line { line: String::from_utf8_lossy(line).into_owned(), why: why.into() }
    }
}
