//! Sizes as people write them: `512`, `100M`, `3G`, binary units.

use std::{fmt, str::FromStr};

/// A count of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bytes(pub u64);

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a size such as `4096`, `100M` or `3G`, found `{0}`")]
pub struct BadSize(String);

impl FromStr for Bytes {
    type Err = BadSize;

    fn from_str(text: &str) -> Result<Self, BadSize> {
        let fail = || BadSize(text.chars().take(40).collect());
        let (digits, shift) = match text.as_bytes().last() {
            Some(b'K') => (&text[..text.len() - 1], 10),
            Some(b'M') => (&text[..text.len() - 1], 20),
            Some(b'G') => (&text[..text.len() - 1], 30),
            _ => (text, 0),
        };
        let count: u64 = digits.parse().map_err(|_| fail())?;
        count.checked_mul(1 << shift).map(Self).ok_or_else(fail)
    }
}

impl<'de> serde::Deserialize<'de> for Bytes {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// With the largest unit that leaves at least 1: `419.3 MiB`.
impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (unit, shift) in [("GiB", 30), ("MiB", 20), ("KiB", 10)] {
            if self.0 >> shift > 0 {
                let tenths = u128::from(self.0) * 10 / (1 << shift);
                return write!(f, "{}.{} {unit}", tenths / 10, tenths % 10);
            }
        }
        write!(f, "{} B", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_shows_sizes() {
        let check = |text: &str, expect: Option<u64>| assert_eq!(text.parse().ok(), expect.map(Bytes), "{text}");
        check("4096", Some(4096));
        check("100M", Some(100 << 20));
        check("3G", Some(3 << 30));
        for bad in ["", "M", "-1", "1.5G", "99999999999G", "1T"] {
            check(bad, None);
        }
        assert_eq!(Bytes(512).to_string(), "512 B");
        assert_eq!(Bytes((1 << 30) + (1 << 29)).to_string(), "1.5 GiB");
    }
}
