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

/// Fills a field: octal digits and a NUL where they fit, base 256 otherwise. Fields of eight bytes hold 56 bits so.
pub(super) fn write(field: &mut [u8], value: u64) {
    let (last, digits) = field.split_last_mut().expect("fields are not empty");
    if 3 * digits.len() as u32 >= u64::BITS - value.leading_zeros() {
        *last = 0;
        for (place, digit) in digits.iter_mut().rev().enumerate() {
            *digit = b'0' + ((value >> (3 * place)) & 7) as u8;
        }
        return;
    }
    for (place, byte) in field.iter_mut().rev().enumerate() {
        *byte = if place < 8 { (value >> (8 * place)) as u8 } else { 0 };
    }
    field[0] |= 0x80;
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

    #[test]
    fn reads_what_it_writes() {
        let check = |value: u64, expect: &[u8]| {
            let mut field = vec![0xff; expect.len()];
            write(&mut field, value);
            assert_eq!(field, expect, "{value}");
            assert_eq!(parse(&field), i64::try_from(value).ok(), "{value}");
        };
        check(0, b"0000000\0");
        check(0o7_777_777, b"7777777\0");
        check(0o10_000_000, b"\x80\0\0\0\0\x20\0\0");
        check(u64::from(u32::MAX), b"\x80\0\0\0\xff\xff\xff\xff");
        check(0o77_777_777_777, b"77777777777\0");
        check(1 << 33, b"\x80\0\0\0\0\0\0\x02\0\0\0\0");
        check(i64::MAX as u64, b"\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff");
    }
}
