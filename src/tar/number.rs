//! Numbers in tar headers: octal text or GNU's base 256.

/// Reads a field; `None` when it is neither form, is empty, or does not fit.
pub(super) fn parse(field: &[u8]) -> Option<i64> {
    let (&first, rest) = field.split_first()?;
    if first & 0x80 != 0 {
        // Two's complement, most significant byte first, the marker bit not counted.
        let sign = if first & 0x40 == 0 { 0 } else { !0x3f };
        let mut value = i128::from(first & 0x3f) | sign;
        for &byte in rest {
            value = value.checked_mul(256)? | i128::from(byte);
        }
        return i64::try_from(value).ok();
    }
    let start = field.iter().position(|&b| b != b' ')?;
    let digits = &field[start..];
    let end = digits.iter().position(|b| !(b'0'..=b'7').contains(b)).unwrap_or(digits.len());
    if end == 0 || digits[end..].iter().any(|b| !matches!(b, b' ' | 0)) {
        return None;
    }
    digits[..end].iter().try_fold(0_i64, |value, digit| value.checked_mul(8)?.checked_add(i64::from(digit - b'0')))
}

/// Whether a field holds no number at all, as unused ones do.
pub(super) fn is_blank(field: &[u8]) -> bool {
    field.iter().all(|b| matches!(b, b' ' | 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_forms() {
        let check = |field: &[u8], expect| assert_eq!(parse(field), expect, "{}", field.escape_ascii());
        check(b"0000644\0", Some(0o644));
        check(b"    644 ", Some(0o644));
        check(b"00000000000\0", Some(0));
        check(b"77777777777 ", Some(0o77_777_777_777));
        check(b"\x80\0\0\0\0\x2d\xc6\xc0", Some(3_000_000));
        check(b"\xff\xff\xff\xff\xff\xff\xff\xfb", Some(-5));
        check(b"\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff", Some(i64::MAX));
        check(b"\x80\0\0\0\x80\0\0\0\0\0\0\0", None);
        check(b"\xff\xff\xff\xff\x80\0\0\0\0\0\0\0", Some(i64::MIN));
        check(b"\0\0\0\0\0\0\0\0", None);
        check(b"        ", None);
        check(b"12 34\0\0\0", None);
        check(b"0000a44\0", None);
        check(b"", None);
        check(&[b'7'; 64], None);
    }
}
