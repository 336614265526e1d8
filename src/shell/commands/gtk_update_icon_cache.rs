//! gtk-update-icon-cache: the icons of a theme in one file. The real program sorts every folder, and so does this one.

use crate::{
    icon_cache::{Error, Folder, Icons},
    shell::{Fatal, Process, Status, files::join, options},
    tree::InodeId,
};

/// Folders may be nested as deep as this, through links.
const DEPTH: usize = 32;

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = options::parse(process, &["force f", "ignore-theme-index t", "index-only i", "quiet q"])?;
    let [theme] = arguments.operands.as_slice() else { return Err(process.not_modelled("other than one folder")) };
    let is_file = |path: &[u8]| process.lookup(path).is_ok_and(|id| process.inode(id).is_file());
    if !arguments.has("ignore-theme-index") && !is_file(&join(theme, b"index.theme")) {
        return process.fail("No theme index file.");
    }
    let cache = join(theme, b"icon-theme.cache");
    if !arguments.has("force") && process.lookup(&cache).is_ok() {
        return Err(process.not_modelled("a cache that may be up to date"));
    }
    let mut icons = Icons::default();
    let Ok(id) = process.lookup(theme) else { return Ok(Status::SUCCESS) };
    scan(process, id, theme, b"", &mut icons, DEPTH)?;
    if icons.is_empty() {
        let path = process.absolute(&cache);
        let _ = process.machine.tree.unlink(&path);
        return Ok(Status::SUCCESS);
    }
    let bytes = icons.file().map_err(|error| refused(process, error))?;
    super::glib::replace(process, &cache, bytes)?;
    if !arguments.has("quiet") {
        process.complain("Cache file created successfully.")?;
    }
    Ok(Status::SUCCESS)
}

fn refused(process: &Process<'_>, error: Error) -> Fatal {
    process.not_modelled(error.to_string())
}

/// Takes up the icons of a folder and of those in it; `inside` is its path seen from the theme.
fn scan(
    process: &Process<'_>,
    id: InodeId,
    path: &[u8],
    inside: &[u8],
    icons: &mut Icons,
    depth: usize,
) -> Result<(), Fatal> {
    let depth = depth.checked_sub(1).ok_or_else(|| process.not_modelled("a folder in itself"))?;
    let mut folder = Folder::default();
    let names = process.inode(id).entries().into_iter().flat_map(|entries| entries.keys());
    for name in names.map(|name| name.as_bytes()) {
        let path = join(path, name);
        let Ok(id) = process.lookup(&path) else { continue };
        if process.inode(id).is_dir() {
            scan(process, id, &path, &join(inside, name), icons, depth)?;
        } else if !inside.is_empty() && process.inode(id).is_file() {
            if name.ends_with(b".icon") {
                return Err(process.not_modelled("an icon's own data, `*.icon`,"));
            }
            icons.add(&mut folder, inside, name).map_err(|error| refused(process, error))?;
        }
    }
    icons.close(&folder);
    Ok(())
}
