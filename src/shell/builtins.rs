//! The commands that are part of the shell itself (POSIX XCU 2.14 and 1.6), by name.

use super::{
    interpreter::{Shell, Unwind},
    parse::Dialect,
    raw::Raw,
};

mod control;
mod echo;
mod files;
mod float;
mod folder;
mod getopts;
mod jobs;
mod names;
mod options;
mod printf;
mod read;
mod trap;
mod variables;

pub(super) use files::{Condition, Facts};
pub(super) use float::format as format_float;
pub(super) use options::read_invocation;
pub(super) use printf::print;

/// A command of the shell: its arguments, of which the first is its name, to a status.
type Run = fn(&mut Shell<'_>, &[Vec<u8>]) -> Result<u32, Unwind>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// An error in it ends the shell; assignments in front of it stay.
    Special,
    Regular,
    /// In scripts for bash only.
    Bash,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Builtin {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    /// Its arguments of the form `name=value` are expanded like assignments.
    pub(super) declares: bool,
    pub(super) run: Run,
}

const fn special(name: &'static str, run: Run) -> Builtin {
    Builtin { name, kind: Kind::Special, declares: false, run }
}

const fn declaring(name: &'static str, run: Run) -> Builtin {
    Builtin { name, kind: Kind::Special, declares: true, run }
}

const fn regular(name: &'static str, run: Run) -> Builtin {
    Builtin { name, kind: Kind::Regular, declares: false, run }
}

const fn bash(name: &'static str, run: Run) -> Builtin {
    Builtin { name, kind: Kind::Bash, declares: false, run }
}

/// In byte order of names.
const BUILTINS: [Builtin; 41] = [
    special(".", control::dot),
    special(":", control::succeed),
    regular("[", files::test),
    Builtin { name: "alias", kind: Kind::Regular, declares: true, run: names::alias },
    special("break", control::break_loop),
    regular("cd", folder::cd),
    regular("chdir", folder::cd),
    regular("command", names::command),
    special("continue", control::break_loop),
    regular("echo", echo::echo),
    special("eval", control::succeed),
    special("exec", control::exec),
    special("exit", control::exit),
    declaring("export", variables::export),
    regular("false", control::fail),
    regular("getopts", getopts::getopts),
    regular("hash", names::hash),
    regular("jobs", jobs::jobs),
    regular("kill", jobs::kill),
    declaring("local", variables::local),
    regular("printf", printf::printf),
    regular("pwd", folder::pwd),
    regular("read", read::read),
    declaring("readonly", variables::export),
    special("return", control::return_from),
    special("set", options::set),
    special("shift", control::shift),
    bash("source", control::dot),
    regular("test", files::test),
    special("times", jobs::times),
    special("trap", trap::trap),
    regular("true", control::succeed),
    regular("type", names::type_of),
    regular("ulimit", jobs::ulimit),
    regular("umask", folder::umask),
    regular("unalias", names::unalias),
    special("unset", variables::unset),
    regular("wait", jobs::wait),
    // The end is what dash has and no script without a terminal can use.
    regular("bg", jobs::interactive),
    regular("fc", jobs::interactive),
    regular("fg", jobs::interactive),
];

/// The built-in command of this name.
pub(super) fn find(name: &[u8], dialect: Dialect) -> Option<&'static Builtin> {
    let builtin = BUILTINS.iter().find(|builtin| builtin.name.as_bytes() == name)?;
    (builtin.kind != Kind::Bash || dialect == Dialect::Bash).then_some(builtin)
}

/// Whether a name is one of a special built-in command, which no function may have.
pub(super) fn is_special(name: &[u8]) -> bool {
    find(name, Dialect::Dash).is_some_and(|builtin| builtin.kind == Kind::Special)
}

/// A count as `shift` and `exit` take it: digits alone.
fn number(shell: &mut Shell<'_>, text: &[u8]) -> Result<u64, Unwind> {
    let digits = std::str::from_utf8(text).ok().filter(|text| text.bytes().all(|b| b.is_ascii_digit()));
    match digits.and_then(|digits| digits.parse::<u32>().ok()) {
        Some(number) if number <= i32::MAX as u32 => Ok(u64::from(number)),
        _ => Err(shell.error(&format!("Illegal number: {}", Raw(text)))),
    }
}

/// Takes the letters of leading options, as `getopt` does; the rest follows.
fn options<'a>(
    shell: &mut Shell<'_>,
    arguments: &'a [Vec<u8>],
    known: &[u8],
) -> Result<(Vec<u8>, &'a [Vec<u8>]), Unwind> {
    let mut letters = Vec::new();
    let mut rest = &arguments[1..];
    while let Some((first, after)) = rest.split_first() {
        match first.as_slice() {
            b"--" => return Ok((letters, after)),
            [b'-', found @ ..] if !found.is_empty() => {
                if let Some(unknown) = found.iter().find(|letter| !known.contains(letter)) {
                    return Err(shell.error(&format!("Illegal option -{}", char::from(*unknown))));
                }
                letters.extend_from_slice(found);
                rest = after;
            }
            _ => break,
        }
    }
    Ok((letters, rest))
}
