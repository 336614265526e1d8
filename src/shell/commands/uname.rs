//! `uname` and `arch`: what system this is, namely the target's.

use crate::shell::{Fatal, Process, Status, options::parse};

/// What `-v` says: nothing of it can depend on the machine that builds.
const KERNEL_VERSION: &str = "#1 SMP";

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = parse(
        process,
        &[
            "a all",
            "s kernel-name",
            "n nodename",
            "r kernel-release",
            "v kernel-version",
            "m machine",
            "p processor",
            "i hardware-platform",
            "o operating-system",
        ],
    )?;
    if let Some(extra) = arguments.operands.first() {
        let message = format!("extra operand '{}'", extra.escape_ascii());
        return process.fail(&message);
    }
    let machine = machine(process);
    let host = super::hostname::name(process);
    let release = process.machine.kernel_release.clone();
    let all = arguments.has("a");
    let wanted = |option: &str| all || arguments.has(option);
    let mut words: Vec<String> = Vec::new();
    for (option, word) in
        [("s", "Linux"), ("n", host.as_str()), ("r", release.as_str()), ("v", KERNEL_VERSION), ("m", machine.as_str())]
    {
        if wanted(option) || (option == "s" && arguments.options.is_empty()) {
            words.push(word.to_owned());
        }
    }
    for option in ["p", "i"] {
        if arguments.has(option) {
            words.push("unknown".to_owned());
        }
    }
    if wanted("o") {
        words.push("GNU/Linux".to_owned());
    }
    process.out(format!("{}\n", words.join(" ")).as_bytes())?;
    Ok(Status::SUCCESS)
}

pub(super) fn arch(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = parse(process, &[])?;
    if !arguments.operands.is_empty() {
        return process.wrong_operands(&arguments.operands, 0);
    }
    process.out(format!("{}\n", machine(process)).as_bytes())?;
    Ok(Status::SUCCESS)
}

/// The kernel's name of the target's architecture.
fn machine(process: &Process<'_>) -> String {
    match process.machine.architecture.as_str() {
        "amd64" => "x86_64",
        "arm64" => "aarch64",
        "i386" => "i686",
        "armhf" => "armv7l",
        "ppc64el" => "ppc64le",
        other => other,
    }
    .to_owned()
}
