//! The one clock: `SOURCE_DATE_EPOCH` for everything that goes into an image, the machine's clock for trust alone.

use crate::tree::Timestamp;

/// The time that an image is built at, in seconds since 1970: 0 unless `SOURCE_DATE_EPOCH` says otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Epoch(i64);

/// A `SOURCE_DATE_EPOCH` that is no count of seconds.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("SOURCE_DATE_EPOCH is `{0}`, expected seconds from 0 to 4102444800 (the year 2100)")]
pub struct BadEpoch(String);

impl Epoch {
    /// 2100-01-01: far beyond any package's time and inside what every format that we write can hold.
    const LAST: i64 = 4_102_444_800;

    /// Reads the value of `SOURCE_DATE_EPOCH`; `None` is 0.
    pub fn from_variable(value: Option<&str>) -> Result<Self, BadEpoch> {
        let Some(value) = value else { return Ok(Self(0)) };
        match value.parse::<i64>() {
            Ok(seconds) if (0..=Self::LAST).contains(&seconds) => Ok(Self(seconds)),
            _ => Err(BadEpoch(value.chars().take(40).collect())),
        }
    }

    pub fn seconds(self) -> i64 {
        self.0
    }

    pub fn timestamp(self) -> Timestamp {
        Timestamp::from_seconds(self.0)
    }

    /// Days since 1970, as `/etc/shadow` counts them.
    pub fn days(self) -> i64 {
        self.0 / 86_400
    }
}

/// The machine's clock in seconds since 1970. Only signatures and `Valid-Until` may ask: it must never reach an image.
#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
pub fn machine_now() -> i64 {
    match std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
        Err(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_variable() {
        assert_eq!(Epoch::from_variable(None).map(Epoch::seconds), Ok(0));
        assert_eq!(Epoch::from_variable(Some("86400")).map(Epoch::days), Ok(1));
        for bad in ["", "-1", "1.5", "tomorrow", "99999999999"] {
            assert!(Epoch::from_variable(Some(bad)).is_err(), "{bad}");
        }
    }
}
