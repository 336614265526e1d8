//! chsh: a user's login shell.

use super::useradd::root;
use crate::shell::{
    Fatal, Process, Status, options,
    stop::{Stop, finish, show},
    userdb::UserDb,
};

const OPTIONS: &[&str] = &["s shell=", "R root="];

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let result = change(process);
    finish(process, result)
}

fn change(process: &mut Process<'_>) -> Result<Status, Stop> {
    let arguments = options::parse(process, OPTIONS)?;
    let root = root(process, &arguments)?;
    let (Some(shell), [name]) = (arguments.value("s"), arguments.operands.as_slice()) else {
        return Err(process.not_modelled("other than `-s SHELL USER`").into());
    };
    let mut db = UserDb::read(process, &root)?;
    if db.users.get(name).is_none() {
        return Err(Stop::refuse(process, 1, &format!("user '{}' does not exist", show(name))));
    }
    if shell.iter().any(|b| matches!(b, b':' | b',' | b'=' | b'\n')) {
        return Err(Stop::refuse(process, 1, &format!("Invalid entry: {}", show(shell))));
    }
    let path = [root.as_slice(), shell].concat();
    match process.machine.tree.find(&path) {
        None => process.complain(&format!("Warning: {} does not exist", show(shell)))?,
        Some(inode) if !inode.is_dir() && inode.stat.mode & 0o111 == 0 => {
            process.complain(&format!("Warning: {} is not executable", show(shell)))?;
        }
        Some(_) => {}
    }
    let shell = shell.to_vec();
    db.users.update(name, |user| user.shell = shell);
    db.write(process)?;
    Ok(Status::SUCCESS)
}
