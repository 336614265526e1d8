//! A lock that its rehearsal refuses: every script that fails, and what can be done about it.

use std::{
    collections::BTreeSet,
    fmt::{self, Display, Write},
};

use super::image_file;
use crate::{
    configure::{self, Cause, Failure, last_lines},
    lock::{Lock, Role, writer::Quoted},
    manifest::image::Image,
    overlay::OverlayError,
};

/// Names, and characters of a command, that are shown before the rest is only counted.
const SHOWN_NAMES: usize = 6;
const SHOWN_COMMAND: usize = 160;

/// All that a rehearsal came to, in the order in which it came to it.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Refused {
    /// The image's definition.
    file: String,
    /// The table of it that skips scripts: its own or, when it has several bases, that of this one.
    table: String,
    scripts: Vec<Script>,
    /// Steps of overlays that fail.
    overlays: Vec<String>,
    /// What ended the rehearsal before its end.
    end: Option<String>,
}

/// A maintainer script that fails.
#[derive(Clone, Debug, serde::Serialize)]
struct Script {
    package: String,
    version: String,
    script: &'static str,
    arguments: Vec<String>,
    /// From the maintainer script to the place of the failure; empty for a status, and for what is no shell script.
    places: Vec<Place>,
    /// What icos could not do, word by word.
    command: Vec<String>,
    reason: String,
    /// The exit status of a script that ran to its end.
    status: Option<u8>,
    /// The last lines that it wrote.
    output: Vec<String>,
    /// The packages of the request that bring the package in.
    wanted_by: Vec<String>,
    /// The lock's reason for it.
    why: String,
    /// The script that failed before, and that this failure may only follow from.
    follows: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
struct Place {
    file: String,
    line: usize,
}

impl Refused {
    pub(super) fn new(
        lock: &Lock,
        image: &Image,
        requested: &BTreeSet<String>,
        failures: &[Failure],
        steps: &[OverlayError],
        end: Option<&configure::Error>,
    ) -> Self {
        Self {
            file: image_file(&lock.target.os),
            table: table(image, &lock.base),
            scripts: failures.iter().map(|failure| Script::new(lock, requested, failure)).collect(),
            overlays: steps.iter().map(ToString::to_string).collect(),
            end: end.map(ToString::to_string),
        }
    }

    /// What to put into the image's definition.
    pub fn hint(&self) -> Option<String> {
        if self.scripts.is_empty() {
            return None;
        }
        let mut text = format!(
            "{} can have such scripts left out; say as the reason what the system does without it:\n",
            self.file
        );
        for script in &self.scripts {
            text += &script.skip(&self.table);
        }
        Some(text)
    }
}

impl Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
        let parts = [(self.scripts.len(), "maintainer script"), (self.overlays.len(), "overlay step")];
        let parts: Vec<String> = parts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| count(*n, what)).collect();
        write!(f, "{} of the rehearsed build cannot be run:", parts.join(" and "))?;
        self.scripts.iter().try_for_each(|script| write!(f, "\n  {script}"))?;
        for step in &self.overlays {
            write!(f, "\n  {}", indented(step))?;
            if let Some(first) = self.scripts.first() {
                write!(f, "\n      may only follow from {} of {}", first.script, first.package)?;
            }
        }
        if let Some(end) = &self.end {
            write!(f, "\n  the rehearsal ended there: {}", indented(end))?;
        }
        Ok(())
    }
}

fn table(image: &Image, base: &str) -> String {
    let is_bare = base.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    match image.bases.len() {
        1 => "scripts.skip".to_owned(),
        _ if is_bare => format!("bases.{base}.scripts.skip"),
        _ => format!("bases.{}.scripts.skip", Quoted(base)),
    }
}

/// Further lines moved in as far as those of a script.
fn indented(text: &str) -> String {
    text.replace('\n', "\n    ")
}

impl Script {
    fn new(lock: &Lock, requested: &BTreeSet<String>, failure: &Failure) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (mut places, mut command) = (Vec::new(), Vec::new());
        let (reason, status) = match &failure.cause {
            Cause::Status(status) => (format!("it ends with status {status}"), Some(*status)),
            Cause::Fatal(fatal) => {
                places = fatal.places().into_iter().map(|(file, line)| Place { file: text(file), line }).collect();
                command = fatal.command().iter().map(|word| text(word)).collect();
                (fatal.reason().to_string(), None)
            }
        };
        // debconf has a script run once more, by its frontend: what leads there says nothing.
        let is_own = |place: &Place| place.file.ends_with(failure.script);
        if let Some(again) = places.iter().rposition(is_own) {
            places.drain(..again);
        }
        let locked = lock.packages(Role::Root).find(|(key, _)| key.name.as_str() == failure.package);
        Self {
            package: failure.package.clone(),
            version: failure.version.clone(),
            script: failure.script,
            arguments: failure.arguments.clone(),
            places,
            command,
            reason,
            status,
            output: last_lines(&failure.output),
            wanted_by: failure.dependents.intersection(requested).cloned().collect(),
            why: locked.map(|(_, package)| package.why.clone()).unwrap_or_default(),
            follows: failure.follows.as_ref().map(|(script, package)| format!("{script} of {package}")),
        }
    }

    /// The lines of TOML that leave it out; commented out when it may turn out not to be needed.
    fn skip(&self, table: &str) -> String {
        let reason = format!("icos does not run it: {}", self.reason);
        let mut lines = vec![
            format!("[[{table}]]"),
            format!("package = {}", Quoted(&self.package)),
            format!("script = {}", Quoted(self.script)),
            format!("reason = {}", Quoted(&reason)),
        ];
        if let Some(follows) = &self.follows {
            lines.insert(0, format!("only if it still fails without {follows}:"));
            lines.iter_mut().for_each(|line| line.insert_str(0, "# "));
        }
        format!("\n{}\n", lines.join("\n"))
    }
}

impl Display for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} {}", self.script, self.package, self.version)?;
        let arguments: Vec<&str> = self.arguments.iter().map(String::as_str).filter(|a| !a.is_empty()).collect();
        if arguments.first() == Some(&"triggered") {
            write!(f, " ({})", arguments.join(" "))?;
        }
        for (at, place) in self.places.iter().enumerate() {
            match at {
                0 if place.file.ends_with(self.script) => write!(f, ", line {}", place.line)?,
                _ => write!(f, ", {} line {}", place.file, place.line)?,
            }
        }
        write!(f, ": ")?;
        if !self.command.is_empty() {
            write!(f, "{}: ", shown(&self.command))?;
        }
        f.write_str(&self.reason)?;
        if self.status.is_some() {
            self.output.iter().try_for_each(|line| write!(f, "\n      > {line}"))?;
        }
        if let Some(follows) = &self.follows {
            write!(f, "\n      may only follow from {follows}")?;
        }
        if self.wanted_by.is_empty() {
            return write!(f, "\n      brought in as: {}", self.why);
        }
        let own = |name: &str| if name == self.package { "the request itself".to_owned() } else { name.to_owned() };
        let names: Vec<String> = self.wanted_by.iter().take(SHOWN_NAMES).map(|name| own(name)).collect();
        write!(f, "\n      brought in by {}", names.join(", "))?;
        let more = self.wanted_by.len().saturating_sub(SHOWN_NAMES);
        if more > 0 {
            write!(f, " and {more} more")?;
        }
        Ok(())
    }
}

/// A command as it might have been typed, on one line and not too long.
fn shown(command: &[String]) -> String {
    let mut text = String::new();
    for word in command {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=+,@%^".contains(c);
        let space = if text.is_empty() { "" } else { " " };
        let word = word.escape_debug().to_string().replace("\\\"", "\"").replace("\\'", "'");
        let written = match !word.is_empty() && word.chars().all(plain) {
            true => write!(text, "{space}{word}"),
            false => write!(text, "{space}'{word}'"),
        };
        written.expect("a String takes everything");
    }
    if text.chars().count() > SHOWN_COMMAND {
        text = text.chars().take(SHOWN_COMMAND).chain(['…']).collect();
    }
    format!("`{text}`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_on_one_line() {
        let check = |words: &[&str], expect: &str| {
            let words: Vec<String> = words.iter().map(ToString::to_string).collect();
            assert_eq!(shown(&words), expect);
        };
        check(&["semodule", "-s", "default"], "`semodule -s default`");
        check(&["perl", "-e", "print \"a\";\n1", ""], "`perl -e 'print \"a\";\\n1' ''`");
        check(&[&"x".repeat(200)], &format!("`{}…`", "x".repeat(SHOWN_COMMAND)));
    }
}
