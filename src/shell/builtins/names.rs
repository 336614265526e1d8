//! `command -v`, `type`, `hash`, `alias`, `unalias`: what names mean.

use std::rc::Rc;

use super::{Kind, find, options};
use crate::shell::{
    exec::{self, Program},
    interpreter::{Shell, Unwind, single_quoted},
    parse::is_reserved,
    raw::Raw,
};

/// `command` where it is not a prefix: `-v`, `-V`, or no name at all.
pub(super) fn command(shell: &mut Shell<'_>, arguments: &[Vec<u8>]) -> Result<u32, Unwind> {
    let (letters, rest) = options(shell, arguments, b"pvV")?;
    let Some(name) = rest.first() else { return Ok(0) };
    let default_path = letters.contains(&b'p');
    describe(shell, name, letters.contains(&b'V'), default_path)
}

pub(super) fn type_of(shell: &mut Shell<'_>, arguments: &[Vec<u8>]) -> Result<u32, Unwind> {
    let mut status = 0;
    for name in &arguments[1..] {
        status |= describe(shell, name, true, false)?;
    }
    Ok(status)
}

/// Says what a name means; in a sentence, or so that it can be used as a command.
fn describe(shell: &mut Shell<'_>, name: &[u8], sentence: bool, default_path: bool) -> Result<u32, Unwind> {
    let (plain, said) = if is_reserved(name) {
        (name.to_vec(), b" is a shell keyword".to_vec())
    } else if let Some(text) = shell.state.aliases.get(name) {
        let definition = [b"alias ", name, b"=", &single_quoted(text)].concat();
        (definition, [b" is an alias for ".as_slice(), text].concat())
    } else if !name.contains(&b'/') && shell.state.functions.contains_key(name) {
        (name.to_vec(), b" is a shell function".to_vec())
    } else if let Some(builtin) = find(name, shell.dialect).filter(|_| !name.contains(&b'/')) {
        let special = if builtin.kind == Kind::Special { " is a special shell builtin" } else { " is a shell builtin" };
        (name.to_vec(), special.into())
    } else if let Some(path) = located(shell, name, default_path) {
        let said = [b" is ".as_slice(), &path].concat();
        (path, said)
    } else {
        if sentence {
            shell.write(1, &[name, b": not found\n"].concat())?;
        }
        return Ok(127);
    };
    let line = if sentence { [name, &said, b"\n"].concat() } else { [plain, b"\n".to_vec()].concat() };
    shell.write(1, &line)?;
    Ok(0)
}

/// The path of an executable file.
fn located(shell: &Shell<'_>, name: &[u8], default_path: bool) -> Option<Vec<u8>> {
    let executable = |path: &[u8]| {
        let found = exec::find(shell.machine, path, b"", &shell.state.folder);
        !matches!(found, Program::Missing | Program::Denied)
    };
    if name.contains(&b'/') {
        return shell.machine.tree.find(&shell.absolute(name)).map(|_| name.to_vec());
    }
    let path = match shell.state.variables.get(b"PATH") {
        _ if default_path => crate::shell::interpreter::DEFAULT_PATH.into(),
        Some(path) => path.clone(),
        None => Rc::default(),
    };
    path.split(|&b| b == b':').find_map(|folder| {
        let folder: &[u8] = if folder.is_empty() { b"." } else { folder };
        let candidate = [folder, b"/", name].concat();
        executable(&candidate).then_some(candidate)
    })
}

/// `hash`: programs are found anew each time, so there is nothing to remember.
pub(super) fn hash(shell: &mut Shell<'_>, arguments: &[Vec<u8>]) -> Result<u32, Unwind> {
    let (_, rest) = options(shell, arguments, b"rv")?;
    let mut status = 0;
    for name in rest {
        let known = find(name, shell.dialect).is_some() || shell.state.functions.contains_key(name.as_slice());
        if !known && located(shell, name, false).is_none() {
            shell.warn(&format!("{}: not found", Raw(name)))?;
            status = 1;
        }
    }
    Ok(status)
}

pub(super) fn alias(shell: &mut Shell<'_>, arguments: &[Vec<u8>]) -> Result<u32, Unwind> {
    let mut text = Vec::new();
    let mut status = 0;
    let line = |name: &[u8], value: &[u8]| [name, b"=", &single_quoted(value), b"\n"].concat();
    if arguments.len() == 1 {
        for (name, value) in &*shell.state.aliases {
            text.extend_from_slice(&line(name, value));
        }
    }
    for argument in &arguments[1..] {
        match argument.iter().skip(1).position(|&b| b == b'=') {
            Some(equals) => {
                let (name, value) = (&argument[..=equals], &argument[equals + 2..]);
                Rc::make_mut(&mut shell.state.aliases).insert(name.to_vec(), value.into());
            }
            None => match shell.state.aliases.get(argument) {
                Some(value) => text.extend_from_slice(&line(argument, value)),
                None => {
                    not_found(shell, b"alias", argument)?;
                    status = 1;
                }
            },
        }
    }
    shell.write(1, &text)?;
    Ok(status)
}

pub(super) fn unalias(shell: &mut Shell<'_>, arguments: &[Vec<u8>]) -> Result<u32, Unwind> {
    let (letters, rest) = options(shell, arguments, b"a")?;
    if letters.contains(&b'a') {
        shell.state.aliases = Rc::default();
        return Ok(0);
    }
    let mut status = 0;
    for name in rest {
        if Rc::make_mut(&mut shell.state.aliases).remove(name.as_slice()).is_none() {
            not_found(shell, b"unalias", name)?;
            status = 1;
        }
    }
    Ok(status)
}

fn not_found(shell: &mut Shell<'_>, command: &[u8], name: &[u8]) -> Result<(), Unwind> {
    shell.write(2, &[command, b": ", name, b" not found\n"].concat())?;
    Ok(())
}
