//! `$((...))`: C's integer expressions over the shell's variables, 64 bits wide, wrapping.

use super::raw::Raw;

/// The variables that an expression may read and set.
pub(super) trait Variables {
    type Error;

    /// The text of a variable; `None` when it is unset.
    fn get(&mut self, name: &[u8]) -> Result<Option<Vec<u8>>, Self::Error>;
    fn set(&mut self, name: &[u8], value: i64) -> Result<(), Self::Error>;
}

/// Why an expression has no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault<E> {
    #[error("arithmetic expression: {reason}: \"{}{}\"", Raw(excerpt(expression)), if expression.len() > EXCERPT { "..." } else { "" })]
    Expression { reason: &'static str, expression: Vec<u8> },
    #[error("Illegal number: {}", Raw(.0))]
    Number(Vec<u8>),
    /// What reading or setting a variable has led to.
    #[error("variable")]
    Variable(E),
}

/// Bytes of an expression that a message shows.
const EXCERPT: usize = 1000;

fn excerpt(expression: &[u8]) -> &[u8] {
    &expression[..expression.len().min(EXCERPT)]
}

/// Operators and parentheses inside one another.
const MAX_DEPTH: u32 = 100;

/// The value of an expression.
pub(super) fn evaluate<V: Variables>(expression: &[u8], variables: &mut V) -> Result<i64, Fault<V::Error>> {
    let mut evaluation = Evaluation { expression, at: 0, variables, skipping: 0, depth: 0 };
    evaluation.blanks();
    if evaluation.at == expression.len() {
        return evaluation.fault("expecting primary");
    }
    let value = evaluation.assignment()?;
    evaluation.blanks();
    if evaluation.at < expression.len() {
        return evaluation.fault("expecting EOF");
    }
    Ok(value)
}

/// A number as the shell's variables and `test` have it: decimal, octal after 0, hexadecimal after 0x.
pub(super) fn number(text: &[u8]) -> Option<i64> {
    let (negative, magnitude) = signed(text)?;
    let value = i64::try_from(magnitude).unwrap_or(i64::MAX);
    Some(match negative {
        true if magnitude > i64::MAX as u64 => i64::MIN,
        true => -value,
        false => value,
    })
}

/// The same where a number that is too large is none, as in a variable of an expression.
fn exact(text: &[u8]) -> Option<i64> {
    let (negative, magnitude) = signed(text)?;
    if negative { 0_i64.checked_sub_unsigned(magnitude) } else { i64::try_from(magnitude).ok() }
}

fn signed(text: &[u8]) -> Option<(bool, u64)> {
    let blank = |b: &u8| matches!(b, b' ' | b'\t'..=b'\r');
    let start = text.iter().position(|b| !blank(b))?;
    let end = text.iter().rposition(|b| !blank(b)).map_or(start, |last| last + 1);
    let text = &text[start..end];
    let (negative, digits) = match text.split_first() {
        Some((b'-', rest)) => (true, rest),
        Some((b'+', rest)) => (false, rest),
        _ => (false, text),
    };
    Some((negative, unsigned(digits)?))
}

/// Digits alone; more than 64 bits stay at the greatest.
fn unsigned(digits: &[u8]) -> Option<u64> {
    let (radix, digits) = match digits {
        [b'0', b'x' | b'X', rest @ ..] if !rest.is_empty() => (16, rest),
        [b'0', rest @ ..] if !rest.is_empty() => (8, rest),
        _ => (10, digits),
    };
    if digits.is_empty() {
        return None;
    }
    let mut value = 0_u64;
    for &byte in digits {
        let digit = char::from(byte).to_digit(radix)?;
        value = value.saturating_mul(u64::from(radix)).saturating_add(u64::from(digit));
    }
    Some(value)
}

/// Binary operators by falling precedence; within a level, longer ones first.
const LEVELS: &[&[&[u8]]] = &[
    &[b"||"],
    &[b"&&"],
    &[b"|"],
    &[b"^"],
    &[b"&"],
    &[b"==", b"!="],
    &[b"<=", b">=", b"<", b">"],
    &[b"<<", b">>"],
    &[b"+", b"-"],
    &[b"*", b"/", b"%"],
];

struct Evaluation<'e, V> {
    expression: &'e [u8],
    at: usize,
    variables: &'e mut V,
    /// Above zero in an operand whose value doesn't count: nothing is set and nothing divided.
    skipping: u32,
    depth: u32,
}

impl<V: Variables> Evaluation<'_, V> {
    fn fault<T>(&self, reason: &'static str) -> Result<T, Fault<V::Error>> {
        Err(Fault::Expression { reason, expression: self.expression.to_vec() })
    }

    fn blanks(&mut self) {
        while matches!(self.expression.get(self.at), Some(b' ' | b'\t' | b'\n')) {
            self.at += 1;
        }
    }

    /// Takes an operator, unless it is the start of a longer one.
    fn take(&mut self, operator: &[u8]) -> bool {
        self.blanks();
        let rest = &self.expression[self.at..];
        if !rest.starts_with(operator) {
            return false;
        }
        let next = rest.get(operator.len());
        let longer = match operator {
            b"|" | b"&" => next == Some(&operator[0]) || next == Some(&b'='),
            b"<" | b">" => next == Some(&operator[0]) || next == Some(&b'='),
            b"==" | b"!=" | b"<=" | b">=" | b"||" | b"&&" | b"(" | b")" | b"?" | b":" | b"~" => false,
            _ => next == Some(&b'='),
        };
        if !longer {
            self.at += operator.len();
        }
        !longer
    }

    fn name(&mut self) -> Option<Vec<u8>> {
        self.blanks();
        let rest = &self.expression[self.at..];
        let first = *rest.first()?;
        if !super::parse::starts_name(first) {
            return None;
        }
        let length = rest.iter().take_while(|&&b| super::parse::in_name(b)).count();
        self.at += length;
        Some(rest[..length].to_vec())
    }

    /// `name = value`, `name += value` and so on, or a condition.
    fn assignment(&mut self) -> Result<i64, Fault<V::Error>> {
        if self.depth >= MAX_DEPTH {
            return self.fault("nested too deeply");
        }
        self.depth += 1;
        let start = self.at;
        if let Some(name) = self.name()
            && let Some(operator) = self.assignment_operator()
        {
            let right = self.assignment()?;
            let value = match operator {
                b"" => right,
                operator => {
                    let left = self.variable(&name)?;
                    self.binary(operator, left, right)?
                }
            };
            if self.skipping == 0 {
                self.variables.set(&name, value).map_err(Fault::Variable)?;
            }
            self.depth -= 1;
            return Ok(value);
        }
        self.at = start;
        let value = self.condition()?;
        self.depth -= 1;
        Ok(value)
    }

    /// The operator in front of `=`, empty for a plain assignment.
    fn assignment_operator(&mut self) -> Option<&'static [u8]> {
        const OPERATORS: [&[u8]; 11] = [b"<<", b">>", b"+", b"-", b"*", b"/", b"%", b"&", b"^", b"|", b""];
        self.blanks();
        let rest = &self.expression[self.at..];
        let operator = OPERATORS.into_iter().find(|operator| {
            rest.strip_prefix(*operator).is_some_and(|rest| rest.first() == Some(&b'=') && rest.get(1) != Some(&b'='))
        })?;
        self.at += operator.len() + 1;
        Some(operator)
    }

    fn condition(&mut self) -> Result<i64, Fault<V::Error>> {
        let test = self.binary_level(0)?;
        if !self.take(b"?") {
            return Ok(test);
        }
        let yes = self.operand(test == 0, Self::assignment)?;
        if !self.take(b":") {
            return self.fault("expecting ':'");
        }
        let no = self.operand(test != 0, |evaluation| {
            if evaluation.depth >= MAX_DEPTH {
                return evaluation.fault("nested too deeply");
            }
            evaluation.depth += 1;
            let value = evaluation.condition();
            evaluation.depth -= 1;
            value
        })?;
        Ok(if test != 0 { yes } else { no })
    }

    /// Reads an operand, for its syntax only if `skip`.
    fn operand(
        &mut self,
        skip: bool,
        read: impl FnOnce(&mut Self) -> Result<i64, Fault<V::Error>>,
    ) -> Result<i64, Fault<V::Error>> {
        self.skipping += u32::from(skip);
        let value = read(self);
        self.skipping -= u32::from(skip);
        value
    }

    fn binary_level(&mut self, level: usize) -> Result<i64, Fault<V::Error>> {
        let Some(operators) = LEVELS.get(level) else { return self.unary() };
        let mut left = self.binary_level(level + 1)?;
        loop {
            let Some(operator) = operators.iter().find(|operator| self.take(operator)) else { return Ok(left) };
            left = match *operator {
                b"||" => {
                    let right = self.operand(left != 0, |evaluation| evaluation.binary_level(level + 1))?;
                    i64::from(left != 0 || right != 0)
                }
                b"&&" => {
                    let right = self.operand(left == 0, |evaluation| evaluation.binary_level(level + 1))?;
                    i64::from(left != 0 && right != 0)
                }
                operator => {
                    let right = self.binary_level(level + 1)?;
                    self.binary(operator, left, right)?
                }
            };
        }
    }

    fn binary(&self, operator: &[u8], left: i64, right: i64) -> Result<i64, Fault<V::Error>> {
        // A shift takes the low six bits of its count, as the processors do that dash runs on.
        let count = right as u32;
        Ok(match operator {
            b"|" => left | right,
            b"^" => left ^ right,
            b"&" => left & right,
            b"==" => i64::from(left == right),
            b"!=" => i64::from(left != right),
            b"<=" => i64::from(left <= right),
            b">=" => i64::from(left >= right),
            b"<" => i64::from(left < right),
            b">" => i64::from(left > right),
            b"<<" => left.wrapping_shl(count),
            b">>" => left.wrapping_shr(count),
            b"+" => left.wrapping_add(right),
            b"-" => left.wrapping_sub(right),
            b"*" => left.wrapping_mul(right),
            _ if self.skipping > 0 => 0,
            _ if right == 0 => return self.fault("division by zero"),
            b"/" => left.wrapping_div(right),
            _ => left.wrapping_rem(right),
        })
    }

    fn unary(&mut self) -> Result<i64, Fault<V::Error>> {
        if self.depth >= MAX_DEPTH {
            return self.fault("nested too deeply");
        }
        self.depth += 1;
        let value = if self.take(b"-") {
            self.unary()?.wrapping_neg()
        } else if self.take(b"+") {
            self.unary()?
        } else if self.take(b"!") {
            i64::from(self.unary()? == 0)
        } else if self.take(b"~") {
            !self.unary()?
        } else {
            self.primary()?
        };
        self.depth -= 1;
        Ok(value)
    }

    fn primary(&mut self) -> Result<i64, Fault<V::Error>> {
        if self.take(b"(") {
            let value = self.assignment()?;
            if !self.take(b")") {
                return self.fault("expecting ')'");
            }
            return Ok(value);
        }
        if let Some(name) = self.name() {
            return self.variable(&name);
        }
        let rest = &self.expression[self.at..];
        let length = rest.iter().take_while(|b| b.is_ascii_alphanumeric()).count();
        let digits = &rest[..length];
        if length == 0 {
            return self.fault("expecting primary");
        }
        // What is no digit of the number's base ends it, and is then out of place.
        let Some(value) = number(digits) else { return self.fault("expecting EOF") };
        self.at += length;
        Ok(value)
    }

    fn variable(&mut self, name: &[u8]) -> Result<i64, Fault<V::Error>> {
        if self.skipping > 0 {
            return Ok(0);
        }
        match self.variables.get(name).map_err(Fault::Variable)? {
            Some(text) if !text.is_empty() => exact(&text).ok_or(Fault::Number(text)),
            _ => Ok(0),
        }
    }
}
