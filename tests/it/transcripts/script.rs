//! The text of a transcript, read and written.
//!
//! ```text
//! given file PATH MODE UID:GID        followed by its lines, indented by four blanks
//! given folder PATH MODE UID:GID
//! given link PATH -> TARGET
//! programs NAME...                    further commands that are called
//! empty PATH                          a folder of the real system that begins empty
//! $ COMMAND WORD 'QUOTED WORD'
//! < a line of standard input
//! = STATUS
//! > a line of output
//! ! a line of standard error
//! file, folder, link, gone            what the command changed
//! ```

use std::collections::BTreeMap;

/// What a path is, as a transcript writes it: the words behind the path, and a file's lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub kind: &'static str,
    pub detail: String,
    pub content: Vec<u8>,
}

pub type Listing = BTreeMap<String, Entry>;

#[derive(Debug)]
pub struct Step {
    pub argv: Vec<String>,
    pub input: Vec<u8>,
    line: String,
}

#[derive(Debug, Default)]
pub struct Outcome {
    pub status: i32,
    pub output: Vec<u8>,
    pub errors: Vec<u8>,
    pub before: Listing,
    pub after: Listing,
}

#[derive(Debug, Default)]
pub struct Script {
    pub given: Listing,
    pub programs: Vec<String>,
    pub empty: Vec<String>,
    pub steps: Vec<Step>,
    preamble: String,
    /// Comments that stand before each step.
    comments: Vec<String>,
}

fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = line.trim_start();
    while !rest.is_empty() {
        let (word, behind) = match rest.strip_prefix('\'') {
            Some(quoted) => quoted.split_once('\'').expect("a closed quote"),
            None => rest.split_once(' ').unwrap_or((rest, "")),
        };
        words.push(word.to_owned());
        rest = behind.trim_start();
    }
    words
}

impl Script {
    pub fn parse(text: &str) -> Self {
        let mut script = Self::default();
        let mut file: Option<String> = None;
        let mut comment = String::new();
        for line in text.lines() {
            if let Some(command) = line.strip_prefix("$ ") {
                script.steps.push(Step { argv: words(command), input: Vec::new(), line: line.to_owned() });
                script.comments.push(std::mem::take(&mut comment));
                continue;
            }
            if let Some(step) = script.steps.last_mut() {
                if let Some(input) = line.strip_prefix("< ") {
                    step.input.extend_from_slice(input.as_bytes());
                    step.input.push(b'\n');
                } else if line.starts_with('#') {
                    comment.push_str(line);
                    comment.push('\n');
                }
                continue;
            }
            script.preamble.push_str(line);
            script.preamble.push('\n');
            if let (Some(content), Some(path)) = (line.strip_prefix("    "), &file) {
                let entry = script.given.get_mut(path).expect("a given file");
                entry.content.extend_from_slice(content.as_bytes());
                entry.content.push(b'\n');
                continue;
            }
            file = None;
            let words: Vec<&str> = line.split(' ').collect();
            match words.as_slice() {
                ["programs", names @ ..] => script.programs.extend(names.iter().map(|name| (*name).to_owned())),
                ["empty", path] => script.empty.push((*path).to_owned()),
                ["given", kind, path, detail @ ..] => {
                    let kind = ["file", "folder", "link"].into_iter().find(|k| k == kind).expect("a known kind");
                    let entry = Entry { kind, detail: detail.join(" "), content: Vec::new() };
                    script.given.insert((*path).to_owned(), entry);
                    file = Some((*path).to_owned());
                }
                _ => assert!(line.is_empty() || line.starts_with('#'), "a line of a transcript: {line}"),
            }
        }
        script
    }

    /// The transcript with these outcomes.
    pub fn with_outcomes(&self, outcomes: &[Outcome]) -> String {
        let mut text = self.preamble.clone();
        for ((step, outcome), comment) in self.steps.iter().zip(outcomes).zip(&self.comments) {
            if !text.ends_with("\n\n") {
                text.push('\n');
            }
            text.push_str(comment);
            text.push_str(&format!("{}\n", step.line));
            push_lines(&mut text, "< ", &step.input);
            text.push_str(&format!("= {}\n", outcome.status));
            push_lines(&mut text, "> ", &outcome.output);
            push_lines(&mut text, "! ", &sorted_where_order_is_none(step, &outcome.errors));
            for (path, entry) in &outcome.after {
                let old = outcome.before.get(path);
                if old != Some(entry) {
                    push_entry(&mut text, path, old, entry);
                }
            }
            for path in outcome.before.keys().filter(|path| !outcome.after.contains_key(*path)) {
                text.push_str(&format!("gone {path}\n"));
            }
        }
        text
    }
}

/// systemctl goes through directories as the file system lists them: such lines are compared without their order.
fn sorted_where_order_is_none(step: &Step, errors: &[u8]) -> Vec<u8> {
    let listed = ["preset-all", "disable", "reenable"];
    if step.argv[0] != "systemctl" || !step.argv.iter().any(|word| listed.contains(&word.as_str())) {
        return errors.to_vec();
    }
    let mut lines: Vec<&[u8]> = errors.split_inclusive(|&b| b == b'\n').collect();
    lines.sort_unstable();
    lines.concat()
}

fn push_lines(text: &mut String, mark: &str, bytes: &[u8]) {
    let lines = String::from_utf8_lossy(bytes).into_owned();
    for line in lines.lines() {
        text.push_str(format!("{mark}{line}").trim_end());
        text.push('\n');
    }
    if !lines.is_empty() && !lines.ends_with('\n') {
        text.push_str(&format!("{mark}(no newline)\n"));
    }
}

fn push_entry(text: &mut String, path: &str, old: Option<&Entry>, entry: &Entry) {
    let Entry { kind, detail, content } = entry;
    let readable = |content: &[u8]| std::str::from_utf8(content).is_ok_and(|t| t.len() < 65_536 && !t.contains('\0'));
    if !readable(content) {
        let sum = icos::digest::Sha256::of(content);
        text.push_str(&format!("{kind} {path} {detail} {} bytes {sum}\n", content.len()));
        return;
    }
    text.push_str(&format!("{kind} {path} {detail}\n"));
    let new = String::from_utf8_lossy(content);
    match old.filter(|old| old.kind == "file" && *kind == "file" && readable(&old.content)) {
        Some(old) => push_changes(text, &String::from_utf8_lossy(&old.content), &new),
        None => push_lines(text, "    ", content),
    }
}

/// What makes `old` into `new`: `@ N` is the line of `new` at which the lines below go or come.
fn push_changes(text: &mut String, old: &str, new: &str) {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    // longest[i][j]: length of the longest common subsequence of old[i..] and new[j..]
    let mut longest = vec![vec![0_u32; new.len() + 1]; old.len() + 1];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            longest[i][j] =
                if old[i] == new[j] { longest[i + 1][j + 1] + 1 } else { longest[i + 1][j].max(longest[i][j + 1]) };
        }
    }
    let (mut i, mut j, mut open) = (0, 0, false);
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            (i, j, open) = (i + 1, j + 1, false);
            continue;
        }
        if !open {
            text.push_str(&format!("    @ {}\n", j + 1));
            open = true;
        }
        if i < old.len() && (j == new.len() || longest[i + 1][j] >= longest[i][j + 1]) {
            text.push_str(format!("    - {}", old[i]).trim_end());
            i += 1;
        } else {
            text.push_str(format!("    + {}", new[j]).trim_end());
            j += 1;
        }
        text.push('\n');
    }
}

/// Paths that both sides leave out.
pub fn is_dropped(path: &str) -> bool {
    let backups = ["passwd-", "group-", "shadow-", "gshadow-", "subuid-", "subgid-", ".pwd.lock"];
    path.starts_with("/usr/")
        || path.starts_with("/var/log/")
        || path.contains("/__pycache__")
        || path.starts_with("/proc")
        || path.starts_with("/dev/")
        || path.starts_with("/run/adduser")
        || path.starts_with("/var/cache/ldconfig")
        || path.strip_prefix("/etc/").is_some_and(|name| backups.contains(&name))
}
