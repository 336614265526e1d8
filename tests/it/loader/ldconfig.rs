//! `ldconfig -r` on made-up systems, and the cache of a real one.

use std::{
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
};

use icos::tree::{Node, Stat, Timestamp, Tree};

use super::{command, machine, ours, root};
use crate::support::{elf::Elf, judge::judge, real, tree::is_root};

const X86_64: u16 = 62;
const AARCH64: u16 = 183;
const I386: u16 = 3;

/// Something in a made-up system.
enum Entry {
    File(Vec<u8>),
    Link(&'static str),
    Folder,
}

use Entry::{Folder, Link};

fn library(soname: &str) -> Entry {
    Entry::File(Elf::library(X86_64).soname(soname).build())
}

fn text(text: &str) -> Entry {
    Entry::File(text.as_bytes().to_vec())
}

/// What ldconfig left: the cache, what it prints of it, and every link, or why it refused.
#[derive(Debug, PartialEq)]
struct Outcome {
    status: i32,
    cache: Option<Vec<u8>>,
    printed: String,
    links: Vec<(PathBuf, PathBuf)>,
}

/// The real ldconfig as somebody who may `chroot`, without which it finds its way below a folder otherwise.
#[expect(clippy::print_stderr, reason = "a skip must be seen")]
fn rooted() -> Option<Command> {
    if is_root() {
        return judge("ldconfig");
    }
    let mut command = judge("unshare")?;
    command.arg("--map-root-user");
    if !judge("unshare")?.args(["--map-root-user", "true"]).status().is_ok_and(|status| status.success()) {
        eprintln!("skipped: this user may not be root in a namespace of its own");
        return None;
    }
    command.arg(judge("ldconfig")?.get_program());
    Some(command)
}

fn theirs(entries: &[(&str, Entry)], arguments: &[&str]) -> Option<Outcome> {
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let root = scratch.path();
    for (path, entry) in entries {
        let path = root.join(&path[1..]);
        fs_err::create_dir_all(path.parent().expect("a parent")).expect("made");
        match entry {
            Entry::File(bytes) => fs_err::write(path, bytes).expect("written"),
            Link(target) => symlink(target, path).expect("made"),
            Folder => fs_err::create_dir_all(path).expect("made"),
        }
    }
    let output = rooted()?.arg("-r").arg(root).args(arguments).output().expect("started");
    let printed = rooted()?.arg("-r").arg(root).arg("-p").output().expect("started");
    let mut links = Vec::new();
    find_links(root, root, &mut links);
    links.sort();
    Some(Outcome {
        status: output.status.code().unwrap_or(-1),
        cache: fs_err::read(root.join("etc/ld.so.cache")).ok(),
        printed: String::from_utf8_lossy(&printed.stdout).into_owned(),
        links,
    })
}

fn find_links(root: &Path, folder: &Path, links: &mut Vec<(PathBuf, PathBuf)>) {
    for entry in fs_err::read_dir(folder).expect("readable") {
        let path = entry.expect("there").path();
        if path.is_symlink() {
            let target = fs_err::read_link(&path).expect("a link");
            links.push((path.strip_prefix(root).expect("inside").to_owned(), target));
        } else if path.is_dir() {
            find_links(root, &path, links);
        }
    }
}

/// The same system at `/r` of a tree that has this machine's ldconfig, which says its version.
fn icos(entries: &[(&str, Entry)], arguments: &[&str]) -> Outcome {
    let stat = |mode| Stat::root(mode, Timestamp::default());
    let mut tree = Tree::new(stat(0o755));
    let program = ["/sbin/ldconfig.real", "/sbin/ldconfig"].into_iter().find(|path| Path::new(path).is_file());
    let program = fs_err::read(program.expect("judged before")).expect("readable");
    tree.create_dir_all(b"/sbin", &stat(0o755)).expect("made");
    tree.create(b"/sbin/ldconfig", stat(0o755), Node::Regular(program.into())).expect("made");
    for (path, entry) in entries {
        let path = format!("/r{path}");
        let parent = &path[..path.rfind('/').expect("a slash")];
        tree.create_dir_all(parent.as_bytes(), &stat(0o755)).expect("made");
        let node = match entry {
            Entry::File(bytes) => Node::Regular(bytes.clone().into()),
            Link(target) => Node::Symlink(target.as_bytes().to_vec().into()),
            Folder => Node::Directory(Default::default()),
        };
        tree.create(path.as_bytes(), stat(0o755), node).expect("made");
    }
    let mut machine = machine(tree);
    let line = [&["/sbin/ldconfig", "-r", "/r"], arguments].concat();
    let (status, _, message) = ours(&mut machine, &line);
    let (_, printed, _) = ours(&mut machine, &["/sbin/ldconfig", "-r", "/r", "-p"]);
    let (id, path) = machine.tree.resolve(b"/r").expect("there");
    let mut links = Vec::new();
    for visit in machine.tree.walk_from(path, id) {
        if let Node::Symlink(target) = &machine.tree.get(visit.id).node {
            let name = String::from_utf8_lossy(&visit.path.as_bytes()[3..]).into_owned();
            links.push((name.into(), String::from_utf8_lossy(target).into_owned().into()));
        }
    }
    links.sort();
    let cache = machine.tree.read(b"/r/etc/ld.so.cache").ok().map(|bytes| bytes.to_vec());
    Outcome { status, cache, printed: if status == -2 { message } else { printed }, links }
}

#[track_caller]
fn check(entries: Vec<(&str, Entry)>, arguments: &[&str]) {
    let names: Vec<&str> = entries.iter().map(|(path, _)| *path).collect();
    let what = format!("{} {arguments:?}", names.join(" "));
    let entries: Vec<_> = [("/etc", Folder)].into_iter().chain(entries).filter(|(path, _)| *path != "/etc").collect();
    let entries: Vec<_> = entries.into_iter().chain([("/etc/x", Folder)]).collect();
    let Some(theirs) = theirs(&entries, arguments) else { return };
    let ours = icos(&entries, arguments);
    let show = |outcome: &Outcome| {
        let cache = outcome.cache.as_deref().map(|bytes| bytes.escape_ascii().to_string());
        format!("{} {:?}\n{}{cache:?}", outcome.status, outcome.links, outcome.printed)
    };
    assert!(theirs == ours, "{what}\n  real {}\n  ours {}", show(&theirs), show(&ours));
}

#[test]
fn names_and_links() {
    check(vec![], &[]);
    check(vec![("/lib/libfoo.so.1.2", library("libfoo.so.1")), ("/lib/libfoo.so.1.10", library("libfoo.so.1"))], &[]);
    check(vec![("/lib/libfoo.so.1.2", library("libfoo.so.1"))], &["-X"]);
    check(vec![("/lib/libfoo.so.1.2", library("libfoo.so.1"))], &["-N"]);
    check(vec![("/lib/libfoo.so.1.2", library("libfoo.so.1"))], &["-C", "/etc/other"]);
    // A developer's link stands for itself, any other for a file.
    check(vec![("/lib/libfoo.so.1.2", library("libfoo.so.1")), ("/lib/libfoo.so", Link("libfoo.so.1.2"))], &[]);
    check(vec![("/lib/libfoo.so.1.2", library("libfoo.so.1")), ("/lib/libfoo.so.9", Link("libfoo.so.1.2"))], &[]);
    check(vec![("/lib/libfoo.so.1.2", library("libfoo.so.1")), ("/lib/libfoo.so.1", Link("nowhere"))], &[]);
    check(vec![("/lib/libfoo.so.1.2", library("libfoo.so.1")), ("/lib/libfoo.so.1", text("a file"))], &[]);
    check(vec![("/lib/libfoo.so.1.2", library("libfoo.so.1")), ("/lib/libfoo.so.1", Link("/lib/libfoo.so.1.2"))], &[]);
    check(vec![("/lib/liba.so", Link("/usr/liba.so.1")), ("/usr/liba.so.1", library("liba.so.1"))], &[]);
    check(vec![("/lib/libstale.so.1", Link("nowhere")), ("/lib/libstale.so", Link("nowhere"))], &[]);
    check(vec![("/lib/libstale.so.1", Link("nowhere"))], &["-X"]);
    check(vec![("/lib/libloop.so.1", Link("libloop.so.1")), ("/lib/libfolder.so.1", Folder)], &[]);
    // Without a soname, with an odd one, and what is none.
    check(vec![("/lib/libnone.so.3.4", Entry::File(Elf::library(X86_64).build()))], &[]);
    check(
        vec![("/lib/libodd.so", library("odd")), ("/lib/libtext.so", text("INPUT(x)")), ("/lib/libe.so", text(""))],
        &[],
    );
    let odd = |elf: Elf| Entry::File(elf.soname("libodd.so.1").build());
    check(vec![("/lib/libodd.so.1.0", odd(Elf::library(X86_64).kind(2)))], &[]);
    check(vec![("/lib/libodd.so.1.0", odd(Elf::library(X86_64).kind(1)))], &[]);
    check(vec![("/lib/libodd.so.1.0", odd(Elf::library(X86_64).without_dynamic()))], &[]);
    check(vec![("/lib/libodd.so.1.0", odd(Elf::program(X86_64, "/lib/ld.so")))], &[]);
    for name in ["ld.so.1", "ld-2.so", "libx.sox", "x.so", "ld.so", "libx.so.1.#prelink#", "libx.so.#prelink#.ABCDEF"] {
        check(vec![(&format!("/lib/{name}"), library("libx.so.1"))], &[]);
    }
    for name in ["libx.so.1.dpkg-new", "libx.so.1.dpkg-tmp", "libx.so.1;5abcdef0", "libx.so.1.dpkg-old"] {
        check(vec![(&format!("/lib/{name}"), library("libx.so.1"))], &[]);
    }
}

#[test]
fn kinds_of_processors() {
    let of = |elf: Elf| Entry::File(elf.soname("liba.so.1").build());
    check(vec![("/lib/liba.so.1", of(Elf::library(I386).narrow()))], &[]);
    check(vec![("/lib/liba.so.1", of(Elf::library(X86_64).narrow()))], &[]);
    check(vec![("/lib/liba.so.1", of(Elf::library(AARCH64)))], &[]);
    check(vec![("/lib/liba.so.1", of(Elf::library(40).narrow()))], &[]);
    check(vec![("/lib/liba.so.1", of(Elf::library(I386).narrow().needs("libc.so.6")))], &[]);
    check(vec![("/lib/liba.so.1", of(Elf::library(I386).narrow().needs("libx.so.1").needs("libm.so.6")))], &[]);
    check(vec![("/lib/liba.so.1", of(Elf::library(I386).narrow().needs("libc.so.5")))], &[]);
    check(vec![("/lib/libm.so.6", Entry::File(Elf::library(I386).narrow().soname("libm.so.6").build()))], &[]);
    for interpreter in
        ["/lib/ld-linux.so.2", "/lib/ld-linux.so.1", "/lib64/ld-linux-x86-64.so.2", "/libx32/ld-linux-x32.so.2"]
    {
        check(vec![("/lib/liba.so.1", of(Elf::program(I386, interpreter).narrow()))], &[]);
    }
    check(vec![("/lib/liba.so.1", of(Elf::library(I386)))], &[]);
    check(
        vec![
            ("/lib/i386-linux-gnu/liba.so.1", of(Elf::library(I386).narrow())),
            ("/lib/liba.so.1", of(Elf::library(X86_64))),
            ("/usr/libx32/liba.so.1", of(Elf::library(X86_64).narrow())),
            ("/etc/ld.so.conf", text("/lib/i386-linux-gnu\n/usr/libx32\n")),
        ],
        &[],
    );
    let special = || {
        vec![
            ("/lib/x86_64-linux-gnu/liba.so.1.0", library("liba.so.1")),
            ("/lib/x86_64-linux-gnu/glibc-hwcaps/x86-64-v3/liba.so.1.0", library("liba.so.1")),
            ("/lib/x86_64-linux-gnu/glibc-hwcaps/x86-64-v2/liba.so.1.0", library("liba.so.1")),
            ("/lib/x86_64-linux-gnu/glibc-hwcaps/x86-64-v2/libb.so.2", library("libb.so.2")),
            ("/lib/x86_64-linux-gnu/glibc-hwcaps/x86-64-v4", Folder),
            ("/opt/glibc-hwcaps/own/liba.so.1.1", library("liba.so.1")),
            ("/opt/glibc-hwcaps/text", text("no folder")),
            ("/etc/ld.so.conf", text("/opt")),
        ]
    };
    check(special(), &[]);
    check(special(), &["-X"]);
}

#[test]
fn configuration() {
    let libraries = || {
        vec![
            ("/a/liba.so.1", library("liba.so.1")),
            ("/b/liba.so.1", library("liba.so.1")),
            ("/b/libb.so.10", library("libb.so.10")),
            ("/b/libb.so.9", library("libb.so.9")),
            ("/c", Link("b")),
            ("/usr/lib/liba.so.1", library("liba.so.1")),
            ("/lib", Link("usr/lib")),
            ("/etc/conf.d/1.conf", text("/b\n")),
            ("/etc/conf.d/2.conf", text("/a # a\n\n#/b\n")),
            ("/etc/conf.d/.3.conf", text("/none\n")),
            ("/etc/conf.d/4", text("/none\n")),
        ]
    };
    let with = |configuration: &str| {
        let mut entries = libraries();
        entries.push(("/etc/ld.so.conf", text(configuration)));
        entries
    };
    check(libraries(), &[]);
    for configuration in [
        "/a\n/b\n",
        "  /b/  \n/a///\n/c\n/none\n",
        "include conf.d/*.conf\n",
        "include\t/etc/conf.d/2.conf /etc/conf.d/1.conf\n/c",
        "include conf.d/?.conf none/*\n",
        "hwcap 1 nosegneg\n/a\n",
        "/c\n/b\n",
        "/\n",
    ] {
        check(with(configuration), &[]);
    }
    check(with("/a"), &["/b"]);
    check(with("/a"), &["-n", "/b"]);
    check(with("/a"), &["-f", "/etc/conf.d/1.conf"]);
    check(with("/a"), &["b"]);
}

#[test]
fn the_cache_of_a_real_system() {
    let root = root();
    let mut tree = real::libraries(&root);
    let scratch = tempfile::tempdir_in(root.join("tmp")).expect("a scratch folder");
    let path = scratch.path().join("cache");
    let inside = format!("/{}", path.strip_prefix(&root).expect("inside").display());
    let Some(mut judge) = command(&root, "ldconfig") else { return };
    assert!(judge.args(["-X", "-C", &inside]).status().expect("started").success());
    let theirs = fs_err::read(&path).expect("written");
    tree.create_dir_all(b"/tmp", &Stat::root(0o1777, Timestamp::default())).expect("made");
    let kept = tree.read(b"/etc/ld.so.cache").expect("there");
    let mut machine = machine(tree);
    let (status, _, message) = ours(&mut machine, &["/sbin/ldconfig", "-X", "-C", "/tmp/cache"]);
    assert_eq!((status, message.as_str()), (0, ""));
    let ours = machine.tree.read(b"/tmp/cache").expect("written");
    assert!(ours == theirs, "real {}\n\nours {}", theirs.escape_ascii(), ours.escape_ascii());
    if root != Path::new("/") {
        assert!(ours == kept, "the cache of the system itself");
    }
}
