//! Enabling and disabling: the links that `[Install]` asks for.

use std::collections::BTreeSet;

use super::{
    Change, Failure, Result, Units,
    name::{self, Kind},
    search::{self, Context, FileKind, Info, Search},
};

const LOAD_ALL: Search = Search { load: true, follow_config: true };

/// Enables units; the count of links that their `[Install]` sections ask for.
pub(in crate::shell) fn enable(units: &mut Units<'_>, names: &[Vec<u8>]) -> Result<u32> {
    let mut context = Context::default();
    for unit in names {
        units.discover_and_check(&mut context, unit, LOAD_ALL)?;
    }
    apply(units, &mut context, Search { load: true, follow_config: false }, false)
}

/// Removes every link to the units, whoever made it.
pub(in crate::shell) fn disable(units: &mut Units<'_>, names: &[Vec<u8>]) -> Result<()> {
    let mut context = Context::default();
    for unit in names {
        if name::kind(unit).is_none() {
            return units.fail(Failure::BadName, unit, None);
        }
        context.add(unit, None, false)?;
    }
    let marked = mark(units, &mut context)?;
    units.remove_links(marked);
    Ok(())
}

pub(in crate::shell) fn reenable(units: &mut Units<'_>, names: &[Vec<u8>]) -> Result<u32> {
    let bases: Vec<Vec<u8>> = names.iter().map(|unit| name::base(unit).to_vec()).collect();
    disable(units, &bases)?;
    enable(units, names)
}

/// `systemctl set-default`.
pub(in crate::shell) fn set_default(units: &mut Units<'_>, unit: &[u8]) -> Result<()> {
    if name::unit_type(unit) != Some("target") || unit == b"default.target" {
        return Err(Failure::Invalid);
    }
    let mut context = Context::default();
    let index = units.discover_and_check(&mut context, unit, Search { load: false, follow_config: false })?;
    let target = context.infos[index].path.clone().unwrap_or_default();
    let path = [units.scope.config.as_bytes(), b"/default.target"].concat();
    units.link(&target, &path, true)
}

/// `systemctl add-wants` and `add-requires`.
pub(in crate::shell) fn add_dependency(
    units: &mut Units<'_>,
    names: &[Vec<u8>],
    target: &[u8],
    requires: bool,
) -> Result<u32> {
    if name::kind(target).is_none() {
        return units.fail(Failure::BadName, target, None);
    }
    let search = Search { load: false, follow_config: true };
    let mut context = Context::default();
    let index = units.discover_and_check(&mut context, target, search)?;
    let target = context.infos[index].name.clone();
    for unit in names {
        let index = units.discover_and_check(&mut context, unit, search)?;
        let info = &mut context.infos[index];
        let list = if requires { &mut info.required_by } else { &mut info.wanted_by };
        *list = vec![target.clone()];
    }
    apply(units, &mut context, search, false)
}

/// Makes the links of all units of the context and of those that they name in `Also=`.
pub(super) fn apply(units: &mut Units<'_>, context: &mut Context, search: Search, lenient: bool) -> Result<u32> {
    let mut outcome = Ok(0);
    while let Some(index) = context.infos.iter().position(|info| !info.processed) {
        context.infos[index].processed = true;
        if let Err(why) = units.traverse(context, index, search) {
            let unit = context.infos[index].name.clone();
            if context.infos[index].auxiliary {
                units.changes.push(Change::AuxiliaryFailed(unit));
                continue;
            }
            return units.fail(why, &unit, None);
        }
        match context.infos[index].kind {
            Some(FileKind::Masked) => {
                units.changes.push(context.masked(index));
                outcome = outcome.map(|count: u32| count + 1);
            }
            Some(FileKind::Regular) => {
                let made = install(units, &context.infos[index].clone(), lenient);
                outcome = match (outcome, made) {
                    (Ok(count), Ok(more)) => Ok(count + more),
                    (Ok(_), Err(why)) | (Err(why), _) => Err(why),
                };
            }
            _ => {}
        }
    }
    outcome
}

/// The links of one unit. As in systemd, of aliases, wants and requires only the first that there are count.
fn install(units: &mut Units<'_>, info: &Info, lenient: bool) -> Result<u32> {
    let path = info.path.clone().unwrap_or_default();
    let config = units.scope.config.as_bytes();
    if !search::in_search(units.scope, &path) {
        let link = [config, b"/", &info.name].concat();
        units.link(&path, &link, units.force)?;
    }
    let mut outcome = aliases(units, info, &path);
    for (list, suffix) in [(&info.wanted_by, b".wants/".as_slice()), (&info.required_by, b".requires/")] {
        let made = dependencies(units, info, &path, list, suffix, lenient);
        if outcome == Ok(0) {
            outcome = made;
        }
    }
    outcome
}

fn aliases(units: &mut Units<'_>, info: &Info, path: &[u8]) -> Result<u32> {
    let mut outcome = Ok(0);
    for alias in &info.aliases {
        let made = alias_link(units, info, path, alias);
        outcome = match (outcome, made) {
            (Ok(count), Ok(false)) => Ok(count),
            (Ok(_), made) => made.map(u32::from),
            (failed, _) => failed,
        };
    }
    outcome
}

/// Whether the alias counts as one; an alias to itself does not.
fn alias_link(units: &mut Units<'_>, info: &Info, path: &[u8], alias: &[u8]) -> Result<bool> {
    let mut alias = search::expand(&info.name, alias)?;
    if alias.contains(&b'/') {
        let folder = alias.iter().rposition(|&b| b == b'/').map_or(&alias[..], |slash| &alias[..slash]);
        let of = folder.strip_suffix(b".wants").or_else(|| folder.strip_suffix(b".requires"));
        if of.and_then(name::kind).is_none() || name::base(&alias) != info.name {
            return units.fail(Failure::WrongAlias, &alias, Some(&info.name));
        }
    } else {
        if name::kind(&alias) == Some(Kind::Template)
            && let Some(instance) =
                name::instance(&info.name).filter(|_| name::kind(&info.name) == Some(Kind::Instance))
        {
            alias = name::with_instance(&alias, &instance).unwrap_or(alias);
        }
        match search::check_alias(&alias, &info.name) {
            Ok(()) => {}
            Err(Failure::Linked) => return Ok(false),
            Err(Failure::Invalid) => return units.fail(Failure::WrongAlias, &alias, Some(&info.name)),
            Err(why) => return units.fail(why, &alias, Some(&info.name)),
        }
    }
    let link = [units.scope.config.as_bytes(), b"/", &alias].concat();
    units.link(path, &link, units.force)?;
    Ok(true)
}

fn dependencies(
    units: &mut Units<'_>,
    info: &Info,
    path: &[u8],
    list: &[Vec<u8>],
    suffix: &[u8],
    lenient: bool,
) -> Result<u32> {
    if list.is_empty() {
        return Ok(0);
    }
    let mut any_kind = true;
    let unit = match (name::kind(&info.name), &info.default_instance) {
        (Some(Kind::Template), Some(instance)) => {
            let unit = name::with_instance(&info.name, instance).unwrap_or_default();
            let mut context = Context::default();
            let index = context.add(&unit, None, false)?;
            units.traverse(&mut context, index, Search { load: false, follow_config: true })?;
            if context.infos[index].kind == Some(FileKind::Masked) {
                let path = context.infos[index].path.clone().unwrap_or_default();
                return units.fail(Failure::Masked, &path, None);
            }
            unit
        }
        (Some(Kind::Template), None) => {
            any_kind = false;
            info.name.clone()
        }
        _ => info.name.clone(),
    };
    let mut outcome = Ok(0);
    for target in list {
        let target = search::expand(&info.name, target)?;
        let kind = name::kind(&target);
        if kind.is_none() || (!any_kind && kind == Some(Kind::Plain)) {
            if lenient {
                continue;
            }
            let failed = match kind {
                Some(_) => units.fail(Failure::NotTemplate, &target, Some(&unit)),
                None => units.fail(Failure::BadName, &target, None),
            };
            outcome = outcome.and(failed);
            continue;
        }
        let link = [units.scope.config.as_bytes(), b"/", &target, suffix, &unit].concat();
        let made = units.link(path, &link, true);
        if let (Ok(count @ 0), Ok(())) = (&outcome, &made) {
            outcome = Ok(count + 1);
        } else if let (Ok(_), Err(why)) = (&outcome, made) {
            outcome = Err(why);
        }
        if search::exists(units.tree, units.scope, &target) == Ok(false) {
            units.changes.push(Change::NoDestination { unit: target, of: path.to_vec() });
        }
    }
    outcome
}

/// The names whose links go when the units of the context are disabled.
pub(super) fn mark(units: &mut Units<'_>, context: &mut Context) -> Result<BTreeSet<Vec<u8>>> {
    let mut marked = BTreeSet::new();
    while let Some(index) = context.infos.iter().position(|info| !info.processed) {
        context.infos[index].processed = true;
        let found = units.traverse(context, index, LOAD_ALL);
        let info = &context.infos[index];
        let path = info.path.clone().unwrap_or_else(|| info.name.clone());
        match found {
            Err(Failure::Dangling) => units.changes.push(Change::IsDangling(path)),
            Err(Failure::NotFound) if info.auxiliary => {}
            Err(why) => {
                // A unit that is gone may have left links.
                let _: Result<()> = units.fail(why, &path, None);
            }
            Ok(_) if info.kind == Some(FileKind::Masked) => {
                units.changes.push(Change::IsMasked(path));
                continue;
            }
            Ok(_) if info.kind != Some(FileKind::Regular) => continue,
            Ok(_) => {}
        }
        marked.insert(context.infos[index].name.clone());
    }
    Ok(marked)
}
