//! From an argument list to a status: which program a name means, and running it.
//!
//! A name without a slash is searched along `PATH` **in the tree**. What is found there decides: a `#!` script of sh, dash or
//! bash is interpreted; anything else (ELF, perl, python) must be built in, by the name it was called by or by the name its
//! links lead to. A command that the tree has and icos lacks is [`Fatal::UnknownCommand`]; one that the tree lacks is the
//! shell's ordinary 127.

use super::{Fatal, Launch, Machine, Process, Status, commands};
use crate::tree::Node;

/// Where a command's name leads.
#[derive(Clone, Debug)]
pub enum Program {
    /// A script for the interpreter, at this path.
    Script(Vec<u8>),
    /// A program of the tree that is built in.
    BuiltIn(commands::Command),
    /// A program of the tree at this path that icos does not have.
    Unknown(Vec<u8>),
    /// A file that may not be executed.
    Denied,
    Missing,
}

/// Looks a command up as `execvp` would, in the tree.
pub fn find(machine: &Machine, name: &[u8], path: &[u8], folder: &crate::tree::TreePath) -> Program {
    if name.contains(&b'/') {
        return program(machine, &super::process::absolute(folder, name));
    }
    if name.is_empty() {
        return Program::Missing;
    }
    let mut denied = false;
    for directory in path.split(|&b| b == b':') {
        // An empty part of PATH is the current folder.
        let directory = if directory.is_empty() { b".".as_slice() } else { directory };
        let mut candidate = super::process::absolute(folder, directory);
        candidate.push(b'/');
        candidate.extend_from_slice(name);
        match program(machine, &candidate) {
            Program::Missing => {}
            Program::Denied => denied = true,
            found => return found,
        }
    }
    if denied { Program::Denied } else { Program::Missing }
}

fn program(machine: &Machine, path: &[u8]) -> Program {
    let Ok((id, real)) = machine.tree.resolve(path) else { return Program::Missing };
    let inode = machine.tree.get(id);
    let Node::Regular(content) = &inode.node else { return Program::Denied };
    if inode.stat.mode & 0o111 == 0 {
        return Program::Denied;
    }
    let head = content.runs().next().filter(|(offset, _)| *offset == 0).map_or(&[] as &[u8], |(_, data)| data);
    if is_shell_script(head) {
        return Program::Script(real.as_bytes().to_vec());
    }
    let by_name = |path: &[u8]| commands::find(path.rsplit(|&b| b == b'/').next().unwrap_or(path));
    match by_name(path).or_else(|| by_name(real.as_bytes())) {
        Some(command) => Program::BuiltIn(command),
        None => Program::Unknown(real.as_bytes().to_vec()),
    }
}

/// Whether a file starts with a `#!` line that names sh, dash or bash.
fn is_shell_script(head: &[u8]) -> bool {
    let Some(rest) = head.strip_prefix(b"#!") else { return false };
    let line = rest.split(|&b| b == b'\n').next().unwrap_or_default();
    let mut words = line.split(|b| b.is_ascii_whitespace()).filter(|word| !word.is_empty());
    let base = |word: &[u8]| word.rsplit(|&b| b == b'/').next().unwrap_or_default().to_vec();
    let first = words.next().map(base).unwrap_or_default();
    let interpreter = if first == b"env" { words.next().map(base).unwrap_or_default() } else { first };
    matches!(interpreter.as_slice(), b"sh" | b"dash" | b"bash")
}

/// Runs a command to its end.
pub fn execute(machine: &mut Machine, launch: Launch) -> Result<Status, Fatal> {
    let name = launch.argv.first().cloned().unwrap_or_default();
    let path = launch.environment.get(b"PATH".as_slice()).cloned().unwrap_or_default();
    let found = find(machine, &name, &path, &launch.folder);
    let Launch { argv, environment, folder, umask, descriptors } = launch;
    let mut process = Process { machine, argv, environment, folder, umask, descriptors };
    match found {
        Program::BuiltIn(command) => command(&mut process),
        Program::Script(path) => Err(Fatal::UnknownCommand(path)),
        Program::Unknown(path) => Err(Fatal::UnknownCommand(path)),
        Program::Denied => complain(&mut process, &name, "Permission denied", 126),
        Program::Missing => complain(&mut process, &name, "not found", 127),
    }
}

fn complain(process: &mut Process<'_>, name: &[u8], what: &str, status: u8) -> Result<Status, Fatal> {
    let mut line = name.to_vec();
    line.extend_from_slice(format!(": {what}\n").as_bytes());
    process.write(2, &line)?;
    Ok(Status(status))
}
