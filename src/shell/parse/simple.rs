//! Simple commands, redirections and function definitions.

use std::sync::Arc;

use super::{
    Dialect, Parser, Pending, Result, assignment_name, is_name,
    token::{Check, RedirectKind, Redirection, Token},
    word::literal,
};
use crate::shell::syntax::{Assignment, Function, HereDocument, Node, Part, Redirect, Simple, Target, Word};

impl Parser<'_> {
    pub(super) fn simple_command(&mut self) -> Result<Node> {
        let line = self.cursor.line();
        let (mut assignments, mut words, mut redirects) = (Vec::new(), Vec::new(), Vec::new());
        loop {
            let check = if words.is_empty() { Check::ALIAS } else { Check::PLAIN };
            match self.peek(check)? {
                Token::Word(_) => {
                    let Token::Word(word) = self.take(Check::PLAIN)? else { continue };
                    if words.is_empty() {
                        self.refuse_bash_word(&word)?;
                    }
                    match self.assignment(word, words.is_empty()) {
                        Ok(assignment) => assignments.push(assignment),
                        Err(word) => words.push(word),
                    }
                }
                &Token::Redirect(redirection) => {
                    self.pushed = None;
                    self.redirect(redirection, &mut redirects)?;
                }
                Token::Open if words.len() == 1 && assignments.is_empty() && redirects.is_empty() => {
                    let [Word { parts, .. }] = words.as_slice() else { continue };
                    let name = match parts.as_slice() {
                        [Part::Text(text)] => text.clone(),
                        _ => Vec::new(),
                    };
                    self.pushed = None;
                    return self.function(&name);
                }
                Token::Open if words.is_empty() && !assignments.is_empty() => {
                    self.bash_only("an array")?;
                    break;
                }
                _ => break,
            }
        }
        // Scripts consist of these.
        words.shrink_to_fit();
        assignments.shrink_to_fit();
        redirects.shrink_to_fit();
        Ok(Node::Simple(Simple { assignments, words, redirects, line }))
    }

    /// Commands of bash's grammar that dash would take for ordinary words.
    fn refuse_bash_word(&self, word: &Word) -> Result<()> {
        if let Some(Part::Text(text)) = word.parts.first() {
            match text.as_slice() {
                b"select" => self.bash_only("select")?,
                b"coproc" => self.bash_only("coproc")?,
                _ => {
                    let name = text.iter().take_while(|&&b| super::in_name(b)).count();
                    if name > 0 && text[name..].starts_with(b"[") && text.contains(&b'=') {
                        self.bash_only("an array")?;
                    }
                }
            }
        }
        Ok(())
    }

    /// From behind the opening parenthesis on.
    fn function(&mut self, name: &[u8]) -> Result<Node> {
        match self.take(Check::PLAIN)? {
            Token::Close => {}
            token => return self.unexpected_word(&token, Some("\")\"")),
        }
        self.function_body(name)
    }

    /// `function NAME` or `function NAME()`, from behind its first word on.
    pub(super) fn function_word(&mut self) -> Result<Node> {
        let token = self.take(Check::PLAIN)?;
        let Some(name) = token.bare().map(<[u8]>::to_vec) else { return self.unexpected_word(&token, Some("word")) };
        // Without a `)` next, it opens a subshell, which is the body.
        if matches!(self.peek(Check::PLAIN)?, Token::Open) && self.cursor.peek() == Some(b')') {
            self.pushed = None;
            return self.function(&name);
        }
        self.function_body(&name)
    }

    fn function_body(&mut self, name: &[u8]) -> Result<Node> {
        let in_name = |&byte: &u8| super::in_name(byte) || matches!(byte, b'-' | b'.' | b':' | b'+' | b'@');
        let good = is_name(name) || self.dialect == Dialect::Bash && !name.is_empty() && name.iter().all(in_name);
        if !good || crate::shell::builtins::is_special(name) {
            self.bash_only("a function of this name")?;
            return self.syntax("Bad function name");
        }
        let body = self.deeper(|parser| parser.command_after_newlines())?;
        Ok(Node::Function(Arc::new(Function { name: name.into(), body })))
    }

    /// The redirections here.
    pub(super) fn redirects(&mut self) -> Result<Vec<Redirect>> {
        let mut redirects = Vec::new();
        while let &Token::Redirect(redirection) = self.peek(Check::COMMAND)? {
            self.pushed = None;
            self.redirect(redirection, &mut redirects)?;
        }
        Ok(redirects)
    }

    /// The word after a redirection operator.
    fn redirect(&mut self, redirection: Redirection, redirects: &mut Vec<Redirect>) -> Result<()> {
        let word = match self.take(Check::PLAIN)? {
            Token::Word(word) => word,
            token => return self.unexpected_word(&token, None),
        };
        let named = !matches!(word.literal.as_deref(), Some(b"-" | [b'0'..=b'9']));
        let both = redirection.kind == RedirectKind::Duplicate && redirection.fd == 1 && named;
        let target = match redirection.kind {
            RedirectKind::Duplicate if both && self.dialect == Dialect::Bash => {
                if word.literal.is_none() {
                    self.bash_only(">& with a word that is expanded")?;
                }
                Target::Write { word, clobber: false }
            }
            RedirectKind::Both => Target::Write { word, clobber: false },
            RedirectKind::BothAppend => Target::Append(word),
            RedirectKind::HereString => Target::HereString(word),
            RedirectKind::Read => Target::Read(word),
            RedirectKind::Write => Target::Write { word, clobber: false },
            RedirectKind::Clobber => Target::Write { word, clobber: true },
            RedirectKind::Append => Target::Append(word),
            RedirectKind::ReadWrite => Target::ReadWrite(word),
            RedirectKind::Duplicate => Target::Duplicate(word),
            RedirectKind::Here | RedirectKind::HereStripped => {
                let Some((delimiter, quoted)) = delimiter(&word) else {
                    return self.syntax("Illegal eof marker for << redirection");
                };
                let document = Arc::new(HereDocument::default());
                let strip_tabs = redirection.kind == RedirectKind::HereStripped;
                self.pending.push(Pending { document: document.clone(), delimiter, strip_tabs, quoted });
                Target::Here(document)
            }
        };
        redirects.push(Redirect { fd: redirection.fd, target });
        let both = both && self.dialect == Dialect::Bash;
        if both || matches!(redirection.kind, RedirectKind::Both | RedirectKind::BothAppend) {
            let output =
                Word { parts: vec![Part::Quoted(b"1".to_vec())], literal: Some(b"1".to_vec()), assignment: false };
            redirects.push(Redirect { fd: 2, target: Target::Duplicate(output) });
        }
        Ok(())
    }
}

/// A here-document's delimiter after quote removal, and whether any of it was quoted.
fn delimiter(word: &Word) -> Option<(Vec<u8>, bool)> {
    let mut text = Vec::new();
    let mut quoted = false;
    for part in &word.parts {
        match part {
            Part::Text(bytes) => text.extend_from_slice(bytes),
            Part::Quoted(bytes) => {
                quoted = true;
                text.extend_from_slice(bytes);
            }
            Part::Double(inner) => {
                quoted = true;
                text.extend(literal(inner)?);
            }
            Part::Parameter(_) | Part::Command(_) | Part::Arithmetic(_) => return None,
        }
    }
    Some((text, quoted))
}

impl Parser<'_> {
    /// Takes a word that is one for an assignment.
    fn assignment(&self, mut word: Word, may_be: bool) -> std::result::Result<Assignment, Word> {
        let Some(Part::Text(text)) = word.parts.first_mut() else { return Err(word) };
        let name = text.iter().take_while(|&&byte| super::in_name(byte)).count();
        let append = self.dialect == Dialect::Bash && is_name(&text[..name]) && text[name..].starts_with(b"+=");
        if !(may_be && (append || assignment_name(text).is_some())) {
            return Err(word);
        }
        let value = name + if append { 2 } else { 1 };
        let name: Box<[u8]> = text[..name].into();
        text.drain(..value);
        if text.is_empty() {
            word.parts.remove(0);
        }
        word.literal = literal(&word.parts);
        word.assignment = false;
        Ok(Assignment { name, append, value: word })
    }
}
