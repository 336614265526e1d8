//! pwck: says what is wrong in passwd and shadow (`-r`), or sorts them by uid (`-s`). Repairing asks, and nobody answers.

use super::useradd::root;
use crate::shell::{
    Fatal, Process, Status, options,
    stop::{Stop, finish, show},
    userdb::{LoginDefs, NAME_MAX, User, UserDb, is_valid_name},
};

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let result = check(process);
    finish(process, result)
}

fn check(process: &mut Process<'_>) -> Result<Status, Stop> {
    let arguments = options::parse(process, &["q quiet", "r read-only", "R root=", "s sort", "badname"])?;
    let root = root(process, &arguments)?;
    if !arguments.operands.is_empty() || arguments.has("r") == arguments.has("s") {
        return Err(process.not_modelled("other than one of `-r` and `-s` on the system's files").into());
    }
    let mut db = UserDb::read(process, &root)?;
    if arguments.has("s") {
        db.users.sort_by_key(|user| user.uid);
        let order: Vec<Vec<u8>> = db.users.records().map(|user| user.name.clone()).collect();
        db.shadow.sort_by_key(|line| order.iter().position(|name| *name == line.name).unwrap_or(usize::MAX));
        db.write(process)?;
        return Ok(Status::SUCCESS);
    }
    let faults = faults(process, &db, &root, arguments.has("q"), arguments.has("badname"))?;
    for fault in &faults {
        process.out(fault.as_bytes())?;
    }
    if faults.is_empty() {
        return Ok(Status::SUCCESS);
    }
    process.out(b"pwck: no changes\n")?;
    Ok(Status(2))
}

fn faults(process: &Process<'_>, db: &UserDb, root: &[u8], quiet: bool, any_name: bool) -> Result<Vec<String>, Fatal> {
    let mut found = Vec::new();
    for line in db.users.unreadable() {
        found.push(format!("invalid password file entry\ndelete line '{}'? No\n", show(line)));
    }
    let defs = LoginDefs::read(process, root);
    let system = defs.id(process, "SYS_UID_MIN", 101)?..=defs.id(process, "SYS_UID_MAX", 999)?;
    let there = |path: &[u8]| process.machine.tree.lookup(&[root, path].concat()).is_ok();
    for user in db.users.records() {
        let User { name, gid, home, shell, .. } = user;
        let text = show(name);
        if !any_name && !is_valid_name(name, NAME_MAX) {
            found.push(format!("invalid user name '{text}': use --badname to ignore\n"));
        }
        if user.uid == u32::MAX {
            found.push(format!("invalid user ID '{}'\n", user.uid));
        }
        if !quiet && db.group_by_id(*gid).is_none() {
            found.push(format!("user '{text}': no group {gid}\n"));
        }
        let intended = defs.text("NONEXISTENT") == Some(home);
        if !quiet && !system.contains(&user.uid) && !home.is_empty() && !there(home) && !intended {
            found.push(format!("user '{text}': directory '{}' does not exist\n", show(home)));
        }
        if !quiet && !shell.is_empty() && !there(shell) {
            found.push(format!("user '{text}': program '{}' does not exist\n", show(shell)));
        }
        if !db.shadow.is_present() {
            continue;
        }
        if db.shadow.get(name).is_none() {
            found.push(format!(
                "no matching password file entry in /etc/shadow\nadd user '{text}' in /etc/shadow? No\n"
            ));
        } else if !quiet && user.password != b"x" {
            found.push(format!(
                "user {text} has an entry in /etc/shadow, but its password field in /etc/passwd is not set to 'x'\n"
            ));
        }
    }
    for line in db.shadow.unreadable() {
        found.push(format!("invalid shadow password file entry\ndelete line '{}'? No\n", show(line)));
    }
    for line in db.shadow.records() {
        use crate::shell::userdb::Record;
        if db.users.get(&line.name).is_none() {
            let text = show(&line.format());
            found.push(format!("no matching password file entry in /etc/passwd\ndelete line '{text}'? No\n"));
        }
        if !quiet && line.aging.changed.is_some_and(|day| day > process.machine.epoch.days()) {
            found.push(format!("user {}: last password change in the future\n", show(&line.name)));
        }
    }
    Ok(found)
}
