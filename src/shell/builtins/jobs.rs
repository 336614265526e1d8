//! `wait`, `jobs`, `kill`, `times`, `ulimit`: the system around a script, of which there is little.

use std::rc::Rc;

use super::{number, options, trap};
use crate::shell::interpreter::{PID, Shell, Unwind};

pub(super) fn wait(shell: &mut Shell<'_>, arguments: &[Vec<u8>]) -> Result<u8, Unwind> {
    let (_, rest) = options(shell, arguments, b"")?;
    let mut status = 0;
    for text in rest {
        let pid = number(shell, text)?;
        let job = u32::try_from(pid).ok().and_then(|pid| Rc::make_mut(&mut shell.state.jobs).remove(&pid));
        status = job.unwrap_or(127);
    }
    if rest.is_empty() {
        shell.state.jobs = Rc::default();
    }
    Ok(status)
}

/// `jobs`: every command run with `&` has ended.
pub(super) fn jobs(_: &mut Shell<'_>, _: &[Vec<u8>]) -> Result<u8, Unwind> {
    Ok(0)
}

pub(super) fn interactive(shell: &mut Shell<'_>, arguments: &[Vec<u8>]) -> Result<u8, Unwind> {
    Err(shell.not_modelled(&format!("`{}`", arguments[0].escape_ascii())))
}

pub(super) fn times(shell: &mut Shell<'_>, _: &[Vec<u8>]) -> Result<u8, Unwind> {
    shell.write(1, b"0m0.000000s 0m0.000000s\n0m0.000000s 0m0.000000s\n")?;
    Ok(0)
}

/// `ulimit`: nothing is limited, and limits are accepted.
pub(super) fn ulimit(shell: &mut Shell<'_>, arguments: &[Vec<u8>]) -> Result<u8, Unwind> {
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
pub(super) fn kill(shell: &mut Shell<'_>, arguments: &[Vec<u8>]) -> Result<u8, Unwind> {
    let mut signal = 15;
    let mut rest = &arguments[1..];
    match rest.first().map(Vec::as_slice) {
        Some(b"-l") => {
            let mut text = String::new();
            for name in trap::SIGNALS {
                text.push_str(&format!("{name}\n"));
            }
            shell.write(1, text.as_bytes())?;
            return Ok(0);
        }
        Some(b"-s") => {
            signal = named(shell, rest.get(1).map_or(b"", Vec::as_slice))?;
            rest = rest.get(2..).unwrap_or_default();
        }
        Some(b"--") => rest = &rest[1..],
        Some([b'-', name @ ..]) => {
            signal = named(shell, name)?;
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
            shell.warn("No such process")?;
            status = 1;
        } else if signal != 0 {
            raise(shell, signal)?;
        }
    }
    Ok(status)
}

fn named(shell: &mut Shell<'_>, text: &[u8]) -> Result<u8, Unwind> {
    match trap::signal(text) {
        Some(signal) => Ok(signal),
        None => Err(shell.error(&format!("invalid signal number or name: {}", text.escape_ascii()))),
    }
}

/// A signal to the script: its trap, or its end.
fn raise(shell: &mut Shell<'_>, signal: u8) -> Result<(), Unwind> {
    let action = shell.state.traps.get(&signal).cloned();
    match action {
        Some(action) if action.is_empty() && signal != 9 => Ok(()),
        Some(action) if signal != 9 => {
            let status = shell.status;
            shell.eval(&action, false)?;
            shell.status = status;
            Ok(())
        }
        _ => Err(shell.not_modelled(&format!("a script that ends itself with signal {signal}"))),
    }
}
