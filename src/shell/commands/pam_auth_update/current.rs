//! What was changed by hand in the files since they were made: options added to or taken from the lines of profiles.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::{
    Places, TYPES,
    stack::{ADDITIONAL, END, FALLBACK, Line, PRIMARY},
};
use crate::shell::{Fatal, Process};

/// By line, its jump's length left out.
pub(super) type Options = BTreeMap<String, BTreeSet<String>>;

/// The changes of all files.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// The profiles whose lines are there, in the files' order.
    pub(super) modules: Vec<String>,
    /// By file.
    pub(super) added: BTreeMap<&'static str, Options>,
    pub(super) removed: BTreeMap<&'static str, Options>,
}

/// Compares the files with what is remembered of them. `None` when they can't be told apart: one is missing, has lines that no
/// profile made, or lacks the marks.
pub(super) fn changes(process: &mut Process<'_>, places: &Places) -> Result<Option<Changes>, Fatal> {
    let mut changes = Changes::default();
    for (name, kind) in TYPES {
        let remembered = [places.memory.as_slice(), b"/", name.as_bytes()].concat();
        let file = [places.files.as_slice(), b"/common-", name.as_bytes()].concat();
        let (Ok(remembered), Ok(file)) = (process.read_file(&remembered), process.read_file(&file)) else {
            return Ok(None);
        };
        let (Ok(remembered), Ok(file)) = (std::str::from_utf8(&remembered), std::str::from_utf8(&file)) else {
            return Err(process.not_modelled(format!("common-{name} that is not UTF-8")));
        };
        if compare(&mut changes, name, kind, remembered, file).is_none() {
            return Ok(None);
        }
    }
    Ok(Some(changes))
}

/// The line without the length of its jump.
pub(super) fn without_jump(line: &str) -> String {
    let digits = line.find('[').and_then(|open| line[open..].find(|c: char| c.is_ascii_digit()).map(|at| open + at));
    let Some(start) = digits else { return line.to_owned() };
    let end = line[start..].find(|c: char| !c.is_ascii_digit()).map_or(line.len(), |length| start + length);
    if line[end..].contains(']') { format!("{}{}", &line[..start], &line[end..]) } else { line.to_owned() }
}

/// A remembered line without the word that stands for a jump to the end of its block.
fn without_end(line: &str) -> String {
    let close = line.rfind(']').unwrap_or(0);
    let word = line.find('[').and_then(|open| line[..close].rfind("end").filter(|at| *at > open));
    word.map_or_else(|| line.to_owned(), |at| format!("{}{}", &line[..at], &line[at + 3..]))
}

/// Notes the changes of one file.
fn compare(changes: &mut Changes, name: &'static str, kind: &str, remembered: &str, file: &str) -> Option<()> {
    let mut module = "";
    let mut saved = VecDeque::new();
    for line in remembered.lines() {
        match line.strip_prefix("Module: ") {
            Some(name) => module = name,
            None => saved.push_back((module.to_owned(), without_end(&without_jump(line)))),
        }
    }
    let mut state = 0;
    for line in file.lines() {
        match state {
            0 => {
                state = usize::from(line.starts_with(PRIMARY));
                continue;
            }
            1 if line.starts_with(FALLBACK) => {
                state = 2;
                continue;
            }
            2 => {
                state += usize::from(line.starts_with(ADDITIONAL));
                continue;
            }
            3 if line.starts_with(END) => break,
            _ => {}
        }
        let bare = line.strip_prefix(kind).filter(|rest| rest.starts_with(char::is_whitespace)).map(str::trim_start);
        let line = without_jump(bare.unwrap_or(line));
        let (module, known, options) = loop {
            // A line that no profile made is somebody's own.
            let (module, known) = saved.pop_front()?;
            let known = Line::parse(&known)?;
            if let Some(options) = line.strip_prefix(&known.module) {
                break (module, known, options.trim().to_owned());
            }
        };
        changes.modules.push(module);
        let there: Vec<&str> = options.split_whitespace().collect();
        let added = there.iter().filter(|option| !known.options.iter().any(|known| known == *option));
        let removed = known.options.iter().filter(|option| !there.contains(&option.as_str()));
        changes
            .added
            .entry(name)
            .or_default()
            .entry(known.module.clone())
            .or_default()
            .extend(added.map(|o| (*o).to_owned()));
        changes.removed.entry(name).or_default().entry(known.module.clone()).or_default().extend(removed.cloned());
    }
    (state == 3).then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jumps_are_left_out() {
        let check = |line: &str, expect: &str| assert_eq!(without_end(&without_jump(line)), expect, "{line}");
        check("[success=2 default=ignore]\tpam_unix.so nullok", "[success= default=ignore]\tpam_unix.so nullok");
        check("[success=end default=ignore]\tpam_unix.so", "[success= default=ignore]\tpam_unix.so");
        check("required\tpam_x.so n=3", "required\tpam_x.so n=3");
        check("[default=1]\t\tpam_permit.so", "[default=]\t\tpam_permit.so");
        check("[x=1", "[x=1");
        check("required pam_vendor.so", "required pam_vendor.so");
    }
}
