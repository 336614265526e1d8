//! Patterns of paths: braces, and `*`, `?` and `[...]` inside of components.

use crate::{shell::units::matches, tree::Tree};

/// The paths that a pattern fits, by name; a pattern without special characters fits itself when it is there.
pub(super) fn glob(tree: &Tree, pattern: &[u8]) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    for pattern in braces(pattern) {
        let mut paths: Vec<Vec<u8>> = vec![Vec::new()];
        for part in pattern.split(|&b| b == b'/').filter(|part| !part.is_empty()) {
            paths = paths.iter().flat_map(|path| below(tree, path, part)).collect();
        }
        found.extend(paths);
    }
    found
}

fn below(tree: &Tree, path: &[u8], part: &[u8]) -> Vec<Vec<u8>> {
    let join = |name: &[u8]| [path, b"/", name].concat();
    if !part.iter().any(|b| b"*?[".contains(b)) {
        let whole = join(part);
        return if tree.lookup_no_follow(&whole).is_ok() { vec![whole] } else { Vec::new() };
    }
    let folder = if path.is_empty() { b"/" } else { path };
    let entries = tree.find(folder).and_then(|inode| inode.entries()).into_iter().flatten();
    let names = entries.map(|(name, _)| name.as_bytes());
    let hidden = part.starts_with(b".");
    names.filter(|name| (hidden || !name.starts_with(b".")) && matches(part, name)).map(join).collect()
}

/// `a{b,c}` as `ab` and `ac`.
fn braces(pattern: &[u8]) -> Vec<Vec<u8>> {
    let Some(open) = pattern.iter().position(|&b| b == b'{') else { return vec![pattern.to_vec()] };
    let mut depth = 0;
    let mut cuts = vec![open];
    for (index, byte) in pattern.iter().enumerate().skip(open) {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            b',' if depth == 1 => cuts.push(index),
            _ => {}
        }
        if depth == 0 {
            cuts.push(index);
            break;
        }
    }
    if depth != 0 {
        return vec![pattern.to_vec()];
    }
    let end = cuts[cuts.len() - 1];
    let words = cuts.windows(2).map(|pair| &pattern[pair[0] + 1..pair[1]]);
    words.flat_map(|word| braces(&[&pattern[..open], word, &pattern[end + 1..]].concat())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expands_braces() {
        let check = |pattern: &str, expect: &[&str]| {
            let got = braces(pattern.as_bytes());
            assert_eq!(got, expect.iter().map(|text| text.as_bytes().to_vec()).collect::<Vec<_>>(), "{pattern}");
        };
        check("/a", &["/a"]);
        check("/a{b,c}d", &["/abd", "/acd"]);
        check("/{a,b{c,d}}", &["/a", "/bc", "/bd"]);
        check("/{a", &["/{a"]);
    }
}
