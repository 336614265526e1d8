//! Finding the file of a unit: the search path, aliases and links followed, `[Install]` and drop-ins read.

use super::{Change, Failure, Result, Scope, Units, name, name::Kind, section};
use crate::tree::{Node, Tree, TreePath};

/// Aliases followed before it is a loop.
const FOLLOW_MAX: u32 = 64;

/// What the file of a unit is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FileKind {
    Regular,
    /// A link to a unit of another name.
    Alias,
    /// A link out of the search path.
    Linked,
    Masked,
}

/// How far a search goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Search {
    /// `[Install]` is read.
    pub load: bool,
    /// Aliases in the configuration directory are followed.
    pub follow_config: bool,
}

/// One unit and what its file says.
#[derive(Clone, Debug, Default)]
pub(super) struct Info {
    pub name: Vec<u8>,
    pub path: Option<Vec<u8>>,
    pub kind: Option<FileKind>,
    pub aliases: Vec<Vec<u8>>,
    pub wanted_by: Vec<Vec<u8>>,
    pub required_by: Vec<Vec<u8>>,
    pub also: Vec<Vec<u8>>,
    pub default_instance: Option<Vec<u8>>,
    target: Option<Vec<u8>>,
    /// Only here because of somebody's `Also=`.
    pub auxiliary: bool,
    pub processed: bool,
}

/// The units of an operation, in the order in which they came up.
#[derive(Debug, Default)]
pub(super) struct Context {
    pub infos: Vec<Info>,
}

impl Context {
    pub(super) fn find(&self, name: &[u8]) -> Option<usize> {
        self.infos.iter().position(|info| info.name == name)
    }

    /// The unit called `name`, added when it is new.
    pub(super) fn add(&mut self, name: &[u8], path: Option<&[u8]>, auxiliary: bool) -> Result<usize> {
        if name::kind(name).is_none() {
            return Err(Failure::Invalid);
        }
        if let Some(index) = self.find(name) {
            self.infos[index].auxiliary &= auxiliary;
            return Ok(index);
        }
        self.infos.push(Info { name: name.to_vec(), path: path.map(<[u8]>::to_vec), auxiliary, ..Info::default() });
        Ok(self.infos.len() - 1)
    }
}

/// `path` with its directories resolved as far as they exist.
pub(super) fn simplified(tree: &Tree, path: &[u8]) -> Vec<u8> {
    if let Ok(place) = tree.place(path) {
        return place.path().as_bytes().to_vec();
    }
    TreePath::new(path).map_or_else(|_| path.to_vec(), |path| path.as_bytes().to_vec())
}

/// The directory of the search path that `path` lies below.
pub(super) fn below_search(scope: &Scope, path: &[u8]) -> bool {
    let below = |folder: &str| path.strip_prefix(folder.as_bytes()).is_some_and(|rest| rest.starts_with(b"/"));
    scope.search.iter().any(|folder| below(folder))
}

pub(super) fn in_search(scope: &Scope, path: &[u8]) -> bool {
    let slash = path.iter().rposition(|&b| b == b'/').unwrap_or(0);
    scope.search.iter().any(|folder| folder.as_bytes() == &path[..slash])
}

fn is_config(scope: &Scope, path: &[u8]) -> bool {
    let slash = path.iter().rposition(|&b| b == b'/').unwrap_or(0);
    [scope.config, scope.runtime].iter().any(|folder| folder.as_bytes() == &path[..slash])
}

/// Whether a link called `alias` to a unit called `target` is an alias that systemd takes.
pub(super) fn check_alias(alias: &[u8], target: &[u8]) -> Result<()> {
    let alias_kind = name::kind(alias).ok_or(Failure::Invalid)?;
    let alias_type = name::unit_type(alias).ok_or(Failure::Invalid)?;
    if !name::may_alias(alias_type) || (alias_kind != Kind::Plain && !name::may_be_template(alias_type)) {
        return Err(Failure::Invalid);
    }
    if alias == target {
        return Err(Failure::Linked);
    }
    let target_kind = name::kind(target).ok_or(Failure::WrongAlias)?;
    let fits = target_kind == alias_kind || (alias_kind == Kind::Instance && target_kind == Kind::Template);
    let same_instance = target_kind != Kind::Instance || name::instance(alias) == name::instance(target);
    if !fits || !same_instance || name::unit_type(target) != Some(alias_type) {
        return Err(Failure::WrongAlias);
    }
    Ok(())
}

impl Units<'_> {
    /// Looks at a unit file at `path`: what it is, and with `search.load` what its `[Install]` says.
    fn load(&mut self, context: &mut Context, index: usize, path: &[u8], search: Search) -> Result<()> {
        let unit = context.infos[index].name.clone();
        let unit_type = name::unit_type(&unit).ok_or(Failure::Invalid)?;
        if name::kind(&unit) != Some(Kind::Plain) && !name::may_be_template(unit_type) {
            return Err(Failure::Invalid);
        }
        let id = self.tree.lookup_no_follow(path).map_err(|_| Failure::NotFound)?;
        let info = &mut context.infos[index];
        match &self.tree.get(id).node {
            Node::Regular(content) if content.is_empty() => info.kind = Some(FileKind::Masked),
            Node::Regular(_) => {
                info.kind = Some(FileKind::Regular);
                if search.load {
                    let text = self.tree.read(path).map_err(|error| Failure::Tree(error.errno))?;
                    read_section(context, index, &text)?;
                }
            }
            Node::Symlink(target) => {
                let target = if target.starts_with(b"/") {
                    target.to_vec()
                } else {
                    let slash = path.iter().rposition(|&b| b == b'/').unwrap_or(0);
                    [&path[..=slash], target].concat()
                };
                let target = simplified(self.tree, &target);
                let alias = below_search(self.scope, &target);
                if alias {
                    check_alias(name::base(path), name::base(&target))?;
                }
                let null =
                    target == b"/dev/null" || self.tree.find(&target).is_some_and(|i| i.is_file() && i.size() == 0);
                info.kind = Some(match (null, alias) {
                    (true, _) => FileKind::Masked,
                    (false, true) => FileKind::Alias,
                    (false, false) => FileKind::Linked,
                });
                info.target = Some(target);
            }
            _ => return Err(Failure::NotRegular),
        }
        Ok(())
    }

    fn search(&mut self, context: &mut Context, index: usize, search: Search) -> Result<()> {
        let info = &context.infos[index];
        if info.kind.is_some() {
            return Ok(());
        }
        if let Some(path) = info.path.clone() {
            return self.load(context, index, &path, search);
        }
        let unit = info.name.clone();
        let template = name::template(&unit).filter(|_| name::kind(&unit) == Some(Kind::Instance));
        let names = [Some(unit.clone()), template.clone()];
        let mut found = false;
        'names: for candidate in names.iter().flatten() {
            for folder in self.scope.search {
                let path = [folder.as_bytes(), b"/", candidate].concat();
                match self.load(context, index, &path, search) {
                    Ok(()) => {
                        context.infos[index].path = Some(path);
                        found = true;
                        break 'names;
                    }
                    Err(Failure::NotFound) => {}
                    Err(other) => return Err(other),
                }
            }
        }
        if !found {
            return Err(Failure::NotFound);
        }
        if context.infos[index].kind != Some(FileKind::Masked) && search.load {
            for text in self.drop_ins(names.iter().flatten()) {
                read_section(context, index, &text)?;
            }
        }
        Ok(())
    }

    /// Contents of the `NAME.d/*.conf` files, by file name, the first directory of the search path winning.
    fn drop_ins<'n>(&self, names: impl Iterator<Item = &'n Vec<u8>>) -> Vec<bytes::Bytes> {
        let folders: Vec<Vec<u8>> = names
            .flat_map(|unit| {
                self.scope.search.iter().map(move |folder| [folder.as_bytes(), b"/", unit, b".d"].concat())
            })
            .collect();
        let files = super::preset::conf_files(self.tree, &folders, b".conf");
        files.iter().filter_map(|path| self.tree.read(path).ok()).collect()
    }

    /// Finds the unit's file, following aliases; the index of the unit that they end at.
    pub(super) fn traverse(&mut self, context: &mut Context, start: usize, search: Search) -> Result<usize> {
        self.search(context, start, search)?;
        let mut index = start;
        let mut rounds = 0;
        while let Some(kind @ (FileKind::Alias | FileKind::Linked)) = context.infos[index].kind {
            rounds += 1;
            if rounds > FOLLOW_MAX {
                return Err(Failure::Linked);
            }
            let info = &context.infos[index];
            let path = info.path.clone().unwrap_or_default();
            if !search.follow_config && is_config(self.scope, &path) {
                return Err(Failure::Linked);
            }
            let unit = info.name.clone();
            let target = info.target.clone().ok_or(Failure::Invalid)?;
            let base = name::base(&target).to_vec();
            let mut wanted = base.clone();
            if name::kind(&unit) == Some(Kind::Instance) && name::kind(&base) == Some(Kind::Template) {
                let instance = name::instance(&unit).unwrap_or_default();
                wanted = name::with_instance(&base, &instance).unwrap_or(base);
            }
            if kind == FileKind::Linked || wanted == unit {
                let info = &mut context.infos[index];
                info.path = Some(target.clone());
                info.kind = None;
                self.load(context, index, &target, search)?;
                continue;
            }
            index = context.add(&wanted, None, false)?;
            self.search(context, index, search).map_err(|why| match why {
                Failure::NotFound => Failure::Dangling,
                other => other,
            })?;
        }
        Ok(index)
    }

    /// Adds the unit of a name or path and finds its file.
    pub(super) fn discover(&mut self, context: &mut Context, unit: &[u8], search: Search) -> Result<usize> {
        let path = Some(unit).filter(|unit| unit.starts_with(b"/"));
        let found = context.add(name::base(unit), path, false).and_then(|index| self.traverse(context, index, search));
        match found {
            Ok(index) => Ok(index),
            Err(why) => self.fail(why, unit, None),
        }
    }

    /// The same, refusing what must not be enabled.
    pub(super) fn discover_and_check(&mut self, context: &mut Context, unit: &[u8], search: Search) -> Result<usize> {
        let index = self.discover(context, unit, search)?;
        let path = context.infos[index].path.clone().unwrap_or_default();
        if context.infos[index].kind == Some(FileKind::Masked) {
            return self.fail(Failure::Masked, &path, None);
        }
        let generated = [b"/run/systemd/generator".as_slice(), b"/run/systemd/transient"];
        if generated.iter().any(|folder| path.starts_with(folder)) {
            return self.fail(Failure::Generated, &path, None);
        }
        Ok(index)
    }
}

/// Whether there is a unit of this name.
pub(in crate::shell) fn exists(tree: &mut Tree, scope: &'static Scope, unit: &[u8]) -> Result<bool> {
    if name::kind(unit).is_none() {
        return Err(Failure::Invalid);
    }
    let mut units = Units::new(tree, scope, Default::default(), false);
    let search = Search { load: false, follow_config: false };
    match units.discover(&mut Context::default(), unit, search) {
        Ok(_) => Ok(true),
        Err(Failure::NotFound) => Ok(false),
        Err(other) => Err(other),
    }
}

fn read_section(context: &mut Context, index: usize, text: &[u8]) -> Result<()> {
    for (setting, value) in section::settings(text) {
        let unit = context.infos[index].name.clone();
        let info = &mut context.infos[index];
        let list = match setting.as_slice() {
            b"Alias" if !name::unit_type(&unit).is_some_and(name::may_alias) => continue,
            b"Alias" => &mut info.aliases,
            b"WantedBy" => &mut info.wanted_by,
            b"RequiredBy" => &mut info.required_by,
            b"DefaultInstance" => {
                if name::kind(&unit) == Some(Kind::Template) {
                    let instance = expand(&unit, &value)?;
                    if instance.is_empty() || name::is_valid_instance(&instance) {
                        info.default_instance = Some(instance).filter(|instance| !instance.is_empty());
                    }
                }
                continue;
            }
            b"Also" => {
                for word in value.split(|b| b.is_ascii_whitespace()).filter(|word| !word.is_empty()) {
                    let also = expand(&unit, word)?;
                    context.add(&also, None, true)?;
                    context.infos[index].also.push(also);
                }
                continue;
            }
            _ => continue,
        };
        if value.is_empty() {
            list.clear();
        }
        list.extend(section::words(&value));
    }
    Ok(())
}

/// Replaces the specifiers that a unit's name answers.
pub(super) fn expand(unit: &[u8], text: &[u8]) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    let mut bytes = text.iter();
    while let Some(&byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        match bytes.next() {
            Some(b'%') => out.push(b'%'),
            Some(b'n') => out.extend_from_slice(unit),
            Some(b'N') => out.extend_from_slice(name::stem(unit)),
            Some(b'p') => out.extend_from_slice(name::prefix(unit)),
            Some(b'i') => out.extend_from_slice(&name::instance(unit).unwrap_or_default()),
            Some(b'j') => {
                let prefix = name::prefix(unit);
                let last = prefix.rsplit(|&b| b == b'-').next().unwrap_or(prefix);
                out.extend_from_slice(last);
            }
            Some(&other) => return Err(Failure::Specifier(other)),
            None => out.push(b'%'),
        }
    }
    Ok(out)
}

impl Context {
    /// Notes about what was found on the way that don't stop the operation.
    pub(super) fn masked(&self, index: usize) -> Change {
        Change::IsMasked(self.infos[index].path.clone().unwrap_or_default())
    }
}
