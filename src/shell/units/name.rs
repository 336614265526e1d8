//! Names of units: `sshd.service`, the template `getty@.service` and its instance `getty@tty1.service`.

/// Kinds of units by suffix, in no order.
const TYPES: &[&str] =
    &["service", "mount", "swap", "socket", "target", "device", "automount", "timer", "path", "slice", "scope"];

/// Longest name of a unit.
const MAX: usize = 255;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Plain,
    Template,
    Instance,
}

fn is_character(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b":-_.\\".contains(&byte)
}

/// What kind of name this is; `None` when it is none.
pub(super) fn kind(name: &[u8]) -> Option<Kind> {
    unit_type(name)?;
    let dot = name.iter().rposition(|&b| b == b'.')?;
    let stem = &name[..dot];
    if stem.is_empty() || name.len() > MAX || !stem.iter().all(|&b| is_character(b) || b == b'@') {
        return None;
    }
    match stem.iter().position(|&b| b == b'@') {
        None => Some(Kind::Plain),
        Some(0) => None,
        Some(at) if at + 1 == stem.len() => Some(Kind::Template),
        Some(_) => Some(Kind::Instance),
    }
}

/// The kind of unit that the suffix says.
pub(super) fn unit_type(name: &[u8]) -> Option<&'static str> {
    let dot = name.iter().rposition(|&b| b == b'.')?;
    TYPES.iter().copied().find(|known| known.as_bytes() == &name[dot + 1..])
}

pub(super) fn may_alias(unit_type: &str) -> bool {
    matches!(unit_type, "service" | "socket" | "target" | "device" | "timer" | "path")
}

pub(super) fn may_be_template(unit_type: &str) -> bool {
    matches!(unit_type, "service" | "socket" | "target" | "timer" | "path")
}

/// Prefix, instance (with templates an empty one) and suffix with its dot; `None` without an `@`.
fn parts(name: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let at = name.iter().position(|&b| b == b'@')?;
    let dot = name.iter().rposition(|&b| b == b'.')?;
    (at < dot).then(|| (&name[..at], &name[at + 1..dot], &name[dot..]))
}

/// `getty@.service` of `getty@tty1.service`.
pub(super) fn template(name: &[u8]) -> Option<Vec<u8>> {
    let (prefix, _, suffix) = parts(name)?;
    Some([prefix, b"@", suffix].concat())
}

pub(super) fn instance(name: &[u8]) -> Option<Vec<u8>> {
    parts(name).map(|(_, instance, _)| instance.to_vec())
}

pub(super) fn with_instance(name: &[u8], instance: &[u8]) -> Option<Vec<u8>> {
    let (prefix, _, suffix) = parts(name)?;
    Some([prefix, b"@", instance, suffix].concat())
}

pub(super) fn is_valid_instance(instance: &[u8]) -> bool {
    !instance.is_empty() && instance.iter().all(|&b| is_character(b) || b == b'@')
}

/// What comes before `@`, or before the suffix.
pub(super) fn prefix(name: &[u8]) -> &[u8] {
    let end = name.iter().position(|&b| b == b'@').or_else(|| name.iter().rposition(|&b| b == b'.'));
    &name[..end.unwrap_or(name.len())]
}

/// The name without its suffix.
pub(super) fn stem(name: &[u8]) -> &[u8] {
    let end = name.iter().rposition(|&b| b == b'.');
    &name[..end.unwrap_or(name.len())]
}

pub(super) fn base(path: &[u8]) -> &[u8] {
    path.rsplit(|&b| b == b'/').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds() {
        let check = |name: &str, expect| assert_eq!(kind(name.as_bytes()), expect, "{name}");
        check("sshd.service", Some(Kind::Plain));
        check("getty@.service", Some(Kind::Template));
        check("getty@tty1.service", Some(Kind::Instance));
        check("a@b@c.socket", Some(Kind::Instance));
        check("@x.service", None);
        check(".service", None);
        check("ssh", None);
        check("a/b.service", None);
        check("x.snapshot", None);
    }

    #[test]
    fn instances() {
        assert_eq!(template(b"getty@tty1.service").as_deref(), Some(b"getty@.service".as_slice()));
        assert_eq!(with_instance(b"getty@.service", b"tty1").as_deref(), Some(b"getty@tty1.service".as_slice()));
        assert_eq!(template(b"ssh.service"), None);
    }
}
