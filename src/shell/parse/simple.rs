//! Simple commands, redirections and function definitions.

use std::sync::Arc;

use super::{
    Parser, Pending, Result, assignment_name, is_name,
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
                    match assignment(word, words.is_empty()) {
                        Ok(assignment) => assignments.push(assignment),
                        Err(word) => words.push(word),
                    }
                }
                &Token::Redirect(redirection) => {
                    self.pushed = None;
                    redirects.push(self.redirect(redirection)?);
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
        Ok(Node::Simple(Simple { assignments, words, redirects, line }))
    }

    /// Commands of bash's grammar that dash would take for ordinary words.
    fn refuse_bash_word(&self, word: &Word) -> Result<()> {
        if let Some(Part::Text(text)) = word.parts.first() {
            match text.as_slice() {
                b"[[" => self.bash_only("[[")?,
                b"function" => self.bash_only("function")?,
                b"select" => self.bash_only("select")?,
                b"coproc" => self.bash_only("coproc")?,
                _ => {
                    let name = text.iter().take_while(|&&b| super::in_name(b)).count();
                    if name > 0 && text[name..].starts_with(b"+=") {
                        self.bash_only("+=")?;
                    }
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
        if !is_name(name) || crate::shell::builtins::is_special(name) {
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
            redirects.push(self.redirect(redirection)?);
        }
        Ok(redirects)
    }

    /// The word after a redirection operator.
    fn redirect(&mut self, redirection: Redirection) -> Result<Redirect> {
        let word = match self.take(Check::PLAIN)? {
            Token::Word(word) => word,
            token => return self.unexpected_word(&token, None),
        };
        let target = match redirection.kind {
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
        Ok(Redirect { fd: redirection.fd, target })
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

/// Takes a word that is one for an assignment.
fn assignment(mut word: Word, may_be: bool) -> std::result::Result<Assignment, Word> {
    if !(may_be && word.assignment) {
        return Err(word);
    }
    let Some(Part::Text(text)) = word.parts.first_mut() else { return Err(word) };
    let Some(name) = assignment_name(text).map(Box::<[u8]>::from) else { return Err(word) };
    text.drain(..=name.len());
    if text.is_empty() {
        word.parts.remove(0);
    }
    word.literal = literal(&word.parts);
    word.assignment = false;
    Ok(Assignment { name, value: word })
}
