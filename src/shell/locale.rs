//! What of a locale commands look at: whether characters are those of UTF-8. Order is always that of bytes.

use super::Process;

impl Process<'_> {
    /// Whether `LC_ALL`, `LC_MESSAGES` or `LANG`, the first that is set, names another locale than C, whose messages may differ.
    pub(super) fn translates(&self) -> bool {
        let set = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().filter_map(|name| self.variable(name));
        set.into_iter().find(|value| !value.is_empty()).is_some_and(|value| value != b"C" && value != b"POSIX")
    }

    /// Whether `LC_ALL`, `LC_CTYPE` or `LANG`, the first that is set, names a UTF-8 locale.
    pub(super) fn utf8(&self) -> bool {
        let set = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().filter_map(|name| self.variable(name));
        let Some(value) = set.into_iter().find(|value| !value.is_empty()) else { return false };
        let value = value.to_ascii_lowercase();
        value.ends_with(b"utf-8") || value.ends_with(b"utf8")
    }
}
