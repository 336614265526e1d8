//! The target's system tools against transcripts of the real ones: same files, status, output and messages.
//!
//! Each file under `tests/it/transcripts/` says what a tree holds (`given`), which commands ran (`$`) and what each of them
//! printed and changed. They were recorded in a chroot of the real system:
//!
//! ```text
//! mmdebstrap --variant=minbase --include=adduser,systemd,... bookworm ROOT        (as root)
//! ICOS_RECORD=ROOT cargo test --test it transcripts                               (as root; rewrites the files)
//! ```
//!
//! Locks, logs and backups are left out: icos doesn't write them.

mod chroot;
mod engine;
mod script;

use std::path::PathBuf;

use script::Script;

/// Seconds of the moment at which the commands run: 2023-11-14.
const EPOCH: i64 = 1_700_000_000;
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

fn check(name: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/it/transcripts/{name}.txt"));
    let text = fs_err::read_to_string(&path).expect("a transcript");
    let script = Script::parse(&text);
    #[expect(clippy::disallowed_methods, reason = "recording is asked for by a variable")]
    if let Some(root) = std::env::var_os("ICOS_RECORD") {
        let recorded = script.with_outcomes(&chroot::run(&script, &PathBuf::from(root)));
        fs_err::write(&path, recorded).expect("written");
        return;
    }
    let ours = script.with_outcomes(&engine::run(&script));
    assert!(ours == text, "{name}: icos differs from the recorded tool\n{}", difference(&text, &ours));
}

/// The lines that differ, a few around each.
fn difference(theirs: &str, ours: &str) -> String {
    let diff = similar(theirs, ours);
    diff.into_iter().take(60).collect::<Vec<_>>().join("\n")
}

fn similar(theirs: &str, ours: &str) -> Vec<String> {
    let (a, b): (Vec<&str>, Vec<&str>) = (theirs.lines().collect(), ours.lines().collect());
    let (mut i, mut j) = (0, 0);
    let mut out = Vec::new();
    let mut command = "";
    while i < a.len() || j < b.len() {
        if let Some(line) = a.get(i).filter(|line| line.starts_with("$ ")) {
            command = line;
        }
        if i < a.len() && j < b.len() && a[i] == b[j] {
            (i, j) = (i + 1, j + 1);
            continue;
        }
        out.push(format!("at {command}"));
        // The next line that both have in common ends the difference.
        let next = (0..60).flat_map(|n| (0..=n).map(move |k| (k, n - k))).find(|(x, y)| {
            a.get(i + x).is_some_and(|line| Some(line) == b.get(j + y)) || (i + x >= a.len() && j + y >= b.len())
        });
        let (x, y) = next.unwrap_or((a.len() - i, b.len() - j));
        out.extend(a[i..(i + x).min(a.len())].iter().map(|line| format!("  real {line}")));
        out.extend(b[j..(j + y).min(b.len())].iter().map(|line| format!("  ours {line}")));
        (i, j) = (i + x.max(usize::from(next.is_none())), j + y);
    }
    out
}

#[test]
fn accounts() {
    check("accounts");
}

#[test]
fn apache() {
    check("apache");
}

#[test]
fn adduser() {
    check("adduser");
}

#[test]
fn units() {
    check("units");
}

#[test]
fn sysusers() {
    check("sysusers");
}

#[test]
fn tmpfiles() {
    check("tmpfiles");
}

#[test]
fn python() {
    check("python");
}

#[test]
fn linux() {
    check("linux");
}

#[test]
fn leaves() {
    check("leaves");
}

#[test]
fn pam() {
    check("pam");
}

#[test]
fn catalogs() {
    check("catalogs");
}

#[test]
fn locales() {
    check("locales");
}

#[test]
fn vim() {
    check("vim");
}

#[test]
fn small() {
    check("small");
}

#[test]
fn addons() {
    check("addons");
}
