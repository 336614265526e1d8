//! install: copies files with a given mode and owner, or makes directories.

use std::collections::BTreeMap;

use crate::{
    shell::{
        Fatal, Process, Status,
        accounts::{self, Owner},
        backup::{self, Backup},
        files::{base_name, dir_name, join, show},
        mode::Mode,
        options::{Arguments, parse},
    },
    tree::{Content, InodeId, Node, Timestamp},
};

const OPTIONS: &[&str] = &[
    "b",
    "backup?",
    "c",
    "C compare",
    "d directory",
    "D",
    "g group=",
    "m mode=",
    "o owner=",
    "p preserve-timestamps",
    "S suffix=",
    "t target-directory=",
    "T no-target-directory",
    "v verbose",
    "Z context",
];

/// What everything installed gets.
struct Settings {
    mode: Mode,
    owner: Owner,
    backup: Option<Backup>,
}

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = parse(process, OPTIONS)?;
    let settings = match settings(process, &arguments) {
        Ok(settings) => settings,
        Err(message) => return process.fail(&message),
    };
    let mut operands = arguments.operands.clone();
    if operands.is_empty() {
        return process.fail("missing file operand");
    }
    let mut status = Status::SUCCESS;
    if arguments.has("d") {
        for path in &operands {
            if let Err(message) = directory(process, &settings, path) {
                process.complain(&message)?;
                status = Status::FAILURE;
            }
        }
        return Ok(status);
    }
    let target = match arguments.value("t") {
        Some(folder) => folder.to_vec(),
        None if operands.len() == 1 => {
            return process.fail(&format!("missing destination file operand after '{}'", show(&operands[0])));
        }
        None => operands.pop().unwrap_or_default(),
    };
    if arguments.has("D") {
        let folder = if arguments.has("t") { target.as_slice() } else { dir_name(&target) };
        if let Err(message) = leading(process, folder) {
            return process.fail(&message);
        }
    }
    let into = arguments.has("t") || (!arguments.has("T") && process.is_dir(&target));
    if (operands.len() > 1 || arguments.has("t")) && !process.is_dir(&target) {
        return process.fail(&format!("target '{}' is not a directory", show(&target)));
    }
    for source in &operands {
        let to = if into { join(&target, base_name(source)) } else { target.clone() };
        match file(process, &arguments, &settings, source, &to)? {
            Ok(()) if arguments.has("v") => {
                process.out(format!("'{}' -> '{}'\n", show(source), show(&to)).as_bytes())?;
            }
            Ok(()) => {}
            Err(message) => {
                process.complain(&message)?;
                status = Status::FAILURE;
            }
        }
    }
    Ok(status)
}

fn settings(process: &Process<'_>, arguments: &Arguments) -> Result<Settings, String> {
    let mode = arguments.value("m").unwrap_or(b"0755");
    let mode = Mode::parse(mode).ok_or_else(|| format!("invalid mode '{}'", show(mode)))?;
    let tree = &process.machine.tree;
    let named =
        |option: &str, what: &str, find: fn(&crate::tree::Tree, &[u8]) -> Option<u32>| match arguments.value(option) {
            None => Ok(None),
            Some(name) => find(tree, name).map(Some).ok_or_else(|| format!("invalid {what} '{}'", show(name))),
        };
    let owner = Owner { uid: named("o", "user", accounts::uid)?, gid: named("g", "group", accounts::gid)? };
    Ok(Settings { mode, owner, backup: backup::wanted(process, arguments)? })
}

/// Owner first: changing it takes set-id bits away.
fn finish(process: &mut Process<'_>, settings: &Settings, id: InodeId) {
    settings.owner.apply(&mut process.machine.tree, id);
    let directory = process.inode(id).is_dir();
    process.machine.tree.stat_mut(id).mode = settings.mode.apply(0, directory, 0);
}

/// The directories of `path`, with mode 0755.
fn leading(process: &mut Process<'_>, path: &[u8]) -> Result<(), String> {
    if process.is_dir(path) {
        return Ok(());
    }
    if !matches!(path, b"/" | b".") {
        leading(process, dir_name(path))?;
    }
    match process.create(path, 0o755, Node::Directory(BTreeMap::new())) {
        Ok(id) => {
            process.machine.tree.stat_mut(id).mode |= 0o755;
            Ok(())
        }
        Err(error) => Err(format!("cannot create directory '{}': {}", show(path), error.errno)),
    }
}

fn directory(process: &mut Process<'_>, settings: &Settings, path: &[u8]) -> Result<(), String> {
    leading(process, path)?;
    let id = process.lookup(path).map_err(|error| format!("cannot stat '{}': {}", show(path), error.errno))?;
    finish(process, settings, id);
    Ok(())
}

fn file(
    process: &mut Process<'_>,
    arguments: &Arguments,
    settings: &Settings,
    source: &[u8],
    to: &[u8],
) -> Result<Result<(), String>, Fatal> {
    let (content, mtime) = match original(process, source) {
        Ok(original) => original,
        Err(message) => return Ok(Err(message)),
    };
    let now = process.machine.epoch.timestamp();
    if let Ok(old) = process.lookup_no_follow(to) {
        let inode = process.inode(old);
        if inode.is_dir() {
            return Ok(Err(format!("cannot overwrite directory '{}' with non-directory", show(to))));
        }
        let tree = &process.machine.tree;
        let original = tree.resolve(&process.absolute(source)).map(|(_, path)| path);
        if original.is_ok() && original == tree.place(&process.absolute(to)).map(|place| place.path()) {
            return Ok(Err(format!("'{}' and '{}' are the same file", show(source), show(to))));
        }
        let stat = &inode.stat;
        let (uid, gid) = (settings.owner.uid.unwrap_or(0), settings.owner.gid.unwrap_or(0));
        let same = inode.node == Node::Regular(content.clone())
            && (stat.uid, stat.gid, stat.mode) == (uid, gid, settings.mode.apply(0, false, 0));
        if arguments.has("C") && same {
            return Ok(Ok(()));
        }
        let moved = match &settings.backup {
            Some(backup) => backup.make(process, to)?,
            None => false,
        };
        if !moved {
            let absolute = process.absolute(to);
            if let Err(error) = process.machine.tree.unlink(&absolute) {
                return Ok(Err(format!("cannot remove '{}': {}", show(to), error.errno)));
            }
        }
    }
    match process.create(to, 0o600, Node::Regular(content)) {
        Ok(id) => {
            finish(process, settings, id);
            process.machine.tree.stat_mut(id).mtime = if arguments.has("p") { mtime } else { now };
            Ok(Ok(()))
        }
        Err(error) => Ok(Err(format!("cannot create regular file '{}': {}", show(to), error.errno))),
    }
}

fn original(process: &mut Process<'_>, source: &[u8]) -> Result<(Content, Timestamp), String> {
    if matches!(source, b"/dev/null" | b"/dev/stdin") {
        let bytes = process.read_file(source).unwrap_or_default();
        return Ok((Content::from(bytes), process.machine.epoch.timestamp()));
    }
    let id = process.lookup(source).map_err(|error| format!("cannot stat '{}': {}", show(source), error.errno))?;
    match &process.inode(id).node {
        Node::Regular(content) => Ok((content.clone(), process.inode(id).stat.mtime)),
        Node::Directory(_) => Err(format!("omitting directory '{}'", show(source))),
        _ => Err(format!("cannot open '{}'", show(source))),
    }
}
