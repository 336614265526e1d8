//! `whoami`, `groups`, `logname`, `users`, `who`: who runs the script, which is root, and who is logged in, which is nobody.

use crate::shell::{
    Fatal, Process, Status,
    accounts::{self, User},
    files::show,
    options::parse,
};

pub(super) fn whoami(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = parse(process, &[])?;
    if !arguments.operands.is_empty() {
        return process.wrong_operands(&arguments.operands, 0);
    }
    match accounts::user_name(&process.machine.tree, 0) {
        Some(mut name) => {
            name.push(b'\n');
            process.out(&name)?;
            Ok(Status::SUCCESS)
        }
        None => process.fail("cannot find name for user ID 0"),
    }
}

/// `groups [USER]...`: names, or numbers that have none.
pub(super) fn groups(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = parse(process, &[])?;
    let users = accounts::users(&process.machine.tree);
    if arguments.operands.is_empty() {
        let gid = users.iter().find(|user| user.uid == 0).map_or(0, |user| user.gid);
        let mut line = group(process, gid);
        line.push(b'\n');
        process.out(&line)?;
        return Ok(Status::SUCCESS);
    }
    let mut status = Status::SUCCESS;
    for name in &arguments.operands {
        let Some(user) = users.iter().find(|user| user.name == *name) else {
            process.complain(&format!("'{}': no such user", show(name)))?;
            status = Status::FAILURE;
            continue;
        };
        let names: Vec<_> = ids_of(process, user).into_iter().map(|gid| group(process, gid)).collect();
        process.out(&[name, b" : ".as_slice(), &names.join(b" ".as_slice()), b"\n"].concat())?;
    }
    Ok(status)
}

/// A user's own group and those that have the user as a member.
pub(super) fn ids_of(process: &Process<'_>, user: &User) -> Vec<u32> {
    let all = accounts::groups(&process.machine.tree);
    let others = all.into_iter().filter(|group| group.gid != user.gid && group.members.contains(&user.name));
    std::iter::once(user.gid).chain(others.map(|group| group.gid)).collect()
}

fn group(process: &Process<'_>, gid: u32) -> Vec<u8> {
    accounts::group_name(&process.machine.tree, gid).unwrap_or_else(|| gid.to_string().into_bytes())
}

pub(super) fn logname(process: &mut Process<'_>) -> Result<Status, Fatal> {
    parse(process, &[])?;
    process.fail("no login name")
}

/// `users` and `who`.
pub(super) fn nobody(process: &mut Process<'_>) -> Result<Status, Fatal> {
    match process.arguments().as_slice() {
        [] => Ok(Status::SUCCESS),
        _ => Err(process.not_modelled("an option or a file of logins")),
    }
}
