//! systemctl where no systemd runs: enabling, presets, masks and states of units in the tree.
//!
//! Verbs that need a running manager say so and succeed, as the real program does where it finds itself in a chroot.

use crate::shell::{
    Fatal, Process, Status,
    options::{self, Arguments},
    stop::show,
    units::{self, Change, Failure, PresetMode, Scope, State, Units},
};

const OPTIONS: &[&str] = &[
    "root=",
    "q quiet",
    "f force",
    "full l",
    "global",
    "no-ask-password",
    "no-block",
    "no-legend",
    "no-pager",
    "no-reload",
    "no-warn",
    "now",
    "preset-mode=",
    "system",
];

/// Verbs that need a manager.
const ONLINE: &[&str] = &[
    "cancel",
    "cat",
    "check",
    "condreload",
    "condrestart",
    "condstop",
    "daemon-reexec",
    "daemon-reload",
    "force-reload",
    "is-active",
    "is-failed",
    "isolate",
    "kill",
    "list-sockets",
    "list-timers",
    "list-units",
    "reload",
    "reload-or-restart",
    "reload-or-try-restart",
    "reset-failed",
    "restart",
    "show",
    "start",
    "status",
    "stop",
    "try-reload-or-restart",
    "try-restart",
];

/// What systemctl says, unless it is asked to be quiet, when an enabled unit has nothing to enable.
const NO_INSTALL: &str = "The unit files have no installation config (WantedBy=, RequiredBy=, Also=,
Alias= settings in the [Install] section, and DefaultInstance= for template
units). This means they are not meant to be enabled using systemctl.

Possible reasons for having this kind of units are:
• A unit may be statically enabled by being symlinked from another unit's
  .wants/ or .requires/ directory.
• A unit's purpose may be to act as a helper for some other unit which has
  a requirement dependency on it.
• A unit may be started when needed via activation (socket, path, timer,
  D-Bus, udev, scripted systemctl call, ...).
• In case of template units, the unit is meant to be enabled with some
  instance name specified.
";

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = options::parse(process, OPTIONS)?;
    if let Some(root) = arguments.value("root").filter(|root| *root != b"/") {
        return Err(process.not_modelled(format!("--root={}", show(root))));
    }
    let scope = match arguments.last_of(&["system", "global"]) {
        Some("global") => &units::USER,
        _ => &units::SYSTEM,
    };
    let Some((verb, operands)) = arguments.operands.split_first() else {
        return Err(process.not_modelled("no verb"));
    };
    let verb = String::from_utf8_lossy(verb).into_owned();
    if ONLINE.contains(&verb.as_str()) {
        if arguments.has("root") {
            process.write(2, format!("Verb '{verb}' cannot be used with --root= or --image=.\n").as_bytes())?;
            return Ok(Status::FAILURE);
        }
        process.write(2, format!("Running in chroot, ignoring command '{verb}'\n").as_bytes())?;
        return Ok(Status::SUCCESS);
    }
    let mut names = mangle(process, operands, &verb)?;
    match verb.as_str() {
        "is-enabled" => is_enabled(process, &arguments, scope, names),
        "get-default" => get_default(process, scope),
        "is-system-running" => {
            process.out(b"offline\n")?;
            Ok(Status::FAILURE)
        }
        "enable" | "disable" => {
            if let Some(failed) = legacy(process, &arguments, scope, &verb, &mut names)? {
                return Ok(failed);
            }
            if names.is_empty() { Ok(Status::SUCCESS) } else { change(process, &arguments, scope, &verb, &names) }
        }
        _ => change(process, &arguments, scope, &verb, &names),
    }
}

/// Names with the suffix that they lack.
fn mangle(process: &mut Process<'_>, operands: &[Vec<u8>], verb: &str) -> Result<Vec<Vec<u8>>, Fatal> {
    let mut names = Vec::new();
    for operand in operands {
        if operand.iter().any(|&b| !(b.is_ascii_alphanumeric() || b":-_.\\@/".contains(&b))) {
            return Err(process.not_modelled(format!("`{verb} {}`", show(operand))));
        }
        let known =
            ["service", "mount", "swap", "socket", "target", "device", "automount", "timer", "path", "slice", "scope"];
        let suffix = operand.rsplit(|&b| b == b'.').next().unwrap_or_default();
        let whole = operand.contains(&b'.') && known.iter().any(|known| known.as_bytes() == suffix);
        names.push(match (whole || operand.contains(&b'/'), verb) {
            (true, _) => operand.clone(),
            (false, "set-default") => [operand, b".target".as_slice()].concat(),
            (false, _) => [operand, b".service".as_slice()].concat(),
        });
    }
    Ok(names)
}

/// Has `systemd-sysv-install` deal with the scripts among the units; those without a native unit are done then.
fn legacy(
    process: &mut Process<'_>,
    arguments: &Arguments,
    scope: &'static Scope,
    verb: &str,
    names: &mut Vec<Vec<u8>>,
) -> Result<Option<Status>, Fatal> {
    if arguments.has("global") || process.variable("SYSTEMCTL_SKIP_SYSV").is_some_and(|value| value == b"1") {
        return Ok(None);
    }
    const TOOL: &str = "/lib/systemd/systemd-sysv-install";
    let mut index = 0;
    while let Some(name) = names.get(index).cloned() {
        index += 1;
        let Some(script) = name.strip_suffix(b".service").filter(|_| !name.starts_with(b"/")) else { continue };
        if process.machine.tree.find(&[b"/etc/init.d/", script].concat()).is_none() {
            continue;
        }
        let native = units::exists(&mut process.machine.tree, scope, &name) != Ok(false);
        let mut argv: Vec<Vec<u8>> = vec![TOOL.as_bytes().to_vec()];
        if arguments.has("root") {
            argv.push(b"--root=/".to_vec());
        }
        argv.extend([verb.as_bytes().to_vec(), script.to_vec()]);
        if !arguments.has("q") {
            let name = show(&name);
            let line = if native {
                format!("Synchronizing state of {name} with SysV service script with {TOOL}.\n")
            } else {
                format!("{name} is not a native service, redirecting to systemd-sysv-install.\n")
            };
            process.write(2, line.as_bytes())?;
            process.write(2, format!("Executing: {}\n", show(&argv.join(&b' '))).as_bytes())?;
        }
        if !process.run(argv)?.success() {
            return Ok(Some(Status::FAILURE));
        }
        if !native {
            index -= 1;
            names.remove(index);
        }
    }
    Ok(None)
}

fn change(
    process: &mut Process<'_>,
    arguments: &Arguments,
    scope: &'static Scope,
    verb: &str,
    names: &[Vec<u8>],
) -> Result<Status, Fatal> {
    if arguments.has("now") && !matches!(verb, "preset" | "preset-all" | "unmask" | "set-default") {
        return Err(process.not_modelled("option `--now`"));
    }
    let mode = match arguments.value("preset-mode") {
        None | Some(b"full") => PresetMode::Full,
        Some(b"enable-only") => PresetMode::EnableOnly,
        Some(b"disable-only") => PresetMode::DisableOnly,
        Some(other) => return Err(process.not_modelled(format!("--preset-mode={}", show(other)))),
    };
    let now = process.machine.epoch.timestamp();
    let mut units = Units::new(&mut process.machine.tree, scope, now, arguments.has("f"));
    let outcome = match (verb, names) {
        ("enable", _) => units::enable(&mut units, names).map(Some),
        ("reenable", _) => units::reenable(&mut units, names).map(Some),
        ("disable", _) => units::disable(&mut units, names).map(|()| None),
        ("preset", _) => units::preset(&mut units, mode, names).map(|_| None),
        ("preset-all", []) => units::preset_all(&mut units, mode).map(|_| None),
        ("mask", _) => units::mask(&mut units, names).map(|()| None),
        ("unmask", _) => units::unmask(&mut units, names).map(|()| None),
        ("link", _) => units::link(&mut units, names).map(|()| None),
        ("set-default", [target]) => units::set_default(&mut units, target).map(|()| None),
        ("add-wants", [target, names @ ..]) => units::add_dependency(&mut units, names, target, false).map(|_| None),
        ("add-requires", [target, names @ ..]) => units::add_dependency(&mut units, names, target, true).map(|_| None),
        _ => return Err(process.not_modelled(format!("verb `{verb}`"))),
    };
    let changes = units.changes;
    report(process, arguments, verb, &changes, &outcome)?;
    if outcome == Ok(Some(0)) && !arguments.has("q") && !arguments.has("no-warn") {
        process.write(2, NO_INSTALL.as_bytes())?;
    }
    Ok(if outcome.is_ok() { Status::SUCCESS } else { Status::FAILURE })
}

fn report(
    process: &mut Process<'_>,
    arguments: &Arguments,
    verb: &str,
    changes: &[Change],
    outcome: &Result<Option<u32>, Failure>,
) -> Result<(), Fatal> {
    let verb = match verb {
        "preset-all" => "preset",
        "add-wants" | "add-requires" => "add dependency on",
        "set-default" => "set default",
        other => other,
    };
    let mut explained = false;
    for change in changes {
        if let Change::Failed { why, path, .. } = change {
            if let Failure::Specifier(letter) = why {
                let letter = char::from(*letter);
                return Err(process.not_modelled(format!("the specifier %{letter} in {}", show(path))));
            }
            explained = true;
        } else if arguments.has("q") {
            continue;
        }
        process.write(2, format!("{}\n", units::message(change, verb)).as_bytes())?;
    }
    if let Err(why) = outcome
        && !explained
    {
        let text = match why {
            Failure::Invalid => "Invalid argument".to_owned(),
            Failure::Specifier(letter) => {
                return Err(process.not_modelled(format!("the specifier %{}", char::from(*letter))));
            }
            other => format!("{other:?}"),
        };
        let line = match verb {
            "set default" => format!("Failed to set default target: {text}\n"),
            _ => format!("Failed to {verb}: {text}.\n"),
        };
        process.write(2, line.as_bytes())?;
    }
    Ok(())
}

fn is_enabled(
    process: &mut Process<'_>,
    arguments: &Arguments,
    scope: &'static Scope,
    names: Vec<Vec<u8>>,
) -> Result<Status, Fatal> {
    let mut enabled = false;
    for name in names {
        let script = name.strip_suffix(b".service").map(|script| [b"/etc/init.d/", script].concat());
        let native = units::exists(&mut process.machine.tree, scope, &name) != Ok(false);
        if !native && script.is_some_and(|path| process.machine.tree.find(&path).is_some()) {
            return Err(process.not_modelled(format!("is-enabled of the script {}", show(&name))));
        }
        let state: Result<State, Failure> = units::state(&mut process.machine.tree, scope, &name);
        match state {
            Ok(state) => {
                enabled |= state.counts_as_enabled();
                if !arguments.has("q") {
                    process.out(format!("{}\n", state.name()).as_bytes())?;
                }
            }
            Err(why) => {
                let text = match why {
                    Failure::NotFound => "No such file or directory".to_owned(),
                    Failure::Dangling => "Link has been severed".to_owned(),
                    Failure::Invalid => "Invalid argument".to_owned(),
                    other => format!("{other:?}"),
                };
                let line = format!("Failed to get unit file state for {}: {text}\n", show(&name));
                process.write(2, line.as_bytes())?;
                return Ok(Status::FAILURE);
            }
        }
    }
    Ok(if enabled { Status::SUCCESS } else { Status::FAILURE })
}

fn get_default(process: &mut Process<'_>, scope: &'static Scope) -> Result<Status, Fatal> {
    match units::default_target(&mut process.machine.tree, scope) {
        Ok(name) => {
            process.out(&[name.as_slice(), b"\n"].concat())?;
            Ok(Status::SUCCESS)
        }
        Err(_) => {
            process.write(2, b"Failed to get default target: No such file or directory\n")?;
            Ok(Status::FAILURE)
        }
    }
}
