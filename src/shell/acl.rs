//! POSIX access control lists, as the text that tools take and as the attribute that files carry (acl(5)).

use std::collections::BTreeMap;

use super::accounts;
use crate::tree::{InodeId, Tree};

/// Who an entry is for; in the order of the attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Who {
    Owner,
    User(u32),
    OwningGroup,
    Group(u32),
    Mask,
    Other,
}

/// Entries with their rights, 0 to 7.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Acl(pub BTreeMap<Who, u8>);

/// Which of a directory's two lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Which {
    Access,
    Default,
}

impl Which {
    fn attribute(self) -> &'static [u8] {
        match self {
            Self::Access => b"system.posix_acl_access",
            Self::Default => b"system.posix_acl_default",
        }
    }
}

const VERSION: u32 = 2;
const NOBODY: u32 = u32::MAX;

/// One entry as text: `u:NAME:rwx`, `group::r-x`, `m::r`, with `d:` or `default:` before it for the default list.
pub(super) fn parse_entry(tree: &Tree, text: &[u8]) -> Option<(Which, Who, u8)> {
    let mut parts: Vec<&[u8]> = text.trim_ascii().split(|&b| b == b':').map(<[u8]>::trim_ascii).collect();
    let which = match parts.first() {
        Some(&(b"d" | b"default")) => {
            parts.remove(0);
            Which::Default
        }
        _ => Which::Access,
    };
    // `o:rx` and `m:rx` may leave out the empty name.
    if let [kind, rights] = parts[..]
        && matches!(kind, b"o" | b"other" | b"m" | b"mask")
    {
        parts = vec![kind, b"", rights];
    }
    let [kind, name, rights] = parts[..] else { return None };
    let who = match (kind, name) {
        (b"u" | b"user", b"") => Who::Owner,
        (b"u" | b"user", name) => Who::User(accounts::uid(tree, name)?),
        (b"g" | b"group", b"") => Who::OwningGroup,
        (b"g" | b"group", name) => Who::Group(accounts::gid(tree, name)?),
        (b"m" | b"mask", b"") => Who::Mask,
        (b"o" | b"other", b"") => Who::Other,
        _ => return None,
    };
    Some((which, who, parse_rights(rights)?))
}

fn parse_rights(text: &[u8]) -> Option<u8> {
    if let [digit @ b'0'..=b'7'] = text {
        return Some(digit - b'0');
    }
    let mut rights = 0;
    for letter in text {
        rights |= match letter {
            b'r' => 4,
            b'w' => 2,
            b'x' => 1,
            b'-' => 0,
            _ => return None,
        };
    }
    Some(rights)
}

impl Acl {
    /// The list that a file has; an empty one where it has none.
    pub(super) fn of(tree: &Tree, id: InodeId, which: Which) -> Self {
        tree.get(id).stat.xattrs.get(which.attribute()).map(|value| Self::decode(value)).unwrap_or_default()
    }

    fn decode(value: &[u8]) -> Self {
        let mut acl = Self::default();
        for entry in value.get(4..).unwrap_or_default().chunks_exact(8) {
            let tag = u16::from_le_bytes([entry[0], entry[1]]);
            let id = u32::from_le_bytes([entry[4], entry[5], entry[6], entry[7]]);
            let who = match tag {
                0x01 => Who::Owner,
                0x02 => Who::User(id),
                0x04 => Who::OwningGroup,
                0x08 => Who::Group(id),
                0x10 => Who::Mask,
                _ => Who::Other,
            };
            acl.0.insert(who, entry[2] & 7);
        }
        acl
    }

    fn encode(&self) -> Vec<u8> {
        let mut value = VERSION.to_le_bytes().to_vec();
        for (who, rights) in &self.0 {
            let (tag, id): (u16, u32) = match who {
                Who::Owner => (0x01, NOBODY),
                Who::User(id) => (0x02, *id),
                Who::OwningGroup => (0x04, NOBODY),
                Who::Group(id) => (0x08, *id),
                Who::Mask => (0x10, NOBODY),
                Who::Other => (0x20, NOBODY),
            };
            value.extend_from_slice(&tag.to_le_bytes());
            value.extend_from_slice(&u16::from(*rights).to_le_bytes());
            value.extend_from_slice(&id.to_le_bytes());
        }
        value
    }

    /// Whether it says more than a mode can.
    pub(super) fn is_extended(&self) -> bool {
        self.0.keys().any(|who| matches!(who, Who::User(_) | Who::Group(_) | Who::Mask))
    }

    /// Adds the mask that named entries need: what the group class has.
    pub(super) fn add_mask(&mut self) {
        let named = self.0.keys().any(|who| matches!(who, Who::User(_) | Who::Group(_)));
        if named && !self.0.contains_key(&Who::Mask) {
            self.set_mask();
        }
    }

    /// Makes the mask what the group class has.
    pub(super) fn set_mask(&mut self) {
        let class = |who: &Who| matches!(who, Who::User(_) | Who::OwningGroup | Who::Group(_));
        let rights = self.0.iter().filter(|(who, _)| class(who)).fold(0, |all, (_, rights)| all | rights);
        self.0.insert(Who::Mask, rights);
    }

    /// Adds the three entries that every list has, from a mode.
    pub(super) fn add_base(&mut self, mode: u16) {
        let three = [(Who::Owner, mode >> 6), (Who::OwningGroup, mode >> 3), (Who::Other, mode)];
        for (who, bits) in three {
            self.0.entry(who).or_insert((bits & 7) as u8);
        }
    }

    /// Makes a file's access list follow its mode, as `chmod(2)` does: the mask is what the group class has.
    pub(super) fn follow_mode(tree: &mut Tree, id: InodeId) {
        let mut acl = Self::of(tree, id, Which::Access);
        if acl.0.is_empty() {
            return;
        }
        let mode = tree.get(id).stat.mode;
        let group = if acl.0.contains_key(&Who::Mask) { Who::Mask } else { Who::OwningGroup };
        for (who, bits) in [(Who::Owner, mode >> 6), (group, mode >> 3), (Who::Other, mode)] {
            acl.0.insert(who, (bits & 7) as u8);
        }
        acl.apply(tree, id, Which::Access);
    }

    /// Gives the list to a file as `setxattr(2)` does: the mode follows, and a list that says no more is not kept.
    pub(super) fn apply(&self, tree: &mut Tree, id: InodeId, which: Which) {
        let stat = tree.stat_mut(id);
        if self.0.is_empty() {
            stat.xattrs.remove(which.attribute());
            return;
        }
        if which == Which::Access {
            let rights = |who: Who| self.0.get(&who).map_or(0, |rights| u16::from(*rights));
            let group = if self.0.contains_key(&Who::Mask) { rights(Who::Mask) } else { rights(Who::OwningGroup) };
            stat.mode = (stat.mode & 0o7000) | rights(Who::Owner) << 6 | group << 3 | rights(Who::Other);
            if !self.is_extended() {
                stat.xattrs.remove(which.attribute());
                return;
            }
        }
        stat.xattrs.insert(which.attribute().into(), self.encode().into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::{dump, parse_dump};

    #[test]
    fn attribute_and_mode() {
        let mut tree = parse_dump("/ directory 0750 0:0 0\n").expect("valid");
        let mut acl = Acl::default();
        for text in ["u:1000:rx", "g:4:r-x", "d:g::r"] {
            let (which, who, rights) = parse_entry(&tree, text.as_bytes()).expect(text);
            if which == Which::Access {
                acl.0.insert(who, rights);
            }
        }
        acl.add_base(0o750);
        acl.add_mask();
        acl.apply(&mut tree, crate::tree::ROOT, Which::Access);
        // setfacl -m u:1000:rx,g:4:r-x; getfattr -e hex -n system.posix_acl_access
        let want = "02000000 01000700ffffffff 02000500e8030000 04000500ffffffff 0800050004000000 10000500ffffffff \
                    20000000ffffffff";
        let want = want.replace(' ', "");
        assert_eq!(dump(&tree), format!("/ directory 0750 0:0 0 system.posix_acl_access={want}\n"));
        assert_eq!(Acl::of(&tree, crate::tree::ROOT, Which::Access), acl);
        assert_eq!(parse_entry(&tree, b"g:nobody:r"), None);
        assert_eq!(parse_entry(&tree, b"u::q"), None);
    }
}
