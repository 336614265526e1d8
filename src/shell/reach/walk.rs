//! Lists, pipelines and compound commands.

use std::rc::Rc;

use super::{MAX_STEPS, Outcome, State, Value, Walker, condition, join, word::Fields};
use crate::shell::syntax::{Arm, Connector, Function, Node, Test, Word};

/// Words of a `for` that are taken one by one.
const MAX_TURNS: usize = 64;

impl Walker<'_> {
    pub(super) fn node(&mut self, node: &Node, state: State) -> Outcome {
        self.steps += 1;
        if self.steps > MAX_STEPS {
            self.reached.fault.get_or_insert_with(|| format!("more than {MAX_STEPS} commands"));
            return Outcome::default();
        }
        match node {
            Node::Simple(simple) => self.simple(simple, state),
            Node::Pipe(parts) => {
                for part in parts {
                    self.apart(part, &state);
                }
                Outcome::both(state)
            }
            Node::Not(node) => self.node(node, state).not(),
            Node::AndOr { first, rest } => self.and_or(first, rest, state),
            Node::List(nodes) => self.list(nodes, state),
            Node::Redirected { node, redirects, .. } => {
                let mut state = state;
                self.redirects(redirects, &mut state);
                self.node(node, state)
            }
            Node::Subshell { node, redirects, .. } => {
                let mut state = state;
                self.redirects(redirects, &mut state);
                self.apart(node, &state);
                Outcome::both(state)
            }
            Node::Background(node) => {
                self.apart(node, &state);
                Outcome::yes(state)
            }
            Node::If { tests, otherwise } => self.choice(tests, otherwise.as_deref(), state),
            Node::Loop { test, body, until } => self.repeat(test, body, *until, state),
            Node::For { variable, words, body, .. } => self.for_each(variable, words.as_deref(), body, state),
            Node::Case { subject, arms, .. } => self.case(subject, arms, state),
            Node::Test { test, .. } => self.test(test, state),
            Node::Arithmetic { parts, .. } => {
                let mut state = state;
                self.parts(parts, &mut state);
                Outcome::both(state)
            }
            Node::Function(function) => {
                let mut state = state;
                Rc::make_mut(&mut state.functions).insert(function.name.clone(), function.clone());
                Outcome::yes(state)
            }
        }
    }

    /// A command whose changes nobody sees: in a subshell. `exit` ends it alone, with any status.
    pub(super) fn apart(&mut self, node: &Node, state: &State) {
        self.frames.push(super::Frame::default());
        let loops = std::mem::take(&mut self.loops);
        self.node(node, state.clone());
        self.loops = loops;
        self.frames.pop();
    }

    fn list(&mut self, nodes: &[Node], state: State) -> Outcome {
        let mut outcome = Outcome::yes(state);
        for node in nodes {
            let Some(state) = outcome.after() else { return Outcome::default() };
            outcome = self.node(node, state);
        }
        outcome
    }

    fn and_or(&mut self, first: &Node, rest: &[(Connector, Node)], state: State) -> Outcome {
        let mut outcome = self.node(first, state);
        for (connector, node) in rest {
            let from = match connector {
                Connector::And => outcome.yes.take(),
                Connector::Or => outcome.no.take(),
            };
            if let Some(state) = from {
                let next = self.node(node, state);
                outcome = outcome.or(next);
            }
        }
        outcome
    }

    fn choice(&mut self, tests: &[(Node, Node)], otherwise: Option<&Node>, state: State) -> Outcome {
        let mut result = Outcome::default();
        let mut left = Some(state);
        for (test, then) in tests {
            let Some(state) = left else { return result };
            let outcome = self.node(test, state);
            if let Some(state) = outcome.yes {
                result = result.or(self.node(then, state));
            }
            left = outcome.no;
        }
        let Some(state) = left else { return result };
        result.or(match otherwise {
            Some(node) => self.node(node, state),
            None => Outcome::yes(state),
        })
    }

    /// Walks a loop's body until nothing new is known to hold at its start.
    fn fixpoint(
        &mut self,
        mut start: State,
        mut turn: impl FnMut(&mut Self, State) -> (Option<State>, Option<State>),
    ) -> Option<State> {
        loop {
            self.loops.push(None);
            let (left, again) = turn(self, start.clone());
            let early = self.loops.pop().flatten();
            let next = join(Some(start.clone()), join(again, early.clone()));
            let Some(next) = next.filter(|next| !same(next, &start)) else { return join(left, early) };
            if self.steps > MAX_STEPS {
                return Some(next);
            }
            start = next;
        }
    }

    fn repeat(&mut self, test: &Node, body: &Node, until: bool, state: State) -> Outcome {
        let left = self.fixpoint(state, |walker, state| {
            let outcome = walker.node(test, state);
            let (go, stop) = if until { (outcome.no, outcome.yes) } else { (outcome.yes, outcome.no) };
            (stop, go.and_then(|state| walker.node(body, state).after()))
        });
        left.map_or_else(Outcome::default, Outcome::both)
    }

    fn for_each(&mut self, variable: &[u8], words: Option<&[Word]>, body: &Node, mut state: State) -> Outcome {
        let values = match words {
            Some(words) => {
                let mut fields = Fields::default();
                for word in words {
                    self.fields(word, &mut state, &mut fields);
                }
                fields
            }
            None => Fields { values: state.parameters.clone(), open: state.open },
        };
        if values.open || values.values.len() > MAX_TURNS {
            let start = state.clone();
            let left = self.fixpoint(state, |walker, mut state| {
                state.variables.insert(variable.into(), Value::Unknown);
                let again = walker.node(body, state).after();
                (again.clone(), again)
            });
            return join(Some(start), left).map_or_else(Outcome::default, Outcome::both);
        }
        let mut outcome = Outcome::yes(state);
        let mut broken = None;
        for value in values.values {
            let Some(mut state) = outcome.after() else {
                outcome = Outcome::default();
                break;
            };
            state.variables.insert(variable.into(), value);
            self.loops.push(None);
            outcome = self.node(body, state);
            // Left or gone on early: both are taken to be either.
            let early = self.loops.pop().flatten();
            broken = join(broken, early.clone());
            outcome = outcome.or(early.map_or_else(Outcome::default, Outcome::both));
        }
        outcome.or(broken.map_or_else(Outcome::default, Outcome::both))
    }

    fn case(&mut self, subject: &Word, arms: &[Arm], mut state: State) -> Outcome {
        let subject = self.one(subject, &mut state);
        let mut result = Outcome::default();
        for arm in arms {
            let mut may = false;
            let mut must = false;
            for pattern in &arm.patterns {
                let matches = match (&subject, self.pattern(&pattern.parts, &mut state)) {
                    (Value::Known(text), Some(pattern)) => Some(pattern.matches(text)),
                    (_, Some(pattern)) if pattern.matches(b"") && pattern.matches(b"x/y z") => Some(true),
                    _ => None,
                };
                must |= matches == Some(true);
                may |= matches != Some(false);
            }
            if may {
                result = result.or(match &arm.body {
                    Some(body) => self.node(body, state.clone()),
                    None => Outcome::yes(state.clone()),
                });
            }
            if must {
                return result;
            }
        }
        result.or(Outcome::yes(state))
    }

    /// `[[ ... ]]`
    fn test(&mut self, test: &Test, mut state: State) -> Outcome {
        match test {
            Test::Not(test) => self.test(test, state).not(),
            Test::And(one, other) => {
                let outcome = self.test(one, state);
                let Some(state) = outcome.yes else { return outcome };
                Outcome { yes: None, no: outcome.no }.or(self.test(other, state))
            }
            Test::Or(one, other) => {
                let outcome = self.test(one, state);
                let Some(state) = outcome.no else { return outcome };
                Outcome { yes: outcome.yes, no: None }.or(self.test(other, state))
            }
            Test::Word(word) => {
                let words = [self.one(word, &mut state)];
                condition::test(&words, state)
            }
            Test::Unary(operator, word) => {
                let words = [Value::Known(operator.clone()), self.one(word, &mut state)];
                condition::test(&words, state)
            }
            Test::Binary(one, operator, other) => {
                let (one, other) = (self.one(one, &mut state), self.one(other, &mut state));
                condition::test(&[one, Value::Known(operator.clone()), other], state)
            }
            Test::Pattern { word, pattern, negated } => {
                let text = self.one(word, &mut state);
                let pattern = self.pattern(&pattern.parts, &mut state);
                let truth = match (text, pattern) {
                    (Value::Known(text), Some(pattern)) => Some(pattern.matches(&text) != *negated),
                    _ => None,
                };
                Outcome::known(state, truth)
            }
            Test::Regex(word, regex) => {
                self.one(word, &mut state);
                self.one(regex, &mut state);
                Outcome::both(state)
            }
        }
    }

    /// Walks a function's body with these parameters.
    pub(super) fn call(&mut self, function: &Function, arguments: Fields, state: State) -> Outcome {
        let outer = (state.parameters.clone(), state.open);
        let inner = State { parameters: arguments.values, open: arguments.open, ..state };
        let outcome = self.framed(inner, |walker, state| walker.node(&function.body, state));
        let back = |state: State| State { parameters: outer.0.clone(), open: outer.1, ..state };
        Outcome { yes: outcome.yes.map(back), no: outcome.no.map(back) }
    }

    /// Walks what `return` leaves.
    pub(super) fn framed(&mut self, state: State, body: impl FnOnce(&mut Self, State) -> Outcome) -> Outcome {
        self.frames.push(super::Frame::default());
        let loops = std::mem::take(&mut self.loops);
        let outcome = self.deeper(state, body);
        self.loops = loops;
        let frame = self.frames.pop().unwrap_or_default();
        outcome.or(frame.returned)
    }
}

/// Whether nothing new was learnt.
fn same(one: &State, other: &State) -> bool {
    one.variables == other.variables
        && one.parameters == other.parameters
        && (one.open, one.opaque) == (other.open, other.opaque)
        && one.guards == other.guards
        && one.functions.len() == other.functions.len()
}
