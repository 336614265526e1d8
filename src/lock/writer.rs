//! A lock to its canonical text: TOML of one fixed shape, sorted, one package a group of lines.

use std::fmt::{self, Display, Write};

use super::{FORMAT, File, Lock, Package, PackageKey, Role, Source, Suite, SuiteName};
use crate::date::Instant;

const HEADER: &str = "# Made by `icos lock`. To change it, change the definitions and run that again.\n";

/// Without it, a text cut short between two groups would be a lock of fewer packages.
const END: &str = "\n# The end.\n";

/// The text, which depends on the lock alone.
pub fn write(lock: &Lock) -> String {
    let mut out = String::from(HEADER);
    head(&mut out, lock);
    for skip in &lock.skips {
        out += "\n[[skip]]\n";
        line(&mut out, "package", Quoted(&skip.package));
        line(&mut out, "script", Quoted(&skip.script));
        line(&mut out, "reason", Quoted(&skip.reason));
    }
    for (name, entry) in &lock.suites {
        suite(&mut out, name, entry);
    }
    for (key, entry) in &lock.packages {
        package(&mut out, key, entry);
    }
    out + END
}

fn head(out: &mut String, lock: &Lock) {
    line(out, "format", FORMAT);
    line(out, "target", Quoted(&lock.target.to_string()));
    line(out, "base", Quoted(&lock.base));
    line(out, "architecture", Quoted(lock.architecture.as_str()));
    if !lock.foreign.is_empty() {
        let names: Vec<_> = lock.foreign.iter().map(|name| Quoted(name.as_str()).to_string()).collect();
        line(out, "foreign", format_args!("[{}]", names.join(", ")));
    }
    line(out, "snapshot", Quoted(&lock.snapshot.map_or("live".to_owned(), Instant::to_compact)));
    *out += "\n[policy]\n";
    line(out, "resolver", Quoted(&lock.policy.resolver));
    line(out, "recommends", lock.policy.recommends);
    line(out, "essential", lock.policy.essential);
    line(out, "required", lock.policy.required);
    line(out, "phasing", Quoted("include all"));
    *out += "\n[definitions]\n";
    for (path, sha256) in &lock.definitions {
        line(out, Quoted(path), Quoted(&sha256.to_string()));
    }
}

fn suite(out: &mut String, name: &SuiteName, suite: &Suite) {
    *out += "\n[[suite]]\n";
    line(out, "archive", Quoted(&name.archive));
    line(out, "name", Quoted(&name.suite));
    line(out, "date", Quoted(&suite.date.to_compact()));
    line(out, "signer", Quoted(&suite.signer.to_string()));
    line(out, "in-release", Quoted(&suite.in_release.to_string()));
    if let Some(signature) = suite.signature {
        line(out, "signature", Quoted(&signature.to_string()));
    }
    for (path, index) in &suite.indexes {
        *out += "\n[[suite.index]]\n";
        line(out, "path", Quoted(path));
        file(out, index);
    }
}

fn package(out: &mut String, key: &PackageKey, package: &Package) {
    *out += "\n[[package]]\n";
    line(out, "name", Quoted(key.name.as_str()));
    line(out, "version", Quoted(package.version.as_str()));
    line(out, "architecture", Quoted(key.architecture.as_str()));
    let path = match &package.source {
        Source::Archive { suite, index, path } => {
            line(out, "archive", Quoted(&suite.archive));
            line(out, "suite", Quoted(&suite.suite));
            line(out, "index", Quoted(index));
            path
        }
        Source::Project { path } => path,
    };
    line(out, "path", Quoted(path));
    file(out, &package.file);
    let roles: Vec<_> = Role::ALL.into_iter().filter(|role| package.roles.contains(role)).collect();
    let roles: Vec<_> = roles.iter().map(|role| format!("\"{}\"", role.as_str())).collect();
    line(out, "roles", format_args!("[{}]", roles.join(", ")));
    line(out, "why", Quoted(&package.why));
}

fn file(out: &mut String, file: &File) {
    line(out, "size", file.size);
    line(out, "sha256", Quoted(&file.sha256.to_string()));
}

fn line(out: &mut String, key: impl Display, value: impl Display) {
    writeln!(out, "{key} = {value}").expect("a String takes everything");
}

/// A basic string of TOML.
pub(crate) struct Quoted<'a>(pub(crate) &'a str);

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for c in self.0.chars() {
            match c {
                '"' | '\\' => write!(f, "\\{c}")?,
                c if c.is_control() => write!(f, "\\u{:04X}", u32::from(c))?,
                c => f.write_char(c)?,
            }
        }
        f.write_char('"')
    }
}
