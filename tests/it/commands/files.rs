//! Commands that make, change, move and look at files.

use super::judged::{check, check_unordered};

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

#[test]
fn chmod() {
    check(FILES, include_str!("files/chmod.txt"));
}

#[test]
fn copies() {
    check(FILES, include_str!("files/copies.txt"));
}

#[test]
fn names() {
    check(FILES, include_str!("files/names.txt"));
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
    check(FILES, include_str!("files/paths.txt"));
}

#[test]
fn times() {
    check(FILES, include_str!("files/times.txt"));
}

#[test]
fn find() {
    check_unordered(FILES, include_str!("files/find.txt"));
}
