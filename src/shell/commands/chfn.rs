//! chfn: the parts of a user's comment: full name, room, telephones and the rest.

use super::useradd::root;
use crate::shell::{
    Fatal, Process, Status, options,
    stop::{Stop, finish, show},
    userdb::UserDb,
};

const OPTIONS: &[&str] = &["f full-name=", "r room=", "w work-phone=", "h home-phone=", "o other=", "R root="];

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let result = change(process);
    finish(process, result)
}

fn change(process: &mut Process<'_>) -> Result<Status, Stop> {
    let arguments = options::parse(process, OPTIONS)?;
    let root = root(process, &arguments)?;
    let [name] = arguments.operands.as_slice() else {
        return Err(process.not_modelled("other than one user").into());
    };
    let letters = ["f", "r", "w", "h", "o"];
    if !letters.iter().any(|letter| arguments.has(letter)) {
        return Err(process.not_modelled("asking for the fields").into());
    }
    let mut db = UserDb::read(process, &root)?;
    let Some(user) = db.users.get(name) else {
        return Err(Stop::refuse(process, 1, &format!("user '{}' does not exist", show(name))));
    };
    let mut old = user.comment.splitn(5, |&b| b == b',').map(<[u8]>::to_vec);
    let mut parts = Vec::new();
    for letter in letters {
        let old = old.next().unwrap_or_default();
        parts.push(arguments.value(letter).map_or(old, <[u8]>::to_vec));
    }
    check(process, &parts)?;
    let mut comment = parts[..4].join(&b',');
    if !parts[4].is_empty() {
        comment.push(b',');
        comment.extend_from_slice(&parts[4]);
    }
    db.users.update(name, |user| user.comment = comment);
    db.write(process)?;
    Ok(Status::SUCCESS)
}

fn check(process: &mut Process<'_>, parts: &[Vec<u8>]) -> Result<(), Stop> {
    let kinds = ["name", "room number", "work phone", "home phone", "other"];
    for (index, (kind, part)) in kinds.iter().zip(parts).enumerate() {
        let forbidden = |b: &u8| matches!(b, b':' | b'\n') || (index < 4 && matches!(b, b',' | b'='));
        let control = part.iter().any(u8::is_ascii_control);
        let foreign = !part.is_ascii();
        let text = show(part);
        if part.iter().any(forbidden) || control || (foreign && matches!(index, 2 | 3)) {
            let message = match index {
                4 => format!("'{text}' contains illegal characters"),
                _ => format!("invalid {kind}: '{text}'"),
            };
            return Err(Stop::refuse(process, 1, &message));
        }
        if foreign {
            process.complain(&match index {
                4 => format!("'{text}' contains non-ASCII characters"),
                _ => format!("{kind} with non-ASCII characters: '{text}'"),
            })?;
        }
    }
    if parts.iter().map(Vec::len).sum::<usize>() > 80 {
        return Err(Stop::refuse(process, 1, "fields too long"));
    }
    Ok(())
}
