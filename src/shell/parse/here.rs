//! Here-documents (POSIX XCU 2.7.4): collecting their lines, reading their bodies.

use super::{
    Parser, Parts, Pending, Result,
    word::{finish, literal},
};
use crate::shell::syntax::{Part, Place, Word};

impl Parser<'_> {
    /// Reads the bodies of the here-documents that the line just ended has announced.
    pub(super) fn read_here_documents(&mut self) -> Result<()> {
        for pending in std::mem::take(&mut self.pending) {
            let line = self.cursor.line();
            let text = self.here_lines(&pending);
            let word = if pending.quoted {
                let parts = vec![Part::Quoted(text)];
                Word { literal: literal(&parts), parts, assignment: false }
            } else {
                let start = Place { offset: 0, line };
                Parser::new(&text, start, self.dialect, self.aliases, self.depth).here_body()?
            };
            // Each announcement makes a document of its own, so this is the only one to set it.
            let _ = pending.document.body.set(word);
        }
        Ok(())
    }

    /// The lines up to the delimiter or the end of the script.
    fn here_lines(&mut self, pending: &Pending) -> Vec<u8> {
        let mut text = Vec::new();
        let mut joined = false;
        while let Some(line) = self.cursor.line_raw() {
            let mut line = line.as_slice();
            if pending.strip_tabs && !joined {
                let tabs = line.iter().take_while(|&&b| b == b'\t').count();
                line = &line[tabs..];
            }
            let bare = line.strip_suffix(b"\n").unwrap_or(line);
            if !joined && bare == pending.delimiter {
                break;
            }
            let backslashes = bare.iter().rev().take_while(|&&b| b == b'\\').count();
            joined = !pending.quoted && backslashes % 2 == 1 && bare.len() < line.len();
            text.extend_from_slice(line);
        }
        text
    }

    /// Reads the whole input as text in which only `$`, backquotes and some backslashes are special.
    pub(super) fn here_body(&mut self) -> Result<Word> {
        let mut parts = Parts::default();
        while let Some(byte) = self.cursor.next() {
            match byte {
                b'\\' => self.backslash(&mut parts, b"\\`$"),
                _ => self.in_double(byte, &mut parts)?,
            }
        }
        Ok(finish(parts))
    }
}
