//! Commands that make, change, move and look at files.

use super::judged::{check, check_unordered};
use crate::support::judge::is_root_or_was;

const FILES: &str = r"
    a one\ntwo\n
    0600 b secret\n
    4755 suid x
    d/
    d/f file\n
    d/e/
    0755 d/e/x run\n
    1777 t/
    2775 g/
    l -> a
    ld -> d
    dangling -> nowhere
    loop -> loop
    h = a
    other/
    other/f other\n
";

/// `hello` and a newline, by `xz -c`.
const COMPRESSED: &str = r"
    0640 a.xz \xfd7zXZ\x00\x00\x04\xe6\xd6\xb4F\x02\x00!\x01\x16\x00\x00\x00t/\xe5\xa3\x01\x00\x05hello\x0a\x00\x00\x00\xa5`\x97\xf1\x94\xf6\xfd\xe0\x00\x01\x1e\x06\xc1/\xa4\x1d\x1f\xb6\xf3}\x01\x00\x00\x00\x00\x04YZ
    b plain
    c.xz plain
";

/// As root, if only of a namespace: owners show, and modes that lock an ordinary user out.
fn check_as_root(test: &str, cases: &str) {
    if is_root_or_was(&format!("commands::files::{test}")) {
        check(FILES, cases);
    }
}

#[test]
fn access_lists() {
    if rustix::process::getuid().is_root() {
        check(FILES, include_str!("files/acl.txt"));
    } else {
        eprintln!("skipped: only root can change owners");
    }
}

#[test]
fn coders() {
    check(
        COMPRESSED,
        "xz -d a.xz\nxz -dc a.xz\nunxz a.xz\nunxz -k a.xz\nxzcat a.xz\nxz -d b\nxz -dc c.xz\nxz -d none.xz\n",
    );
}

#[test]
fn chmod() {
    check_as_root("chmod", include_str!("files/chmod.txt"));
}

#[test]
fn copies() {
    check_as_root("copies", include_str!("files/copies.txt"));
}

#[test]
fn names() {
    check_as_root("names", include_str!("files/names.txt"));
}

#[test]
fn owners() {
    if rustix::process::getuid().is_root() {
        check(FILES, include_str!("files/owners.txt"));
    } else {
        eprintln!("skipped: only root can change owners");
    }
}

#[test]
fn paths() {
    check_as_root("paths", include_str!("files/paths.txt"));
}

#[test]
fn times() {
    check_as_root("times", include_str!("files/times.txt"));
}

#[test]
fn find() {
    if is_root_or_was("commands::files::find") {
        check_unordered(FILES, include_str!("files/find.txt"));
    }
}
