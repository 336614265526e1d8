//! Floating-point conversions of `printf`: `%e`, `%f`, `%g` of a number that is not negative.

pub(in crate::shell) fn format(value: f64, conversion: u8, precision: Option<usize>, alternate: bool) -> String {
    let precision = precision.unwrap_or(6);
    if !value.is_finite() {
        let text = if value.is_nan() { "nan" } else { "inf" };
        return if conversion.is_ascii_uppercase() { text.to_ascii_uppercase() } else { text.to_owned() };
    }
    let text = match conversion.to_ascii_lowercase() {
        b'e' => exponential(value, precision, alternate),
        b'f' => fixed(value, precision, alternate),
        _ => general(value, precision.max(1), alternate),
    };
    if conversion.is_ascii_uppercase() { text.to_ascii_uppercase() } else { text }
}

fn fixed(value: f64, precision: usize, point: bool) -> String {
    let dot = if point && precision == 0 { "." } else { "" };
    format!("{value:.precision$}{dot}")
}

fn exponential(value: f64, precision: usize, point: bool) -> String {
    let (digits, exponent) = split(value, precision);
    let dot = if point && precision == 0 { "." } else { "" };
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}{dot}e{sign}{:02}", exponent.unsigned_abs())
}

/// Digits and exponent, rounded to `precision` places.
fn split(value: f64, precision: usize) -> (String, i32) {
    let text = format!("{value:.precision$e}");
    match text.split_once('e') {
        Some((digits, exponent)) => (digits.to_owned(), exponent.parse().unwrap_or(0)),
        None => (text, 0),
    }
}

fn general(value: f64, precision: usize, alternate: bool) -> String {
    let (_, exponent) = split(value, precision - 1);
    let places = i64::try_from(precision).unwrap_or(i64::MAX) - 1 - i64::from(exponent);
    let short = exponent >= -4 && places >= 0;
    let text = if short {
        fixed(value, usize::try_from(places).unwrap_or(0), alternate)
    } else {
        exponential(value, precision - 1, alternate)
    };
    if alternate || !text.contains('.') {
        return text;
    }
    let (digits, tail) = match text.split_once('e') {
        Some((digits, exponent)) => (digits, format!("e{exponent}")),
        None => (text.as_str(), String::new()),
    };
    format!("{}{tail}", digits.trim_end_matches('0').trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::format;

    #[test]
    fn formats_as_c_does() {
        let check = |value: f64, conversion: u8, precision: Option<usize>, expect: &str| {
            assert_eq!(format(value, conversion, precision, false), expect);
        };
        check(1.5, b'f', None, "1.500000");
        check(1.5, b'f', Some(0), "2");
        check(150.0, b'e', Some(2), "1.50e+02");
        check(0.0001, b'g', None, "0.0001");
        check(0.00001, b'g', None, "1e-05");
        check(1e6, b'g', None, "1e+06");
        check(123_456.0, b'g', None, "123456");
        check(100.0, b'G', Some(3), "100");
    }
}
