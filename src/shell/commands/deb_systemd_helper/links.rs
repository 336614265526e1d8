//! The links that a unit file asks for, as deb-systemd-helper reads it.

use super::{Instance, error};
use crate::{
    shell::{
        Process,
        files::base_name,
        stop::{Stop, show},
    },
    tree::Node,
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Link {
    pub target: Vec<u8>,
    pub source: Vec<u8>,
}

/// The unit's file, or the name itself when there is none.
pub(super) fn find_unit(process: &Process<'_>, instance: Instance, unit: &[u8]) -> Vec<u8> {
    let kind = if instance == Instance::User { "user" } else { "system" };
    for folder in ["/etc", "/lib", "/usr/lib"] {
        let path = [format!("{folder}/systemd/{kind}/").as_bytes(), unit].concat();
        if process.machine.tree.find(&path).is_some_and(crate::tree::Inode::is_file) {
            return path;
        }
    }
    unit.to_vec()
}

/// Where a symbolic link leads.
pub(super) fn target(process: &Process<'_>, path: &[u8]) -> Option<Vec<u8>> {
    let tree = &process.machine.tree;
    match &tree.get(tree.lookup_no_follow(path).ok()?).node {
        Node::Symlink(target) => Some(target.to_vec()),
        _ => None,
    }
}

/// A line's setting and its value, by a name that is compared without case.
pub(super) fn setting<'l>(line: &'l [u8], names: &[&'static str]) -> Option<(&'l [u8], &'l [u8])> {
    let line = line.trim_ascii_start();
    let equals = line.iter().position(|&b| b == b'=')?;
    let (name, value) = (&line[..equals], &line[equals + 1..]);
    let known = names.iter().any(|known| known.as_bytes().eq_ignore_ascii_case(name));
    (known && !value.is_empty()).then_some((name, value))
}

/// Every link that enabling the unit makes, those of its `Also=` first.
pub(super) fn closure(process: &Process<'_>, instance: Instance, path: &[u8]) -> Result<Vec<Link>, Stop> {
    let mut links = Vec::new();
    collect(process, instance, path, &[], &mut links)?;
    Ok(links)
}

fn collect(
    process: &Process<'_>,
    instance: Instance,
    path: &[u8],
    above: &[Vec<u8>],
    links: &mut Vec<Link>,
) -> Result<(), Stop> {
    let unit = base_name(path);
    let Ok(text) = process.machine.tree.read(&process.absolute(path)) else {
        return Err(error(process, &format!("unable to read {}", show(path))));
    };
    let mut visited = above.to_vec();
    let mut wanted = unit.to_vec();
    let mut folders: Vec<Vec<u8>> = Vec::new();
    let base = instance.folder().as_bytes();
    for line in text.split(|&b| b == b'\n') {
        if let Some((name, value)) = setting(line, &["WantedBy", "RequiredBy"]) {
            for word in words(process, value)? {
                let suffix: &[u8] = match name {
                    b"WantedBy" => b".wants",
                    b"RequiredBy" => b".requires",
                    _ => b"",
                };
                folders.push([base, b"/", word, suffix, b"/"].concat());
            }
        }
        if let Some((_, value)) = setting(line, &["Also"]) {
            for word in words(process, value)? {
                if word != unit && !visited.iter().any(|seen| seen == word) {
                    visited.push(word.to_vec());
                    collect(process, instance, &find_unit(process, instance, word), &visited, links)?;
                }
            }
        }
        if let Some((_, value)) = setting(line, &["Alias"]) {
            for word in words(process, value)? {
                if word != unit {
                    // The whole value is the link's name, for each word of it: so the real script has it.
                    links.push(Link { target: path.to_vec(), source: [base, b"/", value].concat() });
                }
            }
        }
        if let Some((_, value)) = setting(line, &["DefaultInstance"]) {
            let value = value.trim_ascii();
            let quoted = |quote: u8| value.len() > 2 && value.first() == Some(&quote) && value.last() == Some(&quote);
            let value = if quoted(b'"') || quoted(b'\'') { &value[1..value.len() - 1] } else { value };
            wanted = with_instance(unit, value);
        }
    }
    for folder in folders {
        links.push(Link { target: path.to_vec(), source: [folder.as_slice(), &wanted].concat() });
    }
    Ok(())
}

/// `getty@.service` with an instance; a name that is no template stays.
fn with_instance(unit: &[u8], instance: &[u8]) -> Vec<u8> {
    let Some(at) = unit.windows(2).rposition(|pair| pair == b"@.") else { return unit.to_vec() };
    let (prefix, suffix) = unit.split_at(at + 1);
    if suffix.len() < 2 || !suffix[1..].iter().all(|b| b.is_ascii_alphanumeric() || *b == b'_') {
        return unit.to_vec();
    }
    [prefix, instance, suffix].concat()
}

/// Words of a value; quotes change what the real script makes of the line, and no unit has them.
fn words<'v>(process: &Process<'_>, value: &'v [u8]) -> Result<Vec<&'v [u8]>, Stop> {
    if value.contains(&b'"') || value.contains(&b'\'') {
        return Err(process.not_modelled(format!("quotes in `{}`", show(value))).into());
    }
    Ok(value.split(|b| b.is_ascii_whitespace()).filter(|word| !word.is_empty()).collect())
}
