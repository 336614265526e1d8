//! `set`: options and positional parameters; also how a shell's own arguments are read.

use crate::shell::{
    flags::OPTIONS,
    interpreter::{Shell, Unwind, single_quoted},
    parse::Dialect,
    raw::Raw,
};

pub(super) fn set(shell: &mut Shell<'_>, arguments: &[Vec<u8>]) -> Result<u32, Unwind> {
    if arguments.len() == 1 {
        return list_variables(shell);
    }
    let (rest, replaces) = read_options(shell, &arguments[1..])?;
    if replaces || !rest.is_empty() {
        shell.state.parameters = rest.into();
    }
    Ok(0)
}

/// Sets the options at the start of `arguments`; returns what follows, and whether `--` has made it the parameters.
pub(in crate::shell) fn read_options<'a>(
    shell: &mut Shell<'_>,
    arguments: &'a [Vec<u8>],
) -> Result<(&'a [Vec<u8>], bool), Unwind> {
    let mut rest = arguments;
    while let Some((first, after)) = rest.split_first() {
        let (on, letters) = match first.as_slice() {
            b"-" => {
                shell.state.options.set_letter(b'x', false);
                shell.state.options.set_letter(b'v', false);
                return Ok((after, false));
            }
            b"--" => return Ok((after, true)),
            [b'-', letters @ ..] => (true, letters),
            [b'+', letters @ ..] => (false, letters),
            _ => break,
        };
        rest = after;
        for &letter in letters {
            if letter == b'o' {
                match rest.split_first() {
                    Some((name, after)) => {
                        set_by_name(shell, name, on)?;
                        rest = after;
                    }
                    None => list_options(shell, on)?,
                }
            } else if !shell.state.options.set_letter(letter, on) {
                let sign = if on { '-' } else { '+' };
                return Err(shell.error(&format!("Illegal option {sign}{}", char::from(letter))));
            }
        }
    }
    Ok((rest, false))
}

fn set_by_name(shell: &mut Shell<'_>, name: &[u8], on: bool) -> Result<(), Unwind> {
    if let Some(index) = OPTIONS.iter().position(|option| option.name.as_bytes() == name) {
        shell.state.options.set(index, on);
        return Ok(());
    }
    if shell.dialect == Dialect::Bash {
        match name {
            b"pipefail" => {
                shell.state.options.pipefail = on;
                return Ok(());
            }
            b"posix" => return Ok(()),
            _ => {}
        }
    }
    let sign = if on { '-' } else { '+' };
    Err(shell.error(&format!("Illegal option {sign}o {}", Raw(name))))
}

fn list_options(shell: &mut Shell<'_>, table: bool) -> Result<(), Unwind> {
    let mut text = String::new();
    if table {
        text.push_str("Current option settings\n");
    }
    for (index, option) in OPTIONS.iter().enumerate() {
        let on = shell.state.options.is_on(index);
        if table {
            text.push_str(&format!("{:<16}{}\n", option.name, if on { "on" } else { "off" }));
        } else {
            text.push_str(&format!("set {}o {}\n", if on { '-' } else { '+' }, option.name));
        }
    }
    shell.write(1, text.as_bytes())?;
    Ok(())
}

fn list_variables(shell: &mut Shell<'_>) -> Result<u32, Unwind> {
    let mut text = Vec::new();
    for (name, variable) in shell.state.variables.iter() {
        if let Some(value) = &variable.value {
            text.extend_from_slice(name);
            text.push(b'=');
            text.extend_from_slice(&single_quoted(value));
            text.push(b'\n');
        }
    }
    shell.write(1, &text)?;
    Ok(0)
}

/// How a shell is called.
#[derive(Debug)]
pub(in crate::shell) struct Invocation<'a> {
    /// The script of `-c`.
    pub(in crate::shell) text: Option<Vec<u8>>,
    /// `-s`
    pub(in crate::shell) from_input: bool,
    pub(in crate::shell) operands: &'a [Vec<u8>],
}

/// Reads the arguments of `sh`: options like those of `set`, and `-c`.
pub(in crate::shell) fn read_invocation<'a>(
    shell: &mut Shell<'_>,
    arguments: &'a [Vec<u8>],
) -> Result<Invocation<'a>, Unwind> {
    let mut rest = arguments;
    let (mut text, mut from_input) = (false, false);
    while let Some((first, after)) = rest.split_first() {
        match first.as_slice() {
            b"-" | b"--" => {
                rest = after;
                break;
            }
            b"--posix" | b"--norc" | b"--noprofile" if shell.dialect == Dialect::Bash => rest = after,
            [sign @ (b'-' | b'+'), letters @ ..] => {
                rest = after;
                for &letter in letters {
                    let one = [*sign, letter];
                    match (letter, rest.split_first()) {
                        (b'c', _) => text = true,
                        (b's', _) => from_input = true,
                        (b'l' | b'p', _) => {}
                        (b'o', Some((name, after))) => {
                            rest = after;
                            read_options(shell, &[one.to_vec(), name.clone()])?;
                        }
                        _ => {
                            read_options(shell, &[one.to_vec()])?;
                        }
                    }
                }
            }
            _ => break,
        }
    }
    let text = if text {
        let Some((first, after)) = rest.split_first() else { return Err(shell.error("-c requires an argument")) };
        rest = after;
        Some(first.clone())
    } else {
        None
    };
    Ok(Invocation { text, from_input, operands: rest })
}
