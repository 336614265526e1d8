//! `update-alternatives`: link groups as dpkg 1.21 keeps them. Its log is not written.

use super::super::{
    Fatal, Process, Status,
    dpkg::{self, Stop, error},
};
use crate::dpkg::alternatives::{Choice, Corrupt, Group, Mode, Slave};

mod links;
mod report;

use links::Links;

enum Action {
    Install { group: Group, choice: Choice },
    Remove(Vec<u8>),
    RemoveAll,
    Set(Vec<u8>),
    Auto,
    Display,
    Query,
    List,
    GetSelections,
}

/// A command line.
struct Request {
    action: Action,
    /// The group that it is about; empty when it is about all.
    name: Vec<u8>,
    force: bool,
    quiet: bool,
}

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let outcome = parse(process).and_then(|request| act(process, request));
    dpkg::end(process, outcome.map(|()| Status::SUCCESS))
}

fn parse(process: &Process<'_>) -> Result<Request, Stop> {
    let mut arguments = process.arguments().into_iter();
    let mut request = None;
    let (mut force, mut quiet) = (false, false);
    let mut name = Vec::new();
    while let Some(option) = arguments.next() {
        let mut take = |count: usize| -> Result<Vec<Vec<u8>>, Stop> {
            let values: Vec<_> = arguments.by_ref().take(count).collect();
            if values.len() == count { Ok(values) } else { error(format!("{} needs arguments", option.escape_ascii())) }
        };
        let action = match option.as_slice() {
            b"--force" => {
                force = true;
                continue;
            }
            b"--quiet" => {
                quiet = true;
                continue;
            }
            b"--verbose" => continue,
            b"--slave" => {
                let Some(Action::Install { group, choice }) = &mut request else {
                    return error("--slave only allowed with --install".to_owned());
                };
                add_slave(&name, group, choice, &take(3)?)?;
                continue;
            }
            b"--install" => {
                let values = take(4)?;
                name.clone_from(&values[1]);
                install_request(&values)?
            }
            b"--remove" | b"--set" => {
                let mut values = take(2)?;
                let path = values.pop().unwrap_or_default();
                name = values.pop().unwrap_or_default();
                check_name(&name)?;
                check_path(&path)?;
                if option == b"--set" { Action::Set(path) } else { Action::Remove(path) }
            }
            b"--display" | b"--query" | b"--list" | b"--auto" | b"--remove-all" => {
                name = take(1)?.remove(0);
                check_name(&name)?;
                match option.as_slice() {
                    b"--display" => Action::Display,
                    b"--query" => Action::Query,
                    b"--list" => Action::List,
                    b"--auto" => Action::Auto,
                    _ => Action::RemoveAll,
                }
            }
            b"--get-selections" => Action::GetSelections,
            _ => return Err(process.not_modelled(format!("option `{}`", option.escape_ascii())).into()),
        };
        if request.replace(action).is_some() {
            return error("two commands specified".to_owned());
        }
    }
    match request {
        Some(action) => Ok(Request { action, name, force, quiet }),
        None => error("need a command".to_owned()),
    }
}

fn install_request(values: &[Vec<u8>]) -> Result<Action, Stop> {
    let [link, _, path, priority] = values else { return error("--install needs four arguments".to_owned()) };
    if link == path {
        return error(format!("<link> '{}' is the same as <path>", link.escape_ascii()));
    }
    let number = std::str::from_utf8(priority).ok().and_then(|text| text.trim_ascii_start().parse().ok());
    let Some(priority) = number else {
        return error(format!("priority '{}' must be an integer", priority.escape_ascii()));
    };
    let group = Group { mode: Mode::Auto, link: link.clone(), slaves: Vec::new(), choices: Vec::new() };
    Ok(Action::Install { group, choice: Choice { path: path.clone(), priority, slaves: Vec::new() } })
}

fn add_slave(master: &[u8], group: &mut Group, choice: &mut Choice, values: &[Vec<u8>]) -> Result<(), Stop> {
    let [link, name, path] = values else { return error("--slave needs three arguments".to_owned()) };
    let name_shown = name.escape_ascii();
    let link_shown = link.escape_ascii();
    if link == path {
        return error(format!("<link> '{link_shown}' is the same as <path>"));
    }
    if name == master {
        return error(format!("<name> '{name_shown}' is both primary and slave"));
    }
    if *link == group.link {
        return error(format!("<link> '{link_shown}' is both primary and slave"));
    }
    if group.slave(name).is_some() {
        return error(format!("duplicate slave <name> '{name_shown}'"));
    }
    if group.slaves.iter().any(|slave| slave.link == *link) {
        return error(format!("duplicate slave <link> '{link_shown}'"));
    }
    group.slaves.push(Slave { name: name.clone(), link: link.clone() });
    choice.slaves.push(Slave { name: name.clone(), link: path.clone() });
    Ok(())
}

fn check_name(name: &[u8]) -> Result<(), Stop> {
    if name.iter().any(|b| matches!(b, b'/' | b' ' | b'\t')) {
        return error(format!("alternative name ({}) must not contain '/' and spaces", name.escape_ascii()));
    }
    Ok(())
}

fn check_path(path: &[u8]) -> Result<(), Stop> {
    if path.first() != Some(&b'/') {
        return error(format!("alternative path is not absolute as it should be: {}", path.escape_ascii()));
    }
    Ok(())
}

fn check_link(link: &[u8]) -> Result<(), Stop> {
    if link.first() != Some(&b'/') {
        return error(format!("alternative link is not absolute as it should be: {}", link.escape_ascii()));
    }
    Ok(())
}

fn act(process: &mut Process<'_>, request: Request) -> Result<(), Stop> {
    let Request { action, name, force, quiet } = request;
    let mut links = Links { process, force, quiet };
    if matches!(action, Action::GetSelections) {
        return report::selections(&mut links);
    }
    if let Action::Install { group, choice } = &action {
        check_install(&mut links, &name, group, choice)?;
    }
    let stored = load(&mut links, &name)?;
    let Some((mut group, mut modified)) = stored else {
        return match action {
            Action::Install { mut group, choice } => {
                group.choices.push(choice);
                let current = links.current(&name)?;
                let chosen = best(&group, current.as_deref());
                update(&mut links, &name, group, true, &[], current, chosen)
            }
            Action::Remove(_) => Ok(()),
            _ => error(format!("no alternatives for {}", name.escape_ascii())),
        };
    };
    let current = links.current(&name)?;
    match action {
        Action::Display => return report::display(&mut links, &name, &group, current.as_deref()),
        Action::Query => return report::query(&mut links, &name, &group, current.as_deref()),
        Action::List => return report::list(&mut links, &group),
        _ => {}
    }
    let mode = group.mode;
    select_mode(&mut links, &name, &mut group, current.as_deref())?;
    let mut updated = Vec::new();
    let chosen = match action {
        Action::Install { group: wanted, choice } => {
            updated = evolve(&mut links, &name, &mut group, &wanted, current.as_deref(), &choice)?;
            match group.choices.iter_mut().find(|known| known.path == choice.path) {
                Some(known) => *known = choice,
                None => group.choices.push(choice),
            }
            modified = true;
            if group.mode == Mode::Auto { best(&group, current.as_deref()) } else { None }
        }
        change => {
            let before = group.choices.len();
            let chosen = choose(&mut links, &name, &mut group, change, current.as_deref())?;
            modified |= group.choices.len() != before;
            chosen
        }
    };
    modified |= group.mode != mode;
    update(&mut links, &name, group, modified, &updated, current, chosen)
}

/// Changes mode and choices as the command says; returns the choice to be made, if one is.
fn choose(
    links: &mut Links<'_, '_>,
    name: &[u8],
    group: &mut Group,
    action: Action,
    current: Option<&[u8]>,
) -> Result<Option<Vec<u8>>, Stop> {
    match action {
        Action::Set(path) => {
            if group.choice(&path).is_none() {
                let (path, name) = (path.escape_ascii(), name.escape_ascii());
                return error(format!("alternative {path} for {name} not registered; not setting"));
            }
            group.mode = Mode::Manual;
            Ok(Some(path))
        }
        Action::Auto => {
            group.mode = Mode::Auto;
            Ok(best(group, current))
        }
        Action::Remove(path) => {
            group.choices.retain(|choice| choice.path != path);
            if current != Some(path.as_slice()) {
                return Ok(None);
            }
            if group.mode == Mode::Manual {
                let name = name.escape_ascii();
                links.inform(format!("removing manually selected alternative - switching {name} to auto mode"))?;
            }
            group.mode = Mode::Auto;
            Ok(best(group, current))
        }
        Action::RemoveAll => {
            group.choices.clear();
            Ok(None)
        }
        Action::Install { .. } | Action::Display | Action::Query | Action::List | Action::GetSelections => Ok(None),
    }
}

fn best(group: &Group, current: Option<&[u8]>) -> Option<Vec<u8>> {
    group.best(current).map(|choice| choice.path.clone())
}

/// The stored group without choices whose file is gone, and whether any was.
fn load(links: &mut Links<'_, '_>, name: &[u8]) -> Result<Option<(Group, bool)>, Stop> {
    let Some(bytes) = links.stored(name)? else { return Ok(None) };
    if bytes.is_empty() {
        return Ok(None);
    }
    let mut group = Group::parse(&bytes)
        .or_else(|corrupt: Corrupt| error(format!("{} corrupt: {corrupt}", links::stored_path(name).escape_ascii())))?;
    let before = group.choices.len();
    let (kept, gone): (Vec<_>, Vec<_>) = group.choices.into_iter().partition(|choice| !links.is_missing(&choice.path));
    for choice in gone {
        let path = choice.path.escape_ascii();
        let name = name.escape_ascii();
        links.warn(format!(
            "alternative {path} (part of link group {name}) doesn't exist; removing from list of alternatives"
        ))?;
    }
    group.choices = kept;
    let modified = group.choices.len() != before;
    Ok(Some((group, modified)))
}

/// A link that somebody changed by hand turns the group to manual mode; one that leads nowhere, or none, to automatic mode.
fn select_mode(links: &mut Links<'_, '_>, name: &[u8], group: &mut Group, current: Option<&[u8]>) -> Result<(), Stop> {
    let shown = name.escape_ascii().to_string();
    let Some(current) = current else {
        group.mode = Mode::Auto;
        return Ok(());
    };
    if group.choice(current).is_some() {
        return Ok(());
    }
    if links.is_missing(current) {
        links.warn(format!("/etc/alternatives/{shown} is dangling; it will be updated with best choice"))?;
        group.mode = Mode::Auto;
    } else if group.mode != Mode::Manual {
        links.warn(format!(
            "/etc/alternatives/{shown} has been changed (manually or by a script); switching to manual updates only"
        ))?;
        group.mode = Mode::Manual;
    }
    Ok(())
}

/// Takes over links that moved; returns the names of slaves that are new or moved.
fn evolve(
    links: &mut Links<'_, '_>,
    name: &[u8],
    group: &mut Group,
    wanted: &Group,
    current: Option<&[u8]>,
    choice: &Choice,
) -> Result<Vec<Vec<u8>>, Stop> {
    if group.link != wanted.link && links.is_symlink(&group.link) {
        let (old, new) = (group.link.escape_ascii(), wanted.link.escape_ascii());
        links.inform(format!("renaming {} link from {old} to {new}", name.escape_ascii()))?;
        links.rename(&group.link, &wanted.link)?;
    }
    group.link.clone_from(&wanted.link);
    let mut updated = Vec::new();
    for slave in &wanted.slaves {
        let Some(known) = group.slaves.iter_mut().find(|known| known.name == slave.name) else {
            updated.push(slave.name.clone());
            group.slaves.push(slave.clone());
            continue;
        };
        let file = if current == Some(choice.path.as_slice()) {
            choice.file(&slave.name).map(<[u8]>::to_vec)
        } else {
            links.target(&links::alternative_path(&slave.name))
        };
        if known.link != slave.link && links.is_symlink(&known.link) {
            if file.is_some_and(|file| !links.is_missing(&file)) {
                let (old, new) = (known.link.escape_ascii(), slave.link.escape_ascii());
                links.inform(format!("renaming {} slave link from {old} to {new}", slave.name.escape_ascii()))?;
                links.rename(&known.link, &slave.link)?;
            } else {
                links.remove(&known.link)?;
            }
            updated.push(slave.name.clone());
        }
        known.link.clone_from(&slave.link);
    }
    Ok(updated)
}

/// Brings file and links up to date.
fn update(
    links: &mut Links<'_, '_>,
    name: &[u8],
    mut group: Group,
    mut modified: bool,
    updated: &[Vec<u8>],
    current: Option<Vec<u8>>,
    chosen: Option<Vec<u8>>,
) -> Result<(), Stop> {
    if group.choices.is_empty() {
        return links.remove_all(name, &group);
    }
    let mut placed = Vec::new();
    let changed = chosen.as_ref().filter(|chosen| Some(*chosen) != current.as_ref());
    if let Some(chosen) = changed {
        let mode = if group.mode == Mode::Auto { "auto" } else { "manual" };
        let (path, link) = (chosen.escape_ascii(), group.link.escape_ascii());
        links.inform(format!("using {path} to provide {link} ({}) in {mode} mode", name.escape_ascii()))?;
        placed = links.prepare(name, &group, chosen)?;
    } else if let Some(broken) = links.repairs(name, &group, updated, current.as_deref()) {
        let shown = current.as_deref().unwrap_or(b"(null)").escape_ascii().to_string();
        let name_shown = name.escape_ascii();
        if broken {
            links.warn(format!(
                "forcing reinstallation of alternative {shown} because link group {name_shown} is broken"
            ))?;
        } else {
            links.inform(format!(
                "updating alternative {shown} because link group {name_shown} has changed slave links"
            ))?;
        }
        if let Some(mut current) = current {
            if group.choice(&current).is_none()
                && let Some(path) = best(&group, None)
            {
                links.warn(format!("current alternative {shown} is unknown, switching to {}", path.escape_ascii()))?;
                current = path;
                modified |= group.mode != Mode::Auto;
                group.mode = Mode::Auto;
            }
            placed = links.prepare(name, &group, &current)?;
        }
    }
    if modified {
        links.store(name, group.render())?;
    }
    links.commit(placed)
}

/// Refuses what would clash with another group.
fn check_install(links: &mut Links<'_, '_>, name: &[u8], group: &Group, choice: &Choice) -> Result<(), Stop> {
    check_name(name)?;
    check_link(&group.link)?;
    check_path(&choice.path)?;
    let others = links.groups()?;
    let master_of = |wanted: &[u8]| {
        others.iter().find(|(other, known)| other == wanted || known.slave(wanted).is_some()).map(|(other, _)| other)
    };
    let owner_of = |link: &[u8]| {
        others.iter().find(|(_, known)| known.link == link || known.slaves.iter().any(|slave| slave.link == link))
    };
    let shown = |bytes: &[u8]| bytes.escape_ascii().to_string();
    if let Some(other) = master_of(name).filter(|other| *other != name) {
        return error(format!("alternative {} can't be master: it is a slave of {}", shown(name), shown(other)));
    }
    if let Some((other, _)) = owner_of(&group.link).filter(|(other, _)| other != name) {
        return error(format!("alternative link {} is already managed by {}", shown(&group.link), shown(other)));
    }
    if links.is_missing(&choice.path) {
        return error(format!("alternative path {} doesn't exist", shown(&choice.path)));
    }
    for slave in &group.slaves {
        check_name(&slave.name)?;
        check_link(&slave.link)?;
        check_path(choice.file(&slave.name).unwrap_or_default())?;
        if let Some(other) = master_of(&slave.name).filter(|other| *other != name) {
            let kind = if *other == slave.name { "a master alternative" } else { "a slave of another" };
            return error(format!(
                "alternative {} can't be slave of {}: it is {kind}",
                shown(&slave.name),
                shown(name)
            ));
        }
        let Some((other, known)) = owner_of(&slave.link) else { continue };
        let same_name = known.slaves.iter().any(|known| known.link == slave.link && known.name == slave.name);
        if other != name || (known.link != slave.link && !same_name) {
            return error(format!("alternative link {} is already managed by {}", shown(&slave.link), shown(other)));
        }
    }
    Ok(())
}
