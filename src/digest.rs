//! SHA-2 sums as values of their own types, and the hasher of SHA-256.

use std::{fmt, str::FromStr};

use sha2::Digest;

const NO_DIGIT: u8 = 0xff;

/// The value of each hex digit: an index of packages has sixty thousand sums.
const DIGITS: [u8; 256] = {
    let mut digits = [NO_DIGIT; 256];
    let mut value = 0;
    while value < 16 {
        let digit = b"0123456789abcdef"[value as usize];
        digits[digit as usize] = value;
        digits[digit.to_ascii_uppercase() as usize] = value;
        value += 1;
    }
    digits
};

/// A type of sums, written in lower-case hex digits.
macro_rules! sum {
    ($name:ident $bytes:literal $text:literal $error:ident) => {
        #[doc = concat!("A ", $text, " sum; written as lower-case hex digits.")]
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; $bytes]);

        impl $name {
            pub fn of(bytes: &[u8]) -> Self {
                Self(sha2::$name::digest(bytes).into())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        #[doc = concat!("A text that is no ", $text, " in hex digits.")]
        #[derive(Debug, PartialEq, Eq, thiserror::Error)]
        #[error("expected {digits} hex digits of a {kind}, found `{0}`", kind = $text, digits = 2 * $bytes)]
        pub struct $error(String);

        impl FromStr for $name {
            type Err = $error;

            fn from_str(text: &str) -> Result<Self, $error> {
                let mut sum = [0; $bytes];
                let mut all = 0;
                for (byte, pair) in sum.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
                    let (high, low) = (DIGITS[usize::from(pair[0])], DIGITS[usize::from(pair[1])]);
                    all |= high | low;
                    *byte = high << 4 | low & 0xf;
                }
                if text.len() != 2 * $bytes || all == NO_DIGIT {
                    return Err($error(text.chars().take(80).collect()));
                }
                Ok(Self(sum))
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

sum!(Sha256 32 "sha256" NotSha256);
sum!(Sha512 64 "sha512" NotSha512);

/// A running SHA-256.
#[derive(Clone, Debug, Default)]
pub struct Hasher(sha2::Sha256);

impl Hasher {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// As if `count` zero bytes were passed to [`Hasher::update`].
    pub fn zeros(&mut self, mut count: u64) {
        static ZEROS: [u8; 65_536] = [0; 65_536];
        while count > 0 {
            let step = count.min(ZEROS.len() as u64);
            self.0.update(&ZEROS[..step as usize]);
            count -= step;
        }
    }

    pub fn finish(self) -> Sha256 {
        Sha256(self.0.finalize().into())
    }
}

impl std::io::Write for Hasher {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes() {
        let sum = Sha256::of(b"abc");
        assert_eq!(sum.to_string(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(sum.to_string().parse(), Ok(sum));
        assert!("ba78".parse::<Sha256>().is_err());
        let mut hasher = Hasher::new();
        hasher.zeros(100_000);
        assert_eq!(hasher.finish(), Sha256::of(&vec![0; 100_000]));
    }
}
