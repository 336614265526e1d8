//! Snippets for both shells, a file for each chapter of POSIX XCU 2: equal output, status and files.
//!
//! Standard error is left out: the wording of messages belongs to dash's version.

use super::both::{Seen, icos, real};
use crate::support::judge::{is_root_or_was, judge};

/// Runs every snippet of a file, `%%` on a line between them, in both shells and reports all that differ.
fn check(shell: &str, snippets: &str) {
    let mut faults = Vec::new();
    let snippets: Vec<_> = snippets.split("\n%%\n").collect();
    for snippet in &snippets {
        let Some(judge) = judge(shell) else { return };
        let scratch = tempfile::tempdir().expect("a scratch folder");
        let folder = scratch.path().join("work");
        fs_err::create_dir(&folder).expect("made");
        let theirs = real(judge, &folder, snippet.as_bytes());
        let ours = icos(&format!("/bin/{shell}"), &folder, snippet.as_bytes());
        let seen = |seen: &Seen| (seen.status, seen.output.clone(), seen.files.clone());
        if seen(&theirs) != seen(&ours) {
            faults.push(format!("{snippet}\n    {shell}: {theirs:?}\n    icos: {ours:?}"));
        }
    }
    assert!(faults.is_empty(), "{} of {} differ:\n{}", faults.len(), snippets.len(), faults.join("\n"));
}

macro_rules! suites {
    ($($name:ident = $file:literal,)*) => {
        $(#[test]
        fn $name() {
            // The prompt of root is another.
            if is_root_or_was(concat!("shell::suite::", stringify!($name))) {
                check("dash", include_str!(concat!("snippets/", $file)));
            }
        })*
    };
}

suites! {
    quoting = "2.2-quoting.txt",
    tokens = "2.3-tokens.txt",
    parameters = "2.5-parameters.txt",
    tildes = "2.6.1-tilde.txt",
    parameter_expansion = "2.6.2-parameters.txt",
    command_substitution = "2.6.3-substitution.txt",
    arithmetic = "2.6.4-arithmetic.txt",
    field_splitting = "2.6.5-fields.txt",
    pathnames = "2.6.6-pathnames.txt",
    redirection = "2.7-redirection.txt",
    errors = "2.8-errors.txt",
    simple_commands = "2.9.1-simple.txt",
    pipelines = "2.9.2-pipelines.txt",
    lists = "2.9.3-lists.txt",
    compound_commands = "2.9.4-compound.txt",
    functions = "2.9.5-functions.txt",
    traps = "2.11-traps.txt",
    exit_on_failure = "set-e.txt",
    test_command = "test.txt",
    echo_and_printf = "printing.txt",
    read_command = "read.txt",
    other_built_ins = "utilities.txt",
}

#[test]
fn quotes_of_bash() {
    check("bash", include_str!("snippets/bash-quoting.txt"));
}

#[test]
fn grammar_of_bash() {
    check("bash", include_str!("snippets/bash-grammar.txt"));
}
