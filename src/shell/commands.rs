//! The programs that are built in, by name; one file each.

use super::{Fatal, Process, Status};

mod cat;
mod dpkg_divert;
mod dpkg_statoverride;
mod dpkg_trigger;
mod update_alternatives;

/// A built-in program.
pub type Command = fn(&mut Process<'_>) -> Result<Status, Fatal>;

/// In byte order of names, for the binary search.
const COMMANDS: &[(&str, Command)] = &[
    ("cat", cat::run),
    ("dpkg-divert", dpkg_divert::run),
    ("dpkg-statoverride", dpkg_statoverride::run),
    ("dpkg-trigger", dpkg_trigger::run),
    ("update-alternatives", update_alternatives::run),
];

/// The program of this name.
pub fn find(name: &[u8]) -> Option<Command> {
    let index = COMMANDS.binary_search_by(|(known, _)| known.as_bytes().cmp(name)).ok()?;
    Some(COMMANDS[index].1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted() {
        assert!(COMMANDS.is_sorted_by(|a, b| a.0 < b.0));
    }
}
