//! From the bytes of a script to its syntax tree.
//!
//! Reads what dash reads, the way dash reads it: bytes (no encoding is assumed), one complete command at a time, aliases
//! while they are read. Nesting is bounded, so that no script can exhaust the stack here or in the evaluator.

use std::{collections::BTreeMap, rc::Rc, sync::Arc};

use self::{cursor::Cursor, token::Token};
use super::syntax::{Complete, FaultKind, HereDocument, Part, Place, Program, SyntaxFault, Word};

mod ansi_c;
mod braces;
mod brackets;
mod cursor;
mod grammar;
mod here;
mod simple;
mod token;
mod word;

/// Constructs inside one another.
const MAX_DEPTH: u32 = 150;

/// Bytes of aliases in one complete command.
const MAX_ALIASES: usize = 1 << 20;

/// What `alias` has defined.
pub(super) type Aliases = BTreeMap<Vec<u8>, Rc<[u8]>>;

type Result<T> = std::result::Result<T, SyntaxFault>;

/// Whose script it is: one for bash is read as sh too, but what only bash knows is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    Dash,
    Bash,
}

pub(super) const START: Place = Place { offset: 0, line: 1 };

/// Reads a whole script, without aliases.
pub(super) fn program(source: &[u8], dialect: Dialect) -> Program {
    program_at(source, dialect, START)
}

/// Reads a whole text whose first line has a number of its own, without aliases.
pub(super) fn program_at(source: &[u8], dialect: Dialect, start: Place) -> Program {
    let aliases = Aliases::new();
    let mut program = Program::default();
    let mut parser = Parser::new(source, start, dialect, &aliases, 0);
    loop {
        match parser.complete() {
            Ok(Some(complete)) => program.commands.push(complete),
            Ok(None) => return program,
            Err(fault) => {
                program.fault = Some(fault);
                return program;
            }
        }
    }
}

/// Reads the complete command at `start`, with these aliases; `None` at the end.
pub(super) fn next_complete(
    source: &[u8],
    start: Place,
    dialect: Dialect,
    aliases: &Aliases,
) -> Result<Option<Complete>> {
    Parser::new(source, start, dialect, aliases, 0).complete()
}

/// Reads a text as the body of a here-document, as `PS4` is.
pub(super) fn quoted_text(source: &[u8]) -> Result<Word> {
    let aliases = Aliases::new();
    Parser::new(source, START, Dialect::Dash, &aliases, 0).here_body()
}

struct Parser<'s> {
    cursor: Cursor<'s>,
    dialect: Dialect,
    aliases: &'s Aliases,
    /// The token that has been looked at and not taken.
    pushed: Option<Token>,
    /// Here-documents announced on this line.
    pending: Vec<Pending>,
    depth: u32,
}

/// A here-document whose body follows after the line.
struct Pending {
    document: Arc<HereDocument>,
    delimiter: Vec<u8>,
    strip_tabs: bool,
    quoted: bool,
}

impl<'s> Parser<'s> {
    fn new(source: &'s [u8], start: Place, dialect: Dialect, aliases: &'s Aliases, depth: u32) -> Self {
        let cursor = Cursor::new(source, start);
        Self { cursor, dialect, aliases, pushed: None, pending: Vec::new(), depth }
    }

    fn fault<T>(&self, kind: FaultKind) -> Result<T> {
        Err(SyntaxFault { line: self.cursor.line(), kind })
    }

    fn syntax<T>(&self, reason: impl Into<String>) -> Result<T> {
        self.fault(FaultKind::Syntax(reason.into()))
    }

    /// Refuses what only bash knows, in a script for bash; dash reads on.
    fn bash_only(&self, what: &'static str) -> Result<()> {
        match self.dialect {
            Dialect::Bash => self.fault(FaultKind::Bash(what)),
            Dialect::Dash => Ok(()),
        }
    }

    /// Runs `read` one level deeper.
    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.depth >= MAX_DEPTH {
            return self.fault(FaultKind::TooDeep(MAX_DEPTH));
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }
}

/// Whether a word is reserved.
pub(super) fn is_reserved(word: &[u8]) -> bool {
    token::RESERVED.contains(&word)
}

/// Whether a byte may start a variable's name.
pub(super) fn starts_name(byte: u8) -> bool {
    byte == b'_' || byte.is_ascii_alphabetic()
}

/// Whether a byte may be in a variable's name.
pub(super) fn in_name(byte: u8) -> bool {
    byte == b'_' || byte.is_ascii_alphanumeric()
}

/// Whether a text is a variable's name.
pub(super) fn is_name(text: &[u8]) -> bool {
    text.first().is_some_and(|&b| starts_name(b)) && text.iter().all(|&b| in_name(b))
}

/// The name in front of `=`, if a text has the shape of an assignment.
pub(super) fn assignment_name(text: &[u8]) -> Option<&[u8]> {
    let equals = memchr::memchr(b'=', text)?;
    is_name(&text[..equals]).then_some(&text[..equals])
}

/// Collects a word's parts, joining what can be one.
#[derive(Default)]
struct Parts(Vec<Part>);

impl Parts {
    fn text(&mut self, byte: u8) {
        match self.0.last_mut() {
            Some(Part::Text(text)) => text.push(byte),
            _ => self.0.push(Part::Text(vec![byte])),
        }
    }

    fn quoted(&mut self, byte: u8) {
        match self.0.last_mut() {
            Some(Part::Quoted(text)) => text.push(byte),
            _ => self.0.push(Part::Quoted(vec![byte])),
        }
    }

    fn push(&mut self, part: Part) {
        self.0.push(part);
    }
}
