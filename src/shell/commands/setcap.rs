//! setcap: gives files capabilities, or takes them away.

use crate::shell::{
    Fatal, Process, Status,
    capabilities::{self, ATTRIBUTE, Capabilities},
    files::show,
};

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let mut arguments = process.arguments();
    arguments.retain(|argument| argument != b"-q");
    if arguments.len() < 2 || !arguments.len().is_multiple_of(2) {
        return Err(process.not_modelled("anything but pairs of capabilities and files"));
    }
    for pair in arguments.chunks(2) {
        let shown = show(&pair[1]);
        let sets = match (pair[0].as_slice(), capabilities::parse(&String::from_utf8_lossy(&pair[0]))) {
            (b"-r", _) => None,
            (_, Some(sets)) => Some(sets),
            _ => return Err(process.not_modelled(format!("the capabilities `{}`", show(&pair[0])))),
        };
        let id = match process.lookup_no_follow(&pair[1]) {
            Ok(id) if process.inode(id).is_file() => id,
            Ok(_) => return refuse(process, &format!("Invalid file '{shown}' for capability operation")),
            Err(error) => {
                return refuse(process, &format!("Failed to set capabilities on file '{shown}': {}", error.errno));
            }
        };
        let xattrs = &mut process.machine.tree.stat_mut(id).xattrs;
        match sets.map(Capabilities::encode) {
            Some(Some(value)) => {
                xattrs.insert(ATTRIBUTE.into(), value.into());
            }
            Some(None) => {
                return refuse(process, &format!("Invalid file '{shown}' for capability operation"));
            }
            None if xattrs.remove(ATTRIBUTE).is_none() => {
                return refuse(process, &format!("File '{shown}' has no capablity to remove"));
            }
            None => {}
        }
    }
    Ok(Status::SUCCESS)
}

fn refuse(process: &mut Process<'_>, message: &str) -> Result<Status, Fatal> {
    process.write(2, format!("{message}\n").as_bytes())?;
    Ok(Status::FAILURE)
}
