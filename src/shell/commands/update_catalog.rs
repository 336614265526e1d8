//! `update-catalog`: SGML catalogs that name other catalogs, and the one that names those of `/etc/sgml`.

use super::super::{Fatal, Process, Status};
use crate::tree::{Name, PathError};

const FOLDER: &[u8] = b"/etc/sgml";
const SUPER: &[u8] = b"/var/lib/sgml-base/supercatalog";

#[derive(PartialEq)]
enum Action {
    Add,
    Remove,
    UpdateSuper,
}

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let (mut quiet, mut above, mut actions) = (false, false, Vec::new());
    let mut rest = process.arguments().into_iter().peekable();
    while let Some(option) = rest.next_if(|word| word.starts_with(b"--")) {
        match option.as_slice() {
            b"--" => break,
            b"--add" => actions.push(Action::Add),
            b"--remove" => actions.push(Action::Remove),
            b"--update-super" => actions.push(Action::UpdateSuper),
            b"--quiet" => quiet = true,
            b"--super" => above = true,
            _ => return Err(process.not_modelled(format!("option `{}`", option.escape_ascii()))),
        }
    }
    actions.dedup();
    let ([action], operands) = (actions.as_slice(), rest.collect::<Vec<_>>()) else {
        process.out(b"Exactly one of --add, --remove and --update-super is wanted.\n")?;
        return Ok(Status::FAILURE);
    };
    let wanted = match (action, above) {
        (Action::UpdateSuper, _) => 0,
        (_, true) => 1,
        (_, false) => 2,
    };
    if operands.len() != wanted {
        return process.fail("wrong number of arguments");
    }
    if above {
        return trigger(process, quiet);
    }
    let (word, to) = match action {
        Action::UpdateSuper => return update_super(process, quiet),
        Action::Add => ("Adding", "to"),
        Action::Remove => ("Removing", "from"),
    };
    let (catalog, entry) = (&operands[0], &operands[1]);
    if !quiet {
        let said = [word.as_bytes(), b" entry ", entry, b" ", to.as_bytes(), b" catalog ", catalog, b"...\n"].concat();
        process.out(&said)?;
    }
    let mut text = without(process, catalog, entry)?;
    if *action == Action::Add {
        text.as_mut().into_iter().for_each(|text| text.extend([b"CATALOG ", &entry[..], b"\n"].concat()));
    }
    match text.and_then(|text| rewrite(process, catalog, text)) {
        Ok(()) => Ok(Status::SUCCESS),
        Err(error) => die(process, &error),
    }
}

/// Ends as perl's `die` does after a file that is not there.
fn die(process: &mut Process<'_>, error: &PathError) -> Result<Status, Fatal> {
    process.complain(&error.to_string())?;
    Ok(Status(2))
}

/// Leaves the catalog of catalogs to dpkg's trigger.
fn trigger(process: &mut Process<'_>, quiet: bool) -> Result<Status, Fatal> {
    process.out(b"update-catalog: Suppressing action on super catalog. Invoking trigger instead.\n")?;
    let status = process.run(vec![b"dpkg-trigger".to_vec(), FOLDER.to_vec()])?;
    if status.success() {
        return Ok(status);
    }
    let wait = u32::from(status.0) << 8;
    process.out(format!("Invocation of dpkg-trigger failed with status {wait}.\n").as_bytes())?;
    process.out(b"Forcing update of the super catalog...\n")?;
    update_super(process, quiet)
}

fn is_file(process: &Process<'_>, path: &[u8]) -> bool {
    process.lookup(path).is_ok_and(|id| process.inode(id).is_file())
}

/// A catalog's lines but for those that match an entry, or those of a new catalog.
fn without(process: &Process<'_>, catalog: &[u8], entry: &[u8]) -> Result<Result<Vec<u8>, PathError>, Fatal> {
    let read = |path: &[u8]| process.machine.tree.read(&process.absolute(path));
    if !is_file(process, catalog) {
        return Ok(read(b"/usr/share/sgml-base/catalog.centralized").map(|template| {
            let name = |line: &[u8]| match memchr::memmem::find(line, b"CATALOG") {
                Some(at) => [&line[..at], catalog, &line[at + b"CATALOG".len()..]].concat(),
                None => line.to_vec(),
            };
            template.split_inclusive(|&b| b == b'\n').flat_map(name).collect()
        }));
    }
    // The entry is a pattern of perl's, in which paths are plain but for dots.
    if entry.iter().any(|b| b"\\^$|()[]{}*+?@".contains(b)) {
        return Err(process.not_modelled(format!("entry `{}`", entry.escape_ascii())));
    }
    let same = |window: &[u8]| window.iter().zip(entry).all(|(a, b)| a == b || *b == b'.');
    let matches = |line: &&[u8]| {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        entry.is_empty() || line.windows(entry.len()).any(same)
    };
    Ok(read(catalog)
        .map(|text| text.split_inclusive(|&b| b == b'\n').filter(|line| !matches(line)).collect::<Vec<_>>().concat()))
}

/// Writes a catalog anew; what it was is kept.
fn rewrite(process: &mut Process<'_>, catalog: &[u8], text: Vec<u8>) -> Result<(), PathError> {
    let path = process.absolute(catalog);
    if is_file(process, catalog) {
        process.machine.tree.rename(&path, &[path.as_slice(), b".old"].concat())?;
    }
    process.write_file(catalog, text)?;
    Ok(())
}

fn update_super(process: &mut Process<'_>, quiet: bool) -> Result<Status, Fatal> {
    if !quiet {
        process.out(b"Updating the super catalog...\n")?;
    }
    let Some(entries) = process.lookup(FOLDER).ok().and_then(|id| process.inode(id).entries()) else {
        process.complain("cannot open catalog directory /etc/sgml: No such file or directory")?;
        return Ok(Status(2));
    };
    let is_catalog = |name: &&[u8]| !name.starts_with(b".") && name.len() > 4 && name.ends_with(b".cat");
    let names: Vec<Vec<u8>> = entries.keys().map(Name::as_bytes).filter(is_catalog).map(<[u8]>::to_vec).collect();
    let mut text = b"--\n## This file is created by update-catalog with update-super.\n\
        ## Please see update-catalog(8) for how to modify this file.\n--\n"
        .to_vec();
    for name in names {
        let path = [FOLDER, b"/", &name].concat();
        match unusable(process, &path) {
            None => text.extend([b"CATALOG ", &path[..], b"\n"].concat()),
            Some(warning) if !quiet => process.out(warning.as_bytes())?,
            Some(_) => {}
        }
    }
    let replace = || {
        let new = [SUPER, b".new"].concat();
        process.write_file(&new, text)?;
        if process.lookup(SUPER).is_ok() {
            process.machine.tree.rename(SUPER, &[SUPER, b".old"].concat())?;
        }
        process.machine.tree.rename(&new, SUPER)
    };
    match replace() {
        Ok(()) => Ok(Status::SUCCESS),
        Err(error) => die(process, &error),
    }
}

/// Why a catalog isn't named by the one above: it can't be read, or names one that is not there.
fn unusable(process: &Process<'_>, path: &[u8]) -> Option<String> {
    let shown = String::from_utf8_lossy(path);
    let Ok(text) = process.machine.tree.read(path) else {
        return Some(format!("Warning: Ignoring unreadable catalog file `{shown}'.\n"));
    };
    let missing = format!(
        "Warning ignoring catalog `{shown}' which references non-existent catalogs. See man update-catalog for details.\n"
    );
    let mut base = FOLDER.to_vec();
    let mut before: Option<&str> = None;
    let mut rest = text.as_ref();
    while !rest.is_empty() {
        let (token, after) = rest.split_at(token(rest));
        rest = after;
        let Some(keyword) = before else {
            before = ["catalog", "base"].into_iter().find(|word| token.eq_ignore_ascii_case(word.as_bytes()));
            continue;
        };
        if is_blank(token[0]) || token.starts_with(b"--") {
            continue;
        }
        before = None;
        let value = unquoted(token);
        if keyword == "base" {
            base = value.to_vec();
        } else {
            let path = if value.starts_with(b"/") { value.to_vec() } else { [&base, b"/".as_slice(), value].concat() };
            if !is_file(process, &path) {
                return Some(missing);
            }
        }
    }
    None
}

fn is_blank(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == 0x0b
}

/// How long the token at the beginning is: blanks and comments, a literal in quotes, or a word.
fn token(text: &[u8]) -> usize {
    let mut blanks = 0;
    loop {
        let rest = &text[blanks..];
        let comment = rest.strip_prefix(b"--").and_then(|inside| memchr::memmem::find(inside, b"--"));
        match (rest.first(), comment) {
            (Some(&byte), _) if is_blank(byte) => blanks += 1,
            (_, Some(end)) => blanks += end + 4,
            _ => break,
        }
    }
    if blanks > 0 {
        return blanks;
    }
    if let [quote @ (b'\'' | b'"'), inside @ ..] = text
        && let Some(end) = memchr::memchr(*quote, inside)
    {
        return end + 2;
    }
    text.iter().position(|&b| is_blank(b)).unwrap_or(text.len())
}

fn unquoted(token: &[u8]) -> &[u8] {
    match token {
        [first @ (b'\'' | b'"'), inside @ .., last] if first == last && !inside.contains(&b'\n') => inside,
        _ => token,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_tokens() {
        let check = |text: &str, expect: &[&str]| {
            let (mut rest, mut found) = (text.as_bytes(), Vec::new());
            while !rest.is_empty() {
                let (first, after) = rest.split_at(token(rest));
                found.push(String::from_utf8_lossy(first).into_owned());
                rest = after;
            }
            assert_eq!(found, expect, "{text}");
        };
        check("", &[]);
        check("CATALOG a\n", &["CATALOG", " ", "a", "\n"]);
        check("-- a b --\n--c-- BASE 'x y'\"z\"", &["-- a b --\n--c-- ", "BASE", " ", "'x y'", "\"z\""]);
        check("--open 'q", &["--open", " ", "'q"]);
        check("a--b-- c", &["a--b--", " ", "c"]);
    }
}
