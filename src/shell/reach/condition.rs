//! `test`, `[` and `dpkg --compare-versions`: what they say of what is known.

use super::{Guard, Outcome, State, Value, normal};

/// `test EXPRESSION`, without the closing bracket.
pub(super) fn test(words: &[Value], state: State) -> Outcome {
    if let Some(index) = words.iter().position(|word| is(word, b"-o")).filter(|&index| index > 0 && words.len() > 3) {
        let first = test(&words[..index], state);
        let Some(state) = first.no else { return first };
        return Outcome { yes: first.yes, no: None }.or(test(&words[index + 1..], state));
    }
    if let Some(index) = words.iter().position(|word| is(word, b"-a")).filter(|&index| index > 0 && words.len() > 3) {
        let first = test(&words[..index], state);
        let Some(state) = first.yes else { return first };
        return Outcome { yes: None, no: first.no }.or(test(&words[index + 1..], state));
    }
    match words {
        [] => Outcome::no(state),
        [word] => filled(word, state),
        [not, rest @ ..] if is(not, b"!") => test(rest, state).not(),
        [open, inner @ .., close] if is(open, b"(") && is(close, b")") => test(inner, state),
        [Value::Known(operator), word] => unary(operator, word, state),
        [Value::Known(a), Value::Known(operator), Value::Known(b)] => Outcome::known(state, compare(a, operator, b)),
        _ => Outcome::both(state),
    }
}

fn is(word: &Value, text: &[u8]) -> bool {
    matches!(word, Value::Known(known) if known == text)
}

/// Whether a word is not empty.
fn filled(word: &Value, state: State) -> Outcome {
    match word {
        Value::Known(text) => Outcome::known(state, Some(!text.is_empty())),
        Value::Program(name) => guarded(name.clone(), state),
        Value::OneOf(texts) if !texts.contains(b"".as_slice()) => Outcome::yes(state),
        Value::OneOf(_) | Value::Unknown => Outcome::both(state),
    }
}

/// Success means that the program is there.
pub(super) fn guarded(program: Vec<u8>, state: State) -> Outcome {
    let with = |there| {
        let mut state = state.clone();
        state.guards.insert(Guard { program: program.clone(), there });
        state
    };
    Outcome { yes: Some(with(true)), no: Some(with(false)) }
}

fn unary(operator: &[u8], word: &Value, state: State) -> Outcome {
    match (operator, word) {
        (b"-n", word) => filled(word, state),
        (b"-z", word) => filled(word, state).not(),
        // Nobody sits at a terminal.
        (b"-t", _) => Outcome::no(state),
        (b"-x" | b"-e" | b"-f" | b"-s" | b"-r", Value::Program(name)) => guarded(name.clone(), state),
        // systemd does not run while an image is made.
        (b"-d" | b"-e", Value::Known(path)) if path.starts_with(b"/run/systemd") => Outcome::no(state),
        (b"-x", Value::Known(path)) if path.starts_with(b"/") => guarded(normal(path), state),
        (b"-e" | b"-f" | b"-s" | b"-r", Value::Known(path)) if normal(path) != *path => guarded(normal(path), state),
        (b"-d" | b"-e" | b"-f" | b"-s" | b"-r" | b"-x" | b"-w", Value::Known(path)) if path.is_empty() => {
            Outcome::no(state)
        }
        _ => Outcome::both(state),
    }
}

fn compare(a: &[u8], operator: &[u8], b: &[u8]) -> Option<bool> {
    let number = |text: &[u8]| std::str::from_utf8(text).ok()?.trim().parse::<i64>().ok();
    match operator {
        b"=" | b"==" => Some(a == b),
        b"!=" => Some(a != b),
        b"-eq" => Some(number(a)? == number(b)?),
        b"-ne" => Some(number(a)? != number(b)?),
        b"-gt" => Some(number(a)? > number(b)?),
        b"-ge" => Some(number(a)? >= number(b)?),
        b"-lt" => Some(number(a)? < number(b)?),
        b"-le" => Some(number(a)? <= number(b)?),
        _ => None,
    }
}

/// `dpkg --compare-versions A OPERATOR B` where A is empty, as the old version is on a first install; no version is older
/// than any, unless the operator ends in `-nl`.
pub(super) fn compare_versions(words: &[Value]) -> Option<bool> {
    let [Value::Known(a), Value::Known(operator), b] = words else { return None };
    if !a.is_empty() || is(b, b"") || *b == Value::Unknown {
        return None;
    }
    match operator.as_slice() {
        b"lt" | b"le" | b"ne" | b"<<" | b"<=" | b"<" | b"gt-nl" | b"ge-nl" => Some(true),
        b"gt" | b"ge" | b"eq" | b">>" | b">=" | b">" | b"=" | b"lt-nl" | b"le-nl" => Some(false),
        _ => None,
    }
}
