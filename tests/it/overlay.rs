//! Overlay steps: one row for each kind of operation that images need, in `tests/it/overlay/kinds.txt`, and rows that fail.
//!
//! ```text
//! ### TITLE
//! given PATH MODE UID:GID TEXT     a file of the target before; a folder when PATH ends in `/`
//! given PATH -> TARGET             a symbolic link; `\s` in a path is a blank
//! beside NAME TEXT                 a file beside overlay.toml; TEXT has `\n` for line breaks
//! [[step]] ...                     overlay.toml
//! RUN LINES                        what a Dockerfile would say, here run as a `script` step: it must do the same
//! REAL LINES                       the same, and the real programs in a chroot must do so too
//! ---
//! what differs afterwards, or `error` and `hint`
//! ```
//! `ICOS_RECORD=1` writes what steps do into the file; what the other two do is never written.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use icos::{
    digest::{Sha256, Sha512},
    epoch::Epoch,
    overlay::{self, Source},
    shell::{Limits, Machine},
    tree::{Node, Stat, Timestamp, Tree},
};

use crate::support::deb;

mod chroot;
mod ids;
mod run_lines;

/// Path to `KIND MODE UID:GID DETAIL`.
type Listing = BTreeMap<String, String>;

#[derive(Debug, Default)]
struct Row {
    title: String,
    /// The lines before `---`, as they stand.
    head: String,
    given: Vec<(String, String)>,
    beside: Vec<(String, Vec<u8>)>,
    steps: String,
    run: Option<String>,
    is_judged: bool,
    expect: String,
}

fn unescape(text: &str) -> Vec<u8> {
    text.replace("\\n", "\n").into_bytes()
}

impl Row {
    fn parse(text: &str) -> Self {
        let (title, body) = text.split_once('\n').expect("a title");
        let (head, expect) = body.split_once("---\n").expect("a row has `---`");
        let mut row = Self {
            title: title.to_owned(),
            head: head.to_owned(),
            expect: expect.trim_end().to_owned(),
            ..Self::default()
        };
        for line in head.lines() {
            let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
            match (word, &mut row.run) {
                (_, Some(run)) => *run += &format!("{line}\n"),
                ("given", None) => {
                    let (path, what) = rest.split_once(' ').expect("a path and what it is");
                    row.given.push((path.replace("\\s", " "), what.to_owned()));
                }
                ("beside", None) => {
                    let (name, text) = rest.split_once(' ').unwrap_or((rest, ""));
                    row.beside.push((name.to_owned(), unescape(text)));
                }
                ("RUN" | "REAL", None) => {
                    row.is_judged = word == "REAL";
                    row.run = Some(format!("{rest}\n"));
                }
                _ => row.steps += &format!("{line}\n"),
            }
        }
        row
    }

    fn tree(&self) -> Tree {
        let folder = || Stat::root(0o755, Timestamp::default());
        let mut tree = Tree::new(folder());
        for path in ["/usr/bin", "/usr/sbin", "/etc", "/var/lib", "/run", "/tmp", "/root"] {
            tree.create_dir_all(path.as_bytes(), &folder()).expect("made");
        }
        for name in ["bin", "sbin"] {
            let node = Node::Symlink(format!("usr/{name}").into_bytes().into());
            tree.create(format!("/{name}").as_bytes(), Stat::root(0o777, Timestamp::default()), node).expect("made");
        }
        for (path, what) in &self.given {
            let parent = &path[..path.trim_end_matches('/').rfind('/').expect("an absolute path")];
            tree.create_dir_all(parent.as_bytes(), &folder()).expect("made");
            if let Some(target) = what.strip_prefix("-> ") {
                let node = Node::Symlink(target.as_bytes().to_vec().into());
                tree.create(path.as_bytes(), Stat::root(0o777, Timestamp::default()), node).expect("made");
                continue;
            }
            let (stat, text) = stat(what);
            if let Some(path) = path.strip_suffix('/') {
                let id = tree.create_dir_all(path.as_bytes(), &stat).expect("made");
                *tree.stat_mut(id) = stat;
            } else {
                tree.create(path.as_bytes(), stat, Node::Regular(unescape(text).into())).expect("made");
            }
        }
        for name in icos::shell::commands::names() {
            let node = Node::Regular(b"\x7fELF".to_vec().into());
            // A row may have brought its own.
            let path = format!("/usr/{}/{name}", if name.contains("add") { "sbin" } else { "bin" });
            let _ = tree.create(path.as_bytes(), Stat::root(0o755, Timestamp::default()), node);
        }
        tree
    }
}

/// `MODE UID:GID REST`.
fn stat(text: &str) -> (Stat, &str) {
    let mut parts = text.splitn(3, ' ');
    let mode = u16::from_str_radix(parts.next().expect("a mode"), 8).expect("octal");
    let (uid, gid) = parts.next().and_then(|owner| owner.split_once(':')).expect("an owner");
    let mut stat = Stat::root(mode, Timestamp::default());
    (stat.uid, stat.gid) = (uid.parse().expect("a uid"), gid.parse().expect("a gid"));
    (stat, parts.next().unwrap_or_default())
}

fn machine(tree: Tree) -> Machine {
    let limits = Limits { steps: 1 << 20, depth: 100, bytes: 1 << 26, ..Limits::SCRIPT };
    Machine::new(tree, Epoch::from_variable(None).expect("valid"), "amd64", limits)
}

fn detail(kind: &str, stat: &Stat, content: &[u8]) -> String {
    let text = String::from_utf8_lossy(content).replace('\n', "\\n");
    format!("{kind} {:04o} {}:{} {text}", stat.mode, stat.uid, stat.gid).trim_end().to_owned()
}

fn listing(tree: &Tree) -> Listing {
    let entries = tree.walk().map(|visit| {
        let inode = tree.get(visit.id);
        let text = match &inode.node {
            Node::Directory(_) => detail("folder", &inode.stat, b""),
            Node::Symlink(target) => format!("-> {}", String::from_utf8_lossy(target)),
            _ => detail("file", &inode.stat, &tree.read(visit.path.as_bytes()).unwrap_or_default()),
        };
        (String::from_utf8_lossy(visit.path.as_bytes()).into_owned(), text)
    });
    entries.collect()
}

/// What the second listing has otherwise.
fn changes(before: &Listing, after: &Listing) -> String {
    let paths: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let changed = paths.into_iter().filter(|path| before.get(*path) != after.get(*path));
    let line = |path: &String| format!("{path} {}", after.get(path).map_or("gone", String::as_str));
    changed.map(line).collect::<Vec<_>>().join("\n")
}

/// What projects publish: one folder with programs and texts in it, compressed.
fn tarball() -> Vec<u8> {
    let stat = |mode| Stat { uid: 1000, gid: 1000, ..Stat::root(mode, Timestamp::default()) };
    let mut tree = Tree::new(stat(0o755));
    tree.create_dir_all(b"/node_exporter-1.3.1/doc", &stat(0o700)).expect("made");
    for (path, mode) in [("node_exporter", 0o755), ("LICENSE", 0o644), ("doc/a", 0o640)] {
        let node = Node::Regular(path.as_bytes().to_vec().into());
        tree.create(format!("/node_exporter-1.3.1/{path}").as_bytes(), stat(mode), node).expect("made");
    }
    let content = icos::tar::archive(&tree).expect("an archive");
    deb::gzip(&content.bytes(1 << 20).expect("small"))
}

struct Beside(tempfile::TempDir);

impl Beside {
    fn new(files: &[(String, Vec<u8>)], steps: &str) -> Self {
        let folder = tempfile::tempdir().expect("a scratch folder");
        let mut steps = steps.to_owned();
        for (name, bytes) in files {
            let bytes = if bytes == b"TARBALL" { tarball() } else { bytes.clone() };
            steps = steps.replace(&format!("@sha256:{name}@"), &Sha256::of(&bytes).to_string());
            steps = steps.replace(&format!("@sha512:{name}@"), &Sha512::of(&bytes).to_string());
            let path = folder.path().join(name);
            fs_err::create_dir_all(path.parent().expect("a folder")).expect("made");
            fs_err::write(path, bytes).expect("written");
        }
        fs_err::write(folder.path().join("overlay.toml"), steps).expect("written");
        Self(folder)
    }

    fn apply(&self, machine: &mut Machine) -> Result<(), overlay::OverlayError> {
        let variants = ["dev", "prod"].map(str::to_owned).into();
        let stored = |_: &icos::digest::Sha256| -> Option<PathBuf> { None };
        let source = Source { folder: self.0.path(), variant: "dev", variants: &variants, stored: &stored };
        overlay::apply(machine, &overlay::load("o", &source)?)
    }
}

/// What a row's steps do.
fn outcome(tree: Tree, files: &[(String, Vec<u8>)], steps: &str) -> String {
    let before = listing(&tree);
    let mut machine = machine(tree);
    let beside = Beside::new(files, steps);
    match beside.apply(&mut machine) {
        Ok(()) => changes(&before, &listing(&machine.tree)),
        Err(error) => {
            let text = error.to_string().replace(&format!("{}/", beside.0.path().display()), "");
            let hint = error.hint().map(|hint| format!("\nhint {hint}"));
            format!("error {text}{}", hint.unwrap_or_default())
        }
    }
}

fn script(run: &str) -> String {
    format!("[[step]]\nscript = {{ text = '''\n{run}''' }}\n")
}

/// Every row of a file, held against what it says.
fn check(name: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/it/overlay/{name}.txt"));
    let text = fs_err::read_to_string(&path).expect("a table");
    let mut sections = text.split("### ");
    let mut written = sections.next().unwrap_or_default().to_owned();
    #[expect(clippy::disallowed_methods, reason = "recording is asked for by a variable")]
    let records = std::env::var_os("ICOS_RECORD").is_some();
    let mut faults = Vec::new();
    for row in sections.map(Row::parse) {
        let got = outcome(row.tree(), &row.beside, &row.steps);
        written += &format!("### {}\n{}---\n{got}\n\n", row.title, row.head);
        if !records && got != row.expect {
            faults.push(format!("{}: the steps did\n{got}\nnot\n{}", row.title, row.expect));
        }
        let Some(run) = &row.run else { continue };
        let ran = outcome(row.tree(), &[], &script(run));
        if ran != got {
            faults.push(format!("{}: RUN did\n{ran}\nthe steps\n{got}", row.title));
        }
        if row.is_judged
            && let Some(real) = chroot::outcome(&row.given, run)
            && real != got
        {
            faults.push(format!("{}: the real programs did\n{real}\nthe steps\n{got}", row.title));
        }
    }
    if records {
        fs_err::write(&path, written.trim_end().to_owned() + "\n").expect("written");
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n\n"));
}

#[test]
fn every_kind_of_step() {
    check("kinds");
}

#[test]
fn steps_that_fail() {
    check("errors");
}

/// Reading a named pipe would wait for ever.
#[test]
fn a_source_is_a_file() {
    let beside = Beside::new(&[], "[[step]]\ncopy = { from = \"pipe\", to = \"/x\" }\n");
    let pipe = beside.0.path().join("pipe");
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, 0o644.into(), 0).expect("made");
    let error = beside.apply(&mut machine(Tree::new(Stat::root(0o755, Timestamp::default())))).expect_err("refused");
    let expect = format!("{}: only files, folders and symbolic links can be copied", pipe.display());
    assert!(error.to_string().ends_with(&expect), "{error}");
}

/// A link beside the overlay may lead to any file of the machine that builds.
#[test]
fn sources_are_not_reached_by_links() {
    let tree = || Tree::new(Stat::root(0o755, Timestamp::default()));
    for (steps, at) in [
        ("[[step]]\ncopy = { from = \"link\", to = \"/x\" }\n", "link"),
        ("[[step]]\ncopy = { from = \"up/passwd\", to = \"/x\" }\n", "up"),
        ("[[step]]\ntemplate = { from = \"link\", to = \"/x\", values = {} }\n", "link"),
    ] {
        let beside = Beside::new(&[], steps);
        std::os::unix::fs::symlink("/etc/passwd", beside.0.path().join("link")).expect("made");
        std::os::unix::fs::symlink("/etc", beside.0.path().join("up")).expect("made");
        let error = beside.apply(&mut machine(tree())).expect_err("refused").to_string();
        let link = beside.0.path().join(at);
        assert!(
            error.ends_with(&format!("{} is a symbolic link, which may lead away from the overlay", link.display())),
            "{error}"
        );
    }
}
