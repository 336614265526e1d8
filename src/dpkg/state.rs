//! The three words of a package's `Status` field.

use std::fmt;

/// What is wanted of a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    Unknown,
    Install,
    Hold,
    Deinstall,
    Purge,
}

/// Whether a package must be installed again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flag {
    Ok,
    ReinstallRequired,
}

/// How far a package has come; the order counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    NotInstalled,
    ConfigFiles,
    HalfInstalled,
    Unpacked,
    HalfConfigured,
    TriggersAwaited,
    TriggersPending,
    Installed,
}

const WANTS: [(Want, &str); 5] = [
    (Want::Unknown, "unknown"),
    (Want::Install, "install"),
    (Want::Hold, "hold"),
    (Want::Deinstall, "deinstall"),
    (Want::Purge, "purge"),
];

const FLAGS: [(Flag, &str); 2] = [(Flag::Ok, "ok"), (Flag::ReinstallRequired, "reinstreq")];

const STATES: [(State, &str); 8] = [
    (State::NotInstalled, "not-installed"),
    (State::ConfigFiles, "config-files"),
    (State::HalfInstalled, "half-installed"),
    (State::Unpacked, "unpacked"),
    (State::HalfConfigured, "half-configured"),
    (State::TriggersAwaited, "triggers-awaited"),
    (State::TriggersPending, "triggers-pending"),
    (State::Installed, "installed"),
];

fn word<T: Copy + PartialEq>(table: &[(T, &'static str)], value: T) -> &'static str {
    table.iter().find(|(known, _)| *known == value).map(|(_, word)| *word).expect("the table has every variant")
}

fn value<T: Copy>(table: &[(T, &'static str)], word: &str) -> Option<T> {
    table.iter().find(|(_, known)| *known == word).map(|(value, _)| *value)
}

impl fmt::Display for Want {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(word(&WANTS, *self))
    }
}

impl fmt::Display for Flag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(word(&FLAGS, *self))
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(word(&STATES, *self))
    }
}

/// Reads `install ok installed`.
pub fn parse(text: &str) -> Option<(Want, Flag, State)> {
    let mut words = text.split_ascii_whitespace();
    let status = (value(&WANTS, words.next()?)?, value(&FLAGS, words.next()?)?, value(&STATES, words.next()?)?);
    words.next().is_none().then_some(status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words() {
        for (want, _) in WANTS {
            for (flag, _) in FLAGS {
                for (state, _) in STATES {
                    assert_eq!(parse(&format!("{want} {flag} {state}")), Some((want, flag, state)));
                }
            }
        }
        for bad in ["", "install ok", "install ok installed x", "ok install installed"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
