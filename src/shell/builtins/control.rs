//! `.`, `:`, `break`, `continue`, `exec`, `exit`, `return`, `shift`, `true`, `false`: where the script goes on.

use super::number;
use crate::{
    cause::Cause,
    shell::{
        How, Work,
        interpreter::{Shell, Skip, Unwind},
        raw::Raw,
    },
};

pub(super) fn succeed(_: &mut Shell<'_>, _: &[Vec<u8>]) -> Result<u32, Unwind> {
    Ok(0)
}

pub(super) fn fail(_: &mut Shell<'_>, _: &[Vec<u8>]) -> Result<u32, Unwind> {
    Ok(1)
}

/// `break` and `continue`
pub(super) fn break_loop(shell: &mut Shell<'_>, arguments: &[Vec<u8>]) -> Result<u32, Unwind> {
    let count = match arguments.get(1) {
        Some(text) => number(shell, text)?,
        None => 1,
    };
    if count == 0 {
        return Err(shell.error(&format!("Illegal number: {}", Raw(&arguments[1]))));
    }
    let count = u32::try_from(count).unwrap_or(u32::MAX).min(shell.loops);
    if count > 0 {
        shell.skip = if arguments[0] == b"break" { Skip::Break(count) } else { Skip::Continue(count) };
    }
    Ok(0)
}

pub(super) fn return_from(shell: &mut Shell<'_>, arguments: &[Vec<u8>]) -> Result<u32, Unwind> {
    let status = match arguments.get(1) {
        Some(text) => number(shell, text)? as u32,
        None => shell.status,
    };
    shell.skip = Skip::Return;
    Ok(status)
}

pub(super) fn exit(shell: &mut Shell<'_>, arguments: &[Vec<u8>]) -> Result<u32, Unwind> {
    match arguments.get(1) {
        Some(text) => shell.status = number(shell, text)? as u32,
        // In a trap, what counts is the status before it.
        None => shell.status = shell.ending.unwrap_or(shell.status),
    }
    Err(Unwind::Exit)
}

pub(super) fn shift(shell: &mut Shell<'_>, arguments: &[Vec<u8>]) -> Result<u32, Unwind> {
    let count = match arguments.get(1) {
        Some(text) => number(shell, text)?,
        None => 1,
    };
    let held = shell.state.parameters.len();
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    if count > held {
        return Err(shell.error("can't shift that many"));
    }
    shell.machine.work(Work::Pieces(held - count))?;
    shell.state.parameters = shell.state.parameters[count..].into();
    Ok(0)
}

/// `exec`: the command takes the shell's place; without one, only the redirections count.
pub(super) fn exec(shell: &mut Shell<'_>, arguments: &[Vec<u8>]) -> Result<u32, Unwind> {
    let rest = match arguments.get(1) {
        Some(first) if first == b"--" => &arguments[2..],
        _ => &arguments[1..],
    };
    if rest.is_empty() {
        return Ok(0);
    }
    shell.status = shell.external(rest.to_vec(), false)?;
    // A command that has taken the shell's place knows nothing of its traps.
    if !matches!(shell.status, 126 | 127) {
        shell.state.traps = std::rc::Rc::default();
    }
    Err(Unwind::Exit)
}

/// `.`: a file without a slash in its name is searched along `PATH`.
pub(super) fn dot(shell: &mut Shell<'_>, arguments: &[Vec<u8>]) -> Result<u32, Unwind> {
    let arguments = match arguments.get(1) {
        Some(first) if first == b"--" => &arguments[1..],
        _ => arguments,
    };
    let Some(name) = arguments.get(1) else { return Ok(0) };
    let Some(path) = sourced(shell, name) else {
        return Err(shell.error(&format!("{}: not found", Raw(name))));
    };
    let (umask, descriptors) = (shell.state.umask, shell.state.descriptors.clone());
    let source = match shell.machine.open(&path, How::Read, umask, &descriptors) {
        Ok(file) => shell.machine.read_all(&file),
        Err(error) => {
            return Err(shell.error(&format!("cannot open {}: {}", Raw(name), error.reason("No such file"))));
        }
    };
    let script = shell.machine.script(&source, shell.dialect)?;
    let before = std::mem::replace(&mut shell.script, path.into());
    let (line, texts) = (shell.line, std::mem::take(&mut shell.texts));
    shell.command = Some(name.as_slice().into());
    shell.machine.tree.enter(|| Cause::line(&shell.script, 0));
    let result = shell.deeper(|shell| shell.commands(&script, false));
    shell.machine.tree.leave();
    if shell.skip == Skip::Return {
        shell.skip = Skip::None;
    }
    shell.script = before;
    (shell.line, shell.texts) = (line, texts);
    result
}

fn sourced(shell: &Shell<'_>, name: &[u8]) -> Option<Vec<u8>> {
    if name.contains(&b'/') {
        return Some(shell.absolute(name));
    }
    let path = shell.state.variables.get(b"PATH")?.clone();
    path.split(|&b| b == b':').find_map(|folder| {
        let candidate = shell.absolute(&[folder, b"/", name].concat());
        let candidate = if folder.is_empty() { shell.absolute(name) } else { candidate };
        shell.machine.tree.find(&candidate).is_some_and(|inode| inode.is_file()).then_some(candidate)
    })
}
