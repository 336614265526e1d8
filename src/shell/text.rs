//! Lines and fields of text.

use bytes::Bytes;

use super::{Fatal, Process, files::show, regex::decode};

/// The lines of a text without their ends; the last need not have one.
pub(super) fn lines(text: &[u8], end: u8) -> impl DoubleEndedIterator<Item = &[u8]> {
    let whole = text.strip_suffix(&[end]).unwrap_or(text);
    let count = if text.is_empty() { 0 } else { usize::MAX };
    let lines: Vec<&[u8]> = whole.split(move |&b| b == end).take(count).collect();
    lines.into_iter()
}

/// The first `count` lines with their ends.
pub(super) fn first_lines(text: &[u8], count: u64, end: u8) -> &[u8] {
    let ends = memchr::memchr_iter(end, text).take(usize::try_from(count).unwrap_or(usize::MAX));
    match (count, ends.enumerate().last()) {
        (0, _) => &[],
        (count, Some((index, at))) if index as u64 + 1 == count => &text[..=at],
        _ => text,
    }
}

/// All but the first `count` lines.
pub(super) fn after_lines(text: &[u8], count: u64, end: u8) -> &[u8] {
    &text[first_lines(text, count, end).len()..]
}

/// How many lines there are, one without an end included.
pub(super) fn count_lines(text: &[u8], end: u8) -> u64 {
    memchr::memchr_iter(end, text).count() as u64 + u64::from(!text.is_empty() && text.last() != Some(&end))
}

/// The characters of a text: those of UTF-8, a byte that belongs to none standing alone, or bytes.
pub(super) fn characters(text: &[u8], utf8: bool) -> Vec<&[u8]> {
    let mut all = Vec::new();
    let mut at = 0;
    while let Some((_, len)) = decode(text, at, utf8) {
        all.push(&text[at..at + len]);
        at += len;
    }
    all
}

/// What C's escape at `at`, a backslash with something behind it, stands for, and where it ends; that of nothing special is
/// the character itself.
pub(super) fn c_escape(text: &[u8], at: usize) -> (u8, usize) {
    match text[at + 1] {
        b'a' => (0x07, at + 2),
        b'b' => (0x08, at + 2),
        b'f' => (0x0c, at + 2),
        b'n' => (b'\n', at + 2),
        b'r' => (b'\r', at + 2),
        b't' => (b'\t', at + 2),
        b'v' => (0x0b, at + 2),
        b'0'..=b'7' => {
            let mut value: u8 = 0;
            let mut end = at + 1;
            while end < text.len().min(at + 4) && (b'0'..=b'7').contains(&text[end]) {
                // A third digit that makes more than a byte is no part of it.
                let Some(more) = value.checked_mul(8).and_then(|value| value.checked_add(text[end] - b'0')) else {
                    break;
                };
                value = more;
                end += 1;
            }
            (value, end)
        }
        other => (other, at + 2),
    }
}

/// The same in awk, which knows `\xHH` besides.
pub(super) fn awk_escape(text: &[u8], at: usize) -> (u8, usize) {
    let digits = text[at + 2..].iter().take(2).map_while(|&byte| char::from(byte).to_digit(16));
    let (value, count) = digits.fold((0, 0), |(value, count), digit| (value * 16 + digit as u8, count + 1));
    match text[at + 1] {
        b'x' if count > 0 => (value, at + 2 + count),
        b'0'..=b'7' => {
            let digits = text[at + 1..].iter().take(3).take_while(|byte| (b'0'..=b'7').contains(byte));
            let (value, end) =
                digits.fold((0, at + 1), |(value, end), byte| (value * 8 + u32::from(byte - b'0'), end + 1));
            ((value & 0xff) as u8, end)
        }
        _ => c_escape(text, at),
    }
}

impl Process<'_> {
    /// A file that an operand names, or nothing after a complaint.
    pub(super) fn read_operand(&mut self, path: &[u8]) -> Result<Option<Bytes>, Fatal> {
        match self.read_file(path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) => {
                self.complain(&format!("{}: {}", show(path), error.errno))?;
                Ok(None)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits() {
        let all = |text: &'static [u8]| lines(text, b'\n').collect::<Vec<_>>();
        assert_eq!(all(b""), Vec::<&[u8]>::new());
        assert_eq!(all(b"\n"), [b"" as &[u8]]);
        assert_eq!(all(b"a\n\nb"), [b"a" as &[u8], b"", b"b"]);
        assert_eq!(first_lines(b"a\nb\nc", 2, b'\n'), b"a\nb\n");
        assert_eq!(first_lines(b"a\nb", 2, b'\n'), b"a\nb");
        assert_eq!(after_lines(b"a\nb\nc", 1, b'\n'), b"b\nc");
        assert_eq!(count_lines(b"a\nb", b'\n'), 2);
    }
}
