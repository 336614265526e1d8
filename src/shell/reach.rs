//! Which commands a script can come to, found without running it: a partial evaluation over its syntax tree.
//!
//! What is known from the start (arguments, given variables) is followed, so that of `case "$1" in` only the arm that
//! matches counts; anything else is unknown, and of an unknown condition both branches count. The answer may so have
//! commands that no run reaches, but lacks none, except behind `eval` and names that are only made when the script runs:
//! those are counted in [`Reached::dynamic`].

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
    sync::Arc,
};

use bytes::Bytes;

use super::{
    parse::{self, Dialect},
    syntax::{Function, Program},
};

mod command;
mod condition;
mod walk;
mod word;

/// A script, and what is known when it starts.
#[derive(Clone, Copy)]
pub struct Question<'a> {
    pub source: &'a [u8],
    /// It is for bash.
    pub bash: bool,
    /// `$1` and on.
    pub arguments: &'a [&'a [u8]],
    /// Variables with their values; `None`: something. All others are unset.
    pub variables: &'a [(&'a [u8], Option<&'a [u8]>)],
    /// A file that the script reads with `.`, by its path.
    pub file: &'a dyn Fn(&[u8]) -> Option<Bytes>,
}

impl std::fmt::Debug for Question<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Question").field("bash", &self.bash).field("arguments", &self.arguments).finish()
    }
}

/// A test on the way to a command: `command -v PROGRAM`, `[ -x ... ]`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Guard {
    pub program: Vec<u8>,
    /// The way is gone if the program is there, rather than if it isn't.
    pub there: bool,
}

/// All tests on one way to a command.
pub type Guards = BTreeSet<Guard>;

/// What a script can come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reached {
    /// Programs that are no part of the shell: by name if they are in a folder of `PATH`, else by path. Each with the guards
    /// of every way to it.
    pub programs: BTreeMap<Vec<u8>, BTreeSet<Guards>>,
    /// Lines of commands whose names, or `eval` texts, are only made when the script runs.
    pub dynamic: BTreeSet<usize>,
    /// Files read with `.` that nobody could show.
    pub unread: BTreeSet<Vec<u8>>,
    /// Why the script can't be read to its end.
    pub fault: Option<String>,
}

/// Finds what a script can come to.
pub fn reach(question: &Question<'_>) -> Reached {
    let dialect = if question.bash { Dialect::Bash } else { Dialect::Dash };
    let mut walker = Walker {
        file: question.file,
        dialect,
        reached: Reached::default(),
        frames: vec![Frame::default()],
        loops: Vec::new(),
        depth: 0,
        steps: 0,
        line: 1,
    };
    let variables = question
        .variables
        .iter()
        .map(|(name, value)| (Box::from(*name), value.map_or(Value::Unknown, |value| Value::Known(value.to_vec()))));
    let state = State {
        variables: variables.collect(),
        parameters: question.arguments.iter().map(|word| Value::Known(word.to_vec())).collect(),
        ..State::default()
    };
    let program = parse::program(question.source, dialect);
    walker.program(&program, state);
    walker.reached
}

/// What is known of a word.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Value {
    Known(Vec<u8>),
    /// Depending on the way here, one of these.
    OneOf(BTreeSet<Vec<u8>>),
    /// The path of this program, or nothing if it is not there: `$(command -v NAME)`.
    Program(Vec<u8>),
    Unknown,
}

/// Values of a variable that are kept apart.
const MAX_VALUES: usize = 8;

impl Value {
    /// What is known when it is one of two.
    fn either(self, other: Self) -> Self {
        let texts = |value: Self| match value {
            Self::Known(text) => Some(BTreeSet::from([text])),
            Self::OneOf(texts) => Some(texts),
            _ => None,
        };
        match (texts(self), texts(other)) {
            (Some(mut texts), Some(others)) => {
                texts.extend(others);
                if texts.len() > MAX_VALUES { Self::Unknown } else { Self::OneOf(texts) }
            }
            _ => Self::Unknown,
        }
    }
}

/// What holds at a point of the script.
#[derive(Clone, Debug, Default)]
struct State {
    variables: BTreeMap<Box<[u8]>, Value>,
    /// Something unseen has set variables: those that are not listed are unknown, not unset.
    opaque: bool,
    parameters: Vec<Value>,
    /// More parameters may follow, of which nothing is known.
    open: bool,
    functions: Rc<BTreeMap<Box<[u8]>, Arc<Function>>>,
    guards: Guards,
}

impl State {
    /// A variable's value; that of one which is not set is empty.
    fn value(&self, name: &[u8]) -> Value {
        match self.variables.get(name) {
            Some(value) => value.clone(),
            None if self.opaque => Value::Unknown,
            None => Value::Known(Vec::new()),
        }
    }
}

/// The states in which a command leaves the script: after success and after failure. `None`: that never happens.
#[derive(Clone, Debug, Default)]
struct Outcome {
    yes: Option<State>,
    no: Option<State>,
}

impl Outcome {
    fn yes(state: State) -> Self {
        Self { yes: Some(state), no: None }
    }

    fn no(state: State) -> Self {
        Self { yes: None, no: Some(state) }
    }

    fn both(state: State) -> Self {
        Self { yes: Some(state.clone()), no: Some(state) }
    }

    fn known(state: State, truth: Option<bool>) -> Self {
        match truth {
            Some(true) => Self::yes(state),
            Some(false) => Self::no(state),
            None => Self::both(state),
        }
    }

    /// What holds afterwards, whichever it was.
    fn after(self) -> Option<State> {
        join(self.yes, self.no)
    }

    fn or(self, other: Self) -> Self {
        Self { yes: join(self.yes, other.yes), no: join(self.no, other.no) }
    }

    fn not(self) -> Self {
        Self { yes: self.no, no: self.yes }
    }
}

/// What holds where two ways meet.
fn join(one: Option<State>, other: Option<State>) -> Option<State> {
    let (mut one, other) = match (one, other) {
        (Some(one), Some(other)) => (one, other),
        (one, other) => return one.or(other),
    };
    let names: BTreeSet<_> = one.variables.keys().chain(other.variables.keys()).cloned().collect();
    for name in names {
        let (mine, theirs) = (one.value(&name), other.value(&name));
        if mine != theirs {
            one.variables.insert(name, mine.either(theirs));
        }
    }
    one.opaque |= other.opaque;
    one.open |= other.open;
    if one.parameters != other.parameters {
        // From the first difference on nothing is known.
        let same = one.parameters.iter().zip(&other.parameters).take_while(|(a, b)| a == b).count();
        one.parameters.truncate(same);
        one.open = true;
    }
    if !Rc::ptr_eq(&one.functions, &other.functions) {
        let functions = Rc::make_mut(&mut one.functions);
        for (name, function) in other.functions.iter() {
            functions.entry(name.clone()).or_insert_with(|| function.clone());
        }
    }
    one.guards.retain(|guard| other.guards.contains(guard));
    Some(one)
}

/// A function or sourced file that is being walked: the states in which it returned.
#[derive(Debug, Default)]
struct Frame {
    returned: Outcome,
}

struct Walker<'a> {
    file: &'a dyn Fn(&[u8]) -> Option<Bytes>,
    dialect: Dialect,
    reached: Reached,
    frames: Vec<Frame>,
    /// For each loop around this: the states in which it was left or went on early.
    loops: Vec<Option<State>>,
    depth: u32,
    steps: u32,
    line: usize,
}

/// Functions inside one another.
const MAX_DEPTH: u32 = 60;
/// Commands walked; no script of a package was seen to need a tenth of it.
const MAX_STEPS: u32 = 500_000;

impl Walker<'_> {
    fn program(&mut self, program: &Program, state: State) -> Outcome {
        let mut outcome = Outcome::yes(state);
        for complete in &program.commands {
            let Some(state) = outcome.after() else { return Outcome::default() };
            outcome = self.node(&complete.node, state);
        }
        if let (Some(fault), Some(_)) = (&program.fault, outcome.yes.as_ref().or(outcome.no.as_ref())) {
            self.reached.fault.get_or_insert_with(|| fault.to_string());
        }
        outcome
    }

    /// Walks a text as `eval`, `trap` and `sh -c` run it.
    fn text(&mut self, text: &[u8], state: State) -> Outcome {
        let program = parse::program(text, self.dialect);
        self.deeper(state, |walker, state| walker.program(&program, state))
    }

    /// One function or text deeper; too deep, and nothing more is learnt.
    fn deeper(&mut self, state: State, body: impl FnOnce(&mut Self, State) -> Outcome) -> Outcome {
        if self.depth >= MAX_DEPTH {
            return Outcome::both(state);
        }
        self.depth += 1;
        let outcome = body(self, state);
        self.depth -= 1;
        outcome
    }

    /// Notes that the script can come to a program.
    fn need(&mut self, name: &[u8], state: &State) {
        self.reached.programs.entry(normal(name)).or_default().insert(state.guards.clone());
    }
}

/// A program's name, if its path is in a folder of `PATH`.
fn normal(path: &[u8]) -> Vec<u8> {
    const FOLDERS: [&[u8]; 6] = [b"/usr/local/sbin", b"/usr/local/bin", b"/usr/sbin", b"/usr/bin", b"/sbin", b"/bin"];
    let Some(slash) = memchr::memrchr(b'/', path) else { return path.to_vec() };
    if FOLDERS.contains(&&path[..slash]) { path[slash + 1..].to_vec() } else { path.to_vec() }
}

#[cfg(test)]
mod tests;
