//! cp: copies files and directories.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    shell::{
        Fatal, Process, Status, backup,
        copy::{Copy, Existing, Follow, Make, Preserve},
        files::{base_name, dir_name, join, show},
        options::{Arguments, parse},
    },
    tree::Node,
};

const OPTIONS: &[&str] = &[
    "a archive",
    "attributes-only",
    "b",
    "backup?",
    "d",
    "f force",
    "H",
    "L dereference",
    "l link",
    "n no-clobber",
    "no-preserve=",
    "P no-dereference",
    "p",
    "parents",
    "preserve?",
    "R r recursive",
    "reflink?",
    "remove-destination",
    "S suffix=",
    "s symbolic-link",
    "sparse=",
    "strip-trailing-slashes",
    "T no-target-directory",
    "t target-directory=",
    "u update",
    "v verbose",
    "x one-file-system",
    "Z",
    "context?",
];

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let mut arguments = parse(process, OPTIONS)?;
    let mut copy = match settings(process, &arguments)? {
        Ok(copy) => copy,
        Err(message) => return process.fail(&message),
    };
    let mut operands = std::mem::take(&mut arguments.operands);
    let parents = arguments.has("parents");
    let target = match arguments.value("t") {
        Some(folder) => folder.to_vec(),
        None if operands.len() < 2 => return process.wrong_operands(&operands, operands.len()),
        None => operands.pop().unwrap_or_default(),
    };
    if operands.is_empty() {
        return process.wrong_operands(&operands, 0);
    }
    let into = !arguments.has("T") && (arguments.has("t") || parents || process.is_dir(&target));
    if arguments.has("T") && operands.len() > 1 {
        return process.wrong_operands(&operands, 1);
    }
    if (operands.len() > 1 || parents || arguments.has("t")) && !process.is_dir(&target) {
        return process.fail(&format!("target '{}' is not a directory", show(&target)));
    }
    let mut status = Status::SUCCESS;
    for source in operands {
        let to = match (into, parents) {
            (true, true) => join(&target, source.strip_prefix(b"/").unwrap_or(&source)),
            (true, false) if matches!(base_name(&source), b"." | b"..") => join(&target, b"."),
            (true, false) => join(&target, base_name(&source)),
            (false, _) => target.clone(),
        };
        let outcome = match parents {
            true => make_parents(process, &copy, &source, &target)?,
            false => Ok(()),
        };
        let outcome = match outcome {
            Ok(()) => copy.run(process, &source, &to, true)?,
            failed => failed,
        };
        if let Err(message) = outcome {
            process.complain(&message)?;
            status = Status::FAILURE;
        }
    }
    Ok(status)
}

fn settings(process: &Process<'_>, arguments: &Arguments) -> Result<Result<Copy, String>, Fatal> {
    let archive = arguments.has("a");
    let mut preserve =
        Preserve { mode: false, owner: false, time: false, links: false, xattrs: false, default_mode: false };
    for (option, value) in &arguments.options {
        match *option {
            "a" => preserve = Preserve { mode: true, owner: true, time: true, links: true, xattrs: true, ..preserve },
            "p" => preserve = Preserve { mode: true, owner: true, time: true, ..preserve },
            "d" => preserve.links = true,
            "preserve" if value.is_empty() => {
                preserve = Preserve { mode: true, owner: true, time: true, ..preserve };
            }
            "preserve" | "no-preserve" => {
                for word in value.split(|&b| b == b',') {
                    if !set(&mut preserve, word, *option == "preserve") {
                        return Err(process.not_modelled(format!("--{option}={}", show(word))));
                    }
                }
            }
            _ => {}
        }
    }
    let recursive = archive || arguments.has("R");
    let follow = match arguments.last_of(&["P", "d", "a", "L", "H"]) {
        Some("P" | "d" | "a") => Follow::Never,
        Some("L") => Follow::Always,
        Some(_) => Follow::Operands,
        None if recursive => Follow::Never,
        None => Follow::Always,
    };
    let existing = match arguments.last_of(&["n", "u", "remove-destination"]) {
        Some("n") => Existing::Keep,
        Some("u") => Existing::Update,
        Some(_) => Existing::Remove,
        None => Existing::Overwrite,
    };
    let make = match arguments.last_of(&["l", "s", "attributes-only"]) {
        Some("l") => Make::HardLink,
        Some("s") => Make::Symlink,
        Some(_) => Make::AttributesOnly,
        None => Make::Copy,
    };
    let backup = match backup::wanted(process, arguments) {
        Ok(backup) => backup,
        Err(message) => return Ok(Err(message)),
    };
    Ok(Ok(Copy {
        recursive,
        follow,
        preserve,
        make,
        existing,
        verbose: arguments.has("v"),
        backup,
        links: BTreeMap::new(),
        made: BTreeSet::new(),
    }))
}

/// Turns one attribute on or off; false when there is none of this name.
fn set(preserve: &mut Preserve, attribute: &[u8], on: bool) -> bool {
    match attribute {
        b"mode" => {
            preserve.mode = on;
            preserve.default_mode = !on;
        }
        b"ownership" => preserve.owner = on,
        b"timestamps" => preserve.time = on,
        b"links" => preserve.links = on,
        b"xattr" => preserve.xattrs = on,
        b"context" => {}
        b"all" => {
            *preserve = Preserve { mode: on, owner: on, time: on, links: on, xattrs: on, default_mode: !on };
        }
        _ => return false,
    }
    true
}

/// For --parents: the directories that lead to `source`, made in `target` with the modes of the originals.
fn make_parents(
    process: &mut Process<'_>,
    copy: &Copy,
    source: &[u8],
    target: &[u8],
) -> Result<Result<(), String>, Fatal> {
    let mut above = Vec::new();
    let mut folder = dir_name(source);
    while !matches!(folder, b"." | b"/") {
        above.push(folder);
        folder = dir_name(folder);
    }
    for folder in above.into_iter().rev() {
        let to = join(target, folder.strip_prefix(b"/").unwrap_or(folder));
        if process.is_dir(&to) {
            continue;
        }
        let mode = match process.lookup(folder) {
            Ok(id) => process.inode(id).stat.mode & 0o1777,
            Err(error) => return Ok(Err(format!("cannot stat '{}': {}", show(folder), error.errno))),
        };
        if let Err(error) = process.create(&to, mode, Node::Directory(BTreeMap::new())) {
            return Ok(Err(format!("cannot make directory '{}': {}", show(&to), error.errno)));
        }
        if copy.verbose {
            process.out(format!("{} -> {}\n", show(folder), show(&to)).as_bytes())?;
        }
    }
    Ok(Ok(()))
}
