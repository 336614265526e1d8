//! What is known of words.

use super::{State, Value, Walker};
use crate::shell::{
    pattern::{Effort, Pattern, Unit},
    syntax::{Node, Operation, Parameter, ParameterName, Part, Redirect, Substitute, Target, Word},
};

/// What words become.
#[derive(Debug, Default)]
pub(super) struct Fields {
    pub(super) values: Vec<Value>,
    /// More may follow, or values may be missing from here on.
    pub(super) open: bool,
}

/// The variable of this name.
enum Variable {
    Unset,
    Value(Value),
}

impl Walker<'_> {
    /// The fields of a word. From an unknown number of fields on, nothing is known.
    pub(super) fn fields(&mut self, word: &Word, state: &mut State, fields: &mut Fields) {
        if is_all_parameters(&word.parts) {
            fields.values.extend(state.parameters.iter().cloned());
            fields.open |= state.open;
            return;
        }
        let value = self.one(word, state);
        match value {
            Value::Known(text) if splits(&word.parts) => {
                for field in text.split(u8::is_ascii_whitespace).filter(|field| !field.is_empty()) {
                    if is_glob(field) {
                        fields.open = true;
                    } else if !fields.open {
                        fields.values.push(Value::Known(field.to_vec()));
                    }
                }
            }
            value if fields.open => drop(value),
            // It is split where it stands for a command.
            value @ Value::OneOf(_) if splits(&word.parts) => {
                fields.open |= !fields.values.is_empty();
                if fields.values.is_empty() {
                    fields.values.push(value);
                }
            }
            Value::Unknown if splits(&word.parts) => {
                // A word in the place of a command is taken to be one.
                if fields.values.is_empty() {
                    fields.values.push(Value::Unknown);
                }
                fields.open = true;
            }
            value => fields.values.push(value),
        }
    }

    /// A word as one field.
    pub(super) fn one(&mut self, word: &Word, state: &mut State) -> Value {
        match &word.literal {
            Some(literal) => Value::Known(literal.clone()),
            None => self.parts(&word.parts, state),
        }
    }

    pub(super) fn parts(&mut self, parts: &[Part], state: &mut State) -> Value {
        let mut values: Vec<_> = parts.iter().map(|part| self.part(part, state)).collect();
        if values.len() == 1 {
            return values.remove(0);
        }
        let mut text = Vec::new();
        for value in values {
            match value {
                Value::Known(part) => text.extend(part),
                _ => return Value::Unknown,
            }
        }
        Value::Known(text)
    }

    fn part(&mut self, part: &Part, state: &mut State) -> Value {
        match part {
            Part::Text(text) | Part::Quoted(text) => Value::Known(text.clone()),
            Part::Double(inner) => self.parts(inner, state),
            Part::Parameter(parameter) => self.parameter(parameter, state),
            Part::Command(None) => Value::Known(Vec::new()),
            Part::Command(Some(node)) => {
                self.apart(node, state);
                asked_for(node).map_or(Value::Unknown, Value::Program)
            }
            Part::Arithmetic(inner) => {
                self.parts(inner, state);
                Value::Unknown
            }
        }
    }

    fn parameter(&mut self, parameter: &Parameter, state: &mut State) -> Value {
        let variable = look_up(&parameter.name, state);
        match &parameter.operation {
            Operation::Value => variable.or_empty(),
            Operation::Length => match variable.or_empty() {
                Value::Known(text) => Value::Known(text.len().to_string().into_bytes()),
                _ => Value::Unknown,
            },
            Operation::Substitute { how, null, word } => {
                let counts = match &variable {
                    Variable::Unset => Some(false),
                    Variable::Value(Value::Known(text)) => Some(!(*null && text.is_empty())),
                    Variable::Value(Value::OneOf(texts)) if !texts.contains(b"".as_slice()) => Some(true),
                    Variable::Value(_) => None,
                };
                self.substitute(parameter, *how, counts, word, variable, state)
            }
            Operation::Trim { suffix, longest, pattern } => match (variable.or_empty(), self.pattern(pattern, state)) {
                (Value::Known(text), Some(pattern)) => Value::Known(trimmed(&text, &pattern, *suffix, *longest)),
                _ => Value::Unknown,
            },
            Operation::Replace { pattern, replacement, .. } => {
                self.parts(pattern, state);
                self.parts(replacement, state);
                Value::Unknown
            }
            Operation::Slice { offset, length } => {
                self.parts(offset, state);
                self.parts(length.as_deref().unwrap_or_default(), state);
                Value::Unknown
            }
            Operation::Letters { .. } | Operation::Bad => Value::Unknown,
        }
    }

    fn substitute(
        &mut self,
        parameter: &Parameter,
        how: Substitute,
        counts: Option<bool>,
        word: &[Part],
        variable: Variable,
        state: &mut State,
    ) -> Value {
        let taken = (how == Substitute::Alternate) == counts.unwrap_or_default();
        if counts.is_some() && !taken {
            return if how == Substitute::Alternate { Value::Known(Vec::new()) } else { variable.or_empty() };
        }
        let value = self.parts(word, state);
        let value = match (counts, how) {
            (Some(_), _) => value,
            (None, Substitute::Alternate) => value.either(Value::Known(Vec::new())),
            (None, _) => value.either(variable.or_empty()),
        };
        if let (Substitute::Assign, ParameterName::Variable(name)) = (how, &parameter.name) {
            state.variables.insert(name.clone(), value.clone());
        }
        value
    }

    /// A pattern, if all of it is known.
    pub(super) fn pattern(&mut self, parts: &[Part], state: &mut State) -> Option<Pattern> {
        let mut units = Vec::new();
        for part in parts {
            let quoted = matches!(part, Part::Quoted(_) | Part::Double(_));
            let Value::Known(text) = self.part(part, state) else { return None };
            units.extend(text.iter().map(|&byte| Unit { byte, quoted }));
        }
        Some(Pattern::from_units(&units))
    }

    /// Commands in the words of redirections count too.
    pub(super) fn redirects(&mut self, redirects: &[Redirect], state: &mut State) {
        for redirect in redirects {
            match &redirect.target {
                Target::Read(word)
                | Target::Append(word)
                | Target::ReadWrite(word)
                | Target::Duplicate(word)
                | Target::HereString(word) => {
                    self.one(word, state);
                }
                Target::Write { word, .. } => {
                    self.one(word, state);
                }
                Target::Here(document) => {
                    if let Some(body) = document.body.get() {
                        self.one(body, state);
                    }
                }
            }
        }
    }
}

impl Variable {
    fn or_empty(self) -> Value {
        match self {
            Self::Unset => Value::Known(Vec::new()),
            Self::Value(value) => value,
        }
    }
}

fn look_up(name: &ParameterName, state: &State) -> Variable {
    match name {
        ParameterName::Variable(name) => match state.variables.get(name) {
            Some(value) => Variable::Value(value.clone()),
            None if state.opaque => Variable::Value(Value::Unknown),
            None => Variable::Unset,
        },
        ParameterName::Positional(0) => Variable::Value(Value::Unknown),
        ParameterName::Positional(number) => match state.parameters.get(number - 1) {
            Some(value) => Variable::Value(value.clone()),
            None if state.open => Variable::Value(Value::Unknown),
            None => Variable::Unset,
        },
        ParameterName::Special(b'#') if !state.open => {
            Variable::Value(Value::Known(state.parameters.len().to_string().into_bytes()))
        }
        ParameterName::Special(b'@' | b'*') if !state.open => {
            let known = state.parameters.iter().map(|value| match value {
                Value::Known(text) => Some(text.as_slice()),
                _ => None,
            });
            match known.collect::<Option<Vec<_>>>() {
                Some(texts) => Variable::Value(Value::Known(texts.join(b" ".as_slice()))),
                None => Variable::Value(Value::Unknown),
            }
        }
        ParameterName::Special(_) => Variable::Value(Value::Unknown),
    }
}

fn trimmed(text: &[u8], pattern: &Pattern, suffix: bool, longest: bool) -> Vec<u8> {
    let mut effort = Effort::new(1 << 24);
    if suffix {
        text[..text.len() - pattern.suffix(text, longest, &mut effort).unwrap_or(0)].to_vec()
    } else {
        text[pattern.prefix(text, longest, &mut effort).unwrap_or(0)..].to_vec()
    }
}

/// `"$@"` or `$@`, alone in its word.
fn is_all_parameters(parts: &[Part]) -> bool {
    match parts {
        [Part::Double(inner)] => is_all_parameters(inner),
        [Part::Parameter(parameter)] => {
            matches!(parameter.operation, Operation::Value) && matches!(parameter.name, ParameterName::Special(b'@'))
        }
        _ => false,
    }
}

/// Whether a word may become none or several fields.
fn splits(parts: &[Part]) -> bool {
    parts.iter().any(|part| match part {
        Part::Parameter(_) | Part::Command(_) | Part::Arithmetic(_) => true,
        Part::Text(text) => is_glob(text),
        _ => false,
    })
}

/// Whether a word stands for paths; `[` alone does not.
fn is_glob(text: &[u8]) -> bool {
    text.iter().any(|b| matches!(b, b'*' | b'?')) || text.contains(&b'[') && text.contains(&b']')
}

/// The program that `which NAME` or `command -v NAME` asks for.
fn asked_for(node: &Node) -> Option<Vec<u8>> {
    let simple = match node {
        Node::Simple(simple) => simple,
        Node::AndOr { first, .. } => return asked_for(first),
        _ => return None,
    };
    let words: Vec<_> = simple.words.iter().map(|word| word.literal.as_deref()).collect();
    match words.as_slice() {
        [Some(b"which"), Some(name)]
        | [Some(b"command"), Some(b"-v"), Some(name)]
        | [Some(b"type"), Some(b"-p" | b"-P"), Some(name)] => Some(super::normal(name)),
        _ => None,
    }
}
