//! `icos boot`: QEMU with UEFI firmware on a disk image, its serial console read until a text shows.
//!
//! The one place that starts a process. The image is opened as a snapshot: a boot never changes it.

use std::{
    io::{Read, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    time::{Duration, Instant},
};

/// How the guest's processor is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Acceleration {
    /// KVM where it really runs a kernel, software emulation elsewhere.
    Auto,
    Kvm,
    /// Software emulation.
    Tcg,
}

#[derive(Clone, Debug)]
pub struct Options {
    pub image: PathBuf,
    pub memory_mib: u32,
    pub processors: u32,
    pub acceleration: Acceleration,
    /// Folders to look for programs in.
    pub search: Vec<PathBuf>,
}

#[derive(Debug, thiserror::Error)]
pub enum BootError {
    #[error("`{0}` is not installed")]
    NoQemu(&'static str),
    #[error("no UEFI firmware for QEMU found (looked for {0})")]
    NoFirmware(String),
    #[error("{0}: not a file")]
    NoImage(PathBuf),
    #[error("starting `{program}`")]
    Start { program: PathBuf, source: std::io::Error },
    #[error("console of the virtual machine")]
    Console(#[from] std::io::Error),
    #[error("`{text}` did not show on the console within {seconds} s; its last lines:\n{tail}")]
    TimedOut { text: String, seconds: u64, tail: String },
    #[error("the virtual machine ended before `{text}` showed on the console; its last lines:\n{tail}")]
    Ended { text: String, tail: String },
}

impl BootError {
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NoQemu(_) => Some("install QEMU: on Debian and Ubuntu the package `qemu-system-x86`"),
            Self::NoFirmware(_) => Some("install the firmware: on Debian and Ubuntu the package `ovmf`"),
            Self::TimedOut { .. } => Some("emulation is slow on a busy machine: `--timeout` waits longer"),
            _ => None,
        }
    }
}

const QEMU: &str = "qemu-system-x86_64";

/// Code and variables of the firmware, by distribution.
const FIRMWARE: &[(&str, &str)] = &[
    ("/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"),
    ("/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/OVMF/OVMF_VARS.fd"),
    ("/usr/share/edk2/ovmf/OVMF_CODE.fd", "/usr/share/edk2/ovmf/OVMF_VARS.fd"),
    ("/usr/share/edk2/x64/OVMF_CODE.4m.fd", "/usr/share/edk2/x64/OVMF_VARS.4m.fd"),
];

/// A /dev/kvm that opens may still not run a kernel: that long may its console be silent.
const KVM_SILENCE: Duration = Duration::from_secs(30);

/// A running virtual machine and what its console has said.
#[derive(Debug)]
pub struct Session {
    child: Child,
    output: Receiver<Vec<u8>>,
    /// Everything read, terminal control sequences taken out.
    pub console: String,
    /// Up to where [`Session::wait_for`] has matched.
    matched: usize,
    escapes: Escapes,
    last_heard: Instant,
    echo: bool,
}

impl Drop for Session {
    /// The machine must not outlive its session, whatever ends it.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts the machine and waits until `text` shows; with [`Acceleration::Auto`] it starts again without KVM where KVM is silent.
pub fn boot(options: &Options, text: &str, timeout: Duration, echo: bool) -> Result<Session, BootError> {
    let usable = options.acceleration != Acceleration::Tcg
        && fs_err::OpenOptions::new().read(true).write(true).open("/dev/kvm").is_ok();
    if options.acceleration == Acceleration::Kvm || usable {
        let mut session = start(options, true, echo)?;
        let limit = if options.acceleration == Acceleration::Kvm { timeout } else { KVM_SILENCE };
        match session.wait_while_heard(text, timeout, limit) {
            Ok(()) => return Ok(session),
            Err(error) if options.acceleration == Acceleration::Kvm => return Err(error),
            Err(_) => {}
        }
    }
    let mut session = start(options, false, echo)?;
    session.wait_for(text, timeout)?;
    Ok(session)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the virtual machine is the one process that icos starts, and time is waited for"
)]
fn start(options: &Options, kvm: bool, echo: bool) -> Result<Session, BootError> {
    let program = options.search.iter().map(|folder| folder.join(QEMU)).find(|path| path.is_file());
    let program = program.ok_or(BootError::NoQemu(QEMU))?;
    let firmware =
        FIRMWARE.iter().find(|(code, variables)| Path::new(code).is_file() && Path::new(variables).is_file());
    let (code, variables) = firmware
        .ok_or_else(|| BootError::NoFirmware(FIRMWARE.iter().map(|(code, _)| *code).collect::<Vec<_>>().join(", ")))?;
    if !options.image.is_file() {
        return Err(BootError::NoImage(options.image.clone()));
    }
    let image = options.image.display().to_string().replace(',', ",,");
    let mut command = Command::new(&program);
    command.args(["-nodefaults", "-display", "none", "-no-reboot", "-serial", "stdio", "-machine", "q35"]);
    command.args(if kvm { ["-accel", "kvm", "-cpu", "host"].as_slice() } else { &["-accel", "tcg,thread=multi"] });
    command.args(["-m", &options.memory_mib.to_string(), "-smp", &options.processors.to_string()]);
    command.args(["-drive", &format!("if=pflash,format=raw,unit=0,readonly=on,file={code}")]);
    command.args(["-drive", &format!("if=pflash,format=raw,unit=1,snapshot=on,file={variables}")]);
    command.args(["-drive", &format!("if=none,id=disk,format=raw,snapshot=on,file={image}")]);
    command.args(["-device", "virtio-blk-pci,drive=disk,bootindex=0"]);
    command.args(["-netdev", "user,id=net", "-device", "virtio-net-pci,netdev=net", "-device", "virtio-rng-pci"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
    let mut child = command.spawn().map_err(|source| BootError::Start { program, source })?;
    let mut stdout = child.stdout.take().expect("stdout is piped");
    let (sender, output) = channel();
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = stdout.read(&mut buffer) {
            if sender.send(buffer[..count].to_vec()).is_err() {
                break;
            }
        }
    });
    let (console, matched, escapes) = (String::new(), 0, Escapes::default());
    Ok(Session { child, output, console, matched, escapes, last_heard: Instant::now(), echo })
}

impl Session {
    /// Waits until `text` shows on the console after what was last waited for.
    pub fn wait_for(&mut self, text: &str, timeout: Duration) -> Result<(), BootError> {
        self.wait_while_heard(text, timeout, timeout)
    }

    /// As [`Session::wait_for`], giving up early when nothing at all is said for `silence`.
    #[expect(clippy::disallowed_methods, reason = "a timeout is about real time; nothing of it reaches an image")]
    fn wait_while_heard(&mut self, text: &str, timeout: Duration, silence: Duration) -> Result<(), BootError> {
        let deadline = Instant::now() + timeout;
        loop {
            if let Some(at) = self.console[self.matched..].find(text) {
                self.matched += at + text.len();
                return Ok(());
            }
            let until = deadline.min(self.last_heard + silence);
            match self.output.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(bytes) => self.hear(&bytes)?,
                Err(RecvTimeoutError::Timeout) => {
                    let (text, seconds) = (text.to_owned(), timeout.as_secs());
                    return Err(BootError::TimedOut { text, seconds, tail: self.tail() });
                }
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(BootError::Ended { text: text.to_owned(), tail: self.tail() });
                }
            }
        }
    }

    /// Types on the console.
    pub fn send(&mut self, text: &str) -> Result<(), BootError> {
        let stdin = self.child.stdin.as_mut().expect("stdin is piped");
        stdin.write_all(text.as_bytes())?;
        stdin.flush()?;
        Ok(())
    }

    #[expect(clippy::disallowed_methods, reason = "a timeout is about real time; nothing of it reaches an image")]
    fn hear(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.last_heard = Instant::now();
        let plain = self.escapes.strip(bytes);
        if self.echo {
            let mut stderr = std::io::stderr().lock();
            stderr.write_all(plain.as_bytes())?;
            stderr.flush()?;
        }
        self.console.push_str(&plain);
        Ok(())
    }

    fn tail(&self) -> String {
        let lines: Vec<&str> = self.console.lines().filter(|line| !line.trim().is_empty()).collect();
        lines[lines.len().saturating_sub(15)..].iter().map(|line| format!("  {line}\n")).collect()
    }
}

/// Takes terminal control sequences (ECMA-48: ESC, then `[` parameters and a final letter) out of a stream of UTF-8.
#[derive(Debug, Default)]
struct Escapes {
    state: State,
    /// The beginning of a character whose end has not been read yet.
    begun: Vec<u8>,
}

#[derive(Clone, Copy, Debug, Default)]
enum State {
    #[default]
    Plain,
    Escape,
    Sequence,
}

impl Escapes {
    fn strip(&mut self, bytes: &[u8]) -> String {
        let mut plain = std::mem::take(&mut self.begun);
        for &byte in bytes {
            self.state = match (self.state, byte) {
                (State::Plain, 0x1b) => State::Escape,
                (State::Plain, b'\r') => State::Plain,
                (State::Plain, _) => {
                    plain.push(byte);
                    State::Plain
                }
                (State::Escape, b'[') => State::Sequence,
                (State::Sequence, 0x20..=0x3f) => State::Sequence,
                (State::Escape | State::Sequence, _) => State::Plain,
            };
        }
        let unfinished = plain.utf8_chunks().last().map_or(0, |chunk| match std::str::from_utf8(chunk.invalid()) {
            Err(error) if error.error_len().is_none() => chunk.invalid().len(),
            _ => 0,
        });
        self.begun = plain.split_off(plain.len() - unfinished);
        String::from_utf8_lossy(&plain).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strips_control_sequences_across_reads() {
        let check = |heard: &[&[u8]], expect: &str| {
            let mut escapes = Escapes::default();
            let plain: String = heard.iter().map(|bytes| escapes.strip(bytes)).collect();
            assert_eq!(plain, expect);
        };
        check(&[b"a\x1b[01;3", b"1mb\r\n\x1b", b"[2Jlogin: "], "ab\nlogin: ");
        check(&[b"service\xe2", b"\x80", b"\xa6the"], "service\u{2026}the");
        check(&[b"\xe2", b"a\xff", b"b"], "\u{fffd}a\u{fffd}b");
    }
}
