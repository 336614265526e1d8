//! The air gap itself: no interface, no socket; and what goes wrong with disks and signals.

use std::{process::Command, time::Duration};

use super::{Away, Connected, LOCK, listing, text};
use crate::support::judge::{judge, run, unshare};

/// The commands of README.md, on a machine that has a bundle and nothing else.
const README: &str = "set -e
tar xf dev.bundle program/icos
program/icos bundle import dev.bundle --into project
cd project
./icos verify snapshots/test/os-dev.lock
./icos build --offline os/dev
";

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

fn start(words: &[String]) -> Command {
    let mut command = judge("env").expect("coreutils");
    command.args(words);
    command
}

#[test]
fn builds_without_a_network() {
    let Some(connected) = Connected::new() else { return };
    let words = if is_root() {
        judge("setpriv")
            .and_then(|_| unshare(&["-n"], &["/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]))
    } else {
        unshare(&["-rn"], &[])
    };
    let Some(words) = words else { return };
    let out = connected.project.path("out-here");
    connected.ok(&["build", "os/dev", "--offline", "-o", text(&out)]);
    let bundle = connected.bundle("a.bundle", &[]);
    let away = Away::new();
    fs_err::copy(&bundle, away.path("dev.bundle")).expect("copied");
    for path in ["", "tmp", "dev.bundle"] {
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o777);
        fs_err::set_permissions(away.path(path), mode).expect("set");
    }
    let mut command = start(&[]);
    let (code, output, errors) = run(away.dress(&mut command).args(&words).args(["cat", "/proc/net/dev"]));
    assert_eq!(code, 0, "{errors}");
    let interfaces: Vec<_> =
        output.lines().filter_map(|line| line.split_once(": ")).map(|(name, _)| name.trim()).collect();
    assert!(interfaces.iter().all(|name| *name == "lo"), "{output}");
    let mut command = start(&[]);
    let (code, output, errors) = run(away.dress(&mut command).args(&words).args(["sh", "-c", README]));
    assert_eq!(code, 0, "{errors}");
    assert!(output.contains("5 packages, each led back to a pinned key"), "{output}");
    assert_eq!(listing(&out), listing(&away.path("project/out/os/dev")));
}

#[test]
fn opens_no_socket() {
    let Some(connected) = Connected::new() else { return };
    if judge("strace").is_none() {
        return;
    }
    let bundle = connected.bundle("a.bundle", &[]);
    let away = Away::new();
    let calls = |arguments: &[&str]| {
        let mut strace = judge("strace").expect("it was there");
        strace.args(["-f", "-e", "trace=network", "-o", text(&away.path("log"))]);
        let (code, _, errors) = run(away.dress(&mut strace).arg(env!("CARGO_BIN_EXE_icos")).args(arguments));
        (code, fs_err::read_to_string(away.path("log")).unwrap_or_else(|_| panic!("strace: {errors}")), errors)
    };
    let lock = format!("p/{LOCK}");
    let old = connected.bundle("b.bundle", &["--since", text(&bundle)]);
    for arguments in [
        vec!["bundle", "list", text(&bundle)],
        vec!["bundle", "import", text(&bundle), "--into", "p"],
        vec!["bundle", "import", text(&old)],
        vec!["--project", "p", "verify", &lock],
        vec!["--project", "p", "build", "--offline", "os/dev"],
        vec!["--project", "p", "bundle", "create", "os/dev", "-o", "again"],
    ] {
        let (code, log, errors) = calls(&arguments);
        assert_eq!(code, 0, "{errors}");
        // A pair of connected ends inside the process, by which the thread for signals is woken.
        let foreign = log.lines().find(|line| line.contains('(') && !line.contains("socketpair(AF_UNIX"));
        let foreign = foreign.filter(|line| !line.contains("recvfrom(") && !line.contains("sendto("));
        assert_eq!(foreign, None, "{arguments:?}");
    }
    // The judge sees it when there is one.
    let (code, log, _) = calls(&["--project", "p", "--mirror", "http://127.0.0.1:9/", "lock", "os/dev", "--check"]);
    assert!(code == 1 && log.contains(" socket(AF_INET") && log.contains(" connect("), "{log}");
}

/// SIGINT while the bundle is written: nothing of it stays.
#[test]
fn interrupted_it_leaves_nothing() {
    let Some(connected) = Connected::new() else { return };
    let large = fs_err::File::create(connected.project.path("overlays/o/large")).expect("made");
    large.set_len(2 << 30).expect("a hole");
    let output = connected.project.path("x.bundle");
    let mut command = connected.project.command(&["bundle", "create", "os/dev", "-o", text(&output)]);
    let mut child = command.stderr(std::process::Stdio::null()).spawn().expect("started");
    let hidden = connected.project.path(".x.bundle.unfinished");
    let half = hidden.join("x.bundle");
    let mut waited = 0;
    while !half.metadata().is_ok_and(|meta| meta.len() > 100 << 20) {
        assert!(child.try_wait().expect("a child").is_none() && waited < 6000, "it ended before it wrote");
        std::thread::sleep(Duration::from_millis(10));
        waited += 1;
    }
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).expect("sent");
    assert_eq!(child.wait().expect("a status").code(), Some(130));
    assert!(!hidden.exists() && !output.exists());
}

#[test]
fn disks_that_are_full() {
    let Some(connected) = Connected::new() else { return };
    let Some(words) = unshare(if is_root() { &["-m"] } else { &["-rm"] }, &[]) else { return };
    let bundle = connected.bundle("a.bundle", &[]);
    let away = Away::new();
    fs_err::create_dir(away.path("full")).expect("made");
    let check = |script: &str, arguments: &[&str], expect: &str| {
        let script = format!("mount -t tmpfs -o size=1m none full || exit 9; {script}; echo $?; find full -type f");
        let mut command = start(&[]);
        let words = words.iter().map(String::as_str).chain(["sh", "-c", &script, env!("CARGO_BIN_EXE_icos")]);
        let (_, output, errors) = run(away.dress(&mut command).args(words).args(arguments));
        assert!(output.starts_with("1\n") && errors.contains(expect), "{expect}: {output}{errors}");
        output
    };
    let output = check("$0 --store full bundle import $1 --into p", &[text(&bundle)], "no space left for `full/");
    assert!(!output.contains("full/partial/"), "{output}");
    assert!(!away.path("p").exists());
    let import = "$0 bundle import $1 --into full/p";
    assert_eq!(check(import, &[text(&bundle)], "No space left on device"), "1\n");
    let (store, project) = (connected.project.path("home/.cache/icos"), connected.project.path("."));
    let create = "$0 --store $1 --project $2 bundle create os/dev -o full/x.bundle";
    assert_eq!(check(create, &[text(&store), text(&project)], "bundle full/x.bundle: "), "1\n");
}

#[test]
fn a_store_that_is_read_only() {
    let Some(connected) = Connected::new() else { return };
    let bundle = connected.bundle("a.bundle", &[]);
    let away = Away::new();
    fs_err::create_dir_all(away.path("store")).expect("made");
    away.ok(&["--store", "store", "store", "list"]);
    let words = if is_root() { unshare(&["-m"], &[]) } else { unshare(&["-rm"], &[]) };
    let Some(words) = words else { return };
    let script = "mount --bind store store && mount -o remount,bind,ro store || exit 9; $0 --store store bundle import $1 --into p";
    let mut command = start(&[]);
    let words = words.iter().map(String::as_str).chain(["sh", "-c", script, env!("CARGO_BIN_EXE_icos"), text(&bundle)]);
    let (code, _, errors) = run(away.dress(&mut command).args(words));
    assert!(code == 1 && errors.contains("store `store` is read-only"), "{errors}");
    assert!(errors.contains("hint: `--store DIR`"), "{errors}");
    assert!(!away.path("p").exists());
    let files = listing(&away.path("store"));
    assert!(files.values().all(|about| about == "folder" || about.starts_with("0 e3b0c442")), "{files:?}");
}
