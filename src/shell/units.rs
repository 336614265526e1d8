//! Unit files of systemd on a tree: what `systemctl --root=/` does with `[Install]` sections, masks and presets.
//!
//! Follows systemd 252 (`systemctl(1)`, `systemd.unit(5)`, `systemd.preset(5)`): the search path, aliases, templates and their
//! default instances, `Also=`, drop-ins.

mod install;
mod links;
mod mask;
mod name;
mod preset;
mod search;
mod section;
mod state;

pub(super) use install::{add_dependency, disable, enable, reenable, set_default};
pub(super) use mask::{link, mask, unmask};
pub(super) use preset::{Mode as PresetMode, conf_files, matches, preset, preset_all};
pub(super) use search::exists;
pub(super) use state::{State, default_target, state};

use super::stop::show;
use crate::tree::{Errno, Timestamp, Tree};

/// Whose units are meant: where they are searched, first match first, and where links to them are made.
#[derive(Debug)]
pub(super) struct Scope {
    search: &'static [&'static str],
    pub config: &'static str,
    runtime: &'static str,
    presets: &'static [&'static str],
}

pub(super) const SYSTEM: Scope = Scope {
    search: &[
        "/etc/systemd/system.control",
        "/run/systemd/system.control",
        "/run/systemd/transient",
        "/run/systemd/generator.early",
        "/etc/systemd/system",
        "/etc/systemd/system.attached",
        "/run/systemd/system",
        "/run/systemd/system.attached",
        "/run/systemd/generator",
        "/usr/local/lib/systemd/system",
        "/lib/systemd/system",
        "/usr/lib/systemd/system",
        "/run/systemd/generator.late",
    ],
    config: "/etc/systemd/system",
    runtime: "/run/systemd/system",
    presets: &[
        "/etc/systemd/system-preset",
        "/run/systemd/system-preset",
        "/usr/local/lib/systemd/system-preset",
        "/usr/lib/systemd/system-preset",
        "/lib/systemd/system-preset",
    ],
};

/// Units of all users (`--global`).
pub(super) const USER: Scope = Scope {
    search: &[
        "/etc/systemd/user",
        "/run/systemd/user",
        "/usr/local/share/systemd/user",
        "/usr/share/systemd/user",
        "/usr/local/lib/systemd/user",
        "/usr/lib/systemd/user",
    ],
    config: "/etc/systemd/user",
    runtime: "/run/systemd/user",
    presets: &[
        "/etc/systemd/user-preset",
        "/run/systemd/user-preset",
        "/usr/local/lib/systemd/user-preset",
        "/usr/lib/systemd/user-preset",
    ],
};

/// Why an operation on a unit is refused; the names are those of the errors that systemd uses for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// `EEXIST`
    Exists,
    /// `ERFKILL`
    Masked,
    /// `EADDRNOTAVAIL`
    Generated,
    /// `ETXTBSY`
    InHierarchy,
    /// `EIDRM`
    NotTemplate,
    /// `EUCLEAN`
    BadName,
    /// `ELOOP`
    Linked,
    /// `EXDEV`
    WrongAlias,
    /// `ENOENT`
    NotFound,
    /// `ENOLINK`
    Dangling,
    /// `EINVAL`
    Invalid,
    /// `ENOTTY` and its like: there is something that is no unit file.
    NotRegular,
    Tree(Errno),
    /// A specifier whose value only a running system has.
    Specifier(u8),
}

/// One thing that an operation did or came across, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Symlink {
        path: Vec<u8>,
        target: Vec<u8>,
    },
    Unlink(Vec<u8>),
    IsMasked(Vec<u8>),
    IsDangling(Vec<u8>),
    /// `of` is made a dependency of `unit`, which there isn't.
    NoDestination {
        unit: Vec<u8>,
        of: Vec<u8>,
    },
    AuxiliaryFailed(Vec<u8>),
    Failed {
        why: Failure,
        path: Vec<u8>,
        source: Option<Vec<u8>>,
    },
}

type Result<T> = std::result::Result<T, Failure>;

/// One operation on the units of a tree.
#[derive(Debug)]
pub(super) struct Units<'t> {
    pub tree: &'t mut Tree,
    pub scope: &'static Scope,
    pub now: Timestamp,
    /// Links that are in the way are replaced.
    pub force: bool,
    pub changes: Vec<Change>,
}

impl<'t> Units<'t> {
    pub(super) fn new(tree: &'t mut Tree, scope: &'static Scope, now: Timestamp, force: bool) -> Self {
        Self { tree, scope, now, force, changes: Vec::new() }
    }

    fn fail<T>(&mut self, why: Failure, path: &[u8], source: Option<&[u8]>) -> Result<T> {
        self.changes.push(Change::Failed { why: why.clone(), path: path.to_vec(), source: source.map(<[u8]>::to_vec) });
        Err(why)
    }
}

/// What systemctl says about a change; `verb` is the one it was called with.
pub(super) fn message(change: &Change, verb: &str) -> String {
    match change {
        Change::Symlink { path, target } => format!("Created symlink {} → {}.", show(path), show(target)),
        Change::Unlink(path) => format!("Removed \"{}\".", show(path)),
        Change::IsMasked(path) => format!("Unit {} is masked, ignoring.", show(path)),
        Change::IsDangling(path) => {
            format!("Unit {} is an alias to a unit that is not present, ignoring.", show(path))
        }
        Change::NoDestination { unit, of } => {
            format!("Unit {} is added as a dependency to a non-existent unit {}.", show(of), show(unit))
        }
        Change::AuxiliaryFailed(name) => format!("Failed to enable auxiliary unit {}, ignoring.", show(name)),
        Change::Failed { why, path, source } => {
            let source = source.as_deref().map(show);
            format!("Failed to {verb} {}", failure(why, &show(path), source.as_deref()))
        }
    }
}

fn failure(why: &Failure, path: &str, source: Option<&str>) -> String {
    match (why, source) {
        (Failure::Exists, Some(target)) => {
            format!("unit, file \"{path}\" already exists and is a symlink to \"{target}\".")
        }
        (Failure::Exists, None) => format!("unit, file \"{path}\" already exists."),
        (Failure::Masked, _) => format!("unit, unit {path} is masked."),
        (Failure::Generated, _) => format!("unit, unit {path} is transient or generated."),
        (Failure::InHierarchy, _) => format!("unit, file {path} is under the systemd unit hierarchy already."),
        (Failure::NotTemplate, source) => {
            format!("{}, destination unit {path} is a non-template unit.", source.unwrap_or_default())
        }
        (Failure::BadName, _) => format!("unit, \"{path}\" is not a valid unit name."),
        (Failure::Linked, _) => format!("unit, refusing to operate on linked unit file {path}."),
        (Failure::WrongAlias, Some(source)) => format!("unit, cannot alias {source} as {path}."),
        (Failure::WrongAlias, None) => format!("unit, invalid unit reference \"{path}\"."),
        (Failure::NotFound, _) => format!("unit, unit {path} does not exist."),
        (Failure::Dangling, _) => format!("unit, file \"{path}\": Link has been severed"),
        (Failure::Invalid, _) => format!("unit, file \"{path}\": Invalid argument"),
        (Failure::NotRegular, _) => format!("unit, file \"{path}\": Inappropriate ioctl for device"),
        (Failure::Tree(errno), _) => format!("unit, file \"{path}\": {errno}"),
        (Failure::Specifier(letter), _) => format!("unit, file \"{path}\": specifier %{}", char::from(*letter)),
    }
}
