//! One script given to a real shell in a scratch folder and to icos on an equal tree.

use std::{
    fmt::Write as _,
    os::unix::{fs::PermissionsExt, process::ExitStatusExt},
    path::Path,
    process::Stdio,
};

use icos::{
    epoch::Epoch,
    shell::{Call, Environment, Limits, Machine, run_script},
    tree::{Node, Stat, Timestamp, Tree},
};

/// What a script has done.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) status: i32,
    pub(super) output: String,
    pub(super) errors: String,
    /// A line for each file below the scratch folder: path, type, mode, contents.
    pub(super) files: String,
}

const PATH: &str = "/usr/bin:/bin";
/// Programs that snippets may call; icos has to have them built in.
const PROGRAMS: [&str; 13] =
    ["bash", "cat", "chmod", "cp", "dash", "env", "ln", "mkdir", "mv", "rm", "sh", "touch", "tr"];

const LIMITS: Limits = Limits { steps: 1_000_000, depth: 1000, bytes: 1 << 22, ..Limits::SCRIPT };

fn script(folder: &str, text: &[u8]) -> Vec<u8> {
    [format!("cd {folder}\n").as_bytes(), text].concat()
}

/// Runs a script with a real shell in `folder`, which is empty.
pub(super) fn real(mut shell: std::process::Command, folder: &Path, text: &[u8]) -> Seen {
    let name = folder.display().to_string();
    let path = folder.with_extension("sh");
    fs_err::write(&path, script(&name, text)).expect("a writable folder");
    let output = shell
        .env_clear()
        .env("PATH", PATH)
        .env("HOME", "/home/user")
        .current_dir("/")
        .arg(&path)
        .args(["one", "two words", ""])
        .stdin(Stdio::null())
        .output()
        .expect("the shell starts");
    let mut files = String::new();
    list(folder, folder, &mut files);
    let show = |bytes: &[u8]| bytes.escape_ascii().to_string().replace("\\n", "\n");
    Seen {
        // As a shell sees the end by a signal.
        status: output.status.code().or(output.status.signal().map(|signal| 128 + signal)).unwrap_or(-1),
        output: show(&output.stdout),
        errors: show(&output.stderr),
        files,
    }
}

fn list(top: &Path, folder: &Path, files: &mut String) {
    let mut entries: Vec<_> =
        fs_err::read_dir(folder).expect("readable").map(|e| e.expect("an entry").path()).collect();
    entries.sort();
    for path in entries {
        let metadata = fs_err::symlink_metadata(&path).expect("there");
        let shown = path.strip_prefix(top).expect("below the top").as_os_str().as_encoded_bytes();
        let shown = shown.escape_ascii();
        let mode = metadata.permissions().mode() & 0o7777;
        if metadata.is_dir() {
            let _ = writeln!(files, "{shown} directory {mode:04o}");
            list(top, &path, files);
        } else if metadata.is_symlink() {
            let _ = writeln!(files, "{shown} link {}", fs_err::read_link(&path).expect("a link").display());
        } else {
            let content = fs_err::read(&path).expect("readable");
            let _ = writeln!(files, "{shown} file {mode:04o} {}", content.escape_ascii());
        }
    }
}

/// Runs a script with icos, on a tree that has the same empty folder.
pub(super) fn icos(shell: &str, folder: &Path, text: &[u8]) -> Seen {
    let stat = |mode| Stat::root(mode, Timestamp::default());
    let mut tree = Tree::new(stat(0o755));
    let name = folder.display().to_string();
    tree.create_dir_all(name.as_bytes(), &stat(0o755)).expect("made");
    tree.create_dir_all(b"/usr/bin", &stat(0o755)).expect("made");
    tree.create(b"/bin", stat(0o777), Node::Symlink("usr/bin".into())).expect("made");
    for program in PROGRAMS {
        let path = format!("/usr/bin/{program}");
        tree.write(path.as_bytes(), b"\x7fELF".to_vec(), stat(0o755)).expect("made");
    }
    let path = folder.with_extension("sh").display().to_string();
    tree.write(path.as_bytes(), script(&name, text), stat(0o644)).expect("made");
    let epoch = Epoch::from_variable(None).expect("an epoch");
    let mut machine = Machine::new(tree, epoch, "amd64", LIMITS);
    let environment: Environment =
        [("PATH", PATH), ("HOME", "/home/user")].into_iter().map(|(n, v)| (n.into(), v.into())).collect();
    let arguments: Vec<Vec<u8>> =
        [path.as_str(), "one", "two words", ""].iter().map(|argument| argument.as_bytes().to_vec()).collect();
    let call =
        Call { path: shell.as_bytes(), arguments: &arguments, environment: &environment, input: b"", together: false };
    let show = |bytes: &[u8]| bytes.escape_ascii().to_string().replace("\\n", "\n");
    match run_script(&mut machine, &call) {
        Ok(outcome) => Seen {
            status: i32::from(outcome.status.0),
            output: show(&outcome.output),
            errors: show(&outcome.errors),
            files: tree_files(&machine.tree, &name),
        },
        Err(error) => Seen { status: -2, output: error.to_string(), errors: String::new(), files: String::new() },
    }
}

fn tree_files(tree: &Tree, folder: &str) -> String {
    let (id, path) = tree.resolve(folder.as_bytes()).expect("the scratch folder");
    let mut files = String::new();
    for visit in tree.walk_from(path, id).skip(1) {
        let inode = tree.get(visit.id);
        let shown = visit.path.to_string();
        let shown = &shown[folder.len() + 1..];
        let mode = inode.stat.mode;
        let _ = match &inode.node {
            Node::Directory(_) => writeln!(files, "{shown} directory {mode:04o}"),
            Node::Symlink(target) => writeln!(files, "{shown} link {}", target.escape_ascii()),
            Node::Regular(content) => {
                let bytes = content.bytes(1 << 24).expect("a small file");
                writeln!(files, "{shown} file {mode:04o} {}", bytes.escape_ascii())
            }
            other => writeln!(files, "{shown} {other:?}"),
        };
    }
    files
}
