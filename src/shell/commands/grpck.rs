//! grpck: says what is wrong in group and gshadow (`-r`), or sorts them by gid (`-s`). Repairing asks, and nobody answers.

use super::useradd::root;
use crate::shell::{
    Fatal, Process, Status, options,
    stop::{Stop, finish, show},
    userdb::{NAME_MAX, Record, UserDb, is_valid_name},
};

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let result = check(process);
    finish(process, result)
}

fn check(process: &mut Process<'_>) -> Result<Status, Stop> {
    let arguments = options::parse(process, &["r read-only", "R root=", "s sort", "S silence-warnings"])?;
    let root = root(process, &arguments)?;
    if !arguments.operands.is_empty() || arguments.has("r") == arguments.has("s") {
        return Err(process.not_modelled("other than one of `-r` and `-s` on the system's files").into());
    }
    let mut db = UserDb::read(process, &root)?;
    if arguments.has("s") {
        db.groups.sort_by_key(|group| group.gid);
        let order: Vec<Vec<u8>> = db.groups.records().map(|group| group.name.clone()).collect();
        db.group_shadow.sort_by_key(|line| order.iter().position(|name| *name == line.name).unwrap_or(usize::MAX));
        db.write(process)?;
        return Ok(Status::SUCCESS);
    }
    let (faults, remarks) = faults(&db);
    for line in &faults {
        process.out(line.as_bytes())?;
    }
    for line in remarks.iter().filter(|_| !arguments.has("S")) {
        process.out(line.as_bytes())?;
    }
    if faults.is_empty() {
        return Ok(Status::SUCCESS);
    }
    process.out(b"grpck: no changes\n")?;
    Ok(Status(2))
}

/// Faults, and remarks that don't count as such.
fn faults(db: &UserDb) -> (Vec<String>, Vec<String>) {
    let (mut found, mut remarks) = (Vec::new(), Vec::new());
    let unknown = |names: &[Vec<u8>]| -> Vec<String> {
        names.iter().filter(|name| db.users.get(name).is_none()).map(|name| show(name)).collect()
    };
    for line in db.groups.unreadable() {
        found.push(format!("invalid group file entry\ndelete line '{}'? No\n", show(line)));
    }
    for group in db.groups.records() {
        let text = show(&group.name);
        if !is_valid_name(&group.name, NAME_MAX) {
            found.push(format!("invalid group name '{text}'\n"));
        }
        for user in unknown(&group.members) {
            found.push(format!("group {text}: no user {user}\ndelete member '{user}'? No\n"));
        }
        if !db.group_shadow.is_present() {
            continue;
        }
        let Some(shadow) = db.group_shadow.get(&group.name) else {
            found.push(format!(
                "no matching group file entry in /etc/gshadow\nadd group '{text}' in /etc/gshadow? No\n"
            ));
            continue;
        };
        remarks.extend(missing(&group.members, &shadow.members, &text, "/etc/group", "/etc/gshadow"));
        if group.password != b"x" {
            found.push(format!(
                "group {text} has an entry in /etc/gshadow, but its password field in /etc/group is not set to 'x'\n"
            ));
        }
    }
    for line in db.group_shadow.unreadable() {
        found.push(format!("invalid shadow group file entry\ndelete line '{}'? No\n", show(line)));
    }
    for shadow in db.group_shadow.records() {
        let text = show(&shadow.name);
        match db.groups.get(&shadow.name) {
            Some(group) => {
                remarks.extend(missing(&shadow.members, &group.members, &text, "/etc/gshadow", "/etc/group"));
            }
            None => {
                let line = show(&shadow.format());
                found.push(format!("no matching group file entry in /etc/group\ndelete line '{line}'? No\n"));
            }
        }
        for user in unknown(&shadow.administrators) {
            let ask = format!("delete administrative member '{user}'? No");
            found.push(format!("shadow group {text}: no administrative user {user}\n{ask}\n"));
        }
        for user in unknown(&shadow.members) {
            found.push(format!("shadow group {text}: no user {user}\ndelete member '{user}'? No\n"));
        }
    }
    (found, remarks)
}

fn missing(members: &[Vec<u8>], others: &[Vec<u8>], group: &str, file: &str, other: &str) -> Vec<String> {
    let absent = members.iter().filter(|member| !others.contains(member));
    absent
        .map(|member| format!("'{}' is a member of the '{group}' group in {file} but not in {other}\n", show(member)))
        .collect()
}
