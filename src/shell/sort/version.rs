//! The order of names with version numbers in them, as `sort -V` and `ls -v` have it.

use std::cmp::Ordering;

pub(in crate::shell) fn version_order(a: &[u8], b: &[u8]) -> Ordering {
    // Hidden names come first, `.` and `..` before them.
    let rank = |name: &[u8]| match name {
        b"" => 0,
        b"." => 1,
        b".." => 2,
        [b'.', ..] => 3,
        _ => 4,
    };
    let (first, second) = (rank(a), rank(b));
    if first != second || first < 3 {
        return first.cmp(&second);
    }
    // Suffixes such as `.tar.gz` count only when the rest is equal.
    parts(&a[..prefix(a)], &b[..prefix(b)]).then_with(|| parts(a, b))
}

/// Length of a name without its suffixes.
fn prefix(name: &[u8]) -> usize {
    let mut at = 0;
    let mut end = 0;
    while at < name.len() {
        at += 1;
        end = at;
        while name.get(at) == Some(&b'.') && name.get(at + 1).is_some_and(|b| b.is_ascii_alphabetic() || *b == b'~') {
            at += 2;
            while name.get(at).is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'~') {
                at += 1;
            }
        }
    }
    end
}

fn weight(byte: Option<&u8>) -> i32 {
    match byte {
        None => -1,
        Some(b'~') => -2,
        Some(b) if b.is_ascii_digit() => 0,
        Some(b) if b.is_ascii_alphabetic() => i32::from(*b),
        Some(b) => i32::from(*b) + 256,
    }
}

/// Compares texts and numbers by turns.
fn parts(mut a: &[u8], mut b: &[u8]) -> Ordering {
    while !a.is_empty() || !b.is_empty() {
        let text = |side: &[u8]| side.first().is_some_and(|b| !b.is_ascii_digit());
        while text(a) || text(b) {
            let order = weight(a.first()).cmp(&weight(b.first()));
            if order != Ordering::Equal {
                return order;
            }
            a = a.get(1..).unwrap_or_default();
            b = b.get(1..).unwrap_or_default();
        }
        let (x, rest_a) = digits(a);
        let (y, rest_b) = digits(b);
        let order = x.len().cmp(&y.len()).then_with(|| x.cmp(y));
        if order != Ordering::Equal {
            return order;
        }
        (a, b) = (rest_a, rest_b);
    }
    Ordering::Equal
}

/// The number at the start, without zeros before it, and the rest.
fn digits(text: &[u8]) -> (&[u8], &[u8]) {
    let zeros = text.iter().take_while(|b| **b == b'0').count();
    let end = zeros + text[zeros..].iter().take_while(|b| b.is_ascii_digit()).count();
    (&text[zeros..end], &text[end..])
}
