//! From the modules that are enabled to the files that are published.

use std::collections::BTreeSet;

use super::{decompressed, store::Store, write};
use crate::{
    selinux::{self, Account, Contexts, Homes, Linked, Login, Package, Policy, PolicyKind, Symbols, UsersExtra},
    shell::{
        Fatal, Process,
        userdb::{LoginDefs, UserDb},
    },
};

/// Bytes of the file with the number of commits.
const COMMIT_LEN: usize = 32;
/// Of files that are published.
const PUBLISHED: u16 = 0o644;
/// Numbers of ordinary accounts where `login.defs` has none.
const UID_MIN: u32 = 500;
const UID_MAX: u32 = 60000;

pub(super) fn commit(process: &mut Process<'_>, store: &Store) -> Result<(), Fatal> {
    if let Some(file) = store.local_files(process).first() {
        return Err(process.not_modelled(format!("`{}` in the store", file.escape_ascii())));
    }
    store.lock(process, b"semanage.trans.LOCK")?;
    Store::make_final(process)?;
    let texts = link(process, store)?;
    let homes = homes(process)?;
    warn(process, &texts.logins, &homes)?;
    let homedirs =
        selinux::homedirs(&texts.linked.homedir_template, &texts.logins, &texts.extra.prefixes, &texts.symbols, &homes)
            .map_err(|error| process.not_modelled(error.to_string()))?;
    let seusers: Vec<u8> = texts.logins.iter().flat_map(Login::line).collect();
    let kept: [(&[u8], &[u8]); 7] = [
        (b"file_contexts", &texts.linked.file_contexts),
        (b"homedir_template", &texts.linked.homedir_template),
        (b"file_contexts.homedirs", &homedirs),
        (b"seusers", &seusers),
        (b"seusers.linked", &seusers),
        (b"users_extra", &texts.extra.text),
        (b"users_extra.linked", &texts.extra.text),
    ];
    for (file, text) in kept {
        store.write(process, &store.active(file), text.to_vec())?;
    }
    let published: [(&[u8], &[u8]); 3] = [
        (b"contexts/files/file_contexts", &texts.linked.file_contexts),
        (b"contexts/files/file_contexts.homedirs", &homedirs),
        (b"seusers", &seusers),
    ];
    for (file, text) in published {
        write(process, &store.published(file), PUBLISHED, text.to_vec())?;
    }
    count(process, store)
}

/// Adds one to the number of commits: decimal, then zeros.
fn count(process: &mut Process<'_>, store: &Store) -> Result<(), Fatal> {
    let path = store.active(b"commit_num");
    let before = process.read_file(&path).unwrap_or_default();
    let digits = before.split(|&b| b == 0).next().unwrap_or_default();
    let number: u32 = std::str::from_utf8(digits).ok().and_then(|text| text.parse().ok()).unwrap_or(0);
    let mut bytes = number.saturating_add(1).to_string().into_bytes();
    bytes.resize(COMMIT_LEN, 0);
    store.write(process, &path, bytes)
}

/// What all modules come to.
struct Texts {
    linked: Linked,
    logins: Vec<Login>,
    extra: UsersExtra,
    symbols: Symbols,
}

/// Reads every enabled module at its highest priority.
fn link(process: &mut Process<'_>, store: &Store) -> Result<Texts, Fatal> {
    let (mut symbols, mut contexts) = (Symbols::default(), Contexts::default());
    let mut base = None;
    let mut seen = BTreeSet::new();
    for module in store.modules(process) {
        if store.is_disabled(process, &module.name) || !seen.insert(module.name.clone()) {
            continue;
        }
        let path = [store.module(module.priority, &module.name).as_slice(), b"/hll"].concat();
        let bytes = process.read_file(&path).map_err(|error| process.not_modelled(error.to_string()))?;
        let plain = decompressed(process, &bytes)?;
        let odd = |what: String| process.not_modelled(format!("module `{}`: {what}", module.name.escape_ascii()));
        let package = Package::parse(&plain).map_err(|error| odd(error.to_string()))?;
        let policy = Policy::parse(package.policy).map_err(|error| odd(error.to_string()))?;
        if !package.netfilter_contexts.is_empty() {
            return Err(odd("contexts of packets".to_owned()));
        }
        if !policy.mls {
            return Err(odd("a policy without levels".to_owned()));
        }
        contexts.add(package.file_contexts).map_err(|error| odd(error.to_string()))?;
        symbols.join(policy.symbols);
        match policy.kind {
            PolicyKind::Base if base.is_none() => {
                let logins = selinux::seusers(package.seusers).map_err(|error| odd(error.to_string()))?;
                base = Some((logins, selinux::users_extra(package.users_extra).map_err(|e| odd(e.to_string()))?));
            }
            PolicyKind::Module if package.seusers.is_empty() && package.users_extra.is_empty() => {}
            _ => return Err(odd("logins and users of more than one module".to_owned())),
        }
    }
    let (logins, extra) = base.ok_or_else(|| process.not_modelled("modules without a base"))?;
    let linked = contexts.link(&symbols).map_err(|error| process.not_modelled(error.to_string()))?;
    Ok(Texts { linked, logins, extra, symbols })
}

/// Says which logins are no accounts, as libsemanage does.
fn warn(process: &mut Process<'_>, logins: &[Login], homes: &Homes) -> Result<(), Fatal> {
    let mut names: Vec<&[u8]> = logins.iter().map(|login| login.name.as_slice()).collect();
    names.retain(|name| *name != b"__default__" && homes.accounts.iter().all(|account| account.name != *name));
    names.sort_unstable();
    for name in names {
        process.write(2, &[b"libsemanage.add_user: user ", name, b" not in password file\n"].concat())?;
    }
    Ok(())
}

/// Folders of homes, and all accounts. An ordinary account whose home is in a folder of its own would add that folder unless a
/// pattern of the policy already covers it, which is not looked into.
fn homes(process: &mut Process<'_>) -> Result<Homes, Fatal> {
    let mut folders = Vec::new();
    folders.extend(value(process, b"/etc/default/useradd", b"HOME"));
    folders.extend(value(process, b"/etc/libuser.conf", b"LU_HOMEDIRECTORY"));
    if folders.is_empty() {
        folders.push(b"/home".to_vec());
    }
    if process.is_dir(b"/export/home") {
        folders.push(b"/export/home".to_vec());
    }
    folders.sort();
    if process.lookup(b"/etc/libuser.conf").is_ok() {
        return Err(process.not_modelled("/etc/libuser.conf"));
    }
    let settings = LoginDefs::read(process, b"");
    let numbers = settings.id(process, "UID_MIN", UID_MIN)?..=settings.id(process, "UID_MAX", UID_MAX)?;
    let shells = process.read_file(b"/etc/shells").unwrap_or_default();
    let shells: Vec<&[u8]> = shells.split(|&b| b == b'\n').filter(|line| *line != b"/sbin/nologin").collect();
    let mut accounts = Vec::new();
    for user in UserDb::read(process, b"")?.users.records() {
        let end = user.home.iter().rposition(|&b| b != b'/').map_or(0, |last| last + 1);
        let slash = user.home[..end].iter().rposition(|&b| b == b'/').unwrap_or(0);
        let is_ordinary = numbers.contains(&user.uid) && shells.contains(&user.shell.as_slice()) && slash > 0;
        if is_ordinary && !folders.iter().any(|folder| *folder == user.home[..slash]) {
            let (name, home) = (user.name.escape_ascii(), user.home.escape_ascii());
            return Err(process.not_modelled(format!("account `{name}` with its home at `{home}`")));
        }
        accounts.push(Account { name: user.name.clone(), uid: user.uid, home: user.home.clone() });
    }
    Ok(Homes { folders, accounts })
}

/// What follows `=` on the first line that begins with a name.
fn value(process: &mut Process<'_>, file: &[u8], name: &[u8]) -> Option<Vec<u8>> {
    let text = process.read_file(file).ok()?;
    let line = text.split(|&b| b == b'\n').find(|line| line.starts_with(name))?;
    let value = line.splitn(2, |&b| b == b'=').nth(1)?;
    (!value.is_empty()).then(|| value.to_vec())
}
