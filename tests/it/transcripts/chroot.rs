//! Transcripts recorded: the real tools in a chroot whose `/usr` is a real system's.

use std::{
    os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink},
    path::Path,
    process::{Command, Stdio},
};

use super::{
    EPOCH, PATH,
    script::{Entry, Listing, Outcome, Script, is_dropped},
};

#[expect(clippy::disallowed_methods, reason = "judges are processes")]
fn command(program: &str) -> Command {
    Command::new(program)
}

pub fn run(script: &Script, system: &Path) -> Vec<Outcome> {
    let scratch = tempfile::tempdir_in(system.parent().expect("not the root")).expect("a scratch folder");
    let root = scratch.path();
    fs_err::set_permissions(root, std::fs::Permissions::from_mode(0o755)).expect("permissions");
    // Hard links: copying a system's /usr takes minutes.
    let copied = command("cp").arg("-al").arg(system.join("usr")).arg(root).status().expect("cp starts");
    assert!(copied.success());
    for path in ["etc", "var/lib", "var/log", "run", "tmp", "root", "dev", "proc"] {
        fs_err::create_dir_all(root.join(path)).expect("made");
    }
    for name in ["bin", "sbin", "lib", "lib64"] {
        symlink(format!("usr/{name}"), root.join(name)).expect("made");
    }
    let made = command("mknod").args(["-m", "666"]).arg(root.join("dev/null")).args(["c", "1", "3"]).status();
    assert!(made.expect("mknod starts").success());
    let proc = root.join("proc");
    assert!(command("mount").args(["-t", "proc", "proc"]).arg(&proc).status().expect("mount starts").success());
    let outcomes = record(script, root);
    assert!(command("umount").arg(&proc).status().expect("umount starts").success());
    outcomes
}

fn record(script: &Script, root: &Path) -> Vec<Outcome> {
    for path in &script.empty {
        // It need not be there.
        let _ = fs_err::remove_dir_all(root.join(&path[1..]));
        fs_err::create_dir_all(root.join(&path[1..])).expect("made");
    }
    for (path, entry) in &script.given {
        // What the real system has stays, but for folders that were emptied.
        let real = path.starts_with("/usr/") && !script.empty.iter().any(|folder| path.starts_with(folder.as_str()));
        if !real || fs_err::symlink_metadata(root.join(&path[1..])).is_err() {
            give(root, path, entry);
        }
    }
    script
        .steps
        .iter()
        .map(|step| {
            let before = listing(root);
            let mut child = command("chroot")
                .arg(root)
                .args(&step.argv)
                .env_clear()
                .env("PATH", PATH)
                .env("LC_ALL", "C.UTF-8")
                .env("SOURCE_DATE_EPOCH", EPOCH.to_string())
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .expect("chroot starts");
            // A tool that doesn't read its input may have gone already.
            let _ = std::io::Write::write_all(&mut child.stdin.take().expect("piped"), &step.input);
            let output = child.wait_with_output().expect("it ends");
            Outcome {
                status: output.status.code().unwrap_or(-1),
                output: output.stdout,
                errors: output.stderr,
                before,
                after: listing(root),
            }
        })
        .collect()
}

fn give(root: &Path, path: &str, entry: &Entry) {
    let real = root.join(&path[1..]);
    fs_err::create_dir_all(real.parent().expect("a parent")).expect("made");
    if entry.kind == "link" {
        symlink(entry.detail.strip_prefix("-> ").expect("a target"), &real).expect("made");
        return;
    }
    let (mode, owner) = entry.detail.split_once(' ').expect("mode and owner");
    let (uid, gid) = owner.split_once(':').expect("uid and gid");
    match entry.kind {
        "folder" => fs_err::create_dir_all(&real).expect("made"),
        _ => {
            // Not into the hard link of the real system's file.
            let _ = fs_err::remove_file(&real);
            fs_err::write(&real, &entry.content).expect("written");
        }
    }
    chown(&real, Some(uid.parse().expect("a uid")), Some(gid.parse().expect("a gid"))).expect("root");
    let mode = u32::from_str_radix(mode, 8).expect("octal");
    fs_err::set_permissions(&real, std::fs::Permissions::from_mode(mode)).expect("permissions");
}

fn listing(root: &Path) -> Listing {
    let mut listing = Listing::new();
    let mut todo = vec![root.to_path_buf()];
    while let Some(folder) = todo.pop() {
        for entry in fs_err::read_dir(&folder).expect("a folder") {
            let real = entry.expect("an entry").path();
            let path = format!("/{}", real.strip_prefix(root).expect("inside").display());
            if is_dropped(&path) || path == "/usr" || path == "/proc" {
                continue;
            }
            let data = fs_err::symlink_metadata(&real).expect("there");
            let detail = format!("{:04o} {}:{}", data.mode() & 0o7777, data.uid(), data.gid());
            let entry = if data.is_symlink() {
                let target = fs_err::read_link(&real).expect("a link");
                Entry { kind: "link", detail: format!("-> {}", target.display()), content: Vec::new() }
            } else if data.is_dir() {
                todo.push(real);
                Entry { kind: "folder", detail, content: Vec::new() }
            } else {
                // A FIFO would wait for a writer.
                let content = if data.is_file() { fs_err::read(&real).expect("readable") } else { Vec::new() };
                Entry { kind: "file", detail, content }
            };
            listing.insert(path, entry);
        }
    }
    listing
}
