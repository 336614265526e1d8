//! The user database of a tree as tools edit it: passwd, group, shadow, gshadow, subuid and subgid, line by line.
//!
//! Lines that a tool doesn't touch keep their bytes, and new ones go before the NIS lines at the end, as the shadow suite
//! has it. Neither backups (`passwd-`) nor locks (`.pwd.lock`) are written: a backup of a state that no system ever ran
//! serves nobody, and nobody else writes the tree.

mod ids;
mod login_defs;
mod pins;
mod record;
mod table;

pub(super) use ids::{Kind, next_id};
pub(super) use login_defs::{LoginDefs, c_number};
pub(super) use pins::{is_kept, pinned};
pub(super) use record::{Aging, Group, GroupShadow, Record, Shadow, Subordinate, User};
pub(super) use table::Table;

use super::{Fatal, Process};

/// The files that accounts live in, below one root.
#[derive(Debug)]
pub(super) struct UserDb {
    pub users: Table<User>,
    pub shadow: Table<Shadow>,
    pub groups: Table<Group>,
    pub group_shadow: Table<GroupShadow>,
    pub subuids: Table<Subordinate>,
    pub subgids: Table<Subordinate>,
}

impl UserDb {
    /// Reads the files below `root`, which is empty or a directory without a trailing slash.
    pub(super) fn read(process: &Process<'_>, root: &[u8]) -> Result<Self, Fatal> {
        Ok(Self {
            users: Table::read(process, root, "/etc/passwd", 0o644)?,
            shadow: Table::read(process, root, "/etc/shadow", 0o440)?,
            groups: Table::read(process, root, "/etc/group", 0o644)?,
            group_shadow: Table::read(process, root, "/etc/gshadow", 0o440)?,
            subuids: Table::read(process, root, "/etc/subuid", 0o644)?,
            subgids: Table::read(process, root, "/etc/subgid", 0o644)?,
        })
    }

    /// Writes the files that were changed.
    pub(super) fn write(&self, process: &mut Process<'_>) -> Result<(), Fatal> {
        let shadow_gid = self.groups.get(b"shadow").map_or(0, |group| group.gid);
        self.users.write(process, shadow_gid)?;
        self.shadow.write(process, shadow_gid)?;
        self.groups.write(process, shadow_gid)?;
        self.group_shadow.write(process, shadow_gid)?;
        self.subuids.write(process, shadow_gid)?;
        self.subgids.write(process, shadow_gid)
    }

    pub(super) fn user_by_id(&self, uid: u32) -> Option<&User> {
        self.users.records().find(|user| user.uid == uid)
    }

    pub(super) fn group_by_id(&self, gid: u32) -> Option<&Group> {
        self.groups.records().find(|group| group.gid == gid)
    }

    /// A group by number when `text` is one, else by name.
    pub(super) fn group(&self, text: &[u8]) -> Option<&Group> {
        match super::accounts::number(text).filter(|_| !text.is_empty()) {
            Some(gid) => self.group_by_id(gid),
            None => self.groups.get(text),
        }
    }
}

/// The day of a password change as the shadow suite writes it: none on day 0, which would ask for a new password.
pub(super) fn change_day(process: &Process<'_>) -> Option<i64> {
    Some(process.machine.epoch.days()).filter(|&day| day != 0)
}

/// Debian's rule for names of users and groups: at most `longest` bytes, no `:`, `,` or blank, none of `-~+` in front.
pub(super) fn is_valid_name(name: &[u8], longest: usize) -> bool {
    !name.is_empty()
        && name.len() <= longest
        && !matches!(name[0], b'-' | b'~' | b'+')
        && !name.iter().any(|&b| matches!(b, b':' | b',' | b' ' | b'\t'..=b'\r'))
}

/// Longest name of a user (utmp's field) and of a group (a build option of Debian's shadow).
pub(super) const NAME_MAX: usize = 32;
