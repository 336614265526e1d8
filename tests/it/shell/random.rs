//! Random scripts given to dash and to icos: equal output, status and files.

use super::{
    both::{Seen, icos, real},
    grammar,
};
use crate::support::{judge::judge, random::Random};

/// Scripts in the usual suite, and in the long one.
const FEW: u64 = 300;
const MANY: u64 = 5_000;

fn check(seeds: std::ops::Range<u64>) {
    let mut faults = Vec::new();
    for seed in seeds {
        let Some(dash) = judge("dash") else { return };
        let mut random = Random::new(seed);
        let length = 4 + random.below(60);
        let bytes: Vec<u8> = (0..length).map(|_| random.below(256) as u8).collect();
        let script = grammar::script(&bytes);
        let scratch = tempfile::tempdir().expect("a scratch folder");
        let folder = scratch.path().join("work");
        fs_err::create_dir(&folder).expect("made");
        let theirs = real(dash, &folder, script.as_bytes());
        let ours = icos("/bin/dash", &folder, script.as_bytes());
        let seen = |seen: &Seen| (seen.status, seen.output.clone(), seen.files.clone());
        if seen(&theirs) != seen(&ours) {
            faults.push(format!("seed {seed}:\n{script}\n    dash: {theirs:?}\n    icos: {ours:?}"));
        }
    }
    let shown = &faults[..faults.len().min(5)];
    assert!(faults.is_empty(), "{} differ:\n{}", faults.len(), shown.join("\n"));
}

#[test]
fn random_scripts_do_what_dash_does() {
    check(0..FEW);
}

#[test]
#[ignore = "a named suite of some minutes"]
fn many_random_scripts_do_what_dash_does() {
    check(FEW..MANY);
}
