//! `dpkg-divert`: lists, adds and removes diversions.

use super::super::{
    Fatal, Process, Status,
    dpkg::{self, Arguments, Stop, error},
    pattern,
};
use crate::{
    dpkg::diversions::{self, Diversion, Diversions},
    tree::Errno,
};

const OPTIONS: &[&str] = &[
    "add",
    "remove",
    "list",
    "listpackage",
    "truename",
    "package=",
    "local",
    "divert=",
    "rename",
    "no-rename",
    "quiet",
    "test",
];

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let outcome = act(process);
    dpkg::end(process, outcome)
}

/// A command line with what it acts on.
struct Request {
    arguments: Arguments,
    diversions: Diversions,
    path: Vec<u8>,
}

fn act(process: &mut Process<'_>) -> Result<Status, Stop> {
    let arguments = dpkg::arguments(process, OPTIONS)?;
    let action = arguments.action(&["add", "remove", "list", "listpackage", "truename"]).unwrap_or("add");
    let bytes = dpkg::read_database(process, diversions::PATH)?;
    let diversions = Diversions::parse(&bytes).or_else(|fault| error(format!("diversions file: {fault}")))?;
    if action == "list" {
        return list(process, &diversions, &arguments.operands);
    }
    let [path] = arguments.operands.as_slice() else { return error(format!("--{action} needs a single argument")) };
    if path.first() != Some(&b'/') {
        return error(format!("filename \"{}\" is not absolute", path.escape_ascii()));
    }
    if path.contains(&b'\n') {
        return error("file may not contain newlines");
    }
    let path = path.clone();
    let request = Request { arguments, diversions, path };
    match action {
        "truename" => {
            let name = request.diversions.from(&request.path).map_or(&request.path, |diversion| &diversion.to);
            process.out(&[name.as_slice(), b"\n"].concat())?;
            Ok(Status::SUCCESS)
        }
        "listpackage" => {
            if let Some(diversion) = request.diversions.of(&request.path) {
                let package = diversion.package.as_deref().unwrap_or(b"LOCAL");
                process.out(&[package, b"\n"].concat())?;
            }
            Ok(Status::SUCCESS)
        }
        "remove" => remove(process, request),
        _ => add(process, request),
    }
}

fn describe(diversion: &Diversion) -> String {
    let (from, to) = (diversion.from.escape_ascii(), diversion.to.escape_ascii());
    match &diversion.package {
        Some(package) => format!("diversion of {from} to {to} by {}", package.escape_ascii()),
        None => format!("local diversion of {from} to {to}"),
    }
}

fn list(process: &mut Process<'_>, diversions: &Diversions, patterns: &[Vec<u8>]) -> Result<Status, Stop> {
    for diversion in &diversions.0 {
        let package = diversion.package.as_deref().unwrap_or(b":");
        let shown = patterns.is_empty()
            || patterns.iter().any(|pattern| {
                [package, &diversion.to, &diversion.from].iter().any(|text| pattern::matches(pattern, text))
            });
        if shown {
            process.out((describe(diversion) + "\n").as_bytes())?;
        }
    }
    Ok(Status::SUCCESS)
}

impl Request {
    fn package(&self) -> Option<Vec<u8>> {
        let local = self.arguments.options.iter().rev().map(|(option, _)| *option);
        match local.into_iter().find(|option| matches!(*option, "package" | "local")) {
            Some("package") => self.arguments.value("package").map(<[u8]>::to_vec),
            _ => None,
        }
    }

    fn renames(&self) -> bool {
        let last = self.arguments.options.iter().rev().map(|(option, _)| *option);
        last.into_iter().find(|option| matches!(*option, "rename" | "no-rename")) == Some("rename")
    }

    fn says(&self, process: &mut Process<'_>, text: String) -> Result<(), Stop> {
        if !self.arguments.has("quiet") {
            process.out(text.as_bytes())?;
        }
        Ok(())
    }

    /// What the command line asks about, for messages.
    fn wanted(&self) -> String {
        let path = self.path.escape_ascii();
        let to = self.arguments.value("divert").map(|to| format!(" to {}", to.escape_ascii())).unwrap_or_default();
        let any = !self.arguments.has("package") && !self.arguments.has("local");
        match self.package() {
            Some(package) => format!("diversion of {path}{to} by {}", package.escape_ascii()),
            None if any => format!("any diversion of {path}{to}"),
            None => format!("local diversion of {path}{to}"),
        }
    }
}

fn add(process: &mut Process<'_>, mut request: Request) -> Result<Status, Stop> {
    let from = request.path.clone();
    if let Ok(id) = process.machine.tree.lookup_no_follow(&from)
        && process.machine.tree.get(id).is_dir()
    {
        return error("cannot divert directories");
    }
    let to = request.arguments.value("divert").map_or_else(|| [&from[..], b".distrib"].concat(), <[u8]>::to_vec);
    if from == to {
        return error(format!("cannot divert file '{}' to itself", from.escape_ascii()));
    }
    let diversion = Diversion { from: from.clone(), to: to.clone(), package: request.package() };
    if let Some(known) = request.diversions.of(&from).or_else(|| request.diversions.of(&to)) {
        if *known == diversion {
            let text = format!("Leaving '{}'\n", describe(known));
            request.says(process, text)?;
            return Ok(Status::SUCCESS);
        }
        return error(format!("'{}' clashes with '{}'", request.wanted(), describe(known)));
    }
    request.says(process, format!("Adding '{}'\n", describe(&diversion)))?;
    let mut rename = request.renames() && check_rename(process, &from, &to)?;
    if rename && let Some(package) = &diversion.package {
        let owned = dpkg::installed_paths(process, package).iter().any(|(_, paths)| paths.contains(&from));
        if owned {
            let (path, package) = (from.escape_ascii(), package.escape_ascii());
            let text = format!("Ignoring request to rename file '{path}' owned by diverting package '{package}'\n");
            request.says(process, text)?;
            rename = false;
        }
    }
    if request.arguments.has("test") {
        return Ok(Status::SUCCESS);
    }
    request.diversions.0.push(diversion);
    let bytes = request.diversions.render();
    dpkg::write_database(process, diversions::PATH, bytes)?;
    if rename {
        move_file(process, &from, &to)?;
    }
    Ok(Status::SUCCESS)
}

fn remove(process: &mut Process<'_>, mut request: Request) -> Result<Status, Stop> {
    let Some(known) = request.diversions.from(&request.path).cloned() else {
        let text = format!("No diversion '{}', none removed.\n", request.wanted());
        request.says(process, text)?;
        return Ok(Status::SUCCESS);
    };
    let found = || format!("\n  when removing '{}'\n  found '{}'", request.wanted(), describe(&known));
    if request.arguments.value("divert").is_some_and(|to| to != known.to) {
        return error(format!("mismatch on divert-to{}", found()));
    }
    let any = !request.arguments.has("package") && !request.arguments.has("local");
    if !any && request.package() != known.package {
        return error(format!("mismatch on package{}", found()));
    }
    if let (Some(package), Some(architecture)) = (request.package(), process.variable("DPKG_MAINTSCRIPT_ARCH")) {
        let lists = dpkg::installed_paths(process, &package);
        let shared = lists
            .iter()
            .any(|(other, paths)| !other.is_empty() && other != architecture && paths.contains(&request.path));
        if shared {
            let text = format!("Ignoring request to remove shared diversion '{}'.\n", describe(&known));
            request.says(process, text)?;
            return Ok(Status::SUCCESS);
        }
    }
    request.says(process, format!("Removing '{}'\n", describe(&known)))?;
    let rename = request.renames() && check_rename(process, &known.to, &known.from)?;
    if request.arguments.has("test") {
        return Ok(Status::SUCCESS);
    }
    if rename {
        move_file(process, &known.to, &known.from)?;
    }
    request.diversions.0.retain(|diversion| *diversion != known);
    let bytes = request.diversions.render();
    dpkg::write_database(process, diversions::PATH, bytes)?;
    Ok(Status::SUCCESS)
}

/// Whether there is a file to move; a different one in its new place is an error.
fn check_rename(process: &Process<'_>, from: &[u8], to: &[u8]) -> Result<bool, Stop> {
    let tree = &process.machine.tree;
    let Ok(source) = tree.lookup_no_follow(from) else { return Ok(false) };
    match tree.lookup_no_follow(to) {
        Ok(target) if target != source => {
            let (from, to) = (from.escape_ascii(), to.escape_ascii());
            error(format!("rename involves overwriting '{to}' with\n  different file '{from}', not allowed"))
        }
        Ok(_) => Ok(true),
        Err(failed) if failed.errno == Errno::NotFound && tree.place(to).is_ok() => Ok(true),
        Err(failed) => error(format!("error checking '{}': {}", to.escape_ascii(), failed.errno)),
    }
}

fn move_file(process: &mut Process<'_>, from: &[u8], to: &[u8]) -> Result<(), Stop> {
    let tree = &mut process.machine.tree;
    if tree.lookup_no_follow(to).is_ok() {
        tree.unlink(from)?;
    } else {
        tree.rename(from, to)?;
    }
    Ok(())
}
