//! What `systemctl is-enabled` says about a unit.

use super::{
    Failure, Result, Scope, Units,
    name::{self, Kind},
    search::{Context, FileKind, Info, Search},
};
use crate::tree::{Node, Tree};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::shell) enum State {
    Enabled,
    EnabledRuntime,
    Linked,
    LinkedRuntime,
    Alias,
    Masked,
    MaskedRuntime,
    Static,
    Disabled,
    Indirect,
    Generated,
    Transient,
}

impl State {
    pub(in crate::shell) fn name(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::EnabledRuntime => "enabled-runtime",
            Self::Linked => "linked",
            Self::LinkedRuntime => "linked-runtime",
            Self::Alias => "alias",
            Self::Masked => "masked",
            Self::MaskedRuntime => "masked-runtime",
            Self::Static => "static",
            Self::Disabled => "disabled",
            Self::Indirect => "indirect",
            Self::Generated => "generated",
            Self::Transient => "transient",
        }
    }

    /// Whether `is-enabled` succeeds.
    pub(in crate::shell) fn counts_as_enabled(self) -> bool {
        matches!(
            self,
            Self::Enabled | Self::EnabledRuntime | Self::Static | Self::Alias | Self::Indirect | Self::Generated
        )
    }
}

/// The state of a unit.
pub(in crate::shell) fn state(tree: &mut Tree, scope: &'static Scope, unit: &[u8]) -> Result<State> {
    if name::kind(unit).is_none() {
        return Err(Failure::Invalid);
    }
    let mut units = Units::new(tree, scope, Default::default(), false);
    let mut context = Context::default();
    let index = units.discover(&mut context, unit, Search { load: true, follow_config: true })?;
    let info = &context.infos[index];
    let path = info.path.clone().unwrap_or_default();
    let runtime = path.starts_with(b"/run/");
    if info.kind == Some(FileKind::Masked) {
        return Ok(if runtime { State::MaskedRuntime } else { State::Masked });
    }
    if unit != name::base(&path) && name::kind(&info.name) != Some(Kind::Instance) {
        return Ok(State::Alias);
    }
    if path.starts_with(b"/run/systemd/generator") {
        return Ok(State::Generated);
    }
    if path.starts_with(b"/run/systemd/transient") {
        return Ok(State::Transient);
    }
    if let Some(state) = linked(units.tree, scope, info, true) {
        return Ok(state);
    }
    if linked(units.tree, scope, info, false).is_some() {
        return Ok(State::Indirect);
    }
    let rules = !info.aliases.is_empty() || !info.wanted_by.is_empty() || !info.required_by.is_empty();
    Ok(match (rules, info.also.is_empty()) {
        (true, _) => State::Disabled,
        (false, false) => State::Indirect,
        (false, true) => State::Static,
    })
}

/// The unit that `default.target` leads to.
pub(in crate::shell) fn default_target(tree: &mut Tree, scope: &'static Scope) -> Result<Vec<u8>> {
    let mut units = Units::new(tree, scope, Default::default(), false);
    let mut context = Context::default();
    let search = Search { load: false, follow_config: true };
    let index = units.discover(&mut context, b"default.target", search)?;
    Ok(context.infos[index].name.clone())
}

/// What links in the search path say; with `known` only those that `[Install]` would make count.
fn linked(tree: &Tree, scope: &Scope, info: &Info, known: bool) -> Option<State> {
    let path = info.path.as_deref().unwrap_or_default();
    let (mut in_runtime, mut anywhere) = (false, false);
    let (mut same_config, mut same_runtime) = (false, false);
    let mut below_unit = false;
    for folder in scope.search {
        let runtime = folder.starts_with("/run/");
        match links_in(tree, folder.as_bytes(), info, known, below_unit) {
            Found::Link if *folder == scope.config => return Some(State::Enabled),
            Found::Link if runtime => in_runtime = true,
            Found::Link => anywhere = true,
            Found::SameName if *folder == scope.config => same_config = true,
            Found::SameName if runtime => same_runtime = true,
            Found::SameName | Found::Nothing => {}
        }
        below_unit |= path.strip_prefix(folder.as_bytes()).is_some_and(|rest| rest.starts_with(b"/"));
    }
    if in_runtime {
        return Some(State::EnabledRuntime);
    }
    if anywhere && name::kind(&info.name) == Some(Kind::Instance) {
        return Some(State::Static);
    }
    if same_config {
        return Some(State::Linked);
    }
    same_runtime.then_some(State::LinkedRuntime)
}

#[derive(Clone, Copy, PartialEq)]
enum Found {
    Link,
    /// The unit file is itself a link of that name.
    SameName,
    Nothing,
}

fn links_in(tree: &Tree, folder: &[u8], info: &Info, known: bool, below_unit: bool) -> Found {
    let Some(entries) = tree.find(folder).and_then(|inode| inode.entries()) else { return Found::Nothing };
    let counts = |entry: &[u8]| !known || is_known(info, entry);
    for (entry, id) in entries {
        let entry = entry.as_bytes();
        if !entry.ends_with(b".wants") && !entry.ends_with(b".requires") {
            continue;
        }
        for (link, id) in tree.get(*id).entries().into_iter().flatten() {
            let link = link.as_bytes();
            let named = link == info.name || name::template(link).is_some_and(|template| template == info.name);
            if tree.get(*id).is_symlink() && named && counts(link) {
                return Found::Link;
            }
        }
    }
    let mut same_name = Found::Nothing;
    for (entry, id) in entries {
        let entry = entry.as_bytes();
        let Node::Symlink(target) = &tree.get(*id).node else { continue };
        let to_unit = name::base(target) == info.name;
        let named = !below_unit && entry == info.name;
        if named && to_unit {
            same_name = Found::SameName;
        } else if (named || to_unit) && counts(entry) {
            return Found::Link;
        }
    }
    same_name
}

/// Whether `[Install]` knows a link of this name.
fn is_known(info: &Info, link: &[u8]) -> bool {
    let default = info.default_instance.as_ref().and_then(|instance| name::with_instance(&info.name, instance));
    link == info.name || info.aliases.iter().any(|alias| alias == link) || default.as_deref() == Some(link)
}
