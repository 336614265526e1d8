//! Where libsemanage keeps modules: `/var/lib/selinux/<store>/active/modules/<priority>/<module>`.

use super::{make_folder, write};
use crate::{
    shell::{Fatal, Process},
    tree::Name,
};

const ROOT: &[u8] = b"/var/lib/selinux";
/// Of everything in the store.
const MODE: u16 = 0o600;

/// A policy's store.
pub(super) struct Store {
    name: Vec<u8>,
}

/// A module at one priority.
pub(super) struct Module {
    pub(super) priority: u16,
    pub(super) name: Vec<u8>,
}

/// The policy that the system is configured to use.
pub(super) fn configured(process: &mut Process<'_>) -> Result<Vec<u8>, Fatal> {
    let text = process.read_file(b"/etc/selinux/config").unwrap_or_default();
    let found = text.split(|&b| b == b'\n').find_map(|line| line.trim_ascii().strip_prefix(b"SELINUXTYPE="));
    found.map(<[u8]>::to_vec).ok_or_else(|| process.not_modelled("no policy in /etc/selinux/config"))
}

impl Store {
    /// The store, with the folders and the lock that every look at it makes.
    pub(super) fn open(process: &mut Process<'_>, name: &[u8]) -> Result<Self, Fatal> {
        if Name::new(name).is_err() || !process.is_dir(ROOT) {
            return Err(process.not_modelled(format!("the store `{}`", name.escape_ascii())));
        }
        check_settings(process)?;
        let store = Self { name: name.to_vec() };
        make_folder(process, &store.active(b"modules"))?;
        store.lock(process, b"semanage.read.LOCK")?;
        Ok(store)
    }

    pub(super) fn lock(&self, process: &mut Process<'_>, file: &[u8]) -> Result<(), Fatal> {
        let path = [ROOT, b"/", &self.name, b"/", file].concat();
        if process.lookup(&path).is_ok() { Ok(()) } else { write(process, &path, MODE, Vec::new()) }
    }

    /// A file of the state that is in force.
    pub(super) fn active(&self, file: &[u8]) -> Vec<u8> {
        [ROOT, b"/", &self.name, b"/active/", file].concat()
    }

    /// A file where programs look for the policy.
    pub(super) fn published(&self, file: &[u8]) -> Vec<u8> {
        [b"/etc/selinux/", self.name.as_slice(), b"/", file].concat()
    }

    pub(super) fn module(&self, priority: u16, name: &[u8]) -> Vec<u8> {
        self.active(&[b"modules/", format!("{priority:03}").as_bytes(), b"/", name].concat())
    }

    pub(super) fn disabled(&self, name: &[u8]) -> Vec<u8> {
        self.active(&[b"modules/disabled/", name].concat())
    }

    pub(super) fn is_disabled(&self, process: &Process<'_>, name: &[u8]) -> bool {
        process.lookup(&self.disabled(name)).is_ok()
    }

    pub(super) fn write(&self, process: &mut Process<'_>, path: &[u8], bytes: Vec<u8>) -> Result<(), Fatal> {
        write(process, path, MODE, bytes)
    }

    /// Makes the folder in which a state is put together before it is published; it stays, empty.
    pub(super) fn make_final(process: &mut Process<'_>) -> Result<(), Fatal> {
        make_folder(process, &[ROOT, b"/final"].concat())
    }

    /// Everything that is installed, enabled or not; the highest priority first, then by name.
    pub(super) fn modules(&self, process: &Process<'_>) -> Vec<Module> {
        let mut modules = Vec::new();
        for name in names(process, &self.active(b"modules")) {
            let Some(priority) = std::str::from_utf8(&name).ok().and_then(|text| text.parse().ok()) else { continue };
            let inside = names(process, &self.active(&[b"modules/", name.as_slice()].concat()));
            modules.extend(inside.into_iter().map(|name| Module { priority, name }));
        }
        modules.sort_by(|a, b| b.priority.cmp(&a.priority).then_with(|| a.name.cmp(&b.name)));
        modules
    }

    /// Settings of an administrator's own, which would have their say in what is published.
    pub(super) fn local_files(&self, process: &Process<'_>) -> Vec<Vec<u8>> {
        let mut names = names(process, &self.active(b"."));
        names.retain(|name| name.ends_with(b".local") || name == b"disable_dontaudit" || name == b"preserve_tunables");
        names
    }
}

fn names(process: &Process<'_>, folder: &[u8]) -> Vec<Vec<u8>> {
    let entries = process.lookup(folder).ok().and_then(|id| process.inode(id).entries());
    entries.into_iter().flat_map(|entries| entries.keys()).map(|name| name.as_bytes().to_vec()).collect()
}

/// libsemanage's settings that say what is known here; any other is an error.
fn check_settings(process: &mut Process<'_>) -> Result<(), Fatal> {
    let text = process.read_file(b"/etc/selinux/semanage.conf").unwrap_or_default();
    for line in text.split(|&b| b == b'\n').map(<[u8]>::trim_ascii) {
        if line.is_empty() || line.starts_with(b"#") {
            continue;
        }
        let mut parts = line.splitn(2, |&b| b == b'=').map(<[u8]>::trim_ascii);
        // Whether rules that must never be allowed are looked for changes nothing that is written.
        if !matches!(
            (parts.next(), parts.next()),
            (Some(b"module-store"), Some(b"direct")) | (Some(b"expand-check"), _)
        ) {
            let line = line.escape_ascii();
            return Err(process.not_modelled(format!("`{line}` in /etc/selinux/semanage.conf")));
        }
    }
    Ok(())
}
