//! gpasswd: members, administrators and the password of a group.

use crate::shell::{
    Fatal, Process, Status, options,
    stop::{Stop, finish, show},
    userdb::UserDb,
};

const OPTIONS: &[&str] =
    &["a add=", "A administrators=", "d delete=", "M members=", "Q root=", "r remove-password", "R restrict"];

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let result = change(process);
    finish(process, result)
}

fn change(process: &mut Process<'_>) -> Result<Status, Stop> {
    let arguments = options::parse(process, OPTIONS)?;
    let [group] = arguments.operands.as_slice() else {
        return Err(process.not_modelled("other than one group").into());
    };
    let actions = arguments.options.iter().filter(|(option, _)| *option != "Q").count();
    let both = arguments.has("A") && arguments.has("M") && actions == 2;
    if actions != 1 && !both {
        return Err(process.not_modelled("other than one action").into());
    }
    let root = arguments.value("Q").map(|root| root.strip_suffix(b"/").unwrap_or(root).to_vec()).unwrap_or_default();
    let mut db = UserDb::read(process, &root)?;
    if db.groups.get(group).is_none() {
        return Err(Stop::refuse(process, 3, &format!("group '{}' does not exist in /etc/group", show(group))));
    }
    let shadowed = db.group_shadow.get(group).is_some();
    for (option, value) in &arguments.options {
        let users = users(process, &db, option, value)?;
        match *option {
            "a" => {
                process.out(format!("Adding user {} to group {}\n", show(value), show(group)).as_bytes())?;
                super::useradd::join_groups(&mut db, std::slice::from_ref(group), value);
            }
            "d" => {
                process.out(format!("Removing user {} from group {}\n", show(value), show(group)).as_bytes())?;
                let member = db.groups.get(group).is_some_and(|line| line.members.contains(value));
                let shadow_member = db.group_shadow.get(group).is_some_and(|line| line.members.contains(value));
                if !member && !shadow_member {
                    let message = format!("user '{}' is not a member of '{}'", show(value), show(group));
                    return Err(Stop::refuse(process, 3, &message));
                }
                db.groups.update(group, |line| line.members.retain(|member| member != value));
                db.group_shadow.update(group, |line| line.members.retain(|member| member != value));
            }
            "M" => {
                db.groups.update(group, |line| line.members.clone_from(&users));
                db.group_shadow.update(group, |line| line.members = users);
            }
            "A" if !shadowed => {
                return Err(Stop::refuse(process, 2, "shadow group passwords required for -A"));
            }
            "A" => db.group_shadow.update(group, |line| line.administrators = users),
            "r" => password(&mut db, group, b""),
            "R" => password(&mut db, group, b"!"),
            _ => {}
        }
    }
    db.write(process)?;
    Ok(Status::SUCCESS)
}

/// The users that an option names; all must exist.
fn users(process: &mut Process<'_>, db: &UserDb, option: &str, value: &[u8]) -> Result<Vec<Vec<u8>>, Stop> {
    if !matches!(option, "a" | "A" | "M") {
        return Ok(Vec::new());
    }
    let names: Vec<Vec<u8>> = value.split(|&b| b == b',').filter(|n| !n.is_empty()).map(<[u8]>::to_vec).collect();
    let mut unknown = false;
    for name in names.iter().filter(|name| db.users.get(name).is_none()) {
        process.complain(&format!("user '{}' does not exist", show(name)))?;
        unknown = true;
    }
    if unknown { Err(Stop::quiet(3)) } else { Ok(names) }
}

fn password(db: &mut UserDb, group: &[u8], password: &[u8]) {
    let shadowed = db.group_shadow.is_present();
    let kept = if shadowed { b"x" } else { password };
    db.groups.update(group, |line| line.password = kept.to_vec());
    db.group_shadow.update(group, |line| line.password = password.to_vec());
}
