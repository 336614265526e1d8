//! Tokens (POSIX XCU 2.3): operators, words, and which words are reserved where.

use super::{Dialect, Parser, Result};
use crate::shell::{
    raw::Raw,
    syntax::{FaultKind, Part, Word},
};

#[derive(Debug)]
pub(super) enum Token {
    Eof,
    Newline,
    Semicolon,
    DoubleSemicolon,
    Ampersand,
    And,
    Or,
    Pipe,
    Open,
    Close,
    Redirect(Redirection),
    Word(Word),
}

/// A redirection's operator and the descriptor that it is for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Redirection {
    pub(super) fd: u32,
    pub(super) kind: RedirectKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RedirectKind {
    Read,
    Write,
    Clobber,
    Append,
    ReadWrite,
    Duplicate,
    Here,
    HereStripped,
    /// `<<<`
    HereString,
    /// `&>` and, before a name, `>&`: both outputs.
    Both,
    /// `&>>`
    BothAppend,
}

/// What to look for in the next token, beyond its being one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Check {
    /// Newlines are passed over.
    pub(super) newlines: bool,
    /// Words may be reserved.
    pub(super) keywords: bool,
    pub(super) aliases: bool,
}

impl Check {
    pub(super) const PLAIN: Self = Self { newlines: false, keywords: false, aliases: false };
    pub(super) const ALIAS: Self = Self { newlines: false, keywords: false, aliases: true };
    pub(super) const COMMAND: Self = Self { newlines: false, keywords: true, aliases: true };
    pub(super) const NEWLINES_COMMAND: Self = Self { newlines: true, keywords: true, aliases: true };
    pub(super) const NEWLINES_PLAIN: Self = Self { newlines: true, keywords: false, aliases: false };
    pub(super) const NEWLINES: Self = Self { newlines: true, keywords: true, aliases: false };
}

/// The reserved words.
pub(in crate::shell) const RESERVED: [&[u8]; 16] = [
    b"!", b"case", b"do", b"done", b"elif", b"else", b"esac", b"fi", b"for", b"if", b"in", b"then", b"until", b"while",
    b"{", b"}",
];

impl Token {
    /// The text of a word that is one unquoted text.
    pub(super) fn bare(&self) -> Option<&[u8]> {
        match self {
            Token::Word(word) => match word.parts.as_slice() {
                [Part::Text(text)] => Some(text),
                _ => None,
            },
            _ => None,
        }
    }

    /// The reserved word that this is, where reserved words count.
    pub(super) fn reserved(&self) -> Option<&[u8]> {
        self.bare().filter(|text| RESERVED.contains(text))
    }

    /// As error messages show it.
    pub(super) fn show(&self) -> String {
        match self {
            Token::Eof => "end of file".to_owned(),
            Token::Newline => "newline".to_owned(),
            Token::Semicolon => "\";\"".to_owned(),
            Token::DoubleSemicolon => "\";;\"".to_owned(),
            Token::Ampersand => "\"&\"".to_owned(),
            Token::And => "\"&&\"".to_owned(),
            Token::Or => "\"||\"".to_owned(),
            Token::Pipe => "\"|\"".to_owned(),
            Token::Open => "\"(\"".to_owned(),
            Token::Close => "\")\"".to_owned(),
            Token::Redirect(_) => "redirection".to_owned(),
            Token::Word(_) => match self.reserved() {
                Some(text) => format!("\"{}\"", Raw(text)),
                None => "word".to_owned(),
            },
        }
    }
}

/// Whether a byte ends a word that is not quoted.
pub(super) fn is_meta(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b';' | b'&' | b'|' | b'(' | b')' | b'<' | b'>')
}

impl Parser<'_> {
    /// The next token, which stays.
    pub(super) fn peek(&mut self, check: Check) -> Result<&Token> {
        loop {
            let token = match self.pushed.take() {
                Some(token) => token,
                None => self.read_token()?,
            };
            let skip = check.newlines && matches!(token, Token::Newline)
                || !(check.keywords && token.reserved().is_some()) && self.expand_alias(&token, check)?;
            if !skip {
                return Ok(self.pushed.insert(token));
            }
        }
    }

    /// The next token.
    pub(super) fn take(&mut self, check: Check) -> Result<Token> {
        self.peek(check)?;
        Ok(self.pushed.take().unwrap_or(Token::Eof))
    }

    /// Takes the next token if it is this reserved word.
    pub(super) fn take_reserved(&mut self, check: Check, word: &[u8]) -> Result<bool> {
        let found = self.peek(check)?.reserved() == Some(word);
        if found {
            self.pushed = None;
        }
        Ok(found)
    }

    /// Lays the text of an alias over the input, if the token is one.
    fn expand_alias(&mut self, token: &Token, check: Check) -> Result<bool> {
        if !matches!(token, Token::Word(_)) {
            return Ok(false);
        }
        let wanted = check.aliases | std::mem::take(&mut self.cursor.alias_follows);
        let Some(name) = token.bare().filter(|name| wanted && !self.cursor.inside(name)) else { return Ok(false) };
        let Some(text) = self.aliases.get(name) else { return Ok(false) };
        if self.cursor.nested() >= super::MAX_DEPTH as usize {
            return self.fault(FaultKind::TooDeep(super::MAX_DEPTH));
        }
        self.cursor.overlay(name, text.clone());
        if self.cursor.laid() > super::MAX_ALIASES {
            return self.fault(FaultKind::TooLong(super::MAX_ALIASES as u64));
        }
        Ok(true)
    }

    fn read_token(&mut self) -> Result<Token> {
        loop {
            match self.cursor.peek() {
                Some(b' ' | b'\t') => {
                    self.cursor.next();
                }
                Some(b'#') => {
                    while self.cursor.peek_raw().is_some_and(|b| b != b'\n') && self.cursor.next_raw().is_some() {}
                }
                _ => break,
            }
        }
        let Some(byte) = self.cursor.peek() else {
            self.read_here_documents()?;
            return Ok(Token::Eof);
        };
        if matches!(byte, b'<' | b'>') {
            return self.read_redirection(None);
        }
        if !is_meta(byte) {
            return self.read_word_token();
        }
        self.cursor.next();
        Ok(match byte {
            b'\n' => {
                self.read_here_documents()?;
                Token::Newline
            }
            b'&' if self.cursor.take(b'&') => Token::And,
            b'&' => {
                if self.dialect == Dialect::Bash && self.cursor.take(b'>') {
                    let kind = if self.cursor.take(b'>') { RedirectKind::BothAppend } else { RedirectKind::Both };
                    return Ok(Token::Redirect(Redirection { fd: 1, kind }));
                }
                Token::Ampersand
            }
            b'|' if self.cursor.take(b'|') => Token::Or,
            b'|' => Token::Pipe,
            b';' if self.cursor.take(b';') => Token::DoubleSemicolon,
            b';' => Token::Semicolon,
            b'(' => Token::Open,
            _ => Token::Close,
        })
    }

    fn read_word_token(&mut self) -> Result<Token> {
        let word = self.read_word()?;
        if let [Part::Text(text)] = word.parts.as_slice()
            && let [digit @ b'0'..=b'9'] = text.as_slice()
            && matches!(self.cursor.peek(), Some(b'<' | b'>'))
        {
            return self.read_redirection(Some(u32::from(digit - b'0')));
        }
        Ok(Token::Word(word))
    }

    fn read_redirection(&mut self, fd: Option<u32>) -> Result<Token> {
        let input = self.cursor.next() == Some(b'<');
        let kind = if input {
            if self.cursor.take(b'<') {
                if self.dialect == Dialect::Bash && self.cursor.take(b'<') {
                    RedirectKind::HereString
                } else if self.cursor.take(b'-') {
                    RedirectKind::HereStripped
                } else {
                    RedirectKind::Here
                }
            } else if self.cursor.take(b'&') {
                RedirectKind::Duplicate
            } else if self.cursor.take(b'>') {
                RedirectKind::ReadWrite
            } else {
                RedirectKind::Read
            }
        } else if self.cursor.take(b'>') {
            RedirectKind::Append
        } else if self.cursor.take(b'&') {
            RedirectKind::Duplicate
        } else if self.cursor.take(b'|') {
            RedirectKind::Clobber
        } else {
            RedirectKind::Write
        };
        if self.cursor.peek() == Some(b'(') && fd.is_none() && matches!(kind, RedirectKind::Read | RedirectKind::Write)
        {
            self.bash_only("process substitution")?;
        }
        Ok(Token::Redirect(Redirection { fd: fd.unwrap_or(u32::from(!input)), kind }))
    }
}
