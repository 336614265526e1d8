//! Extended regular expressions, as `grep -E` reads them, for those outside of the engine.

use super::{
    Fatal,
    regex::{Flavour, Regex, Surrounded},
};

/// A compiled expression; characters are those of UTF-8.
#[derive(Debug)]
pub struct Extended(Regex);

impl Extended {
    /// One that matches somewhere in a text.
    pub fn within(pattern: &str) -> Result<Self, String> {
        Self::compile(pattern, Surrounded::Anything)
    }

    /// One that matches a whole text.
    pub fn whole(pattern: &str) -> Result<Self, String> {
        Self::compile(pattern, Surrounded::Nothing)
    }

    fn compile(pattern: &str, surrounded: Surrounded) -> Result<Self, String> {
        let flavour = Flavour { extended: true, surrounded, ..Flavour::basic(true) };
        Regex::new(pattern.as_bytes(), flavour).map(Self).map_err(|error| error.to_string())
    }

    /// Whether it matches; the error is that of a bound that is passed.
    pub fn is_match(&self, text: &[u8]) -> Result<bool, Fatal> {
        self.0.is_match(text)
    }
}
