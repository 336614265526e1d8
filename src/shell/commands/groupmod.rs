//! groupmod: another name, number, password or members for a group.

use super::{
    useradd::{id, root},
    usermod::replace,
};
use crate::shell::{
    Fatal, Process, Status, options,
    stop::{Stop, finish, show},
    userdb::{NAME_MAX, UserDb, is_valid_name},
};

const OPTIONS: &[&str] =
    &["a append", "g gid=", "n new-name=", "o non-unique", "p password=", "R root=", "P prefix=", "U users="];

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let result = modify(process);
    finish(process, result)
}

fn modify(process: &mut Process<'_>) -> Result<Status, Stop> {
    let arguments = options::parse(process, OPTIONS)?;
    let root = root(process, &arguments)?;
    let [name] = arguments.operands.as_slice() else {
        return Err(process.not_modelled("other than one group").into());
    };
    let mut db = UserDb::read(process, &root)?;
    let Some(mut group) = db.groups.get(name).cloned() else {
        return Err(Stop::refuse(process, 6, &format!("group '{}' does not exist", show(name))));
    };
    let old_gid = group.gid;
    if let Some(text) = arguments.value("g") {
        let bad = || Stop::refuse(process, 3, &format!("invalid group ID '{}'", show(text)));
        group.gid = id(text).ok_or_else(bad)?;
        if group.gid != old_gid && !arguments.has("o") && db.group_by_id(group.gid).is_some() {
            return Err(Stop::refuse(process, 4, &format!("GID '{}' already exists", group.gid)));
        }
    }
    if let Some(new) = arguments.value("n") {
        if !is_valid_name(new, NAME_MAX) {
            return Err(Stop::refuse(process, 3, &format!("invalid group name '{}'", show(new))));
        }
        if new != name && db.groups.get(new).is_some() {
            return Err(Stop::refuse(process, 9, &format!("group '{}' already exists", show(new))));
        }
        group.name = new.to_vec();
    }
    let shadowed = db.group_shadow.get(name).is_some();
    if let Some(password) = arguments.value("p") {
        group.password = if shadowed { b"x".to_vec() } else { password.to_vec() };
    }
    if let Some(users) = arguments.value("U") {
        if !arguments.has("a") {
            group.members.clear();
        }
        for user in users.split(|&b| b == b',').filter(|user| !user.is_empty()) {
            if db.users.get(user).is_none() {
                return Err(Stop::Exit(10, format!("Invalid member username {}\n", show(user))));
            }
            if !group.members.iter().any(|member| member == user) {
                group.members.push(user.to_vec());
            }
        }
    }
    let new = group.clone();
    replace(&mut db.groups, name, group);
    if (arguments.has("p") || arguments.has("n"))
        && let Some(mut line) = db.group_shadow.get(name).cloned()
    {
        line.name = new.name;
        line.password = arguments.value("p").map_or(line.password, <[u8]>::to_vec);
        replace(&mut db.group_shadow, name, line);
    }
    let users: Vec<Vec<u8>> =
        db.users.records().filter(|user| user.gid == old_gid).map(|user| user.name.clone()).collect();
    for user in users.iter().filter(|_| new.gid != old_gid) {
        db.users.update(user, |line| line.gid = new.gid);
    }
    db.write(process)?;
    Ok(Status::SUCCESS)
}
