//! getcap: shows the capabilities that files have.

use crate::{
    shell::{
        Fatal, Process, Status,
        capabilities::{ATTRIBUTE, Capabilities},
        options,
    },
    tree::InodeId,
};

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = options::parse(process, &["r", "v", "n"])?;
    if arguments.operands.is_empty() {
        process.complain("no file is named")?;
        return Ok(Status::FAILURE);
    }
    for path in &arguments.operands {
        let Ok(id) = process.lookup_no_follow(path) else {
            let line = [path.as_slice(), b" (No such file or directory)\n"].concat();
            process.write(2, &line)?;
            continue;
        };
        let files = if arguments.has("r") { process.below(path, id) } else { vec![(path.clone(), id)] };
        for (path, id) in files {
            let mut line = path;
            line.extend_from_slice(describe(process, id, arguments.has("v")).as_bytes());
            if line.last() == Some(&b'\n') {
                process.out(&line)?;
            }
        }
    }
    Ok(Status::SUCCESS)
}

/// What stands behind the path of a file; nothing for one that is passed over.
fn describe(process: &Process<'_>, id: InodeId, verbose: bool) -> String {
    let inode = process.inode(id);
    let value = inode.stat.xattrs.get(ATTRIBUTE).filter(|_| inode.is_file());
    match value.and_then(|value| Capabilities::decode(value)) {
        Some(sets) => format!(" {}\n", sets.text()),
        None if verbose && !inode.is_file() => " (Not a regular file)\n".to_owned(),
        None if verbose => "\n".to_owned(),
        None => String::new(),
    }
}
