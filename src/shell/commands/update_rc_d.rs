//! update-rc.d without insserv and without OpenRC, as a system that boots with systemd has it: `S01` and `K01` links in
//! `/etc/rc?.d` by the run levels of the script's LSB header.

use super::deb_systemd_helper::is_executable;
use crate::{
    shell::{
        Fatal, Process, Status,
        stop::{Stop, finish, show},
    },
    tree::{Node, Stat},
};

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let result = update(process);
    finish(process, result)
}

fn error(message: &str) -> Stop {
    Stop::Exit(1, format!("update-rc.d: error: {message}\n"))
}

fn update(process: &mut Process<'_>) -> Result<Status, Stop> {
    let mut arguments = process.arguments();
    while arguments.first().is_some_and(|argument| argument.starts_with(b"-")) {
        let option = arguments.remove(0);
        if option != b"-f" {
            return Err(process.not_modelled(format!("option `{}`", show(&option))).into());
        }
    }
    let tree = &process.machine.tree;
    if tree.find(b"/sbin/openrc").is_some()
        || (tree.find(b"/etc/insserv.conf").is_some()
            && ["/usr/lib/insserv/insserv", "/sbin/insserv"].iter().any(|path| tree.find(path.as_bytes()).is_some()))
    {
        return Err(process.not_modelled("a system with insserv or OpenRC").into());
    }
    let (script, action, rest) = match arguments.as_slice() {
        [script, action, rest @ ..] => (script.clone(), String::from_utf8_lossy(action).into_owned(), rest.to_vec()),
        _ => return Err(process.not_modelled("fewer than two operands").into()),
    };
    match action.as_str() {
        "remove" => remove(process, &script),
        "defaults" => defaults(process, &script, b'S')?,
        "start" | "stop" => {
            let header = run_levels(process, &script)?;
            if !header.start.is_empty() || !header.stop.is_empty() {
                compare(process, &script, &action, &rest, &header)?;
            }
            defaults(process, &script, b'S')?;
        }
        "defaults-disabled" => defaults(process, &script, b'K')?,
        "enable" | "disable" => {
            toggle(process, &script, action == "enable", &rest)?;
            toggle_native(process, &script, &action)?;
        }
        _ => return Err(process.not_modelled(format!("`{action}`")).into()),
    }
    Ok(Status::SUCCESS)
}

/// Links of the script in `/etc/rc?.d`, of the given levels or of all.
fn links(process: &Process<'_>, script: &[u8], levels: Option<&[u8]>) -> Vec<Vec<u8>> {
    let tree = &process.machine.tree;
    let mut found = Vec::new();
    for (folder, _) in tree.find(b"/etc").and_then(|inode| inode.entries()).into_iter().flatten() {
        let folder = folder.as_bytes();
        let &[b'r', b'c', level, b'.', b'd'] = folder else { continue };
        if levels.is_some_and(|levels| levels != [level]) {
            continue;
        }
        let path = [b"/etc/", folder].concat();
        for (name, _) in tree.find(&path).and_then(|inode| inode.entries()).into_iter().flatten() {
            let name = name.as_bytes();
            let numbered =
                name.len() > 3 && matches!(name[0], b'S' | b'K') && name[1..3].iter().all(u8::is_ascii_digit);
            if numbered && &name[3..] == script {
                found.push([path.as_slice(), b"/", name].concat());
            }
        }
    }
    found
}

fn remove(process: &mut Process<'_>, script: &[u8]) {
    for link in links(process, script, None) {
        // What was just listed can be removed unless it is a directory, which the real tool leaves as well.
        let _ = process.machine.tree.unlink(&link);
    }
}

#[derive(Debug, Default)]
struct Levels {
    start: Vec<Vec<u8>>,
    stop: Vec<Vec<u8>>,
}

/// `Default-Start` and `Default-Stop` of the script's header.
fn run_levels(process: &Process<'_>, script: &[u8]) -> Result<Levels, Stop> {
    let path = [b"/etc/init.d/", script].concat();
    let Ok(text) = process.machine.tree.read(&path) else {
        return Err(error(&format!("unable to read {}", show(&path))));
    };
    let mut levels = Levels::default();
    let mut inside = false;
    let words = |list: &[u8]| -> Vec<Vec<u8>> {
        list.split(|b| b.is_ascii_whitespace()).filter(|word| !word.is_empty()).map(<[u8]>::to_vec).collect()
    };
    for line in text.split(|&b| b == b'\n') {
        if line.trim_ascii_end() == b"### BEGIN INIT INFO" {
            inside = true;
        } else if line.trim_ascii_end() == b"### END INIT INFO" {
            break;
        } else if inside {
            if let Some(list) = line.strip_prefix(b"# Default-Start:") {
                levels.start = words(list);
            }
            if let Some(list) = line.strip_prefix(b"# Default-Stop:") {
                levels.stop = words(list);
            }
        }
    }
    Ok(levels)
}

fn defaults(process: &mut Process<'_>, script: &[u8], start: u8) -> Result<(), Stop> {
    if !links(process, script, None).is_empty() {
        return Ok(());
    }
    let levels = run_levels(process, script)?;
    for (list, letter) in [(&levels.start, start), (&levels.stop, b'K')] {
        for level in list {
            let folder = [b"/etc/rc", level.as_slice(), b".d"].concat();
            let now = process.machine.epoch.timestamp();
            let made = process.machine.tree.create_dir_all(&folder, &Stat::root(0o755 & !process.umask, now));
            made.map_err(|error| process.not_modelled(error.to_string()))?;
            let link = [folder.as_slice(), b"/", &[letter], b"01", script].concat();
            let target = [b"../init.d/", script].concat();
            // A level that is listed twice has its link already.
            let _ = process.machine.tree.create(&link, Stat::root(0o777, now), Node::Symlink(target.into()));
        }
    }
    Ok(())
}

fn toggle(process: &mut Process<'_>, script: &[u8], enable: bool, rest: &[Vec<u8>]) -> Result<(), Stop> {
    let headers = ["/etc/insserv/overrides/", "/etc/init.d/", "/usr/share/insserv/overrides/"];
    let name = show(script);
    let there = |folder: &&str| {
        process.machine.tree.find(&[folder.as_bytes(), script].concat()).is_some_and(|inode| inode.size() > 0)
    };
    if !headers.iter().any(there) {
        return Err(error(&format!("cannot find a LSB script for {name}")));
    }
    let levels = if rest.is_empty() { run_levels(process, script)?.start } else { rest.to_vec() };
    if levels.is_empty() {
        return Err(error(&format!("{name} Default-Start contains no runlevels, aborting.")));
    }
    let mut found = Vec::new();
    for level in &levels {
        if !matches!(level.as_slice(), b"S" | b"2" | b"3" | b"4" | b"5") {
            let action = if enable { "enable" } else { "disable" };
            let line =
                format!("update-rc.d: warning: {action} action will have no effect on runlevel {}\n", show(level));
            process.write(2, line.as_bytes())?;
            continue;
        }
        found.extend(links(process, script, Some(level)));
    }
    if found.is_empty() {
        return Err(error("no runlevel symlinks to modify, aborting!"));
    }
    let (from, to) = if enable { (b"/K", b"/S") } else { (b"/S", b"/K") };
    for link in found {
        let slash = link.iter().rposition(|&b| b == b'/').unwrap_or(0);
        if !link[slash..].starts_with(from) {
            continue;
        }
        let new = [&link[..slash], to, &link[slash + 2..]].concat();
        process.machine.tree.rename(&link, &new).map_err(|failed| error(&failed.errno.to_string()))?;
    }
    Ok(())
}

/// Native units are enabled and disabled by systemctl, unless it is systemctl that called.
fn toggle_native(process: &mut Process<'_>, script: &[u8], action: &str) -> Result<(), Stop> {
    if process.variable("_SKIP_SYSTEMD_NATIVE") == Some(b"1") {
        return Ok(());
    }
    if !["/bin/systemctl", "/usr/bin/systemctl"].iter().any(|path| is_executable(process, path.as_bytes())) {
        return Err(process.not_modelled("enabling without systemctl").into());
    }
    process.environment.insert(b"SYSTEMCTL_SKIP_SYSV".to_vec(), b"1".to_vec());
    let words: [&[u8]; 5] = [b"systemctl", b"--root=/", b"--quiet", action.as_bytes(), script];
    // As in the real tool, systemctl's failure is not update-rc.d's.
    process.run(words.iter().map(|word| word.to_vec()).collect())?;
    Ok(())
}

/// Warns where run levels of the old calls disagree with the header, which decides.
fn compare(
    process: &mut Process<'_>,
    script: &[u8],
    action: &str,
    rest: &[Vec<u8>],
    header: &Levels,
) -> Result<(), Fatal> {
    let mut warnings = vec!["start and stop actions are no longer supported; falling back to defaults".to_owned()];
    let (mut starts, mut stops) = (action == "start", action == "stop");
    let mut given = Levels::default();
    let skip = if rest.first().is_some_and(|word| word == action.as_bytes()) { 2 } else { 1 };
    let mut words = rest.iter().skip(skip);
    while let Some(word) = words.next() {
        match word.as_slice() {
            b"0" | b"6" => (starts, stops) = (false, true),
            // The number behind the word is passed over.
            b"start" => {
                (starts, stops) = (true, false);
                words.next();
                continue;
            }
            b"stop" => {
                (starts, stops) = (false, true);
                words.next();
                continue;
            }
            b"." => continue,
            _ => {}
        }
        if starts {
            given.start.push(word.clone());
        }
        if stops {
            given.stop.push(word.clone());
        }
    }
    let name = show(script);
    for (what, asked, known) in [("start", given.start, &header.start), ("stop", given.stop, &header.stop)] {
        let sorted = |list: &[Vec<u8>]| {
            let mut list = list.to_vec();
            list.sort();
            list
        };
        if sorted(&asked) != sorted(known) {
            let list = |levels: &[Vec<u8>]| {
                if levels.is_empty() { "none".to_owned() } else { show(&levels.join(&b' ')) }
            };
            let kind = if what == "start" { "Default-Start" } else { "Default-Stop" };
            let (asked, known) = (list(&asked), list(known));
            warnings.push(format!("{what} runlevel arguments ({asked}) do not match {name} {kind} values ({known})"));
        }
    }
    for warning in warnings {
        process.write(2, format!("update-rc.d: warning: {warning}\n").as_bytes())?;
    }
    Ok(())
}
