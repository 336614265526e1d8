//! passwd: locks, unlocks, empties and expires passwords, as root without asking.
//!
//! Setting a password needs somebody who types it: not modelled, `chpasswd -e` or `usermod -p` do it.

use super::useradd::root;
use crate::shell::{
    Fatal, Process, Status, options,
    stop::{Stop, finish, show},
    userdb::{UserDb, c_number},
};

const OPTIONS: &[&str] = &[
    "d delete",
    "e expire",
    "i inactive=",
    "l lock",
    "n mindays=",
    "q quiet",
    "R root=",
    "u unlock",
    "w warndays=",
    "x maxdays=",
];

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let result = change(process);
    finish(process, result)
}

fn change(process: &mut Process<'_>) -> Result<Status, Stop> {
    let arguments = options::parse(process, OPTIONS)?;
    let root = root(process, &arguments)?;
    let changes = ["d", "e", "i", "l", "n", "u", "w", "x"];
    let [name] = arguments.operands.as_slice() else {
        return Err(process.not_modelled("other than one user").into());
    };
    if !changes.iter().any(|option| arguments.has(option)) {
        return Err(process.not_modelled("typing a password").into());
    }
    let mut db = UserDb::read(process, &root)?;
    if db.users.get(name).is_none() {
        return Err(Stop::refuse(process, 1, &format!("user '{}' does not exist", show(name))));
    }
    let Some(mut shadow) = db.shadow.get(name).cloned() else {
        return Err(process.not_modelled("a user without a shadow line").into());
    };
    if arguments.has("d") {
        shadow.password.clear();
    }
    if let Some(rest) = shadow.password.strip_prefix(b"!").filter(|_| arguments.has("u")) {
        if rest.is_empty() {
            let message = "unlocking the password would result in a passwordless account.\n\
                           You should set a password with usermod -p to unlock the password of this account.";
            return Err(Stop::refuse(process, 3, message));
        }
        shadow.password = rest.to_vec();
    }
    if arguments.has("l") && !shadow.password.starts_with(b"!") {
        shadow.password.insert(0, b'!');
    }
    let days = |option: &str| match arguments.value(option) {
        None => Ok(None),
        Some(text) => match c_number(text).filter(|days| *days >= -1) {
            Some(days) => Ok(Some(Some(days).filter(|&days| days != -1))),
            None => Err(Stop::refuse(process, 6, &format!("invalid numeric argument '{}'", show(text)))),
        },
    };
    let aging = &mut shadow.aging;
    aging.maximum = days("x")?.unwrap_or(aging.maximum);
    aging.minimum = days("n")?.unwrap_or(aging.minimum);
    aging.warning = days("w")?.unwrap_or(aging.warning);
    aging.inactive = days("i")?.unwrap_or(aging.inactive);
    if arguments.has("e") {
        aging.changed = Some(0);
    }
    db.shadow.update(name, |line| *line = shadow);
    db.write(process)?;
    if !arguments.has("q") {
        process.out(b"passwd: password changed.\n")?;
    }
    Ok(Status::SUCCESS)
}
