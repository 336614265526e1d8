//! `trap`: the action on `EXIT` is run; those on signals wait for `kill` by the script itself.

use std::rc::Rc;

use crate::shell::interpreter::{Shell, Unwind, single_quoted};

/// Names of the signals from 1 on, as Linux numbers them and dash knows them.
const SIGNALS: [&str; 31] = [
    "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM", "TERM",
    "16", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO",
    "PWR", "SYS",
];

/// The number of a signal, given by number or name; 0 is `EXIT`.
pub(super) fn signal(text: &[u8]) -> Option<u8> {
    if let Some(number) = std::str::from_utf8(text).ok().and_then(|text| text.parse::<u8>().ok()) {
        return (number <= LAST).then_some(number);
    }
    let name = text.to_ascii_uppercase();
    if name == b"EXIT" {
        return Some(0);
    }
    (1..=LAST).find(|&number| signal_name(number).as_bytes() == name)
}

/// The last real-time signal.
pub(super) const LAST: u8 = 64;

/// The name of a signal from 1 on.
pub(super) fn signal_name(number: u8) -> String {
    match (number, SIGNALS.get(usize::from(number).wrapping_sub(1))) {
        (_, Some(name)) => (*name).to_owned(),
        (34, _) => "RTMIN".to_owned(),
        (35..=49, _) => format!("RTMIN+{}", number - 34),
        (50..=63, _) => format!("RTMAX-{}", LAST - number),
        (LAST, _) => "RTMAX".to_owned(),
        _ => number.to_string(),
    }
}

pub(super) fn trap(shell: &mut Shell<'_>, arguments: &[Vec<u8>]) -> Result<u32, Unwind> {
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
            shell.write(2, &[b"trap: ", text.as_slice(), b": bad trap\n"].concat())?;
            return Ok(1);
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

fn list(shell: &mut Shell<'_>) -> Result<u32, Unwind> {
    let mut text = Vec::new();
    for (number, action) in &*shell.state.traps {
        let name = if *number == 0 { "EXIT".to_owned() } else { signal_name(*number) };
        text.extend_from_slice(b"trap -- ");
        text.extend_from_slice(&single_quoted(action));
        text.extend_from_slice(format!(" {name}\n").as_bytes());
    }
    shell.write(1, &text)?;
    Ok(0)
}
