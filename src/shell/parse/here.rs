//! Here-documents (POSIX XCU 2.7.4): collecting their lines, reading their bodies.

use super::{
    Parser, Parts, Pending, Result,
    word::{finish, literal},
};
use crate::shell::syntax::{Part, Place, Word};

/// Lines like a document's delimiter that are looked at before the text is taken as it is.
const MOST_INNER: usize = 64;

impl Parser<'_> {
    /// Reads the bodies of the here-documents that the line just ended has announced.
    pub(super) fn read_here_documents(&mut self) -> Result<()> {
        for pending in std::mem::take(&mut self.pending) {
            let line = self.cursor.line();
            let mut text = Vec::new();
            let mut end = self.here_lines(&pending, &mut text);
            let mut inner = 0;
            let word = if pending.quoted {
                let parts = vec![Part::Quoted(text)];
                Word { literal: literal(&parts), parts, assignment: false }
            } else {
                let start = Place { offset: 0, line };
                loop {
                    match Parser::new(&text, start, self.dialect, self.aliases, self.depth).here_body() {
                        // A delimiter inside of a command substitution may be that of a document there.
                        Err(_)
                            if end.is_some() && inner < MOST_INNER && text.iter().any(|b| matches!(b, b'(' | b'`')) =>
                        {
                            inner += 1;
                            text.extend(end.take().unwrap_or_default());
                            end = self.here_lines(&pending, &mut text);
                        }
                        read => break read?,
                    }
                }
            };
            // Each announcement makes a document of its own, so this is the only one to set it.
            let _ = pending.document.body.set(word);
        }
        Ok(())
    }

    /// Appends the lines up to the delimiter or the end of the script. The line with the delimiter, if there is one.
    fn here_lines(&mut self, pending: &Pending, text: &mut Vec<u8>) -> Option<Vec<u8>> {
        let mut joined = false;
        while let Some(whole) = self.cursor.line_raw() {
            let mut line = whole.as_slice();
            if pending.strip_tabs && !joined {
                let tabs = line.iter().take_while(|&&b| b == b'\t').count();
                line = &line[tabs..];
            }
            let bare = line.strip_suffix(b"\n").unwrap_or(line);
            if !joined && bare == pending.delimiter {
                return Some(line.to_vec());
            }
            let backslashes = bare.iter().rev().take_while(|&&b| b == b'\\').count();
            joined = !pending.quoted && backslashes % 2 == 1 && bare.len() < line.len();
            text.extend_from_slice(line);
        }
        None
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
