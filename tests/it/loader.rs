//! The loader's tools against the real ones: `ldd`, the target's own script, and what it calls.
//!
//! Usually on this machine's own programs; `ICOS_ROOT=FOLDER` says another system's (as root, for its ldd runs in a chroot).

use std::{
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
    process::Command,
};

use icos::{
    epoch::Epoch,
    shell::{Call, Limits, Machine, run_script},
    tree::{Node, Tree},
};

use crate::support::{judge::judge, real};

mod hostile;
#[cfg(target_arch = "x86_64")]
mod ldconfig;
#[cfg(target_arch = "x86_64")]
mod search;

#[expect(clippy::disallowed_methods, reason = "another system is asked for by a variable")]
fn root() -> PathBuf {
    std::env::var_os("ICOS_ROOT").map_or_else(|| PathBuf::from("/"), PathBuf::from)
}

/// The real program of a system, in a chroot when it is not this machine's.
fn command(root: &Path, program: &str) -> Option<Command> {
    if root == Path::new("/") {
        return judge(program);
    }
    let mut command = judge("chroot")?;
    command.arg(root).arg(program);
    Some(command)
}

fn machine(tree: Tree) -> Machine {
    let limits = Limits { steps: 1 << 20, depth: 100, bytes: 1 << 26, ..Limits::SCRIPT };
    let architecture = if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" };
    Machine::new(tree, Epoch::from_variable(None).expect("valid"), architecture, limits)
}

/// Status, output and messages, addresses aside.
fn ours(machine: &mut Machine, line: &[&str]) -> (i32, String, String) {
    let arguments: Vec<Vec<u8>> = line[1..].iter().map(|word| word.as_bytes().to_vec()).collect();
    let environment = [(b"PATH".to_vec(), b"/usr/sbin:/usr/bin:/sbin:/bin".to_vec())].into_iter().collect();
    let path = line[0].as_bytes();
    match run_script(
        machine,
        &Call { path, arguments: &arguments, environment: &environment, input: b"", together: false },
    ) {
        Ok(outcome) => (
            outcome.status.0.into(),
            without_addresses(&String::from_utf8_lossy(&outcome.output)),
            String::from_utf8_lossy(&outcome.errors).into_owned(),
        ),
        Err(error) => (-2, String::new(), error.to_string()),
    }
}

fn without_addresses(text: &str) -> String {
    let line = |line: &str| line.split(" (0x").next().unwrap_or_default().to_owned() + "\n";
    text.lines().map(line).collect()
}

/// The programs and libraries of a folder.
fn elf_files(tree: &Tree, folder: &str) -> Vec<String> {
    let entries = tree.find(folder.as_bytes()).and_then(|inode| inode.entries());
    let path = |name: &[u8]| format!("{folder}/{}", std::ffi::OsStr::from_bytes(name).to_string_lossy());
    let paths = entries.into_iter().flatten().map(|(name, _)| path(name.as_bytes()));
    let is_elf = |path: &String| match tree.find(path.as_bytes()).map(|inode| &inode.node) {
        Some(Node::Regular(content)) => content.bytes(1 << 30).is_some_and(|bytes| bytes.starts_with(b"\x7fELF")),
        _ => false,
    };
    paths.filter(is_elf).collect()
}

#[test]
fn ldd_lists_what_the_real_one_lists() {
    let root = root();
    let tree = real::libraries(&root);
    let mut files: Vec<String> =
        ["/usr/bin", "/usr/sbin", "/usr/lib/systemd"].iter().flat_map(|folder| elf_files(&tree, folder)).collect();
    if root == Path::new("/") {
        // Enough for every run; the whole is for a named system.
        let step = files.len().div_ceil(60);
        files = files.into_iter().step_by(step.max(1)).collect();
    } else {
        files.extend(["/usr/lib/x86_64-linux-gnu", "/lib/udev"].iter().flat_map(|folder| elf_files(&tree, folder)));
    }
    files.extend(["/etc", "/nowhere", "/usr/bin/ldd"].map(str::to_owned));
    let mut machine = machine(tree);
    let mut faults = Vec::new();
    for file in &files {
        let Some(mut real) = command(&root, "ldd") else { return };
        let output = real.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").arg(file).current_dir("/").output();
        let output = output.expect("started");
        let theirs = (
            output.status.code().unwrap_or(-1),
            without_addresses(&String::from_utf8_lossy(&output.stdout)),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        );
        let ours = ours(&mut machine, &["/usr/bin/ldd", file]);
        if ours != theirs {
            faults.push(format!("{file}\n  real {theirs:?}\n  ours {ours:?}"));
        }
    }
    assert!(faults.is_empty(), "{} of {} differ:\n{}", faults.len(), files.len(), faults.join("\n"));
}
