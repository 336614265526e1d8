//! chmod: changes the modes of files.

use crate::{
    shell::{
        Fatal, Process, Status,
        acl::Acl,
        files::show,
        mode::{Mode, permissions},
        options::{Arguments, parse_list},
    },
    tree::InodeId,
};

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let mut words = process.arguments();
    // A mode may look like an option: `chmod -x file`.
    let dashed = |word: &[u8]| word.len() > 1 && word[0] == b'-' && b"rwxXstugoa,+=01234567".contains(&word[1]);
    let end = words.iter().position(|word| word == b"--").unwrap_or(words.len());
    let mut operands = words[..end].iter().position(|word| dashed(word)).map(|at| vec![words.remove(at)]);
    let arguments = parse_list(
        process,
        words,
        &["R recursive", "c changes", "f silent quiet", "v verbose", "reference=", "preserve-root", "no-preserve-root"],
    )?;
    let operands = operands.get_or_insert_default();
    operands.extend(arguments.operands.iter().cloned());
    let mode = match arguments.value("reference") {
        Some(reference) => match process.lookup(reference) {
            Ok(id) => Mode::parse(format!("{:05o}", process.inode(id).stat.mode).as_bytes()),
            Err(error) => {
                return process.fail(&format!("failed to get attributes of '{}': {}", show(reference), error.errno));
            }
        },
        None if operands.is_empty() => return process.wrong_operands(&[], 0),
        None => {
            let text = operands.remove(0);
            match Mode::parse(&text) {
                Some(mode) => Some(mode),
                None => return process.fail(&format!("invalid mode: '{}'", show(&text))),
            }
        }
    };
    let (Some(mode), false) = (mode, operands.is_empty()) else { return process.wrong_operands(&[], 0) };
    let mut status = Status::SUCCESS;
    for path in operands {
        if !change(process, &arguments, &mode, path)? {
            status = Status::FAILURE;
        }
    }
    Ok(status)
}

fn change(process: &mut Process<'_>, arguments: &Arguments, mode: &Mode, path: &[u8]) -> Result<bool, Fatal> {
    let top = match process.lookup(path) {
        Ok(id) => id,
        Err(error) => {
            if !arguments.has("f") {
                process.complain(&format!("cannot access '{}': {}", show(path), error.errno))?;
            }
            return Ok(false);
        }
    };
    if !arguments.has("R") {
        set(process, arguments, mode, path, top)?;
        return Ok(true);
    }
    for (path, id) in process.below(path, top) {
        if !process.inode(id).is_symlink() {
            set(process, arguments, mode, &path, id)?;
        }
    }
    Ok(true)
}

fn set(process: &mut Process<'_>, arguments: &Arguments, mode: &Mode, path: &[u8], id: InodeId) -> Result<(), Fatal> {
    let old = process.inode(id).stat.mode;
    let new = mode.apply(old, process.inode(id).is_dir(), process.umask);
    process.machine.tree.stat_mut(id).mode = new;
    Acl::follow_mode(&mut process.machine.tree, id);
    let shown = |mode: u16| format!("{mode:04o} ({})", permissions(mode));
    if old != new && (arguments.has("c") || arguments.has("v")) {
        process.out(format!("mode of '{}' changed from {} to {}\n", show(path), shown(old), shown(new)).as_bytes())?;
    } else if arguments.has("v") {
        process.out(format!("mode of '{}' retained as {}\n", show(path), shown(old)).as_bytes())?;
    }
    Ok(())
}
