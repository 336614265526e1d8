//! What real programs do to the same tree: a chroot with this machine's shell and file utilities. Root's alone.

use std::{
    os::unix::fs::{MetadataExt, PermissionsExt, symlink},
    path::Path,
    sync::OnceLock,
};

use icos::tree::{Stat, Timestamp};

use super::{Listing, changes, detail, stat, unescape};
use crate::support::judge::{judge, run};

const PROGRAMS: &[&str] = &[
    "sh", "cat", "chgrp", "chmod", "chown", "cp", "find", "grep", "ln", "ls", "mkdir", "mv", "rm", "sed", "touch",
    "tr", "truncate",
];

/// A folder with the programs and the libraries that they need.
#[expect(clippy::print_stderr, reason = "a skip must be seen")]
fn programs() -> Option<&'static Path> {
    static PROGRAMS_FOLDER: OnceLock<Option<tempfile::TempDir>> = OnceLock::new();
    let made = PROGRAMS_FOLDER.get_or_init(|| {
        if !rustix::process::geteuid().is_root() {
            eprintln!("skipped: only root can change its root");
            return None;
        }
        judge("chroot")?;
        let folder = tempfile::tempdir().expect("a scratch folder");
        for program in PROGRAMS {
            let path = judge(program)?.get_program().to_owned();
            let path = fs_err::canonicalize(path).expect("there");
            copy(&path, &folder.path().join("usr/bin").join(program));
            let (_, libraries, _) = run(judge("ldd")?.arg(&path));
            for library in libraries.split_whitespace().filter(|word| word.starts_with('/')) {
                copy(&fs_err::canonicalize(library).expect("there"), &folder.path().join(&library[1..]));
            }
        }
        Some(folder)
    });
    made.as_ref().map(tempfile::TempDir::path)
}

fn copy(from: &Path, to: &Path) {
    fs_err::create_dir_all(to.parent().expect("a folder")).expect("made");
    fs_err::copy(from, to).expect("copied");
}

/// What a script changes, or nothing where it can't be run. The programs themselves lie where no row looks.
pub fn outcome(given: &[(String, String)], script: &str) -> Option<String> {
    let programs = programs()?;
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let root = scratch.path();
    let (code, _, errors) = run(judge("cp")?.args(["-a", "--"]).arg(programs.join("usr")).arg(root));
    assert_eq!(code, 0, "{errors}");
    for (link, folder) in [("bin", "usr/bin"), ("sbin", "usr/sbin")] {
        symlink(folder, root.join(link)).expect("made");
    }
    for folder in ["lib", "lib64"] {
        if programs.join(folder).is_dir() {
            let (code, _, errors) = run(judge("cp")?.args(["-a", "--"]).arg(programs.join(folder)).arg(root));
            assert_eq!(code, 0, "{errors}");
        }
    }
    for folder in ["usr/sbin", "etc", "var/lib", "run", "tmp", "root"] {
        fs_err::create_dir_all(root.join(folder)).expect("made");
    }
    let mode = |path: &Path, mode| fs_err::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("set");
    for (path, what) in given {
        let file = root.join(&path[1..]);
        fs_err::create_dir_all(file.parent().expect("a folder")).expect("made");
        if let Some(target) = what.strip_prefix("-> ") {
            symlink(target, &file).expect("made");
            continue;
        }
        let (stat, text) = stat(what);
        if path.ends_with('/') {
            fs_err::create_dir_all(&file).expect("made");
        } else {
            fs_err::write(&file, unescape(text)).expect("written");
        }
        std::os::unix::fs::chown(&file, Some(stat.uid), Some(stat.gid)).expect("given away");
        mode(&file, stat.mode.into());
    }
    let before = listing(root);
    let mut chroot = judge("chroot")?;
    chroot.env_clear().env("LC_ALL", "C.UTF-8").env("PATH", "/usr/bin:/usr/sbin").arg(root);
    let (code, _, errors) = run(chroot.args(["sh", "-e", "-c", script]));
    if code != 0 {
        return Some(format!("status {code}\n{errors}"));
    }
    Some(changes(&before, &listing(root)))
}

fn listing(root: &Path) -> Listing {
    let mut listing = Listing::new();
    let mut todo = vec![root.to_path_buf()];
    while let Some(path) = todo.pop() {
        let relative = path.strip_prefix(root).expect("below").display().to_string();
        let metadata = fs_err::symlink_metadata(&path).expect("there");
        let mut stat = Stat::root((metadata.mode() & 0o7777) as u16, Timestamp::default());
        (stat.uid, stat.gid) = (metadata.uid(), metadata.gid());
        let text = if metadata.is_symlink() {
            format!("-> {}", fs_err::read_link(&path).expect("a link").display())
        } else if metadata.is_dir() {
            todo.extend(fs_err::read_dir(&path).expect("a folder").map(|entry| entry.expect("there").path()));
            detail("folder", &stat, b"")
        } else {
            detail("file", &stat, &fs_err::read(&path).expect("readable"))
        };
        listing.insert(format!("/{relative}"), text);
    }
    listing
}
