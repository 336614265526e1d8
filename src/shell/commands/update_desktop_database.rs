//! update-desktop-database: which applications open files of which type, `mimeinfo.cache`.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    glib::key_file,
    shell::{Fatal, Process, Status, files::join, files::show, options},
    tree::InodeId,
};

/// Applications by type.
type Applications = BTreeMap<Vec<u8>, BTreeSet<Vec<u8>>>;

/// Media types that may stand in an entry; those that begin with `x-` may, too.
const MEDIA_TYPES: [&str; 11] =
    ["application", "audio", "chemical", "font", "image", "inode", "message", "model", "multipart", "text", "video"];

/// Folders may be nested as deep as this, through links.
const DEPTH: usize = 32;

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = options::parse(process, &["quiet q"])?;
    if process.variable("XDG_DATA_DIRS").is_some() {
        return Err(process.not_modelled("XDG_DATA_DIRS"));
    }
    let usual = [b"/usr/local/share/applications".to_vec(), b"/usr/share/applications".to_vec()];
    let folders = if arguments.operands.is_empty() { &usual[..] } else { &arguments.operands };
    for folder in folders {
        let Ok(id) = process.lookup(folder) else { continue };
        let mut applications = Applications::new();
        scan(process, id, folder, b"", &mut applications, DEPTH)?;
        let mut out = b"[MIME Cache]\n".to_vec();
        for (kind, names) in applications {
            let names: Vec<u8> = names.into_iter().flat_map(|name| [&name[..], b";"].concat()).collect();
            out.extend([&kind[..], b"=", &names, b"\n"].concat());
        }
        super::glib::replace(process, &join(folder, b"mimeinfo.cache"), out)?;
    }
    Ok(Status::SUCCESS)
}

/// Takes up the applications of a folder and of those in it, whose names go before theirs.
fn scan(
    process: &mut Process<'_>,
    id: InodeId,
    path: &[u8],
    prefix: &[u8],
    found: &mut Applications,
    depth: usize,
) -> Result<(), Fatal> {
    let depth = depth.checked_sub(1).ok_or_else(|| process.not_modelled("a folder in itself"))?;
    let names = process.inode(id).entries().into_iter().flat_map(|entries| entries.keys());
    let names: Vec<Vec<u8>> = names.map(|name| name.as_bytes().to_vec()).collect();
    for name in names {
        let path = join(path, &name);
        let Ok(id) = process.lookup(&path) else { continue };
        if process.inode(id).is_dir() {
            scan(process, id, &path, &[prefix, &name, b"-"].concat(), found, depth)?;
        } else if name.ends_with(b".desktop") {
            add(process, &path, [prefix, &name].concat(), found)?;
        }
    }
    Ok(())
}

fn add(process: &mut Process<'_>, path: &[u8], name: Vec<u8>, found: &mut Applications) -> Result<(), Fatal> {
    let Ok(bytes) = process.read_file(path) else { return Ok(()) };
    let Ok(file) = key_file::parse(&bytes) else { return Ok(()) };
    let Some((_, keys)) = file.groups.iter().find(|(group, _)| group == b"Desktop Entry") else { return Ok(()) };
    let value = |name: &[u8]| keys.iter().find(|(key, _)| key == name).map(|(_, value)| value.trim_ascii_end());
    if value(b"Hidden") == Some(b"true") {
        return Ok(());
    }
    let Some(types) = value(b"MimeType") else { return Ok(()) };
    if types.contains(&b'\\') {
        return Err(process.not_modelled(format!("an escape in the types of {}", show(path))));
    }
    for kind in types.split(|&byte| byte == b';').map(<[u8]>::trim_ascii_end).filter(|kind| !kind.is_empty()) {
        if is_type(kind) {
            found.entry(kind.to_vec()).or_default().insert(name.clone());
        } else {
            let line = format!("Error in file \"{}\": \"{}\" is an invalid MIME type\n", show(path), show(kind));
            process.write(2, line.as_bytes())?;
        }
    }
    Ok(())
}

/// Whether the program takes this for a type; it knows no media types but these.
fn is_type(kind: &[u8]) -> bool {
    let Some(slash) = memchr::memchr(b'/', kind) else { return false };
    let (media, subtype) = (&kind[..slash], &kind[slash + 1..]);
    let plain = |byte: &u8| !byte.is_ascii_control() && !b" ()<>@,;:\\\"/[]?=".contains(byte);
    let extension = media.len() >= 2 && media[..2].eq_ignore_ascii_case(b"x-") && media.iter().all(plain);
    let is_known = extension || MEDIA_TYPES.iter().any(|known| known.as_bytes() == media);
    is_known && !subtype.is_empty() && subtype.iter().all(plain)
}
