//! One line of `tmpfiles.d`: type and modifiers, path, mode, user, group, age, argument.

use super::item::{Item, Items, Setting};
use crate::{
    shell::{
        Fatal, Process, accounts, acl,
        specifiers::{Expanded, columns, expand, unescape},
        stop::show,
    },
    tree::{Device, TreePath},
};

pub(super) enum Outcome {
    Item(Box<Item>),
    /// A line that asks for nothing here; also one with the id of a machine that has none yet, which goes without a word in
    /// a chroot.
    Nothing,
    /// What is wrong with the line.
    Invalid(String),
    /// An error that isn't one of the line.
    Failed(String),
}

fn is_set(field: &Option<&Vec<u8>>) -> bool {
    field.is_some_and(|field| !field.is_empty() && field.as_slice() != b"-")
}

pub(super) fn parse(process: &mut Process<'_>, items: &Items, place: &str, line: &[u8]) -> Result<Outcome, Fatal> {
    let Ok((words, rest)) = columns(line, 6, false) else {
        return Ok(Outcome::Invalid("Failed to parse line: Invalid argument".to_owned()));
    };
    let [action, path, ..] = words.as_slice() else { return Ok(Outcome::Invalid("Syntax error.".to_owned())) };
    let Some((&letter, modifiers)) = action.split_first() else {
        return Ok(Outcome::Invalid("Command too short ''.".to_owned()));
    };
    let mut seen = Vec::new();
    for modifier in modifiers {
        if !b"!+-=~^".contains(modifier) || seen.contains(modifier) {
            return Ok(Outcome::Invalid(format!("Unknown modifiers in command '{}'", show(action))));
        }
        seen.push(*modifier);
    }
    if seen.contains(&b'!') && !items.boot {
        return Ok(Outcome::Nothing);
    }
    let path = match expand(process, path)? {
        Expanded::Text(text) => text,
        Expanded::Unresolvable => return Ok(Outcome::Nothing),
        // Nothing that belongs to a boot is there to be kept or taken away.
        Expanded::NoBoot if matches!(letter, b'x' | b'X' | b'r' | b'R') => return Ok(Outcome::Nothing),
        Expanded::NoBoot => return Err(process.not_modelled(format!("`{}` before the first boot", show(path)))),
        Expanded::Missing => {
            let why = "No such file or directory";
            return Ok(Outcome::Failed(format!("{place}: Failed to replace specifiers in '{}': {why}", show(path))));
        }
        Expanded::Unknown => {
            let message = format!("Failed to replace specifiers in '{}': Invalid slot", show(path));
            return Ok(Outcome::Invalid(message));
        }
    };
    let path = match path.strip_prefix(b"/var/run/") {
        Some(below) if !below.is_empty() => [b"/run/", below].concat(),
        _ => path,
    };
    if !path.starts_with(b"/") {
        return Ok(Outcome::Invalid(format!("Path '{}' not absolute.", show(&path))));
    }
    let Ok(path) = TreePath::new(&path) else {
        return Err(process.not_modelled(format!("the path `{}`", show(&path))));
    };
    let item = Item {
        letter,
        path: path.as_bytes().to_vec(),
        argument: Some(rest).filter(|rest| !rest.is_empty() && rest != b"-"),
        uid: None,
        gid: None,
        mode: None,
        masked: false,
        device: None,
        xattrs: Vec::new(),
        acl: Vec::new(),
        plus: seen.contains(&b'+'),
        may_fail: seen.contains(&b'-'),
        replace: seen.contains(&b'='),
        age: words.get(5).filter(|age| age.as_slice() != b"-").cloned().unwrap_or_default(),
        done: Vec::new(),
    };
    if seen.contains(&b'^') {
        // Nobody passes credentials to a tree.
        return Ok(Outcome::Nothing);
    }
    if seen.contains(&b'~') {
        return Err(process.not_modelled("an argument in base64"));
    }
    complete(process, items, place, item, &words)
}

/// Checks an item's argument and fills in what the other columns say.
fn complete(
    process: &mut Process<'_>,
    items: &Items,
    place: &str,
    mut item: Item,
    words: &[Vec<u8>],
) -> Result<Outcome, Fatal> {
    if let Some(outcome) = check_argument(process, place, &mut item)? {
        return Ok(outcome);
    }
    if !items.prefixes.admit(&item.path) {
        return Ok(Outcome::Nothing);
    }
    if let Some(outcome) = expand_argument(process, &mut item)? {
        return Ok(outcome);
    }
    Ok(match owner_and_mode(process, &mut item, words) {
        Some(message) => Outcome::Invalid(message),
        None => Outcome::Item(Box::new(item)),
    })
}

fn check_argument(process: &mut Process<'_>, place: &str, item: &mut Item) -> Result<Option<Outcome>, Fatal> {
    let letter = item.letter;
    let needs = match letter {
        b'w' => "Write file requires argument.",
        b'c' | b'b' => "Device file requires argument.",
        b't' | b'T' => "Set extended attribute requires argument.",
        b'a' | b'A' => "Set ACLs requires argument.",
        b'h' | b'H' => "Set file attribute requires argument.",
        _ => "",
    };
    if !needs.is_empty() && item.argument.is_none() {
        return Ok(Some(Outcome::Invalid(needs.to_owned())));
    }
    let argument = item.argument.clone().unwrap_or_default();
    match letter {
        b'd' | b'v' | b'q' | b'Q' | b'e' | b'D' | b'p' | b'x' | b'X' | b'r' | b'R' | b'm' | b'z' | b'Z' => {
            if item.argument.is_some() {
                let letter = char::from(letter);
                super::log(process, &format!("{place}: {letter} lines don't take argument fields, ignoring."))?;
            }
        }
        b'f' | b'F' | b'L' | b'w' | b'C' | b'h' | b'H' => {}
        b'c' | b'b' => {
            let mut parts = argument.splitn(2, |&b| b == b':').map(accounts::number);
            let (Some(Some(major)), Some(Some(minor))) = (parts.next(), parts.next()) else {
                let message = format!("Can't parse device file major/minor '{}'.", show(&argument));
                return Ok(Some(Outcome::Invalid(message)));
            };
            item.device = Some(Device { major, minor });
        }
        b't' | b'T' => {
            let Ok((words, _)) = columns(&argument, usize::MAX, true) else { return Ok(None) };
            for word in words {
                match word.iter().position(|&b| b == b'=') {
                    Some(equals) if equals > 0 && equals + 1 < word.len() => {
                        item.xattrs.push((word[..equals].to_vec(), word[equals + 1..].to_vec()));
                    }
                    _ => {
                        let text = format!("Failed to parse extended attribute, ignoring: {}", show(&word));
                        super::log(process, &text)?;
                    }
                }
            }
        }
        b'a' | b'A' => {
            let parse = |entry| acl::parse_entry(&process.machine.tree, entry);
            let entries: Option<Vec<_>> = argument.split(|&b| b == b',').map(parse).collect();
            match entries {
                Some(entries) => item.acl = entries,
                None => {
                    let text = format!("Failed to parse ACL \"{}\": Invalid argument. Ignoring", show(&argument));
                    super::log(process, &text)?;
                }
            }
        }
        other => {
            let message = format!("Unknown command type '{}'.", char::from(other));
            return Ok(Some(Outcome::Invalid(message)));
        }
    }
    Ok(None)
}

fn expand_argument(process: &Process<'_>, item: &mut Item) -> Result<Option<Outcome>, Fatal> {
    if let Some(argument) = item.argument.as_ref().filter(|_| b"CLfFw".contains(&item.letter)) {
        let Some(text) = unescaped(argument) else {
            let message = format!("Failed to unescape parameter to write: {}", show(argument));
            return Ok(Some(Outcome::Failed(message)));
        };
        match expand(process, &text)? {
            Expanded::Text(text) => item.argument = Some(text),
            Expanded::Unresolvable | Expanded::Missing => return Ok(Some(Outcome::Nothing)),
            Expanded::NoBoot => return Err(process.not_modelled("%b before the first boot")),
            Expanded::Unknown => {
                let message = "Failed to substitute specifiers in argument: Invalid slot";
                return Ok(Some(Outcome::Invalid(message.to_owned())));
            }
        }
    }
    for (_, value) in &mut item.xattrs {
        match expand(process, value)? {
            Expanded::Text(text) => *value = text,
            Expanded::NoBoot => return Err(process.not_modelled("%b before the first boot")),
            _ => return Ok(Some(Outcome::Nothing)),
        }
    }
    let factory = || [b"/usr/share/factory", item.path.as_slice()].concat();
    match item.letter {
        b'L' if item.argument.is_none() => item.argument = Some(factory()),
        b'C' => {
            let source = item.argument.clone().unwrap_or_else(factory);
            if !source.starts_with(b"/") {
                return Ok(Some(Outcome::Invalid(format!("Source path '{}' is not absolute.", show(&source)))));
            }
            if process.machine.tree.lookup_no_follow(&source).is_err() {
                return Ok(Some(Outcome::Nothing));
            }
            item.argument = Some(source);
        }
        _ => {}
    }
    Ok(None)
}

fn unescaped(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut index = 0;
    while let Some(&byte) = text.get(index) {
        index += 1;
        if byte == b'\\' {
            index += unescape(&text[index..], &mut out)?;
        } else {
            out.push(byte);
        }
    }
    Some(out)
}

/// Reads user, group and mode; what is wrong with them.
fn owner_and_mode(process: &Process<'_>, item: &mut Item, words: &[Vec<u8>]) -> Option<String> {
    let tree = &process.machine.tree;
    let split = |field: &Vec<u8>| match field.strip_prefix(b":") {
        Some(rest) => (true, rest.to_vec()),
        None => (false, field.clone()),
    };
    if let user @ Some(field) = &words.get(3)
        && is_set(user)
    {
        let (only_new, name) = split(field);
        let Some(value) = accounts::uid(tree, &name).or(nobody(&name, b"nobody")) else {
            return Some(format!("Failed to resolve user '{}': No such process", show(&name)));
        };
        item.uid = Some(Setting { value, only_new });
    }
    if let group @ Some(field) = &words.get(4)
        && is_set(group)
    {
        let (only_new, name) = split(field);
        let Some(value) = accounts::gid(tree, &name).or(nobody(&name, b"nogroup")) else {
            return Some(format!("Failed to resolve group '{}'.", show(&name)));
        };
        item.gid = Some(Setting { value, only_new });
    }
    if let mode @ Some(field) = &words.get(2)
        && is_set(mode)
    {
        let marks = field.iter().take_while(|b| matches!(b, b'~' | b':')).count();
        item.masked = field[..marks].contains(&b'~');
        let digits = String::from_utf8_lossy(&field[marks..]).into_owned();
        let Some(value) = u16::from_str_radix(&digits, 8).ok().filter(|mode| *mode <= 0o7777) else {
            return Some(format!("Invalid mode '{}'.", show(field)));
        };
        item.mode = Some(Setting { value, only_new: field[..marks].contains(&b':') });
    }
    None
}

/// systemd knows these without any file.
fn nobody(name: &[u8], known: &[u8]) -> Option<u32> {
    match name {
        b"root" => Some(0),
        name => (name == known).then_some(65_534),
    }
}
