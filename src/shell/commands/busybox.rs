//! busybox, as far as it says what it holds: `--list` and `--list-long`, read off the program's own tables.
//!
//! The names of its applets lie in one piece, sorted and each ended by NUL. Where each of them is installed lies in another, a
//! nibble an applet, without anything around it that says so; what is known of a few applets shows which piece it is.

use crate::{
    shell::{Fatal, Process, Status, files::show},
    tree::Node,
};

/// The largest program that is looked through.
const MAX_SIZE: u64 = 64 << 20;
const MAX_APPLETS: usize = 4096;

/// The first names of every busybox, in byte order: these two come before all letters.
const FIRST: &[u8] = b"\0[\0[[\0";

/// By the number that the table of places has.
const FOLDERS: [&str; 5] = ["", "bin/", "sbin/", "usr/bin/", "usr/sbin/"];

/// Where applets have been for as long as there are tables: what marks the right one.
const KNOWN: &[(&str, u8)] =
    &[("[", 3), ("ash", 1), ("awk", 3), ("cat", 1), ("chroot", 4), ("ifconfig", 2), ("mount", 1), ("sh", 1), ("wc", 3)];

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let long = match process.argv.get(1).map(Vec::as_slice) {
        Some(b"--list") => false,
        Some(b"--list-long") => true,
        Some(word) => return Err(process.not_modelled(format!("applet `{}`", show(word)))),
        None => return Err(process.not_modelled("the list of functions for people")),
    };
    let name = process.argv[0].clone();
    let path = if name.contains(&b'/') { name } else { b"/bin/busybox".to_vec() };
    let content = process.lookup(&path).ok().map(|id| &process.inode(id).node);
    let Some(Node::Regular(content)) = content else { return process.fail("where is the program") };
    let program = content.bytes(MAX_SIZE).unwrap_or_default();
    let Some(applets) = applets(&program) else { return Err(process.not_modelled("this program's table of applets")) };
    let lines: String =
        applets.iter().map(|(folder, name)| format!("{}{name}\n", if long { folder } else { "" })).collect();
    process.out(lines.as_bytes())?;
    Ok(Status::SUCCESS)
}

/// The applets of a program, and the folders that they belong in.
fn applets(program: &[u8]) -> Option<Vec<(&'static str, &str)>> {
    let names = names(program)?;
    let known: Vec<(usize, u8)> = KNOWN
        .iter()
        .filter_map(|(name, folder)| names.binary_search(name).ok().map(|index| (index, *folder)))
        .collect();
    let places = |table: &[u8], index: usize| (table[index / 2] >> (index % 2 * 4)) & 0xf;
    let fits = |table: &&[u8]| {
        known.iter().all(|&(index, folder)| places(table, index) == folder)
            && (0..names.len()).all(|index| usize::from(places(table, index)) < FOLDERS.len())
    };
    let mut tables = program.windows(names.len().div_ceil(2)).filter(fits);
    let table = tables.next()?;
    // A second piece that would do as well leaves open which is right.
    if known.len() < 4 || tables.any(|other| other != table) {
        return None;
    }
    Some((0..names.len()).map(|index| (FOLDERS[usize::from(places(table, index))], names[index])).collect())
}

/// The names, which are in byte order.
fn names(program: &[u8]) -> Option<Vec<&str>> {
    let start = memchr::memmem::find(program, FIRST)? + 1;
    let mut names: Vec<&str> = Vec::new();
    for name in program[start..].split(|&byte| byte == 0).take(MAX_APPLETS) {
        let name = std::str::from_utf8(name).ok()?;
        if name.is_empty() {
            return Some(names);
        }
        if names.last().is_some_and(|last| *last >= name) {
            return None;
        }
        names.push(name);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_found_by_what_is_known() {
        let names = b"\0[\0[[\0ash\0awk\0cat\0\0";
        // [ and [[ in usr/bin, ash in bin, awk in usr/bin, cat in bin.
        let table = [0x33, 0x31, 0x01];
        let program = [names.as_slice(), b"\xff\xff", &table, b"\xff"].concat();
        let expect = [("usr/bin/", "["), ("usr/bin/", "[["), ("bin/", "ash"), ("usr/bin/", "awk"), ("bin/", "cat")];
        assert_eq!(applets(&program).as_deref(), Some(expect.as_slice()));
        let twice = [&program[..], &[0x33, 0x31, 0x11], b"\xff"].concat();
        assert_eq!(applets(&twice), None, "two that differ");
        assert_eq!(applets(&program[..program.len() - 4]), None, "none");
        for end in 0..program.len() {
            applets(&program[..end]);
        }
    }
}
