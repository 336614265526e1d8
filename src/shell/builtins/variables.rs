//! `export`, `readonly`, `local`, `unset`.

use super::options;
use crate::shell::{
    interpreter::{Local, Shell, Unwind, single_quoted},
    parse::{Dialect, is_name},
    raw::Raw,
};

/// Splits `name=value`.
fn split(argument: &[u8]) -> (&[u8], Option<&[u8]>) {
    match memchr::memchr(b'=', argument) {
        Some(equals) => (&argument[..equals], Some(&argument[equals + 1..])),
        None => (argument, None),
    }
}

fn valid<'a>(shell: &mut Shell<'_>, name: &'a [u8]) -> Result<&'a [u8], Unwind> {
    if is_name(name) {
        return Ok(name);
    }
    if shell.dialect == Dialect::Bash && name.ends_with(b"+") {
        return Err(shell.not_modelled("+="));
    }
    Err(shell.error(&format!("{}: bad variable name", Raw(name))))
}

/// `export` and `readonly`
pub(super) fn export(shell: &mut Shell<'_>, arguments: &[Vec<u8>]) -> Result<u32, Unwind> {
    let export = arguments[0] == b"export";
    let (letters, rest) = options(shell, arguments, b"p")?;
    if letters.contains(&b'p') || rest.is_empty() {
        return list(shell, export);
    }
    for argument in rest {
        let (name, value) = split(argument);
        let name = valid(shell, name)?;
        if let Some(value) = value {
            shell.assign(name, value.to_vec())?;
        }
        if export {
            shell.state.variables.export(name);
        } else {
            shell.state.variables.set_readonly(name);
        }
    }
    Ok(0)
}

fn list(shell: &mut Shell<'_>, export: bool) -> Result<u32, Unwind> {
    let word: &[u8] = if export { b"export " } else { b"readonly " };
    let mut text = Vec::new();
    for (name, variable) in shell.state.variables.iter() {
        if if export { variable.exported } else { variable.readonly } {
            text.extend_from_slice(word);
            text.extend_from_slice(name);
            if let Some(value) = &variable.value {
                text.push(b'=');
                text.extend_from_slice(&single_quoted(value));
            }
            text.push(b'\n');
        }
    }
    shell.write(1, &text)?;
    Ok(0)
}

pub(super) fn local(shell: &mut Shell<'_>, arguments: &[Vec<u8>]) -> Result<u32, Unwind> {
    if shell.functions == 0 {
        return Err(shell.error("not in a function"));
    }
    // Bash's `local -r`: what is made here may not be changed.
    let mut readonly = false;
    for (index, argument) in arguments[1..].iter().enumerate() {
        if index == 0 && argument == b"-r" && shell.dialect == Dialect::Bash {
            readonly = true;
            continue;
        }
        if argument == b"-" {
            let options = shell.state.options;
            shell.locals.push(Local::Options(options));
            continue;
        }
        let (name, value) = split(argument);
        let name = valid(shell, name)?;
        shell.make_local(name);
        if let Some(value) = value {
            shell.assign(name, value.to_vec())?;
        }
        if readonly {
            shell.state.variables.set_readonly(name);
        }
    }
    Ok(0)
}

pub(super) fn unset(shell: &mut Shell<'_>, arguments: &[Vec<u8>]) -> Result<u32, Unwind> {
    let (letters, rest) = options(shell, arguments, b"vf")?;
    let functions = letters.last() == Some(&b'f');
    for name in rest {
        if functions {
            std::rc::Rc::make_mut(&mut shell.state.functions).remove(name.as_slice());
        } else {
            let name = valid(shell, name)?;
            shell.unset(name)?;
        }
    }
    Ok(0)
}
