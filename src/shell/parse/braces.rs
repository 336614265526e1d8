//! Parameters: `$x`, and `${...}` with its operators (POSIX XCU 2.6.2).

use super::{
    Dialect, Parser, Parts, Result, in_name, starts_name,
    word::{Quoting, is_special},
};
use crate::shell::syntax::{Operation, Parameter, ParameterName, Part, Replace, Substitute};

impl Parser<'_> {
    /// `$x`, `$1`, `$@`: a name, one digit, or one sign.
    pub(super) fn short_parameter(&mut self) -> Part {
        let name = match self.cursor.peek() {
            Some(byte) if byte.is_ascii_digit() => {
                self.cursor.next();
                ParameterName::Positional(usize::from(byte - b'0'))
            }
            Some(byte) if is_special(byte) => {
                self.cursor.next();
                ParameterName::Special(byte)
            }
            _ => ParameterName::Variable(self.name().into()),
        };
        Part::Parameter(Box::new(Parameter { name, operation: Operation::Value }))
    }

    fn name(&mut self) -> Vec<u8> {
        let mut name = Vec::new();
        while let Some(byte) = self.cursor.peek().filter(|&b| in_name(b)) {
            name.push(byte);
            self.cursor.next();
        }
        name
    }

    /// `${...}` from its first inner byte on.
    pub(super) fn braces(&mut self, quoting: Quoting) -> Result<Part> {
        let length = self.cursor.peek() == Some(b'#') && self.measures_length();
        if length {
            self.cursor.next();
        }
        let name = self.braced_name();
        let operation = match (name.is_some(), self.cursor.peek()) {
            (true, Some(b'}')) => {
                self.cursor.next();
                if length { Operation::Length } else { Operation::Value }
            }
            (true, Some(_)) if !length => self.operation(quoting)?,
            _ => self.bad(quoting)?,
        };
        let name = name.unwrap_or(ParameterName::Special(b'?'));
        let on_each =
            matches!(operation, Operation::Replace { .. } | Operation::Slice { .. } | Operation::Letters { .. });
        if on_each && matches!(name, ParameterName::Special(b'@' | b'*')) {
            self.bash_only("${@/...}")?;
        }
        Ok(Part::Parameter(Box::new(Parameter { name, operation })))
    }

    /// Whether the `#` here asks for a length rather than being the parameter `$#`.
    fn measures_length(&mut self) -> bool {
        match self.cursor.peek_second() {
            Some(byte) if in_name(byte) => true,
            Some(b'}') | None => false,
            // `${#-}` is the length of `$-`, `${#-word}` is `$#` or a word.
            Some(_) => self.cursor.peek_third() == Some(b'}'),
        }
    }

    fn braced_name(&mut self) -> Option<ParameterName> {
        match self.cursor.peek()? {
            byte if starts_name(byte) => Some(ParameterName::Variable(self.name().into())),
            byte if byte.is_ascii_digit() => {
                let mut number = 0_usize;
                while let Some(digit) = self.cursor.peek().filter(u8::is_ascii_digit) {
                    number = number.saturating_mul(10).saturating_add(usize::from(digit - b'0'));
                    self.cursor.next();
                }
                Some(ParameterName::Positional(number))
            }
            byte if is_special(byte) => {
                if byte == b'!' && self.cursor.peek_second().is_some_and(in_name) {
                    return None;
                }
                self.cursor.next();
                Some(ParameterName::Special(byte))
            }
            _ => None,
        }
    }

    /// The operator after a name, its word and the closing brace.
    fn operation(&mut self, quoting: Quoting) -> Result<Operation> {
        let null = self.cursor.take(b':');
        let how = match self.cursor.peek() {
            Some(b'-') => Substitute::Default,
            Some(b'=') => Substitute::Assign,
            Some(b'?') => Substitute::Error,
            Some(b'+') => Substitute::Alternate,
            Some(sign @ (b'#' | b'%')) if !null => {
                self.cursor.next();
                let longest = self.cursor.take(sign);
                // The pattern is quoted by itself, even in double quotes.
                let pattern = self.brace_word(Quoting::None)?;
                return Ok(Operation::Trim { suffix: sign == b'%', longest, pattern });
            }
            sign => return self.bash_operation(sign, null, quoting),
        };
        self.cursor.next();
        Ok(Operation::Substitute { how, null, word: self.brace_word(quoting)? })
    }

    /// Operators that only bash has.
    fn bash_operation(&mut self, sign: Option<u8>, colon: bool, quoting: Quoting) -> Result<Operation> {
        if self.dialect == Dialect::Dash {
            return self.bad(quoting);
        }
        match sign {
            _ if colon => {
                let offset = self.brace_part(Quoting::Double, b':')?;
                let length = if self.cursor.take(b':') { Some(self.brace_part(Quoting::Double, b'}')?) } else { None };
                self.cursor.next();
                Ok(Operation::Slice { offset, length })
            }
            Some(b'/') => {
                self.cursor.next();
                let which = match self.cursor.peek() {
                    Some(b'/') => Replace::All,
                    Some(b'#') => Replace::Prefix,
                    Some(b'%') => Replace::Suffix,
                    _ => Replace::First,
                };
                if which != Replace::First {
                    self.cursor.next();
                }
                let pattern = self.brace_part(Quoting::None, b'/')?;
                let replacement =
                    if self.cursor.take(b'/') { self.brace_part(Quoting::None, b'}')? } else { Vec::new() };
                self.cursor.next();
                Ok(Operation::Replace { which, pattern, replacement })
            }
            Some(letter @ (b'^' | b',')) => {
                self.cursor.next();
                let all = self.cursor.take(letter);
                if !self.cursor.take(b'}') {
                    return self.bad(quoting);
                }
                Ok(Operation::Letters { upper: letter == b'^', all })
            }
            _ => self.bad(quoting),
        }
    }

    /// Text up to `end` or the closing brace, which stays.
    fn brace_part(&mut self, quoting: Quoting, end: u8) -> Result<Vec<Part>> {
        let mut parts = Parts::default();
        loop {
            match self.cursor.peek() {
                None => return self.syntax("Missing '}'"),
                Some(byte) if byte == end || byte == b'}' => return Ok(parts.0),
                Some(_) if quoting == Quoting::None => self.unquoted(&mut parts)?,
                Some(_) => {
                    if let Some(byte) = self.cursor.next() {
                        self.in_double(byte, &mut parts)?;
                    }
                }
            }
        }
    }

    fn bad(&mut self, quoting: Quoting) -> Result<Operation> {
        self.bash_only("${x/...}")?;
        self.brace_word(quoting)?;
        Ok(Operation::Bad)
    }

    /// The word after an operator, and the closing brace.
    fn brace_word(&mut self, quoting: Quoting) -> Result<Vec<Part>> {
        let mut parts = Parts::default();
        // Double quotes inside of double quotes only hide braces.
        let mut hidden = false;
        loop {
            match (self.cursor.peek(), quoting) {
                (None, _) => return self.syntax("Missing '}'"),
                (Some(b'}'), _) if !hidden => {
                    self.cursor.next();
                    return Ok(parts.0);
                }
                (Some(_), Quoting::None) => self.unquoted(&mut parts)?,
                (Some(byte), Quoting::Double) => {
                    self.cursor.next();
                    match byte {
                        b'"' => hidden = !hidden,
                        b'\\' => self.backslash(&mut parts, b"\\`$\"}"),
                        b'$' if self.cursor.peek() == Some(b'\'') => {
                            // bash reads these quotes here, though not in double quotes without braces.
                            self.bash_only("\"${x-$'...'}\"")?;
                            self.in_double(byte, &mut parts)?;
                        }
                        _ => self.in_double(byte, &mut parts)?,
                    }
                }
            }
        }
    }
}
