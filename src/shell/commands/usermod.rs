//! usermod: changes of a user, its groups and its home.

use super::useradd::{check_shell, day, id, root, supplementary};
use crate::{
    shell::{
        Fatal, Process, Status,
        options::{self, Arguments},
        stop::{Stop, finish, show},
        userdb::{NAME_MAX, Record, Shadow, Subordinate, Table, User, UserDb, change_day, is_valid_name},
    },
    tree::TreePath,
};

const OPTIONS: &[&str] = &[
    "a append",
    "b badnames",
    "c comment=",
    "d home=",
    "e expiredate=",
    "f inactive=",
    "g gid=",
    "G groups=",
    "l login=",
    "L lock",
    "m move-home",
    "o non-unique",
    "p password=",
    "r remove",
    "R root=",
    "P prefix=",
    "s shell=",
    "u uid=",
    "U unlock",
    "v add-subuids=",
    "w add-subgids=",
];

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let result = modify(process);
    finish(process, result)
}

fn modify(process: &mut Process<'_>) -> Result<Status, Stop> {
    let arguments = options::parse(process, OPTIONS)?;
    let root = root(process, &arguments)?;
    let [name] = arguments.operands.as_slice() else {
        return Err(process.not_modelled("other than one user").into());
    };
    let conflicts = [("L", "p"), ("L", "U"), ("p", "U"), ("r", "a")];
    if let Some((a, b)) = conflicts.iter().find(|(a, b)| arguments.has(a) && arguments.has(b)) {
        return Err(Stop::refuse(process, 2, &format!("-{a} and -{b} are mutually exclusive flags")));
    }
    let needs = [("a", "G"), ("r", "G"), ("o", "u"), ("m", "d")];
    if let Some((a, b)) = needs.iter().find(|(a, b)| arguments.has(a) && !arguments.has(b)) {
        return Err(Stop::refuse(process, 2, &format!("-{a} flag is only allowed with the -{b} flag")));
    }
    let mut db = UserDb::read(process, &root)?;
    let Some(old) = db.users.get(name).cloned() else {
        return Err(Stop::refuse(process, 6, &format!("user '{}' does not exist", show(name))));
    };
    let new = changed_user(process, &arguments, &db, &old)?;
    let groups = supplementary(process, &db, arguments.value("G").unwrap_or_default())?;
    let only_user = ["a", "b", "m", "o", "R", "P", "r", "c", "d", "g", "l", "s", "u"];
    if new == old && arguments.options.iter().all(|(option, _)| only_user.contains(option)) {
        process.out(b"usermod: no changes\n")?;
        return Ok(Status::SUCCESS);
    }
    update_shadow(process, &arguments, &mut db, &old, &new)?;
    replace(&mut db.users, name, new.clone());
    if arguments.has("G") || new.name != old.name {
        update_groups(&mut db, &arguments, &groups, &old.name, &new.name);
    }
    add_ranges(process, &arguments, "v", &mut db.subuids, &old.name)?;
    add_ranges(process, &arguments, "w", &mut db.subgids, &old.name)?;
    db.write(process)?;
    update_home(process, &arguments, &root, &old, &new)?;
    Ok(Status::SUCCESS)
}

fn changed_user(process: &mut Process<'_>, arguments: &Arguments, db: &UserDb, old: &User) -> Result<User, Stop> {
    let mut user = old.clone();
    for (option, value) in &arguments.options {
        let invalid = value.iter().any(|b| matches!(b, b':' | b'\n'));
        match *option {
            "c" | "d" if invalid => {
                return Err(Stop::refuse(process, 3, &format!("invalid field '{}'", show(value))));
            }
            "c" => user.comment.clone_from(value),
            "d" if !value.starts_with(b"/") => {
                return Err(Stop::refuse(process, 3, "homedir must be an absolute path"));
            }
            "d" if value != &old.home => {
                let trimmed = value.strip_suffix(b"/").filter(|path| !path.is_empty()).unwrap_or(value);
                user.home = trimmed.to_vec();
            }
            "g" => {
                let unknown = || Stop::refuse(process, 6, &format!("group '{}' does not exist", show(value)));
                user.gid = db.group(value).ok_or_else(unknown)?.gid;
            }
            "l" if !arguments.has("b") && !is_valid_name(value, NAME_MAX) => {
                let message = format!("invalid user name '{}': use --badname to ignore", show(value));
                return Err(Stop::refuse(process, 3, &message));
            }
            "l" => user.name.clone_from(value),
            "s" => {
                check_shell(process, value)?;
                user.shell.clone_from(value);
            }
            "u" => {
                let bad = || Stop::refuse(process, 3, &format!("invalid user ID '{}'", show(value)));
                user.uid = id(value).ok_or_else(bad)?;
            }
            _ => {}
        }
    }
    if user.name != old.name && db.users.get(&user.name).is_some() {
        return Err(Stop::refuse(process, 9, &format!("user '{}' already exists", show(&user.name))));
    }
    if user.uid != old.uid && !arguments.has("o") && db.user_by_id(user.uid).is_some() {
        return Err(Stop::refuse(process, 4, &format!("UID '{}' already exists", user.uid)));
    }
    if !db.shadow.is_present() || old.password != b"x" {
        user.password = password(process, arguments, &old.password)?;
    }
    Ok(user)
}

/// The password field as `-p`, `-L` and `-U` leave it.
pub(super) fn password(process: &mut Process<'_>, arguments: &Arguments, old: &[u8]) -> Result<Vec<u8>, Fatal> {
    if arguments.has("L") && !old.starts_with(b"!") {
        return Ok([b"!", old].concat());
    }
    if let Some(rest) = old.strip_prefix(b"!").filter(|_| arguments.has("U")) {
        if !rest.is_empty() {
            return Ok(rest.to_vec());
        }
        process.complain(
            "unlocking the user's password would result in a passwordless account.\n\
             You should set a password with usermod -p to unlock this user's password.",
        )?;
    }
    Ok(arguments.value("p").unwrap_or(old).to_vec())
}

fn update_shadow(
    process: &mut Process<'_>,
    arguments: &Arguments,
    db: &mut UserDb,
    old: &User,
    new: &User,
) -> Result<(), Fatal> {
    if !db.shadow.is_present() {
        return Ok(());
    }
    let ages = arguments.has("e") || arguments.has("f");
    let Some(mut shadow) = db.shadow.get(&old.name).cloned() else {
        return if ages { Err(process.not_modelled("ageing of a user without a shadow line")) } else { Ok(()) };
    };
    shadow.password = password(process, arguments, &shadow.password)?;
    if arguments.has("p") {
        shadow.aging.changed = change_day(process);
    }
    if let Some(text) = arguments.value("e") {
        shadow.aging.expires = day(process, text)?;
    }
    if let Some(text) = arguments.value("f") {
        shadow.aging.inactive = day(process, text)?;
    }
    let shadow = Shadow { name: new.name.clone(), ..shadow };
    if db.shadow.get(&old.name) != Some(&shadow) {
        replace(&mut db.shadow, &old.name, shadow);
    }
    Ok(())
}

/// Puts a record where the old one stands; under a new name it goes to the end.
pub(super) fn replace<R: Record>(table: &mut Table<R>, old: &[u8], new: R) {
    if new.name() != old {
        table.retain(|record| record.name() != old);
    }
    table.put(new);
}

/// One list of members after `-G`, `-a`, `-r` and `-l`.
fn membership(arguments: &Arguments, listed: bool, members: &[Vec<u8>], old: &[u8], new: &[u8]) -> Vec<Vec<u8>> {
    let was = members.iter().any(|member| member == old);
    let asked = arguments.has("G");
    let mut is = asked && ((was && arguments.has("a")) || listed);
    if !was && !is {
        return members.to_vec();
    }
    if asked && arguments.has("r") {
        is = !is;
    }
    let without = || members.iter().filter(|member| *member != old).cloned().collect::<Vec<_>>();
    if was && (!asked || is) {
        if old == new {
            return members.to_vec();
        }
        let mut renamed = without();
        renamed.push(new.to_vec());
        return renamed;
    }
    if was {
        return without();
    }
    let mut joined = members.to_vec();
    if is {
        joined.push(new.to_vec());
    }
    joined
}

fn update_groups(db: &mut UserDb, arguments: &Arguments, groups: &[Vec<u8>], old: &[u8], new: &[u8]) {
    let names: Vec<Vec<u8>> = db.groups.records().map(|group| group.name.clone()).collect();
    for name in names {
        let listed = groups.contains(&name);
        let Some(group) = db.groups.get(&name) else { continue };
        let members = membership(arguments, listed, &group.members, old, new);
        if members != group.members {
            db.groups.update(&name, |group| group.members = members);
        }
    }
    let names: Vec<Vec<u8>> = db.group_shadow.records().map(|group| group.name.clone()).collect();
    for name in names {
        let listed = groups.contains(&name);
        let Some(group) = db.group_shadow.get(&name) else { continue };
        let members = membership(arguments, listed, &group.members, old, new);
        let mut administrators = group.administrators.clone();
        if old != new && administrators.iter().any(|admin| admin == old) {
            administrators.retain(|admin| admin != old);
            administrators.push(new.to_vec());
        }
        if members != group.members || administrators != group.administrators {
            db.group_shadow.update(&name, |group| {
                group.members = members;
                group.administrators = administrators;
            });
        }
    }
}

fn add_ranges(
    process: &Process<'_>,
    arguments: &Arguments,
    option: &str,
    table: &mut Table<Subordinate>,
    owner: &[u8],
) -> Result<(), Stop> {
    let texts: Vec<&Vec<u8>> =
        arguments.options.iter().filter(|(name, _)| *name == option).map(|(_, value)| value).collect();
    if !texts.is_empty() && !table.is_present() {
        return Err(process.not_modelled(format!("-{option} without the file of subordinate ids")).into());
    }
    // The real tool puts each range before those that it has read already.
    for text in texts.into_iter().rev() {
        let parts: Vec<Option<u32>> = text.split(|&b| b == b'-').map(id).collect();
        let [Some(first), Some(last)] = parts[..] else {
            return Err(Stop::refuse(process, 3, &format!("invalid subordinate uid range '{}'", show(text))));
        };
        if last < first {
            return Err(Stop::refuse(process, 3, &format!("invalid subordinate uid range '{}'", show(text))));
        }
        let range =
            Subordinate { owner: owner.to_vec(), start: first.into(), count: u64::from(last) - u64::from(first) + 1 };
        if !table.records().any(|held| *held == range) {
            table.append(range);
        }
    }
    Ok(())
}

fn update_home(
    process: &mut Process<'_>,
    arguments: &Arguments,
    root: &[u8],
    old: &User,
    new: &User,
) -> Result<(), Stop> {
    let (from, to) = ([root, &old.home].concat(), [root, &new.home].concat());
    if arguments.has("m") && old.home != new.home && process.machine.tree.lookup(&from).is_ok() {
        if process.machine.tree.lookup(&to).is_ok() {
            return Err(Stop::refuse(process, 12, &format!("directory {} exists", show(&new.home))));
        }
        process.machine.tree.rename(&from, &to).map_err(|error| process.not_modelled(error.to_string()))?;
    }
    if (old.uid, old.gid) == (new.uid, new.gid) {
        return Ok(());
    }
    let Ok((home, path)) = process.machine.tree.resolve(&to) else { return Ok(()) };
    if path == TreePath::root() || process.machine.tree.get(home).stat.uid != old.uid {
        return Ok(());
    }
    let ids: Vec<_> = process.machine.tree.walk_from(path, home).map(|visit| visit.id).collect();
    for id in ids {
        let stat = process.machine.tree.stat_mut(id);
        if stat.uid == old.uid {
            stat.uid = new.uid;
        }
        if stat.gid == old.gid {
            stat.gid = new.gid;
        }
    }
    Ok(())
}
