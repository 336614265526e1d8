//! Bytes inside of messages, which are text until they are written.

use std::fmt;

/// Shows each byte as the character of its number, which [`bytes`] undoes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Raw<'a>(pub(super) &'a [u8]);

impl fmt::Display for Raw<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|&byte| fmt::Write::write_char(f, char::from(byte)))
    }
}

/// The bytes of a message. Its own words are ASCII.
pub(super) fn bytes(message: &str) -> Vec<u8> {
    message.chars().map(|char| u8::try_from(char).unwrap_or(b'?')).collect()
}

#[cfg(test)]
mod tests {
    use super::{Raw, bytes};

    #[test]
    fn all_bytes_come_back() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(bytes(&Raw(&all).to_string()), all);
    }
}
