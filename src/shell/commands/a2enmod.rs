//! a2enmod and its other names: Apache's modules, configurations and sites are enabled by links, and who did it is noted.

use crate::{
    shell::{Fatal, Process, Status, options},
    tree::{Errno, Node},
};

const CONFIGURATION: &str = "/etc/apache2";
const STATE: &str = "/var/lib/apache2";
/// Modules about which the program asks before it disables them.
const ESSENTIAL: [&str; 14] = [
    "alias",
    "auth_basic",
    "authn_file",
    "authz_host",
    "authz_user",
    "autoindex",
    "deflate",
    "dir",
    "env",
    "filter",
    "logio",
    "mime",
    "negotiation",
    "setenvif",
];
const DEPTH: usize = 32;

/// What a name of the program means.
#[derive(Clone, Copy)]
struct Action {
    enable: bool,
    object: &'static str,
    /// The folders' names begin with it.
    folder: &'static str,
    suffix: &'static str,
}

struct Flags {
    action: Action,
    quiet: bool,
    force: bool,
    purge: bool,
    by: &'static str,
    /// Whether a link was made or removed.
    changed: std::cell::Cell<bool>,
}

impl Flags {
    fn available(&self, name: &str, suffix: &str) -> Vec<u8> {
        format!("{CONFIGURATION}/{}-available/{name}{suffix}", self.action.folder).into_bytes()
    }

    fn enabled(&self, name: &str, suffix: &str) -> Vec<u8> {
        format!("{CONFIGURATION}/{}-enabled/{name}{suffix}", self.action.folder).into_bytes()
    }
}

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let Some(action) = action(process.name()) else { return Err(process.not_modelled("another configuration")) };
    let arguments = options::parse(process, &["quiet q", "force f", "maintmode m", "purge p"])?;
    if let Some((name, _)) = process.environment.iter().find(|(name, _)| name.starts_with(b"APACHE_")) {
        return Err(process.not_modelled(format!("the variable {}", name.escape_ascii())));
    }
    if arguments.operands.is_empty() {
        return Err(process.not_modelled("asking what to do"));
    }
    let by = if arguments.has("maintmode") { "maint" } else { "admin" };
    let flags = Flags {
        action,
        quiet: arguments.has("quiet"),
        force: arguments.has("force"),
        purge: arguments.has("purge"),
        by,
        changed: false.into(),
    };
    let mut status = Status::SUCCESS;
    let mut names = Vec::new();
    for operand in &arguments.operands {
        let name = String::from_utf8_lossy(operand).into_owned();
        let name = name.strip_suffix(action.suffix).unwrap_or(&name).to_owned();
        if name.contains(['*', '?', '[', '{', '~', '\\', ' ']) {
            return Err(process.not_modelled("wildcards"));
        }
        names.push(name);
    }
    for name in names {
        if !act(process, &flags, &name, DEPTH)? {
            status = Status::FAILURE;
        }
    }
    if flags.changed.get() {
        let verb = if action.object == "module" { "restart" } else { "reload" };
        let text = format!("To activate the new configuration, you need to run:\n  service apache2 {verb}\n");
        info(process, &flags, &text)?;
    }
    Ok(status)
}

fn action(name: &[u8]) -> Option<Action> {
    let name = name.strip_prefix(b"a2")?;
    let (enable, object) = match name.strip_prefix(b"en") {
        Some(object) => (true, object),
        None => (false, name.strip_prefix(b"dis")?),
    };
    let (object, folder, suffix) = match object {
        b"mod" => ("module", "mods", ".load"),
        b"conf" => ("conf", "conf", ".conf"),
        b"site" => ("site", "sites", ".conf"),
        _ => return None,
    };
    Some(Action { enable, object, folder, suffix })
}

fn info(process: &mut Process<'_>, flags: &Flags, text: &str) -> Result<(), Fatal> {
    if flags.quiet { Ok(()) } else { process.out(text.as_bytes()) }
}

fn error(process: &mut Process<'_>, text: &str) -> Result<bool, Fatal> {
    process.write(2, format!("ERROR: {text}\n").as_bytes())?;
    Ok(false)
}

/// The name as messages have it.
fn title(flags: &Flags) -> String {
    let (first, rest) = flags.action.object.split_at(1);
    format!("{}{rest}", first.to_uppercase())
}

fn exists(process: &Process<'_>, path: &[u8]) -> bool {
    process.lookup(path).is_ok()
}

fn act(process: &mut Process<'_>, flags: &Flags, name: &str, depth: usize) -> Result<bool, Fatal> {
    let depth = depth.checked_sub(1).ok_or_else(|| process.not_modelled("modules that need each other"))?;
    let Action { enable, object, suffix, .. } = flags.action;
    let is_module = object == "module";
    let mut name = name.to_owned();
    if is_module && enable && name == "cgi" && is_threaded(process) {
        process.out(b"Your MPM seems to be threaded. Selecting cgid instead of cgi.\n")?;
        name = "cgid".to_owned();
    }
    if is_module && name == "cache_disk" {
        return Err(process.not_modelled("the module cache_disk, which has a service of its own,"));
    }
    let has_configuration = is_module && exists(process, &flags.available(&name, ".conf"));
    if !exists(process, &flags.available(&name, suffix)) {
        return missing(process, flags, &name);
    }
    if !requirements(process, flags, &name, depth)? {
        return Ok(false);
    }
    match enable {
        true => enable_links(process, flags, &name, has_configuration),
        false => disable_links(process, flags, &name, has_configuration),
    }
}

/// What is done about something that isn't available.
fn missing(process: &mut Process<'_>, flags: &Flags, name: &str) -> Result<bool, Fatal> {
    let link = flags.enabled(name, flags.action.suffix);
    let dangles = process.lookup_no_follow(&link).is_ok() && !exists(process, &link);
    if dangles && flags.action.enable {
        error(process, &format!("{} is a dangling symlink!", link.escape_ascii()))?;
    } else if dangles {
        info(process, flags, &format!("removing dangling symlink {}\n", link.escape_ascii()))?;
        unlink(process, &link)?;
        let link = flags.enabled(name, ".conf");
        if flags.action.object == "module" && process.lookup_no_follow(&link).is_ok() && !exists(process, &link) {
            info(process, flags, &format!("removing dangling symlink {}\n", link.escape_ascii()))?;
            unlink(process, &link)?;
        }
        return Ok(true);
    }
    if flags.purge {
        mark(process, flags, name)?;
        return Ok(true);
    }
    // The program finds no file of that name, and says so before it does anything.
    error(process, &format!("{} {name} does not exist!", title(flags)))
}

/// Enables what a module needs, or refuses; whether to go on.
fn requirements(process: &mut Process<'_>, flags: &Flags, name: &str, depth: usize) -> Result<bool, Fatal> {
    let Action { enable, object, suffix, .. } = flags.action;
    if object == "module" && enable {
        let file = flags.available(name, ".load");
        for needed in listed(process, &file, "Depends")? {
            info(process, flags, &format!("Considering dependency {needed} for {name}:\n"))?;
            if !act(process, flags, &needed, depth)? {
                return error(process, &format!("Could not enable dependency {needed} for {name}, aborting"));
            }
        }
        let mut fine = true;
        for other in listed(process, &file, "Conflicts")? {
            info(process, flags, &format!("Considering conflict {other} for {name}:\n"))?;
            if check_link(process, flags, &other, suffix)? == Link::Fine {
                let why = "cannot proceed due to conflicts. It needs to be disabled first!";
                fine = error(process, &format!("Module {other} is enabled - {why}"))?;
            }
        }
        return Ok(fine);
    }
    if object == "module" {
        return depending(process, flags, name, depth);
    }
    if enable {
        for needed in listed(process, &flags.available(name, suffix), "Depends")? {
            info(process, flags, &format!("Checking dependency {needed} for {name}:\n"))?;
            if !exists(process, format!("{CONFIGURATION}/mods-enabled/{needed}.load").as_bytes()) {
                let text = format!("WARNING: Module {needed} is not enabled, but {name} depends on it, aborting\n");
                process.write(2, text.as_bytes())?;
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// Disables the enabled modules that need one, if that is forced; otherwise they forbid it.
fn depending(process: &mut Process<'_>, flags: &Flags, name: &str, depth: usize) -> Result<bool, Fatal> {
    let folder = format!("{CONFIGURATION}/mods-enabled");
    let names = super::super::files::names(process, folder.as_bytes()).unwrap_or_default();
    let modules = names.iter().filter_map(|file| std::str::from_utf8(file).ok()?.strip_suffix(".load"));
    let mut depending = Vec::new();
    for module in modules {
        let file = format!("{folder}/{module}.load");
        if listed(process, file.as_bytes(), "Depends")?.iter().any(|needed| needed == name) {
            depending.push(module.to_owned());
        }
    }
    if depending.is_empty() {
        return Ok(true);
    }
    if !flags.force {
        let names = depending.join(" ");
        let text = format!("The following modules depend on {name} and need to be disabled first: {names}");
        return error(process, &text);
    }
    for module in depending {
        info(process, flags, &format!("Considering dependency {module} for {name}:\n"))?;
        if !act(process, flags, &module, depth)? {
            return error(process, &format!("Could not disable dependency {module} for {name}, aborting"));
        }
    }
    Ok(true)
}

/// The names behind `# KIND:` in the comments at a file's beginning.
fn listed(process: &mut Process<'_>, file: &[u8], kind: &str) -> Result<Vec<String>, Fatal> {
    let bytes = match process.machine.tree.read(file) {
        Ok(bytes) => bytes,
        Err(error) => {
            // The program ends this line with nothing.
            process.write(2, format!("ERROR: Can't open {}: {}", file.escape_ascii(), error.errno).as_bytes())?;
            return Ok(Vec::new());
        }
    };
    let prefix = format!("# {kind}:");
    let text = String::from_utf8_lossy(&bytes).into_owned();
    for line in text.lines() {
        if let Some(names) = line.strip_prefix(&prefix).filter(|rest| rest.starts_with([' ', '\t'])) {
            return Ok(names.split_ascii_whitespace().map(str::to_owned).collect());
        }
        let line = line.trim_ascii_start();
        if !line.is_empty() && !line.starts_with('#') {
            break;
        }
    }
    Ok(Vec::new())
}

#[derive(PartialEq, Eq)]
enum Link {
    Fine,
    Missing,
    Wrong(String),
}

fn check_link(process: &mut Process<'_>, flags: &Flags, name: &str, suffix: &str) -> Result<Link, Fatal> {
    let (target, link) = (flags.available(name, suffix), flags.enabled(name, suffix));
    let shown = link.escape_ascii().to_string();
    let Ok(id) = process.lookup_no_follow(&link) else { return Ok(Link::Missing) };
    let is_link = matches!(process.inode(id).node, Node::Symlink(_));
    let tree = &process.machine.tree;
    match (tree.resolve(&link), tree.resolve(&target)) {
        (Err(_), _) => {
            info(process, flags, &format!("Removing dangling link {shown}"))?;
            unlink(process, &link)?;
            Ok(Link::Missing)
        }
        (Ok(_), _) if !is_link => Ok(Link::Wrong(format!("{shown} is a real file, not touching it"))),
        (Ok((_, to)), Ok((_, wanted))) if to == wanted => Ok(Link::Fine),
        _ => {
            let target = target.escape_ascii();
            Ok(Link::Wrong(format!("{shown} exists but does not point to {target}, not touching it")))
        }
    }
}

fn enable_links(process: &mut Process<'_>, flags: &Flags, name: &str, has_configuration: bool) -> Result<bool, Fatal> {
    let suffix = flags.action.suffix;
    let link = check_link(process, flags, name, suffix)?;
    if let Link::Wrong(why) = link {
        return error(process, &format!("{} {name} not properly enabled: {why}", title(flags)));
    }
    if has_configuration {
        match check_link(process, flags, name, ".conf")? {
            Link::Wrong(why) => {
                return error(process, &format!("Config file {name}.conf not properly enabled: {why}"));
            }
            Link::Missing => {
                if link == Link::Fine {
                    process.out(format!("Enabling config file {name}.conf.\n").as_bytes())?;
                }
                add_link(process, flags, name, ".conf")?;
                if link == Link::Fine {
                    return Ok(true);
                }
            }
            Link::Fine => {}
        }
    }
    if link == Link::Fine {
        info(process, flags, &format!("{} {name} already enabled\n", title(flags)))?;
        return Ok(true);
    }
    process.out(format!("Enabling {} {name}.\n", flags.action.object).as_bytes())?;
    add_link(process, flags, name, suffix)?;
    mark(process, flags, name)?;
    Ok(!flags.purge)
}

fn disable_links(process: &mut Process<'_>, flags: &Flags, name: &str, has_configuration: bool) -> Result<bool, Fatal> {
    let link = flags.enabled(name, flags.action.suffix);
    let configuration = flags.enabled(name, ".conf");
    let has_configuration = has_configuration && exists(process, &configuration);
    if process.lookup_no_follow(&link).is_ok() {
        if flags.action.object == "module" && ESSENTIAL.contains(&name) && !flags.force {
            return Err(process.not_modelled("asking whether an essential module is to be disabled"));
        }
        remove_link(process, flags, &link)?;
        if has_configuration {
            remove_link(process, flags, &configuration)?;
        }
        mark(process, flags, name)?;
        process.out(format!("{} {name} disabled.\n", title(flags)).as_bytes())?;
    } else if has_configuration {
        process.out(format!("Disabling stale config file {name}.conf.\n").as_bytes())?;
        remove_link(process, flags, &configuration)?;
    } else {
        info(process, flags, &format!("{} {name} already disabled\n", title(flags)))?;
        if flags.purge {
            mark(process, flags, name)?;
        }
    }
    Ok(true)
}

fn add_link(process: &mut Process<'_>, flags: &Flags, name: &str, suffix: &str) -> Result<(), Fatal> {
    flags.changed.set(true);
    let target = format!("../{}-available/{name}{suffix}", flags.action.folder);
    let made = process.create(&flags.enabled(name, suffix), 0o777, Node::Symlink(target.into_bytes().into()));
    made.map(drop).map_err(|error| process.not_modelled(error.to_string()))
}

fn remove_link(process: &mut Process<'_>, flags: &Flags, link: &[u8]) -> Result<(), Fatal> {
    let Ok(id) = process.lookup_no_follow(link) else { return Ok(()) };
    if !matches!(process.inode(id).node, Node::Symlink(_)) {
        error(process, &format!("{} is not a symbolic link, not deleting", link.escape_ascii()))?;
        return Ok(());
    }
    flags.changed.set(true);
    unlink(process, link)
}

fn unlink(process: &mut Process<'_>, path: &[u8]) -> Result<(), Fatal> {
    match process.machine.tree.unlink(path) {
        Err(error) if error.errno != Errno::NotFound => Err(process.not_modelled(error.to_string())),
        _ => Ok(()),
    }
}

/// Notes who enabled or disabled it, in place of older notes.
fn mark(process: &mut Process<'_>, flags: &Flags, name: &str) -> Result<(), Fatal> {
    let Action { enable, object, .. } = flags.action;
    let state = format!("{STATE}/{object}");
    let what = if enable { "enabled" } else { "disabled" };
    let folder = format!("{state}/{what}_by_{}", flags.by);
    let stat = process.new_stat(0o777);
    let made = process.machine.tree.create_dir_all(folder.as_bytes(), &stat);
    made.map_err(|error| process.not_modelled(error.to_string()))?;
    let id = process.lookup(state.as_bytes()).map_err(|error| process.not_modelled(error.to_string()))?;
    let old = process
        .below(state.as_bytes(), id)
        .into_iter()
        .filter(|(path, id)| process.inode(*id).is_file() && super::super::files::base_name(path) == name.as_bytes());
    for (path, _) in old.collect::<Vec<_>>() {
        unlink(process, &path)?;
    }
    if !flags.purge {
        let marker = format!("{folder}/{name}");
        let made = process.create(marker.as_bytes(), 0o666, Node::Regular(Vec::new().into()));
        made.map_err(|error| process.not_modelled(error.to_string()))?;
    }
    Ok(())
}

/// Whether the enabled way of processing has threads.
fn is_threaded(process: &Process<'_>) -> bool {
    let enabled = |name: &str| exists(process, format!("{CONFIGURATION}/mods-enabled/mpm_{name}.load").as_bytes());
    !enabled("prefork") && (enabled("worker") || enabled("event"))
}
