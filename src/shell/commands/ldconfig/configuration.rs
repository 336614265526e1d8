//! Which folders ldconfig searches: those of its command line, of `ld.so.conf` and its includes, and the system's.

use super::{Machine, Request, rooted};
use crate::{
    shell::{Fatal, Process, pattern::Pattern},
    tree::InodeId,
};

/// A folder with libraries.
#[derive(Debug)]
pub(super) struct Folder {
    /// As it is named, which is how the cache names it.
    pub(super) path: Vec<u8>,
    /// Where it is in the tree.
    pub(super) real: Vec<u8>,
    pub(super) id: InodeId,
    /// The name of a folder in `glibc-hwcaps`.
    pub(super) hwcaps: Option<Vec<u8>>,
}

/// The folders that are there, each once, with its folders for special processors behind it.
pub(super) fn folders(process: &Process<'_>, request: &Request, machine: Machine) -> Result<Vec<Folder>, Fatal> {
    let mut paths = request.named.clone();
    if !request.only_named {
        configured(process, request, &request.configuration, &mut paths, 0)?;
        let triplet = match machine {
            Machine::X86_64 => "x86_64-linux-gnu",
            Machine::Aarch64 => "aarch64-linux-gnu",
        };
        paths.extend(["/lib/", "/usr/lib/"].map(|folder| format!("{folder}{triplet}").into_bytes()));
        paths.extend([b"/lib".to_vec(), b"/usr/lib".to_vec()]);
    }
    let mut found = Vec::new();
    for path in paths {
        let end = path.iter().rposition(|&b| b != b'/' && !b.is_ascii_whitespace()).map_or(0, |last| last + 1);
        if end > 0 && add(process, request, path[..end].to_vec(), None, &mut found) {
            special(process, request, &path[..end], &mut found);
        }
    }
    Ok(found)
}

/// Adds a folder that is there and new.
fn add(
    process: &Process<'_>,
    request: &Request,
    path: Vec<u8>,
    hwcaps: Option<Vec<u8>>,
    found: &mut Vec<Folder>,
) -> bool {
    let tree = &process.machine.tree;
    match rooted::resolve(tree, &request.root, &path) {
        Some(place) if tree.get(place.id).is_dir() && found.iter().all(|folder| folder.id != place.id) => {
            found.push(Folder { path, real: place.path, id: place.id, hwcaps });
            true
        }
        _ => false,
    }
}

/// Adds the folders in `glibc-hwcaps` of a folder.
fn special(process: &Process<'_>, request: &Request, path: &[u8], found: &mut Vec<Folder>) {
    let tree = &process.machine.tree;
    let path = [path, b"/glibc-hwcaps"].concat();
    let Some(place) = rooted::resolve(tree, &request.root, &path) else { return };
    for name in tree.get(place.id).entries().into_iter().flatten().map(|(name, _)| name.as_bytes()) {
        add(process, request, [path.as_slice(), b"/", name].concat(), Some(name.to_vec()), found);
    }
}

/// The folders that a configuration file names, its includes followed.
fn configured(
    process: &Process<'_>,
    request: &Request,
    file: &[u8],
    found: &mut Vec<Vec<u8>>,
    depth: u32,
) -> Result<(), Fatal> {
    if depth > 10 {
        return Err(Fatal::Limit { what: "nested includes of ld.so.conf", limit: 10 });
    }
    let tree = &process.machine.tree;
    let Some(place) = rooted::resolve(tree, &request.root, file) else { return Ok(()) };
    let Ok(text) = tree.read(&place.path) else { return Ok(()) };
    for line in text.split(|&b| b == b'\n') {
        let line = line.split(|&b| b == b'#').next().unwrap_or_default().trim_ascii();
        let directive = line.split(|b| matches!(b, b' ' | b'\t')).next().unwrap_or_default();
        let rest = &line[directive.len()..];
        if directive == b"include" && !rest.is_empty() {
            for pattern in rest.split(|b| matches!(b, b' ' | b'\t')).filter(|pattern| !pattern.is_empty()) {
                for path in matching(process, request, &beside(file, pattern))? {
                    configured(process, request, &path, found, depth + 1)?;
                }
            }
        } else if line.starts_with(b"/") && !line.contains(&b'=') {
            found.push(line.to_vec());
        } else if !line.is_empty() && !directive.eq_ignore_ascii_case(b"hwcap") {
            return Err(process.not_modelled(format!("`{}` in `{}`", line.escape_ascii(), file.escape_ascii())));
        }
    }
    Ok(())
}

/// A pattern as seen from the file that includes it.
fn beside(file: &[u8], pattern: &[u8]) -> Vec<u8> {
    let slash = file.iter().rposition(|&b| b == b'/').map_or(0, |slash| slash + 1);
    if pattern.starts_with(b"/") { pattern.to_vec() } else { [&file[..slash], pattern].concat() }
}

/// The files of one folder whose names match the last part of a pattern, in byte order.
fn matching(process: &Process<'_>, request: &Request, pattern: &[u8]) -> Result<Vec<Vec<u8>>, Fatal> {
    let slash = pattern.iter().rposition(|&b| b == b'/').unwrap_or(0);
    let (folder, last) = (&pattern[..slash], &pattern[slash + 1..]);
    if folder.iter().any(|b| b"*?[\\".contains(b)) || last.contains(&b'\\') {
        return Err(process.not_modelled(format!("include of `{}`", pattern.escape_ascii())));
    }
    let tree = &process.machine.tree;
    let entries = rooted::resolve(tree, &request.root, folder)
        .and_then(|place| tree.get(place.id).entries())
        .into_iter()
        .flatten();
    let wanted = Pattern::new(last);
    let names = entries.map(|(name, _)| name.as_bytes());
    let names = names.filter(|name| wanted.matches(name) && (!name.starts_with(b".") || last.starts_with(b".")));
    Ok(names.map(|name| [folder, b"/", name].concat()).collect())
}
