//! Lists, pipelines and compound commands (POSIX XCU 2.10).

use super::{
    Dialect, Parser, Result, is_name,
    token::{Check, Token},
};
use crate::shell::syntax::{Arm, Complete, Connector, FaultKind, Node, Part};

/// Where a list stands, which decides what may end it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ListKind {
    /// A script's line: a newline ends it.
    Line,
    /// Inside a compound command: it has at least one command.
    Body,
    /// In a substitution or after a case pattern: it may be empty.
    MaybeEmpty,
}

impl Parser<'_> {
    /// The next complete command; `None` at the end of the script.
    pub(super) fn complete(&mut self) -> Result<Option<Complete>> {
        loop {
            let node = self.list(ListKind::Line)?;
            let end = self.cursor.place();
            match node {
                Some(node) => return Ok(Some(Complete { node, end, laid: self.cursor.laid() })),
                None if matches!(self.pushed, Some(Token::Eof)) => return Ok(None),
                None => {}
            }
        }
    }

    /// The commands of `$(...)` and its closing parenthesis.
    pub(super) fn substituted_list(&mut self) -> Result<Option<Node>> {
        let node = self.list(ListKind::MaybeEmpty)?;
        self.expect(|token| matches!(token, Token::Close), "\")\"")?;
        Ok(node)
    }

    /// All commands of the input, as one.
    pub(super) fn whole_list(&mut self) -> Result<Option<Node>> {
        let node = self.list(ListKind::MaybeEmpty)?;
        self.expect(|token| matches!(token, Token::Eof), "end of file")?;
        Ok(node)
    }

    pub(super) fn unexpected<T>(&self, token: &Token, expected: Option<&str>) -> Result<T> {
        self.unexpected_as(token.show(), expected)
    }

    /// The same where no word is reserved.
    pub(super) fn unexpected_word<T>(&self, token: &Token, expected: Option<&str>) -> Result<T> {
        let shown = if matches!(token, Token::Word(_)) { "word".to_owned() } else { token.show() };
        self.unexpected_as(shown, expected)
    }

    fn unexpected_as<T>(&self, shown: String, expected: Option<&str>) -> Result<T> {
        match expected {
            Some(expected) => self.syntax(format!("{shown} unexpected (expecting {expected})")),
            None => self.syntax(format!("{shown} unexpected")),
        }
    }

    fn expect(&mut self, accepts: impl Fn(&Token) -> bool, expected: &str) -> Result<()> {
        let token = self.take(Check::COMMAND)?;
        if accepts(&token) { Ok(()) } else { self.unexpected(&token, Some(expected)) }
    }

    fn expect_reserved(&mut self, check: Check, word: &str) -> Result<()> {
        let token = self.take(check)?;
        if token.reserved() == Some(word.as_bytes()) {
            Ok(())
        } else {
            self.unexpected(&token, Some(&format!("\"{word}\"")))
        }
    }

    /// A list that must not be empty.
    fn body(&mut self) -> Result<Node> {
        // It is only empty at the end of the script, where what has to follow is missing as well.
        Ok(self.list(ListKind::Body)?.unwrap_or(Node::List(Vec::new())))
    }

    fn list(&mut self, kind: ListKind) -> Result<Option<Node>> {
        let check = if kind == ListKind::Line { Check::COMMAND } else { Check::NEWLINES_COMMAND };
        let mut nodes = Vec::new();
        loop {
            let token = self.peek(check)?;
            match token {
                Token::Newline => {
                    self.pushed = None;
                    // What is left of an alias can't be read again.
                    if !self.cursor.in_alias() {
                        return Ok(one(nodes));
                    }
                    continue;
                }
                Token::Eof => return Ok(one(nodes)),
                token => {
                    let may_end = kind == ListKind::MaybeEmpty || kind == ListKind::Body && !nodes.is_empty();
                    if may_end && ends_list(token) {
                        return Ok(one(nodes));
                    }
                }
            }
            let node = self.and_or(check)?;
            let token = self.peek(Check::PLAIN)?;
            match token {
                Token::Ampersand => {
                    self.pushed = None;
                    nodes.push(Node::Background(Box::new(node)));
                }
                Token::Semicolon => {
                    self.pushed = None;
                    nodes.push(node);
                }
                Token::Newline | Token::Eof => nodes.push(node),
                _ if kind == ListKind::Line => {
                    let token = self.take(Check::PLAIN)?;
                    return self.unexpected(&token, None);
                }
                _ => {
                    nodes.push(node);
                    return Ok(one(nodes));
                }
            }
        }
    }

    fn and_or(&mut self, check: Check) -> Result<Node> {
        let first = self.pipeline(check)?;
        let mut rest = Vec::new();
        loop {
            let connector = match self.peek(Check::PLAIN)? {
                Token::And => Connector::And,
                Token::Or => Connector::Or,
                _ if rest.is_empty() => return Ok(first),
                _ => return Ok(Node::AndOr { first: Box::new(first), rest }),
            };
            self.pushed = None;
            rest.push((connector, self.pipeline(Check::NEWLINES_COMMAND)?));
        }
    }

    fn pipeline(&mut self, check: Check) -> Result<Node> {
        let negated = self.take_reserved(check, b"!")?;
        let check = if negated { Check::COMMAND } else { check };
        let first = self.deeper(|parser| parser.command(check))?;
        let mut commands = vec![first];
        while matches!(self.peek(Check::PLAIN)?, Token::Pipe) {
            self.pushed = None;
            commands.push(self.deeper(|parser| parser.command(Check::NEWLINES_COMMAND))?);
        }
        let node = match commands.pop() {
            Some(only) if commands.is_empty() => only,
            last => {
                commands.extend(last);
                Node::Pipe(commands)
            }
        };
        Ok(if negated { Node::Not(Box::new(node)) } else { node })
    }

    fn command(&mut self, check: Check) -> Result<Node> {
        let bash = self.dialect == Dialect::Bash;
        let token = self.peek(check)?;
        if bash && let Some(word @ (b"[[" | b"function")) = token.bare() {
            let brackets = word == b"[[";
            self.pushed = None;
            let node = if brackets { self.double_brackets()? } else { return self.function_word() };
            return self.with_redirects(node);
        }
        let Some(word) = token.reserved().map(<[u8]>::to_vec) else {
            return match token {
                Token::Open => self.subshell(),
                Token::Word(_) | Token::Redirect(_) => self.simple_command(),
                _ => {
                    let token = self.take(Check::PLAIN)?;
                    self.unexpected(&token, None)
                }
            };
        };
        let token = self.take(Check::PLAIN)?;
        let node = match word.as_slice() {
            b"if" => self.if_clause()?,
            b"while" | b"until" => {
                let test = Box::new(self.body()?);
                self.expect_reserved(Check::NEWLINES_COMMAND, "do")?;
                let body = Box::new(self.body()?);
                self.expect_reserved(Check::COMMAND, "done")?;
                Node::Loop { test, body, until: word == b"until" }
            }
            b"for" => self.for_clause()?,
            b"case" => self.case_clause()?,
            b"{" => {
                let node = self.body()?;
                self.expect_reserved(Check::COMMAND, "}")?;
                node
            }
            _ => return self.unexpected(&token, None),
        };
        self.with_redirects(node)
    }

    /// A function's body.
    pub(super) fn command_after_newlines(&mut self) -> Result<Node> {
        self.command(Check::NEWLINES_COMMAND)
    }

    fn subshell(&mut self) -> Result<Node> {
        self.pushed = None;
        let line = self.cursor.line();
        if self.dialect == Dialect::Bash && self.cursor.take(b'(') {
            // Two subshells look the same at first.
            let Ok(Part::Arithmetic(parts)) = self.arithmetic() else {
                return self.fault(FaultKind::Bash("((...))"));
            };
            return self.with_redirects(Node::Arithmetic { parts, line });
        }
        let node = Box::new(self.body()?);
        self.expect(|token| matches!(token, Token::Close), "\")\"")?;
        let redirects = self.redirects()?;
        Ok(Node::Subshell { node, redirects, line })
    }

    fn with_redirects(&mut self, node: Node) -> Result<Node> {
        let line = self.cursor.line();
        let redirects = self.redirects()?;
        if redirects.is_empty() {
            return Ok(node);
        }
        Ok(Node::Redirected { node: Box::new(node), redirects, line })
    }

    /// From behind `if` or `elif` up to and with the matching `fi`.
    fn if_clause(&mut self) -> Result<Node> {
        let mut tests = Vec::new();
        let mut otherwise = None;
        loop {
            let test = self.body()?;
            self.expect_reserved(Check::COMMAND, "then")?;
            tests.push((test, self.body()?));
            if self.take_reserved(Check::COMMAND, b"elif")? {
                continue;
            }
            if self.take_reserved(Check::COMMAND, b"else")? {
                otherwise = Some(Box::new(self.body()?));
            }
            self.expect_reserved(Check::COMMAND, "fi")?;
            break;
        }
        Ok(Node::If { tests, otherwise })
    }

    fn for_clause(&mut self) -> Result<Node> {
        let line = self.cursor.line();
        if self.cursor.peek() == Some(b'(') {
            self.bash_only("for ((...))")?;
        }
        let token = self.take(Check::PLAIN)?;
        let Some(variable) = token.bare().filter(|name| is_name(name)).map(Into::into) else {
            return self.syntax("Bad for loop variable");
        };
        let words = if self.take_reserved(Check::NEWLINES_COMMAND, b"in")? {
            let mut words = Vec::new();
            loop {
                match self.take(Check::PLAIN)? {
                    Token::Word(word) => words.push(word),
                    Token::Newline | Token::Semicolon => break Some(words),
                    token => return self.unexpected_word(&token, None),
                }
            }
        } else {
            if matches!(self.peek(Check::PLAIN)?, Token::Semicolon) {
                self.pushed = None;
            }
            None
        };
        self.expect_reserved(Check::NEWLINES_COMMAND, "do")?;
        let body = Box::new(self.body()?);
        self.expect_reserved(Check::COMMAND, "done")?;
        Ok(Node::For { variable, words, body, line })
    }

    fn case_clause(&mut self) -> Result<Node> {
        let line = self.cursor.line();
        let subject = match self.take(Check::PLAIN)? {
            Token::Word(word) => word,
            token => return self.unexpected_word(&token, Some("word")),
        };
        self.expect_reserved(Check::NEWLINES_COMMAND, "in")?;
        let mut arms = Vec::new();
        while !self.take_reserved(Check::NEWLINES, b"esac")? {
            if matches!(self.peek(Check::NEWLINES)?, Token::Open) {
                self.pushed = None;
            }
            let mut patterns = Vec::new();
            loop {
                match self.take(Check::PLAIN)? {
                    Token::Word(word) => patterns.push(word),
                    token => return self.unexpected_word(&token, Some("word")),
                }
                match self.take(Check::PLAIN)? {
                    Token::Pipe => {}
                    Token::Close => break,
                    token => return self.unexpected_word(&token, Some("\")\"")),
                }
            }
            arms.push(Arm { patterns, body: self.list(ListKind::MaybeEmpty)? });
            if self.take_reserved(Check::NEWLINES, b"esac")? {
                break;
            }
            match self.take(Check::NEWLINES)? {
                Token::DoubleSemicolon => {}
                token => return self.unexpected(&token, Some("\";;\"")),
            }
        }
        Ok(Node::Case { subject, arms, line })
    }
}

/// Several commands as one.
fn one(mut nodes: Vec<Node>) -> Option<Node> {
    match nodes.len() {
        0 | 1 => nodes.pop(),
        _ => {
            nodes.shrink_to_fit();
            Some(Node::List(nodes))
        }
    }
}

/// Whether a token can only stand behind a list.
fn ends_list(token: &Token) -> bool {
    match token {
        Token::Close | Token::DoubleSemicolon => true,
        Token::Word(_) => token
            .reserved()
            .is_some_and(|word| matches!(word, b"do" | b"done" | b"elif" | b"else" | b"esac" | b"fi" | b"then" | b"}")),
        _ => false,
    }
}
