//! Numbers for the users and groups that are missing, and the lines that they get.

use std::collections::BTreeMap;

use super::items::{Item, Items};
use crate::shell::{
    Fatal, Process,
    stop::show,
    userdb::{Aging, Group, GroupShadow, Kind, LoginDefs, Shadow, User, UserDb, is_kept, pinned},
};

/// Highest number of a system account that the program was built with.
const SYSTEM_MAX: u32 = 999;
const LOCKED: &[u8] = b"!*";

struct Numbers {
    db: UserDb,
    ranges: Vec<(u32, u32)>,
    /// The number that was last taken from the ranges; the search goes on below it.
    last: Option<u32>,
    /// Users and groups to be made, by number, in the order of their making.
    uids: Vec<(u32, Vec<u8>)>,
    gids: Vec<(u32, Vec<u8>)>,
}

pub(super) fn create(process: &mut Process<'_>, mut items: Items) -> Result<(), Fatal> {
    let db = UserDb::read(process, b"")?;
    let ranges = ranges(process, &items)?;
    let mut numbers = Numbers { db, ranges, last: None, uids: Vec::new(), gids: Vec::new() };
    for index in 0..items.groups.len() {
        let mut item = items.groups[index].clone();
        numbers.add_group(process, &mut item)?;
        items.groups[index] = item;
    }
    for index in 0..items.users.len() {
        let mut item = items.users[index].clone();
        numbers.process_user(process, &mut item, &items)?;
        items.users[index] = item;
    }
    write(process, numbers.db, &items, &numbers.gids, &numbers.uids)
}

fn ranges(process: &Process<'_>, items: &Items) -> Result<Vec<(u32, u32)>, Fatal> {
    if !items.ranges.is_empty() {
        return Ok(items.ranges.clone());
    }
    let defs = LoginDefs::read(process, b"");
    let first = defs.id(process, "SYS_UID_MIN", 1)?;
    let last = defs.id(process, "SYS_UID_MAX", SYSTEM_MAX)?.min(defs.id(process, "SYS_GID_MAX", SYSTEM_MAX)?);
    Ok(vec![(first, last.min(SYSTEM_MAX))])
}

fn log(process: &mut Process<'_>, line: &str) -> Result<(), Fatal> {
    process.write(2, format!("{line}\n").as_bytes())
}

impl Numbers {
    fn next_lower(&mut self) -> Option<u32> {
        let below = self.last.map_or(Some(u32::MAX), |last| last.checked_sub(1))?;
        let inside = self.ranges.iter().any(|(first, last)| (*first..=*last).contains(&below));
        let next = if inside {
            below
        } else {
            self.ranges.iter().filter(|(_, last)| *last < below).map(|(_, last)| *last).next_back()?
        };
        self.last = Some(next);
        Some(next)
    }

    fn gid_is_free(&self, gid: u32, check_users: bool) -> bool {
        let user = check_users && (self.uids.iter().any(|(id, _)| *id == gid) || self.db.user_by_id(gid).is_some());
        !user && !self.gids.iter().any(|(id, _)| *id == gid) && self.db.group_by_id(gid).is_none()
    }

    fn uid_is_free(&self, uid: u32, name: &[u8], check_groups: bool) -> bool {
        if self.uids.iter().any(|(id, _)| *id == uid) || self.db.user_by_id(uid).is_some() {
            return false;
        }
        let new = self.gids.iter().find(|(id, _)| *id == uid).map(|(_, name)| name.as_slice());
        let group = new.or_else(|| self.db.group_by_id(uid).map(|group| group.name.as_slice()));
        !check_groups || group.is_none_or(|group| group == name)
    }

    fn in_range(&self, id: u32) -> bool {
        id > 0 && self.ranges.iter().any(|(first, last)| (*first..=*last).contains(&id))
    }

    /// `Ok(false)` is a failure that was reported and leaves the item out.
    fn add_group(&mut self, process: &mut Process<'_>, item: &mut Item) -> Result<bool, Fatal> {
        let name = show(&item.name);
        if let Some(group) = self.db.groups.get(&item.name) {
            item.gid = Some(group.gid);
            return Ok(true);
        }
        let pin = pinned(process, &self.db, Kind::Group, &item.name)?;
        item.gid = pin.or(item.gid);
        if let Some(gid) = item.gid.filter(|_| pin.is_none()) {
            let free = self.gid_is_free(gid, false);
            if item.strict {
                if free {
                    log(process, &format!("Failed to create {name}: please create GID {gid}"))?;
                }
                return Ok(!free);
            }
            if !free {
                log(process, &format!("Suggested group ID {gid} for {name} already used."))?;
                item.gid = None;
            }
        }
        let kept = |id: u32| is_kept(process.machine, Kind::Group, id);
        item.gid = item.gid.or(item.uid.filter(|uid| self.gid_is_free(*uid, true) && !kept(*uid)));
        if item.gid.is_none() {
            let of_path = item.path.as_ref().and_then(|path| process.machine.tree.find(path)).map(|i| i.stat.gid);
            item.gid = of_path.filter(|gid| self.in_range(*gid) && self.gid_is_free(*gid, true) && !kept(*gid));
        }
        while item.gid.is_none() {
            let Some(gid) = self.next_lower() else {
                log(process, &format!("No free group ID available for {name}."))?;
                return Ok(false);
            };
            let kept = is_kept(process.machine, Kind::Group, gid) || is_kept(process.machine, Kind::User, gid);
            item.gid = Some(gid).filter(|gid| self.gid_is_free(*gid, true) && !kept);
        }
        let gid = item.gid.unwrap_or_default();
        self.gids.push((gid, item.name.clone()));
        item.new_group = true;
        log(process, &format!("Creating group '{name}' with GID {gid}."))?;
        Ok(true)
    }

    fn process_user(&mut self, process: &mut Process<'_>, item: &mut Item, items: &Items) -> Result<(), Fatal> {
        let pin = match self.db.users.get(&item.name) {
            Some(_) => None,
            None => pinned(process, &self.db, Kind::User, &item.name)?,
        };
        item.uid = pin.or(item.uid);
        let wanted = item.group.as_ref().unwrap_or(&item.name);
        let queued = items.groups.iter().find(|group| group.name == *wanted);
        let queued = queued.or_else(|| items.users.iter().find(|user| item.group.as_ref() == Some(&user.name)));
        if let Some(group) = queued.filter(|group| item.gid.is_none() && group.new_group) {
            item.gid = group.gid;
            item.strict = true;
        } else if let Some(group) = &item.group {
            let Some(found) = self.db.groups.get(group) else {
                return log(process, &format!("Group {} not found.", show(group)));
            };
            item.gid = Some(found.gid);
            item.strict = true;
        } else if !self.add_group(process, item)? {
            return Ok(());
        }
        self.add_user(process, item, pin.is_some())
    }

    fn add_user(&mut self, process: &mut Process<'_>, item: &mut Item, pinned: bool) -> Result<(), Fatal> {
        let name = show(&item.name);
        if let Some(user) = self.db.users.get(&item.name) {
            item.uid = Some(user.uid);
            return Ok(());
        }
        if let Some(uid) = item.uid.filter(|uid| !pinned && !self.uid_is_free(*uid, &item.name, !item.strict)) {
            log(process, &format!("Suggested user ID {uid} for {name} already used."))?;
            item.uid = None;
        }
        if item.uid.is_none() {
            let of_path = item.path.as_ref().and_then(|path| process.machine.tree.find(path)).map(|i| i.stat.uid);
            item.uid = of_path.filter(|uid| self.in_range(*uid) && self.uid_is_free(*uid, &item.name, true));
        }
        let kept = |id: &u32| is_kept(process.machine, Kind::User, *id);
        item.uid = item.uid.or(item.gid.filter(|gid| self.uid_is_free(*gid, &item.name, true) && !kept(gid)));
        while item.uid.is_none() {
            let Some(uid) = self.next_lower() else {
                return log(process, &format!("No free user ID available for {name}."));
            };
            let kept = is_kept(process.machine, Kind::User, uid);
            item.uid = Some(uid).filter(|uid| self.uid_is_free(*uid, &item.name, true) && !kept);
        }
        let (uid, gid) = (item.uid.unwrap_or_default(), item.gid.unwrap_or_default());
        self.uids.push((uid, item.name.clone()));
        item.new_user = true;
        let comment = if item.comment.is_empty() { "n/a".to_owned() } else { show(&item.comment) };
        log(process, &format!("Creating user '{name}' ({comment}) with UID {uid} and GID {gid}."))
    }
}

/// New lines behind the old ones, and new members in the groups.
fn write(
    process: &mut Process<'_>,
    mut db: UserDb,
    items: &Items,
    gids: &[(u32, Vec<u8>)],
    uids: &[(u32, Vec<u8>)],
) -> Result<(), Fatal> {
    // As the program makes files that are not there: nobody but root reads them.
    db.shadow.set_new(0, 0);
    db.group_shadow.set_new(0, 0);
    let members: BTreeMap<&[u8], &Vec<Vec<u8>>> =
        items.members.iter().map(|(group, users)| (group.as_slice(), users)).collect();
    let joined = |name: &[u8], old: &[Vec<u8>]| {
        let added = members.get(name).into_iter().flat_map(|users| users.iter()).filter(|user| !old.contains(user));
        let mut all: Vec<Vec<u8>> = added.cloned().collect();
        if all.is_empty() {
            return None;
        }
        all.extend_from_slice(old);
        all.sort();
        all.dedup();
        Some(all)
    };
    for group in db.groups.records().cloned().collect::<Vec<_>>() {
        if let Some(members) = joined(&group.name, &group.members) {
            db.groups.put(Group { members, ..group });
        }
    }
    for group in db.group_shadow.records().cloned().collect::<Vec<_>>() {
        if let Some(members) = joined(&group.name, &group.members) {
            db.group_shadow.put(GroupShadow { members, ..group });
        }
    }
    for (gid, name) in gids {
        let members = joined(name, &[]).unwrap_or_default();
        db.groups.put(Group { name: name.clone(), password: b"x".to_vec(), gid: *gid, members: members.clone() });
        db.group_shadow.put(GroupShadow {
            name: name.clone(),
            password: LOCKED.to_vec(),
            administrators: Vec::new(),
            members,
        });
    }
    let day = process.machine.epoch.days();
    for (uid, name) in uids {
        let Some(item) = items.users.iter().find(|item| item.name == *name) else { continue };
        let root_shell = || if *uid == 0 { b"/bin/bash".to_vec() } else { b"/usr/sbin/nologin".to_vec() };
        db.users.put(User {
            name: name.clone(),
            password: b"x".to_vec(),
            uid: *uid,
            gid: item.gid.unwrap_or_default(),
            comment: item.comment.clone(),
            home: item.home.clone().unwrap_or_else(|| b"/".to_vec()),
            shell: item.shell.clone().unwrap_or_else(root_shell),
        });
        match db.shadow.get(name).cloned() {
            Some(old) => {
                db.shadow.put(Shadow { aging: Aging { changed: Some(day), ..old.aging }, ..old });
            }
            None => db.shadow.put(Shadow {
                name: name.clone(),
                password: LOCKED.to_vec(),
                aging: Aging { changed: Some(day), ..Aging::default() },
                reserved: Vec::new(),
            }),
        }
    }
    db.write(process)
}
