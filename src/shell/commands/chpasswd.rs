//! chpasswd: passwords of users from `NAME:HASH` lines; they must come encrypted, since hashing needs a random salt.

use super::useradd::root;
use crate::shell::{
    Fatal, Process, Status, options,
    stop::{Stop, finish, show},
    userdb::{Aging, LoginDefs, Shadow, UserDb, change_day},
};

const OPTIONS: &[&str] = &["e encrypted", "R root="];

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let result = change(process);
    finish(process, result)
}

fn change(process: &mut Process<'_>) -> Result<Status, Stop> {
    let arguments = options::parse(process, OPTIONS)?;
    if !arguments.has("e") || !arguments.operands.is_empty() {
        return Err(process.not_modelled("passwords that are not encrypted (`-e`)").into());
    }
    let root = root(process, &arguments)?;
    let mut db = UserDb::read(process, &root)?;
    let defs = LoginDefs::read(process, &root);
    let input = process.read_all(0);
    let mut failed = false;
    let lines = input.strip_suffix(b"\n").unwrap_or(&input).split(|&b| b == b'\n').filter(|_| !input.is_empty());
    for (index, line) in lines.enumerate() {
        let line_number = index + 1;
        let Some(colon) = line.iter().position(|&b| b == b':') else {
            process.complain(&format!("line {line_number}: missing new password"))?;
            failed = true;
            continue;
        };
        let (name, password) = (&line[..colon], &line[colon + 1..]);
        if db.users.get(name).is_none() {
            process.complain(&format!("line {line_number}: user '{}' does not exist", show(name)))?;
            failed = true;
            continue;
        }
        set(process, &mut db, &defs, name, password)?;
    }
    if failed {
        return Err(Stop::refuse(process, 1, "error detected, changes ignored"));
    }
    db.write(process)?;
    Ok(Status::SUCCESS)
}

fn set(process: &Process<'_>, db: &mut UserDb, defs: &LoginDefs, name: &[u8], password: &[u8]) -> Result<(), Fatal> {
    let in_passwd = db.users.get(name).is_some_and(|user| user.password != b"x");
    let shadow = match db.shadow.get(name) {
        Some(shadow) => Some(shadow.clone()),
        None if db.shadow.is_present() && !in_passwd => {
            let limit = |name: &str| Ok(Some(defs.number(process, name, -1)?).filter(|&days| days != -1));
            let aging = Aging {
                minimum: limit("PASS_MIN_DAYS")?,
                maximum: limit("PASS_MAX_DAYS")?,
                warning: limit("PASS_WARN_AGE")?,
                ..Aging::default()
            };
            Some(Shadow { name: name.to_vec(), password: Vec::new(), aging, reserved: Vec::new() })
        }
        None => None,
    };
    if in_passwd || shadow.is_none() {
        db.users.update(name, |user| user.password = password.to_vec());
    }
    if let Some(mut shadow) = shadow {
        shadow.password = password.to_vec();
        shadow.aging.changed = change_day(process);
        db.shadow.put(shadow);
    }
    Ok(())
}
