//! update-mime-database: the shared MIME database from the descriptions that packages bring. What it would say about folders that
//! no program looks into, it doesn't say here.

use crate::{
    mime::{Database, MEDIA_TYPES},
    shell::{Fatal, Process, Status, dpkg, files::join, files::show, options},
    tree::{Node, PathError},
};

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = options::parse(process, &[])?;
    let [folder] = arguments.operands.as_slice() else { return Err(process.not_modelled("other than one folder")) };
    let end = folder.iter().rposition(|&byte| byte != b'/').map_or(1, |last| last + 1);
    let folder = folder[..end].to_vec();
    let packages = join(&folder, b"packages");
    let Some(sources) = sources(process, &packages) else {
        let line = format!("Directory '{}' does not exist!\n", show(&packages));
        process.write(2, line.as_bytes())?;
        return Ok(Status::FAILURE);
    };
    let mut database = Database::default();
    for path in sources {
        let Ok(bytes) = process.read_file(&path) else {
            process.out(format!("Failed to parse '{}'\n", show(&path)).as_bytes())?;
            continue;
        };
        let text = std::str::from_utf8(&bytes);
        let text = text.map_err(|_| process.not_modelled(format!("{}, which is not UTF-8,", show(&path))))?;
        let said =
            database.add(text).map_err(|fault| process.not_modelled(format!("{}: {fault}: that", show(&path))))?;
        for text in said {
            process.out(format!("{text} (in {})\n", show(&path)).as_bytes())?;
        }
    }
    let version = dpkg::upstream_version(process, "shared-mime-info")?;
    let files = database.files(&version).map_err(|fault| process.not_modelled(fault.to_string()))?;
    delete_old(process, &folder, &database);
    for (name, bytes) in files {
        write(process, &join(&folder, name.as_bytes()), bytes)
            .map_err(|error| process.not_modelled(error.to_string()))?;
    }
    Ok(Status::SUCCESS)
}

/// Descriptions in the order in which they count, the machine's own last.
fn sources(process: &Process<'_>, packages: &[u8]) -> Option<Vec<Vec<u8>>> {
    let id = process.lookup(packages).ok()?;
    let names = process.inode(id).entries()?.keys().map(|name| name.as_bytes());
    let mut names: Vec<&[u8]> = names.filter(|name| name.ends_with(b".xml")).collect();
    names.sort_by_key(|name| *name == b"Override.xml");
    Some(names.into_iter().map(|name| join(packages, name)).collect())
}

/// Removes the files of types that nothing describes any more.
fn delete_old(process: &mut Process<'_>, folder: &[u8], database: &Database) {
    for media in MEDIA_TYPES {
        let path = join(folder, media.as_bytes());
        let Ok(id) = process.lookup(&path) else { continue };
        let names = process.inode(id).entries().into_iter().flat_map(|entries| entries.keys());
        let old = names.filter(|name| {
            let kind = name.as_bytes().strip_suffix(b".xml");
            kind.is_some_and(|kind| !database.has(&format!("{media}/{}", String::from_utf8_lossy(kind))))
        });
        for name in old.map(|name| name.as_bytes().to_vec()).collect::<Vec<_>>() {
            let path = process.absolute(&join(&path, &name));
            let _ = process.machine.tree.unlink(&path);
        }
    }
}

fn write(process: &mut Process<'_>, path: &[u8], bytes: Vec<u8>) -> Result<(), PathError> {
    let parent = crate::shell::files::dir_name(path);
    if process.lookup(parent).is_err() {
        process.create(parent, 0o755, Node::Directory(Default::default()))?;
    }
    let absolute = process.absolute(path);
    let _ = process.machine.tree.unlink(&absolute);
    process.create(path, 0o666, Node::Regular(bytes.into())).map(drop)
}
