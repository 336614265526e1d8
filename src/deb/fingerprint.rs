//! The fingerprint of an OpenPGP certificate, by which a key is pinned.

use std::{fmt, str::FromStr};

/// 20 bytes (version 4 keys) or 32 bytes (version 6); written in upper-case hex as gpg does.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fingerprint(Box<[u8]>);

/// A text or a key whose fingerprint has neither length.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a fingerprint of 40 or 64 hex digits, found `{0}`")]
pub struct NotFingerprint(String);

impl Fingerprint {
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, NotFingerprint> {
        match bytes.len() {
            20 | 32 => Ok(Self(bytes.into())),
            _ => Err(NotFingerprint(bytes.iter().take(40).map(|byte| format!("{byte:02X}")).collect())),
        }
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02X}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Fingerprint {
    type Err = NotFingerprint;

    fn from_str(text: &str) -> Result<Self, NotFingerprint> {
        let fail = || NotFingerprint(text.chars().take(80).collect());
        if !text.bytes().all(|b| b.is_ascii_hexdigit()) || !text.len().is_multiple_of(2) {
            return Err(fail());
        }
        let pairs = text.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).map_err(|_| fail()));
        let bytes = pairs.map(|pair| u8::from_str_radix(pair?, 16).map_err(|_| fail()));
        Self::from_bytes(&bytes.collect::<Result<Vec<_>, _>>()?).map_err(|_| fail())
    }
}

impl serde::Serialize for Fingerprint {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Fingerprint {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes() {
        let text = "F6ECB3762474EDA9D21B7022871920D1991BC93C";
        assert_eq!(text.parse::<Fingerprint>().map(|f| f.to_string()).as_deref(), Ok(text));
        assert_eq!(text.to_lowercase().parse::<Fingerprint>().map(|f| f.to_string()).as_deref(), Ok(text));
        for bad in ["", "871920D1991BC93C", "F6ECB3762474EDA9D21B7022871920D1991BC93", &format!("{text}00")] {
            assert!(bad.parse::<Fingerprint>().is_err(), "{bad}");
        }
    }
}
