//! Scripts: they end within their limits, and never by a panic.
#![no_main]

use icos::{
    epoch::Epoch,
    shell::{Call, Limits, Machine, run_script},
    tree::{Node, Stat, Timestamp, Tree},
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let stat = |mode| Stat::root(mode, Timestamp::default());
    let mut tree = Tree::new(stat(0o755));
    for folder in ["/bin", "/tmp"] {
        tree.create_dir_all(folder.as_bytes(), &stat(0o755)).expect("made");
    }
    for program in ["sed", "grep", "awk", "find", "cut", "tr", "sort", "expr", "printf", "test", "cp", "mv", "ln"] {
        let path = format!("/bin/{program}");
        tree.create(path.as_bytes(), stat(0o755), Node::Regular(b"\x7fELF".to_vec().into())).expect("made");
    }
    let script = [b"#!/bin/sh\n", data].concat();
    tree.create(b"/script", stat(0o755), Node::Regular(script.into())).expect("made");
    let limits = Limits { steps: 2000, depth: 20, text: 1 << 20, bytes: 1 << 20 };
    let mut machine = Machine::new(tree, Epoch::from_variable(None).expect("0"), "amd64", limits);
    let environment = [(b"PATH".to_vec(), b"/bin".to_vec())].into_iter().collect();
    let _ =
        run_script(&mut machine, &Call { path: b"/script", arguments: &[], environment: &environment, input: b"x\n", together: false });
});
