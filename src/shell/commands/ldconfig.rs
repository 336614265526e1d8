//! ldconfig: links by soname, and the loader's cache, as glibc 2.36 writes both. Policy: no aux-cache, which only saves time.

use std::collections::BTreeMap;

use crate::{
    elf,
    ldcache::{self, Library},
    shell::{Fatal, Process, Status, dpkg, pattern::Pattern},
    tree::{InodeId, Node},
};

/// ELF of libc6 for x86-64 and for AArch64, and plain 32-bit ELF of libc6 (sysdeps/*/dl-cache.h).
const LIBC6: u32 = 0x0003;
const X86_64: u32 = 0x0303;
const AARCH64: u32 = 0x0a03;

/// What glibc's `ldconfig` says of itself in the cache, by the version of the package libc-bin.
fn generator(version: &str) -> String {
    let upstream = version.split('-').next().unwrap_or(version);
    format!("ldconfig (Debian GLIBC {version}) stable release version {upstream}")
}

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    match process.arguments().iter().map(Vec::as_slice).collect::<Vec<_>>().as_slice() {
        [] | [b"-r", b"" | b"/"] => {}
        other => return Err(process.not_modelled(format!("`{}`", other.join(b" ".as_slice()).escape_ascii()))),
    }
    let Some(version) = libc_version(process) else {
        return Err(process.not_modelled("a tree without the package libc-bin or libc6"));
    };
    let mut directories = Vec::new();
    configured(process, b"/etc/ld.so.conf", &mut directories, 0)?;
    let multiarch = match process.machine.architecture.as_str() {
        "amd64" => "x86_64-linux-gnu",
        "arm64" => "aarch64-linux-gnu",
        other => return Err(process.not_modelled(format!("architecture {other}"))),
    };
    directories.extend(["/lib/", "/usr/lib/"].map(|folder| format!("{folder}{multiarch}").into_bytes()));
    directories.extend([b"/lib".to_vec(), b"/usr/lib".to_vec()]);

    let mut libraries = Vec::new();
    let mut seen: Vec<InodeId> = Vec::new();
    for directory in directories {
        let Ok(id) = process.machine.tree.lookup(&directory) else { continue };
        if process.machine.tree.get(id).is_dir() && !seen.contains(&id) {
            seen.push(id);
            search(process, &directory, id, &mut libraries)?;
        }
    }
    let text = ldcache::render(libraries, &generator(&version));
    let stat = process.new_stat(0o644);
    let written = process.machine.tree.write(b"/etc/ld.so.cache", text, stat);
    match written {
        Ok(_) => Ok(Status::SUCCESS),
        Err(error) => {
            process.complain(&format!("Can't create cache file: {}", error.errno))?;
            Ok(Status::FAILURE)
        }
    }
}

/// The version of libc-bin, else of libc6, from the database of packages.
fn libc_version(process: &mut Process<'_>) -> Option<String> {
    ["libc-bin", "libc6"].iter().find_map(|name| dpkg::version_of(process, name))
}

/// The directories that a configuration file names, its includes followed.
fn configured(process: &Process<'_>, file: &[u8], found: &mut Vec<Vec<u8>>, depth: u32) -> Result<(), Fatal> {
    if depth > 10 {
        return Err(Fatal::Limit { what: "nested includes of ld.so.conf", limit: 10 });
    }
    let Ok(text) = process.machine.tree.read(file) else { return Ok(()) };
    for line in text.split(|&b| b == b'\n') {
        let line = line.split(|&b| b == b'#').next().unwrap_or_default().trim_ascii();
        if let Some(patterns) = line.strip_prefix(b"include ").or_else(|| line.strip_prefix(b"include\t")) {
            for pattern in patterns.split(u8::is_ascii_whitespace).filter(|pattern| !pattern.is_empty()) {
                for path in matching(process, &from_etc(pattern)) {
                    configured(process, &path, found, depth + 1)?;
                }
            }
        } else if line.starts_with(b"/") {
            let end = line.iter().rposition(|&b| b != b'/').map_or(1, |last| last + 1);
            found.push(line[..end].to_vec());
        } else if !line.is_empty() {
            return Err(process.not_modelled(format!("`{}` in `{}`", line.escape_ascii(), file.escape_ascii())));
        }
    }
    Ok(())
}

/// The files of one directory whose names match the last part of a pattern, in byte order.
fn matching(process: &Process<'_>, pattern: &[u8]) -> Vec<Vec<u8>> {
    let slash = pattern.iter().rposition(|&b| b == b'/').unwrap_or(0);
    let (directory, last) = (&pattern[..slash], Pattern::new(&pattern[slash + 1..]));
    let names =
        process.machine.tree.find(directory).and_then(|inode| inode.entries()).into_iter().flat_map(|e| e.keys());
    let names = names.map(|name| name.as_bytes()).filter(|name| !name.starts_with(b".") && last.matches(name));
    names.map(|name| [directory, b"/", name].concat()).collect()
}

fn from_etc(pattern: &[u8]) -> Vec<u8> {
    if pattern.starts_with(b"/") { pattern.to_vec() } else { [b"/etc/".as_slice(), pattern].concat() }
}

/// A file that stands for a soname in one directory.
struct Standing {
    name: Vec<u8>,
    is_link: bool,
    flags: u32,
}

fn search(process: &mut Process<'_>, directory: &[u8], id: InodeId, libraries: &mut Vec<Library>) -> Result<(), Fatal> {
    let tree = &process.machine.tree;
    let mut standing: BTreeMap<Vec<u8>, Standing> = BTreeMap::new();
    for (name, &entry) in tree.get(id).entries().into_iter().flatten() {
        let name = name.as_bytes();
        if name == b"glibc-hwcaps" || (name == b"tls" && tree.get(entry).is_dir()) {
            return Err(process.not_modelled(format!("`{}/{}`", directory.escape_ascii(), name.escape_ascii())));
        }
        if !is_library_name(name) {
            continue;
        }
        let path = [directory, b"/", name].concat();
        let Ok((target, real)) = tree.resolve(&path) else { continue };
        let Node::Regular(content) = &tree.get(target).node else { continue };
        let Some(bytes) = content.bytes(crate::tree::Content::READ_LIMIT) else { continue };
        let Some((flags, soname)) = library(&bytes) else { continue };
        let mut soname = soname.unwrap_or_else(|| name.to_vec());
        let base = real.as_bytes().rsplit(|&b| b == b'/').next().unwrap_or_default();
        // A link that a developer's package brings, `libfoo.so`, stands for itself; any other is as good as a file.
        let mut is_link = tree.get(entry).is_symlink();
        if is_link && base != soname && !(base.ends_with(b".so") && soname.starts_with(base)) {
            is_link = false;
        }
        if is_link {
            soname = name.to_vec();
        }
        let newer = |old: &Standing| {
            (!is_link && old.is_link)
                || (is_link == old.is_link && ldcache::compare_names(&old.name, name) == std::cmp::Ordering::Less)
        };
        if standing.get(&soname).is_none_or(newer) {
            standing.insert(soname, Standing { name: name.to_vec(), is_link, flags });
        }
    }
    for (soname, file) in standing {
        if !file.is_link && file.name != soname {
            link(process, directory, &soname, &file.name);
        }
        libraries.push(Library { path: [directory, b"/", &soname].concat(), soname, flags: file.flags });
    }
    Ok(())
}

/// Makes the link from a soname to its file, unless the name leads there or is a file of its own.
fn link(process: &mut Process<'_>, directory: &[u8], soname: &[u8], file: &[u8]) {
    let path = [directory, b"/", soname].concat();
    let target = [directory, b"/", file].concat();
    let tree = &mut process.machine.tree;
    if tree.lookup(&path).is_ok() && tree.lookup(&path) == tree.lookup(&target) {
        return;
    }
    match tree.lookup_no_follow(&path) {
        Ok(id) if !tree.get(id).is_symlink() => return,
        Ok(_) => drop(tree.unlink(&path)),
        Err(_) => {}
    }
    let stat = process.new_stat(0o777);
    // A directory that takes no link keeps none; the cache then names what is there, as ldconfig's does.
    let _ = process.machine.tree.create(&path, stat, Node::Symlink(file.to_vec().into()));
}

/// Names that the loader looks for, but for files of a package that is being unpacked.
fn is_library_name(name: &[u8]) -> bool {
    let is_dso = (name.starts_with(b"lib") || name.starts_with(b"ld-")) && memchr::memmem::find(name, b".so").is_some();
    (is_dso || name.starts_with(b"ld.so.")) && !name.ends_with(b".dpkg-new") && !name.ends_with(b".dpkg-tmp")
}

/// Flags and soname of a shared object.
fn library(bytes: &[u8]) -> Option<(u32, Option<Vec<u8>>)> {
    const EM_386: u16 = 3;
    const EM_X86_64: u16 = 62;
    const EM_AARCH64: u16 = 183;
    let dynamic = elf::dynamic(bytes).ok()?;
    let flags = match (dynamic.machine, dynamic.is_64) {
        (EM_X86_64, true) => X86_64,
        (EM_AARCH64, true) => AARCH64,
        (EM_386, false) => LIBC6,
        _ => return None,
    };
    dynamic.is_shared.then_some((flags, dynamic.soname))
}
