//! Masks, and links to unit files elsewhere.

use std::collections::BTreeSet;

use super::{Change, Failure, Result, Units, name, search};
use crate::tree::Node;

/// Masks units: links of their names to `/dev/null`.
pub(in crate::shell) fn mask(units: &mut Units<'_>, names: &[Vec<u8>]) -> Result<()> {
    let mut outcome = Ok(());
    for unit in names {
        if name::kind(unit).is_none() {
            outcome = outcome.and(Err(Failure::Invalid));
            continue;
        }
        let path = [units.scope.config.as_bytes(), b"/", unit].concat();
        outcome = outcome.and(units.link(b"/dev/null", &path, units.force));
    }
    outcome
}

pub(in crate::shell) fn unmask(units: &mut Units<'_>, names: &[Vec<u8>]) -> Result<()> {
    let mut marked = BTreeSet::new();
    for unit in names {
        if name::kind(unit).is_none() {
            return Err(Failure::Invalid);
        }
        let path = [units.scope.config.as_bytes(), b"/", unit].concat();
        let Ok(id) = units.tree.lookup_no_follow(&path) else { continue };
        let masked = match &units.tree.get(id).node {
            Node::Symlink(target) => &target[..] == b"/dev/null",
            Node::Regular(content) => content.is_empty(),
            _ => false,
        };
        if masked && units.tree.unlink(&path).is_ok() {
            units.changes.push(Change::Unlink(path.clone()));
            marked.insert(path);
        }
    }
    units.remove_links(marked);
    Ok(())
}

/// Links unit files from outside the search path into the configuration directory.
pub(in crate::shell) fn link(units: &mut Units<'_>, files: &[Vec<u8>]) -> Result<()> {
    let mut todo: Vec<&Vec<u8>> = Vec::new();
    for file in files {
        if name::kind(name::base(file)).is_none() {
            return units.fail(Failure::BadName, file, None);
        }
        match units.tree.lookup_no_follow(file).map(|id| units.tree.get(id).is_file()) {
            Ok(true) => {}
            Ok(false) => return units.fail(Failure::NotRegular, file, None),
            Err(error) => return units.fail(Failure::Tree(error.errno), file, None),
        }
        if search::in_search(units.scope, file) {
            continue;
        }
        if search::below_search(units.scope, file) {
            return units.fail(Failure::InHierarchy, file, None);
        }
        if !todo.contains(&file) {
            todo.push(file);
        }
    }
    let mut outcome = Ok(());
    for file in todo {
        let path = [units.scope.config.as_bytes(), b"/", name::base(file)].concat();
        outcome = outcome.and(units.link(file, &path, units.force));
    }
    outcome
}
