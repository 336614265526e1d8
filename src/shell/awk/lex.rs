//! The text of an awk program into tokens.

use std::rc::Rc;

use super::value::{decimal, in_range};
use crate::shell::text::awk_escape;

/// A token; words that mean something are told apart by the parser's tables.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Number(f64),
    Text(Rc<[u8]>),
    /// Between slashes, as it is written.
    Regex(Vec<u8>),
    Name(Vec<u8>),
    /// A name that a parenthesis follows without a blank.
    FunctionName(Vec<u8>),
    /// A word of the language or a function that is built in.
    Word(&'static str),
    Symbol(&'static str),
    Newline,
    End,
}

const WORDS: [&str; 41] = [
    "BEGIN", "END", "function", "func", "if", "else", "while", "for", "do", "break", "continue", "next", "nextfile",
    "exit", "return", "delete", "in", "getline", "print", "printf", "atan2", "close", "cos", "exp", "fflush", "gsub",
    "index", "int", "length", "log", "match", "mktime", "rand", "sin", "split", "sprintf", "sqrt", "srand", "strftime",
    "sub", "substr",
];

const MORE_WORDS: [&str; 4] = ["system", "systime", "tolower", "toupper"];

/// Longest first.
const SYMBOLS: [&str; 43] = [
    "&&", "||", "++", "--", "+=", "-=", "*=", "/=", "%=", "^=", "==", "<=", ">=", "!=", "!~", ">>", "{", "}", "(", ")",
    "[", "]", ";", ",", "+", "-", "*", "/", "%", "^", "!", ">", "<", "|", "?", ":", "~", "$", "=", "&", "@", "`", "\\",
];

/// A fault in a program, with its line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) line: usize,
    pub(super) what: String,
}

#[derive(Clone, Debug)]
pub(super) struct Lexer<'t> {
    text: &'t [u8],
    at: usize,
    pub(super) line: usize,
    /// Whether a slash here would divide: the token before was the end of a value.
    after_value: bool,
}

impl<'t> Lexer<'t> {
    pub(super) fn new(text: &'t [u8]) -> Self {
        Self { text, at: 0, line: 1, after_value: false }
    }

    fn peek(&self, ahead: usize) -> u8 {
        self.text.get(self.at + ahead).copied().unwrap_or(0)
    }

    pub(super) fn next(&mut self) -> Result<Token, Fault> {
        let token = self.token()?;
        self.after_value = match &token {
            Token::Number(_) | Token::Text(_) | Token::Regex(_) | Token::Name(_) => true,
            Token::Word(word) => !matches!(
                *word,
                "print" | "printf" | "return" | "in" | "if" | "while" | "for" | "do" | "else" | "getline" | "exit"
            ),
            Token::Symbol(symbol) => matches!(*symbol, ")" | "]" | "$" | "++" | "--"),
            _ => false,
        };
        Ok(token)
    }

    fn skip_blanks(&mut self) {
        loop {
            match self.peek(0) {
                b' ' | b'\t' | b'\r' | 0x0c | 0x0b => self.at += 1,
                b'\\' if self.peek(1) == b'\n' => {
                    self.at += 2;
                    self.line += 1;
                }
                b'\\' if self.peek(1) == b'\r' && self.peek(2) == b'\n' => {
                    self.at += 3;
                    self.line += 1;
                }
                b'#' => {
                    let rest = &self.text[self.at..];
                    self.at += memchr::memchr(b'\n', rest).unwrap_or(rest.len());
                }
                _ => return,
            }
        }
    }

    fn token(&mut self) -> Result<Token, Fault> {
        self.skip_blanks();
        let Some(&byte) = self.text.get(self.at) else { return Ok(Token::End) };
        match byte {
            b'\n' => {
                self.at += 1;
                self.line += 1;
                Ok(Token::Newline)
            }
            b'"' => self.text_literal(),
            b'/' if !self.after_value => self.regex(),
            b'0'..=b'9' => self.number(),
            b'.' if self.peek(1).is_ascii_digit() => self.number(),
            byte if byte.is_ascii_alphabetic() || byte == b'_' => Ok(self.word()),
            _ => {
                let rest = &self.text[self.at..];
                match SYMBOLS.iter().find(|symbol| rest.starts_with(symbol.as_bytes())) {
                    Some(symbol) => {
                        self.at += symbol.len();
                        Ok(Token::Symbol(symbol))
                    }
                    None => Err(self.fault(format!("unexpected character '{}'", byte.escape_ascii()))),
                }
            }
        }
    }

    pub(super) fn fault(&self, what: impl Into<String>) -> Fault {
        Fault { line: self.line, what: what.into() }
    }

    fn word(&mut self) -> Token {
        let rest = &self.text[self.at..];
        let end = rest.iter().position(|b| !b.is_ascii_alphanumeric() && *b != b'_').unwrap_or(rest.len());
        let name = &rest[..end];
        self.at += end;
        if let Some(word) = WORDS.iter().chain(&MORE_WORDS).find(|word| word.as_bytes() == name) {
            return Token::Word(if *word == "func" { "function" } else { word });
        }
        if self.peek(0) == b'(' { Token::FunctionName(name.to_vec()) } else { Token::Name(name.to_vec()) }
    }

    fn number(&mut self) -> Result<Token, Fault> {
        let (number, length) = decimal(&self.text[self.at..]);
        let text = &self.text[self.at..self.at + length];
        self.at += length;
        if in_range(number, text) {
            return Ok(Token::Number(number));
        }
        Err(self.fault(format!("{} : decimal overflow", text.escape_ascii())))
    }

    fn text_literal(&mut self) -> Result<Token, Fault> {
        let mut out = Vec::new();
        self.at += 1;
        loop {
            match self.text.get(self.at) {
                None | Some(b'\n') => return Err(self.fault("runaway string constant")),
                Some(b'"') => break,
                Some(b'\\') if self.peek(1) == b'\n' => {
                    self.line += 1;
                    self.at += 2;
                }
                Some(b'\\') if self.at + 1 < self.text.len() => {
                    let next = unescape(self.text, self.at, &mut out);
                    self.at = next;
                }
                Some(byte) => {
                    out.push(*byte);
                    self.at += 1;
                }
            }
        }
        self.at += 1;
        Ok(Token::Text(out.into()))
    }

    fn regex(&mut self) -> Result<Token, Fault> {
        let start = self.at + 1;
        let mut bracket: Option<usize> = None;
        self.at = start;
        loop {
            let Some(&byte) = self.text.get(self.at).filter(|b| **b != b'\n') else {
                return Err(self.fault("runaway regular expression"));
            };
            match byte {
                b'\\' => self.at += 1,
                b'/' if bracket.is_none() => break,
                b'[' if bracket.is_none() => {
                    // A `]` that comes first is one of the set.
                    let first = self.at + 1 + usize::from(self.peek(1) == b'^');
                    bracket = Some(first);
                }
                b']' if bracket.is_some_and(|first| self.at > first) => bracket = None,
                _ => {}
            }
            self.at += 1;
        }
        let text = self.text[start..self.at].to_vec();
        self.at += 1;
        Ok(Token::Regex(text))
    }
}

/// Adds what an escape stands for; one of nothing special keeps its backslash. Says where the text goes on.
pub(super) fn unescape(text: &[u8], at: usize, out: &mut Vec<u8>) -> usize {
    match text[at + 1] {
        b'"' | b'\\' | b'a' | b'b' | b'f' | b'n' | b'r' | b't' | b'v' | b'0'..=b'7' => {
            let (byte, next) = awk_escape(text, at);
            out.push(byte);
            next
        }
        b'x' if text.get(at + 2).is_some_and(u8::is_ascii_hexdigit) => {
            let (byte, next) = awk_escape(text, at);
            out.push(byte);
            next
        }
        b'/' => {
            out.extend_from_slice(b"\\/");
            at + 2
        }
        other => {
            out.extend_from_slice(&[b'\\', other]);
            at + 2
        }
    }
}
