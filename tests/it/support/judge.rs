//! Foreign programs whose opinion counts. A missing one fails the test in CI and skips it, visibly, elsewhere.

use std::process::Command;

/// The judge as a command, or `None` after saying so when it is not installed and this is not CI.
#[expect(clippy::disallowed_methods, reason = "judges are processes, and CI says by a variable that all must be there")]
#[expect(clippy::print_stderr, reason = "a skip must be seen")]
pub fn judge(program: &str) -> Option<Command> {
    let folders = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];
    if let Some(folder) = folders.iter().find(|folder| std::path::Path::new(folder).join(program).is_file()) {
        let mut command = Command::new(format!("{folder}/{program}"));
        command.env("LC_ALL", "C.UTF-8").env("TZ", "UTC");
        return Some(command);
    }
    assert!(std::env::var_os("CI").is_none(), "judge `{program}` is not installed; CI must install it");
    eprintln!("skipped: judge `{program}` is not installed");
    None
}

/// Runs a judge and returns (exit code, standard output, standard error).
pub fn run(command: &mut Command) -> (i32, String, String) {
    let output = command.output().expect("the judge starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
}

/// Starts a program, interrupts it as soon as its standard error shows `text`, and returns its exit status.
pub fn interrupted(mut command: Command, text: &str) -> Option<i32> {
    let mut child = command.stderr(std::process::Stdio::piped()).spawn().expect("it starts");
    let mut errors = child.stderr.take().expect("piped");
    let (mut seen, mut buffer) = (String::new(), [0; 4096]);
    while !seen.contains(text) {
        let count = std::io::Read::read(&mut errors, &mut buffer).expect("readable");
        assert!(count > 0, "it ended: {seen}");
        seen.push_str(&String::from_utf8_lossy(&buffer[..count]));
    }
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).expect("it runs");
    child.wait().expect("it ends").code()
}

/// What starts a program in namespaces of its own, when the kernel lets us: `None` after saying so.
#[expect(
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "CI says by a variable that all must work; a skip is seen"
)]
pub fn unshare(options: &[&str], then: &[&str]) -> Option<Vec<String>> {
    judge("unshare")?;
    let words = [&["/usr/bin/unshare"], options, then].concat();
    let mut command = Command::new(words[0]);
    let (code, _, errors) = run(command.args(&words[1..]).arg("true"));
    if code == 0 {
        return Some(words.iter().map(|word| (*word).to_owned()).collect());
    }
    assert!(std::env::var_os("CI").is_none(), "{words:?}: {errors}; CI must permit it");
    eprintln!("skipped: {words:?}: {errors}");
    None
}

/// Runs the test of this name in a user namespace, where an ordinary user is root of his own files as programs see it; `true` when
/// that is needless, and the caller is to go on itself.
pub fn is_root_or_was(test: &str) -> bool {
    if rustix::process::geteuid().is_root() {
        return true;
    }
    if let Some(words) = unshare(&["-r"], &[]) {
        let mut command = judge("env").expect("coreutils");
        command.args(words).arg(std::env::current_exe().expect("the tests' program")).args([test, "--exact"]);
        let (code, output, errors) = run(&mut command);
        assert!(code == 0 && output.contains("1 passed"), "{output}{errors}");
    }
    false
}
