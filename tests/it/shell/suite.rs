//! Snippets for both shells, grouped by chapter of POSIX XCU 2; each table is one test.

use super::both::{Seen, dash, icos};
use crate::support::judge::judge;

/// Runs every snippet in both shells and reports all that differ in output, status or files.
fn check(snippets: &[&str]) {
    let mut faults = Vec::new();
    for snippet in snippets {
        let Some(judge) = judge("dash") else { return };
        let scratch = tempfile::tempdir().expect("a scratch folder");
        let folder = scratch.path().join("work");
        fs_err::create_dir(&folder).expect("made");
        let theirs = dash(judge, &folder, snippet.as_bytes());
        let ours = icos(&folder, snippet.as_bytes());
        let same = |seen: &Seen| (seen.status, seen.output.clone(), seen.files.clone());
        if same(&theirs) != same(&ours) {
            faults.push(format!("{snippet}\n    dash: {theirs:?}\n    icos: {ours:?}"));
        }
    }
    assert!(faults.is_empty(), "{} of {} differ:\n{}", faults.len(), snippets.len(), faults.join("\n"));
}

#[test]
fn first_light() {
    check(&[
        r#"echo hello "$1" '$2' "$#" $3 x"#,
        "x=1; if [ $x = 1 ]; then echo yes; else echo no; fi; for i in a b c; do echo $i; done",
        r#"f() { local x=2; echo $x "$@"; return 3; }; x=1; f a b; echo $? $x"#,
        r#"echo a b c | while read x y; do echo "$y-$x"; done"#,
        "x=$(echo a; echo b); echo \"$x\"; cat <<E\nhi $x $((1+2))\nE\n",
        "echo text > file; cat < file; cat file file >> out; cat out",
        "case abc in a*) echo m;; *) echo n;; esac",
        "set -e; false || true; echo a; false; echo b",
        "trap 'echo bye $?' EXIT; exit 3",
        r#"x='a b  c'; for i in $x; do echo "<$i>"; done; for i in "$x"; do echo "<$i>"; done"#,
    ]);
}
