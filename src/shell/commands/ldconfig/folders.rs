//! The libraries of one folder: what stands for each soname, and the links to it.

use std::{cmp::Ordering, collections::BTreeMap};

use super::{Machine, Request, Version, configuration::Folder, rooted};
use crate::{
    elf,
    ldcache::{self, Library},
    shell::{Fatal, Process},
    tree::{Content, Node},
};

/// A file that stands for a soname.
struct Standing {
    name: Vec<u8>,
    is_link: bool,
    flags: u32,
}

/// Makes the links of a folder and lists its libraries.
pub(super) fn search(
    process: &mut Process<'_>,
    request: &Request,
    machine: Machine,
    version: &Version,
    folder: &Folder,
) -> Result<Vec<Library>, Fatal> {
    let mut libraries = Vec::new();
    for (soname, file) in standing(process, request, machine, version, folder)? {
        // In folders for special processors there are no links, and the cache names the files.
        let cached = if folder.hwcaps.is_some() { &file.name } else { &soname };
        let path = [folder.path.as_slice(), b"/", cached].concat();
        if folder.hwcaps.is_none() && !file.is_link && request.makes_links {
            link(process, request, folder, &soname, &file.name);
        }
        libraries.push(Library { soname, path, flags: file.flags, hwcaps: folder.hwcaps.clone() });
    }
    Ok(libraries)
}

/// What stands for each soname: files before links, then the newest.
fn standing(
    process: &mut Process<'_>,
    request: &Request,
    machine: Machine,
    version: &Version,
    folder: &Folder,
) -> Result<BTreeMap<Vec<u8>, Standing>, Fatal> {
    let names = process.machine.tree.get(folder.id).entries().into_iter().flatten();
    let names: Vec<Vec<u8>> = names.map(|(name, _)| name.as_bytes().to_vec()).collect();
    let mut standing: BTreeMap<Vec<u8>, Standing> = BTreeMap::new();
    for name in names {
        if folder.hwcaps.is_none() && version.minor < 37 && is_old_hwcaps(process, request, folder, &name) {
            let path = [folder.path.as_slice(), b"/", &name].concat();
            return Err(process.not_modelled(format!("`{}`", path.escape_ascii())));
        }
        if !is_library_name(&name, version) {
            continue;
        }
        let (mut is_link, content) = match file(process, request, folder, &name) {
            Found::File { is_link, content } => (is_link, content),
            Found::Stale => {
                if request.makes_links && memchr::memmem::find(&name, b".so.").is_some() {
                    // A folder that can't be written keeps it, as ldconfig leaves what it may not remove.
                    let _ = process.machine.tree.unlink(&[folder.real.as_slice(), b"/", &name].concat());
                }
                continue;
            }
            Found::Other => continue,
        };
        let Some(bytes) = content.bytes(Content::READ_LIMIT) else { continue };
        let Some((flags, soname)) = library(process, machine, &bytes)? else { continue };
        let mut soname = soname.unwrap_or_else(|| name.clone());
        // A link that is called as the soname, or as a developer's package calls it (`libfoo.so`), stands for itself; any other
        // is as good as a file.
        is_link &= name == soname || name.ends_with(b".so") && soname.starts_with(&name);
        if is_link {
            soname.clone_from(&name);
        }
        let newer = |old: &Standing| {
            (!is_link && old.is_link)
                || (is_link == old.is_link && ldcache::compare_names(&old.name, &name) == Ordering::Less)
        };
        if let Some(old) = standing.get(&soname).filter(|old| old.flags != flags) {
            let names = format!("`{}` and `{}`", old.name.escape_ascii(), name.escape_ascii());
            return Err(process.not_modelled(format!("libraries of one soname and two kinds, {names}")));
        }
        if standing.get(&soname).is_none_or(newer) {
            standing.insert(soname, Standing { name, is_link, flags });
        }
    }
    Ok(standing)
}

enum Found {
    File { is_link: bool, content: Content },
    Stale,
    Other,
}

fn file(process: &Process<'_>, request: &Request, folder: &Folder, name: &[u8]) -> Found {
    let tree = &process.machine.tree;
    let path = [folder.real.as_slice(), b"/", name].concat();
    let Ok(id) = tree.lookup_no_follow(&path) else { return Found::Other };
    let is_link = tree.get(id).is_symlink();
    // What a link leads to is seen from the root that ldconfig was given.
    let below = &path[request.root.len()..];
    let Some(place) = rooted::resolve(tree, &request.root, below) else {
        return if is_link { Found::Stale } else { Found::Other };
    };
    match &tree.get(place.id).node {
        Node::Regular(content) => Found::File { is_link, content: content.clone() },
        _ => Found::Other,
    }
}

/// Makes the link from a soname to its file, unless the name leads there or is a file of its own.
fn link(process: &mut Process<'_>, request: &Request, folder: &Folder, soname: &[u8], file: &[u8]) {
    let path = |name: &[u8]| [folder.real.as_slice(), b"/", name].concat();
    let tree = &mut process.machine.tree;
    let leads =
        |name: &[u8]| rooted::resolve(tree, &request.root, &path(name)[request.root.len()..]).map(|place| place.id);
    if let Some(now) = leads(soname)
        && Some(now) == leads(file)
    {
        return;
    }
    match tree.lookup_no_follow(&path(soname)) {
        Ok(id) if !tree.get(id).is_symlink() => return,
        Ok(_) => drop(tree.unlink(&path(soname))),
        Err(_) => {}
    }
    let stat = process.new_stat(0o777);
    // A soname that is no name takes no link; the cache names it all the same, as ldconfig's does.
    let _ = process.machine.tree.create(&path(soname), stat, Node::Symlink(file.to_vec().into()));
}

/// Names that the loader looks for.
fn is_library_name(name: &[u8], version: &Version) -> bool {
    let is_dso = (name.starts_with(b"lib") || name.starts_with(b"ld-")) && memchr::memmem::find(name, b".so").is_some();
    let at = |back: usize| name.len().checked_sub(back).map_or(&[] as &[u8], |start| &name[start..]);
    let is_prelinked = name.ends_with(b".#prelink#") || at(17).starts_with(b".#prelink#.");
    // Files of a package that is being unpacked are libraries like others to glibc before 2.39.
    let suffix = at(9).strip_prefix(b";").unwrap_or_default();
    let is_unpacked = name.ends_with(b".dpkg-new")
        || name.ends_with(b".dpkg-tmp")
        || suffix.len() == 8 && suffix.iter().all(u8::is_ascii_hexdigit);
    (is_dso || name.starts_with(b"ld.so.")) && !is_prelinked && !(version.minor >= 39 && is_unpacked)
}

/// Whether it is a folder for special processors of the kind before `glibc-hwcaps`, which glibc gave up in 2.37.
fn is_old_hwcaps(process: &Process<'_>, request: &Request, folder: &Folder, name: &[u8]) -> bool {
    const NAMES: &[&[u8]] =
        &[b"atomics", b"avx512_1", b"haswell", b"i586", b"i686", b"sse2", b"tls", b"x86_64", b"xeon_phi"];
    let tree = &process.machine.tree;
    let path = [folder.real.as_slice(), b"/", name].concat();
    NAMES.contains(&name)
        && rooted::resolve(tree, &request.root, &path[request.root.len()..])
            .is_some_and(|place| tree.get(place.id).is_dir())
}

/// Flags and soname of a shared object.
type Named = (u32, Option<Vec<u8>>);

fn library(process: &Process<'_>, machine: Machine, bytes: &[u8]) -> Result<Option<Named>, Fatal> {
    const EM_386: u16 = 3;
    const EM_X86_64: u16 = 62;
    const EM_AARCH64: u16 = 183;
    let Ok(dynamic) = elf::dynamic(bytes) else { return Ok(None) };
    if !dynamic.is_shared || !dynamic.is_dynamic {
        return Ok(None);
    }
    let flags = match (machine, dynamic.machine, dynamic.is_64) {
        (Machine::X86_64, EM_X86_64, false) => 0x0803,
        (Machine::X86_64, EM_X86_64, true) => 0x0303,
        // What is known of these is whether they come with glibc 2.
        (Machine::X86_64, EM_386, false) => 1 + 2 * u32::from(is_libc6(&dynamic)),
        (Machine::X86_64, ..) => return Ok(None),
        (Machine::Aarch64, EM_AARCH64, true) => 0x0a03,
        (Machine::Aarch64, ..) => return Err(process.not_modelled("a library that is not for AArch64")),
    };
    Ok(Some((flags, dynamic.soname)))
}

fn is_libc6(dynamic: &elf::Dynamic) -> bool {
    const INTERPRETERS: [&[u8]; 3] =
        [b"/lib/ld-linux.so.2", b"/lib64/ld-linux-x86-64.so.2", b"/libx32/ld-linux-x32.so.2"];
    dynamic.interpreter.as_deref().is_some_and(|path| INTERPRETERS.contains(&path))
        || dynamic.needed.iter().any(|name| name == b"libc.so.6" || name == b"libm.so.6")
}
