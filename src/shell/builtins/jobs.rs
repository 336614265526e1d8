//! `wait`, `jobs`, `kill`, `times`, `ulimit`: the system around a script, of which there is little.

use std::rc::Rc;

use super::{number, options, trap};
use crate::shell::{
    interpreter::{PID, Shell, Unwind},
    raw::Raw,
};

pub(super) fn wait(shell: &mut Shell<'_>, arguments: &[Vec<u8>]) -> Result<u32, Unwind> {
    let (_, rest) = options(shell, arguments, b"")?;
    let mut status = 0;
    for text in rest {
        let pid = number(shell, text)?;
        let job = u32::try_from(pid).ok().and_then(|pid| shell.state.jobs.get(&pid));
        status = job.map_or(127, |status| u32::from(*status));
    }
    if rest.is_empty() {
        shell.state.jobs = Rc::default();
    }
    Ok(status)
}

/// `jobs`: every command run with `&` has ended.
pub(super) fn jobs(_: &mut Shell<'_>, _: &[Vec<u8>]) -> Result<u32, Unwind> {
    Ok(0)
}

pub(super) fn interactive(shell: &mut Shell<'_>, arguments: &[Vec<u8>]) -> Result<u32, Unwind> {
    Err(shell.not_modelled(&format!("`{}`", Raw(&arguments[0]))))
}

pub(super) fn times(shell: &mut Shell<'_>, _: &[Vec<u8>]) -> Result<u32, Unwind> {
    shell.write(1, b"0m0.000000s 0m0.000000s\n0m0.000000s 0m0.000000s\n")?;
    Ok(0)
}

/// `ulimit`: nothing is limited, and limits are accepted.
pub(super) fn ulimit(shell: &mut Shell<'_>, arguments: &[Vec<u8>]) -> Result<u32, Unwind> {
    let (letters, rest) = options(shell, arguments, b"HSatfdscmlpnvwr")?;
    if letters.contains(&b'a') {
        return Err(shell.not_modelled("`ulimit -a`"));
    }
    if rest.is_empty() {
        shell.write(1, b"unlimited\n")?;
    }
    Ok(0)
}

/// `kill`: there is no process but the script itself.
pub(super) fn kill(shell: &mut Shell<'_>, arguments: &[Vec<u8>]) -> Result<u32, Unwind> {
    let mut signal = 15;
    let mut rest = &arguments[1..];
    match rest.first().map(Vec::as_slice) {
        Some(b"-l") => return list_signals(shell, &rest[1..]),
        Some(b"-s") => {
            signal = named(shell, rest.get(1).map_or(b"", Vec::as_slice))?;
            rest = rest.get(2..).unwrap_or_default();
        }
        Some(b"--") => rest = &rest[1..],
        Some([b'-', name @ ..]) => {
            signal = match trap::signal(name) {
                Some(signal) => signal,
                None => return Err(shell.error(&format!("Illegal option -{}", Raw(&name[..name.len().min(1)])))),
            };
            rest = &rest[1..];
        }
        _ => {}
    }
    if rest.is_empty() {
        return Err(
            shell.error("Usage: kill [-s sigspec | -signum | -sigspec] [pid | job]... or\nkill -l [exitstatus]")
        );
    }
    let mut status = 0;
    for text in rest {
        if *text != PID.to_string().as_bytes() {
            shell.warn("No such process\n")?;
            status = 1;
        } else if signal != 0 {
            raise(shell, signal)?;
        }
    }
    Ok(status)
}

/// `kill -l`: all names, or those of signals or of statuses that signals leave.
fn list_signals(shell: &mut Shell<'_>, statuses: &[Vec<u8>]) -> Result<u32, Unwind> {
    let mut text = String::new();
    if statuses.is_empty() {
        text.push_str("0\n");
    }
    for number in (1..=trap::LAST).filter(|_| statuses.is_empty()) {
        text.push_str(&format!("{}\n", trap::signal_name(number)));
    }
    if let Some(status) = statuses.first() {
        let number = number(shell, status)?;
        match u8::try_from(number % 128).ok().filter(|signal| (1..=trap::LAST).contains(signal) && number < 256) {
            Some(signal) => text.push_str(&format!("{}\n", trap::signal_name(signal))),
            None => return Err(shell.error(&format!("invalid signal number or exit status: {number}"))),
        }
    }
    shell.write(1, text.as_bytes())?;
    Ok(0)
}

fn named(shell: &mut Shell<'_>, text: &[u8]) -> Result<u8, Unwind> {
    match trap::signal(text) {
        Some(signal) => Ok(signal),
        None => Err(shell.error(&format!("invalid signal number or name: {}", Raw(text)))),
    }
}

/// Signals that do nothing without a trap: CHLD, CONT, URG, WINCH.
const IGNORED: [u8; 4] = [17, 18, 23, 28];

/// Signals that stop a process until it is told to go on.
const STOPS: [u8; 4] = [19, 20, 21, 22];

/// A signal to the script: its trap, or its end.
fn raise(shell: &mut Shell<'_>, signal: u8) -> Result<(), Unwind> {
    let action = shell.state.traps.get(&signal).cloned();
    match action {
        Some(action) if action.is_empty() && signal != 9 => Ok(()),
        Some(_) if signal != 9 => {
            shell.pending.push(signal);
            Ok(())
        }
        None if IGNORED.contains(&signal) => Ok(()),
        _ if shell.subshells > 0 || STOPS.contains(&signal) => {
            Err(shell.not_modelled(&format!("a script that ends itself with signal {signal}")))
        }
        _ => {
            // Nothing runs any more, not even the trap on `EXIT`.
            shell.state.traps = Rc::default();
            shell.status = 128 + u32::from(signal);
            Err(Unwind::Exit)
        }
    }
}
