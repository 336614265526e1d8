//! `/etc/adduser.conf` over the defaults that are built in, and the pools of reserved names.

use std::collections::BTreeMap;

use super::{Range, die, warn};
use crate::shell::{
    Fatal, Process,
    accounts::number,
    stop::{Stop, show},
};

/// Every known variable and its default. `users_gid` and `users_group` have none.
const DEFAULTS: &[(&str, &str)] = &[
    ("add_extra_groups", "0"),
    ("backup", "0"),
    ("backup_to", "."),
    ("dhome", "/home"),
    ("dir_mode", "0700"),
    ("dshell", "/bin/bash"),
    ("exclude_fstypes", "(proc|sysfs|usbfs|devpts|devtmpfs|devfs|afs)"),
    ("extra_groups", "users"),
    ("first_gid", "1000"),
    ("first_system_gid", "100"),
    ("first_system_uid", "100"),
    ("first_uid", "1000"),
    ("gid_pool", ""),
    ("grouphomes", "no"),
    ("home", ""),
    ("last_gid", "59999"),
    ("last_system_gid", "999"),
    ("last_system_uid", "999"),
    ("last_uid", "59999"),
    ("letterhomes", "no"),
    ("name_regex", r"^[a-z][a-z0-9_-]*\$?$"),
    ("no_del_paths", ""),
    ("only_if_empty", "0"),
    ("quotauser", ""),
    ("remove_all_files", "0"),
    ("remove_home", "0"),
    ("setgid_home", "no"),
    ("skel", "/etc/skel"),
    ("skel_ignore_regex", ".(dpkg|ucf)-(old|new|dist)$"),
    ("sys_dir_mode", "0755"),
    ("sys_name_regex", r"^[a-z_][a-z0-9_-]*\$?$"),
    ("system", "0"),
    ("uid_pool", ""),
    ("usergroups", "yes"),
];

#[derive(Debug)]
pub(super) struct Config {
    values: BTreeMap<String, Vec<u8>>,
}

impl Config {
    pub(super) fn text(&self, name: &str) -> &[u8] {
        self.values.get(name).map_or(&[], Vec::as_slice)
    }

    pub(super) fn optional(&self, name: &str) -> Option<&[u8]> {
        self.values.get(name).map(Vec::as_slice)
    }

    /// Whether the value has a `yes` in it.
    pub(super) fn yes(&self, name: &str) -> bool {
        self.text(name).to_ascii_lowercase().windows(3).any(|window| window == b"yes")
    }

    /// Whether Perl holds the value true.
    pub(super) fn is_true(&self, name: &str) -> bool {
        !matches!(self.text(name), b"" | b"0")
    }

    pub(super) fn id(&self, process: &Process<'_>, name: &str) -> Result<u32, Fatal> {
        let text = self.text(name);
        number(text)
            .filter(|_| !text.is_empty())
            .ok_or_else(|| process.not_modelled(format!("{name} `{}` in adduser.conf", show(text))))
    }

    pub(super) fn range(&self, process: &Process<'_>, kind: &str) -> Result<Range, Fatal> {
        Ok(Range {
            first: self.id(process, &format!("first_{kind}"))?,
            last: self.id(process, &format!("last_{kind}"))?,
        })
    }
}

/// Reads the configuration files, `/etc/adduser.conf` when none is named.
pub(super) fn read(process: &mut Process<'_>, files: &[Vec<u8>], verbose: bool) -> Result<Config, Fatal> {
    let default = [b"/etc/adduser.conf".to_vec()];
    let files = if files.is_empty() { &default } else { files };
    let mut values: BTreeMap<String, Vec<u8>> =
        DEFAULTS.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect();
    for file in files {
        let Ok(text) = process.read_file(file) else {
            if verbose {
                warn(process, &format!("`{}' does not exist. Using defaults.", show(file)))?;
            }
            continue;
        };
        for (index, line) in text.split(|&b| b == b'\n').enumerate() {
            if line.first() == Some(&b'#') || line.trim_ascii().is_empty() {
                continue;
            }
            let place = format!("`{}', line {}", show(file), index + 1);
            let Some((name, value)) = assignment(line) else {
                warn(process, &format!("Couldn't parse {place}."))?;
                continue;
            };
            let known = name.to_ascii_lowercase();
            if !values.contains_key(&known) && known != "users_gid" && known != "users_group" {
                warn(process, &format!("Unknown variable `{name}' at {place}."))?;
                continue;
            }
            values.insert(known, value.to_vec());
        }
    }
    Ok(Config { values })
}

/// `NAME = VALUE`, the value without a pair of quotes around it.
fn assignment(line: &[u8]) -> Option<(String, &[u8])> {
    let equals = line.iter().position(|&b| b == b'=')?;
    let name = line[..equals].trim_ascii();
    if name.is_empty() || !name.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'_') {
        return None;
    }
    let mut value = line[equals + 1..].trim_ascii_start();
    for quote in [b'"', b'\''] {
        if value.len() > 1 && value.first() == Some(&quote) && value.last() == Some(&quote) {
            value = &value[1..value.len() - 1];
        }
    }
    Some((String::from_utf8_lossy(name).into_owned(), value))
}

/// What a pool reserves for a name.
#[derive(Debug, Default)]
struct Reserved {
    id: u32,
    comment: Vec<u8>,
    home: Vec<u8>,
    shell: Vec<u8>,
}

#[derive(Debug, Default)]
pub(super) struct Pool(BTreeMap<Vec<u8>, Reserved>);

impl Pool {
    pub(super) fn id(&self, name: &[u8]) -> Option<u32> {
        self.0.get(name).map(|entry| entry.id)
    }

    pub(super) fn comment(&self, name: &[u8]) -> Option<Vec<u8>> {
        self.field(name, |entry| &entry.comment)
    }

    pub(super) fn home(&self, name: &[u8]) -> Option<Vec<u8>> {
        self.field(name, |entry| &entry.home)
    }

    pub(super) fn shell(&self, name: &[u8]) -> Option<Vec<u8>> {
        self.field(name, |entry| &entry.shell)
    }

    fn field(&self, name: &[u8], field: impl Fn(&Reserved) -> &Vec<u8>) -> Option<Vec<u8>> {
        self.0.get(name).map(|entry| field(entry).clone()).filter(|value| !value.is_empty())
    }
}

/// Reads a pool: a file, or the `.conf` files of a directory.
pub(super) fn pool(process: &mut Process<'_>, path: &[u8], users: bool, verbose: bool) -> Result<Pool, Stop> {
    let mut pool = Pool::default();
    if path.is_empty() {
        return Ok(pool);
    }
    let absolute = process.absolute(path);
    let folder = process.machine.tree.find(&absolute).and_then(|inode| inode.entries());
    let files: Vec<Vec<u8>> = match folder {
        Some(entries) => entries
            .keys()
            .map(|name| name.as_bytes())
            .filter(|name| name.ends_with(b".conf") && !name.starts_with(b"."))
            .map(|name| [path, b"/", name].concat())
            .collect(),
        None => vec![path.to_vec()],
    };
    for file in files {
        let Ok(text) = process.read_file(&file) else {
            if verbose {
                warn(process, &format!("`{}' does not exist.", show(&file)))?;
            }
            continue;
        };
        let lines = text.split(|&b| b == b'\n').enumerate();
        for (index, line) in lines.filter(|(_, line)| !line.starts_with(b"#") && !line.trim_ascii().is_empty()) {
            let place = format!("`{}', line {}", show(&file), index + 1);
            let mut fields = line.split(|&b| b == b':').map(<[u8]>::to_vec);
            let mut next = || fields.next().unwrap_or_default();
            let (name, id) = (next(), next());
            let good = !name.is_empty() && name.iter().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(b));
            let Some(id) = number(&id).filter(|&id| good && id != 0) else {
                warn(process, &format!("Couldn't parse {place}."))?;
                continue;
            };
            let mut entry = Reserved { id, ..Reserved::default() };
            if users {
                (entry.comment, entry.home, entry.shell) = (next(), next(), next());
            }
            if pool.0.insert(name.clone(), entry).is_some() {
                return Err(die(&format!("Duplicate name `{}' at {place}.", show(&name))));
            }
        }
    }
    Ok(pool)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assignments() {
        let check = |line: &str, expect: Option<(&str, &str)>| {
            let expect = expect.map(|(name, value)| (name.to_owned(), value.as_bytes()));
            assert_eq!(assignment(line.as_bytes()), expect, "{line}");
        };
        check("DSHELL=/bin/bash", Some(("DSHELL", "/bin/bash")));
        check("  EXTRA_GROUPS = \"a b\"", Some(("EXTRA_GROUPS", "a b")));
        check("NAME_REGEX='^x=y$'", Some(("NAME_REGEX", "^x=y$")));
        check("A B=c", None);
        check("nothing", None);
        assert!(DEFAULTS.is_sorted_by(|a, b| a.0 < b.0));
    }
}
