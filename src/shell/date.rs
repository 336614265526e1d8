//! Dates as people write them on command lines, into moments.

use super::{
    size::{number, signed},
    time::{MONTHS, Moment, WEEKDAYS, days},
};
use crate::tree::Timestamp;

/// Fields collected from the words of a date.
#[derive(Default)]
struct Fields {
    date: Option<(i64, i64, i64)>,
    /// Seconds since midnight, and nanoseconds.
    time: Option<(i64, u32)>,
    /// Seconds east of UTC.
    zone: i64,
    month: Option<i64>,
    /// Numbers without a meaning yet: a day, a year.
    numbers: Vec<i64>,
    /// Years, months, seconds to add.
    add: (i64, i64, i64),
}

/// Reads what GNU's `date -d` does of: `@SECONDS`, ISO 8601, `Sun Nov 22 19:38:05 UTC 2026`, `22 Nov 2026`, `now`,
/// `yesterday`, `+2 days`, `3 weeks ago`.
pub(super) fn parse(text: &[u8], now: Timestamp) -> Option<Timestamp> {
    let text = std::str::from_utf8(text).ok()?.trim().to_ascii_lowercase();
    if let Some(stamp) = text.strip_prefix('@') {
        let (whole, fraction) = stamp.split_once('.').unwrap_or((stamp, ""));
        return Some(Timestamp { seconds: signed(whole.as_bytes())?, nanoseconds: nanoseconds(fraction)? });
    }
    let mut fields = Fields::default();
    let spaced = text.replace(',', " ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut at = 0;
    while at < words.len() {
        at += fields.word(&words[at..])?;
    }
    fields.moment(now, words.is_empty())
}

impl Fields {
    /// Takes the first word, or words, and says how many.
    fn word(&mut self, words: &[&str]) -> Option<usize> {
        let word = words[0];
        if matches!(word, "+" | "-") && words.len() > 1 {
            let joined = format!("{word}{}", words[1]);
            return self.relative(&[&[joined.as_str()], &words[2..]].concat()).map(|count| count + 1);
        }
        if let Some(count) = self.relative(words) {
            return Some(count);
        }
        if let Some((date, time)) = word.split_once('t').filter(|(date, _)| date.contains('-')) {
            self.date = Some(iso_date(date)?);
            self.clock(time)?;
            return Some(1);
        }
        if word.contains(':') {
            self.clock(word)?;
        } else if let Some(date) = iso_date(word).or_else(|| american_date(word)) {
            self.date = Some(date);
        } else if let Some(month) = named(&MONTHS, word) {
            self.month = Some(month + 1);
        } else if named(&WEEKDAYS, word).is_some() {
            // With a date beside it a weekday says nothing new.
            if words.len() == 1 && self.month.is_none() && self.date.is_none() {
                return None;
            }
        } else if matches!(word, "utc" | "gmt" | "z") {
        } else if let Some(offset) = offset(word) {
            self.zone = offset;
        } else {
            self.numbers.push(i64::try_from(number(word.as_bytes())?).ok()?);
        }
        Some(1)
    }

    fn relative(&mut self, words: &[&str]) -> Option<usize> {
        const DAY: i64 = 86_400;
        match words[0] {
            "now" | "today" => return Some(1),
            "yesterday" => self.add.2 -= DAY,
            "tomorrow" => self.add.2 += DAY,
            _ => {
                let (count, used) = match words[0] {
                    "next" => (1, 1),
                    "last" => (-1, 1),
                    "a" => (1, 1),
                    word => {
                        let end = word.rfind(|c: char| c.is_ascii_digit())? + 1;
                        let (digits, unit) = word.split_at(end);
                        let count = signed(digits.as_bytes())?;
                        if !unit.is_empty() {
                            return self.unit(count, &[&[unit], &words[1..]].concat());
                        }
                        (count, 1)
                    }
                };
                return self.unit(count, &words[used..]).map(|more| more + used);
            }
        }
        Some(1)
    }

    /// Adds `count` of the unit that comes first, less if `ago` is next; says how many words that was.
    fn unit(&mut self, count: i64, words: &[&str]) -> Option<usize> {
        let ago = words.get(1) == Some(&"ago");
        let count = if ago { -count } else { count };
        let seconds = match words.first()?.trim_end_matches('s') {
            "second" | "sec" => 1,
            "minute" | "min" => 60,
            "hour" => 3600,
            "day" => 86_400,
            "week" => 7 * 86_400,
            "fortnight" => 14 * 86_400,
            "month" => {
                self.add.1 += count;
                0
            }
            "year" => {
                self.add.0 += count;
                0
            }
            _ => return None,
        };
        self.add.2 = self.add.2.checked_add(count.checked_mul(seconds)?)?;
        Some(1 + usize::from(ago))
    }

    /// `HH:MM[:SS[.fraction]][zone]`.
    fn clock(&mut self, text: &str) -> Option<()> {
        let end = text.find(|c: char| !c.is_ascii_digit() && c != ':' && c != '.').unwrap_or(text.len());
        let (clock, zone) = text.split_at(end);
        match zone {
            "" | "z" | "utc" | "gmt" => {}
            zone => self.zone = offset(zone)?,
        }
        let (clock, fraction) = clock.split_once('.').unwrap_or((clock, ""));
        let mut parts = clock.split(':').map(|part| number(part.as_bytes()).and_then(|n| i64::try_from(n).ok()));
        let (hour, minute) = (parts.next()??, parts.next()??);
        let second = match parts.next() {
            None => 0,
            Some(second) => second?,
        };
        if hour > 23 || minute > 59 || second > 60 || parts.next().is_some() {
            return None;
        }
        self.time = Some((hour * 3600 + minute * 60 + second, nanoseconds(fraction)?));
        Some(())
    }

    fn moment(self, now: Timestamp, empty: bool) -> Option<Timestamp> {
        let today = Moment::new(now.seconds, 0);
        let mut date = self.date;
        match (self.month, self.numbers.as_slice()) {
            (None, []) => {}
            (None, [stamp]) if date.is_none() && *stamp > 19_000_000 => {
                date = Some(valid(stamp / 10_000, stamp / 100 % 100, stamp % 100)?);
            }
            (Some(month), [day]) => date = Some(valid(today.year, month, *day)?),
            (Some(month), [day, year]) => date = Some(valid(*year, month, *day)?),
            _ => return None,
        }
        let here = (today.year, i64::from(today.month), i64::from(today.day));
        // A date without a time is its midnight; a time without a date is today's.
        let (clock, nanoseconds) = match (self.time, date) {
            (Some(time), _) => time,
            (None, None) if !empty => (now.seconds.rem_euclid(86_400), now.nanoseconds),
            (None, _) => (0, 0),
        };
        let (year, month, day) = date.unwrap_or(here);
        let day_number = days(year.checked_add(self.add.0)?, month.checked_add(self.add.1)?, day);
        let seconds = day_number.checked_mul(86_400)?.checked_add(clock - self.zone)?.checked_add(self.add.2)?;
        Some(Timestamp { seconds, nanoseconds })
    }
}

fn valid(year: i64, month: i64, day: i64) -> Option<(i64, i64, i64)> {
    let fits = (1..=12).contains(&month) && (0..=9999).contains(&year);
    let last = if fits { days(year, month + 1, 1) - days(year, month, 1) } else { 0 };
    (1..=last).contains(&day).then_some((year, month, day))
}

fn iso_date(text: &str) -> Option<(i64, i64, i64)> {
    let mut parts = text.split('-').map(|part| number(part.as_bytes()).and_then(|n| i64::try_from(n).ok()));
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    if parts.next().is_some() { None } else { valid(year, month, day) }
}

fn american_date(text: &str) -> Option<(i64, i64, i64)> {
    let mut parts = text.split('/').map(|part| number(part.as_bytes()).and_then(|n| i64::try_from(n).ok()));
    let (month, day, year) = (parts.next()??, parts.next()??, parts.next()??);
    if parts.next().is_some() { None } else { valid(year, month, day) }
}

/// The index of a name, whole or by its first three letters.
fn named(names: &[&str], word: &str) -> Option<i64> {
    let word = word.trim_end_matches('.');
    let hit = |name: &&str| name.eq_ignore_ascii_case(word) || name[..3].eq_ignore_ascii_case(word);
    i64::try_from(names.iter().position(hit)?).ok()
}

/// `+HH:MM`, `+HHMM` or `+HH`.
fn offset(text: &str) -> Option<i64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+')?),
    };
    let digits = digits.replace(':', "");
    let value = i64::try_from(number(digits.as_bytes())?).ok()?;
    match digits.len() {
        1 | 2 => Some(sign * value * 3600),
        4 => Some(sign * (value / 100 * 3600 + value % 100 * 60)),
        _ => None,
    }
}

fn nanoseconds(fraction: &str) -> Option<u32> {
    if fraction.is_empty() {
        return Some(0);
    }
    let nine: String = fraction.chars().chain("000000000".chars()).take(9).collect();
    u32::try_from(number(nine.as_bytes())?).ok()
}

/// `touch -t`'s `[[CC]YY]MMDDhhmm[.ss]`.
pub(super) fn posix_stamp(text: &[u8], now: Timestamp) -> Option<Timestamp> {
    let text = std::str::from_utf8(text).ok()?;
    let (stamp, seconds) = text.split_once('.').unwrap_or((text, "0"));
    let second = i64::try_from(number(seconds.as_bytes())?).ok()?;
    if !stamp.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let (year, rest) = match stamp.len() {
        8 => (Moment::new(now.seconds, 0).year, stamp),
        10 => {
            let short: i64 = stamp[..2].parse().ok()?;
            (if short < 69 { 2000 + short } else { 1900 + short }, &stamp[2..])
        }
        12 => (stamp[..4].parse().ok()?, &stamp[4..]),
        _ => return None,
    };
    let pair = |at: usize| rest[at..at + 2].parse::<i64>().ok();
    let (month, day, hour, minute) = (pair(0)?, pair(2)?, pair(4)?, pair(6)?);
    valid(year, month, day)?;
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    Some(Timestamp::from_seconds(days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_dates() {
        let now = Timestamp { seconds: 1_700_000_000, nanoseconds: 0 };
        let check = |text: &str, expect: Option<i64>| {
            assert_eq!(parse(text.as_bytes(), now).map(|t| t.seconds), expect, "{text}");
        };
        check("@5", Some(5));
        check("Sun Nov 22 19:38:05 UTC 2026", Some(1_795_376_285));
        check("2023-11-14 22:13:20", Some(1_700_000_000));
        check("2023-11-14T22:13:20Z", Some(1_700_000_000));
        check("2023-11-14T23:13:20+01:00", Some(1_700_000_000));
        check("Tue, 14 Nov 2023 22:13:20 +0000", Some(1_700_000_000));
        check("now", Some(1_700_000_000));
        check("", Some(1_699_920_000));
        check("1 day ago", Some(1_699_913_600));
        check("+2 weeks", Some(1_701_209_600));
        check("yesterday", Some(1_699_913_600));
        check("20231114", Some(1_699_920_000));
        check("2023-02-30", None);
        check("some day", None);
        assert_eq!(posix_stamp(b"202311142213.20", now).map(|t| t.seconds), Some(1_700_000_000));
    }
}
