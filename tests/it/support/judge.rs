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
