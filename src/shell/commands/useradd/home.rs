//! The home directory of a new user, copied from the skeleton, and the mailbox.

use super::{Defaults, Request};
use crate::{
    shell::{
        Fatal, Process,
        stop::{Stop, show},
        userdb::{LoginDefs, User, UserDb},
    },
    tree::{InodeId, Node, Stat},
};

pub(super) fn make(
    process: &mut Process<'_>,
    request: &Request,
    defs: &LoginDefs,
    defaults: &Defaults,
    db: &UserDb,
    user: &User,
) -> Result<(), Stop> {
    let arguments = &request.arguments;
    let wanted = arguments.has("m") || (!request.system && defs.yes("CREATE_HOME"));
    if wanted && !arguments.has("M") {
        let home = [request.root.as_slice(), &user.home].concat();
        if process.machine.tree.lookup(&home).is_ok() {
            let (name, path) = (show(process.name()), show(&user.home));
            let text = format!(
                "{name}: warning: the home directory {path} already exists.\n\
                 {name}: Not copying any file from skel directory into it.\n"
            );
            process.write(2, text.as_bytes())?;
        } else {
            let umask = defs.number(process, "UMASK", 0o022)?;
            let mode = defs.number(process, "HOME_MODE", 0o777 & !umask)?;
            let mode = u16::try_from(mode & 0o7777).expect("twelve bits");
            let id = make_directory(process, &home)?;
            let stat = process.machine.tree.stat_mut(id);
            (stat.mode, stat.uid, stat.gid) = (mode, user.uid, user.gid);
            let skeleton = arguments.value("k").unwrap_or(&defaults.skeleton);
            copy(process, &[request.root.as_slice(), skeleton].concat(), &home, user.uid, user.gid)?;
        }
    }
    if defaults.mail && !request.system {
        make_mailbox(process, request, defs, db, user)?;
    }
    Ok(())
}

fn make_directory(process: &mut Process<'_>, path: &[u8]) -> Result<InodeId, Stop> {
    let stat = Stat::root(0o755, process.machine.epoch.timestamp());
    let made = process.machine.tree.create_dir_all(path, &stat);
    made.map_err(|error| Stop::refuse(process, 12, &format!("cannot create directory {}", show(&error.path))))
}

/// Copies what is in one directory into another, for its new owner; times are kept. A missing skeleton is none.
pub(in crate::shell) fn copy(
    process: &mut Process<'_>,
    from: &[u8],
    to: &[u8],
    uid: u32,
    gid: u32,
) -> Result<(), Fatal> {
    let mut todo = vec![(from.to_vec(), to.to_vec())];
    while let Some((source, target)) = todo.pop() {
        let tree = &mut process.machine.tree;
        let Some(entries) = tree.find(&source).and_then(|inode| inode.entries()).cloned() else { continue };
        for (name, id) in entries {
            let inode = tree.get(id).clone();
            let below = |folder: &[u8]| [folder, b"/", name.as_bytes()].concat();
            let node = match inode.node {
                Node::Directory(_) => {
                    todo.push((below(&source), below(&target)));
                    Node::Directory(Default::default())
                }
                // A link into the skeleton leads to the copy.
                Node::Symlink(link) => Node::Symlink(match link.strip_prefix(from) {
                    Some(rest) => [to, rest].concat().into(),
                    None => link,
                }),
                other => other,
            };
            let stat = Stat { uid, gid, ..inode.stat };
            tree.create(&below(&target), stat, node)
                .map_err(|error| Fatal::NotModelled { command: "useradd".to_owned(), what: error.to_string() })?;
        }
    }
    Ok(())
}

fn make_mailbox(
    process: &mut Process<'_>,
    request: &Request,
    defs: &LoginDefs,
    db: &UserDb,
    user: &User,
) -> Result<(), Fatal> {
    let spool = defs.text("MAIL_DIR").unwrap_or(b"/var/mail");
    let path = [request.root.as_slice(), spool, b"/", &user.name].concat();
    let (gid, mode) = db.groups.get(b"mail").map_or((user.gid, 0o600), |mail| (mail.gid, 0o660));
    let stat = Stat { uid: user.uid, gid, ..Stat::root(mode, process.machine.epoch.timestamp()) };
    if let Err(error) = process.machine.tree.create(&path, stat, Node::Regular(Vec::new().into())) {
        process.write(2, format!("Creating mailbox file: {}\n", error.errno).as_bytes())?;
    }
    Ok(())
}
