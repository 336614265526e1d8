//! File modes as `chmod` reads them, octal or symbolic, and as `ls -l` shows them.

use crate::tree::{Inode, Node};

const SPECIAL: u16 = 0o7000;

/// A parsed mode operand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mode(Vec<Change>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Change {
    /// `+`, `-` or `=`.
    op: u8,
    /// Bits that the change may touch: `u` is 0o4700 and so on.
    affected: u16,
    value: Value,
    /// Bits that the operand names, so that a directory's setuid and setgid bits change as well.
    mentioned: u16,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Value {
    /// Bits as they are; the flag is `X`: and execution where something may execute already, or a directory is.
    Bits(u16, bool),
    /// What another class has: its bits of 0o777.
    Copy(u16),
}

impl Mode {
    /// Reads `0755`, `u+s`, `go-w,a+X`, `u=rwx,g=u`; `None` is no mode.
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        if text.first().is_some_and(u8::is_ascii_digit) {
            let bits = u16::from_str_radix(std::str::from_utf8(text).ok()?, 8).ok().filter(|bits| *bits <= 0o7777)?;
            // Five digits say the special bits of a directory, too.
            let mentioned = if text.len() < 5 { (bits & SPECIAL) | 0o1777 } else { 0o7777 };
            return Some(Self(vec![Change { op: b'=', affected: 0o7777, value: Value::Bits(bits, false), mentioned }]));
        }
        let mut changes = Vec::new();
        for clause in text.split(|&b| b == b',') {
            parse_clause(clause, &mut changes)?;
        }
        Some(Self(changes))
    }

    /// The mode that a file of `mode` gets.
    pub(super) fn apply(&self, mode: u16, directory: bool, umask: u16) -> u16 {
        let mut new = mode & 0o7777;
        for change in &self.0 {
            let omit = if directory { 0o6000 & !change.mentioned } else { 0 };
            let mut value = match change.value {
                Value::Bits(bits, false) => bits,
                Value::Bits(bits, true) => bits | if directory || new & 0o111 != 0 { 0o111 } else { 0 },
                Value::Copy(class) => {
                    let have = new & class;
                    let spread = |bit: u16| if have & (bit * 0o111) != 0 { bit * 0o111 } else { 0 };
                    spread(4) | spread(2) | spread(1)
                }
            };
            value &= (if change.affected == 0 { !umask } else { change.affected }) & !omit;
            new = match change.op {
                b'=' => {
                    let kept = if change.affected == 0 { 0 } else { !change.affected };
                    (new & (kept | omit)) | value
                }
                b'+' => new | value,
                _ => new & !value,
            };
        }
        new & 0o7777
    }
}

/// One `WHO OP PERMISSIONS [OP PERMISSIONS]...`.
fn parse_clause(clause: &[u8], changes: &mut Vec<Change>) -> Option<()> {
    let mut rest = clause;
    let mut affected = 0;
    while let [who @ (b'u' | b'g' | b'o' | b'a'), behind @ ..] = rest {
        affected |= class(*who).0;
        rest = behind;
    }
    rest.first()?;
    while let [op @ (b'+' | b'-' | b'='), behind @ ..] = rest {
        rest = behind;
        let end = rest.iter().position(|b| matches!(b, b'+' | b'-' | b'=')).unwrap_or(rest.len());
        let (permissions, behind) = rest.split_at(end);
        rest = behind;
        let (value, mentioned) = match permissions {
            [who @ (b'u' | b'g' | b'o')] => (Value::Copy(class(*who).1), affected & 0o777),
            octal if octal.first().is_some_and(u8::is_ascii_digit) => {
                let bits = u16::from_str_radix(std::str::from_utf8(octal).ok()?, 8).ok().filter(|b| *b <= 0o7777)?;
                if affected != 0 {
                    return None;
                }
                changes.push(Change { op: *op, affected: 0o7777, value: Value::Bits(bits, false), mentioned: 0o7777 });
                continue;
            }
            letters => {
                let (bits, execute) = permission_bits(letters)?;
                (Value::Bits(bits, execute), if affected == 0 { bits } else { affected & bits })
            }
        };
        changes.push(Change { op: *op, affected, value, mentioned });
    }
    rest.is_empty().then_some(())
}

/// Bits that a class owns, and the part of them below 0o1000.
fn class(who: u8) -> (u16, u16) {
    match who {
        b'u' => (0o4700, 0o700),
        b'g' => (0o2070, 0o070),
        b'o' => (0o1007, 0o007),
        _ => (0o7777, 0o777),
    }
}

fn permission_bits(letters: &[u8]) -> Option<(u16, bool)> {
    let mut bits = 0;
    let mut execute = false;
    for letter in letters {
        match letter {
            b'r' => bits |= 0o444,
            b'w' => bits |= 0o222,
            b'x' => bits |= 0o111,
            b'X' => execute = true,
            b's' => bits |= 0o6000,
            b't' => bits |= 0o1000,
            _ => return None,
        }
    }
    Some((bits, execute))
}

/// `rwxr-sr-t`.
pub(super) fn permissions(mode: u16) -> String {
    let mut text = String::with_capacity(9);
    for (shift, special, set, unset) in [(6, 0o4000, 's', 'S'), (3, 0o2000, 's', 'S'), (0, 0o1000, 't', 'T')] {
        let bits = mode >> shift;
        text.push(if bits & 4 != 0 { 'r' } else { '-' });
        text.push(if bits & 2 != 0 { 'w' } else { '-' });
        text.push(match (bits & 1 != 0, mode & special != 0) {
            (true, true) => set,
            (false, true) => unset,
            (true, false) => 'x',
            (false, false) => '-',
        });
    }
    text
}

/// The letter of a kind of file in `ls -l`.
pub(super) fn kind_letter(inode: &Inode) -> char {
    match inode.node {
        Node::Directory(_) => 'd',
        Node::Regular(_) => '-',
        Node::Symlink(_) => 'l',
        Node::CharDevice(_) => 'c',
        Node::BlockDevice(_) => 'b',
        Node::Fifo => 'p',
        Node::Socket => 's',
    }
}

/// `st_mode` with the kind of file in it.
pub(super) fn raw(inode: &Inode) -> u32 {
    let kind = match inode.node {
        Node::Directory(_) => 0o040_000,
        Node::Regular(_) => 0o100_000,
        Node::Symlink(_) => 0o120_000,
        Node::CharDevice(_) => 0o020_000,
        Node::BlockDevice(_) => 0o060_000,
        Node::Fifo => 0o010_000,
        Node::Socket => 0o140_000,
    };
    kind | u32::from(inode.stat.mode)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn applies() {
        let check = |text: &str, mode, directory, expect: Option<u16>| {
            let got = Mode::parse(text.as_bytes()).map(|parsed| parsed.apply(mode, directory, 0o022));
            assert_eq!(got, expect, "{text} on {mode:o}");
        };
        check("755", 0o4644, false, Some(0o755));
        check("755", 0o2644, true, Some(0o2755));
        check("00755", 0o2644, true, Some(0o755));
        check("u+s,go-w", 0o777, false, Some(0o4755));
        check("a+X", 0o644, false, Some(0o644));
        check("a+X", 0o644, true, Some(0o755));
        check("+w", 0o444, false, Some(0o644));
        check("=r", 0o2777, true, Some(0o2444));
        check("g=u", 0o640, false, Some(0o660));
        check("u=rwx,g=rx,o=", 0o7000, false, Some(0o750));
        check("u-x+w", 0o500, false, Some(0o600));
        check("a-s", 0o6755, true, Some(0o755));
        check("+t", 0o777, true, Some(0o1777));
        for bad in ["", "u", "u+y", "8", "10000", "u+r,"] {
            check(bad, 0, false, None);
        }
    }

    #[test]
    fn shows() {
        assert_eq!(permissions(0o7754), "rwsr-sr-T");
        assert_eq!(permissions(0o640), "rw-r-----");
    }
}
