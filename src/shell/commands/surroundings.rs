//! What scripts ask about the machine they run on: `ischroot`, `systemd-detect-virt`, `mountpoint`, `start-stop-daemon`, `pidof`,
//! `pgrep`, `tty`, `stty`, `tput`, `udevadm`. An image that is built is not running: it is like a chroot in which nothing is mounted, no process
//! lives and nobody sits at a terminal.

use super::super::{Fatal, Process, Status, options};

pub(super) fn ischroot(process: &mut Process<'_>) -> Result<Status, Fatal> {
    options::parse(process, &["default-false f", "default-true t"])?;
    Ok(Status::SUCCESS)
}

/// There is neither a container nor a virtual machine around an image; like a chroot it is.
pub(super) fn detect_virt(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = options::parse(process, &["container c", "vm v", "chroot r", "private-users", "quiet q"])?;
    if !arguments.operands.is_empty() {
        return process.wrong_operands(&arguments.operands, 0);
    }
    if arguments.has("chroot") {
        return Ok(Status::SUCCESS);
    }
    if !arguments.has("quiet") && !arguments.has("private-users") {
        process.out(b"none\n")?;
    }
    Ok(Status::FAILURE)
}

/// Only the root is a mount point.
pub(super) fn mountpoint(process: &mut Process<'_>) -> Result<Status, Fatal> {
    const NOT_MOUNTED: Status = Status(32);
    let arguments = options::parse(process, &["quiet q"])?;
    let [path] = arguments.operands.as_slice() else { return process.fail("bad usage") };
    let (path, quiet) = (path.clone(), arguments.has("quiet"));
    let shown = String::from_utf8_lossy(&path).into_owned();
    let Ok((_, real)) = process.machine.tree.resolve(&process.absolute(&path)) else {
        if !quiet {
            process.complain(&format!("{shown}: No such file or directory"))?;
        }
        return Ok(Status::FAILURE);
    };
    let (status, text) = if real.is_root() { (Status::SUCCESS, "is") } else { (NOT_MOUNTED, "is not") };
    if !quiet {
        process.out(format!("{shown} {text} a mountpoint\n").as_bytes())?;
    }
    Ok(status)
}

/// There is nothing to stop; nothing can be started.
pub(super) fn start_stop_daemon(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let table = &[
        "stop K",
        "start S",
        "oknodo o",
        "quiet q",
        "verbose v",
        "test t",
        "exec x=",
        "name n=",
        "pidfile p=",
        "user u=",
        "signal s=",
        "retry R=",
        "remove-pidfile",
        "background b",
        "make-pidfile m",
        "chuid c=",
        "startas a=",
    ];
    let arguments = options::parse_leading(process, table)?;
    if arguments.has("start") || !arguments.has("stop") {
        return Err(process.not_modelled("starting a process"));
    }
    if !arguments.has("quiet") {
        let what = ["exec", "name", "pidfile"].iter().find_map(|option| arguments.value(option)).unwrap_or_default();
        let line = format!("No {} found running; none killed.\n", String::from_utf8_lossy(what));
        process.out(line.as_bytes())?;
    }
    Ok(if arguments.has("oknodo") { Status::SUCCESS } else { Status::FAILURE })
}

/// Of no name is there a process, be it to be found (`pidof`, `pgrep`) or to be told something (`pkill`).
pub(super) fn no_process(process: &mut Process<'_>) -> Result<Status, Fatal> {
    if process.arguments().is_empty() {
        return Err(process.not_modelled("no name of a process"));
    }
    Ok(Status::FAILURE)
}

pub(super) fn tty(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = options::parse(process, &["silent quiet s"])?;
    if !arguments.has("silent") {
        process.out(b"not a tty\n")?;
    }
    Ok(Status::FAILURE)
}

pub(super) fn stty(process: &mut Process<'_>) -> Result<Status, Fatal> {
    if process.arguments().iter().any(|word| word.starts_with(b"-F") || word.starts_with(b"--file")) {
        return Err(process.not_modelled("a device"));
    }
    process.fail("'standard input': Inappropriate ioctl for device")
}

/// What a terminal can do, without a terminal's name: nothing is known.
pub(super) fn tput(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let named = process.arguments().iter().any(|word| word.starts_with(b"-"));
    if named || process.variable("TERM").is_some_and(|name| !name.is_empty()) {
        return Err(process.not_modelled("a terminal's abilities"));
    }
    process.complain("No value for $TERM and no -T specified")?;
    Ok(Status(2))
}

/// No udevd runs that could be told something, and there is no device to have an event.
pub(super) fn udevadm(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = process.arguments();
    let words: Vec<_> = arguments.iter().map(Vec::as_slice).collect();
    match words.as_slice() {
        [b"control", b"--reload" | b"--reload-rules" | b"-R"] => {
            process.write(2, b"Failed to send reload request: No such file or directory\n")?;
            Ok(Status::FAILURE)
        }
        [b"trigger" | b"settle", ..] => {
            let table = &[
                "type t=",
                "action c=",
                "subsystem-match s=",
                "subsystem-nomatch S=",
                "attr-match a=",
                "property-match p=",
                "sysname-match y=",
                "quiet q",
                "timeout=",
                "exit-if-exists E=",
            ];
            let rest = options::parse_list(process, arguments[1..].to_vec(), table)?;
            match rest.operands.is_empty() {
                true => Ok(Status::SUCCESS),
                false => Err(process.not_modelled("a device")),
            }
        }
        _ => Err(process.not_modelled(format!("`{}`", arguments.join(b" ".as_slice()).escape_ascii()))),
    }
}
