//! An awk program: its syntax as the interpreter runs it. The dialect is mawk's, Debian's awk, on bytes: that of 1.3.4 20200120,
//! which bookworm has.
//!
//! Whole numbers end at C's `int` there, patterns have no intervals, and `substr` and the backslashes of `sub` are its own. Later
//! mawks differ in these (noble's counts to 64 bits and has intervals); a tree that has another mawk, or gawk for its awk, is
//! still run by these rules.
//!
//! Where mawk's order or randomness has no rule, there is one here: `for (key in array)` goes by the bytes of keys, and `rand`
//! that is not seeded gives the same numbers in every run. Commands run one after the other, and what is printed waits as in the C library's buffer:
//! `print | "sort"` comes before what is printed later and not flushed.
//!
//! Not followed: matches of mawk's engine that are not the longest (`/c|[^a][ab]?b*/`), what it writes from behind the end of a
//! text (`%.*s` of a negative precision), and the refusal of some programs (`a ?` at the end of a line, `;;` between rules).

use std::rc::Rc;

use super::regex::Regex;

mod evaluate;
mod expression;
mod format;
mod functions;
mod lex;
mod parse;
mod places;
mod random;
mod record;
mod run;
mod streams;
mod value;

pub(super) use parse::parse;
pub(super) use run::{is_name, run};

/// A program, names resolved.
#[derive(Debug, Default)]
pub(super) struct Program {
    begin: Vec<Block>,
    rules: Vec<Rule>,
    end: Vec<Block>,
    functions: Vec<Function>,
    /// Names of global variables; those that awk knows come first.
    globals: Vec<Global>,
}

type Block = Vec<Statement>;

#[derive(Debug)]
struct Global {
    name: Vec<u8>,
    array: bool,
}

#[derive(Debug)]
struct Rule {
    pattern: Pattern,
    /// Nothing prints the record.
    action: Option<Block>,
}

#[derive(Debug)]
enum Pattern {
    Always,
    If(Expression),
    /// A range by its index, its ends, and whether it is open.
    Range(usize, Expression, Expression),
}

#[derive(Debug)]
struct Function {
    parameters: usize,
    /// Which parameters, and locals behind them, are arrays.
    arrays: Vec<bool>,
    body: Block,
}

#[derive(Debug)]
enum Statement {
    Expression(Expression),
    Print { values: Vec<Expression>, to: Option<Redirection> },
    Printf { values: Vec<Expression>, to: Option<Redirection> },
    If(Expression, Block, Block),
    While(Expression, Block),
    DoWhile(Block, Expression),
    For { init: Option<Box<Statement>>, condition: Option<Expression>, step: Option<Box<Statement>>, body: Block },
    ForIn { key: Place, array: Variable, body: Block },
    Block(Block),
    Next,
    NextFile,
    Exit(Option<Expression>),
    Return(Option<Expression>),
    Break,
    Continue,
    Delete(Variable, Vec<Expression>),
}

#[derive(Debug)]
struct Redirection {
    kind: RedirectionKind,
    target: Expression,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RedirectionKind {
    Write,
    Append,
    Pipe,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Variable {
    Global(usize),
    Local(usize),
}

/// What can be assigned to.
#[derive(Debug)]
enum Place {
    Variable(Variable),
    Field(Box<Expression>),
    Element(Variable, Vec<Expression>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Binary {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Power,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparison {
    Less,
    LessOrEqual,
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Debug)]
enum Expression {
    Number(f64),
    Text(Rc<[u8]>),
    /// A pattern standing alone is matched against the record.
    Regex(Rc<Regex>),
    Get(Place),
    Assign(Place, Option<Binary>, Box<Expression>),
    /// Adds to a place; the value is the new one or the old.
    Step {
        place: Place,
        by: f64,
        after: bool,
    },
    Conditional(Box<Expression>, Box<Expression>, Box<Expression>),
    And(Box<Expression>, Box<Expression>),
    Or(Box<Expression>, Box<Expression>),
    Not(Box<Expression>),
    Negate(Box<Expression>),
    Plus(Box<Expression>),
    In(Vec<Expression>, Variable),
    Matches {
        text: Box<Expression>,
        pattern: Box<Expression>,
        negated: bool,
    },
    Compare(Comparison, Box<Expression>, Box<Expression>),
    Concat(Box<Expression>, Box<Expression>),
    Arithmetic(Binary, Box<Expression>, Box<Expression>),
    Call(usize, Vec<Expression>),
    BuiltIn(BuiltIn, Vec<Expression>),
    Getline(Option<Place>, Source),
    /// A parenthesised list, which only `in` and `print` may follow or take.
    List(Vec<Expression>),
}

/// Where `getline` reads.
#[derive(Debug)]
enum Source {
    Main,
    File(Box<Expression>),
    Command(Box<Expression>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum BuiltIn {
    Atan2,
    Close,
    Cos,
    Exp,
    Fflush,
    Gsub,
    Index,
    Int,
    Length,
    Log,
    Match,
    Mktime,
    Rand,
    Sin,
    Split,
    Sprintf,
    Sqrt,
    Srand,
    Strftime,
    Sub,
    Substr,
    System,
    Systime,
    Tolower,
    Toupper,
}

/// Global variables that awk itself reads or sets, in the order of [`KNOWN`].
mod known {
    pub(super) const NF: usize = 0;
    pub(super) const NR: usize = 1;
    pub(super) const FNR: usize = 2;
    pub(super) const FS: usize = 3;
    pub(super) const OFS: usize = 4;
    pub(super) const ORS: usize = 5;
    pub(super) const RS: usize = 6;
    pub(super) const FILENAME: usize = 7;
    pub(super) const SUBSEP: usize = 8;
    pub(super) const RSTART: usize = 9;
    pub(super) const RLENGTH: usize = 10;
    pub(super) const CONVFMT: usize = 11;
    pub(super) const OFMT: usize = 12;
    pub(super) const ENVIRON: usize = 13;
    pub(super) const ARGC: usize = 14;
    pub(super) const ARGV: usize = 15;
}

const KNOWN: [&str; 16] = [
    "NF", "NR", "FNR", "FS", "OFS", "ORS", "RS", "FILENAME", "SUBSEP", "RSTART", "RLENGTH", "CONVFMT", "OFMT",
    "ENVIRON", "ARGC", "ARGV",
];
