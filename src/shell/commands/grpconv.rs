//! grpconv: moves group passwords from group to gshadow, copies members there, and drops lines of groups that are gone.

use super::useradd::root;
use crate::shell::{
    Fatal, Process, Status, options,
    stop::{Stop, finish},
    userdb::{GroupShadow, UserDb},
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
    let groups = &db.groups;
    db.group_shadow.retain(|line| groups.get(&line.name).is_some());
    for group in groups.records().cloned().collect::<Vec<_>>() {
        let line = match db.group_shadow.get(&group.name).cloned() {
            Some(old) if group.password == b"x" => GroupShadow { members: group.members, ..old },
            Some(old) => GroupShadow { members: group.members, password: group.password, ..old },
            None => GroupShadow {
                name: group.name.clone(),
                password: group.password,
                administrators: Vec::new(),
                members: group.members,
            },
        };
        db.group_shadow.put(line);
        db.groups.update(&group.name, |group| group.password = b"x".to_vec());
    }
    db.write(process)?;
    Ok(Status::SUCCESS)
}
