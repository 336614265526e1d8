//! Runs a command line twice, by the real programs in a scratch folder and by ours in a tree, and compares everything.

use std::{
    io::Write,
    os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt},
    path::Path,
    process::Stdio,
};

use icos::{
    epoch::Epoch,
    shell::{Descriptors, Limits, Machine, OpenFile, Process, commands},
    tree::{Device, Name, Node, ROOT, Stat, Timestamp, Tree, TreePath},
};
use rayon::prelude::*;

use crate::support::judge;

/// When all files of a fixture were last changed.
const OLD: i64 = 1_000_000_000;

/// The build's time in our runs.
const NOW: i64 = 1_700_000_000;

/// Where the files are in our tree, and what the scratch folder is called in outputs.
const FOLDER: &str = "/t";

/// What a run left: standard output, status, whether there were messages, and the files.
#[derive(Debug, PartialEq)]
struct Outcome {
    output: String,
    status: u8,
    complains: bool,
    files: String,
}

/// Checks command lines against the real programs. A fixture has a line a file: `folder/`, `file TEXT`, `link -> TARGET`,
/// `name = OTHER` (a hard link), with a mode before it where it isn't the usual one; `TEXT` knows `\n`, `\t` and `\xNN`. The
/// file `stdin` is also standard input. Each case starts afresh; `;` separates several command lines of one.
pub fn check(fixture: &str, cases: &str) {
    compare(fixture, cases, fault);
}

/// The same for programs whose output has no certain order.
pub fn check_unordered(fixture: &str, cases: &str) {
    compare(fixture, cases, |fixture, line| {
        let sorted = |outcome: Outcome| {
            let mut lines: Vec<&str> = outcome.output.split_inclusive(['\n', '\0']).collect();
            lines.sort_unstable();
            Outcome { output: lines.concat(), ..outcome }
        };
        difference(line, ours(fixture, line).map(sorted), &sorted(theirs(fixture, line)))
    });
}

fn compare(fixture: &str, cases: &str, fault: impl Fn(&str, &str) -> Option<String> + Sync) {
    let lines = whole_lines(cases);
    let programs: Vec<String> = lines.iter().flat_map(|line| split(line)).map(|words| words[0].clone()).collect();
    if programs.iter().any(|program| judge::judge(program).is_none()) {
        return;
    }
    let faults: Vec<String> = lines.par_iter().filter_map(|line| fault(fixture, line)).collect();
    assert!(faults.is_empty(), "{} of {} differ\n{}", faults.len(), lines.len(), faults.join("\n"));
}

/// Whether a quote is still open at the end.
fn is_open(case: &str) -> bool {
    let mut quote = None;
    let mut rest = case.chars();
    while let Some(c) = rest.next() {
        match (quote, c) {
            (None, '\\') => {
                rest.next();
            }
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            _ => {}
        }
    }
    quote.is_some()
}

/// The cases; one goes on in the next line while a single quote is open.
fn whole_lines(cases: &str) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    let mut open = false;
    for line in cases.lines() {
        match all.last_mut().filter(|_| open) {
            Some(case) => {
                case.push('\n');
                case.push_str(line);
            }
            None if line.is_empty() => continue,
            None => all.push(line.to_owned()),
        }
        let case = all.last().map_or("", String::as_str);
        open = is_open(case);
    }
    all
}

fn fault(fixture: &str, line: &str) -> Option<String> {
    difference(line, ours(fixture, line), &theirs(fixture, line))
}

fn difference(line: &str, ours: Result<Outcome, String>, theirs: &Outcome) -> Option<String> {
    if ours.as_ref() == Ok(theirs) {
        return None;
    }
    let mut text = format!("--- {line}\n");
    match ours {
        Err(fatal) => text.push_str(&format!("fatal: {fatal}\n")),
        Ok(ours) => {
            for (what, ours, theirs) in [
                ("output", &ours.output, &theirs.output),
                ("status", &ours.status.to_string(), &theirs.status.to_string()),
                ("messages", &ours.complains.to_string(), &theirs.complains.to_string()),
            ] {
                if ours != theirs {
                    text.push_str(&format!("{what}\n ours   {ours:?}\n theirs {theirs:?}\n"));
                }
            }
            let (a, b): (Vec<_>, Vec<_>) = (ours.files.lines().collect(), theirs.files.lines().collect());
            a.iter().filter(|line| !b.contains(line)).for_each(|line| text.push_str(&format!(" ours   {line}\n")));
            b.iter().filter(|line| !a.contains(line)).for_each(|line| text.push_str(&format!(" theirs {line}\n")));
        }
    }
    Some(text)
}

/// A case as words: single and double quotes and backslashes as in a shell, `$'..'` with escapes, nothing else.
fn split(line: &str) -> Vec<Vec<String>> {
    let mut commands = vec![Vec::new()];
    let mut word: Option<String> = None;
    let mut rest = line.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            ' ' => commands.last_mut().expect("one at least").extend(word.take()),
            ';' if word.is_none() => commands.push(Vec::new()),
            '$' if rest.peek() == Some(&'\'') => {
                rest.next();
                let inner: String = rest.by_ref().take_while(|c| *c != '\'').collect();
                word.get_or_insert_default().push_str(&String::from_utf8(unescape(&inner)).expect("UTF-8"));
            }
            '\'' => word.get_or_insert_default().extend(rest.by_ref().take_while(|c| *c != '\'')),
            '"' => word.get_or_insert_default().extend(rest.by_ref().take_while(|c| *c != '"')),
            '\\' => word.get_or_insert_default().extend(rest.next()),
            c => word.get_or_insert_default().push(c),
        }
    }
    commands.last_mut().expect("one at least").extend(word);
    commands
}

fn unescape(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match (byte, byte == b'\\') {
            (_, true) => match rest.next() {
                Some(b'n') => out.push(b'\n'),
                Some(b't') => out.push(b'\t'),
                Some(b'x') => {
                    let digits: String = rest.by_ref().take(2).map(char::from).collect();
                    out.push(u8::from_str_radix(&digits, 16).expect("two hex digits"));
                }
                other => out.extend(other),
            },
            (byte, false) => out.push(byte),
        }
    }
    out
}

/// One file of a fixture.
struct Entry {
    path: String,
    mode: Option<u32>,
    kind: Kind,
}

enum Kind {
    Folder,
    File(Vec<u8>),
    Link(String),
    HardLink(String),
}

fn entries(fixture: &str) -> Vec<Entry> {
    let lines = fixture.lines().map(str::trim_start).filter(|line| !line.is_empty());
    lines
        .map(|line| {
            let (mode, rest) = match line.split_once(' ') {
                Some((mode, rest)) if mode.len() == 4 && mode.bytes().all(|b| b.is_ascii_digit()) => {
                    (u32::from_str_radix(mode, 8).ok(), rest)
                }
                _ => (None, line),
            };
            let (path, detail) = rest.split_once(' ').unwrap_or((rest, ""));
            let kind = match detail {
                "" if path.ends_with('/') => Kind::Folder,
                _ if detail.starts_with("-> ") => Kind::Link(detail[3..].to_owned()),
                _ if detail.starts_with("= ") => Kind::HardLink(detail[2..].to_owned()),
                text => Kind::File(unescape(text)),
            };
            Entry { path: path.trim_end_matches('/').to_owned(), mode, kind }
        })
        .collect()
}

fn theirs(fixture: &str, line: &str) -> Outcome {
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let root = fs_err::canonicalize(scratch.path()).expect("a real path").join("t");
    fs_err::create_dir(&root).expect("made");
    for entry in entries(fixture) {
        let path = root.join(&entry.path);
        let mode = match &entry.kind {
            Kind::Folder => {
                fs_err::create_dir(&path).expect("made");
                entry.mode.or(Some(0o755))
            }
            Kind::File(text) => {
                fs_err::write(&path, text).expect("written");
                entry.mode.or(Some(0o644))
            }
            Kind::Link(target) => {
                std::os::unix::fs::symlink(target, &path).expect("made");
                None
            }
            Kind::HardLink(other) => {
                fs_err::hard_link(root.join(other), &path).expect("made");
                None
            }
        };
        if let Some(mode) = mode {
            fs_err::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("set");
        }
        set_old(&path);
    }
    for entry in entries(fixture).iter().filter(|entry| matches!(entry.kind, Kind::Folder)) {
        set_old(&root.join(&entry.path));
    }
    let mut outcome = Outcome { output: String::new(), status: 0, complains: false, files: String::new() };
    for words in split(line) {
        let mut command = judge::judge("sh").expect("a shell");
        command.args(["-c", "umask 022; exec \"$@\"", "sh"]).args(&words).current_dir(&root);
        command.env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin");
        command.env("LC_ALL", "C.UTF-8").env("HOME", "/root").env("TZ", "UTC");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("started");
        let input = fs_err::read(root.join("stdin")).unwrap_or_default();
        let mut pipe = child.stdin.take().expect("a pipe");
        let feeder = std::thread::spawn(move || {
            // A program that reads nothing closes the pipe.
            let _ = pipe.write_all(&input);
        });
        let result = child.wait_with_output().expect("ended");
        feeder.join().expect("ended");
        outcome
            .output
            .push_str(&String::from_utf8_lossy(&result.stdout).replace(root.to_str().expect("UTF-8"), FOLDER));
        outcome.status = u8::try_from(result.status.code().unwrap_or(255)).expect("a status");
        outcome.complains |= !result.stderr.is_empty();
    }
    real_files(&root, &root, &mut outcome.files, &mut Vec::new());
    outcome
}

/// Sets the time of last change, of a link itself.
fn set_old(path: &Path) {
    let time = rustix::fs::Timespec { tv_sec: OLD, tv_nsec: 0 };
    let times = rustix::fs::Timestamps { last_access: time, last_modification: time };
    rustix::fs::utimensat(rustix::fs::CWD, path, &times, rustix::fs::AtFlags::SYMLINK_NOFOLLOW).expect("set");
}

/// Times of the run itself are `now`; those of directories, which change with their entries, are not shown.
fn when(seconds: i64, now: bool, folder: bool) -> String {
    if folder {
        "-".to_owned()
    } else if now {
        "now".to_owned()
    } else {
        seconds.to_string()
    }
}

fn real_files(root: &Path, folder: &Path, out: &mut String, seen: &mut Vec<(u64, String)>) {
    let mut paths: Vec<_> =
        fs_err::read_dir(folder).expect("readable").map(|entry| entry.expect("there").path()).collect();
    paths.sort();
    let (me, mine) = (rustix::process::getuid().as_raw(), rustix::process::getgid().as_raw());
    for path in paths {
        let stat = fs_err::symlink_metadata(&path).expect("there");
        let kind = stat.file_type();
        let detail = if kind.is_symlink() {
            fs_err::read_link(&path).expect("a link").display().to_string()
        } else if kind.is_file() {
            icos::digest::Sha256::of(&fs_err::read(&path).expect("readable")).to_string()
        } else if kind.is_char_device() || kind.is_block_device() {
            format!("{}:{}", rustix::fs::major(stat.rdev()), rustix::fs::minor(stat.rdev()))
        } else {
            String::new()
        };
        let name = path.strip_prefix(root).expect("inside").display().to_string();
        let first = seen.iter().find(|(inode, _)| *inode == stat.ino()).map(|(_, name)| name.clone());
        if stat.nlink() > 1 && !kind.is_dir() {
            seen.push((stat.ino(), name.clone()));
        }
        let letter = match () {
            () if kind.is_dir() => 'd',
            () if kind.is_symlink() => 'l',
            () if kind.is_file() => 'f',
            () if kind.is_fifo() => 'p',
            () if kind.is_char_device() => 'c',
            () if kind.is_block_device() => 'b',
            () => 's',
        };
        let (uid, gid) =
            (if stat.uid() == me { 0 } else { stat.uid() }, if stat.gid() == mine { 0 } else { stat.gid() });
        // Nothing in a case is dated after its fixture and before 2025 but by its own will.
        let time = when(stat.mtime(), stat.mtime() > 1_735_689_600, kind.is_dir());
        let mode = stat.mode() & 0o7777;
        out.push_str(&format!(
            "{name} {letter} {mode:04o} {uid}:{gid} {time} {detail} {}\n",
            first.unwrap_or_default()
        ));
        if kind.is_dir() {
            real_files(root, &path, out, seen);
        }
    }
}

fn stat(mode: u16, seconds: i64) -> Stat {
    Stat::root(mode, Timestamp::from_seconds(seconds))
}

/// A tree with the fixture, the accounts that every Debian has, and a program for each built-in command.
fn tree(fixture: &str) -> Tree {
    let mut tree = Tree::new(stat(0o755, OLD));
    for folder in ["/etc", "/usr/bin", "/tmp", FOLDER] {
        tree.create_dir_all(folder.as_bytes(), &stat(0o755, OLD)).expect("made");
    }
    let mut file = |path: &str, text: &str, mode| {
        tree.create(path.as_bytes(), stat(mode, OLD), Node::Regular(text.as_bytes().to_vec().into())).expect("made");
    };
    file("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1:d:/:/\nbin:x:2:2:b:/:/\n", 0o644);
    file("/etc/group", "root:x:0:\ndaemon:x:1:\nbin:x:2:\n", 0o644);
    tree.create(b"/bin", stat(0o777, OLD), Node::Symlink(b"usr/bin".to_vec().into())).expect("made");
    let mut file = |path: &str, text: &str, mode| {
        tree.create(path.as_bytes(), stat(mode, OLD), Node::Regular(text.as_bytes().to_vec().into())).expect("made");
    };
    commands::names().for_each(|name| file(&format!("/usr/bin/{name}"), "\x7fELF", 0o755));
    for entry in entries(fixture) {
        let path = format!("{FOLDER}/{}", entry.path);
        let mode = |usual: u16| entry.mode.map_or(usual, |mode| u16::try_from(mode).expect("a mode"));
        let (node, mode) = match entry.kind {
            Kind::Folder => (Node::Directory(Default::default()), mode(0o755)),
            Kind::File(text) => (Node::Regular(text.into()), mode(0o644)),
            Kind::Link(target) => (Node::Symlink(target.into_bytes().into()), 0o777),
            Kind::HardLink(other) => {
                let id = tree.lookup(format!("{FOLDER}/{other}").as_bytes()).expect("there");
                let place = tree.place(path.as_bytes()).expect("a place");
                tree.link(id, place.parent, place.name).expect("linked");
                continue;
            }
        };
        tree.create(path.as_bytes(), stat(mode, OLD), node).expect("made");
    }
    tree
}

fn ours(fixture: &str, line: &str) -> Result<Outcome, String> {
    let limits = Limits { steps: 1 << 22, depth: 100, bytes: 1 << 24, ..Limits::SCRIPT };
    let epoch = Epoch::from_variable(Some(&NOW.to_string())).expect("valid");
    let mut machine = Machine::new(tree(fixture), epoch, "amd64", limits);
    let mut outcome = Outcome { output: String::new(), status: 0, complains: false, files: String::new() };
    for words in split(line) {
        let path = format!("{FOLDER}/stdin");
        let input = machine.tree.read(path.as_bytes()).unwrap_or_default();
        let (output, errors) = (OpenFile::buffer(Vec::new()), OpenFile::buffer(Vec::new()));
        let descriptors: Descriptors =
            [(0, OpenFile::buffer(input.to_vec())), (1, output.clone()), (2, errors.clone())].into();
        let environment = [("PATH", "/usr/bin"), ("LC_ALL", "C.UTF-8"), ("HOME", "/root"), ("TZ", "UTC")];
        let mut process = Process {
            machine: &mut machine,
            argv: words.iter().map(|word| word.as_bytes().to_vec()).collect(),
            environment: environment.iter().map(|(n, v)| (n.as_bytes().to_vec(), v.as_bytes().to_vec())).collect(),
            folder: TreePath::new(FOLDER.as_bytes()).expect("valid"),
            umask: 0o022,
            descriptors,
        };
        let command = commands::find(words[0].as_bytes()).ok_or_else(|| format!("no `{}`", words[0]))?;
        let status = command(&mut process).map_err(|fatal| fatal.to_string())?;
        outcome.output.push_str(&String::from_utf8_lossy(&OpenFile::take(&output)));
        outcome.status = status.0;
        outcome.complains |= !OpenFile::take(&errors).is_empty();
    }
    outcome.files = tree_files(&machine.tree);
    Ok(outcome)
}

fn tree_files(tree: &Tree) -> String {
    let top = Name::new(&FOLDER.as_bytes()[1..]).expect("valid");
    let id = tree.get(ROOT).entries().expect("a directory")[&top];
    let mut seen: Vec<(_, String)> = Vec::new();
    let mut out = String::new();
    for visit in tree.walk_from(TreePath::root(), id).skip(1) {
        let inode = tree.get(visit.id);
        let name = String::from_utf8_lossy(visit.path.relative()).into_owned();
        let first = seen.iter().find(|(id, _)| *id == visit.id).map(|(_, name)| name.clone());
        if inode.links() > 1 && !inode.is_dir() {
            seen.push((visit.id, name.clone()));
        }
        let device = |Device { major, minor }: &Device| format!("{major}:{minor}");
        let (letter, detail) = match &inode.node {
            Node::Directory(_) => ('d', String::new()),
            Node::Symlink(target) => ('l', String::from_utf8_lossy(target).into_owned()),
            Node::Regular(content) => {
                ('f', icos::digest::Sha256::of(&content.bytes(1 << 20).expect("small")).to_string())
            }
            Node::Fifo => ('p', String::new()),
            Node::CharDevice(numbers) => ('c', device(numbers)),
            Node::BlockDevice(numbers) => ('b', device(numbers)),
            Node::Socket => ('s', String::new()),
        };
        let Stat { mode, uid, gid, mtime, .. } = &inode.stat;
        let time = when(mtime.seconds, mtime.seconds == NOW, inode.is_dir());
        out.push_str(&format!(
            "{name} {letter} {mode:04o} {uid}:{gid} {time} {detail} {}\n",
            first.unwrap_or_default()
        ));
    }
    out
}
