//! `dpkg-statoverride`: lists, adds and removes overridden owners and modes.

use super::super::{
    Fatal, Process, Status,
    dpkg::{self, Stop, error},
    pattern,
};
use crate::{
    dpkg::overrides::{self, Override, Overrides, parse_mode},
    tree::Tree,
};

const OPTIONS: &[&str] = &[
    "add",
    "remove",
    "list",
    "update",
    "quiet",
    "force",
    "force-statoverride-add",
    "force-statoverride-remove",
    "force-all",
];

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let outcome = act(process);
    dpkg::end(process, outcome)
}

fn act(process: &mut Process<'_>) -> Result<Status, Stop> {
    let arguments = dpkg::arguments(process, OPTIONS)?;
    let Some(action) = arguments.action(&["add", "remove", "list"]) else { return error("need an action option") };
    let bytes = dpkg::read_database(process, overrides::PATH)?;
    let overrides = Overrides::parse(&bytes).or_else(|fault| error(format!("statoverride file: {fault}")))?;
    let all = arguments.has("force") || arguments.has("force-all");
    match (action, arguments.operands.as_slice()) {
        ("list", patterns) => list(process, &overrides, patterns),
        ("add", [user, group, mode, path]) => {
            let force = all || arguments.has("force-statoverride-add");
            add(process, overrides, [user, group, mode], path, arguments.has("update"), force)
        }
        ("add", _) => error("--add needs four arguments"),
        ("remove", [path]) => {
            let force = all || arguments.has("force-statoverride-remove");
            remove(process, overrides, path, force, arguments.has("quiet"))
        }
        _ => error("--remove needs a single argument"),
    }
}

/// Without slashes, or slashes and dots, at the end.
fn trim(path: &[u8]) -> &[u8] {
    let mut path = path;
    loop {
        path = match path {
            [rest @ .., b'/'] | [rest @ .., b'/', b'.'] if !rest.is_empty() => rest,
            _ => return path,
        };
    }
}

/// A user's or group's number: `#N`, or what the file says of the name.
fn number(tree: &Tree, path: &[u8], name: &[u8]) -> Option<u32> {
    let parse = |text: &[u8]| std::str::from_utf8(text).ok()?.parse().ok();
    if let Some(digits) = name.strip_prefix(b"#") {
        return parse(digits);
    }
    entries(tree, path).into_iter().find(|(known, _)| known == name).and_then(|(_, id)| parse(&id))
}

/// Names and numbers of `/etc/passwd` or `/etc/group`.
fn entries(tree: &Tree, path: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let bytes = tree.read(path).unwrap_or_default();
    let entry = |line: &[u8]| {
        let mut fields = line.split(|&b| b == b':');
        Some((fields.next()?.to_vec(), fields.nth(1)?.to_vec()))
    };
    bytes.split(|&b| b == b'\n').filter_map(entry).collect()
}

const USERS: &[u8] = b"/etc/passwd";
const GROUPS: &[u8] = b"/etc/group";

/// The entry as it is printed and written: names where numbers have them.
fn named(tree: &Tree, entry: &Override) -> Override {
    let name = |path: &[u8], text: &[u8]| {
        let Some(id) = number(tree, path, text) else { return text.to_vec() };
        let id = id.to_string().into_bytes();
        let known = entries(tree, path).into_iter().find(|(_, other)| *other == id);
        known.map_or_else(|| [b"#", id.as_slice()].concat(), |(name, _)| name)
    };
    Override { user: name(USERS, &entry.user), group: name(GROUPS, &entry.group), ..entry.clone() }
}

fn list(process: &mut Process<'_>, overrides: &Overrides, patterns: &[Vec<u8>]) -> Result<Status, Stop> {
    let mut status = Status::FAILURE;
    for entry in &overrides.0 {
        if patterns.is_empty() || patterns.iter().any(|pattern| pattern::matches(trim(pattern), &entry.path)) {
            let line = named(&process.machine.tree, entry).render();
            process.out(&line)?;
            status = Status::SUCCESS;
        }
    }
    Ok(status)
}

fn write(process: &mut Process<'_>, overrides: &Overrides) -> Result<(), Stop> {
    let named = overrides.0.iter().map(|entry| named(&process.machine.tree, entry)).collect();
    let bytes = Overrides(named).render();
    dpkg::write_database(process, overrides::PATH, bytes)
}

fn add(
    process: &mut Process<'_>,
    mut overrides: Overrides,
    [user, group, mode]: [&Vec<u8>; 3],
    path: &[u8],
    update: bool,
    force: bool,
) -> Result<Status, Stop> {
    let path = trim(path);
    let shown = path.escape_ascii();
    if path.contains(&b'\n') {
        return error("path may not contain newlines");
    }
    if overrides.of(path).is_some() {
        if !force {
            return error(format!("an override for '{shown}' already exists; aborting"));
        }
        process.complain(&format!("warning: an override for '{shown}' already exists, but --force specified"))?;
        overrides.0.retain(|entry| entry.path != path);
    }
    let tree = &mut process.machine.tree;
    let Some(uid) = number(tree, USERS, user) else {
        return error(format!("user '{}' does not exist", user.escape_ascii()));
    };
    let Some(gid) = number(tree, GROUPS, group) else {
        return error(format!("group '{}' does not exist", group.escape_ascii()));
    };
    let Some(mode) = parse_mode(mode) else {
        return error(format!("invalid statoverride mode {}", mode.escape_ascii()));
    };
    if update {
        match tree.lookup(path) {
            Ok(id) => {
                let stat = tree.stat_mut(id);
                (stat.uid, stat.gid, stat.mode) = (uid, gid, mode);
            }
            Err(_) => process.complain(&format!("warning: --update given but {shown} does not exist"))?,
        }
    }
    overrides.0.push(Override { user: user.clone(), group: group.clone(), mode, path: path.to_vec() });
    write(process, &overrides)?;
    Ok(Status::SUCCESS)
}

fn remove(
    process: &mut Process<'_>,
    mut overrides: Overrides,
    path: &[u8],
    force: bool,
    quiet: bool,
) -> Result<Status, Stop> {
    let path = trim(path);
    if overrides.of(path).is_none() {
        if !quiet {
            process.complain("warning: no override present")?;
        }
        return Ok(if force { Status::SUCCESS } else { Status(2) });
    }
    overrides.0.retain(|entry| entry.path != path);
    write(process, &overrides)?;
    Ok(Status::SUCCESS)
}
