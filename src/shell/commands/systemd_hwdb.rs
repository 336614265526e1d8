//! systemd-hwdb update: udev's hardware database from the files that packages bring.

use std::collections::BTreeMap;

use crate::{
    hwdb::Hwdb,
    shell::{Fatal, Process, Status, files::show, options},
    tree::Node,
};

/// Folders of `*.hwdb`; a file of an earlier one hides those of the same name.
const FOLDERS: [&str; 2] = ["/etc/udev/hwdb.d", "/lib/udev/hwdb.d"];
/// Folders that some versions read and others don't.
const NEWER: [&str; 2] = ["/run/udev/hwdb.d", "/usr/local/lib/udev/hwdb.d"];

/// Versions whose database has the form that is written here.
const VERSIONS: std::ops::RangeInclusive<u64> = 245..=260;

pub(super) fn update(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = options::parse(process, &["usr", "strict s", "root r="])?;
    if arguments.operands != [b"update".to_vec()] {
        return Err(process.not_modelled("anything but `update`"));
    }
    let root = arguments.value("root").map_or(b"".as_slice(), |root| root.strip_suffix(b"/").unwrap_or(root)).to_vec();
    let files = config_files(process, &root, &FOLDERS, b".hwdb");
    let is_there = |folder: &str| process.lookup(&[&root, folder.as_bytes()].concat()).is_ok();
    if let Some(folder) = NEWER.iter().find(|folder| is_there(folder)) {
        return Err(process.not_modelled(format!("the folder {folder}")));
    }
    if files.is_empty() {
        return Err(process.not_modelled("no file at all"));
    }
    let version = version(process)?;
    let mut hwdb = Hwdb::default();
    let mut complaints = Vec::new();
    for path in files.values() {
        let Ok(text) = process.read_file(path) else { continue };
        for warning in hwdb.add(path, &text) {
            complaints.push(format!("{}:{}: {}\n", show(path), warning.line, warning.what));
        }
    }
    process.write(2, complaints.concat().as_bytes())?;
    let folder: &[u8] = if arguments.has("usr") { b"/usr/lib/udev" } else { b"/etc/udev" };
    write(process, &root, folder, b"hwdb.bin", 0o444, hwdb.database(version))?;
    Ok(Status(u8::from(arguments.has("strict") && !complaints.is_empty())))
}

/// Files that end in `suffix`, by name: the paths that they have once links of folders are followed.
pub(super) fn config_files(
    process: &Process<'_>,
    root: &[u8],
    folders: &[&str],
    suffix: &[u8],
) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let mut files = BTreeMap::new();
    for folder in folders {
        let folder = [root, folder.as_bytes()].concat();
        let Ok((id, real)) = process.machine.tree.resolve(&process.absolute(&folder)) else { continue };
        for name in process.inode(id).entries().into_iter().flat_map(|entries| entries.keys()) {
            if name.as_bytes().ends_with(suffix) {
                let path = real.join(name).as_bytes().to_vec();
                files.entry(name.as_bytes().to_vec()).or_insert(path);
            }
        }
    }
    files
}

/// Writes a database in place of the one that may be there.
pub(super) fn write(
    process: &mut Process<'_>,
    root: &[u8],
    folder: &[u8],
    name: &[u8],
    mode: u16,
    bytes: Vec<u8>,
) -> Result<(), Fatal> {
    let folder = process.absolute(&[root, folder].concat());
    let path = [folder.as_slice(), b"/", name].concat();
    let stat = process.new_stat(0o777);
    let failed = |process: &Process<'_>, error: crate::tree::PathError| process.not_modelled(error.to_string());
    process.machine.tree.create_dir_all(&folder, &stat).map_err(|error| failed(process, error))?;
    let _ = process.machine.tree.unlink(&path);
    let id = process.create(&path, mode, Node::Regular(bytes.into())).map_err(|error| failed(process, error))?;
    // The program sets the mode itself, whatever the umask.
    process.machine.tree.stat_mut(id).mode = mode;
    Ok(())
}

/// systemd's version, which its private library is named after.
fn version(process: &Process<'_>) -> Result<u64, Fatal> {
    let tree = &process.machine.tree;
    let folders = tree.find(b"/usr/lib").and_then(|lib| lib.entries()).into_iter().flat_map(|entries| entries.keys());
    let folders = folders.map(|name| [b"/usr/lib/", name.as_bytes(), b"/systemd"].concat());
    let number = |name: &[u8]| {
        let digits = name.strip_prefix(b"libsystemd-shared-")?.strip_suffix(b".so")?;
        let digits = digits.split(|byte| !byte.is_ascii_digit()).next()?;
        std::str::from_utf8(digits).ok()?.parse().ok()
    };
    let found = [b"/usr/lib/systemd".to_vec()].into_iter().chain(folders).find_map(|folder| {
        let entries = tree.find(&folder)?.entries()?;
        entries.keys().find_map(|name| number(name.as_bytes()))
    });
    match found {
        Some(version) if VERSIONS.contains(&version) => Ok(version),
        Some(version) => Err(process.not_modelled(format!("the form of systemd {version}"))),
        None => Err(process.not_modelled("a systemd whose version is not known")),
    }
}
