//! id: who a user is, or who runs the script: root.

use crate::shell::{
    Fatal, Process, Status,
    accounts::{self, User},
    files::show,
    options::parse,
};

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = parse(process, &["u user", "g group", "G groups", "n name", "r real", "z zero", "a", "Z context"])?;
    if arguments.has("Z") {
        return process.fail("--context (-Z) works only on an SELinux-enabled kernel");
    }
    let users = accounts::users(&process.machine.tree);
    let mut status = Status::SUCCESS;
    let mut wanted = Vec::new();
    if arguments.operands.is_empty() {
        let root = users.iter().find(|user| user.uid == 0).cloned();
        wanted.push(root.unwrap_or(User { name: Vec::new(), uid: 0, gid: 0, home: b"/".to_vec() }));
    }
    for operand in &arguments.operands {
        let number = accounts::number(operand).filter(|_| !operand.is_empty());
        let user = users.iter().find(|user| user.name == *operand);
        match user.or_else(|| users.iter().find(|user| Some(user.uid) == number)) {
            Some(user) => wanted.push(user.clone()),
            None => {
                process.complain(&format!("'{}': no such user", show(operand)))?;
                status = Status::FAILURE;
            }
        }
    }
    let end = if arguments.has("z") { "\0" } else { "\n" };
    let names = arguments.has("n");
    let myself = arguments.operands.is_empty();
    for user in wanted {
        let groups = if myself { vec![user.gid] } else { super::identity::ids_of(process, &user) };
        let line = match arguments.last_of(&["u", "g", "G"]) {
            Some("u") => user_shown(process, user.uid, names),
            Some("g") => group_shown(process, user.gid, names),
            Some(_) => groups.iter().map(|gid| group_shown(process, *gid, names)).collect::<Vec<_>>().join(" "),
            None => full(process, &user, &groups),
        };
        process.out(format!("{line}{end}").as_bytes())?;
    }
    Ok(status)
}

fn user_shown(process: &Process<'_>, uid: u32, names: bool) -> String {
    let name = accounts::user_name(&process.machine.tree, uid).filter(|_| names);
    name.map_or_else(|| uid.to_string(), |name| show(&name))
}

fn group_shown(process: &Process<'_>, gid: u32, names: bool) -> String {
    let name = accounts::group_name(&process.machine.tree, gid).filter(|_| names);
    name.map_or_else(|| gid.to_string(), |name| show(&name))
}

fn full(process: &Process<'_>, user: &User, groups: &[u32]) -> String {
    let tree = &process.machine.tree;
    let with = |id: u32, name: Option<Vec<u8>>| match name {
        Some(name) => format!("{id}({})", show(&name)),
        None => id.to_string(),
    };
    let group = |gid: u32| with(gid, accounts::group_name(tree, gid));
    let list: Vec<_> = groups.iter().map(|gid| group(*gid)).collect();
    let uid = with(user.uid, accounts::user_name(tree, user.uid));
    format!("uid={uid} gid={} groups={}", group(user.gid), list.join(","))
}
