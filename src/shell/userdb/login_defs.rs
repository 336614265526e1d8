//! `/etc/login.defs`: the shadow suite's settings, and those given with `-K`.

use std::collections::BTreeMap;

use crate::shell::{Fatal, Process};

/// Settings by name.
#[derive(Debug)]
pub(in crate::shell) struct LoginDefs {
    values: BTreeMap<Vec<u8>, Vec<u8>>,
}

impl LoginDefs {
    pub(in crate::shell) fn read(process: &Process<'_>, root: &[u8]) -> Self {
        let text = process.machine.tree.read(&[root, b"/etc/login.defs"].concat()).unwrap_or_default();
        let values = text.split(|&b| b == b'\n').filter_map(setting).collect();
        Self { values }
    }

    /// A `NAME=VALUE` of `-K`; `None` when there is no `=`.
    pub(in crate::shell) fn set(&mut self, assignment: &[u8]) -> Option<()> {
        let equals = assignment.iter().position(|&b| b == b'=')?;
        self.values.insert(assignment[..equals].to_vec(), assignment[equals + 1..].to_vec());
        Some(())
    }

    pub(in crate::shell) fn text(&self, name: &str) -> Option<&[u8]> {
        self.values.get(name.as_bytes()).map(Vec::as_slice)
    }

    pub(in crate::shell) fn yes(&self, name: &str) -> bool {
        self.text(name).is_some_and(|value| value.eq_ignore_ascii_case(b"yes"))
    }

    /// A number, decimal, `0` octal or `0x` hexadecimal.
    pub(in crate::shell) fn number(&self, process: &Process<'_>, name: &str, default: i64) -> Result<i64, Fatal> {
        let Some(value) = self.text(name) else { return Ok(default) };
        c_number(value).ok_or_else(|| process.not_modelled(format!("{name} `{}` in login.defs", value.escape_ascii())))
    }

    /// A number that is an id.
    pub(in crate::shell) fn id(&self, process: &Process<'_>, name: &str, default: u32) -> Result<u32, Fatal> {
        let number = self.number(process, name, default.into())?;
        u32::try_from(number).map_err(|_| process.not_modelled(format!("{name} {number} in login.defs")))
    }
}

/// `NAME VALUE`, the value perhaps quoted.
fn setting(line: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let line = line.trim_ascii();
    if line.is_empty() || line[0] == b'#' {
        return None;
    }
    let end = line.iter().position(|b| matches!(b, b' ' | b'\t'))?;
    let rest = &line[end..];
    let start = rest.iter().position(|b| !matches!(b, b' ' | b'\t' | b'"'))?;
    let value = rest[start..].split(|&b| b == b'"').next().unwrap_or_default();
    Some((line[..end].to_vec(), value.to_vec()))
}

/// What `strtol` with base 0 makes of the whole of a text.
pub(in crate::shell) fn c_number(text: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(text).ok()?;
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let (digits, radix) = match digits.strip_prefix("0x") {
        Some(hex) => (hex, 16),
        None if digits.len() > 1 && digits.starts_with('0') => (&digits[1..], 8),
        None => (digits, 10),
    };
    if !digits.starts_with(|c: char| c.is_digit(radix)) {
        return None;
    }
    i64::from_str_radix(digits, radix).ok().map(|number| sign * number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_settings() {
        let check = |line: &str, expect: Option<(&str, &str)>| {
            let expect = expect.map(|(name, value)| (name.as_bytes().to_vec(), value.as_bytes().to_vec()));
            assert_eq!(setting(line.as_bytes()), expect, "{line}");
        };
        check("UMASK\t\t022", Some(("UMASK", "022")));
        check("  ENV_PATH PATH=/bin:/usr/bin ", Some(("ENV_PATH", "PATH=/bin:/usr/bin")));
        check("A \"b c\" d", Some(("A", "b c")));
        check("# x y", None);
        check("LONELY", None);
    }

    #[test]
    fn numbers_as_in_c() {
        let check = |text: &str, expect| assert_eq!(c_number(text.as_bytes()), expect, "{text}");
        check("022", Some(18));
        check("0x1f", Some(31));
        check("0", Some(0));
        check("-1", Some(-1));
        check("08", None);
        check("", None);
        check("7x", None);
    }
}
