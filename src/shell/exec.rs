//! From an argument list to a status: which program a name means, and running it.
//!
//! A name without a slash is searched along `PATH` **in the tree**. What is found there decides: a `#!` script of sh, dash or
//! bash is interpreted; anything else (ELF, perl, python) must be built in, by the name it was called by or by the name its
//! links lead to. A command that the tree has and icos lacks is [`Fatal::UnknownCommand`]; one that the tree lacks is the
//! shell's ordinary 127.

use super::{
    Fatal, Launch, Machine, Process, Status, Work, commands,
    script::{Interpreter, run_file},
};
use crate::{cause::Cause, tree::Node};

/// Where the C library searches when there is no `PATH`.
const USUAL_PATH: &[u8] = b"/bin:/usr/bin";

/// Where a command's name leads.
#[derive(Clone, Debug)]
pub enum Program {
    /// A script for the interpreter, at this path as seen from the folder.
    Script(Vec<u8>, Interpreter),
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
    for part in path.split(|&b| b == b':') {
        // An empty part of PATH is the current folder.
        let directory = if part.is_empty() { b".".as_slice() } else { part };
        let mut candidate = super::process::absolute(folder, directory);
        candidate.push(b'/');
        candidate.extend_from_slice(name);
        match program(machine, &candidate) {
            // A script is told the path as the search has made it.
            Program::Script(_, interpreter) if part.is_empty() => return Program::Script(name.to_vec(), interpreter),
            Program::Script(_, interpreter) => return Program::Script([part, b"/", name].concat(), interpreter),
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
    if let Some(interpreter) = interpreter(head) {
        return Program::Script(path.to_vec(), interpreter);
    }
    let by_name = |path: &[u8]| commands::find(path.rsplit(|&b| b == b'/').next().unwrap_or(path));
    match by_name(path).or_else(|| by_name(real.as_bytes())) {
        Some(command) => Program::BuiltIn(command),
        None => Program::Unknown(real.as_bytes().to_vec()),
    }
}

/// The shell that a file's first line names. A file that is neither a program nor starts with `#!` is a script for `sh`, as
/// every shell has it.
fn interpreter(head: &[u8]) -> Option<Interpreter> {
    let Some(rest) = head.strip_prefix(b"#!") else {
        let first = head.split(|&b| b == b'\n').next().unwrap_or_default();
        let text = !first.contains(&0) && !head.starts_with(b"\x7fELF");
        return text.then(|| Interpreter { name: b"sh".to_vec(), option: None });
    };
    // As the kernel has it: a carriage return belongs to the interpreter's name, which then names nothing.
    let line = trim(rest.split(|&b| b == b'\n').next().unwrap_or_default());
    let (path, option) = match line.iter().position(is_blank) {
        Some(blank) => (&line[..blank], trim(&line[blank..])),
        None => (line, &[] as &[u8]),
    };
    let base = |path: &[u8]| path.rsplit(|&b| b == b'/').next().unwrap_or_default().to_vec();
    let (name, option) = match base(path) {
        name if name == b"env" => (base(option), &[] as &[u8]),
        name => (name, option),
    };
    let option = (!option.is_empty()).then(|| option.to_vec());
    matches!(name.as_slice(), b"sh" | b"dash" | b"bash").then_some(Interpreter { name, option })
}

fn is_blank(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

fn trim(line: &[u8]) -> &[u8] {
    let start = line.iter().position(|b| !is_blank(b)).unwrap_or(line.len());
    let end = line.iter().rposition(|b| !is_blank(b)).map_or(start, |last| last + 1);
    &line[start..end]
}

/// Runs a command to its end.
pub fn execute(machine: &mut Machine, launch: Launch) -> Result<Status, Fatal> {
    machine.work(Work::Program)?;
    let name = launch.argv.first().cloned().unwrap_or_default();
    let path = launch.environment.get(b"PATH".as_slice()).map_or(USUAL_PATH, Vec::as_slice).to_vec();
    let found = find(machine, &name, &path, &launch.folder);
    run(machine, found, launch)
}

/// Runs a command whose program has been found.
pub fn run(machine: &mut Machine, program: Program, launch: Launch) -> Result<Status, Fatal> {
    match program {
        Program::BuiltIn(command) => {
            machine.tree.enter(|| Cause::command(launch.argv.first().map_or(b"", Vec::as_slice)));
            let ended = command(&mut process(machine, launch));
            machine.tree.leave();
            ended.and_then(|status| machine.charge(0).map(|()| status))
        }
        Program::Script(path, interpreter) => run_file(machine, &path, &interpreter, launch),
        Program::Unknown(path) => Err(Fatal::UnknownCommand(path)),
        Program::Denied => complain(&mut process(machine, launch), "Permission denied", 126),
        Program::Missing => complain(&mut process(machine, launch), "not found", 127),
    }
}

fn process(machine: &mut Machine, launch: Launch) -> Process<'_> {
    let Launch { argv, environment, folder, umask, descriptors } = launch;
    Process { machine, argv, environment, folder, umask, descriptors }
}

fn complain(process: &mut Process<'_>, what: &str, status: u8) -> Result<Status, Fatal> {
    let mut line = process.argv.first().cloned().unwrap_or_default();
    line.extend_from_slice(format!(": {what}\n").as_bytes());
    process.write(2, &line)?;
    Ok(Status(status))
}
