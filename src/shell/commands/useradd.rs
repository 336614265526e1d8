//! useradd: a new user, with group, subordinate ids and home as asked for and as `/etc/login.defs` has it.
//!
//! The last-login files are left alone: no account of an image has logged in.

mod home;

use std::ops::RangeInclusive;

use crate::shell::{
    Fatal, Process, Status,
    accounts::number,
    options::{self, Arguments},
    stop::{Stop, finish, show},
    userdb::{
        Aging, Kind, LoginDefs, NAME_MAX, Shadow, Subordinate, Table, User, UserDb, change_day, is_valid_name, next_id,
        pinned,
    },
};

const OPTIONS: &[&str] = &[
    "badname",
    "b base-dir=",
    "c comment=",
    "d home-dir=",
    "e expiredate=",
    "f inactive=",
    "F add-subids-for-system",
    "g gid=",
    "G groups=",
    "k skel=",
    "K key O=",
    "l no-log-init",
    "m create-home",
    "M no-create-home",
    "N no-user-group",
    "o non-unique",
    "p password=",
    "r system",
    "R root=",
    "P prefix=",
    "s shell=",
    "u uid=",
    "U user-group",
];

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let result = add(process);
    finish(process, result)
}

/// The directory that `-R` or `-P` puts before every path: empty for none and for `/`.
pub(super) fn root(process: &Process<'_>, arguments: &Arguments) -> Result<Vec<u8>, Stop> {
    let Some(root) = arguments.value("R").or(arguments.value("P")) else { return Ok(Vec::new()) };
    if !root.starts_with(b"/") {
        return Err(Stop::refuse(process, 3, &format!("invalid chroot path '{}'", show(root))));
    }
    let end = root.iter().rposition(|&b| b != b'/').map_or(0, |last| last + 1);
    Ok(root[..end].to_vec())
}

/// A number as an operand has it.
pub(super) fn id(text: &[u8]) -> Option<u32> {
    number(text).filter(|id| !text.is_empty() && *id != u32::MAX)
}

/// `/etc/default/useradd` and what stands in for it.
#[derive(Debug)]
struct Defaults {
    group: u32,
    home: Vec<u8>,
    shell: Vec<u8>,
    inactive: Option<i64>,
    expires: Vec<u8>,
    skeleton: Vec<u8>,
    mail: bool,
}

impl Defaults {
    fn read(process: &Process<'_>, root: &[u8], db: &UserDb) -> Result<Self, Fatal> {
        let mut defaults = Self {
            group: 100,
            home: b"/home".to_vec(),
            shell: b"/bin/bash".to_vec(),
            inactive: None,
            expires: Vec::new(),
            skeleton: b"/etc/skel".to_vec(),
            mail: false,
        };
        let text = process.machine.tree.read(&[root, b"/etc/default/useradd"].concat()).unwrap_or_default();
        for line in text.split(|&b| b == b'\n') {
            let Some(equals) = line.iter().position(|&b| b == b'=') else { continue };
            let (name, value) = (&line[..equals], &line[equals + 1..]);
            let bad = || process.not_modelled(format!("`{}` in /etc/default/useradd", show(line)));
            match name {
                b"GROUP" => defaults.group = db.group(value).ok_or_else(bad)?.gid,
                b"HOME" => defaults.home = value.to_vec(),
                b"SHELL" => defaults.shell = value.to_vec(),
                b"INACTIVE" => defaults.inactive = days(value).ok_or_else(bad)?,
                b"EXPIRE" => defaults.expires = value.to_vec(),
                b"SKEL" if !value.is_empty() => defaults.skeleton = value.to_vec(),
                b"CREATE_MAIL_SPOOL" => defaults.mail = value.eq_ignore_ascii_case(b"yes"),
                _ => {}
            }
        }
        Ok(defaults)
    }
}

/// A count of days, -1 being none.
fn days(text: &[u8]) -> Option<Option<i64>> {
    let days = std::str::from_utf8(text).ok()?.parse::<i64>().ok().filter(|days| *days >= -1)?;
    Some(Some(days).filter(|days| *days != -1))
}

/// A day as `-e` takes it: none, a count of days, or `YYYY-MM-DD`.
pub(super) fn day(process: &Process<'_>, text: &[u8]) -> Result<Option<i64>, Fatal> {
    if text.is_empty() {
        return Ok(None);
    }
    if let Some(days) = days(text) {
        return Ok(days);
    }
    let parts: Vec<i64> = String::from_utf8_lossy(text).split('-').filter_map(|part| part.parse().ok()).collect();
    match parts.as_slice() {
        &[year @ 1970..=9999, month @ 1..=12, day @ 1..=31] => Ok(Some(days_from_civil(year, month, day))),
        _ => Err(process.not_modelled(format!("the date `{}`", show(text)))),
    }
}

/// Days since 1970 of a Gregorian date.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    // Years that begin in March put the leap day last.
    let shifted = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400 + day_of_year - 719_468
}

struct Request {
    arguments: Arguments,
    root: Vec<u8>,
    name: Vec<u8>,
    uid: Option<u32>,
    system: bool,
    /// A group named after the user is made.
    own_group: bool,
}

fn add(process: &mut Process<'_>) -> Result<Status, Stop> {
    let arguments = options::parse(process, OPTIONS)?;
    let root = root(process, &arguments)?;
    let mut defs = LoginDefs::read(process, &root);
    let mut db = UserDb::read(process, &root)?;
    let request = request(process, arguments, root, &mut defs)?;
    let defaults = Defaults::read(process, &request.root, &db)?;
    let group = match request.arguments.value("g") {
        Some(text) => {
            let unknown = || Stop::refuse(process, 6, &format!("group '{}' does not exist", show(text)));
            Some(db.group(text).ok_or_else(unknown)?.gid)
        }
        None => None,
    };
    let groups = supplementary(process, &db, request.arguments.value("G").unwrap_or_default())?;
    let shell = shell(process, &request, &defaults)?;
    let subordinate = wants_subordinate_ids(process, &request, &defs)?;
    check_names(process, &db, &request)?;
    let uid = uid(process, &db, &defs, &request)?;
    let gid = match group {
        Some(gid) => gid,
        None if request.own_group => {
            let gid = next_id(process, &db, &defs, Kind::Group, request.system, &request.name, Some(uid))?
                .ok_or_else(|| Stop::refuse(process, 4, "can't create group"))?;
            super::groupadd::insert(&mut db, &request.name, gid, None, Vec::new());
            gid
        }
        None => defaults.group,
    };
    if subordinate {
        add_ranges(process, &mut db, &defs, &request.name)?;
    }
    let home = match (request.arguments.value("d"), request.arguments.value("b")) {
        (Some(home), _) => home.to_vec(),
        (None, base) => [base.unwrap_or(&defaults.home), b"/", &request.name].concat(),
    };
    let user = User {
        name: request.name.clone(),
        password: b"x".to_vec(),
        uid,
        gid,
        comment: request.arguments.value("c").unwrap_or_default().to_vec(),
        home,
        shell,
    };
    put(process, &mut db, &defs, &defaults, &request, &user)?;
    join_groups(&mut db, &groups, &request.name);
    db.write(process)?;
    home::make(process, &request, &defs, &defaults, &db, &user)?;
    Ok(Status::SUCCESS)
}

fn request(process: &Process<'_>, arguments: Arguments, root: Vec<u8>, defs: &mut LoginDefs) -> Result<Request, Stop> {
    let refuse = |message: &str| Stop::refuse(process, 3, message);
    for (option, value) in &arguments.options {
        let invalid = value.iter().any(|b| matches!(b, b':' | b'\n'));
        match *option {
            "K" => defs.set(value).ok_or_else(|| refuse("-K requires KEY=VALUE"))?,
            "c" if invalid => return Err(refuse(&format!("invalid comment '{}'", show(value)))),
            "p" if invalid => return Err(refuse(&format!("invalid field '{}'", show(value)))),
            "d" if invalid || !value.starts_with(b"/") => {
                return Err(refuse(&format!("invalid home directory '{}'", show(value))));
            }
            "b" if invalid || !value.starts_with(b"/") => {
                return Err(refuse(&format!("invalid base directory '{}'", show(value))));
            }
            _ => {}
        }
    }
    let uid = match arguments.value("u") {
        Some(text) => Some(id(text).ok_or_else(|| refuse(&format!("invalid user ID '{}'", show(text))))?),
        None => None,
    };
    let asked = arguments.has("g") || arguments.has("N");
    let own_group = arguments.has("U") || (!asked && defs.yes("USERGROUPS_ENAB"));
    let conflicts = [("U", "g"), ("U", "N"), ("m", "M")];
    if let Some((a, b)) = conflicts.iter().find(|(a, b)| arguments.has(a) && arguments.has(b)) {
        return Err(Stop::refuse(process, 2, &format!("options -{a} and -{b} conflict")));
    }
    let needs = [("o", "u"), ("k", "m")];
    if let Some((a, b)) = needs.iter().find(|(a, b)| arguments.has(a) && !arguments.has(b)) {
        return Err(Stop::refuse(process, 2, &format!("-{a} flag is only allowed with the -{b} flag")));
    }
    let [name] = arguments.operands.as_slice() else {
        return Err(process.not_modelled("other than one user").into());
    };
    if !arguments.has("badname") && !is_valid_name(name, NAME_MAX) {
        return Err(refuse(&format!("invalid user name '{}': use --badname to ignore", show(name))));
    }
    Ok(Request { name: name.clone(), uid, system: arguments.has("r"), own_group, root, arguments })
}

/// The groups of a comma-separated list, by name or number.
pub(super) fn supplementary(process: &Process<'_>, db: &UserDb, list: &[u8]) -> Result<Vec<Vec<u8>>, Stop> {
    let mut names = Vec::new();
    let mut message = String::new();
    for text in list.split(|&b| b == b',').filter(|_| !list.is_empty()) {
        match db.group(text) {
            Some(group) => names.push(group.name.clone()),
            None => {
                let line = format!("{}: group '{}' does not exist\n", show(process.name()), show(text));
                message.push_str(&line);
            }
        }
    }
    if message.is_empty() { Ok(names) } else { Err(Stop::Exit(6, message)) }
}

fn shell(process: &mut Process<'_>, request: &Request, defaults: &Defaults) -> Result<Vec<u8>, Stop> {
    let Some(shell) = request.arguments.value("s") else { return Ok(defaults.shell.clone()) };
    check_shell(process, shell)?;
    Ok(shell.to_vec())
}

/// What `-s` takes; a shell that can't be run is only warned about.
pub(super) fn check_shell(process: &mut Process<'_>, shell: &[u8]) -> Result<(), Stop> {
    if shell.iter().any(|b| matches!(b, b':' | b'\n')) || !matches!(shell.first(), None | Some(b'/' | b'*')) {
        return Err(Stop::refuse(process, 3, &format!("invalid shell '{}'", show(shell))));
    }
    let runs = process.machine.tree.find(shell).is_some_and(|inode| !inode.is_dir() && inode.stat.mode & 0o111 != 0);
    if shell.starts_with(b"/") && shell != b"/sbin/nologin" && !runs {
        process.complain(&format!("Warning: missing or non-executable shell '{}'", show(shell)))?;
    }
    Ok(())
}

fn check_names(process: &Process<'_>, db: &UserDb, request: &Request) -> Result<(), Stop> {
    if db.users.get(&request.name).is_some() {
        return Err(Stop::refuse(process, 9, &format!("user '{}' already exists", show(&request.name))));
    }
    if request.own_group && db.groups.get(&request.name).is_some() {
        let name = show(&request.name);
        let message = format!("group {name} exists - if you want to add this user to that group, use -g.");
        return Err(Stop::refuse(process, 9, &message));
    }
    Ok(())
}

fn uid(process: &mut Process<'_>, db: &UserDb, defs: &LoginDefs, request: &Request) -> Result<u32, Stop> {
    let Some(uid) = pinned(process, db, Kind::User, &request.name)?.or(request.uid) else {
        return next_id(process, db, defs, Kind::User, request.system, &request.name, None)?
            .ok_or_else(|| Stop::refuse(process, 4, "can't create user"));
    };
    if !request.arguments.has("o") && db.user_by_id(uid).is_some() {
        return Err(Stop::refuse(process, 4, &format!("UID {uid} is not unique")));
    }
    let name = show(&request.name);
    let ordinary = defs.id(process, "UID_MIN", 1000)?;
    let warning = if request.system {
        let highest = defs.id(process, "SYS_UID_MAX", ordinary.saturating_sub(1))?;
        (uid > highest).then(|| format!("{name}'s uid {uid} is greater than SYS_UID_MAX {highest}"))
    } else {
        let highest = defs.id(process, "UID_MAX", 6000)?;
        let outside = ordinary <= highest && !(ordinary..=highest).contains(&uid);
        outside.then(|| format!("{name}'s uid {uid} outside of the UID_MIN {ordinary} and UID_MAX {highest} range."))
    };
    if let Some(warning) = warning {
        let line = format!("{} warning: {warning}\n", show(process.name()));
        process.write(2, line.as_bytes())?;
    }
    Ok(uid)
}

fn wants_subordinate_ids(process: &Process<'_>, request: &Request, defs: &LoginDefs) -> Result<bool, Fatal> {
    let range: RangeInclusive<u32> = defs.id(process, "UID_MIN", 1000)?..=defs.id(process, "UID_MAX", 60_000)?;
    let ordinary = !request.system || request.arguments.has("F");
    Ok(ordinary && request.uid.filter(|uid| *uid != 0).is_none_or(|uid| range.contains(&uid)))
}

fn add_ranges(process: &Process<'_>, db: &mut UserDb, defs: &LoginDefs, name: &[u8]) -> Result<(), Stop> {
    for (table, kind, word) in [(&mut db.subuids, "UID", "user"), (&mut db.subgids, "GID", "group")] {
        let count = defs.number(process, &format!("SUB_{kind}_COUNT"), 65_536)?.unsigned_abs();
        if !table.is_present() || count == 0 {
            continue;
        }
        let lowest = defs.number(process, &format!("SUB_{kind}_MIN"), 100_000)?.unsigned_abs();
        let highest = defs.number(process, &format!("SUB_{kind}_MAX"), 600_100_000)?.unsigned_abs();
        let start = free_range(table, lowest, highest, count)
            .ok_or_else(|| Stop::refuse(process, 16, &format!("can't create subordinate {word} IDs")))?;
        table.append(Subordinate { owner: name.to_vec(), start, count });
    }
    Ok(())
}

/// The first hole of `count` ids; looking for it sorts the file by range, which stays so.
fn free_range(table: &mut Table<Subordinate>, lowest: u64, highest: u64, count: u64) -> Option<u64> {
    if table.records().count() > 1 {
        table.sort_by_key(|range| (range.start, range.count, range.owner.clone()));
    }
    let mut low = lowest;
    for range in table.records() {
        if range.start.min(highest + 1).saturating_sub(low) >= count {
            return Some(low);
        }
        low = low.max(range.start.saturating_add(range.count));
    }
    (low <= highest && highest + 1 - low >= count).then_some(low)
}

fn put(
    process: &Process<'_>,
    db: &mut UserDb,
    defs: &LoginDefs,
    defaults: &Defaults,
    request: &Request,
    user: &User,
) -> Result<(), Fatal> {
    let password = request.arguments.value("p").unwrap_or(b"!").to_vec();
    if !db.shadow.is_present() {
        db.users.put(User { password, ..user.clone() });
        return Ok(());
    }
    db.users.put(user.clone());
    let limit = |name: &str| Ok(Some(defs.number(process, name, -1)?).filter(|&days| days != -1));
    let mut aging = Aging { changed: change_day(process), ..Aging::default() };
    if !request.system {
        let expires = request.arguments.value("e").unwrap_or(&defaults.expires);
        aging.minimum = limit("PASS_MIN_DAYS")?;
        aging.maximum = limit("PASS_MAX_DAYS")?;
        aging.warning = limit("PASS_WARN_AGE")?;
        aging.expires = day(process, expires)?;
        aging.inactive = match request.arguments.value("f") {
            Some(text) => days(text).ok_or_else(|| process.not_modelled(format!("`-f {}`", show(text))))?,
            None => defaults.inactive,
        };
    }
    db.shadow.put(Shadow { name: user.name.clone(), password, aging, reserved: Vec::new() });
    Ok(())
}

/// Makes the user a member of groups, in both files.
pub(super) fn join_groups(db: &mut UserDb, groups: &[Vec<u8>], user: &[u8]) {
    for name in groups {
        let join = |members: &mut Vec<Vec<u8>>| {
            if !members.iter().any(|member| member == user) {
                members.push(user.to_vec());
            }
        };
        db.groups.update(name, |group| join(&mut group.members));
        if db.group_shadow.is_present() {
            db.group_shadow.update(name, |group| join(&mut group.members));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        assert_eq!(days_from_civil(1970, 1, 1), 0);
        assert_eq!(days_from_civil(2000, 2, 29), 11_016);
        assert_eq!(days_from_civil(2026, 11, 23), 20_780);
    }
}
