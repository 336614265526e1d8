//! `helpztags`: the index of tags in Vim's help files, plain and compressed.

use std::collections::BTreeMap;

use regex::bytes::Regex;

use super::super::{Fatal, Process, Status, files::show};
use crate::deb::compress::{Compression, Limits, decode_to_vec};

/// Bytes of an unpacked help file.
const LIMITS: Limits = Limits { output: 64 << 20, ..Limits::PACKAGE };

/// Tags by the name of their index, then the file that each is in.
type Indexes = BTreeMap<Vec<u8>, BTreeMap<Vec<u8>, Vec<u8>>>;

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let folders = process.arguments();
    if folders.is_empty() {
        process.write(2, b"Error: no directories given. Check manpage for details.\n")?;
        return Ok(Status(255));
    }
    // One table for all folders, so that a later folder's index has the tags of those before it.
    let mut indexes = Indexes::new();
    for folder in &folders {
        if !process.is_dir(folder) {
            continue;
        }
        process.out(&[b"Processing ", folder.as_slice(), b"\n"].concat())?;
        for name in help_files(process, folder) {
            read(process, folder, &name, &mut indexes);
        }
        for (name, tags) in &indexes {
            let path = [folder.as_slice(), b"/", name].concat();
            if let Err(error) = process.write_file(&path, index(tags)) {
                process.complain(&format!("Cannot open {} for writing: {error}", show(&path)))?;
                return Ok(Status(255));
            }
        }
    }
    Ok(Status::SUCCESS)
}

/// The files of a folder in the order in which they are read; of a tag in several of them the last one counts.
fn help_files(process: &Process<'_>, folder: &[u8]) -> Vec<Vec<u8>> {
    let Ok(id) = process.lookup(folder) else { return Vec::new() };
    let names: Vec<Vec<u8>> =
        process.inode(id).entries().into_iter().flatten().map(|(name, _)| name.as_bytes().to_vec()).collect();
    let shown = |name: &&Vec<u8>| !name.starts_with(b".") && language(name).is_some();
    let kinds: [fn(&[u8]) -> bool; 3] = [
        |name| name.ends_with(b".gz"),
        |name| name.ends_with(b".txt"),
        |name| name.len() > 3 && name[name.len() - 4] == b'.' && name.ends_with(b"x"),
    ];
    kinds.iter().flat_map(|kind| names.iter().filter(|name| kind(name)).filter(shown).cloned()).collect()
}

/// What a help file's name adds to that of its index: nothing for `.txt`, `-de` for `.dex`. `None` for no help file.
fn language(name: &[u8]) -> Option<Vec<u8>> {
    let form = Regex::new(r"^[\w.-]+\.(?:txt|([[:alpha:]]{2})x)(?:(?-u:.)gz)?$").expect("a pattern");
    let groups = form.captures(name)?;
    Some(groups.get(1).map_or(Vec::new(), |letters| [b"-", letters.as_bytes()].concat()))
}

/// Adds the tags of a file. One that can't be read is passed over.
fn read(process: &mut Process<'_>, folder: &[u8], name: &[u8], indexes: &mut Indexes) {
    let path = [folder, b"/", name].concat();
    let Ok(bytes) = process.read_file(&path) else { return };
    let plain = if name.ends_with(b".gz") {
        decode_to_vec(Compression::Gzip, &bytes, &LIMITS).unwrap_or_default()
    } else {
        bytes.to_vec()
    };
    let suffix = language(name).unwrap_or_default();
    for line in plain.split(|byte| *byte == b'\n') {
        for tag in tags(line) {
            let index = indexes.entry([b"tags", suffix.as_slice()].concat()).or_default();
            index.insert(tag.to_vec(), name.to_vec());
        }
    }
}

/// Every `*tag*` between blanks or the ends of the line.
fn tags(line: &[u8]) -> Vec<&[u8]> {
    let blank = |byte: u8| byte.is_ascii_whitespace() || byte == 0x0b;
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(star) = memchr::memchr(b'*', &line[at..]).map(|star| at + star) {
        at = star + 1;
        let tag = line[at..].iter().take_while(|b| !blank(**b) && **b != b'*' && **b != b'|').count();
        let end = at + tag;
        let closes = tag > 0 && line.get(end) == Some(&b'*');
        let ends = line.get(end + 1).is_none_or(|byte| blank(*byte));
        if closes && ends && (star == 0 || blank(line[star - 1])) {
            found.push(&line[at..end]);
            at = end + 1;
        }
    }
    found
}

fn index(tags: &BTreeMap<Vec<u8>, Vec<u8>>) -> Vec<u8> {
    let mut text = Vec::new();
    for (tag, file) in tags {
        let escaped = tag.split(|byte| *byte == b'\\').collect::<Vec<_>>().join(&b"\\\\"[..]);
        text.extend([tag, b"\t".as_slice(), file, b"\t/*", &escaped, b"*\n"].concat());
    }
    text
}
