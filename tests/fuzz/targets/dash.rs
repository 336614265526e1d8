//! Scripts of a grammar, given to dash and to icos: equal output and status. dash must be installed.
#![no_main]

use std::{
    os::unix::process::CommandExt,
    process::{Command, Stdio},
};

use icos::{
    epoch::Epoch,
    shell::{Call, Limits, Machine, run_script},
    tree::{Node, Stat, Timestamp, Tree},
};
use libfuzzer_sys::fuzz_target;

#[path = "../../it/shell/grammar.rs"]
mod grammar;

/// What dash says.
fn theirs(folder: &str, script: &str) -> (i32, Vec<u8>) {
    let _ = std::fs::remove_dir_all(folder);
    std::fs::create_dir(folder).expect("a scratch folder");
    let mut dash = Command::new("dash");
    // The name that its messages begin with.
    dash.arg0("/bin/dash");
    dash.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", "/home/user");
    let output = dash.arg("-c").arg(script).stdin(Stdio::null()).stderr(Stdio::null()).output().expect("dash runs");
    std::fs::remove_dir_all(folder).expect("it was made");
    (output.status.code().unwrap_or(-1), output.stdout)
}

/// What icos says.
fn ours(folder: &str, script: &str) -> (i32, Vec<u8>) {
    let stat = |mode| Stat::root(mode, Timestamp::default());
    let mut tree = Tree::new(stat(0o755));
    for path in ["/bin", folder] {
        tree.create_dir_all(path.as_bytes(), &stat(0o755)).expect("made");
    }
    for program in ["/bin/dash", "/bin/cat"] {
        tree.create(program.as_bytes(), stat(0o755), Node::Regular(b"\x7fELF".to_vec().into())).expect("made");
    }
    let limits = Limits { steps: 100_000, depth: 200, text: 1 << 20, bytes: 1 << 20 };
    let mut machine = Machine::new(tree, Epoch::from_variable(None).expect("0"), "amd64", limits);
    let environment =
        [("PATH", "/usr/bin:/bin"), ("HOME", "/home/user")].map(|(name, value)| (name.into(), value.into())).into();
    let arguments = [b"-c".to_vec(), script.as_bytes().to_vec()];
    let call = Call { path: b"/bin/dash", arguments: &arguments, environment: &environment, input: b"", together: false };
    let outcome = run_script(&mut machine, &call).expect("the grammar has nothing that is not modelled");
    (i32::from(outcome.status.0), outcome.output)
}

fuzz_target!(|data: &[u8]| {
    let folder = format!("/tmp/icos-fuzz-dash-{}", std::process::id());
    let script = format!("cd {folder}\n{}", grammar::script(data));
    assert_eq!(theirs(&folder, &script), ours(&folder, &script), "{script}");
});
