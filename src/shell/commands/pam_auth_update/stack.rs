//! The files themselves: a template whose two blocks are filled with the lines of the chosen profiles.

use md5::{Digest, Md5};

use super::{
    OVERRIDE, Places, TEMPLATES, TYPES, ask,
    current::{Changes, without_jump},
    profile::{Block, Profiles},
};
use crate::shell::{Fatal, Process, files::show};

/// The marks of a template: before and after the first block, before and after the second.
pub(super) const PRIMARY: &str = "# here are the per-package modules (the \"Primary\" block)";
pub(super) const FALLBACK: &str = "# here's the fallback if no module succeeds";
pub(super) const ADDITIONAL: &str = "# and here are more per-package modules (the \"Additional\" block)";
pub(super) const END: &str = "# end of pam-auth-update config";

const PERMIT: &str = "[default=1]\t\t\tpam_permit.so";

/// A line of a profile.
#[derive(Debug)]
pub(super) struct Line {
    /// What to do with the module's answer, and the module.
    pub(super) module: String,
    pub(super) options: Vec<String>,
}

impl Line {
    pub(super) fn parse(line: &str) -> Option<Self> {
        let control = match line.strip_prefix('[') {
            Some(rest) => rest.find(']').filter(|at| *at > 0)? + 2,
            None => line.find(|c: char| c != '_' && !c.is_alphanumeric()).filter(|at| *at > 0)?,
        };
        let name = &line[control..];
        let start = control + name.len() - name.trim_start().len();
        let length = line[start..].find(char::is_whitespace).unwrap_or(line.len() - start);
        if start == control || length == 0 {
            return None;
        }
        let options = line[start + length..].split_whitespace().map(str::to_owned).collect();
        Some(Self { module: line[..start + length].to_owned(), options })
    }

    /// With the changes that were made by hand, its jump to the end being `count` lines long.
    fn written(&self, name: &'static str, changes: Option<&Changes>, count: usize) -> String {
        let module = self.module.replace("end", &count.to_string());
        let key = without_jump(&module);
        let of = |all: &std::collections::BTreeMap<&'static str, super::current::Options>| {
            all.get(name).and_then(|lines| lines.get(&key)).cloned().unwrap_or_default()
        };
        let (mut added, removed) = changes.map(|c| (of(&c.added), of(&c.removed))).unwrap_or_default();
        let mut options: Vec<&str> = Vec::new();
        for option in &self.options {
            added.remove(option);
            if !removed.contains(option) {
                options.push(option);
            }
        }
        options.extend(added.iter().map(String::as_str));
        format!("{module} {}\n", options.join(" "))
    }
}

/// Writes all files and the memory of them; inside is what the real program would die of.
pub(super) fn write(
    process: &mut Process<'_>,
    profiles: &Profiles,
    chosen: &[String],
    places: &Places,
    changes: Option<Changes>,
    force: bool,
) -> Result<Result<(), String>, Fatal> {
    for (name, kind) in TYPES {
        let file = [places.files.as_slice(), b"/common-", name.as_bytes()].concat();
        let shipped = format!("{TEMPLATES}{name}").into_bytes();
        let templates = if is_old(process, &file)? { vec![&shipped] } else { vec![&file] };
        let templates = templates.into_iter().chain(force.then_some(&shipped));
        let mut text = None;
        for template in templates {
            text = match process.read_file(template).map(|bytes| String::from_utf8(bytes.to_vec())) {
                Ok(Ok(template)) => filled(process, &template, profiles, chosen, (name, kind), changes.as_ref())?,
                Ok(Err(_)) => return Err(process.not_modelled(format!("{} that is not UTF-8", show(template)))),
                Err(_) => None,
            };
            if text.is_some() {
                break;
            }
        }
        // Without a usable template the real program leaves this file and the others, and says nothing.
        let Some(text) = text else { return Ok(Ok(())) };
        let memory = [places.memory.as_slice(), b"/", name.as_bytes()].concat();
        if force && let Ok(old) = process.read_file(&file) {
            let backup = [file.as_slice(), b".pam-old"].concat();
            if process.write_file(&backup, old.to_vec()).is_err() {
                return Ok(Err(format!("cp -f {0} {0}.pam.old failed", show(&file))));
            }
        }
        for (path, text) in [(&file, text), (&memory, remembered(profiles, chosen, name))] {
            if let Err(error) = replace(process, path, text) {
                return Ok(Err(format!("rename to {} failed: {error}", show(path))));
            }
        }
    }
    ask(process, &format!("FSET {OVERRIDE} seen false"));
    ask(process, &format!("SET {OVERRIDE} false"));
    Ok(Ok(()))
}

/// A new file in place of an old one.
fn replace(process: &mut Process<'_>, path: &[u8], text: String) -> Result<(), crate::tree::PathError> {
    let new = [path, b".new"].concat();
    process.write_file(&new, text.into_bytes())?;
    let (from, to) = (process.absolute(&new), process.absolute(path));
    process.machine.tree.rename(&from, &to)
}

/// The name that a type's fields have in profiles.
fn field(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_ascii_uppercase().to_string() + letters.as_str())
}

/// Whether a file's text outside the blocks is that of a template which some release had: then the present one is taken. The
/// sums of those texts stand in the program that the target has.
fn is_old(process: &mut Process<'_>, file: &[u8]) -> Result<bool, Fatal> {
    let Ok(bytes) = process.read_file(file) else { return Ok(false) };
    let program = process.read_file(b"/usr/sbin/pam-auth-update").unwrap_or_default();
    let mut outside = Md5::new();
    let mut end: Option<&str> = None;
    let mut begins = [(PRIMARY, FALLBACK), (ADDITIONAL, END)].into_iter().peekable();
    for line in bytes.split_inclusive(|&byte| byte == b'\n') {
        match end {
            Some(mark) if !line.starts_with(mark.as_bytes()) => continue,
            Some(_) => end = None,
            None if begins.peek().is_some_and(|(begin, _)| line.starts_with(begin.as_bytes())) => {
                end = begins.next().map(|(_, end)| end);
            }
            None => {}
        }
        outside.update(line);
    }
    let sum: String = outside.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(memchr::memmem::find(&program, sum.as_bytes()).is_some())
}

/// A template with its blocks filled, or nothing when it lacks a mark.
fn filled(
    process: &Process<'_>,
    template: &str,
    profiles: &Profiles,
    chosen: &[String],
    (name, kind): (&'static str, &str),
    changes: Option<&Changes>,
) -> Result<Option<String>, Fatal> {
    let mut text = String::new();
    let mut state = 0;
    for line in template.split_inclusive('\n') {
        match state {
            1 if !line.starts_with(FALLBACK) => continue,
            3 if !line.starts_with(END) => continue,
            1 | 3 => state += 1,
            _ => {
                let (mark, block) =
                    if state == 0 { (PRIMARY, Block::Primary) } else { (ADDITIONAL, Block::Additional) };
                if state < 4 && line.starts_with(mark) {
                    text.push_str(line);
                    text.push_str(
                        &lines(profiles, chosen, (name, kind), block, changes)
                            .map_err(|line| process.not_modelled(format!("a profile's line `{line}`")))?,
                    );
                    state += 1;
                    continue;
                }
            }
        }
        text.push_str(line);
    }
    Ok((state == 4).then_some(text))
}

/// The lines of one block. An error is a line that is not of PAM's form.
fn lines(
    profiles: &Profiles,
    chosen: &[String],
    (name, kind): (&'static str, &str),
    block: Block,
    changes: Option<&Changes>,
) -> Result<String, String> {
    let field = field(name);
    let members: Vec<&String> = chosen.iter().filter(|name| profiles.block(name, &field) == Some(block)).collect();
    let all: Vec<&str> = members
        .iter()
        .enumerate()
        .flat_map(|(index, name)| profiles.lines(name, &field, index == 0).split('\n').filter(|line| !line.is_empty()))
        .collect();
    if block == Block::Primary && all.is_empty() {
        return Ok(format!("{kind}\t{PERMIT}\n"));
    }
    // A jump in the second block must not lead out of the stack.
    let mut count = if block == Block::Additional { all.len().saturating_sub(1) } else { all.len() };
    let mut text = String::new();
    for line in all {
        let line = Line::parse(line).ok_or_else(|| line.to_owned())?;
        text.push_str(&format!("{kind}\t{}", line.written(name, changes, count)));
        count = count.saturating_sub(1);
    }
    Ok(text)
}

/// What is remembered of a file: the lines of its profiles.
fn remembered(profiles: &Profiles, chosen: &[String], name: &str) -> String {
    let field = field(name);
    let mut text = String::new();
    for block in [Block::Primary, Block::Additional] {
        let members = chosen.iter().filter(|name| profiles.block(name, &field) == Some(block));
        let before = text.len();
        let mut any = false;
        for (index, name) in members.enumerate() {
            any = true;
            let lines = profiles.lines(name, &field, index == 0);
            if !lines.is_empty() {
                text.push_str(&format!("Module: {name}\n{lines}\n"));
            }
        }
        if block == Block::Primary && !any && text.len() == before {
            text.push_str(&format!("Module: null\n{PERMIT}\n"));
        }
    }
    text
}
