//! Numbers and sizes as operands give them.

/// A decimal number without a sign.
pub(super) fn number(text: &[u8]) -> Option<u64> {
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// A decimal number with an optional sign.
pub(super) fn signed(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    let value = i64::try_from(number(digits)?).ok()?;
    Some(if negative { -value } else { value })
}

/// A number with GNU's multipliers: `b` is 512, `K` and `KiB` are 1024, `kB` and `KB` 1000, and so on up to `E`.
pub(super) fn size(text: &[u8]) -> Option<u64> {
    let digits = text.iter().position(|b| !b.is_ascii_digit()).unwrap_or(text.len());
    let value = number(&text[..digits])?;
    let (letter, rest) = match &text[digits..] {
        [] => return Some(value),
        b"b" => return value.checked_mul(512),
        b"c" => return Some(value),
        b"w" => return value.checked_mul(2),
        [letter, rest @ ..] => (letter.to_ascii_uppercase(), rest),
    };
    let power = u32::try_from(b"KMGTPE".iter().position(|&l| l == letter)? + 1).ok()?;
    let base: u64 = match rest {
        b"" | b"iB" => 1024,
        b"B" => 1000,
        _ => return None,
    };
    value.checked_mul(base.checked_pow(power)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for (text, expect) in
            [("10", Some(10)), ("2k", Some(2048)), ("2kB", Some(2000)), ("1MiB", Some(1 << 20)), ("3b", Some(1536))]
        {
            assert_eq!(size(text.as_bytes()), expect, "{text}");
        }
        for bad in ["", "k", "1x", "1kb", "99999999999999999999", "99999999999E"] {
            assert_eq!(size(bad.as_bytes()), None, "{bad}");
        }
        assert_eq!(signed(b"-5"), Some(-5));
        assert_eq!(signed(b"--5"), None);
    }
}
