//! `set -x`, and quoting as the shell prints it.

use super::{Shell, Unwind};
use crate::shell::{Fatal, Work, parse, raw::Raw};

impl Shell<'_> {
    /// Shows a command about to run.
    pub(super) fn trace(&mut self, assignments: &[Vec<u8>], arguments: &[Vec<u8>]) -> Result<(), Unwind> {
        let prompt = self.lookup(b"PS4").unwrap_or_else(|| b"+ ".as_slice().into());
        self.machine.work(Work::Parsed(prompt.len()))?;
        let mut line = match parse::quoted_text(&prompt) {
            Ok(word) => self.here(&word)?,
            Err(_) => prompt.to_vec(),
        };
        for (index, word) in assignments.iter().chain(arguments).enumerate() {
            if index > 0 {
                line.push(b' ');
            }
            line.extend_from_slice(word);
        }
        line.push(b'\n');
        self.write(2, &line)?;
        Ok(())
    }

    pub(in crate::shell) fn not_modelled(&self, what: &str) -> Unwind {
        let command = match &self.command {
            Some(command) => Raw(command).to_string(),
            None => "sh".to_owned(),
        };
        Fatal::NotModelled { command, what: what.to_owned() }.into()
    }
}

/// A text in single quotes, in which a single quote itself is in double ones.
pub(in crate::shell) fn single_quoted(text: &[u8]) -> Vec<u8> {
    let mut quoted = Vec::with_capacity(text.len() + 2);
    let mut rest = text;
    loop {
        let plain = rest.iter().position(|&b| b == b'\'').unwrap_or(rest.len());
        quoted.push(b'\'');
        quoted.extend_from_slice(&rest[..plain]);
        quoted.push(b'\'');
        rest = &rest[plain..];
        let quotes = rest.iter().take_while(|&&b| b == b'\'').count();
        if quotes == 0 {
            return quoted;
        }
        quoted.push(b'"');
        quoted.extend_from_slice(&rest[..quotes]);
        quoted.push(b'"');
        rest = &rest[quotes..];
        if rest.is_empty() {
            return quoted;
        }
    }
}
