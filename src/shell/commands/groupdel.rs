//! groupdel: removes a group that is no user's primary one.

use super::useradd::root;
use crate::shell::{
    Fatal, Process, Status, options,
    stop::{Stop, finish, show},
    userdb::UserDb,
};

const OPTIONS: &[&str] = &["f force", "R root=", "P prefix="];

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let result = remove(process);
    finish(process, result)
}

fn remove(process: &mut Process<'_>) -> Result<Status, Stop> {
    let arguments = options::parse(process, OPTIONS)?;
    let root = root(process, &arguments)?;
    let [name] = arguments.operands.as_slice() else {
        return Err(process.not_modelled("other than one group").into());
    };
    let mut db = UserDb::read(process, &root)?;
    let Some(group) = db.groups.get(name) else {
        return Err(Stop::refuse(process, 6, &format!("group '{}' does not exist", show(name))));
    };
    let gid = group.gid;
    if let Some(user) = db.users.records().find(|user| user.gid == gid).filter(|_| !arguments.has("f")) {
        return Err(Stop::refuse(
            process,
            8,
            &format!("cannot remove the primary group of user '{}'", show(&user.name)),
        ));
    }
    db.groups.retain(|line| line.name != *name);
    db.group_shadow.retain(|line| line.name != *name);
    db.write(process)?;
    Ok(Status::SUCCESS)
}
