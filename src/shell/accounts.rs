//! Names and numbers of users and groups, from the target's `/etc/passwd` and `/etc/group`; who runs a script is root.

use crate::tree::Tree;

/// A line of `/etc/passwd`, as far as look-ups need it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct User {
    pub name: Vec<u8>,
    pub uid: u32,
    pub gid: u32,
    pub home: Vec<u8>,
}

/// A line of `/etc/group`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Group {
    pub name: Vec<u8>,
    pub gid: u32,
    pub members: Vec<Vec<u8>>,
}

fn lines(tree: &Tree, path: &str) -> Vec<Vec<Vec<u8>>> {
    let text = tree.read(path.as_bytes()).unwrap_or_default();
    let fields = |line: &[u8]| line.split(|&b| b == b':').map(<[u8]>::to_vec).collect();
    text.split(|&b| b == b'\n').map(fields).collect()
}

pub(super) fn number(text: &[u8]) -> Option<u32> {
    if !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// The users, in the file's order; lines that can't be read are passed over, as the C library does.
pub(super) fn users(tree: &Tree) -> Vec<User> {
    let user = |fields: Vec<Vec<u8>>| match fields.as_slice() {
        [name, _, uid, gid, _, home, ..] => {
            Some(User { name: name.clone(), uid: number(uid)?, gid: number(gid)?, home: home.clone() })
        }
        _ => None,
    };
    lines(tree, "/etc/passwd").into_iter().filter_map(user).collect()
}

pub(super) fn groups(tree: &Tree) -> Vec<Group> {
    let group = |fields: Vec<Vec<u8>>| match fields.as_slice() {
        [name, _, gid, members, ..] => {
            let members = members.split(|&b| b == b',').filter(|m| !m.is_empty()).map(<[u8]>::to_vec).collect();
            Some(Group { name: name.clone(), gid: number(gid)?, members })
        }
        _ => None,
    };
    lines(tree, "/etc/group").into_iter().filter_map(group).collect()
}

/// A user by name or, failing that, a number that need not be any user's.
pub(super) fn uid(tree: &Tree, name: &[u8]) -> Option<u32> {
    users(tree).into_iter().find(|user| user.name == name).map(|user| user.uid).or_else(|| plain_number(name))
}

pub(super) fn gid(tree: &Tree, name: &[u8]) -> Option<u32> {
    groups(tree).into_iter().find(|group| group.name == name).map(|group| group.gid).or_else(|| plain_number(name))
}

fn plain_number(name: &[u8]) -> Option<u32> {
    number(name.strip_prefix(b"+").unwrap_or(name)).filter(|_| !name.is_empty())
}

pub(super) fn user_name(tree: &Tree, uid: u32) -> Option<Vec<u8>> {
    users(tree).into_iter().find(|user| user.uid == uid).map(|user| user.name)
}

pub(super) fn group_name(tree: &Tree, gid: u32) -> Option<Vec<u8>> {
    groups(tree).into_iter().find(|group| group.gid == gid).map(|group| group.name)
}

/// An owner operand: `USER`, `USER:GROUP`, `USER:` (with the user's group) or `:GROUP`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Owner {
    pub uid: Option<u32>,
    pub gid: Option<u32>,
}

/// Reads an owner operand; the error is the part that nobody is called.
pub(super) fn owner(tree: &Tree, text: &[u8]) -> Result<Owner, &'static str> {
    if let Some(uid) = uid(tree, text).filter(|_| !text.is_empty()) {
        return Ok(Owner { uid: Some(uid), gid: None });
    }
    // The dot is GNU's old separator, where no user has that name.
    let Some(at) = text.iter().position(|&b| b == b':').or_else(|| text.iter().position(|&b| b == b'.')) else {
        return if text.is_empty() { Ok(Owner::default()) } else { Err("user") };
    };
    let (user, group) = (&text[..at], &text[at + 1..]);
    let user_id = match user {
        b"" => None,
        name => Some(uid(tree, name).ok_or("user")?),
    };
    let group_id = match (user_id, group) {
        (None, b"") => None,
        (Some(uid), b"") => Some(users(tree).into_iter().find(|u| u.uid == uid).ok_or("spec")?.gid),
        (_, name) => Some(gid(tree, name).ok_or("group")?),
    };
    Ok(Owner { uid: user_id, gid: group_id })
}

impl Owner {
    /// Changes the owner as `chown(2)` does, which also takes set-id bits and capabilities from a file.
    pub(super) fn apply(self, tree: &mut Tree, id: crate::tree::InodeId) {
        let directory = tree.get(id).is_dir();
        let symlink = tree.get(id).is_symlink();
        let stat = tree.stat_mut(id);
        stat.uid = self.uid.unwrap_or(stat.uid);
        stat.gid = self.gid.unwrap_or(stat.gid);
        if !directory && !symlink {
            stat.mode &= !0o4000;
            if stat.mode & 0o010 != 0 {
                stat.mode &= !0o2000;
            }
            stat.xattrs.remove(b"security.capability".as_slice());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::parse_dump;

    #[test]
    fn reads_owners() {
        let mut tree = parse_dump("/ directory 0755 0:0 0\n/etc directory 0755 0:0 0\n").expect("a valid dump");
        let stat = || crate::tree::Stat::root(0o644, crate::tree::Timestamp::default());
        tree.write(b"/etc/passwd", b"root:x:0:0::/root:/bin/sh\na.b:x:7:8::/:\nbad\n".to_vec(), stat()).expect("made");
        tree.write(b"/etc/group", b"root:x:0:\nwheel:x:9:a.b,root\n".to_vec(), stat()).expect("made");
        let check = |text: &str, expect: Result<(Option<u32>, Option<u32>), &'static str>| {
            assert_eq!(owner(&tree, text.as_bytes()).map(|owner| (owner.uid, owner.gid)), expect, "{text}");
        };
        check("root", Ok((Some(0), None)));
        check("a.b", Ok((Some(7), None)));
        check("root:", Ok((Some(0), Some(0))));
        check("root:wheel", Ok((Some(0), Some(9))));
        check("root.wheel", Ok((Some(0), Some(9))));
        check("a.b:wheel", Ok((Some(7), Some(9))));
        check(":wheel", Ok((None, Some(9))));
        check("5:6", Ok((Some(5), Some(6))));
        check(":", Ok((None, None)));
        check("nobody", Err("user"));
        check("root:nogroup", Err("group"));
    }
}
