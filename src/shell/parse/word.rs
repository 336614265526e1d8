//! Words: quoting, and where expansions start (POSIX XCU 2.2).

use super::{Dialect, Parser, Parts, Result, assignment_name, token::is_meta};
use crate::shell::syntax::{Node, Part, Word};

/// Which rules of quoting hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quoting {
    /// Outside of quotes.
    None,
    /// In double quotes, here-documents and arithmetic.
    Double,
}

impl Parser<'_> {
    /// Reads a word up to the byte that ends it.
    pub(super) fn read_word(&mut self) -> Result<Word> {
        let mut parts = Parts::default();
        while let Some(byte) = self.cursor.peek() {
            if is_meta(byte) {
                break;
            }
            self.unquoted(&mut parts)?;
        }
        Ok(finish(parts))
    }

    /// Reads one unquoted byte or what it introduces.
    pub(super) fn unquoted(&mut self, parts: &mut Parts) -> Result<()> {
        match self.cursor.next() {
            Some(b'\\') => parts.quoted(self.cursor.next_raw().unwrap_or(b'\\')),
            Some(b'\'') => parts.push(self.single_quotes()?),
            Some(b'"') => parts.push(self.deeper(Self::double_quotes)?),
            Some(b'`') => parts.push(self.deeper(|parser| parser.backquotes(Quoting::None))?),
            Some(b'$') => self.dollar(parts, Quoting::None)?,
            Some(byte) => parts.text(byte),
            None => {}
        }
        Ok(())
    }

    fn single_quotes(&mut self) -> Result<Part> {
        let mut text = Vec::new();
        loop {
            match self.cursor.next_raw() {
                Some(b'\'') => return Ok(Part::Quoted(text)),
                Some(byte) => text.push(byte),
                None => return self.syntax("Unterminated quoted string"),
            }
        }
    }

    fn double_quotes(&mut self) -> Result<Part> {
        let mut parts = Parts::default();
        loop {
            match self.cursor.next() {
                Some(b'"') => return Ok(Part::Double(parts.0)),
                Some(b'\\') => self.backslash(&mut parts, b"\\`$\""),
                Some(byte) => self.in_double(byte, &mut parts)?,
                None => return self.syntax("Unterminated quoted string"),
            }
        }
    }

    /// A byte in double quotes that neither ends nor escapes anything.
    pub(super) fn in_double(&mut self, byte: u8, parts: &mut Parts) -> Result<()> {
        match byte {
            b'`' => parts.push(self.deeper(|parser| parser.backquotes(Quoting::Double))?),
            b'$' => self.dollar(parts, Quoting::Double)?,
            _ => parts.quoted(byte),
        }
        Ok(())
    }

    /// A backslash in double quotes: it stays, unless one of `special` follows.
    pub(super) fn backslash(&mut self, parts: &mut Parts, special: &[u8]) {
        match self.cursor.peek_raw() {
            Some(byte) => {
                self.cursor.next_raw();
                if !special.contains(&byte) {
                    parts.quoted(b'\\');
                }
                parts.quoted(byte);
            }
            None => parts.quoted(b'\\'),
        }
    }

    /// What follows a `$`.
    pub(super) fn dollar(&mut self, parts: &mut Parts, quoting: Quoting) -> Result<()> {
        match self.cursor.peek() {
            Some(b'(') => {
                self.cursor.next();
                if self.cursor.take(b'(') {
                    parts.push(self.deeper(Self::arithmetic)?);
                } else {
                    parts.push(self.deeper(Self::command_substitution)?);
                }
            }
            Some(b'{') => {
                self.cursor.next();
                parts.push(self.deeper(|parser| parser.braces(quoting))?);
            }
            Some(byte) if is_parameter(byte) => parts.push(self.short_parameter()),
            next => {
                match (quoting, self.dialect, next) {
                    (Quoting::None, Dialect::Bash, Some(b'\'')) => {
                        self.cursor.next();
                        parts.push(self.ansi_c_quotes()?);
                    }
                    // A text to translate: in double quotes for bash too where the locale is C, as in every script of a package.
                    (Quoting::None, Dialect::Bash, Some(b'"')) => {
                        self.cursor.next();
                        parts.push(self.deeper(Self::double_quotes)?);
                    }
                    (Quoting::None, ..) => parts.text(b'$'),
                    (Quoting::Double, ..) => parts.quoted(b'$'),
                }
            }
        }
        Ok(())
    }

    /// `$((...))` from its first inner byte on.
    pub(super) fn arithmetic(&mut self) -> Result<Part> {
        let mut parts = Parts::default();
        let mut open = 0_u32;
        loop {
            match self.cursor.next() {
                Some(b'(') => {
                    open += 1;
                    parts.quoted(b'(');
                }
                Some(b')') if open > 0 => {
                    open -= 1;
                    parts.quoted(b')');
                }
                Some(b')') if self.cursor.take(b')') => return Ok(Part::Arithmetic(parts.0)),
                Some(b'\\') => self.backslash(&mut parts, b"\\`$\""),
                Some(byte) => self.in_double(byte, &mut parts)?,
                None => return self.syntax("Missing '))'"),
            }
        }
    }

    /// `$(...)` from its first inner byte on.
    fn command_substitution(&mut self) -> Result<Part> {
        let pushed = self.pushed.take();
        let node = self.substituted_list()?;
        self.pushed = pushed;
        Ok(Part::Command(node.map(Box::new)))
    }

    /// Backquotes from the first inner byte on: their text is unescaped, then read as a script.
    fn backquotes(&mut self, quoting: Quoting) -> Result<Part> {
        let line = self.cursor.line();
        let mut text = Vec::new();
        loop {
            match self.cursor.next() {
                Some(b'`') => break,
                Some(b'\\') => {
                    let Some(byte) = self.cursor.next_raw() else { break };
                    let special = matches!(byte, b'\\' | b'`' | b'$') || quoting == Quoting::Double && byte == b'"';
                    if !special {
                        text.push(b'\\');
                    }
                    text.push(byte);
                }
                Some(byte) => text.push(byte),
                None => return self.syntax("EOF in backquote substitution"),
            }
        }
        let start = crate::shell::syntax::Place { offset: 0, line };
        let mut inner = Parser::new(&text, start, self.dialect, self.aliases, self.depth);
        let node: Option<Node> = inner.whole_list()?;
        Ok(Part::Command(node.map(Box::new)))
    }
}

/// Whether a byte after `$` names a parameter.
pub(super) fn is_parameter(byte: u8) -> bool {
    super::in_name(byte) || is_special(byte)
}

/// The special parameters that are no digits.
pub(super) fn is_special(byte: u8) -> bool {
    matches!(byte, b'@' | b'*' | b'#' | b'?' | b'-' | b'$' | b'!')
}

/// Makes a word of its parts.
pub(super) fn finish(parts: Parts) -> Word {
    let mut parts = parts.0;
    parts.shrink_to_fit();
    let assignment = matches!(parts.first(), Some(Part::Text(text)) if assignment_name(text).is_some());
    Word { literal: literal(&parts), parts, assignment }
}

/// The text of parts that need no expansion.
pub(super) fn literal(parts: &[Part]) -> Option<Vec<u8>> {
    let mut whole = Vec::new();
    for part in parts {
        match part {
            Part::Text(text) if !text.iter().any(|b| matches!(b, b'*' | b'?' | b'[' | b'~')) => whole.extend(text),
            Part::Quoted(text) => whole.extend(text),
            Part::Double(inner) => whole.extend(literal(inner)?),
            Part::Text(_) | Part::Parameter(_) | Part::Command(_) | Part::Arithmetic(_) => return None,
        }
    }
    Some(whole)
}
