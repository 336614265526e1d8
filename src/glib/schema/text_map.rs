//! Which texts a key may have, as an array of 32-bit words: `strinfo.c` of GIO describes the form.
//!
//! Each entry is a number, then 0xff (0xfe for an alias), the text, zeros, and 0xff, in a multiple of four and no less than eight
//! bytes. An alias's number is the place of its target's number in the array.

/// Words, 32 bits each, that a text may take up.
const MOST_WORDS: usize = 17;

const TEXT: u8 = 0xff;
const ALIAS: u8 = 0xfe;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct TextMap {
    words: Vec<[u8; 4]>,
}

impl TextMap {
    pub(super) fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// The words as numbers.
    pub(super) fn numbers(&self) -> impl Iterator<Item = u32> {
        self.words.iter().map(|word| u32::from_le_bytes(*word))
    }

    /// Adds a text with its number; whether there is room for it.
    #[must_use]
    pub(super) fn push(&mut self, text: &str, number: u32) -> bool {
        self.add(TEXT, text, number)
    }

    /// Adds another name of `target`; whether that is there, and room.
    #[must_use]
    pub(super) fn push_alias(&mut self, alias: &str, target: &str) -> bool {
        let place = self.find(TEXT, target).and_then(|place| u32::try_from(place).ok());
        place.is_some_and(|place| self.add(ALIAS, alias, place))
    }

    /// Whether a text is there that is no alias.
    pub(super) fn has_text(&self, text: &str) -> bool {
        self.find(TEXT, text).is_some()
    }

    pub(super) fn has(&self, text: &str) -> bool {
        self.has_text(text) || self.find(ALIAS, text).is_some()
    }

    pub(super) fn has_number(&self, number: u32) -> bool {
        let follows = |place: usize| self.words.get(place + 1).is_some_and(|word| word[0] == TEXT);
        let starts = |place: usize| place == 0 || self.words[place - 1][3] == 0xff;
        (0..self.words.len()).any(|place| self.words[place] == number.to_le_bytes() && starts(place) && follows(place))
    }

    fn add(&mut self, mark: u8, text: &str, number: u32) -> bool {
        let Some(words) = words(mark, text) else { return false };
        self.words.push(number.to_le_bytes());
        self.words.extend(words);
        true
    }

    /// The place of a text's number.
    fn find(&self, mark: u8, text: &str) -> Option<usize> {
        let wanted = words(mark, text)?;
        self.words.windows(wanted.len()).skip(1).position(|window| window == wanted)
    }
}

fn words(mark: u8, text: &str) -> Option<Vec<[u8; 4]>> {
    let count = ((text.len() + 6) / 4).max(2);
    let mut bytes = vec![0; count * 4];
    bytes[0] = mark;
    bytes[1..=text.len()].copy_from_slice(text.as_bytes());
    bytes[count * 4 - 1] = 0xff;
    let words = bytes.as_chunks().0.to_vec();
    (count <= MOST_WORDS).then_some(words)
}
