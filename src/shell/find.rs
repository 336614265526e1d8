//! `find`'s expressions: tests and actions on files met on a walk.

use super::regex::Regex;
use crate::tree::{InodeId, Timestamp};

mod evaluate;
mod format;
mod parse;
mod walk;

pub(super) use parse::{Stop, parse};
pub(super) use walk::run;

/// A command line understood.
#[derive(Debug)]
pub(super) struct Query {
    pub starts: Vec<Vec<u8>>,
    pub follow: Follow,
    pub expression: Expression,
    pub min_depth: u64,
    pub max_depth: u64,
    /// Directories come after what is in them.
    pub depth_first: bool,
    /// Commands that take many files at once, by their index in the expression.
    pub batches: Vec<Batch>,
    /// Files that actions write, by their index.
    pub outputs: Vec<Vec<u8>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Follow {
    Never,
    Operands,
    Always,
}

/// `-exec ... {} +`
#[derive(Debug)]
pub(super) struct Batch {
    pub command: Vec<Vec<u8>>,
    pub in_folder: bool,
}

#[derive(Debug)]
pub(super) enum Expression {
    True,
    Not(Box<Expression>),
    And(Box<Expression>, Box<Expression>),
    Or(Box<Expression>, Box<Expression>),
    /// Both, the value being the second's.
    List(Box<Expression>, Box<Expression>),
    Test(Test),
    Action(Action),
}

/// A number to compare with: `+N`, `-N` or `N`.
#[derive(Clone, Copy, Debug)]
pub(super) enum Count {
    More(u64),
    Less(u64),
    Exactly(u64),
}

impl Count {
    fn holds(self, value: u64) -> bool {
        match self {
            Self::More(bound) => value > bound,
            Self::Less(bound) => value < bound,
            Self::Exactly(wanted) => value == wanted,
        }
    }
}

// table: one line a test
#[derive(Debug)]
pub(super) enum Test {
    False,
    Name(Glob),
    Path(Glob),
    LinkName(Glob),
    Regex(Regex),
    /// Letters of kinds of files.
    Kind(Vec<u8>),
    /// The same through a symbolic link, or of the link itself where links are followed.
    OtherKind(Vec<u8>),
    Permissions(Permissions),
    Owner(u32),
    Group(u32),
    OwnerNumber(Count),
    GroupNumber(Count),
    NoOwner,
    NoGroup,
    NewerThan(Timestamp),
    /// Age in units of so many seconds.
    Age(Count, u64),
    Empty,
    /// Size in units of so many bytes, rounded up.
    Size(Count, u64),
    Links(Count),
    Inode(Count),
    SameFile(InodeId),
    Executable,
}

/// A shell pattern, and whether either case matches.
#[derive(Debug)]
pub(super) struct Glob {
    pub pattern: Vec<u8>,
    pub fold_case: bool,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Permissions {
    Exactly(u16),
    All(u16),
    Any(u16),
}

/// Where an action writes: standard output or a file.
#[derive(Clone, Copy, Debug)]
pub(super) enum Output {
    Standard,
    File(usize),
}

#[derive(Debug)]
pub(super) enum Action {
    /// The path and this byte.
    Print(Output, u8),
    Format(Output, Vec<u8>),
    /// A command for each file, in the file's folder or where find is.
    Run {
        command: Vec<Vec<u8>>,
        in_folder: bool,
    },
    /// A command for many files.
    Collect(usize),
    Delete,
    Prune,
    Quit,
}
