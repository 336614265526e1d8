//! The `[Install]` section of a unit file or drop-in.

/// Its settings in order, name and value; an empty value clears a list.
pub(super) fn settings(text: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut found = Vec::new();
    let mut inside = false;
    for line in logical_lines(text) {
        if let Some(section) = line.strip_prefix(b"[").and_then(|rest| rest.strip_suffix(b"]")) {
            inside = section == b"Install";
        } else if inside && let Some(equals) = line.iter().position(|&b| b == b'=') {
            found.push((line[..equals].trim_ascii().to_vec(), line[equals + 1..].trim_ascii().to_vec()));
        }
    }
    found
}

/// Lines without comments and blanks around them, those that end in a backslash joined with a blank.
fn logical_lines(text: &[u8]) -> Vec<Vec<u8>> {
    let mut lines = Vec::new();
    let mut open: Option<Vec<u8>> = None;
    for line in text.split(|&b| b == b'\n') {
        let start = line.trim_ascii_start();
        // Comments are left out even in the middle of a continued line.
        if matches!(start.first(), Some(b'#' | b';')) {
            continue;
        }
        let mut whole = match open.take() {
            Some(mut begun) => {
                begun.push(b' ');
                begun.extend_from_slice(line);
                begun
            }
            None => line.to_vec(),
        };
        let backslashes = whole.iter().rev().take_while(|&&b| b == b'\\').count();
        if backslashes % 2 == 1 {
            whole.pop();
            open = Some(whole);
            continue;
        }
        lines.push(whole.trim_ascii().to_vec());
    }
    lines.extend(open.map(|line| line.trim_ascii().to_vec()));
    lines.retain(|line| !line.is_empty());
    lines
}

/// Words of a value, quotes removed.
pub(super) fn words(value: &[u8]) -> Vec<Vec<u8>> {
    let mut words = Vec::new();
    let mut word: Option<Vec<u8>> = None;
    let mut quote = None;
    for &byte in value {
        match (quote, byte) {
            (Some(open), _) if byte == open => quote = None,
            (Some(_), _) => word.get_or_insert_default().push(byte),
            (None, b'"' | b'\'') => {
                quote = Some(byte);
                word.get_or_insert_default();
            }
            (None, _) if byte.is_ascii_whitespace() => words.extend(word.take()),
            (None, _) => word.get_or_insert_default().push(byte),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_install() {
        let text =
            "[Unit]\nWantedBy=no\n\n[Install]\n# c\nWantedBy = a.target \\\n ; comment\n  b.target\nAlias=\n[X]\nA=b\n";
        let pair = |a: &str, b: &str| (a.as_bytes().to_vec(), b.as_bytes().to_vec());
        let want = vec![pair("WantedBy", "a.target    b.target"), pair("Alias", "")];
        assert_eq!(settings(text.as_bytes()), want);
        assert_eq!(words(b"a \"b c\" 'd'e"), vec![b"a".to_vec(), b"b c".to_vec(), b"de".to_vec()]);
    }
}
