//! A sed script: its commands in a row, and where each applies.

use std::rc::Rc;

use super::regex::Regex;

mod execute;
mod input;
mod parse;
mod substitute;

pub(super) use execute::{Ending, run};
pub(super) use input::Input;
pub(super) use parse::parse;
use substitute::Substitution;

/// What the command line says about how a script is read and run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    /// -n
    pub quiet: bool,
    /// -E
    pub extended: bool,
    /// -s or -i: each file on its own.
    pub separate: bool,
    /// What ends a line: a newline, or NUL with -z.
    pub end: u8,
    pub utf8: bool,
    /// -l, the usual length of `l`'s lines.
    pub wrap: usize,
}

#[derive(Debug)]
pub(super) struct Script {
    commands: Vec<Command>,
    /// Files that `w` writes, each emptied at the start.
    pub outputs: Vec<Vec<u8>>,
    /// The script begins with a line `#n`.
    pub quiet: bool,
}

#[derive(Debug)]
struct Command {
    first: Option<Address>,
    second: Option<End>,
    negated: bool,
    action: Action,
}

/// A pattern; an empty one is the last that was used.
type Pattern = Option<Rc<Regex>>;

#[derive(Debug)]
enum Address {
    /// As the start of a range that may end in the first line.
    Zero,
    Line(u64),
    Step {
        first: u64,
        step: u64,
    },
    Last,
    Match(Pattern),
}

/// The end of a range.
#[derive(Debug)]
enum End {
    Line(u64),
    Last,
    Match(Pattern),
    /// So many lines more.
    More(u64),
    /// At the next line whose number is a multiple.
    Multiple(u64),
}

// table: one line a command
#[derive(Debug)]
enum Action {
    /// `{`, with where its `}` is.
    Block(usize),
    Nothing,
    Append(Vec<u8>),
    Insert(Vec<u8>),
    Change(Vec<u8>),
    /// `b`, `t`, `T`: when to go, and where; past the last command is the end.
    Branch(When, usize),
    Delete,
    DeleteFirst,
    Number,
    FileName,
    Get,
    GetAppend,
    Hold,
    HoldAppend,
    Exchange,
    List(Option<usize>),
    Next,
    NextAppend,
    Print,
    PrintFirst,
    /// With the pattern space printed or not.
    Quit {
        status: u8,
        print: bool,
    },
    Read(Vec<u8>),
    ReadLine(Vec<u8>),
    Substitute(Box<Substitution>),
    /// To one of the script's outputs; the whole pattern space or its first line.
    Write(usize),
    WriteFirst(usize),
    /// Characters to exchange.
    Translate(Vec<(Vec<u8>, Vec<u8>)>),
    Zap,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum When {
    Always,
    Substituted,
    NotSubstituted,
}
