//! pwconv: moves passwords from passwd to shadow, and drops shadow lines of users that are gone.

use super::useradd::root;
use crate::shell::{
    Fatal, Process, Status, options,
    stop::{Stop, finish},
    userdb::{Aging, LoginDefs, Shadow, UserDb, change_day},
};

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let result = convert(process);
    finish(process, result)
}

fn convert(process: &mut Process<'_>) -> Result<Status, Stop> {
    let arguments = options::parse(process, &["R root="])?;
    if !arguments.operands.is_empty() {
        return Err(process.not_modelled("operands").into());
    }
    let root = root(process, &arguments)?;
    let mut db = UserDb::read(process, &root)?;
    let defs = LoginDefs::read(process, &root);
    let limit = |name: &str| Ok::<_, Fatal>(Some(defs.number(process, name, -1)?).filter(|&days| days != -1));
    let aging = Aging {
        changed: change_day(process),
        minimum: limit("PASS_MIN_DAYS")?,
        maximum: limit("PASS_MAX_DAYS")?,
        warning: limit("PASS_WARN_AGE")?,
        ..Aging::default()
    };
    let users = &db.users;
    db.shadow.retain(|line| users.get(&line.name).is_some());
    for user in users.records().cloned().collect::<Vec<_>>() {
        let line = match db.shadow.get(&user.name).cloned() {
            Some(_) if user.password == b"x" => continue,
            Some(old) => Shadow { aging: Aging { changed: aging.changed, ..old.aging }, ..old },
            None => Shadow { name: user.name.clone(), password: Vec::new(), aging, reserved: Vec::new() },
        };
        db.shadow.put(Shadow { password: user.password, ..line });
        db.users.update(&user.name, |user| user.password = b"x".to_vec());
    }
    db.write(process)?;
    Ok(Status::SUCCESS)
}
