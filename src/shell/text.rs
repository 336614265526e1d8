//! Lines and fields of text.

use bytes::Bytes;

use super::{Fatal, Process, files::show};

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
