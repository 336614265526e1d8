//! Backups that `cp`, `mv`, `ln` and `install` make of what they replace.

use super::{Fatal, Process, files::show, options::Arguments, size::number};

/// How backups are named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Backup {
    control: Control,
    suffix: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Control {
    Simple,
    Numbered,
    /// Numbered where there are numbered ones.
    Existing,
}

/// What the options `b`, `backup` and `S` of a command ask for.
pub(super) fn wanted(process: &Process<'_>, arguments: &Arguments) -> Result<Option<Backup>, String> {
    if !arguments.has("b") && !arguments.has("backup") && !arguments.has("S") {
        return Ok(None);
    }
    let variable = process.variable("VERSION_CONTROL").unwrap_or(b"existing").to_vec();
    let control = match arguments.value("backup").filter(|value| !value.is_empty()).unwrap_or(&variable) {
        b"none" | b"off" => return Ok(None),
        b"simple" | b"never" => Control::Simple,
        b"numbered" | b"t" => Control::Numbered,
        b"existing" | b"nil" => Control::Existing,
        other => return Err(format!("invalid argument '{}' for 'backup type'", show(other))),
    };
    let suffix = arguments.value("S").or(process.variable("SIMPLE_BACKUP_SUFFIX")).unwrap_or(b"~").to_vec();
    Ok(Some(Backup { control, suffix }))
}

impl Backup {
    /// Moves what is at `path` out of the way; false when it could not.
    pub(super) fn make(&self, process: &mut Process<'_>, path: &[u8]) -> Result<bool, Fatal> {
        let from = process.absolute(path);
        let Ok(place) = process.machine.tree.place(&from) else { return Ok(false) };
        let prefix = [place.name.as_bytes(), b".~"].concat();
        let entries = process.machine.tree.get(place.parent).entries();
        let highest = entries
            .into_iter()
            .flatten()
            .filter_map(|(name, _)| number(name.as_bytes().strip_prefix(prefix.as_slice())?.strip_suffix(b"~")?))
            .max();
        let numbered = match self.control {
            Control::Simple => false,
            Control::Numbered => true,
            Control::Existing => highest.is_some(),
        };
        let mut to = from.clone();
        match numbered {
            true => to.extend_from_slice(format!(".~{}~", highest.unwrap_or(0).saturating_add(1)).as_bytes()),
            false => to.extend_from_slice(&self.suffix),
        }
        Ok(process.machine.tree.rename(&from, &to).is_ok())
    }
}
