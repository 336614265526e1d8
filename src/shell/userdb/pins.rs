//! Numbers that accounts must have, by name: what is made gets them, and what a file brings with other numbers is renumbered.

use super::{Kind, UserDb};
use crate::{
    manifest::image::Ids,
    shell::{Environment, Fatal, Machine, Process},
    tree::{InodeId, TreePath},
};

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Group => "group",
        }
    }

    pub(in crate::shell) fn pins(self, ids: &Ids) -> &std::collections::BTreeMap<String, u32> {
        match self {
            Self::User => &ids.users,
            Self::Group => &ids.groups,
        }
    }

    /// Who has a number.
    fn holder(self, db: &UserDb, id: u32) -> Option<&[u8]> {
        match self {
            Self::User => db.user_by_id(id).map(|user| user.name.as_slice()),
            Self::Group => db.group_by_id(id).map(|group| group.name.as_slice()),
        }
    }

    fn id_of(self, db: &UserDb, name: &[u8]) -> Option<u32> {
        match self {
            Self::User => db.users.get(name).map(|user| user.uid),
            Self::Group => db.groups.get(name).map(|group| group.gid),
        }
    }
}

/// The number that an account which is about to be made must have; another one's having it is fatal.
pub(in crate::shell) fn pinned(
    process: &Process<'_>,
    db: &UserDb,
    kind: Kind,
    name: &[u8],
) -> Result<Option<u32>, Fatal> {
    let pins = kind.pins(&process.machine.ids);
    let Some((name, id)) = std::str::from_utf8(name).ok().and_then(|name| pins.get_key_value(name)) else {
        return Ok(None);
    };
    free(db, kind, name, *id)?;
    Ok(Some(*id))
}

fn free(db: &UserDb, kind: Kind, name: &str, id: u32) -> Result<(), Fatal> {
    match kind.holder(db, id).filter(|holder| *holder != name.as_bytes()) {
        Some(holder) => Err(Fatal::Pinned {
            kind: kind.word(),
            name: name.to_owned(),
            id,
            holder: String::from_utf8_lossy(holder).into_owned(),
        }),
        None => Ok(()),
    }
}

/// Whether a number is kept for an account, whatever its name.
pub(in crate::shell) fn is_kept(machine: &Machine, kind: Kind, id: u32) -> bool {
    kind.pins(&machine.ids).values().any(|pinned| *pinned == id)
}

impl Machine {
    /// Renumbers pinned accounts that a script has written into the files by itself, as base-passwd does, and what they own.
    pub fn settle_ids(&mut self) -> Result<(), Fatal> {
        if self.ids == Ids::default() {
            return Ok(());
        }
        let mut process = Process {
            machine: self,
            argv: vec![b"ids".to_vec()],
            environment: Environment::new(),
            folder: TreePath::root(),
            umask: 0o022,
            descriptors: [].into(),
        };
        let mut db = UserDb::read(&process, b"")?;
        let ids = process.machine.ids.clone();
        let mut any = false;
        for kind in [Kind::User, Kind::Group] {
            for (name, id) in kind.pins(&ids) {
                let Some(old) = kind.id_of(&db, name.as_bytes()).filter(|old| old != id) else { continue };
                free(&db, kind, name, *id)?;
                renumber(&mut db, kind, name.as_bytes(), old, *id);
                if let Some(other) = kind.holder(&db, old) {
                    let what = format!("{} {old} of both {name} and {}", kind.word(), String::from_utf8_lossy(other));
                    return Err(process.not_modelled(what));
                }
                give(process.machine, kind, old, *id);
                any = true;
            }
        }
        if any { db.write(&mut process) } else { Ok(()) }
    }

    /// A pinned account that nobody has made.
    pub fn absent_id(&self) -> Option<(&'static str, &str)> {
        let names = |path: &[u8]| -> Vec<Vec<u8>> {
            let text = self.tree.read(path).unwrap_or_default();
            text.split(|&b| b == b'\n').map(|line| line.split(|&b| b == b':').next().unwrap_or(line).to_vec()).collect()
        };
        let files = [(Kind::User, b"/etc/passwd".as_slice()), (Kind::Group, b"/etc/group")];
        files.into_iter().find_map(|(kind, path)| {
            let there = names(path);
            let absent = kind.pins(&self.ids).keys().find(|name| !there.iter().any(|known| *known == name.as_bytes()));
            absent.map(|name| (kind.word(), name.as_str()))
        })
    }
}

fn renumber(db: &mut UserDb, kind: Kind, name: &[u8], old: u32, id: u32) {
    match kind {
        Kind::User => db.users.update(name, |user| user.uid = id),
        Kind::Group => {
            db.groups.update(name, |group| group.gid = id);
            let members = db.users.records().filter(|user| user.gid == old).map(|user| user.name.clone());
            for user in members.collect::<Vec<_>>() {
                db.users.update(&user, |user| user.gid = id);
            }
        }
    }
}

/// Everything that had the old number has the new one.
fn give(machine: &mut Machine, kind: Kind, old: u32, id: u32) {
    let inodes: Vec<InodeId> = machine.tree.walk().map(|visit| visit.id).collect();
    for inode in inodes {
        let stat = machine.tree.get(inode).stat.clone();
        match kind {
            Kind::User if stat.uid == old => machine.tree.stat_mut(inode).uid = id,
            Kind::Group if stat.gid == old => machine.tree.stat_mut(inode).gid = id,
            _ => {}
        }
    }
}
