//! expr: evaluates an expression given word by word.

use crate::shell::{
    Fatal, Process, Status,
    files::show,
    regex::{Flavour, Regex},
};

/// Parentheses inside parentheses.
const MAX_DEPTH: u32 = 200;

/// Why there is no value: a complaint and the status.
enum Stop {
    Fatal(Fatal),
    Error(String, u8),
}

impl From<Fatal> for Stop {
    fn from(fatal: Fatal) -> Self {
        Self::Fatal(fatal)
    }
}

type Value = Result<Vec<u8>, Stop>;

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let mut words = process.arguments();
    if words.first().is_some_and(|word| word == b"--") {
        words.remove(0);
    }
    let mut expression = Expression { words, at: 0, utf8: process.utf8(), depth: 0 };
    let value = expression.or().and_then(|value| match expression.words.get(expression.at) {
        None => Ok(value),
        Some(extra) => Err(Stop::Error(format!("syntax error: unexpected argument '{}'", show(extra)), 2)),
    });
    match value {
        Ok(mut value) => {
            let status = if is_null(&value) { Status::FAILURE } else { Status::SUCCESS };
            value.push(b'\n');
            process.out(&value)?;
            Ok(status)
        }
        Err(Stop::Error(message, status)) => {
            process.complain(&message)?;
            Ok(Status(status))
        }
        Err(Stop::Fatal(fatal)) => Err(fatal),
    }
}

/// Empty, or zero.
fn is_null(value: &[u8]) -> bool {
    let digits = value.strip_prefix(b"-").unwrap_or(value);
    value.is_empty() || (!digits.is_empty() && digits.iter().all(|b| *b == b'0'))
}

fn integer(value: &[u8]) -> Option<i128> {
    let digits = value.strip_prefix(b"-").unwrap_or(value);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(value).ok()?.parse().ok()
}

struct Expression {
    words: Vec<Vec<u8>>,
    at: usize,
    utf8: bool,
    depth: u32,
}

impl Expression {
    /// Takes the next word if it is one of these operators.
    fn operator(&mut self, operators: &[&'static str]) -> Option<&'static str> {
        let word = self.words.get(self.at)?;
        let found = operators.iter().find(|operator| operator.as_bytes() == word)?;
        self.at += 1;
        Some(found)
    }

    fn or(&mut self) -> Value {
        let mut left = self.and()?;
        while self.operator(&["|"]).is_some() {
            let right = self.and()?;
            if is_null(&left) {
                left = if is_null(&right) { b"0".to_vec() } else { right };
            }
        }
        Ok(left)
    }

    fn and(&mut self) -> Value {
        let mut left = self.comparison()?;
        while self.operator(&["&"]).is_some() {
            let right = self.comparison()?;
            if is_null(&left) || is_null(&right) {
                left = b"0".to_vec();
            }
        }
        Ok(left)
    }

    fn comparison(&mut self) -> Value {
        let mut left = self.sum()?;
        while let Some(operator) = self.operator(&["<", "<=", "=", "==", "!=", ">=", ">"]) {
            let right = self.sum()?;
            let order = match (integer(&left), integer(&right)) {
                (Some(a), Some(b)) => a.cmp(&b),
                _ => left.cmp(&right),
            };
            let holds = match operator {
                "<" => order.is_lt(),
                "<=" => order.is_le(),
                "=" | "==" => order.is_eq(),
                "!=" => order.is_ne(),
                ">=" => order.is_ge(),
                _ => order.is_gt(),
            };
            left = if holds { b"1".to_vec() } else { b"0".to_vec() };
        }
        Ok(left)
    }

    fn sum(&mut self) -> Value {
        let mut left = self.product()?;
        while let Some(operator) = self.operator(&["+", "-"]) {
            let right = self.product()?;
            left = calculate(&left, operator, &right)?;
        }
        Ok(left)
    }

    fn product(&mut self) -> Value {
        let mut left = self.matched()?;
        while let Some(operator) = self.operator(&["*", "/", "%"]) {
            let right = self.matched()?;
            left = calculate(&left, operator, &right)?;
        }
        Ok(left)
    }

    fn matched(&mut self) -> Value {
        let mut left = self.function()?;
        while self.operator(&[":"]).is_some() {
            let pattern = self.function()?;
            left = self.match_start(&left, &pattern)?;
        }
        Ok(left)
    }

    fn function(&mut self) -> Value {
        if self.operator(&["+"]).is_some() {
            return self.word();
        }
        match self.operator(&["length", "match", "index", "substr"]) {
            None => self.atom(),
            Some("length") => {
                let text = self.function()?;
                Ok(self.characters(&text).len().to_string().into_bytes())
            }
            Some("match") => {
                let (text, pattern) = (self.function()?, self.function()?);
                self.match_start(&text, &pattern)
            }
            Some("index") => {
                let (text, set) = (self.function()?, self.function()?);
                let wanted = self.characters(&set);
                let at = self.characters(&text).iter().position(|c| wanted.contains(c));
                Ok(at.map_or(0, |at| at + 1).to_string().into_bytes())
            }
            Some(_) => {
                let (text, start, length) = (self.function()?, self.function()?, self.function()?);
                let (Some(start), Some(length)) = (integer(&start), integer(&length)) else { return Ok(Vec::new()) };
                if start <= 0 || length <= 0 {
                    return Ok(Vec::new());
                }
                let count = |n: i128| usize::try_from(n).unwrap_or(usize::MAX);
                Ok(self
                    .characters(&text)
                    .into_iter()
                    .skip(count(start - 1))
                    .take(count(length))
                    .flatten()
                    .copied()
                    .collect())
            }
        }
    }

    fn atom(&mut self) -> Value {
        if self.operator(&["("]).is_some() {
            self.depth += 1;
            if self.depth > MAX_DEPTH {
                return Err(Stop::Fatal(Fatal::Limit { what: "nested parentheses", limit: MAX_DEPTH.into() }));
            }
            let value = self.or()?;
            self.depth -= 1;
            return match self.operator(&[")"]) {
                Some(_) => Ok(value),
                None => Err(Stop::Error("syntax error: expecting ')'".to_owned(), 2)),
            };
        }
        if self.words.get(self.at).is_some_and(|word| word == b")") {
            return Err(Stop::Error("syntax error: unexpected ')'".to_owned(), 2));
        }
        self.word()
    }

    fn word(&mut self) -> Value {
        let word = self.words.get(self.at).cloned();
        self.at += 1;
        word.ok_or_else(|| Stop::Error("syntax error: missing argument".to_owned(), 2))
    }

    fn characters<'t>(&self, text: &'t [u8]) -> Vec<&'t [u8]> {
        crate::shell::text::characters(text, self.utf8)
    }

    /// Group 1 of a match at the start of the text, or its length in characters.
    fn match_start(&self, text: &[u8], pattern: &[u8]) -> Value {
        let regex = Regex::new(pattern, Flavour { lenient: true, ..Flavour::basic(self.utf8) })
            .map_err(|error| Stop::Error(error.to_string(), 2))?;
        let groups = regex.captures(text, 0)?.filter(|groups| groups[0].is_some_and(|(start, _)| start == 0));
        let part = |span: Option<(usize, usize)>| span.map_or(&[] as &[u8], |(start, end)| &text[start..end]);
        Ok(match (groups, regex.groups() > 0) {
            (Some(groups), true) => part(groups[1]).to_vec(),
            (Some(groups), false) => self.characters(part(groups[0])).len().to_string().into_bytes(),
            (None, true) => Vec::new(),
            (None, false) => b"0".to_vec(),
        })
    }
}

fn calculate(left: &[u8], operator: &str, right: &[u8]) -> Value {
    let (Some(a), Some(b)) = (integer(left), integer(right)) else {
        return Err(Stop::Error("non-integer argument".to_owned(), 2));
    };
    if b == 0 && matches!(operator, "/" | "%") {
        return Err(Stop::Error("division by zero".to_owned(), 2));
    }
    let result = match operator {
        "+" => a.checked_add(b),
        "-" => a.checked_sub(b),
        "*" => a.checked_mul(b),
        "/" => a.checked_div(b),
        _ => a.checked_rem(b),
    };
    match result {
        Some(value) => Ok(value.to_string().into_bytes()),
        None => Err(Stop::Fatal(Fatal::Limit { what: "bits in a number", limit: 128 })),
    }
}
