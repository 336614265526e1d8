//! The bytes of a script one by one, with the texts of aliases laid over them.

use std::rc::Rc;

use crate::shell::syntax::Place;

/// Reads a script; an alias's text is read before what follows the alias.
#[derive(Debug)]
pub(super) struct Cursor<'s> {
    source: &'s [u8],
    place: Place,
    overlays: Vec<Overlay>,
    /// Bytes of all aliases so far.
    laid: usize,
    /// An alias whose text ends in a blank has just been read through: the next word may be an alias too.
    pub(super) alias_follows: bool,
}

#[derive(Debug)]
struct Overlay {
    text: Rc<[u8]>,
    at: usize,
    name: Vec<u8>,
}

impl<'s> Cursor<'s> {
    pub(super) fn new(source: &'s [u8], place: Place) -> Self {
        Self { source, place, overlays: Vec::new(), laid: 0, alias_follows: false }
    }

    pub(super) fn place(&self) -> Place {
        self.place
    }

    pub(super) fn line(&self) -> usize {
        self.place.line
    }

    pub(super) fn laid(&self) -> usize {
        self.laid
    }

    /// Aliases in the text of aliases, at this place.
    pub(super) fn nested(&self) -> usize {
        self.overlays.len()
    }

    /// Lays an alias's text over what follows.
    pub(super) fn overlay(&mut self, name: &[u8], text: Rc<[u8]>) {
        self.laid += text.len();
        self.overlays.push(Overlay { text, at: 0, name: name.to_vec() });
    }

    /// Whether an alias's text is being read, which must not name the alias again.
    pub(super) fn inside(&self, alias: &[u8]) -> bool {
        self.overlays.iter().any(|overlay| overlay.name == alias)
    }

    /// Whether any alias's text is still to be read.
    pub(super) fn in_alias(&self) -> bool {
        self.overlays.iter().any(|overlay| overlay.at < overlay.text.len())
    }

    /// The byte `ahead` bytes from here.
    fn look(&self, mut ahead: usize) -> Option<u8> {
        for overlay in self.overlays.iter().rev() {
            let rest = &overlay.text[overlay.at..];
            match rest.get(ahead) {
                Some(&byte) => return Some(byte),
                None => ahead -= rest.len(),
            }
        }
        self.source.get(self.place.offset + ahead).copied()
    }

    /// The next byte as it stands.
    pub(super) fn peek_raw(&self) -> Option<u8> {
        self.look(0)
    }

    pub(super) fn next_raw(&mut self) -> Option<u8> {
        while let Some(overlay) = self.overlays.last_mut() {
            if let Some(&byte) = overlay.text.get(overlay.at) {
                overlay.at += 1;
                return Some(byte);
            }
            self.alias_follows |= overlay.text.last().is_some_and(|b| matches!(b, b' ' | b'\t'));
            self.overlays.pop();
        }
        let byte = self.source.get(self.place.offset).copied()?;
        self.place.offset += 1;
        self.place.line += usize::from(byte == b'\n');
        Some(byte)
    }

    /// The next byte; a backslash before a newline joins the lines.
    pub(super) fn peek(&mut self) -> Option<u8> {
        while self.look(0) == Some(b'\\') && self.look(1) == Some(b'\n') {
            self.next_raw();
            self.next_raw();
        }
        self.look(0)
    }

    /// The byte after the next, as it stands.
    pub(super) fn peek_second(&mut self) -> Option<u8> {
        self.peek()?;
        self.look(1)
    }

    /// The byte after that, as it stands.
    pub(super) fn peek_third(&mut self) -> Option<u8> {
        self.peek()?;
        self.look(2)
    }

    pub(super) fn next(&mut self) -> Option<u8> {
        self.peek()?;
        self.next_raw()
    }

    /// Takes the next byte if it is this one.
    pub(super) fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        if found {
            self.next_raw();
        }
        found
    }

    /// The rest of the line, newline included; `None` at the end.
    pub(super) fn line_raw(&mut self) -> Option<Vec<u8>> {
        let mut line = Vec::new();
        while let Some(byte) = self.next_raw() {
            line.push(byte);
            if byte == b'\n' {
                break;
            }
        }
        (!line.is_empty()).then_some(line)
    }
}
