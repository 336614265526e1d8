//! `cd`, `pwd`, `umask`.

use super::options;
use crate::{
    shell::{
        interpreter::{Shell, Unwind},
        raw::Raw,
    },
    tree::Errno,
};

pub(super) fn cd(shell: &mut Shell<'_>, arguments: &[Vec<u8>]) -> Result<u32, Unwind> {
    let (letters, rest) = options(shell, arguments, b"LP")?;
    let physical = letters.last() == Some(&b'P');
    let mut shows = false;
    let target = match rest.first().map(Vec::as_slice) {
        None => shell.lookup(b"HOME").unwrap_or_default().to_vec(),
        Some(b"-") => {
            shows = true;
            shell.lookup(b"OLDPWD").unwrap_or_default().to_vec()
        }
        Some(target) => target.to_vec(),
    };
    let mut fault = Errno::NotFound;
    for (candidate, named) in candidates(shell, &target) {
        match enter(shell, &candidate, physical) {
            Ok(()) => {
                if shows || named {
                    let line = [&*shell.state.logical, b"\n"].concat();
                    shell.write(1, &line)?;
                }
                return Ok(0);
            }
            Err(errno) => fault = errno,
        }
    }
    let _ = fault;
    Err(shell.error(&format!("can't cd to {}", Raw(&target))))
}

/// What `CDPATH` makes of a target, with whether the result is to be shown.
fn candidates(shell: &Shell<'_>, target: &[u8]) -> Vec<(Vec<u8>, bool)> {
    let relative = !target.starts_with(b"/");
    let first = target.split(|&b| b == b'/').next().unwrap_or_default();
    // An empty target is searched, too, other than a dot.
    let target = if target.is_empty() { b"." } else { target };
    let mut found = Vec::new();
    if relative && first != b"." && first != b".." {
        let path = shell.lookup(b"CDPATH").unwrap_or_default();
        for folder in path.split(|&b| b == b':').filter(|_| !path.is_empty()) {
            if !folder.is_empty() {
                found.push(([folder, b"/", target].concat(), true));
            } else {
                found.push((target.to_vec(), false));
            }
        }
    }
    found.push((target.to_vec(), false));
    found
}

/// Changes the folder, with `PWD` and `OLDPWD`.
fn enter(shell: &mut Shell<'_>, target: &[u8], physical: bool) -> Result<(), Errno> {
    let logical = logical_path(&shell.state.logical, target);
    let path = if physical { shell.absolute(target) } else { logical.clone() };
    let (id, real) = shell.machine.tree.resolve(&path).map_err(|error| error.errno)?;
    if !shell.machine.tree.get(id).is_dir() {
        return Err(Errno::NotDirectory);
    }
    let shown = if physical { real.as_bytes().to_vec() } else { logical };
    let old = std::mem::replace(&mut shell.state.logical, shown.as_slice().into());
    shell.state.folder = real;
    for (name, value) in [(b"OLDPWD".as_slice(), old), (b"PWD", shown.into())] {
        // A read-only PWD keeps its value; the folder has changed all the same.
        let _ = shell.state.variables.set(name, value);
        shell.state.variables.export(name);
    }
    Ok(())
}

/// `target` as seen from `from`, with `.` and `..` taken out of the text.
fn logical_path(from: &[u8], target: &[u8]) -> Vec<u8> {
    let mut parts: Vec<&[u8]> = Vec::new();
    let base = if target.starts_with(b"/") { &[] as &[u8] } else { from };
    for part in base.split(|&b| b == b'/').chain(target.split(|&b| b == b'/')) {
        match part {
            b"" | b"." => {}
            b".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    // Two slashes in front, and no more, stay as they are.
    let whole = if base.is_empty() { target } else { base };
    let mut path = if whole.starts_with(b"//") && !whole.starts_with(b"///") { b"/".to_vec() } else { Vec::new() };
    for part in &parts {
        path.push(b'/');
        path.extend_from_slice(part);
    }
    if parts.is_empty() {
        path.push(b'/');
    }
    path
}

pub(super) fn pwd(shell: &mut Shell<'_>, arguments: &[Vec<u8>]) -> Result<u32, Unwind> {
    let (letters, _) = options(shell, arguments, b"LP")?;
    let path = if letters.last() == Some(&b'P') { shell.state.folder.as_bytes() } else { &shell.state.logical };
    let line = [path, b"\n"].concat();
    shell.write(1, &line)?;
    Ok(0)
}

pub(super) fn umask(shell: &mut Shell<'_>, arguments: &[Vec<u8>]) -> Result<u32, Unwind> {
    let (letters, rest) = options(shell, arguments, b"S")?;
    let umask = shell.state.umask;
    let Some(text) = rest.first() else {
        let line = if letters.is_empty() {
            format!("{umask:04o}\n")
        } else {
            let bits = |shift: u16| {
                let allowed = !umask >> shift;
                let letters = [(4, 'r'), (2, 'w'), (1, 'x')];
                letters.iter().filter(|(bit, _)| allowed & bit != 0).map(|(_, letter)| *letter).collect::<String>()
            };
            format!("u={},g={},o={}\n", bits(6), bits(3), bits(0))
        };
        shell.write(1, line.as_bytes())?;
        return Ok(0);
    };
    let new = if text.first().is_some_and(u8::is_ascii_digit) {
        let digits = std::str::from_utf8(text).ok();
        match digits.and_then(|digits| u16::from_str_radix(digits, 8).ok()).filter(|mode| *mode <= 0o7777) {
            Some(mode) => Some(mode),
            None => return Err(shell.error(&format!("Illegal number: {}", Raw(text)))),
        }
    } else {
        symbolic(text, !umask & 0o777).map(|mode| !mode)
    };
    match new {
        Some(mode) => {
            shell.state.umask = mode & 0o777;
            Ok(0)
        }
        None => Err(shell.error(&format!("Illegal mode: {}", Raw(text)))),
    }
}

/// Applies `u=rwx,g-w` to permission bits.
fn symbolic(text: &[u8], mode: u16) -> Option<u16> {
    let mut mode = mode;
    for clause in text.split(|&b| b == b',') {
        let who_end = clause.iter().position(|b| !matches!(b, b'u' | b'g' | b'o' | b'a'))?;
        let who = clause[..who_end].iter().fold(0_u16, |mask, who| {
            mask | match who {
                b'u' => 0o700,
                b'g' => 0o070,
                b'o' => 0o007,
                _ => 0o777,
            }
        });
        let who = if who == 0 { 0o777 } else { who };
        let mut rest = &clause[who_end..];
        while let Some((&sign, after)) = rest.split_first() {
            let end = after.iter().position(|b| matches!(b, b'+' | b'-' | b'=')).unwrap_or(after.len());
            let mut bits = 0;
            for letter in &after[..end] {
                bits |= match letter {
                    b'r' => 0o444,
                    b'w' => 0o222,
                    b'x' => 0o111,
                    b'X' => {
                        if mode & 0o111 != 0 {
                            0o111
                        } else {
                            0
                        }
                    }
                    b's' => 0,
                    b'u' => (mode >> 6 & 7) * 0o111,
                    b'g' => (mode >> 3 & 7) * 0o111,
                    b'o' => (mode & 7) * 0o111,
                    _ => return None,
                };
            }
            match sign {
                b'+' => mode |= who & bits,
                b'-' => mode &= !(who & bits),
                b'=' => mode = mode & !who | who & bits,
                _ => return None,
            }
            rest = &after[end..];
        }
    }
    Some(mode)
}
