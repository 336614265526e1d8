//! `chronyd -p`: the directives that a configuration and what it includes have.

use super::super::{
    Fatal, Process, Status,
    files::{base_name, dir_name, join, show},
    options,
    pattern::Pattern,
};

/// How deep files may include one another.
const DEPTH: usize = 10;

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = options::parse(process, &["p", "f=", "4", "6"])?;
    if !arguments.has("p") {
        return Err(process.not_modelled("anything but printing the configuration"));
    }
    if !arguments.operands.is_empty() {
        return Err(process.not_modelled("directives on the command line"));
    }
    let file = arguments.value("f").unwrap_or(b"/etc/chrony/chrony.conf").to_vec();
    read(process, &file, 0)
}

/// Prints what a file has. Whether chrony knows the directives is not looked at.
fn read(process: &mut Process<'_>, path: &[u8], depth: usize) -> Result<Status, Fatal> {
    if depth > DEPTH {
        return process.fail("Fatal error : Maximum include level reached");
    }
    let text = match process.machine.tree.read(&process.absolute(path)) {
        Ok(text) => text,
        Err(error) => return process.fail(&format!("Fatal error : Could not open {} : {}", show(path), error.errno)),
    };
    for line in text.split(|&b| b == b'\n') {
        let words: Vec<&[u8]> = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).collect();
        let Some(first) = words.first().filter(|word| !b"!;#%".contains(&word[0])) else { continue };
        let files = match first.to_ascii_lowercase().as_slice() {
            b"include" => matching(process, words.get(1).copied().unwrap_or_default())?,
            b"confdir" => overriding(process, &words[1..]),
            _ => {
                let line = words.join(b" ".as_slice());
                process.out(&[line.as_slice(), b"\n"].concat())?;
                continue;
            }
        };
        for file in files {
            let status = read(process, &file, depth + 1)?;
            if !status.success() {
                return Ok(status);
            }
        }
    }
    Ok(Status::SUCCESS)
}

/// The files that a pattern means.
fn matching(process: &Process<'_>, pattern: &[u8]) -> Result<Vec<Vec<u8>>, Fatal> {
    let folder = dir_name(pattern);
    if folder.iter().any(|b| b"*?[".contains(b)) {
        return Err(process.not_modelled(format!("the pattern `{}`", show(pattern))));
    }
    Ok(names(process, folder, base_name(pattern)).into_iter().map(|name| join(folder, &name)).collect())
}

/// The `*.conf` of several folders in the order of names; of a name that is in many, the one of the first folder.
fn overriding(process: &Process<'_>, folders: &[&[u8]]) -> Vec<Vec<u8>> {
    let mut found: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    for folder in folders {
        for name in names(process, folder, b"*.conf") {
            if found.iter().all(|(known, _)| *known != name) {
                found.push((name.clone(), join(folder, &name)));
            }
        }
    }
    found.sort();
    found.into_iter().map(|(_, path)| path).collect()
}

fn names(process: &Process<'_>, folder: &[u8], pattern: &[u8]) -> Vec<Vec<u8>> {
    let pattern = Pattern::new(pattern);
    let Ok(id) = process.lookup(folder) else { return Vec::new() };
    let names = process.inode(id).entries().into_iter().flat_map(|entries| entries.keys());
    let visible = |name: &[u8]| pattern.starts_with_dot() || !name.starts_with(b".");
    names.map(|name| name.as_bytes()).filter(|n| visible(n) && pattern.matches(n)).map(<[u8]>::to_vec).collect()
}
