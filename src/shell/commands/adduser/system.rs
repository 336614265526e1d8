//! `adduser --system`: a user in the system range, in `nogroup` unless a group is asked for.

use super::{Call, Range, call, die, home, ids, say};
use crate::shell::{
    Process, Status,
    stop::{Stop, show},
    userdb::{Kind, UserDb},
};

/// A user whose name and number are taken, as the request sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Existing {
    No,
    Same,
    OtherNumber,
}

fn existing(process: &Process<'_>, call_: &Call, db: &UserDb) -> Result<Existing, Stop> {
    let Some(user) = db.users.get(&call_.name) else { return Ok(Existing::No) };
    if call_.uid.is_none_or(|uid| uid == user.uid) {
        return Ok(Existing::Same);
    }
    let range = call_.config.range(process, "system_uid")?;
    Ok(if (range.first..=range.last).contains(&user.uid) { Existing::OtherNumber } else { Existing::No })
}

pub(super) fn add(process: &mut Process<'_>, mut call_: Call) -> Result<Status, Stop> {
    let db = UserDb::read(process, b"")?;
    let text = show(&call_.name);
    match existing(process, &call_, &db)? {
        Existing::Same => {
            let range = call_.config.range(process, "system_uid")?;
            let uid = db.users.get(&call_.name).map_or(0, |user| user.uid);
            if (range.first..=range.last).contains(&uid) {
                say(process, call_.verbose, &format!("The system user `{text}' already exists. Exiting."))?;
                return Ok(Status::SUCCESS);
            }
            return Err(die(&format!("The user `{text}' already exists, but is not a system user. Exiting.")));
        }
        Existing::OtherNumber => {
            return Err(die(&format!("The user `{text}' already exists with a different UID. Exiting.")));
        }
        Existing::No => {}
    }
    let own_group = call_.arguments.has("group");
    let ingroup = call_.arguments.value("ingroup").filter(|group| !matches!(*group, b"" | b"0")).map(<[u8]>::to_vec);
    if ingroup.is_none() && call_.gid.is_none() && !own_group {
        call_.gid = Some(db.groups.get(b"nogroup").map(|group| group.gid).filter(|gid| *gid != 0).unwrap_or(65_534));
    }
    check(&call_, &db, ingroup.as_deref(), own_group)?;
    let (uid, gid, group) = numbers(process, &call_, &db, ingroup, own_group)?;
    say(process, call_.verbose, &format!("Adding system user `{text}' (UID {uid}) ..."))?;
    if own_group && db.groups.get(&call_.name).is_none() {
        say(process, call_.verbose, &format!("Adding new group `{text}' (GID {gid}) ..."))?;
        call(process, "groupadd", &[b"-g", gid.to_string().as_bytes(), &call_.name])?;
    }
    let group_text = show(&group);
    say(process, call_.verbose, &format!("Adding new user `{text}' (UID {uid}) with group `{group_text}' ..."))?;
    let given = |option| call_.arguments.value(option).filter(|value| !value.is_empty()).map(<[u8]>::to_vec);
    let name = &call_.name;
    let home = given("home").or_else(|| call_.uids.home(name)).unwrap_or_else(|| b"/nonexistent".to_vec());
    let shell = given("shell").or_else(|| call_.uids.shell(name)).unwrap_or_else(|| b"/usr/sbin/nologin".to_vec());
    let range = call_.range(process, "system_uid")?;
    call(
        process,
        "useradd",
        &[
            b"-r",
            b"-K",
            format!("SYS_UID_MIN={}", range.first).as_bytes(),
            b"-K",
            format!("SYS_UID_MAX={}", range.last).as_bytes(),
            b"-d",
            &home,
            b"-g",
            &group,
            b"-s",
            &shell,
            b"-u",
            uid.to_string().as_bytes(),
            name,
        ],
    )?;
    call_.comment(process)?;
    home::make(process, &call_, &home, (uid, gid), false)?;
    Ok(Status::SUCCESS)
}

fn check(call_: &Call, db: &UserDb, ingroup: Option<&[u8]>, own_group: bool) -> Result<(), Stop> {
    let text = show(&call_.name);
    if db.users.get(&call_.name).is_some() {
        return Err(die(&format!("The user `{text}' already exists, and is not a system user.")));
    }
    if let Some(uid) = call_.uid.filter(|uid| db.user_by_id(*uid).is_some()) {
        return Err(die(&format!("The UID {uid} is already in use.")));
    }
    if own_group {
        // An existing group of that name is used as it is.
        let free = db.groups.get(&call_.name).is_none();
        if let Some(uid) = call_.uid.filter(|uid| free && db.group_by_id(*uid).is_some()) {
            return Err(die(&format!("The GID {uid} is already in use.")));
        }
        return Ok(());
    }
    if let Some(group) = ingroup.filter(|group| db.groups.get(group).is_none()) {
        return Err(die(&format!("The group `{}' does not exist.", show(group))));
    }
    if let Some(gid) = call_.gid.filter(|gid| db.group_by_id(*gid).is_none()) {
        return Err(die(&format!("The GID {gid} does not exist.")));
    }
    Ok(())
}

fn numbers(
    process: &mut Process<'_>,
    call_: &Call,
    db: &UserDb,
    ingroup: Option<Vec<u8>>,
    own_group: bool,
) -> Result<(u32, u32, Vec<u8>), Stop> {
    let name = &call_.name;
    let given = |gid: Option<u32>| {
        let by_number = gid.and_then(|gid| db.group_by_id(gid)).map(|group| (group.gid, group.name.clone()));
        by_number.or_else(|| ingroup.as_ref().and_then(|name| db.groups.get(name)).map(|g| (g.gid, g.name.clone())))
    };
    let internal = || die("Internal error");
    if let Some(uid) = call_.uid {
        if let Some((gid, group)) = given(call_.gid) {
            return Ok((uid, gid, group));
        }
        return if own_group { Ok((uid, uid, name.clone())) } else { Err(internal()) };
    }
    let range = call_.range(process, "system_uid")?;
    let Some(uid) = ids::uid(process.machine, db, range, call_.reserved(process, db, Kind::User)?) else {
        let Range { first, last } = call_.config.range(process, "system_uid")?;
        let what = if own_group { "UID/GID pair" } else { "UID" };
        super::warn(
            process,
            &format!("No {what} is available in the range {first}-{last} (FIRST_SYS_UID - LAST_SYS_UID)."),
        )?;
        return Err(die(&format!("The user `{}' was not created.", show(name))));
    };
    if own_group {
        // The group is called -1 by the real tool when there is none; groupadd then refuses it.
        let range = call_.range(process, "system_gid")?;
        let gid = ids::gid(process.machine, db, range, call_.reserved(process, db, Kind::Group)?)
            .ok_or_else(|| process.not_modelled("a system range of groups that is used up"))?;
        return Ok((uid, gid, name.clone()));
    }
    let (gid, group) = given(call_.gid).ok_or_else(internal)?;
    Ok((uid, gid, group))
}
