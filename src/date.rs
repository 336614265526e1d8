//! Instants as archives write them: RFC 2822 dates in Release files, `20250804T000000Z` in snapshot services.

use std::fmt;

/// Seconds since 1970-01-01 UTC, inside the years 1 to 9999; shown as `2026-07-11T10:16:37Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Instant(i64);

/// A text that is no date of the expected form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a date like `{expected}`, found `{found}`")]
pub struct BadDate {
    expected: &'static str,
    found: String,
}

const DAY: i64 = 86_400;
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];

impl Instant {
    /// Times before year 1 or after year 9999 are moved to the nearest one inside.
    pub fn from_seconds(seconds: i64) -> Self {
        Self(seconds.clamp(-62_135_596_800, 253_402_300_799))
    }

    pub fn seconds(self) -> i64 {
        self.0
    }

    pub fn plus(self, seconds: i64) -> Self {
        Self::from_seconds(self.0.saturating_add(seconds))
    }

    /// `Sat, 11 Jul 2026 10:16:37 UTC`; the weekday may be left out, the zone is UTC, GMT, Z or an offset like `+0200`.
    pub fn from_rfc2822(text: &str) -> Result<Self, BadDate> {
        rfc2822(text).ok_or_else(|| BadDate {
            expected: "Sat, 11 Jul 2026 10:16:37 UTC",
            found: text.chars().take(60).collect(),
        })
    }

    /// `20250804T000000Z`
    pub fn from_compact(text: &str) -> Result<Self, BadDate> {
        compact(text).ok_or_else(|| BadDate { expected: "20250804T000000Z", found: text.chars().take(60).collect() })
    }

    pub fn to_compact(self) -> String {
        self.to_string().replace(['-', ':'], "")
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil(self.0.div_euclid(DAY));
        let second = self.0.rem_euclid(DAY);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }
}

fn rfc2822(text: &str) -> Option<Instant> {
    let (weekday, rest) = match text.split_once(',') {
        Some((weekday, rest)) => (Some(WEEKDAYS.iter().position(|name| *name == weekday)?), rest),
        None => (None, text),
    };
    let words: Vec<_> = rest.split_ascii_whitespace().collect();
    let [day, month, year, clock, zone] = words.as_slice() else { return None };
    let month = MONTHS.iter().position(|name| name == month)? + 1;
    if year.len() != 4 || day.len() > 2 {
        return None;
    }
    let days = days(number(year)?, i64::try_from(month).ok()?, number(day)?)?;
    if weekday.is_some_and(|weekday| usize::try_from(days.rem_euclid(7)) != Ok(weekday)) {
        return None;
    }
    let fields: Vec<_> = clock.split(':').collect();
    let [hour, minute, second] = fields.as_slice() else { return None };
    if [hour, minute, second].iter().any(|field| field.len() > 2) {
        return None;
    }
    let local = time(days, number(hour)?, number(minute)?, number(second)?)?;
    Some(Instant(local.checked_sub(offset(zone)?)?))
}

/// Seconds that a zone is ahead of UTC.
fn offset(zone: &str) -> Option<i64> {
    if matches!(zone, "UTC" | "GMT" | "Z") {
        return Some(0);
    }
    let sign = match zone.get(..1)? {
        "+" => 1,
        "-" => -1,
        _ => return None,
    };
    let digits = zone.get(1..).filter(|digits| digits.len() == 4)?;
    let (hours, minutes) = (number(digits.get(..2)?)?, number(digits.get(2..)?)?);
    (hours <= 14 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

fn compact(text: &str) -> Option<Instant> {
    let (date, clock) = text.strip_suffix('Z')?.split_once('T')?;
    if date.len() != 8 || clock.len() != 6 {
        return None;
    }
    let days = days(number(date.get(..4)?)?, number(date.get(4..6)?)?, number(date.get(6..)?)?)?;
    time(days, number(clock.get(..2)?)?, number(clock.get(2..4)?)?, number(clock.get(4..)?)?).map(Instant)
}

fn number(digits: &str) -> Option<i64> {
    (!digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())).then(|| digits.parse().ok())?
}

/// A leap second counts as the second before it.
fn time(days: i64, hour: i64, minute: i64, second: i64) -> Option<i64> {
    let fits = hour < 24 && minute < 60 && second <= 60;
    fits.then(|| days * DAY + hour * 3600 + minute * 60 + second.min(59))
}

/// Days since 1970-01-01 of a date in the Gregorian calendar; `None` when there is no such date.
pub(crate) fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    if !(1..=9999).contains(&year) || !(1..=12).contains(&month) || day < 1 {
        return None;
    }
    // Years are counted from March, so that the leap day is a year's last.
    let shifted = if month > 2 { year } else { year - 1 };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400 + day_of_year - 719_468;
    (civil(days) == (year, month, day)).then_some(days)
}

/// Year, month and day of a count of days since 1970-01-01.
pub(crate) fn civil(days: i64) -> (i64, i64, i64) {
    const CYCLE: i64 = 146_097; // days in 400 years
    let days = days + 719_468;
    let of_cycle = days.rem_euclid(CYCLE);
    let year = (of_cycle - of_cycle / 1460 + of_cycle / 36_524 - of_cycle / 146_096) / 365;
    let of_year = of_cycle - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let january_or_february = i64::from(month >= 10);
    (year + days.div_euclid(CYCLE) * 400 + january_or_february, (month + 2) % 12 + 1, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_release_dates() {
        let check = |text: &str, expect: Option<&str>| {
            let found = Instant::from_rfc2822(text).ok().map(|instant| instant.to_string());
            assert_eq!(found.as_deref(), expect, "{text}");
        };
        check("Sat, 11 Jul 2026 10:16:37 UTC", Some("2026-07-11T10:16:37Z"));
        check("Sun, 25 May 2025 12:51:40 +0000", Some("2025-05-25T12:51:40Z"));
        check("25 May 2025 12:51:40 GMT", Some("2025-05-25T12:51:40Z"));
        check("Thu, 01 Jan 1970 02:30:00 +0230", Some("1970-01-01T00:00:00Z"));
        check("Wed,  4 Mar 2026 23:59:60 Z", Some("2026-03-04T23:59:59Z"));
        check("Thu, 29 Feb 2024 00:00:00 UTC", Some("2024-02-29T00:00:00Z"));
        for bad in [
            "",
            "Fri, 11 Jul 2026 10:16:37 UTC",
            "Sat, 11 Jul 2026 10:16:37",
            "Sat, 11 Jul 2026 10:16:37 CEST",
            "Sat, 11 Jul 2026 24:16:37 UTC",
            "Sat, 11 Jul 26 10:16:37 UTC",
            "Sun, 29 Feb 2026 00:00:00 UTC",
            "Sat, 11 Jul 2026 10:16:-7 UTC",
            "Sat, 11 Jul 99999999999999999999 10:16:37 UTC",
            "Sat, 11 Jul 2026 10:16:37 +02é0",
            "Sat, 11 Jul 2026 10:16:37 é200",
        ] {
            check(bad, None);
        }
    }

    #[test]
    fn reads_what_it_writes() {
        for text in ["20250804T000000Z", "20000229T235959Z", "00010101T000000Z", "99991231T235959Z"] {
            assert_eq!(Instant::from_compact(text).map(Instant::to_compact).as_deref(), Ok(text));
        }
        for bad in ["", "20250804", "20250804T000000", "20250230T000000Z", "2025080éT00000Z"] {
            assert!(Instant::from_compact(bad).is_err(), "{bad}");
        }
        assert_eq!(Instant::from_seconds(i64::MAX).to_string(), "9999-12-31T23:59:59Z");
        assert_eq!(Instant::from_seconds(i64::MIN).to_string(), "0001-01-01T00:00:00Z");
    }
}
