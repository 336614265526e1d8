//! userdel: removes a user, its own group when nobody else is in it, and with `-r` its home and mailbox.

use super::useradd::root;
use crate::shell::{
    Fatal, Process, Status, options,
    stop::{Stop, finish, show},
    userdb::{LoginDefs, UserDb},
};

const OPTIONS: &[&str] = &["f force", "r remove", "R root=", "P prefix="];

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let result = remove(process);
    finish(process, result)
}

fn remove(process: &mut Process<'_>) -> Result<Status, Stop> {
    let arguments = options::parse(process, OPTIONS)?;
    let root = root(process, &arguments)?;
    let [name] = arguments.operands.as_slice() else {
        return Err(process.not_modelled("other than one user").into());
    };
    let mut db = UserDb::read(process, &root)?;
    let defs = LoginDefs::read(process, &root);
    let Some(user) = db.users.get(name).cloned() else {
        return Err(Stop::refuse(process, 6, &format!("user '{}' does not exist", show(name))));
    };
    db.users.retain(|line| line.name != *name);
    db.shadow.retain(|line| line.name != *name);
    db.subuids.retain(|line| line.owner != *name);
    db.subgids.retain(|line| line.owner != *name);
    leave_groups(&mut db, name);
    if defs.yes("USERGROUPS_ENAB") {
        remove_own_group(process, &mut db, name, user.gid)?;
    }
    db.write(process)?;
    if arguments.has("r") {
        let spool = defs.text("MAIL_DIR").unwrap_or(b"/var/mail");
        let things = [("mail spool", [spool, b"/", name].concat()), ("home directory", user.home.clone())];
        for (what, path) in things {
            if process.machine.tree.remove_all(&[root.as_slice(), &path].concat()).is_err() {
                process.complain(&format!("{} {what} ({}) not found", show(name), show(&path)))?;
            }
        }
    }
    Ok(Status::SUCCESS)
}

fn leave_groups(db: &mut UserDb, user: &[u8]) {
    let within = |members: &[Vec<u8>]| members.iter().any(|member| member == user);
    let names: Vec<_> = db.groups.records().filter(|g| within(&g.members)).map(|g| g.name.clone()).collect();
    for name in names {
        db.groups.update(&name, |group| group.members.retain(|member| member != user));
    }
    let shadowed: Vec<_> = db
        .group_shadow
        .records()
        .filter(|g| within(&g.members) || within(&g.administrators))
        .map(|g| g.name.clone())
        .collect();
    for name in shadowed {
        db.group_shadow.update(&name, |group| {
            group.members.retain(|member| member != user);
            group.administrators.retain(|member| member != user);
        });
    }
}

fn remove_own_group(process: &mut Process<'_>, db: &mut UserDb, name: &[u8], gid: u32) -> Result<(), Fatal> {
    let Some(group) = db.groups.get(name) else { return Ok(()) };
    let text = show(name);
    if group.gid != gid {
        return process
            .complain(&format!("group {text} not removed because it is not the primary group of user {text}."));
    }
    if !group.members.is_empty() {
        return process.complain(&format!("group {text} not removed because it has other members."));
    }
    if let Some(other) = db.users.records().find(|user| user.gid == gid) {
        let other = show(&other.name);
        return process
            .complain(&format!("group {text} is the primary group of another user {other} and is not removed."));
    }
    db.groups.retain(|line| line.name != name);
    db.group_shadow.retain(|line| line.name != name);
    Ok(())
}
