//! `[[ ... ]]` in scripts for bash.

use super::{
    Parser, Parts, Result,
    token::{Check, RedirectKind, Redirection, Token},
    word::finish,
};
use crate::shell::syntax::{FaultKind, Node, Test, Word};

impl Parser<'_> {
    /// From behind `[[` up to and with `]]`.
    pub(super) fn double_brackets(&mut self) -> Result<Node> {
        let line = self.cursor.line();
        let test = self.deeper(Self::test_or)?;
        match self.take(Check::NEWLINES_PLAIN)?.bare() {
            Some(b"]]") => Ok(Node::Test { test: Box::new(test), line }),
            _ => self.not_this_test(),
        }
    }

    fn not_this_test<T>(&self) -> Result<T> {
        self.fault(FaultKind::Bash("this form of [["))
    }

    fn test_or(&mut self) -> Result<Test> {
        let mut test = self.test_and()?;
        while matches!(self.peek(Check::NEWLINES_PLAIN)?, Token::Or) {
            self.pushed = None;
            test = Test::Or(Box::new(test), Box::new(self.test_and()?));
        }
        Ok(test)
    }

    fn test_and(&mut self) -> Result<Test> {
        let mut test = self.test_not()?;
        while matches!(self.peek(Check::NEWLINES_PLAIN)?, Token::And) {
            self.pushed = None;
            test = Test::And(Box::new(test), Box::new(self.test_not()?));
        }
        Ok(test)
    }

    fn test_not(&mut self) -> Result<Test> {
        match self.take(Check::NEWLINES_PLAIN)? {
            Token::Open => {
                let test = self.deeper(Self::test_or)?;
                match self.take(Check::NEWLINES_PLAIN)? {
                    Token::Close => Ok(test),
                    _ => self.not_this_test(),
                }
            }
            token if token.bare() == Some(b"!") => Ok(Test::Not(Box::new(self.deeper(Self::test_not)?))),
            token if token.bare() == Some(b"]]") => self.not_this_test(),
            Token::Word(word) => self.test_of(word),
            _ => self.not_this_test(),
        }
    }

    /// A test that begins with this word.
    fn test_of(&mut self, first: Word) -> Result<Test> {
        if let Some(operator) = first.literal.as_deref().filter(|word| is_unary(word)) {
            let operator = operator.to_vec();
            return Ok(Test::Unary(operator, self.test_operand()?));
        }
        let operator = match self.peek(Check::PLAIN)? {
            &Token::Redirect(Redirection { kind: RedirectKind::Read, fd: 0 }) => b"<".to_vec(),
            &Token::Redirect(Redirection { kind: RedirectKind::Write, fd: 1 }) => b">".to_vec(),
            token => match token.bare() {
                Some(operator) if is_binary(operator) => operator.to_vec(),
                Some(b"]]") => return Ok(Test::Word(first)),
                Some(_) => return self.not_this_test(),
                None => return Ok(Test::Word(first)),
            },
        };
        self.pushed = None;
        Ok(match operator.as_slice() {
            b"=" | b"==" | b"!=" => {
                let negated = operator == b"!=";
                Test::Pattern { word: first, pattern: self.test_operand()?, negated }
            }
            b"=~" => Test::Regex(first, self.regex_word()?),
            _ => Test::Binary(first, operator, self.test_operand()?),
        })
    }

    fn test_operand(&mut self) -> Result<Word> {
        match self.take(Check::PLAIN)? {
            token if token.bare() == Some(b"]]") => self.not_this_test(),
            Token::Word(word) => Ok(word),
            _ => self.not_this_test(),
        }
    }

    /// A regular expression: parentheses and bars are part of it.
    fn regex_word(&mut self) -> Result<Word> {
        while matches!(self.cursor.peek(), Some(b' ' | b'\t')) {
            self.cursor.next();
        }
        let mut parts = Parts::default();
        let mut open = 0_u32;
        while let Some(byte) = self.cursor.peek() {
            match byte {
                b'(' => open += 1,
                b')' if open == 0 => break,
                b')' => open -= 1,
                b' ' | b'\t' | b'\n' | b'&' | b';' if open == 0 => break,
                _ => {}
            }
            self.unquoted(&mut parts)?;
        }
        Ok(finish(parts))
    }
}

fn is_unary(word: &[u8]) -> bool {
    matches!(word, [b'-', letter] if b"abcdefghknprstuwxzLGNOS".contains(letter))
}

fn is_binary(word: &[u8]) -> bool {
    matches!(
        word,
        b"=" | b"==" | b"!=" | b"=~" | b"-eq" | b"-ne" | b"-lt" | b"-le" | b"-gt" | b"-ge" | b"-nt" | b"-ot" | b"-ef"
    )
}
