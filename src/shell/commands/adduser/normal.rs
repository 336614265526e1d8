//! adduser for people: a user above 1000 with a group of its own, a home from the skeleton, and the group `users`.

use super::{Call, Range, call, die, home, ids, say, warn};
use crate::shell::{
    Process, Status,
    stop::{Stop, show},
    userdb::{Kind, UserDb, pinned},
};

/// Where the user belongs.
#[derive(Debug, Default)]
struct Groups {
    primary: Option<u32>,
    /// A group of the user's own is made.
    own: bool,
    supplementary: Vec<Vec<u8>>,
}

pub(super) fn add(process: &mut Process<'_>, call_: Call) -> Result<Status, Stop> {
    let disabled = ["disabled-login", "disabled-password"].iter().any(|option| call_.arguments.has(option));
    if !disabled || (call_.arguments.value("comment").is_none() && call_.uids.comment(&call_.name).is_none()) {
        return Err(process.not_modelled("asking for a password or a comment").into());
    }
    let db = UserDb::read(process, b"")?;
    let (name, text) = (call_.name.clone(), show(&call_.name));
    let mut groups = groups(process, &call_, &db)?;
    check(&call_, &db, groups.own)?;
    say(process, call_.verbose, &format!("Adding user `{text}' ..."))?;
    let uid = uid(process, &call_, &db)?;
    let ingroup = call_.arguments.value("ingroup").and_then(|group| db.groups.get(group)).map(|group| group.gid);
    let gid = match call_.gid.or(ingroup).or(groups.primary) {
        Some(gid) => gid,
        None if groups.own => pinned(process, &db, Kind::Group, &call_.name)?.unwrap_or(uid),
        None => 100,
    };
    let group = match db.group_by_id(gid) {
        Some(group) => group.name.clone(),
        None => name.clone(),
    };
    if groups.own {
        say(process, call_.verbose, &format!("Adding new group `{text}' ({gid}) ..."))?;
        call(process, "groupadd", &[b"-g", gid.to_string().as_bytes(), &name])?;
    }
    let with = format!("Adding new user `{text}' ({uid}) with group `{} ({gid})' ...", show(&group));
    say(process, call_.verbose, &with)?;
    let given = |option| call_.arguments.value(option).filter(|value| !value.is_empty()).map(<[u8]>::to_vec);
    let home = given("home").or_else(|| call_.uids.home(&name)).unwrap_or_else(|| default_home(&call_, &group));
    let shell = given("shell").or_else(|| call_.uids.shell(&name)).unwrap_or_else(|| {
        if call_.arguments.has("disabled-login") {
            b"/usr/sbin/nologin".to_vec()
        } else {
            call_.config.text("dshell").to_vec()
        }
    });
    let (uid_text, gid_text) = (uid.to_string(), gid.to_string());
    let argv: [&[u8]; 9] = [b"-d", &home, b"-g", gid_text.as_bytes(), b"-s", &shell, b"-u", uid_text.as_bytes(), &name];
    call(process, "useradd", &argv)?;
    home::make(process, &call_, &home, (uid, gid), true)?;
    call_.comment(process)?;
    if call_.arguments.has("add-extra-groups") || call_.config.is_true("add_extra_groups") {
        let extra = call_.config.text("extra_groups");
        let words = extra.split(|b| b.is_ascii_whitespace()).filter(|word| !word.is_empty());
        groups.supplementary.extend(words.map(<[u8]>::to_vec));
    }
    join(process, &call_, &groups.supplementary)?;
    if !call_.config.text("quotauser").is_empty() || process.lookup(b"/usr/local/sbin/adduser.local").is_ok() {
        return Err(process.not_modelled("QUOTAUSER and adduser.local").into());
    }
    Ok(Status::SUCCESS)
}

fn groups(process: &mut Process<'_>, call_: &Call, db: &UserDb) -> Result<Groups, Stop> {
    let config = &call_.config;
    let users_gid = match config.optional("users_gid") {
        Some(b"-1") => Some(None),
        Some(_) => Some(Some(config.id(process, "users_gid")?)),
        None => None,
    };
    if users_gid.is_some() && config.optional("users_group").is_some() {
        warn(process, "USERS_GID and USERS_GROUP both given in configuration. This is an error.")?;
        return Err(die(&format!("The user `{}' was not created.", show(&call_.name))));
    }
    let ingroup = call_.arguments.value("ingroup").filter(|group| !group.is_empty());
    let users_group = config.optional("users_group").unwrap_or(b"users");
    let gid_of = |name: &[u8]| db.groups.get(name).map(|group| group.gid);
    if !config.yes("usergroups") {
        let primary = match (ingroup, users_gid) {
            (Some(group), _) => gid_of(group),
            (None, Some(gid)) => gid,
            (None, None) if config.optional("users_group").is_some() => gid_of(users_group),
            (None, None) => Some(100),
        };
        return Ok(Groups { primary, ..Groups::default() });
    }
    let primary = ingroup.and_then(gid_of).or(call_.gid.filter(|gid| *gid != 0));
    let supplementary = match users_gid {
        Some(Some(gid)) => db.group_by_id(gid).map(|group| group.name.clone()).into_iter().collect(),
        Some(None) => Vec::new(),
        None => vec![users_group.to_vec()],
    };
    Ok(Groups { primary, own: ingroup.is_none() && call_.gid.is_none(), supplementary })
}

fn check(call_: &Call, db: &UserDb, own: bool) -> Result<(), Stop> {
    let text = show(&call_.name);
    if db.users.get(&call_.name).is_some() {
        return Err(die(&format!("The user `{text}' already exists.")));
    }
    if let Some(uid) = call_.uid.filter(|uid| db.user_by_id(*uid).is_some()) {
        return Err(die(&format!("The UID {uid} is already in use.")));
    }
    if own {
        if db.groups.get(&call_.name).is_some() {
            return Err(die(&format!("The group `{text}' already exists.")));
        }
        if let Some(uid) = call_.uid.filter(|uid| db.group_by_id(*uid).is_some()) {
            return Err(die(&format!("The GID {uid} is already in use.")));
        }
        return Ok(());
    }
    if let Some(group) = call_.arguments.value("ingroup").filter(|group| db.groups.get(group).is_none()) {
        return Err(die(&format!("The group `{}' does not exist.", show(group))));
    }
    if let Some(gid) = call_.gid.filter(|gid| db.group_by_id(*gid).is_none()) {
        return Err(die(&format!("The GID {gid} does not exist.")));
    }
    Ok(())
}

fn uid(process: &mut Process<'_>, call_: &Call, db: &UserDb) -> Result<u32, Stop> {
    if let Some(uid) = call_.uid {
        return Ok(uid);
    }
    if let Some(pin) = pinned(process, db, Kind::User, &call_.name)? {
        return Ok(pin);
    }
    let range = call_.range(process, "uid")?;
    let found = if call_.arguments.has("ingroup") {
        ids::uid(process.machine, db, range, call_.reserved(process, db, Kind::User)?)
    } else {
        let groups = if call_.config.yes("usergroups") { range } else { call_.range(process, "gid")? };
        let common = Range { first: range.first.max(groups.first), last: range.last.min(groups.last) };
        ids::both(process.machine, db, common, call_.uids.id(&call_.name))
    };
    match found {
        Some(uid) => Ok(uid),
        None => {
            let Range { first, last } = range;
            let what = "No UID/GID pair is available in the range";
            warn(process, &format!("{what} {first}-{last} (FIRST_UID - LAST_UID)."))?;
            Err(die(&format!("The user `{}' was not created.", show(&call_.name))))
        }
    }
}

fn default_home(call_: &Call, group: &[u8]) -> Vec<u8> {
    let mut home = call_.config.text("dhome").to_vec();
    let mut push = |part: &[u8]| {
        home.push(b'/');
        home.extend_from_slice(part);
    };
    if call_.config.yes("grouphomes") {
        push(group);
    }
    if call_.config.yes("letterhomes") {
        push(&call_.name[..1]);
    }
    push(&call_.name);
    home
}

fn join(process: &mut Process<'_>, call_: &Call, groups: &[Vec<u8>]) -> Result<(), Stop> {
    if groups.is_empty() {
        return Ok(());
    }
    let (name, text) = (&call_.name, show(&call_.name));
    let list = show(&groups.join(b", ".as_slice()));
    let message = format!("Adding new user `{text}' to supplemental / extra groups `{list}' ...");
    say(process, call_.verbose, &message)?;
    for group in groups {
        let db = UserDb::read(process, b"")?;
        let group_text = show(group);
        let Some(line) = db.groups.get(group) else {
            warn(process, &format!("The group `{group_text}' does not exist."))?;
            continue;
        };
        if line.members.contains(name) {
            if call_.verbose {
                warn(process, &format!("The user `{text}' is already a member of `{group_text}'."))?;
            }
            continue;
        }
        say(process, call_.verbose, &format!("Adding user `{text}' to group `{group_text}' ..."))?;
        let mut members: Vec<Vec<u8>> =
            line.members.iter().filter(|member| db.users.get(member).is_some()).cloned().collect();
        members.push(name.clone());
        call(process, "gpasswd", &[b"-M", &members.join(&b','), group])?;
    }
    Ok(())
}
