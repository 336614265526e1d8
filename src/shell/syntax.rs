//! The syntax tree of a script, as the shell's grammar (POSIX.1-2017, XCU 2.10) has it and as dash reads it.

use std::sync::{Arc, OnceLock};

/// A script, `eval` text or substitution, read as far as its syntax holds.
///
/// A shell runs each complete command before it reads the next, so a fault further down only counts once it is reached.
#[derive(Debug, Default)]
pub(super) struct Program {
    pub(super) commands: Vec<Complete>,
    pub(super) fault: Option<SyntaxFault>,
}

/// One complete command: what a shell reads before it runs anything.
#[derive(Debug)]
pub(super) struct Complete {
    pub(super) node: Node,
    /// Where the next one starts.
    pub(super) end: Place,
    /// Bytes of aliases that were read for it.
    pub(super) laid: usize,
}

/// A position in a script.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) offset: usize,
    /// From 1.
    pub(super) line: usize,
}

/// Why a script can't be read on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{line}: {kind}")]
pub(super) struct SyntaxFault {
    pub(super) line: usize,
    pub(super) kind: FaultKind,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum FaultKind {
    #[error("Syntax error: {0}")]
    Syntax(String),
    #[error("nested more than {0} deep")]
    TooDeep(u32),
    #[error("more than {0} bytes of aliases in one command")]
    TooLong(u64),
    /// Only in scripts for bash: what follows would mean something else to dash.
    #[error("`{0}` is bash's alone")]
    Bash(&'static str),
}

#[derive(Debug)]
pub(super) enum Node {
    Simple(Simple),
    /// Two or more commands.
    Pipe(Vec<Node>),
    Not(Box<Node>),
    AndOr {
        first: Box<Node>,
        rest: Vec<(Connector, Node)>,
    },
    List(Vec<Node>),
    /// A compound command with redirections.
    Redirected {
        node: Box<Node>,
        redirects: Vec<Redirect>,
        line: usize,
    },
    Subshell {
        node: Box<Node>,
        redirects: Vec<Redirect>,
        line: usize,
    },
    Background(Box<Node>),
    If {
        /// Each condition with its commands: `if` and every `elif`.
        tests: Vec<(Node, Node)>,
        otherwise: Option<Box<Node>>,
    },
    Loop {
        test: Box<Node>,
        body: Box<Node>,
        /// `until` rather than `while`.
        until: bool,
    },
    For {
        variable: Box<[u8]>,
        /// `None`: the positional parameters.
        words: Option<Vec<Word>>,
        body: Box<Node>,
        line: usize,
    },
    Case {
        subject: Word,
        arms: Vec<Arm>,
        line: usize,
    },
    Function(Arc<Function>),
    /// `[[ ... ]]`, in scripts for bash.
    Test {
        test: Box<Test>,
        line: usize,
    },
    /// `((...))`, in scripts for bash.
    Arithmetic {
        parts: Vec<Part>,
        line: usize,
    },
}

/// What stands between `[[` and `]]`.
#[derive(Debug)]
pub(super) enum Test {
    Not(Box<Test>),
    And(Box<Test>, Box<Test>),
    Or(Box<Test>, Box<Test>),
    /// Whether a word is not empty.
    Word(Word),
    /// `-f` and its like, and `-z` and `-n`.
    Unary(Vec<u8>, Word),
    /// Files and numbers compared, and texts in their order.
    Binary(Word, Vec<u8>, Word),
    /// `==`, `=` and `!=`: what is on the right is a pattern.
    Pattern {
        word: Word,
        pattern: Word,
        negated: bool,
    },
    /// `=~`: what is on the right is a regular expression.
    Regex(Word, Word),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Connector {
    And,
    Or,
}

/// Assignments, words and redirections.
#[derive(Debug)]
pub(super) struct Simple {
    pub(super) assignments: Vec<Assignment>,
    pub(super) words: Vec<Word>,
    pub(super) redirects: Vec<Redirect>,
    pub(super) line: usize,
}

#[derive(Debug)]
pub(super) struct Assignment {
    pub(super) name: Box<[u8]>,
    /// `+=`, in scripts for bash: the value goes behind the old one.
    pub(super) append: bool,
    pub(super) value: Word,
}

#[derive(Debug)]
pub(super) struct Arm {
    pub(super) patterns: Vec<Word>,
    pub(super) body: Option<Node>,
}

#[derive(Debug)]
pub(super) struct Function {
    pub(super) name: Box<[u8]>,
    pub(super) body: Node,
}

#[derive(Debug)]
pub(super) struct Redirect {
    pub(super) fd: u32,
    pub(super) target: Target,
}

#[derive(Debug)]
pub(super) enum Target {
    /// `<`
    Read(Word),
    /// `>`, which `set -C` guards, and `>|`, which it doesn't.
    Write {
        word: Word,
        clobber: bool,
    },
    /// `>>`
    Append(Word),
    /// `<>`
    ReadWrite(Word),
    /// `<&` and `>&`
    Duplicate(Word),
    Here(Arc<HereDocument>),
    /// `<<<`, in scripts for bash: a line to read.
    HereString(Word),
}

/// The body is read after the line that announces it.
#[derive(Debug, Default)]
pub(super) struct HereDocument {
    pub(super) body: OnceLock<Word>,
}

#[derive(Debug, Default)]
pub(super) struct Word {
    pub(super) parts: Vec<Part>,
    /// The whole word, when it needs no expansion of any kind.
    pub(super) literal: Option<Vec<u8>>,
    /// Assignment-shaped as written (`name=...`), which some built-in commands ask for.
    pub(super) assignment: bool,
}

#[derive(Debug)]
pub(super) enum Part {
    /// Unquoted text.
    Text(Vec<u8>),
    /// Text in single quotes or after a backslash; in double quotes every text.
    Quoted(Vec<u8>),
    /// Double quotes.
    Double(Vec<Part>),
    Parameter(Box<Parameter>),
    /// `$(...)` or backquotes; `None` when there is nothing in them.
    Command(Option<Box<Node>>),
    Arithmetic(Vec<Part>),
}

#[derive(Debug)]
pub(super) struct Parameter {
    pub(super) name: ParameterName,
    pub(super) operation: Operation,
}

#[derive(Debug)]
pub(super) enum ParameterName {
    Variable(Box<[u8]>),
    /// `$1` and on; 0 is `$0`.
    Positional(usize),
    /// One of `@*#?-$!`.
    Special(u8),
}

#[derive(Debug)]
pub(super) enum Operation {
    Value,
    Length,
    /// `-`, `=`, `?`, `+`; `null` with the colon: an empty value counts as unset.
    Substitute {
        how: Substitute,
        null: bool,
        word: Vec<Part>,
    },
    /// `#`, `##`, `%`, `%%`
    Trim {
        suffix: bool,
        longest: bool,
        pattern: Vec<Part>,
    },
    /// `/`, in scripts for bash: what matches the pattern becomes another text.
    Replace {
        which: Replace,
        pattern: Vec<Part>,
        replacement: Vec<Part>,
    },
    /// `:`, in scripts for bash: a part, from an offset on, of some length.
    Slice {
        offset: Vec<Part>,
        length: Option<Vec<Part>>,
    },
    /// `^` and `,`, in scripts for bash: letters made large or small, all or the first.
    Letters {
        upper: bool,
        all: bool,
    },
    /// Anything else in braces, which is an error only when it is expanded.
    Bad,
}

/// Which matches of a pattern are replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Replace {
    First,
    All,
    /// The one at the start.
    Prefix,
    /// The one at the end.
    Suffix,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Substitute {
    Default,
    Assign,
    Error,
    Alternate,
}
