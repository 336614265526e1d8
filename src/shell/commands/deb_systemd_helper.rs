//! deb-systemd-helper of init-system-helpers 1.65: which units packages enabled, in state files beside systemd's own links.
//!
//! Its reading of unit files is not systemd's: one pass over all lines, whatever their section, and state for every link
//! that `Also=` leads to.

mod links;
mod remove;

use links::Link;

use crate::{
    shell::{
        Fatal, Process, Status, options,
        stop::{Stop, finish, show},
    },
    tree::{Node, Stat},
};

/// Units of the system or of all users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Instance {
    System,
    User,
}

impl Instance {
    fn folder(self) -> &'static str {
        match self {
            Self::System => "/etc/systemd/system",
            Self::User => "/etc/systemd/user",
        }
    }

    fn enabled(self) -> &'static str {
        match self {
            Self::System => "/var/lib/systemd/deb-systemd-helper-enabled",
            Self::User => "/var/lib/systemd/deb-systemd-user-helper-enabled",
        }
    }

    fn masked(self) -> &'static str {
        match self {
            Self::System => "/var/lib/systemd/deb-systemd-helper-masked",
            Self::User => "/var/lib/systemd/deb-systemd-user-helper-masked",
        }
    }

    /// Where the state of one link is kept.
    fn state(self, link: &[u8], states: &str) -> Vec<u8> {
        match link.strip_prefix(self.folder().as_bytes()) {
            Some(rest) => [states.as_bytes(), rest].concat(),
            None => link.to_vec(),
        }
    }
}

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let result = help(process);
    finish(process, result)
}

fn error(process: &Process<'_>, message: &str) -> Stop {
    Stop::Exit(1, format!("{}: error: {message}\n", path_of_self(process)))
}

/// perl's `$0`: where the script was found.
fn path_of_self(process: &Process<'_>) -> String {
    let name = process.argv.first().map_or(&[] as &[u8], Vec::as_slice);
    if name.contains(&b'/') { show(name) } else { format!("/usr/bin/{}", show(name)) }
}

fn help(process: &mut Process<'_>) -> Result<Status, Stop> {
    let arguments = options::parse(process, &["quiet", "user", "system"])?;
    let instance = match arguments.last_of(&["user", "system"]) {
        Some("user") => Instance::User,
        _ => Instance::System,
    };
    let Some((action, units)) = arguments.operands.split_first() else {
        return Err(process.not_modelled("no action").into());
    };
    if process.variable("DPKG_ROOT").is_some_and(|root| !root.is_empty()) {
        return Err(process.not_modelled("DPKG_ROOT").into());
    }
    if process.variable("DPKG_MAINTSCRIPT_PACKAGE").is_none_or(|package| matches!(package, b"" | b"0")) {
        let message = format!("{} was not called from dpkg. Exiting.\n", path_of_self(process));
        return Err(Stop::Exit(1, message));
    }
    let action = String::from_utf8_lossy(action).into_owned();
    let purge = action == "purge" || process.variable("_DEB_SYSTEMD_HELPER_PURGE") == Some(b"1");
    let quiet = arguments.has("quiet");
    let mut status = Status(u8::from(matches!(action.as_str(), "is-enabled" | "was-enabled" | "debian-installed")));
    for unit in units {
        let path = links::find_unit(process, instance, unit);
        match action.as_str() {
            "is-enabled" | "was-enabled" => {
                let enabled = if action == "is-enabled" {
                    links::closure(process, instance, &path)?.iter().all(|link| is_link(process, &link.source))
                } else {
                    recorded(process, instance, unit).iter().all(|link| is_link(process, link))
                };
                if !quiet {
                    process.write(2, if enabled { b"enabled\n" } else { b"disabled\n" })?;
                }
                if enabled {
                    status = Status::SUCCESS;
                }
            }
            "debian-installed" if is_installed(process, instance, unit) => status = Status::SUCCESS,
            "debian-installed" => {}
            "update-state" => update_state(process, instance, unit, &path)?,
            "reenable" => {
                remove::links(process, instance, &path, purge)?;
                record(process, instance, unit, &path, true)?;
            }
            "disable" | "purge" => {
                remove::links(process, instance, &path, purge)?;
                remove::empty_folders(process);
            }
            "enable" => enable(process, instance, unit, &path)?,
            "mask" => mask(process, instance, &path)?,
            "unmask" => {
                unmask(process, instance, &path);
                for instance in [Instance::System, Instance::User] {
                    remove::empty(process, instance.masked().as_bytes());
                }
            }
            // The real script does nothing for an action that it doesn't know.
            _ => return Err(process.not_modelled(format!("action `{action}`")).into()),
        }
    }
    Ok(status)
}

pub(super) fn is_executable(process: &Process<'_>, path: &[u8]) -> bool {
    process.machine.tree.find(path).is_some_and(|inode| inode.is_file() && inode.stat.mode & 0o111 != 0)
}

fn is_link(process: &Process<'_>, path: &[u8]) -> bool {
    let tree = &process.machine.tree;
    tree.lookup_no_follow(path).is_ok_and(|id| tree.get(id).is_symlink())
}

fn exists(process: &Process<'_>, path: &[u8]) -> bool {
    process.machine.tree.find(path).is_some()
}

/// The file that lists a unit's links.
fn state_path(instance: Instance, unit: &[u8]) -> Vec<u8> {
    let base = crate::shell::files::base_name(unit);
    [instance.enabled().as_bytes(), b"/", base, b".dsh-also"].concat()
}

fn is_installed(process: &Process<'_>, instance: Instance, unit: &[u8]) -> bool {
    process.machine.tree.find(&state_path(instance, unit)).is_some_and(crate::tree::Inode::is_file)
}

/// The links that a unit's state file lists.
fn recorded(process: &Process<'_>, instance: Instance, unit: &[u8]) -> Vec<Vec<u8>> {
    let text = process.machine.tree.read(&state_path(instance, unit)).unwrap_or_default();
    let text = text.strip_suffix(b"\n").unwrap_or(&text);
    text.split(|&b| b == b'\n').filter(|_| !text.is_empty()).map(<[u8]>::to_vec).collect()
}

fn enable(process: &mut Process<'_>, instance: Instance, unit: &[u8], path: &[u8]) -> Result<(), Stop> {
    if !["/bin/systemctl", "/usr/bin/systemctl"].iter().any(|path| is_executable(process, path.as_bytes())) {
        return record(process, instance, unit, path, true);
    }
    let mut create = false;
    if is_installed(process, instance, unit) {
        let links = links::closure(process, instance, path)?;
        create = links.iter().any(|link| is_link(process, &link.source));
    } else {
        let scope: &[u8] = if instance == Instance::User { b"--global" } else { b"--system" };
        let words: [&[u8]; 6] = [b"systemctl", b"--root=/", scope, b"--preset-mode=enable-only", b"preset", unit];
        let status = process.run(words.iter().map(|word| word.to_vec()).collect())?;
        if !status.success() {
            // perl's last errno is that of an earlier look-up.
            let why = "No such file or directory";
            return Err(error(process, &format!("systemctl preset failed on {}: {why}", show(unit))));
        }
    }
    record(process, instance, unit, path, create)
}

fn write(process: &mut Process<'_>, path: &[u8], text: Vec<u8>) -> Result<(), Stop> {
    let folder = crate::shell::files::dir_name(path).to_vec();
    let now = process.machine.epoch.timestamp();
    let made = process.machine.tree.create_dir_all(&folder, &Stat::root(0o777 & !process.umask, now));
    made.map_err(|error| process.not_modelled(error.to_string()))?;
    let written = process.machine.tree.write(path, text, Stat::root(0o644, now));
    written.map(|_| ()).map_err(|error| process.not_modelled(error.to_string()).into())
}

/// Lists the unit's links in its state file, and notes for each that it was enabled; with `create` makes those that are
/// neither noted nor there.
fn record(process: &mut Process<'_>, instance: Instance, unit: &[u8], path: &[u8], create: bool) -> Result<(), Stop> {
    let list = state_path(instance, unit);
    for Link { target, source } in links::closure(process, instance, path)? {
        let mut text = process.machine.tree.read(&list).unwrap_or_default().to_vec();
        if !text.split(|&b| b == b'\n').any(|line| line == source) {
            text.extend_from_slice(&source);
            text.push(b'\n');
        }
        write(process, &list, text)?;
        let state = instance.state(&source, instance.enabled());
        if exists(process, &state) {
            continue;
        }
        if create && !is_link(process, &source) {
            make_link(process, &target, &source)?;
        }
        write(process, &state, Vec::new())?;
    }
    Ok(())
}

fn make_link(process: &mut Process<'_>, target: &[u8], source: &[u8]) -> Result<(), Stop> {
    let folder = crate::shell::files::dir_name(source).to_vec();
    let now = process.machine.epoch.timestamp();
    let made = process.machine.tree.create_dir_all(&folder, &Stat::root(0o777 & !process.umask, now));
    made.map_err(|error| process.not_modelled(error.to_string()))?;
    let node = Node::Symlink(target.to_vec().into());
    match process.machine.tree.create(source, Stat::root(0o777, now), node) {
        Ok(_) => Ok(()),
        Err(failed) => {
            let message = format!("unable to link {} to {}: {}", show(source), show(target), failed.errno);
            Err(error(process, &message))
        }
    }
}

fn update_state(process: &mut Process<'_>, instance: Instance, unit: &[u8], path: &[u8]) -> Result<(), Stop> {
    let mut text = Vec::new();
    for link in links::closure(process, instance, path)? {
        text.extend_from_slice(&link.source);
        text.push(b'\n');
    }
    write(process, &state_path(instance, unit), text)
}

fn mask_path(instance: Instance, path: &[u8]) -> Vec<u8> {
    [instance.folder().as_bytes(), b"/", crate::shell::files::base_name(path)].concat()
}

fn mask(process: &mut Process<'_>, instance: Instance, path: &[u8]) -> Result<(), Stop> {
    let mask = mask_path(instance, path);
    if exists(process, &mask) || links::target(process, &mask).as_deref() == Some(b"/dev/null") {
        return Ok(());
    }
    // A dangling link may be left from an alias to itself.
    let _ = process.machine.tree.unlink(&mask);
    make_link(process, b"/dev/null", &mask)?;
    write(process, &instance.state(&mask, instance.masked()), Vec::new())
}

fn unmask(process: &mut Process<'_>, instance: Instance, path: &[u8]) {
    let mask = mask_path(instance, path);
    let state = instance.state(&mask, instance.masked());
    if links::target(process, &mask).as_deref() == Some(b"/dev/null") && exists(process, &state) {
        // Both were just seen.
        let _ = process.machine.tree.unlink(&mask);
        let _ = process.machine.tree.unlink(&state);
    }
}
