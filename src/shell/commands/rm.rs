//! rm: removes files and, with -r, directories with all that is in them.

use crate::shell::{
    Fatal, Process, Status,
    files::{base_name, show},
    options::{Arguments, parse},
};

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = parse(
        process,
        &[
            "f force",
            "r recursive",
            "R",
            "d dir",
            "v verbose",
            "i",
            "I",
            "interactive?",
            "one-file-system",
            "preserve-root?",
            "no-preserve-root",
        ],
    )?;
    let asks = arguments.last_of(&["i", "I", "interactive", "f"]);
    if asks.is_some_and(|option| option != "f") {
        return Err(process.not_modelled("asking before a removal"));
    }
    if arguments.operands.is_empty() && !arguments.has("f") {
        return process.wrong_operands(&[], 0);
    }
    let mut status = Status::SUCCESS;
    for path in &arguments.operands {
        if let Err(message) = remove(process, &arguments, path)? {
            process.complain(&message)?;
            status = Status::FAILURE;
        }
    }
    Ok(status)
}

fn remove(process: &mut Process<'_>, arguments: &Arguments, path: &[u8]) -> Result<Result<(), String>, Fatal> {
    let recursive = arguments.has("r") || arguments.has("R");
    let id = match process.lookup_no_follow(path) {
        Ok(id) => id,
        Err(error) => {
            let absent = matches!(error.errno, crate::tree::Errno::NotFound | crate::tree::Errno::NotDirectory);
            if absent && arguments.has("f") {
                return Ok(Ok(()));
            }
            return Ok(Err(format!("cannot remove '{}': {}", show(path), error.errno)));
        }
    };
    let absolute = process.absolute(path);
    let directory = process.inode(id).is_dir();
    if directory && matches!(base_name(path), b"." | b"..") {
        return Ok(Err(format!("refusing to remove '.' or '..' directory: skipping '{}'", show(path))));
    }
    if directory && process.machine.tree.place(&absolute).is_err() {
        return Ok(Err(format!("it is dangerous to operate recursively on '{}'", show(path))));
    }
    if !directory {
        if path.ends_with(b"/") {
            return Ok(Err(format!("cannot remove '{}': Not a directory", show(path))));
        }
        let removed = process.machine.tree.unlink(&absolute);
        announce(process, arguments, "removed", path)?;
        return Ok(removed.map_err(|error| format!("cannot remove '{}': {}", show(path), error.errno)));
    }
    if recursive && path.ends_with(b"/") && is_link(process, path) {
        // What is in the directory goes; the link that leads to it can't, by this name.
        let names: Vec<_> = process.inode(id).entries().into_iter().flatten().map(|(name, _)| name.clone()).collect();
        for name in names {
            let below = crate::shell::files::join(&absolute, name.as_bytes());
            let _ = process.machine.tree.remove_all(&below);
        }
        let message = format!("cannot remove '{}': Not a directory", show(path));
        return Ok(if arguments.has("f") { Ok(()) } else { Err(message) });
    }
    if recursive {
        let mut paths = if arguments.has("v") { process.below(path, id) } else { Vec::new() };
        // What is inside goes first.
        paths.reverse();
        let removed = process.machine.tree.remove_all(&absolute);
        for (path, id) in paths {
            let what = if process.inode(id).is_dir() { "removed directory" } else { "removed" };
            announce(process, arguments, what, &path)?;
        }
        return Ok(removed.map_err(|error| format!("cannot remove '{}': {}", show(path), error.errno)));
    }
    if arguments.has("d") {
        let removed = process.machine.tree.remove_dir(&absolute);
        if removed.is_ok() {
            announce(process, arguments, "removed directory", path)?;
        }
        return Ok(removed.map_err(|error| format!("cannot remove '{}': {}", show(path), error.errno)));
    }
    Ok(Err(format!("cannot remove '{}': Is a directory", show(path))))
}

fn is_link(process: &Process<'_>, path: &[u8]) -> bool {
    let end = path.iter().rposition(|&b| b != b'/').map_or(0, |last| last + 1);
    process.lookup_no_follow(&path[..end]).is_ok_and(|id| process.inode(id).is_symlink())
}

fn announce(process: &mut Process<'_>, arguments: &Arguments, what: &str, path: &[u8]) -> Result<(), Fatal> {
    if arguments.has("v") {
        process.out(format!("{what} '{}'\n", show(path)).as_bytes())?;
    }
    Ok(())
}
