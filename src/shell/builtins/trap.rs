//! `trap`: the action on `EXIT` is run; those on signals wait for `kill` by the script itself.

use std::rc::Rc;

use crate::shell::interpreter::{Shell, Unwind, single_quoted};

/// Names of the signals from 1 on, as Linux numbers them.
pub(super) const SIGNALS: [&str; 31] = [
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM", "TERM",
    "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO",
    "PWR", "SYS",
];

/// The number of a signal, given by number or name; 0 is `EXIT`.
pub(super) fn signal(text: &[u8]) -> Option<u8> {
    if let Some(number) = std::str::from_utf8(text).ok().and_then(|text| text.parse::<u8>().ok()) {
        return (number <= 64).then_some(number);
    }
    let name = text.to_ascii_uppercase();
    if name == b"EXIT" {
        return Some(0);
    }
    let index = SIGNALS.iter().position(|signal| signal.as_bytes() == name)?;
    u8::try_from(index + 1).ok()
}

pub(super) fn trap(shell: &mut Shell<'_>, arguments: &[Vec<u8>]) -> Result<u8, Unwind> {
    let rest = match arguments.get(1) {
        Some(first) if first == b"--" => &arguments[2..],
        _ => &arguments[1..],
    };
    let Some((first, others)) = rest.split_first() else { return list(shell) };
    // One argument alone is a signal to reset.
    let (action, signals) = if others.is_empty() { (None, rest) } else { (Some(first), others) };
    let action = action.filter(|action| *action != b"-");
    for text in signals {
        let Some(number) = signal(text) else {
            return Err(shell.error(&format!("{}: bad trap", text.escape_ascii())));
        };
        let traps = Rc::make_mut(&mut shell.state.traps);
        match action {
            Some(action) => {
                traps.insert(number, action.clone());
            }
            None => {
                traps.remove(&number);
            }
        }
    }
    Ok(0)
}

fn list(shell: &mut Shell<'_>) -> Result<u8, Unwind> {
    let mut text = Vec::new();
    for (number, action) in &*shell.state.traps {
        let name = match usize::from(*number).checked_sub(1) {
            None => "EXIT",
            Some(index) => SIGNALS.get(index).copied().unwrap_or("?"),
        };
        text.extend_from_slice(b"trap -- ");
        text.extend_from_slice(&single_quoted(action));
        text.extend_from_slice(format!(" {name}\n").as_bytes());
    }
    shell.write(1, &text)?;
    Ok(0)
}
