//! systemd-tmpfiles: `--create` and `--remove` of what `tmpfiles.d` asks for.
//!
//! Lines whose users don't exist yet are reported and left out, as the real program does when a package's script calls it
//! before the package that makes the user is configured. Cleaning by age has no meaning in a tree that is being built.

mod create;
mod glob;
mod item;
mod line;
mod perms;
mod remove;

use item::{Item, Items};

use crate::shell::{
    Fatal, Process, Status,
    options::{self, Arguments},
    stop::{Stop, finish, show},
    units::conf_files,
};

const FOLDERS: [&str; 5] =
    ["/etc/tmpfiles.d", "/run/tmpfiles.d", "/usr/local/lib/tmpfiles.d", "/usr/lib/tmpfiles.d", "/lib/tmpfiles.d"];

const OPTIONS: &[&str] =
    &["boot", "create", "exclude-prefix=", "E", "prefix=", "no-pager", "remove", "replace=", "root="];

/// Exit statuses of sysexits.h.
const BAD_CONFIGURATION: u8 = 65;
const CANNOT_CREATE: u8 = 73;

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let result = work(process);
    finish(process, result)
}

/// Writes a line of the log.
fn log(process: &mut Process<'_>, line: &str) -> Result<(), Fatal> {
    process.write(2, format!("{line}\n").as_bytes())
}

fn work(process: &mut Process<'_>) -> Result<Status, Stop> {
    let arguments = options::parse(process, OPTIONS)?;
    if let Some(root) = arguments.value("root").filter(|root| *root != b"/") {
        return Err(process.not_modelled(format!("--root={}", show(root))).into());
    }
    if arguments.has("replace") {
        return Err(process.not_modelled("option `--replace`").into());
    }
    let (create, remove) = (arguments.has("create"), arguments.has("remove"));
    if !create && !remove {
        let message = "You need to specify at least one of --clean, --create or --remove.\n";
        return Err(Stop::Exit(1, message.to_owned()));
    }
    let mut items = Items::new(arguments.has("boot"), prefixes(&arguments));
    let mut failed = false;
    if arguments.operands.is_empty() {
        let folders: Vec<Vec<u8>> = FOLDERS.iter().map(|folder| folder.as_bytes().to_vec()).collect();
        for file in conf_files(&process.machine.tree, &folders, b".conf") {
            if let Ok(text) = process.machine.tree.read(&file) {
                items.read(process, &file, &text)?;
            }
        }
    }
    for operand in &arguments.operands {
        let (path, text) = open(process, operand)?;
        failed |= !items.read(process, &path, &text)?;
    }
    if failed {
        return Err(Stop::quiet(CANNOT_CREATE));
    }
    items.link_parents();
    let mut sound = true;
    for phase in [Phase::Remove, Phase::Create] {
        let asked = if phase == Phase::Create { create } else { remove };
        for index in items.order().filter(|_| asked).collect::<Vec<_>>() {
            sound &= items.process(process, index, phase)?;
        }
    }
    Ok(Status(match (items.invalid, sound) {
        (true, _) => BAD_CONFIGURATION,
        (false, false) => CANNOT_CREATE,
        (false, true) => 0,
    }))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Remove,
    Create,
}

/// Path prefixes that `--prefix` admits and `--exclude-prefix` and `-E` leave out.
#[derive(Debug, Default)]
struct Prefixes {
    included: Vec<Vec<u8>>,
    excluded: Vec<Vec<u8>>,
}

fn prefixes(arguments: &Arguments) -> Prefixes {
    let mut prefixes = Prefixes::default();
    for (option, value) in &arguments.options {
        match *option {
            "prefix" => prefixes.included.push(value.clone()),
            "exclude-prefix" => prefixes.excluded.push(value.clone()),
            "E" => {
                let defaults = ["/dev", "/proc", "/run", "/sys"];
                prefixes.excluded.extend(defaults.iter().map(|path| path.as_bytes().to_vec()));
            }
            _ => {}
        }
    }
    prefixes
}

impl Prefixes {
    fn admit(&self, path: &[u8]) -> bool {
        let starts = |prefix: &Vec<u8>| {
            let prefix = prefix.strip_suffix(b"/").unwrap_or(prefix);
            path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
        };
        !self.excluded.iter().any(starts) && (self.included.is_empty() || self.included.iter().any(starts))
    }
}

fn open(process: &mut Process<'_>, operand: &[u8]) -> Result<(Vec<u8>, bytes::Bytes), Stop> {
    if operand == b"-" {
        return Ok((b"<stdin>".to_vec(), process.read_all(0)));
    }
    let candidates: Vec<Vec<u8>> = if operand.starts_with(b"/") {
        vec![operand.to_vec()]
    } else {
        FOLDERS.iter().map(|folder| [folder.as_bytes(), b"/", operand].concat()).collect()
    };
    for path in candidates {
        if let Ok(text) = process.machine.tree.read(&path) {
            return Ok((path, text));
        }
    }
    Err(Stop::Exit(1, format!("Failed to open '{}': No such file or directory\n", show(operand))))
}

impl Items {
    /// Carries out everything for one path, its parent's first; whether all went well.
    fn process(&mut self, process: &mut Process<'_>, index: usize, phase: Phase) -> Result<bool, Fatal> {
        let mut sound = true;
        if phase == Phase::Create
            && let Some(parent) = self.paths[index].parent
        {
            sound &= self.process(process, parent, phase)?;
        }
        if phase == Phase::Remove {
            let children = |(_, path): &(usize, &item::Path)| path.parent == Some(index);
            let below: Vec<usize> = self.paths.iter().enumerate().filter(children).map(|(child, _)| child).collect();
            for child in below {
                sound &= self.process(process, child, phase)?;
            }
        }
        for position in 0..self.paths[index].items.len() {
            let item: Item = self.paths[index].items[position].clone();
            let done = &mut self.paths[index].items[position].done;
            if done.contains(&phase) {
                continue;
            }
            done.push(phase);
            let fine = match phase {
                Phase::Create => create::create(process, &item)? || item.may_fail,
                Phase::Remove => remove::remove(process, &item)?,
            };
            sound &= fine;
        }
        Ok(sound)
    }
}
