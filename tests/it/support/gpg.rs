//! GnuPG in a home of its own: makes keys and signatures, also bad ones, for tests of trust.

use std::{io::Write, path::Path, process::Stdio};

use super::judge::judge;

/// A GnuPG home that is removed, with its agent, at the end.
pub struct Gpg {
    home: tempfile::TempDir,
}

impl Gpg {
    /// `None` when gpg is not installed and this is not CI.
    pub fn new() -> Option<Self> {
        judge("gpg")?;
        // The agent's socket must not have a long path.
        let home = tempfile::Builder::new().prefix("icos-gpg").tempdir_in("/tmp").expect("a folder");
        Some(Self { home })
    }

    /// Makes a key without passphrase and end; returns its fingerprint. `usage` as gpg has it: `sign`, `cert`.
    pub fn key(&self, name: &str, algorithm: &str, usage: &str) -> String {
        self.key_at("20240101T000000", name, algorithm, usage, "never")
    }

    pub fn key_at(&self, time: &str, name: &str, algorithm: &str, usage: &str, expire: &str) -> String {
        let user = format!("{name} <{name}@example.org>");
        self.ok(&["--faked-system-time", time, "--quick-gen-key", &user, algorithm, usage, expire], b"");
        let listing = self.ok(&["--with-colons", "--list-keys", &format!("={user}")], b"");
        let listing = String::from_utf8(listing).expect("text");
        let line = listing.lines().find(|line| line.starts_with("fpr:")).expect("a fingerprint");
        line.trim_matches(|c| !char::is_alphanumeric(c)).rsplit(':').next().expect("a field").to_owned()
    }

    /// The certificate, armored.
    pub fn export(&self, key: &str) -> Vec<u8> {
        self.ok(&["--armor", "--export", key], b"")
    }

    /// A clearsigned message, made on 2024-06-01 unless `options` say otherwise.
    pub fn clearsign(&self, key: &str, text: &str, options: &[&str]) -> Vec<u8> {
        let arguments = ["--faked-system-time", "20240601T000000"];
        let arguments = [&arguments, options, &["--local-user", key, "--clearsign"]].concat();
        self.ok(&arguments, text.as_bytes())
    }

    /// Runs gpg, which must succeed.
    pub fn ok(&self, arguments: &[&str], input: &[u8]) -> Vec<u8> {
        let (code, output, errors) = self.run("gpg", arguments, input);
        assert!(code == 0, "gpg {arguments:?}: {errors}");
        output
    }

    /// Runs gpgv with the keys of an armored file; true when it finds a good signature and nothing bad.
    pub fn gpgv(&self, keys: &[u8], files: &[&Path]) -> bool {
        let ring = self.home.path().join("judge.gpg");
        let dearmored = self.ok(&["--dearmor"], keys);
        fs_err::write(&ring, dearmored).expect("writable");
        let mut arguments = vec!["--keyring", ring.to_str().expect("UTF-8")];
        arguments.extend(files.iter().map(|file| file.to_str().expect("UTF-8")));
        self.run("gpgv", &arguments, b"").0 == 0
    }

    pub fn folder(&self) -> &Path {
        self.home.path()
    }

    fn run(&self, program: &str, arguments: &[&str], input: &[u8]) -> (i32, Vec<u8>, String) {
        let mut command = judge(program).expect("gpg and gpgv come together");
        command.arg("--homedir").arg(self.home.path());
        if program == "gpg" {
            command.args(["--batch", "--yes", "--quiet", "--pinentry-mode", "loopback", "--passphrase", ""]);
        }
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("gpg starts");
        let mut stdin = child.stdin.take().expect("piped");
        let input = input.to_vec();
        let feeder = std::thread::spawn(move || stdin.write_all(&input));
        let output = child.wait_with_output().expect("gpg ends");
        // A program that ends without reading everything is no fault of the feeder.
        let _ = feeder.join().expect("the feeder ends");
        (output.status.code().unwrap_or(-1), output.stdout, String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

impl Drop for Gpg {
    fn drop(&mut self) {
        if let Some(mut gpgconf) = judge("gpgconf") {
            let _ = gpgconf.arg("--homedir").arg(self.home.path()).args(["--kill", "all"]).output();
        }
    }
}
