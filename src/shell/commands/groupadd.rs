//! groupadd: a new group.

use crate::shell::{
    Fatal, Process, Status, options,
    stop::{Stop, finish, show},
    userdb::{Group, GroupShadow, Kind, LoginDefs, NAME_MAX, UserDb, is_valid_name, next_id, pinned},
};

const OPTIONS: &[&str] =
    &["f force", "g gid=", "K key=", "o non-unique", "p password=", "r system", "R root=", "P prefix=", "U users="];

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let result = add(process);
    finish(process, result)
}

fn add(process: &mut Process<'_>) -> Result<Status, Stop> {
    let arguments = options::parse(process, OPTIONS)?;
    let [name] = arguments.operands.as_slice() else {
        return Err(process.not_modelled("other than one group").into());
    };
    let root = super::useradd::root(process, &arguments)?;
    let mut defs = LoginDefs::read(process, &root);
    for (option, value) in &arguments.options {
        if *option == "K" {
            defs.set(value).ok_or_else(|| Stop::refuse(process, 3, "-K requires KEY=VALUE"))?;
        }
    }
    let mut gid = match arguments.value("g") {
        Some(text) => Some(
            super::useradd::id(text)
                .ok_or_else(|| Stop::refuse(process, 3, &format!("invalid group ID '{}'", show(text))))?,
        ),
        None => None,
    };
    if !is_valid_name(name, NAME_MAX) {
        return Err(Stop::refuse(process, 3, &format!("'{}' is not a valid group name", show(name))));
    }
    let mut db = UserDb::read(process, &root)?;
    if db.groups.get(name).is_some() {
        if arguments.has("f") {
            return Ok(Status::SUCCESS);
        }
        return Err(Stop::refuse(process, 9, &format!("group '{}' already exists", show(name))));
    }
    if let Some(pin) = pinned(process, &db, Kind::Group, name)? {
        gid = Some(pin);
    }
    if let Some(taken) = gid.filter(|gid| db.group_by_id(*gid).is_some() && !arguments.has("o")) {
        if !arguments.has("f") {
            return Err(Stop::refuse(process, 4, &format!("GID '{taken}' already exists")));
        }
        gid = None;
    }
    let gid = match gid {
        Some(gid) => gid,
        None => next_id(process, &db, &defs, Kind::Group, arguments.has("r"), name, None)?
            .ok_or_else(|| Stop::refuse(process, 4, "Can't get unique GID (no more available GIDs)"))?,
    };
    let members = members(&db, arguments.value("U").unwrap_or_default())?;
    insert(&mut db, name, gid, arguments.value("p"), members);
    db.write(process)?;
    Ok(Status::SUCCESS)
}

fn members(db: &UserDb, list: &[u8]) -> Result<Vec<Vec<u8>>, Stop> {
    let names: Vec<Vec<u8>> = list.split(|&b| b == b',').filter(|n| !n.is_empty()).map(<[u8]>::to_vec).collect();
    match names.iter().find(|name| db.users.get(name).is_none()) {
        Some(unknown) => Err(Stop::Exit(10, format!("Invalid member username {}\n", show(unknown)))),
        None => Ok(names),
    }
}

/// A new group in both files; its password is locked unless one is given.
pub(super) fn insert(db: &mut UserDb, name: &[u8], gid: u32, password: Option<&[u8]>, members: Vec<Vec<u8>>) {
    let shadowed = db.group_shadow.is_present();
    let in_group = password.filter(|_| !shadowed).unwrap_or(b"x");
    db.groups.put(Group { name: name.to_vec(), password: in_group.to_vec(), gid, members });
    if shadowed {
        db.group_shadow.put(GroupShadow {
            name: name.to_vec(),
            password: password.unwrap_or(b"!").to_vec(),
            administrators: Vec::new(),
            members: Vec::new(),
        });
    }
}
