//! readlink: where symbolic links lead.

use crate::{
    shell::{
        Fatal, Process, Status,
        canonical::{Missing, canonical},
        files::show,
        options::parse,
    },
    tree::{Errno, Node},
};

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = parse(
        process,
        &[
            "f canonicalize",
            "e canonicalize-existing",
            "m canonicalize-missing",
            "n no-newline",
            "q quiet",
            "s silent",
            "v verbose",
            "z zero",
        ],
    )?;
    if arguments.operands.is_empty() {
        return process.wrong_operands(&[], 0);
    }
    let end: &[u8] = match (arguments.has("n") && arguments.operands.len() == 1, arguments.has("z")) {
        (true, _) => b"",
        (false, true) => b"\0",
        (false, false) => b"\n",
    };
    let mut status = Status::SUCCESS;
    for path in &arguments.operands {
        let found = match arguments.last_of(&["f", "e", "m"]) {
            Some("f") => canonical(process, path, Missing::Last, true).map_err(|error| error.errno),
            Some("e") => canonical(process, path, Missing::Nothing, true).map_err(|error| error.errno),
            Some(_) => canonical(process, path, Missing::Anything, true).map_err(|error| error.errno),
            None => match process.lookup_no_follow(path) {
                Err(error) => Err(error.errno),
                Ok(id) => match &process.inode(id).node {
                    Node::Symlink(target) => Ok(target.to_vec()),
                    _ => Err(Errno::Invalid),
                },
            },
        };
        match found {
            Ok(target) => process.out(&[&target, end].concat())?,
            Err(errno) => {
                status = Status::FAILURE;
                if arguments.has("v") {
                    process.complain(&format!("{}: {errno}", show(path)))?;
                }
            }
        }
    }
    Ok(status)
}
