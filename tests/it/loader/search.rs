//! The loader's `--list` and `--verify` on made-up libraries: where it looks, in which order, what it says.

use std::{os::unix::fs::symlink, path::Path};

use icos::{
    shell::{Launch, OpenFile, exec},
    tree::{Node, Stat, Timestamp, Tree, TreePath},
};

use super::{machine, without_addresses};
use crate::support::{elf::Elf, judge::judge};

const LOADER: &str = "/lib64/ld-linux-x86-64.so.2";
const MACHINE: u16 = 62;

enum Entry {
    File(Elf),
    Text(&'static str),
    Link(&'static str),
}

use Entry::{File, Link, Text};

fn library() -> Elf {
    Elf::library(MACHINE)
}

fn program() -> Elf {
    Elf::program(MACHINE, LOADER)
}

/// Runs the loader in a folder that has these files, `@` in names and arguments standing for the folder. What is listed is traced
/// too, which takes missing libraries otherwise.
#[track_caller]
fn check(entries: &[(&str, Entry)], environment: &[(&str, &str)], arguments: &[&str]) {
    check_one(entries, environment, arguments);
    if arguments.contains(&"--list") {
        let environment = [environment, &[("LD_TRACE_LOADED_OBJECTS", "1")]].concat();
        let arguments: Vec<_> = arguments.iter().copied().filter(|argument| *argument != "--list").collect();
        check_one(entries, &environment, &arguments);
    }
}

#[track_caller]
fn check_one(entries: &[(&str, Entry)], environment: &[(&str, &str)], arguments: &[&str]) {
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let folder = scratch.path();
    let here = folder.display().to_string();
    let bytes = |elf: &Elf| elf.clone().replace("@", &here).build();
    let mut tree = tree(&here);
    for (name, entry) in entries {
        let path = folder.join(name);
        let inside = format!("{here}/{name}");
        fs_err::create_dir_all(path.parent().expect("a parent")).expect("made");
        let stat = || Stat::root(0o755, Timestamp::default());
        let parent = &inside[..inside.rfind('/').expect("a slash")];
        tree.create_dir_all(parent.as_bytes(), &stat()).expect("made");
        let node = match entry {
            File(elf) => {
                fs_err::write(path, bytes(elf)).expect("written");
                Node::Regular(bytes(elf).into())
            }
            Text(text) => {
                fs_err::write(path, text).expect("written");
                Node::Regular(text.as_bytes().to_vec().into())
            }
            Link(target) => {
                symlink(target, path).expect("made");
                Node::Symlink(target.as_bytes().to_vec().into())
            }
        };
        tree.create(inside.as_bytes(), stat(), node).expect("made");
    }
    let replaced = |text: &str| text.replace('@', &here);
    let environment: Vec<(String, String)> =
        environment.iter().map(|(name, value)| ((*name).to_owned(), replaced(value))).collect();
    let arguments: Vec<String> = arguments.iter().map(|argument| replaced(argument)).collect();
    // It is on every machine of this kind, whichever judges are installed.
    let Some(mut real) = judge("env") else { return };
    let output = real.arg("-i").args(environment.iter().map(|(n, v)| format!("{n}={v}"))).arg(LOADER).args(&arguments);
    let output = output.current_dir(folder).output().expect("started");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let theirs = (output.status.code().unwrap_or(-1), without_addresses(&text(&output.stdout)), text(&output.stderr));
    let ours = icos(tree, &here, &environment, &arguments);
    assert!(theirs == ours, "{arguments:?}\n  real {theirs:?}\n  ours {ours:?}");
}

/// A tree with the loader itself.
fn tree(here: &str) -> Tree {
    let stat = || Stat::root(0o755, Timestamp::default());
    let mut tree = Tree::new(stat());
    tree.create_dir_all(here.as_bytes(), &stat()).expect("made");
    tree.create_dir_all(b"/lib64", &stat()).expect("made");
    let loader = fs_err::read(Path::new(LOADER)).expect("readable");
    tree.create(LOADER.as_bytes(), stat(), Node::Regular(loader.into())).expect("made");
    tree
}

fn icos(tree: Tree, here: &str, environment: &[(String, String)], arguments: &[String]) -> (i32, String, String) {
    let mut machine = machine(tree);
    let (output, errors) = (OpenFile::buffer(Vec::new()), OpenFile::buffer(Vec::new()));
    let words = [LOADER].into_iter().chain(arguments.iter().map(String::as_str));
    let launch = Launch {
        argv: words.map(|word| word.as_bytes().to_vec()).collect(),
        environment: environment.iter().map(|(n, v)| (n.as_bytes().to_vec(), v.as_bytes().to_vec())).collect(),
        folder: TreePath::new(here.as_bytes()).expect("a path"),
        umask: 0o022,
        descriptors: [(0, OpenFile::null()), (1, output.clone()), (2, errors.clone())].into(),
    };
    let status = match exec::execute(&mut machine, launch) {
        Ok(status) => status.0.into(),
        Err(fatal) => return (-2, String::new(), fatal.to_string()),
    };
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    (status, without_addresses(&text(OpenFile::take(&output))), text(OpenFile::take(&errors)))
}

#[test]
fn order_of_libraries() {
    let all = |ones: &[(&'static str, &[&str])]| {
        let with = |needed: &[&str]| needed.iter().fold(library().runpath("$ORIGIN"), |elf, name| elf.needs(name));
        let main = |needed: &[&str]| needed.iter().fold(program().runpath("$ORIGIN"), |elf, name| elf.needs(name));
        ones.iter()
            .map(|(name, needed)| (*name, File(if *name == "p" { main(needed) } else { with(needed) })))
            .collect::<Vec<_>>()
    };
    let list = ["--list", "./p"];
    check(&all(&[("p", &[])]), &[], &list);
    check(&all(&[("p", &["liba.x", "libb.x"]), ("liba.x", &["libc.x"]), ("libb.x", &[]), ("libc.x", &[])]), &[], &list);
    // Circles, what is missing and is asked for twice, and where the loader stands.
    check(&all(&[("p", &["liba.x"]), ("liba.x", &["libb.x"]), ("libb.x", &["liba.x", "libb.x"])]), &[], &list);
    check(&all(&[("p", &["none.x", "liba.x", "none.x"]), ("liba.x", &["none.x", "ld-linux-x86-64.so.2"])]), &[], &list);
    check(&all(&[("p", &["ld-linux-x86-64.so.2"])]), &[], &list);
    check(&all(&[("p", &["none.x", "ld-linux-x86-64.so.2"])]), &[], &list);
    check(&all(&[("p", &["none.x", "liba.x", "none2.x", LOADER]), ("liba.x", &[])]), &[], &list);
    // Other names of one library: its soname, a link to it, a path.
    let same = |needed: &[&str]| {
        let main = needed.iter().fold(program().runpath("$ORIGIN"), |elf, name| elf.needs(name));
        vec![("p", File(main)), ("liba.x.1", File(library().soname("liba.x"))), ("libl.x", Link("liba.x.1"))]
    };
    check(&same(&["liba.x.1", "liba.x", "libl.x"]), &[], &list);
    check(&same(&["libl.x", "liba.x.1", "@/liba.x.1"]), &[], &list);
    check(&same(&["@/libl.x", "./liba.x.1", "$ORIGIN/none.x", "liba.x"]), &[], &list);
}

#[test]
fn where_libraries_are_looked_for() {
    let places = |main: Elf| {
        let named = |name: &str| library().soname(name);
        vec![
            ("p", File(main)),
            ("a/liba.x", File(named("liba.x").needs("libb.x"))),
            ("b/liba.x", File(named("liba.x").needs("libb.x").runpath("$ORIGIN/../c"))),
            ("b/libb.x", File(named("libb.x"))),
            ("c/libb.x", File(named("libb.x"))),
            ("liba.x", Text("text")),
            ("short/liba.x", Text("\x7fELF")),
            ("narrow/liba.x", File(named("liba.x").narrow())),
            ("other/liba.x", File(Elf::library(183).soname("liba.x"))),
            ("lib/x86_64-linux-gnu/liba.x", File(named("liba.x"))),
        ]
    };
    let main = || program().needs("liba.x");
    let list = ["--list", "./p"];
    for path in [
        "@/a:@/b",
        "@/b",
        "$ORIGIN/a:${ORIGIN}/c",
        "a:b",
        "./b//:/",
        "@/a/",
        "$LIB",
        "$ORIGIN/$LIB",
        "${LIB}",
        "$NONE:@/b",
        "@/narrow:@/other:@/b",
        "@/none:@/b",
        "$PLATFORM",
        "b::a",
    ] {
        check(&places(main().rpath(path)), &[], &list);
        check(&places(main().runpath(path)), &[], &list);
        check(&places(main()), &[("LD_LIBRARY_PATH", path)], &list);
        check(&places(main()), &[], &["--library-path", path, "--list", "@/p"]);
    }
    check(&places(main().rpath("@/a").runpath("@/b")), &[("LD_LIBRARY_PATH", "@/c")], &list);
    check(&places(main().rpath("@/b")), &[("LD_LIBRARY_PATH", "@/a")], &list);
    check(&places(main().runpath("@/b")), &[("LD_LIBRARY_PATH", "@/a;@/c")], &list);
    check(&places(main().runpath("@/b").no_default_folders()), &[], &["--inhibit-cache", "--list", "./p"]);
    for path in [":", "::@/b", "@/none:", ".", "./", ":/"] {
        let here = |main: Elf| vec![("p", File(main.needs("libh.x"))), ("libh.x", File(library().soname("libh.x")))];
        check(&here(program().rpath(path)), &[], &list);
        check(&here(program().runpath(path)), &[], &list);
        check(&here(program()), &[("LD_LIBRARY_PATH", path)], &list);
    }
    // Files that are no libraries.
    check(&places(main().rpath("@")), &[], &list);
    check(&places(main().rpath("@/short")), &[], &list);
    check(&places(main()), &[("LD_LIBRARY_PATH", ":@/b")], &list);
    check(&places(main().needs("@/narrow/liba.x")), &[], &list);
}

#[test]
fn programs() {
    let files = [
        ("program", File(program().needs("none.x"))),
        ("library", File(library().needs("none.x"))),
        ("alone", File(program())),
        ("fixed", File(program().kind(2).without_dynamic())),
        ("object", File(library().kind(1))),
        ("narrow", File(library().narrow())),
        ("other", File(Elf::library(183))),
        ("elsewhere", File(Elf::program(MACHINE, "/lib/ld-other.so.1").needs("ld-linux-x86-64.so.2"))),
        ("named", File(Elf::program(MACHINE, "/lib/ld-other.so.1").needs("/lib/ld-other.so.1"))),
        ("text", Text("text")),
        ("long", Text("#! a text that is longer than the header of an ELF file has to be, by some\n")),
        ("empty", Text("")),
    ];
    for (name, _) in files.iter().map(|(name, entry)| (*name, entry)).chain([("none", &Text(""))]) {
        check(&files, &[], &["--verify", &format!("./{name}")]);
        if name != "fixed" {
            check(&files, &[], &["--list", &format!("./{name}")]);
        }
    }
    check(&files, &[], &["--version"]);
    check(&files, &[], &["--list", LOADER]);
}
