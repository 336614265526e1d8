//! dpkg's small tools against the real ones: the same commands on the same files leave the same files, output and status.

use std::{collections::BTreeMap, os::unix::fs::PermissionsExt, path::Path};

use icos::{
    epoch::Epoch,
    shell::{Launch, Limits, Machine, OpenFile, exec},
    tree::{Node, Stat, Timestamp, Tree, TreePath},
};

use crate::support::judge;

/// What a command did: its status and output; messages are not compared.
#[derive(Debug, PartialEq)]
struct Outcome {
    status: i32,
    output: String,
}

/// What both sides begin with.
const FILES: &[(&str, &str)] = &[
    ("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\nman:x:6:12::/:\n"),
    ("/etc/group", "root:x:0:\nadm:x:4:\n"),
    ("/usr/bin/a", "a"),
    ("/usr/bin/b", "b"),
    ("/usr/share/a.1", "a"),
    ("/usr/share/b.1", "b"),
    ("/var/lib/dpkg/status", ""),
    ("/var/lib/dpkg/triggers/Unincorp", ""),
];

const FOLDERS: &[&str] = &[
    "/etc",
    "/usr",
    "/usr/bin",
    "/usr/share",
    "/usr/share/man",
    "/var",
    "/var/lib",
    "/var/lib/dpkg",
    "/var/lib/dpkg/info",
    "/var/lib/dpkg/triggers",
    "/var/log",
];

fn machine(files: &[(&str, &str)]) -> Machine {
    let mut tree = Tree::new(Stat::root(0o755, Timestamp::default()));
    let folder = || Stat::root(0o755, Timestamp::default());
    for path in FOLDERS {
        tree.create_dir_all(path.as_bytes(), &folder()).expect("made");
    }
    for (path, text) in FILES.iter().chain(files) {
        let node = Node::Regular(text.as_bytes().to_vec().into());
        if tree.find(path.as_bytes()).is_some() {
            tree.unlink(path.as_bytes()).expect("there");
        }
        tree.create(path.as_bytes(), Stat::root(0o644, Timestamp::default()), node).expect("made");
    }
    let limits = Limits { steps: 1 << 20, depth: 100, bytes: 1 << 24, ..Limits::SCRIPT };
    Machine::new(tree, Epoch::from_variable(None).expect("valid"), "amd64", limits)
}

/// Runs a built-in command, whose program must be in the tree.
fn ours(machine: &mut Machine, line: &[&str]) -> Outcome {
    let program = format!("/usr/bin/{}", line[0]);
    if machine.tree.find(program.as_bytes()).is_none() {
        let node = Node::Regular(b"\x7fELF".to_vec().into());
        machine.tree.create(program.as_bytes(), Stat::root(0o755, Timestamp::default()), node).expect("made");
    }
    let output = OpenFile::buffer(Vec::new());
    let launch = Launch {
        argv: line.iter().map(|word| word.as_bytes().to_vec()).collect(),
        environment: [(b"PATH".to_vec(), b"/usr/bin".to_vec())].into(),
        folder: TreePath::root(),
        umask: 0o022,
        descriptors: [(0, OpenFile::null()), (1, output.clone()), (2, OpenFile::null())].into(),
    };
    let status = exec::execute(machine, launch).expect("no fatal error");
    machine.tree.unlink(program.as_bytes()).expect("there");
    Outcome { status: status.0.into(), output: String::from_utf8_lossy(&OpenFile::take(&output)).into_owned() }
}

fn theirs(command: &mut std::process::Command, root: &Path, line: &[&str]) -> Outcome {
    command.arg("--root").arg(root).args(&line[1..]);
    let (status, output, _) = judge::run(command);
    Outcome { status, output: output.replace(root.to_str().expect("UTF-8"), "") }
}

/// Every path with what it is, but for logs, locks and backups.
fn listing(paths: impl Iterator<Item = (String, String)>) -> BTreeMap<String, String> {
    let dropped = |path: &str| {
        path.contains("/var/log/") || path.ends_with("-old") || path.contains("/lock") || path.ends_with("/Lock")
    };
    paths.filter(|(path, _)| !dropped(path)).collect()
}

fn our_listing(machine: &Machine) -> BTreeMap<String, String> {
    listing(machine.tree.walk().map(|visit| {
        let inode = machine.tree.get(visit.id);
        let what = match &inode.node {
            Node::Symlink(target) => format!("-> {}", String::from_utf8_lossy(target)),
            Node::Directory(_) => "folder".to_owned(),
            Node::Regular(_) => {
                let text = machine.tree.read(visit.path.as_bytes()).expect("a file");
                format!("{:o} {}", inode.stat.mode, String::from_utf8_lossy(&text))
            }
            other => format!("{other:?}"),
        };
        (visit.path.to_string(), what)
    }))
}

fn their_listing(root: &Path) -> BTreeMap<String, String> {
    let mut found = vec![("/".to_owned(), "folder".to_owned())];
    let mut todo = vec![root.to_path_buf()];
    while let Some(folder) = todo.pop() {
        for entry in fs_err::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let data = fs_err::symlink_metadata(&path).expect("there");
            let what = if data.is_symlink() {
                format!("-> {}", fs_err::read_link(&path).expect("a link").display())
            } else if data.is_dir() {
                todo.push(path.clone());
                "folder".to_owned()
            } else {
                let text = fs_err::read(&path).expect("a file");
                format!("{:o} {}", data.permissions().mode() & 0o7777, String::from_utf8_lossy(&text))
            };
            found.push((format!("/{}", path.strip_prefix(root).expect("inside").display()), what));
        }
    }
    listing(found.into_iter())
}

/// Runs the lines on both sides and compares after each. `touch PATH`, `rm PATH` and `ln TARGET PATH` change the files.
fn check(lines: &[&str]) {
    check_with(&[], lines);
}

/// The same with further files, or others in the place of the usual ones.
fn check_with(files: &[(&str, &str)], lines: &[&str]) {
    let mut machine = machine(files);
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let root = scratch.path();
    let below = |path: &str| root.join(&path[1..]);
    for path in FOLDERS {
        fs_err::create_dir_all(below(path)).expect("made");
    }
    for (path, text) in FILES.iter().chain(files) {
        fs_err::write(below(path), text).expect("written");
    }
    for line in lines {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            ["touch", path] => {
                fs_err::write(below(path), "").expect("written");
                let stat = Stat::root(0o644, Timestamp::default());
                machine.tree.write(path.as_bytes(), Vec::new(), stat).expect("written");
            }
            ["rm", path] => {
                fs_err::remove_file(below(path)).expect("there");
                machine.tree.unlink(path.as_bytes()).expect("there");
            }
            ["ln", target, path] => {
                fs_err::os::unix::fs::symlink(target, below(path)).expect("made");
                let node = Node::Symlink(target.as_bytes().to_vec().into());
                machine.tree.create(path.as_bytes(), Stat::root(0o777, Timestamp::default()), node).expect("made");
            }
            _ => {
                let Some(mut command) = judge::judge(words[0]) else { return };
                assert_eq!(ours(&mut machine, &words), theirs(&mut command, root, &words), "{line}");
            }
        }
        assert_eq!(our_listing(&machine), their_listing(root), "after: {line}");
    }
}

#[test]
fn alternatives() {
    let a = "update-alternatives --install /usr/bin/x x /usr/bin/a 10 --slave /usr/share/x.1 x.1 /usr/share/a.1";
    let b = "update-alternatives --install /usr/bin/x x /usr/bin/b 20 --slave /usr/share/x.1 x.1 /usr/share/b.1";
    let query = "update-alternatives --query x";
    check(&[a, b, query, "update-alternatives --display x", "update-alternatives --list x"]);
    check(&[b, a, query, "update-alternatives --remove x /usr/bin/b", query]);
    check(&[a, "update-alternatives --remove x /usr/bin/a", query]);
    check(&[a, b, "update-alternatives --set x /usr/bin/a", query, a, "update-alternatives --auto x", query]);
    check(&[a, b, "update-alternatives --set x /usr/bin/a", "update-alternatives --remove x /usr/bin/a", query]);
    check(&[a, b, "rm /usr/bin/b", query, "update-alternatives --auto x", query]);
    check(&[a, "rm /usr/share/a.1", a, query, "touch /usr/share/a.1", a, query]);
    check(&["touch /usr/bin/x", a, query, "update-alternatives --force --auto x", query]);
    check(&[a, "rm /etc/alternatives/x", "ln /usr/bin/b /etc/alternatives/x", a, query, b, query]);
    check(&[a, "rm /usr/bin/x", a, query, "rm /etc/alternatives/x", a, query]);
    check(&[a, b, "update-alternatives --get-selections", "update-alternatives --remove-all x"]);
    // Links and slaves that change.
    check(&[a, "update-alternatives --install /usr/bin/y x /usr/bin/a 10", query]);
    check(&[
        a,
        "update-alternatives --install /usr/bin/x x /usr/bin/a 10 --slave /usr/share/y.1 x.1 /usr/share/a.1",
        query,
    ]);
    check(&[
        "update-alternatives --install /usr/bin/x x /usr/bin/a 10",
        "update-alternatives --install /usr/bin/x x /usr/bin/a 10 --slave /usr/share/x.1 x.1 /usr/share/a.1",
        "update-alternatives --install /usr/bin/x x /usr/bin/b 30 --slave /usr/share/z.1 z.1 /usr/share/b.1",
        query,
    ]);
    // Refusals.
    check(&[
        a,
        "update-alternatives --install /usr/bin/x other /usr/bin/a 10",
        "update-alternatives --install /usr/bin/q x.1 /usr/bin/a 10",
        "update-alternatives --install /usr/bin/q q /usr/bin/none 10",
        "update-alternatives --install /usr/bin/q q /usr/bin/a ten",
        "update-alternatives --install /usr/bin/q q /usr/bin/a 10 --slave /usr/bin/x x /usr/bin/b",
        "update-alternatives --install usr/bin/q q /usr/bin/a 10",
        "update-alternatives --auto /usr/bin/x",
        "update-alternatives --set x /usr/bin/b",
        "update-alternatives --query none",
        "update-alternatives --remove none /usr/bin/a",
        "update-alternatives --remove-all none",
        query,
    ]);
}

#[test]
fn diversions() {
    let add = "dpkg-divert --package p --divert /usr/bin/a.real --rename --add /usr/bin/a";
    let list = "dpkg-divert --list";
    check(&[add, list, "dpkg-divert --truename /usr/bin/a", "dpkg-divert --listpackage /usr/bin/a", add]);
    check(&[
        "dpkg-divert --no-rename --divert /usr/bin/a.real /usr/bin/a",
        "dpkg-divert --package q --no-rename --add /usr/bin/b",
        "dpkg-divert --no-rename --add /usr/share/a.1",
        "dpkg-divert --no-rename --add /usr/share/b.1",
        list,
        "dpkg-divert --list q",
        "dpkg-divert --list */b*",
        "dpkg-divert --listpackage /usr/bin/a",
        "dpkg-divert --truename /usr/bin/none",
        "dpkg-divert --remove --no-rename /usr/bin/a",
        "dpkg-divert --remove --package q --no-rename /usr/bin/a",
        "dpkg-divert --remove --package p --no-rename /usr/bin/b",
        "dpkg-divert --quiet --remove --package q --no-rename /usr/bin/b",
        "dpkg-divert --remove --no-rename --divert /x /usr/share/b.1",
    ]);
    check(&[add, "dpkg-divert --remove --package p --rename --divert /usr/bin/a.real /usr/bin/a", list]);
    check(&[
        "touch /usr/bin/b.distrib",
        "dpkg-divert --rename --add /usr/bin/b",
        "dpkg-divert --rename --add /usr/bin/none",
        "dpkg-divert --rename --add /usr",
        "dpkg-divert --rename --divert /usr/bin/b --add /usr/bin/b",
        "dpkg-divert --rename --add usr/bin/b",
        add,
        "dpkg-divert --package q --divert /usr/bin/c --no-rename --add /usr/bin/a",
        list,
    ]);
}

#[test]
fn overrides() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: only root can change owners");
        return;
    }
    let list = "dpkg-statoverride --list";
    check(&[
        list,
        "dpkg-statoverride --update --add root adm 2755 /usr/bin/a",
        "dpkg-statoverride --add #77777 adm 640 /usr/bin/b/",
        "dpkg-statoverride --add #6 adm 0640 /usr/bin/none",
        "dpkg-statoverride --add man adm 4755 /usr/share",
        list,
        "dpkg-statoverride --list /usr/bin/*",
        "dpkg-statoverride --list /etc",
        "dpkg-statoverride --add root root 755 /usr/bin/a",
        "dpkg-statoverride --add nosuchuser root 755 /usr/bin/q",
        "dpkg-statoverride --add root nosuchgroup 755 /usr/bin/q",
        "dpkg-statoverride --add root root 99 /usr/bin/q",
        "dpkg-statoverride --remove /usr/bin/q",
        "dpkg-statoverride --remove /usr/bin/a",
        list,
    ]);
}

#[test]
fn triggers() {
    check(&[
        "dpkg-trigger --check-supported",
        "dpkg-trigger --no-await ldconfig",
        "dpkg-trigger --by-package p ldconfig",
        "dpkg-trigger --by-package q ldconfig",
        "dpkg-trigger --by-package p ldconfig",
        "dpkg-trigger --no-await /usr/share/x",
        "dpkg-trigger ldconfig",
        "dpkg-trigger --no-await a b",
    ]);
}

const STATUS: &str = "\
Package: base
Essential: yes
Status: install ok installed
Priority: required
Section: admin
Maintainer: B <b@example.org>
Architecture: amd64
Source: base-source (2:1.5-3)
Version: 1:2.0-1+b1
Replaces: base-old (<< 1)
Depends: libb (>= 1.0) | libb-alternative, gone
Conffiles:
 /etc/base.conf 0123456789abcdef0123456789abcdef
 /etc/old.conf 0123456789abcdef0123456789abcdef obsolete
Description: the base
 of it all.
Homepage: https://example.org

Package: libb
Status: hold ok triggers-pending
Maintainer: B <b@example.org>
Architecture: amd64
Multi-Arch: same
Version: 1.0
Description: a library whose description is somewhat longer than others
Triggers-Pending: ldconfig

Package: zz-foreign
Status: deinstall reinstreq half-configured
Maintainer: B <b@example.org>
Architecture: i386
Version: 7
Config-Version: 6

";

const INSTALLED: &[(&str, &str)] = &[
    ("/var/lib/dpkg/status", STATUS),
    ("/var/lib/dpkg/arch", "amd64\ni386\n"),
    ("/var/lib/dpkg/info/format", "1\n"),
    ("/var/lib/dpkg/diversions", "/usr/bin/a\n/usr/bin/a.real\nlibb\n/usr/bin/b\n/usr/bin/b.real\n:\n"),
    ("/var/lib/dpkg/info/base.list", "/.\n/usr\n/usr/bin\n/usr/bin/a\n/usr/bin/b\n"),
    ("/var/lib/dpkg/info/base.postinst", "#!/bin/sh\n"),
    ("/var/lib/dpkg/info/base.conffiles", "/etc/base.conf\n"),
    ("/var/lib/dpkg/info/base.md5sums", ""),
    ("/var/lib/dpkg/info/libb:amd64.list", "/.\n/usr\n/usr/share\n"),
    ("/var/lib/dpkg/info/zz-foreign.list", ""),
];

#[test]
fn queries() {
    let mut lines: Vec<String> = [
        "dpkg --print-foreign-architectures",
        "dpkg --get-selections",
        "dpkg -l",
        "dpkg -l base",
        "dpkg -l gone libb-alternative none b*",
        "dpkg -s base",
        "dpkg --status libb libb:amd64 none",
        "dpkg -s zz-foreign",
        "dpkg -L base",
        "dpkg -L libb none zz-foreign",
        "dpkg -S /usr/bin/a",
        "dpkg -S /usr/bin/b.real bin/a none",
        "dpkg -S /usr/share/",
        "dpkg-query -W",
        "dpkg-query -W base gone none",
        "dpkg-query --show --showformat=x none",
        "dpkg-query -c base",
        "dpkg-query --control-path base postinst",
        "dpkg-query --control-path base none",
        "dpkg-query --control-path base list",
        "dpkg-query --control-show base postinst",
        "dpkg-query --control-show base none",
        "dpkg-query --control-list libb",
        "dpkg-query --listfiles -- base",
    ]
    .map(str::to_owned)
    .into();
    let fields = [
        "Package",
        "binary:Package",
        "Version",
        "Status",
        "db:Status-Want",
        "db:Status-Status",
        "db:Status-Eflag",
        "db:Status-Abbrev",
        "Architecture",
        "Multi-Arch",
        "Essential",
        "Priority",
        "Section",
        "Depends",
        "Replaces",
        "Conffiles",
        "Description",
        "binary:Summary",
        "Source",
        "source:Package",
        "source:Version",
        "source:Upstream-Version",
        "Homepage",
        "homepage",
        "Config-Version",
        "Triggers-Pending",
        "db-fsys:Files",
        "none",
        "Version;12",
        "Version;-12",
        "Version;3",
    ];
    lines.extend(fields.iter().map(|field| format!("dpkg-query -W -f=<${{{field}}}>\\n * gone")));
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    check_with(INSTALLED, &lines);
}

#[test]
fn versions() {
    let versions = ["1.0", "1.0-0", "1.0~", "2:1", "", "<unknown>", "a1", "1_", "1:", ":1", "1-", "0:1.0"];
    let operators = [
        "lt", "le", "eq", "ne", "ge", "gt", "lt-nl", "le-nl", "ge-nl", "gt-nl", "<", "<=", "<<", "=", ">", ">=", ">>",
        "==",
    ];
    let mut machine = machine(&[]);
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let mut compared = 0;
    for left in versions {
        let line = ["dpkg", "--validate-version", "--", left];
        let Some(mut command) = judge::judge("dpkg") else { return };
        assert_eq!(ours(&mut machine, &line), theirs(&mut command, scratch.path(), &line), "{left}");
        for (operator, right) in operators.iter().flat_map(|operator| versions.map(|right| (operator, right))) {
            // Every operator with a few pairs, and every pair with one.
            if *operator != "lt" && (left.len() + right.len()) % 4 != 0 {
                continue;
            }
            let line = ["dpkg", "--compare-versions", left, operator, right];
            let Some(mut command) = judge::judge("dpkg") else { return };
            assert_eq!(
                ours(&mut machine, &line),
                theirs(&mut command, scratch.path(), &line),
                "{left} {operator} {right}"
            );
            compared += 1;
        }
    }
    assert!(compared > 400, "{compared}");
    check(&[
        "dpkg --print-architecture",
        "dpkg --assert-multi-arch",
        "dpkg --validate-pkgname a+b",
        "dpkg --validate-pkgname +a",
        "dpkg --validate-trigname /a/b",
        "dpkg --validate-archname amd64",
        "dpkg --compare-versions 1 lt",
    ]);
}

/// What would be the same on every machine made from an image is not made, and scripts go on.
#[test]
fn identities_are_not_made() {
    let mut machine = machine(&[]);
    let before = our_listing(&machine);
    for line in [
        "ssh-keygen -q -f /etc/ssh/ssh_host_rsa_key -N  -t rsa",
        "ssh-keygen -l -f /etc/ssh/ssh_host_rsa_key.pub",
        "ssh-keygen -A",
        "dbus-uuidgen --ensure",
        "vgcfgbackup",
    ] {
        let words: Vec<&str> = line.split(' ').collect();
        assert_eq!(ours(&mut machine, &words), Outcome { status: 0, output: String::new() }, "{line}");
    }
    assert_eq!(our_listing(&machine), before);
    for _ in 0..2 {
        ours(&mut machine, &["systemd-machine-id-setup"]);
        assert_eq!(our_listing(&machine).get("/etc/machine-id").map(String::as_str), Some("444 "));
    }
}
