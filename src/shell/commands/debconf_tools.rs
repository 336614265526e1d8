//! debconf's small programs: `debconf-escape`, `debconf-set-selections`, `debconf-communicate`, `debconf-show`.

use super::{
    super::{Fatal, Process, Status, options},
    frontend::preferences,
};
use crate::debconf::{Databases, Session, escape as escaped, preseed, unescape};

pub(super) fn escape(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = options::parse(process, &["escape e", "unescape u"])?;
    let input = process.read_all(0);
    match (arguments.has("escape"), arguments.has("unescape")) {
        (true, false) => process.out(&escaped(&input))?,
        (false, true) => process.out(&unescape(&input))?,
        _ => return process.fail("exactly one of -e or -u must be used"),
    }
    Ok(Status::SUCCESS)
}

/// The databases, changed by `work` and written back unless it fails.
fn change(
    process: &mut Process<'_>,
    work: impl FnOnce(&mut Process<'_>, Databases) -> Result<(Databases, Status), String>,
) -> Result<Status, Fatal> {
    if process.machine.debconf.is_some() {
        return process.fail("/var/cache/debconf/config.dat is locked by another process");
    }
    let databases = Databases::read(&process.machine.tree).map_err(|error| error.to_string());
    match databases.and_then(|databases| work(process, databases)) {
        Ok((mut databases, status)) => {
            let now = process.machine.epoch.timestamp();
            match databases.write(&mut process.machine.tree, now) {
                Ok(()) => Ok(status),
                Err(error) => process.fail(&error.to_string()),
            }
        }
        Err(text) => process.fail(&text),
    }
}

pub(super) fn set_selections(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = options::parse(process, &["verbose v", "checkonly c", "unseen u"])?;
    let mut text = Vec::new();
    if arguments.operands.is_empty() {
        text.extend_from_slice(&process.read_all(0));
    }
    for path in &arguments.operands {
        match process.read_file(path) {
            Ok(bytes) => text.extend_from_slice(&bytes),
            Err(error) => return process.fail(&error.to_string()),
        }
    }
    if arguments.has("checkonly") {
        return match preseed(&mut Databases::default(), &text, true) {
            Ok(()) => Ok(Status::SUCCESS),
            Err(error) => process.fail(&error.to_string()),
        };
    }
    change(process, |_, mut databases| {
        preseed(&mut databases, &text, !arguments.has("unseen")).map_err(|error| error.to_string())?;
        Ok((databases, Status::SUCCESS))
    })
}

pub(super) fn communicate(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = options::parse(process, &["frontend f=", "priority p=", "terse"])?;
    let owner = arguments.operands.first().map_or(b"unknown".as_slice(), Vec::as_slice).to_vec();
    let input = process.read_all(0);
    let mut replies = Vec::new();
    let status = change(process, |process, databases| {
        let mut session = Session::new(databases, &owner, preferences(process));
        let mut status = 127;
        for line in input.split(|&b| b == b'\n').filter(|line| !line.is_empty()) {
            let reply = session.reply(&process.machine.tree, line);
            let code = reply.split(|&b| b == b' ').next().and_then(|word| std::str::from_utf8(word).ok());
            status = code.and_then(|code| code.parse().ok()).unwrap_or(0);
            replies.extend_from_slice(&reply);
            replies.push(b'\n');
        }
        Ok((session.into_databases(), Status(status)))
    })?;
    process.out(&replies)?;
    Ok(status)
}

pub(super) fn show(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = options::parse(process, &["listowners"])?;
    let databases = match Databases::read(&process.machine.tree) {
        Ok(databases) => databases,
        Err(error) => return process.fail(&error.to_string()),
    };
    let mut lines: Vec<Vec<u8>> = if arguments.has("listowners") {
        databases.owners()
    } else {
        arguments.operands.iter().flat_map(|package| databases.answers(package)).collect()
    };
    lines.iter_mut().for_each(|line| line.push(b'\n'));
    process.out(&lines.concat())?;
    Ok(Status::SUCCESS)
}
