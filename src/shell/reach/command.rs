//! Simple commands: what their names mean.

use std::collections::BTreeSet;

use super::{Outcome, State, Value, Walker, condition, normal, word::Fields};
use crate::shell::{builtins, parse::assignment_name, syntax::Simple};

impl Walker<'_> {
    pub(super) fn simple(&mut self, simple: &Simple, mut state: State) -> Outcome {
        self.line = simple.line;
        self.redirects(&simple.redirects, &mut state);
        let mut fields = Fields::default();
        for word in &simple.words {
            self.fields(word, &mut state, &mut fields);
        }
        for assignment in &simple.assignments {
            let value = self.one(&assignment.value, &mut state);
            let value = if assignment.append { Value::Unknown } else { value };
            if simple.words.is_empty() {
                state.variables.insert(assignment.name.clone(), value);
            }
        }
        if fields.values.is_empty() {
            // The status is that of a substitution, if there is one.
            let plain = simple.assignments.iter().all(|assignment| assignment.value.literal.is_some());
            return if plain { Outcome::yes(state) } else { Outcome::both(state) };
        }
        self.line = simple.line;
        self.command(fields, state)
    }

    /// A command by its words, of which there is at least one.
    fn command(&mut self, mut fields: Fields, state: State) -> Outcome {
        if fields.values.is_empty() {
            return Outcome::both(state);
        }
        let name = match fields.values.remove(0) {
            Value::Known(name) | Value::Program(name) => name,
            Value::OneOf(texts) => return self.one_of(&texts, &fields, &state),
            Value::Unknown => {
                self.reached.dynamic.insert(self.line);
                return Outcome::both(state);
            }
        };
        if let Some(function) = state.functions.get(name.as_slice()).cloned() {
            return self.call(&function, fields, state);
        }
        if builtins::find(&name, self.dialect).is_some() {
            return self.builtin(&name, fields, state);
        }
        self.need(&name, &state);
        self.wrapped(&normal(&name), &fields, &state);
        match (normal(&name).as_slice(), fields.values.first()) {
            (b"dpkg", Some(Value::Known(option))) if option == b"--compare-versions" => {
                Outcome::known(state, condition::compare_versions(&fields.values[1..]))
            }
            (b"which", Some(Value::Known(_))) => asks(&fields, state),
            _ => Outcome::both(state),
        }
    }

    /// A command that is one of several, each with arguments of its own.
    fn one_of(&mut self, texts: &BTreeSet<Vec<u8>>, rest: &Fields, state: &State) -> Outcome {
        let mut outcome = Outcome::default();
        for text in texts {
            let words = text.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
            let values = words.map(|word| Value::Known(word.to_vec())).chain(rest.values.iter().cloned());
            let fields = Fields { values: values.collect(), open: rest.open };
            // Nothing at all, if it is run, is an error of its own or another word's command.
            let next = if text.is_empty() { Outcome::both(state.clone()) } else { self.command(fields, state.clone()) };
            outcome = outcome.or(next);
        }
        outcome
    }

    fn builtin(&mut self, name: &[u8], mut fields: Fields, mut state: State) -> Outcome {
        match name {
            b":" | b"true" | b"echo" => Outcome::yes(state),
            b"false" => Outcome::no(state),
            b"[" if !fields.open => {
                fields.values.pop();
                condition::test(&fields.values, state)
            }
            b"test" if !fields.open => condition::test(&fields.values, state),
            b"exit" => Outcome::default(),
            b"return" => self.leave_function(&fields, state),
            b"break" | b"continue" => {
                if let Some(early) = self.loops.last_mut() {
                    *early = super::join(early.take(), Some(state));
                    return Outcome::default();
                }
                Outcome::yes(state)
            }
            b"exec" if fields.values.is_empty() => Outcome::yes(state),
            b"exec" => {
                self.command(fields, state);
                Outcome::default()
            }
            b"command" => self.without_functions(fields, state),
            b"type" | b"hash" => asks(&fields, state),
            b"eval" => self.eval(&fields, state),
            b"." | b"source" => self.source(&fields, state),
            b"trap" => {
                if let Some(Value::Known(action)) = fields.values.first().filter(|_| fields.values.len() > 1) {
                    let action = action.clone();
                    self.framed(state.clone(), |walker, state| walker.text(&action, state));
                }
                Outcome::yes(state)
            }
            _ => {
                variables(name, &fields, &mut state);
                Outcome::both(state)
            }
        }
    }

    fn leave_function(&mut self, fields: &Fields, state: State) -> Outcome {
        let truth = match fields.values.first() {
            Some(Value::Known(status)) => Some(status == b"0"),
            _ => None,
        };
        if let Some(frame) = self.frames.last_mut() {
            frame.returned = std::mem::take(&mut frame.returned).or(Outcome::known(state, truth));
        }
        Outcome::default()
    }

    fn without_functions(&mut self, mut fields: Fields, mut state: State) -> Outcome {
        while let Some(Value::Known(word)) = fields.values.first() {
            match word.as_slice() {
                b"-v" | b"-V" | b"-pv" => {
                    fields.values.remove(0);
                    return asks(&fields, state);
                }
                b"-p" | b"--" => {
                    fields.values.remove(0);
                }
                _ => break,
            }
        }
        let functions = std::mem::take(&mut state.functions);
        let back = |state: State| State { functions: functions.clone(), ..state };
        let outcome = self.command(fields, state);
        Outcome { yes: outcome.yes.map(back), no: outcome.no.map(back) }
    }

    fn eval(&mut self, fields: &Fields, mut state: State) -> Outcome {
        match texts(fields) {
            Some(words) => {
                let text = words.join(b" ".as_slice());
                self.text(&text, state)
            }
            None => {
                self.reached.dynamic.insert(self.line);
                state.opaque = true;
                state.variables.clear();
                Outcome::both(state)
            }
        }
    }

    fn source(&mut self, fields: &Fields, mut state: State) -> Outcome {
        let path = match fields.values.first() {
            Some(Value::Known(path)) => path.clone(),
            _ => b"(a path made by the script)".to_vec(),
        };
        let Some(text) = (self.file)(&path) else {
            self.reached.unread.insert(path);
            state.opaque = true;
            state.variables.clear();
            return Outcome::both(state);
        };
        self.framed(state, |walker, state| walker.text(&text, state))
    }

    /// Commands that run another, which is then needed as well.
    fn wrapped(&mut self, name: &[u8], fields: &Fields, state: &State) {
        let values = fields.values.as_slice();
        match name {
            b"sh" | b"bash" | b"dash" | b"su" | b"runuser" => {
                let after = values.iter().position(
                    |v| matches!(v, Value::Known(o) if matches!(o.as_slice(), b"-c" | b"-ec" | b"-ce" | b"--command")),
                );
                match after.and_then(|index| values.get(index + 1)) {
                    Some(Value::Known(text)) => {
                        let text = text.clone();
                        let inner = State {
                            parameters: Vec::new(),
                            open: true,
                            functions: Default::default(),
                            ..state.clone()
                        };
                        self.framed(inner, |walker, state| walker.text(&text, state));
                    }
                    Some(_) => {
                        self.reached.dynamic.insert(self.line);
                    }
                    None => {}
                }
            }
            b"find" => {
                for (index, value) in values.iter().enumerate() {
                    if matches!(value, Value::Known(word) if matches!(word.as_slice(), b"-exec" | b"-execdir" | b"-ok"))
                    {
                        self.started(&values[index + 1..], state);
                    }
                }
            }
            b"env" | b"nice" | b"nohup" | b"timeout" | b"setsid" | b"ionice" | b"stdbuf" | b"xargs" => {
                let is_command = |value: &Value| match value {
                    Value::Known(word) => {
                        !(word.starts_with(b"-")
                            || word.first().is_some_and(u8::is_ascii_digit)
                            || assignment_name(word).is_some())
                    }
                    _ => true,
                };
                if let Some(index) = values.iter().position(is_command) {
                    self.started(&values[index..], state);
                }
            }
            _ => {}
        }
    }

    /// A command that a program starts: neither functions nor built-in commands count.
    fn started(&mut self, values: &[Value], state: &State) {
        let Some(first) = values.first() else { return };
        match first {
            Value::Known(name) | Value::Program(name) => {
                self.need(name, state);
                let rest = Fields { values: values[1..].to_vec(), open: false };
                self.wrapped(&normal(name), &rest, state);
            }
            Value::OneOf(_) | Value::Unknown => {
                self.reached.dynamic.insert(self.line);
            }
        }
    }
}

/// `command -v NAME` and its like.
fn asks(fields: &Fields, state: State) -> Outcome {
    let operand = fields.values.iter().find(|value| !matches!(value, Value::Known(word) if word.starts_with(b"-")));
    match operand {
        Some(Value::Known(name)) if state.functions.contains_key(name.as_slice()) => Outcome::yes(state),
        Some(Value::Known(name)) => condition::guarded(normal(name), state),
        _ => Outcome::both(state),
    }
}

/// The text of all words, if it is known.
fn texts(fields: &Fields) -> Option<Vec<&[u8]>> {
    let known = fields.values.iter().map(|value| match value {
        Value::Known(text) => Some(text.as_slice()),
        _ => None,
    });
    if fields.open { None } else { known.collect() }
}

/// Built-in commands that change variables and parameters.
fn variables(name: &[u8], fields: &Fields, state: &mut State) {
    match name {
        b"set" => {
            if let Some(index) = fields.values.iter().position(|value| matches!(value, Value::Known(w) if w == b"--")) {
                state.parameters = fields.values[index + 1..].to_vec();
                state.open = fields.open;
            } else if fields.open {
                (state.parameters, state.open) = (Vec::new(), true);
            }
        }
        b"shift" => {
            let count = match fields.values.first() {
                None => Some(1),
                Some(Value::Known(text)) => std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()),
                Some(_) => None,
            };
            match count {
                Some(count) => drop(state.parameters.drain(..usize::min(count, state.parameters.len()))),
                None => (state.parameters, state.open) = (Vec::new(), true),
            }
        }
        b"read" | b"getopts" => {
            for value in &fields.values {
                if let Value::Known(name) = value {
                    state.variables.insert(name.as_slice().into(), Value::Unknown);
                }
            }
            state.variables.insert(b"OPTARG".as_slice().into(), Value::Unknown);
        }
        b"unset" => {
            for value in &fields.values {
                if let Value::Known(name) = value {
                    state.variables.remove(name.as_slice());
                }
            }
        }
        b"local" | b"export" | b"readonly" => {
            for value in &fields.values {
                match value {
                    Value::Known(word) => {
                        if let Some(name) = assignment_name(word) {
                            let text = word[name.len() + 1..].to_vec();
                            state.variables.insert(name.into(), Value::Known(text));
                        }
                    }
                    // Which one, is lost.
                    _ => state.opaque = true,
                }
            }
        }
        _ => {}
    }
}
