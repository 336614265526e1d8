//! depmod: the indexes of a kernel's modules.

use rayon::prelude::*;

use crate::{
    kmod,
    shell::{
        Fatal, Process, Status,
        files::{join, show},
        options::parse,
    },
    tree::{Content, Node},
};

/// What configuration may hold; none of it is read.
const CONFIGURATION: [&[u8]; 4] = [b"etc/depmod.d", b"run/depmod.d", b"usr/local/lib/depmod.d", b"lib/depmod.d"];

/// Folders whose modules come before all others of the same name, as without configuration.
const FIRST: &[u8] = b"updates/";

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = parse(process, &["a all", "b basedir=", "o outdir=", "w warn", "v verbose"])?;
    if arguments.operands.len() > 1 {
        return Err(process.not_modelled("single module files"));
    }
    let base = arguments.value("b").unwrap_or(b"/").to_vec();
    let release = match arguments.operands.first() {
        Some(release) => release.clone(),
        None => process.machine.kernel_release.clone().into_bytes(),
    };
    for folder in CONFIGURATION {
        let folder = join(&base, folder);
        let lists = process.lookup(&folder).is_ok_and(|id| {
            let entries = process.inode(id).entries();
            entries.is_some_and(|entries| entries.keys().any(|name| name.as_bytes().ends_with(b".conf")))
        });
        if lists && significant(process, &folder) {
            return Err(process.not_modelled(format!("configuration in {}", show(&folder))));
        }
    }
    let below = join(b"lib/modules", &release);
    let folder = join(&base, &below);
    if !process.is_dir(&folder) {
        return process.fail(&format!("ERROR: could not open directory {}: No such file or directory", show(&folder)));
    }
    let out = join(arguments.value("o").unwrap_or(&base), &below);
    index(process, &folder, &out)
}

/// Whether a folder's configuration says more than that `updates` comes first, which it does anyway.
fn significant(process: &mut Process<'_>, folder: &[u8]) -> bool {
    let Ok(id) = process.lookup(folder) else { return false };
    let names: Vec<_> =
        process.inode(id).entries().into_iter().flatten().map(|(name, _)| join(folder, name.as_bytes())).collect();
    names.iter().filter(|name| name.ends_with(b".conf")).any(|name| {
        let text = process.read_file(name).unwrap_or_default();
        text.split(|&b| b == b'\n').map(<[u8]>::trim_ascii).any(|line| {
            let words: Vec<&[u8]> = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).collect();
            match words.split_first() {
                None => false,
                Some((first, _)) if first.starts_with(b"#") => false,
                Some((first, rest)) => *first != b"search" || rest.first() != Some(&&b"updates"[..]),
            }
        })
    })
}

fn index(process: &mut Process<'_>, folder: &[u8], out: &[u8]) -> Result<Status, Fatal> {
    let found = match modules(process, folder) {
        Ok(found) => found,
        Err(error) => return process.fail(&format!("ERROR: {error}")),
    };
    let mut tables = Vec::new();
    for name in ["modules.order", "modules.builtin", "modules.builtin.modinfo"] {
        let bytes = match process.read_file(&join(folder, name.as_bytes())) {
            Ok(bytes) => bytes,
            Err(error) => {
                let message = format!("WARNING: could not open {name} at {}: {}", show(folder), error.errno);
                process.complain(&message)?;
                bytes::Bytes::new()
            }
        };
        tables.push(bytes);
    }
    let tables = kmod::Tables { order: &tables[0], builtin: &tables[1], builtin_info: &tables[2] };
    let indexes = match kmod::index(found, &tables) {
        Ok(indexes) => indexes,
        Err(error) => return process.fail(&format!("ERROR: {error}")),
    };
    for (name, bytes) in indexes {
        let path = join(out, name.as_bytes());
        // The file takes the old one's place, so that a link to it elsewhere keeps what it has.
        let removed = match process.lookup_no_follow(&path) {
            Ok(_) => process.machine.tree.unlink(&process.absolute(&path)),
            Err(_) => Ok(()),
        };
        if let Err(error) = removed.and_then(|()| process.write_file(&path, bytes)) {
            return process.fail(&format!("ERROR: could not write {}: {}", show(&path), error.errno));
        }
    }
    Ok(Status::SUCCESS)
}

/// All modules below the folder, read; of several with one name the one below `updates`, else the first.
fn modules(process: &mut Process<'_>, folder: &[u8]) -> Result<Vec<kmod::Found>, kmod::Error> {
    let Ok(top) = process.lookup(folder) else { return Ok(Vec::new()) };
    let mut chosen = std::collections::BTreeMap::new();
    for (path, id) in process.below(b"", top) {
        let outside = [&b"build"[..], b"source"].contains(&path.split(|&b| b == b'/').next().unwrap_or_default());
        let Node::Regular(content) = &process.inode(id).node else { continue };
        if outside || !kmod::is_module(&path) {
            continue;
        }
        let name = kmod::name(&path);
        let first = path.starts_with(FIRST);
        let known = chosen.get(&name).map(|(_, _, first): &(_, _, bool)| *first);
        if known.is_none_or(|known| first && !known) {
            chosen.insert(name, (path, content, first));
        }
    }
    let chosen: Vec<_> = chosen.into_values().collect();
    chosen
        .par_iter()
        .map(|(path, content, _)| {
            let bytes = content.bytes(Content::READ_LIMIT).unwrap_or_default();
            Ok(kmod::Found { path: path.clone(), module: kmod::read(path, &bytes)? })
        })
        .collect()
}
