//! systemd's compiled databases against the real programs: the same bytes from the same files.

use std::path::{Path, PathBuf};

use icos::{
    epoch::Epoch,
    shell::{Launch, Limits, Machine, OpenFile, exec},
    tree::{Node, Stat, Timestamp, Tree, TreePath},
};

use crate::support::{
    judge::{judge, run},
    tree::folder,
};

const HARDWARE: &str = "# a comment\n\nusb:v0001*\nusb:v0002p*  # another\n ID_A=1\n  \t ID_B=two words \n ID_A=3\n\n\
    usb:v0001p0001*\n ID_A=9\n ID_=\n ID_MODEL=a=b\n\nusb:*\n\n indented=1\nusb:v00\n ID_A=1\nnot indented\n ID_B=1\n\n\
    u\n ID_A=1\n\nusb:v0001*\n novalue\n =x\n  =y\n ID_Z=\n\nlast:*\n";
const MORE_HARDWARE: &str =
    "usb:v0001*\n ID_A=another file\n\nevdev:name:*\nevdev:atkbd:*\n KEYBOARD_KEY_1=a\n KEYBOARD_KEY_0=b";
const MESSAGES: &str = "# c\n-- 00000000000000000000000000000001\nSubject: One\n\n\nBody\n; c\nmore\n\n-- \
    0123456789ABCdef0123456789abcdef fr \nSubject: Deux\n\n-- not an id\nmore\n";

/// A folder as a root: made-up files, this machine's own, and a name that says systemd's version.
fn root() -> tempfile::TempDir {
    let root = tempfile::tempdir().expect("a scratch folder");
    let write = |path: &str, bytes: &[u8]| {
        let path = root.path().join(path);
        fs_err::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs_err::write(path, bytes).expect("written");
    };
    write("etc/udev/hwdb.d/10-a.hwdb", HARDWARE.as_bytes());
    write("etc/udev/hwdb.d/70-z.hwdb", MORE_HARDWARE.as_bytes());
    write("usr/lib/udev/hwdb.d/10-a.hwdb", b"hidden:*\n ID_A=1\n");
    write("usr/lib/udev/hwdb.d/empty.hwdb", b"");
    write("usr/lib/systemd/catalog/a.catalog", MESSAGES.as_bytes());
    write("usr/lib/systemd/catalog/a.de.catalog", MESSAGES.split("-- 0123").next().expect("a part").as_bytes());
    for (folder, ending) in [("usr/lib/udev/hwdb.d", "hwdb"), ("usr/lib/systemd/catalog", "catalog")] {
        for path in files(&Path::new("/").join(folder), ending) {
            let name = path.file_name().expect("a name").to_str().expect("UTF-8");
            write(&format!("{folder}/{name}"), &fs_err::read(&path).expect("readable"));
        }
    }
    for folder in ["/usr/lib/systemd", "/usr/lib/x86_64-linux-gnu/systemd", "/usr/lib/aarch64-linux-gnu/systemd"] {
        for path in files(Path::new(folder), "so") {
            write(&path.to_str().expect("UTF-8")[1..], b"");
        }
    }
    std::os::unix::fs::symlink("usr/lib", root.path().join("lib")).expect("made");
    root
}

fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs_err::read_dir(folder) else { return Vec::new() };
    let paths = entries.map(|entry| entry.expect("there").path());
    paths.filter(|path| path.extension().is_some_and(|e| e == ending) && path.is_file()).collect()
}

/// The folder at its own path in a tree, and systemd's library where the version is looked for.
fn tree(root: &Path) -> Tree {
    let stat = |mode| Stat::root(mode, Timestamp::default());
    let mut tree = folder(root);
    let visits: Vec<_> = tree.walk().filter(|visit| visit.path.as_bytes().ends_with(b".so")).collect();
    for visit in visits {
        let Node::Regular(content) = tree.get(visit.id).node.clone() else { continue };
        let whole = visit.path.to_string();
        let inside = whole.strip_prefix(root.to_str().expect("UTF-8")).expect("inside");
        let parent = inside.rsplit_once('/').expect("a folder").0;
        tree.create_dir_all(parent.as_bytes(), &stat(0o755)).expect("made");
        tree.create(inside.as_bytes(), stat(0o644), Node::Regular(content)).expect("made");
    }
    tree
}

fn check(program: &str, arguments: &[&str], database: &str) {
    let Some(mut theirs) = judge(program) else { return };
    let root = root();
    let option = format!("--root={}", root.path().display());
    let mut tree = tree(root.path());
    let stat = Stat::root(0o755, Timestamp::default());
    tree.create_dir_all(b"/usr/bin", &stat).expect("made");
    let path = format!("/usr/bin/{program}");
    tree.create(path.as_bytes(), stat, Node::Regular(b"\x7fELF".to_vec().into())).expect("made");
    let limits = Limits { steps: 1 << 20, depth: 100, bytes: 1 << 30, ..Limits::SCRIPT };
    let mut machine = Machine::new(tree, Epoch::from_variable(None).expect("0"), "amd64", limits);
    let words = [path.as_str(), option.as_str()].into_iter().chain(arguments.iter().copied());
    let launch = Launch {
        argv: words.map(|word| word.as_bytes().to_vec()).collect(),
        environment: Default::default(),
        folder: TreePath::root(),
        umask: 0o022,
        descriptors: [(0, OpenFile::null()), (1, OpenFile::null()), (2, OpenFile::null())].into(),
    };
    let status = exec::execute(&mut machine, launch).expect("all of it is modelled");
    let (code, _, errors) = run(theirs.arg(option).args(arguments));
    assert_eq!(i32::from(status.0), code, "{errors}");
    let real = fs_err::read(root.path().join(database)).expect("written");
    let made = machine.tree.read(root.path().join(database).to_str().expect("UTF-8").as_bytes()).expect("written");
    assert!(made == real, "{database}: {} bytes, {} of the real one", made.len(), real.len());
}

#[test]
fn hardware() {
    check("systemd-hwdb", &["update"], "etc/udev/hwdb.bin");
    check("systemd-hwdb", &["--usr", "update"], "usr/lib/udev/hwdb.bin");
}

#[test]
fn messages() {
    check("journalctl", &["--update-catalog"], "var/lib/systemd/catalog/database");
}
