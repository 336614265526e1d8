//! Presets: which units are enabled unless somebody says otherwise.

use std::collections::BTreeMap;

use super::{
    Failure, Result, Units, install,
    name::{self, Kind},
    search::{Context, Search},
};
use crate::{
    shell::pattern,
    tree::{Node, Tree},
};

/// Which half of a preset is carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::shell) enum Mode {
    Full,
    EnableOnly,
    DisableOnly,
}

#[derive(Debug)]
struct Rule {
    enable: bool,
    pattern: Vec<u8>,
    /// Instances that a template is enabled with.
    instances: Vec<Vec<u8>>,
}

/// Files with this ending in these directories, by name; of one name the first directory's, and none for a link to
/// `/dev/null`.
pub(in crate::shell) fn conf_files(tree: &Tree, folders: &[Vec<u8>], ending: &[u8]) -> Vec<Vec<u8>> {
    let mut files: BTreeMap<Vec<u8>, Option<Vec<u8>>> = BTreeMap::new();
    for folder in folders {
        for (entry, id) in tree.find(folder).and_then(|inode| inode.entries()).into_iter().flatten() {
            let entry = entry.as_bytes();
            if !entry.ends_with(ending) || files.contains_key(entry) {
                continue;
            }
            let masked = matches!(&tree.get(*id).node, Node::Symlink(target) if &target[..] == b"/dev/null");
            let path = [folder.as_slice(), b"/", entry].concat();
            if masked || tree.find(&path).is_some_and(|inode| inode.is_file()) {
                files.insert(entry.to_vec(), Some(path).filter(|_| !masked));
            }
        }
    }
    files.into_values().flatten().collect()
}

fn rules(units: &Units<'_>) -> Vec<Rule> {
    let folders: Vec<Vec<u8>> = units.scope.presets.iter().map(|folder| folder.as_bytes().to_vec()).collect();
    let mut rules = Vec::new();
    for path in conf_files(units.tree, &folders, b".preset") {
        let text = units.tree.read(&path).unwrap_or_default();
        for line in text.split(|&b| b == b'\n').map(<[u8]>::trim_ascii) {
            if matches!(line.first(), None | Some(b'#' | b';')) {
                continue;
            }
            let mut words = line.split(|b| b.is_ascii_whitespace()).filter(|word| !word.is_empty()).map(<[u8]>::to_vec);
            let enable = match words.next().as_deref() {
                Some(b"enable") => true,
                Some(b"disable") => false,
                // systemd warns of such a line and goes on.
                _ => continue,
            };
            let pattern = words.next().unwrap_or_default();
            let instances: Vec<Vec<u8>> = words.collect();
            if instances.is_empty() || (enable && name::kind(&pattern) == Some(Kind::Template)) {
                rules.push(Rule { enable, pattern, instances });
            }
        }
    }
    rules
}

enum Verdict {
    Enable,
    EnableInstances(Vec<Vec<u8>>),
    Disable,
}

/// The first rule that fits decides; no rule means enabled.
fn verdict(rules: &[Rule], unit: &[u8]) -> Verdict {
    for rule in rules {
        let of_template = name::template(unit).is_some_and(|template| template == rule.pattern);
        if of_template && !rule.instances.is_empty() {
            if name::kind(unit) == Some(Kind::Template) {
                let named = rule.instances.iter().filter_map(|instance| name::with_instance(unit, instance));
                return Verdict::EnableInstances(named.collect());
            }
            if name::instance(unit).is_some_and(|instance| rule.instances.contains(&instance)) {
                return Verdict::Enable;
            }
        }
        if matches(&rule.pattern, unit) {
            return if rule.enable { Verdict::Enable } else { Verdict::Disable };
        }
    }
    Verdict::Enable
}

/// `fnmatch` without escapes: a backslash, which names of units may have, stands for itself.
pub(in crate::shell) fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let literal = pattern.iter().flat_map(|&byte| if byte == b'\\' { vec![b'\\', byte] } else { vec![byte] });
    pattern::matches(&literal.collect::<Vec<_>>(), text)
}

fn prepare(units: &mut Units<'_>, rules: &[Rule], plus: &mut Context, minus: &mut Context, unit: &[u8]) -> Result<()> {
    let look = Search { load: false, follow_config: true };
    let load = Search { load: true, follow_config: true };
    if plus.find(unit).is_some() || minus.find(unit).is_some() {
        return Ok(());
    }
    let mut scratch = Context::default();
    let index = units.discover(&mut scratch, unit, look)?;
    if scratch.infos[index].name != unit {
        // An alias goes with the unit that it is one of.
        return Ok(());
    }
    match verdict(rules, unit) {
        Verdict::Enable => units.discover_and_check(plus, unit, load).map(|_| ()),
        Verdict::EnableInstances(names) => {
            names.iter().try_for_each(|unit| units.discover_and_check(plus, unit, load).map(|_| ()))
        }
        Verdict::Disable => units.discover(minus, unit, look).map(|_| ()),
    }
}

fn execute(units: &mut Units<'_>, mode: Mode, mut plus: Context, mut minus: Context) -> Result<u32> {
    if mode != Mode::EnableOnly {
        let marked = install::mark(units, &mut minus)?;
        units.remove_links(marked);
    }
    if mode == Mode::DisableOnly {
        return Ok(0);
    }
    install::apply(units, &mut plus, Search { load: true, follow_config: false }, true)
}

/// `systemctl preset`.
pub(in crate::shell) fn preset(units: &mut Units<'_>, mode: Mode, names: &[Vec<u8>]) -> Result<u32> {
    let (mut plus, mut minus) = (Context::default(), Context::default());
    let rules = rules(units);
    for unit in names {
        prepare(units, &rules, &mut plus, &mut minus, unit)?;
    }
    execute(units, mode, plus, minus)
}

/// `systemctl preset-all`: every unit of the search path.
pub(in crate::shell) fn preset_all(units: &mut Units<'_>, mode: Mode) -> Result<u32> {
    let (mut plus, mut minus) = (Context::default(), Context::default());
    let rules = rules(units);
    for folder in units.scope.search {
        let entries = units.tree.find(folder.as_bytes()).and_then(|inode| inode.entries()).cloned();
        for (entry, id) in entries.into_iter().flatten() {
            let inode = units.tree.get(id);
            if name::kind(entry.as_bytes()).is_none() || !(inode.is_file() || inode.is_symlink()) {
                continue;
            }
            let prepared = prepare(units, &rules, &mut plus, &mut minus, entry.as_bytes());
            // Units that can't be enabled are reported and passed over.
            if let Err(why @ (Failure::Tree(_) | Failure::Specifier(_) | Failure::Invalid)) = prepared {
                return Err(why);
            }
        }
    }
    execute(units, mode, plus, minus)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        let check = |pattern: &str, text: &str, expect: bool| {
            assert_eq!(matches(pattern.as_bytes(), text.as_bytes()), expect, "{pattern} {text}");
        };
        check("*", "ssh.service", true);
        check("systemd-journal-remote.*", "systemd-journal-remote.socket", true);
        check("a?c", "abc", true);
        check("[a-c]x", "bx", true);
        check("[!a-c]x", "bx", false);
        check("[", "[", true);
        check("ssh", "ssh.service", false);
        check(r"dev-disk\x2d*", r"dev-disk\x2da.swap", true);
        check("[^a-c]x", "dx", true);
    }
}
