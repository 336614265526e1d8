//! Calendar time in UTC, the only zone there is, and `strftime` of it.

/// A moment taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    pub seconds: i64,
    pub nanoseconds: u32,
    pub year: i64,
    /// 1 to 12.
    pub month: u32,
    pub day: u32,
    pub hour: u32,
    pub minute: u32,
    pub second: u32,
    /// 0 is Sunday.
    pub weekday: u32,
    /// 0 is the first of January.
    pub yearday: u32,
}

pub(super) const WEEKDAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// Days from 1970-01-01 to a date of the Gregorian calendar; months beyond 12 run on.
pub(super) fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = year + (month - 1).div_euclid(12);
    let month = (month - 1).rem_euclid(12) + 1;
    // Years begin in March, so that the leap day is the last.
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

impl Moment {
    pub(super) fn new(seconds: i64, nanoseconds: u32) -> Self {
        let (day_number, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        let shifted = day_number + 719_468;
        let era = shifted.div_euclid(146_097);
        let of_era = shifted.rem_euclid(146_097);
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * of_year + 2) / 153;
        let day = of_year - (153 * shifted_month + 2) / 5 + 1;
        let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        let small = |value: i64| u32::try_from(value).unwrap_or(0);
        Self {
            seconds,
            nanoseconds,
            year,
            month: small(month),
            day: small(day),
            hour: small(rest / 3600),
            minute: small(rest / 60 % 60),
            second: small(rest % 60),
            weekday: small((day_number + 4).rem_euclid(7)),
            yearday: small(day_number - days(year, 1, 1)),
        }
    }

    fn weekday_name(&self) -> &'static str {
        WEEKDAYS[self.weekday as usize % 7]
    }

    fn month_name(&self) -> &'static str {
        MONTHS[(self.month as usize + 11) % 12]
    }

    /// ISO 8601's year and week.
    fn iso_week(&self) -> (i64, i64) {
        let weekday = i64::from((self.weekday + 6) % 7);
        let thursday = self.seconds.div_euclid(86_400) - weekday + 3;
        let year = Self::new(thursday * 86_400, 0).year;
        (year, (thursday - days(year, 1, 1)) / 7 + 1)
    }
}

/// Formats as GNU's `date +FORMAT` does, flags and widths included; the error is a conversion that is not known.
pub(super) fn format(moment: &Moment, format: &[u8]) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    let mut rest = format.iter().copied().peekable();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let mut flag = None;
        let mut upper = false;
        let mut colons = 0;
        let mut width = String::new();
        let letter = loop {
            match rest.next() {
                Some(f @ (b'-' | b'_' | b'0' | b'+')) if width.is_empty() => flag = Some(f),
                Some(b'^') => upper = true,
                Some(b':') => colons += 1,
                Some(digit) if digit.is_ascii_digit() && width.len() < 3 => width.push(char::from(digit)),
                Some(b'E' | b'O') => {}
                Some(letter) => break letter,
                None => {
                    out.push(b'%');
                    return Ok(out);
                }
            }
        };
        let text = conversion(moment, letter, flag, &width, colons)
            .ok_or_else(|| format!("conversion `%{}`", letter.escape_ascii()))?;
        out.extend_from_slice(if upper { text.to_ascii_uppercase() } else { text }.as_bytes());
    }
    Ok(out)
}

// table: one line a conversion
fn conversion(m: &Moment, letter: u8, flag: Option<u8>, width: &str, colons: u32) -> Option<String> {
    let wide: usize = width.parse().unwrap_or(0);
    let number = |value: i64, digits: usize, pad: u8| {
        let digits = if wide > 0 { wide } else { digits };
        match flag.unwrap_or(pad) {
            b'-' => format!("{value}"),
            b'_' => format!("{value:digits$}"),
            _ => format!("{value:0digits$}"),
        }
    };
    let n = |value: u32, digits| number(i64::from(value), digits, b'0');
    let twelve = (m.hour + 11) % 12 + 1;
    let nested = |text: &str| format(m, text.as_bytes()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let text = match letter {
        b'%' => "%".to_owned(),
        b'n' => "\n".to_owned(),
        b't' => "\t".to_owned(),
        b'a' => m.weekday_name()[..3].to_owned(),
        b'A' => m.weekday_name().to_owned(),
        b'b' | b'h' => m.month_name()[..3].to_owned(),
        b'B' => m.month_name().to_owned(),
        b'c' => nested("%a %b %e %H:%M:%S %Y")?,
        b'C' => number(m.year.div_euclid(100), 2, b'0'),
        b'd' => n(m.day, 2),
        b'D' | b'x' => nested("%m/%d/%y")?,
        b'e' => number(i64::from(m.day), 2, b'_'),
        b'F' => nested("%Y-%m-%d")?,
        b'g' => number(m.iso_week().0.rem_euclid(100), 2, b'0'),
        b'G' => number(m.iso_week().0, 1, b'0'),
        b'H' => n(m.hour, 2),
        b'I' => n(twelve, 2),
        b'j' => n(m.yearday + 1, 3),
        b'k' => number(i64::from(m.hour), 2, b'_'),
        b'l' => number(i64::from(twelve), 2, b'_'),
        b'm' => n(m.month, 2),
        b'M' => n(m.minute, 2),
        b'N' => format!("{:09}", m.nanoseconds)[..if wide == 0 { 9 } else { wide.min(9) }].to_owned(),
        b'p' => if m.hour < 12 { "AM" } else { "PM" }.to_owned(),
        b'P' => if m.hour < 12 { "am" } else { "pm" }.to_owned(),
        b'q' => n(m.month.div_ceil(3), 1),
        b'r' => nested("%I:%M:%S %p")?,
        b'R' => nested("%H:%M")?,
        b's' => number(m.seconds, 1, b'0'),
        b'S' => n(m.second, 2),
        b'T' | b'X' => nested("%H:%M:%S")?,
        b'u' => n((m.weekday + 6) % 7 + 1, 1),
        b'U' => n((m.yearday + 7 - m.weekday) / 7, 2),
        b'V' => number(m.iso_week().1, 2, b'0'),
        b'w' => n(m.weekday, 1),
        b'W' => n((m.yearday + 7 - (m.weekday + 6) % 7) / 7, 2),
        b'y' => number(m.year.rem_euclid(100), 2, b'0'),
        b'Y' => number(m.year, 1, b'0'),
        b'z' => match colons {
            0 => "+0000",
            1 => "+00:00",
            2 => "+00:00:00",
            _ => "+00",
        }
        .to_owned(),
        b'Z' => "UTC".to_owned(),
        _ => return None,
    };
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats() {
        let check = |seconds, text: &str, expect: &str| {
            let got = format(&Moment::new(seconds, 5), text.as_bytes()).expect("known conversions");
            assert_eq!(String::from_utf8(got).expect("ASCII"), expect);
        };
        check(0, "%F %T %a %j %V %G %s", "1970-01-01 00:00:00 Thu 001 01 1970 0");
        check(1_700_000_000, "%a, %d %b %Y %H:%M:%S %z", "Tue, 14 Nov 2023 22:13:20 +0000");
        check(951_782_400, "%F %A %U %W %e %-d %_m %^b %I%p", "2000-02-29 Tuesday 09 09 29 29  2 FEB 12AM");
        check(-1, "%F %T.%N %3N", "1969-12-31 23:59:59.000000005 000");
        assert_eq!(days(2024, 14, 1), days(2025, 2, 1));
    }
}
