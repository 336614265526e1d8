//! Whether a target has a locale.

use crate::tree::Tree;

/// As the C library looks for it: built in, or a folder of compiled categories under its own name or with the character set
/// written plainly (`en_US.UTF-8` as `en_US.utf8`).
pub(super) fn is_there(tree: &Tree, name: &str) -> bool {
    if matches!(name, "C" | "POSIX") {
        return true;
    }
    let there = |name: &str| tree.find(format!("/usr/lib/locale/{name}/LC_CTYPE").as_bytes()).is_some();
    there(name) || there(&plain(name))
}

fn plain(name: &str) -> String {
    let (base, modifier) = name.split_at(name.find('@').unwrap_or(name.len()));
    match base.split_once('.') {
        Some((language, set)) => {
            let set: String = set.chars().filter(char::is_ascii_alphanumeric).collect();
            format!("{language}.{}{modifier}", set.to_ascii_lowercase())
        }
        None => name.to_owned(),
    }
}
