//! openssl, as far as packages ask it: `openssl rehash`, the links by which certificates are found in a folder.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    shell::{Fatal, Process, Status, files::show, options},
    tree::{Name, Node},
    x509::{self, Kind},
};

/// The largest file that is looked into: more than the certificates of all authorities together.
const MAX_SIZE: u64 = 16 << 20;
const MAX_COLLISIONS: usize = 256;

/// What names of files end in that are looked into.
const EXTENSIONS: [&[u8]; 4] = [b"pem", b"crt", b"cer", b"crl"];

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    if process.argv.get(1).map(Vec::as_slice) != Some(b"rehash") {
        let words: Vec<_> = process.argv.iter().skip(1).map(|word| show(word)).collect();
        return Err(process.not_modelled(format!("`{}`", words.join(" "))));
    }
    process.argv.remove(0);
    let arguments = options::parse(process, &["n"])?;
    if arguments.operands.is_empty() {
        return Err(process.not_modelled("the folder of certificates that openssl was made with"));
    }
    let mut faults = 0_u32;
    for folder in &arguments.operands {
        faults += rehash(process, folder, arguments.has("n"))?;
    }
    Ok(Status(u8::try_from(faults).unwrap_or(u8::MAX)))
}

/// The files of one hash, in the order in which they were met.
#[derive(Debug, Default)]
struct Bucket {
    files: Vec<File>,
    /// Files that must have a link.
    needed: u32,
}

#[derive(Debug)]
struct File {
    name: Vec<u8>,
    fingerprint: Option<[u8; 20]>,
    /// The lowest number of a link that is there already.
    link: Option<u32>,
}

type Buckets = BTreeMap<(Kind, u32), Bucket>;

/// Makes the links of one folder; returns how many files there was something wrong with.
fn rehash(process: &mut Process<'_>, folder: &[u8], dry: bool) -> Result<u32, Fatal> {
    let entries = process.lookup(folder).ok().and_then(|id| process.inode(id).entries());
    let Some(entries) = entries else {
        process.write(2, &[b"Skipping ", folder, b", can't write\n"].concat())?;
        return Ok(1);
    };
    let names: Vec<Name> = entries.keys().cloned().collect();
    let mut buckets = Buckets::new();
    let mut faults = 0;
    for name in &names {
        let path = [folder, b"/", name.as_bytes()].concat();
        match hash_link(process, &path, name.as_bytes()) {
            Some((place, number, target)) => buckets.entry(place).or_default().has_link(target, number),
            None => faults += look_into(process, &path, name.as_bytes(), &mut buckets)?,
        }
    }
    if !dry {
        for ((kind, hash), bucket) in &buckets {
            let letter = if *kind == Kind::RevocationList { "r" } else { "" };
            bucket.link(process, &[folder, format!("/{hash:08x}.{letter}").as_bytes()].concat())?;
        }
    }
    Ok(faults)
}

/// Takes a link's name apart, `HASH.NUMBER` or `HASH.rNUMBER`: what it is for, its number, its target.
fn hash_link(process: &Process<'_>, path: &[u8], name: &[u8]) -> Option<((Kind, u32), u32, Vec<u8>)> {
    let id = process.lookup_no_follow(path).ok()?;
    let Node::Symlink(target) = &process.inode(id).node else { return None };
    let (hash, rest) = name.split_at_checked(8)?;
    let rest = rest.strip_prefix(b".")?;
    let (kind, number) = match rest.strip_prefix(b"r").or_else(|| rest.strip_prefix(b"R")) {
        Some(number) => (Kind::RevocationList, number),
        None => (Kind::Certificate, rest),
    };
    if !hash.iter().all(u8::is_ascii_hexdigit) || !number.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let hash = u32::from_str_radix(std::str::from_utf8(hash).ok()?, 16).ok()?;
    let number = if number.is_empty() { 0 } else { std::str::from_utf8(number).ok()?.parse().ok()? };
    Some(((kind, hash), number, target.to_vec()))
}

/// Notes what a file holds, when it holds just one thing.
fn look_into(process: &mut Process<'_>, path: &[u8], name: &[u8], buckets: &mut Buckets) -> Result<u32, Fatal> {
    let extension = name.iter().rposition(|&byte| byte == b'.').map(|dot| &name[dot + 1..]);
    if !extension.is_some_and(|found| EXTENSIONS.iter().any(|known| known.eq_ignore_ascii_case(found))) {
        return Ok(0);
    }
    let warn = |process: &mut Process<'_>, what: &str| process.write(2, format!("rehash: {what}\n").as_bytes());
    let content = process.lookup(path).ok().map(|id| process.inode(id).node.clone());
    let text = match content {
        Some(Node::Regular(content)) => match content.bytes(MAX_SIZE) {
            Some(text) => text,
            None => return Err(process.not_modelled(format!("{}: more than {MAX_SIZE} bytes", show(path)))),
        },
        Some(Node::Directory(_)) => return Ok(0),
        _ => {
            warn(process, &format!("error: skipping {}, cannot open file", show(name)))?;
            return Ok(1);
        }
    };
    // What is not well-formed is passed over as what is no certificate at all.
    let Ok(entries) = x509::pem(&text) else { return Ok(0) };
    let [entry] = entries.as_slice() else {
        let what = "it does not contain exactly one certificate or CRL";
        warn(process, &format!("warning: skipping {},{what}", show(name)))?;
        return Ok(0);
    };
    match buckets.entry((entry.kind, entry.hash)).or_default().needs_link(name, entry.fingerprint) {
        Noted::New => Ok(0),
        Noted::Duplicate => {
            let what = if entry.kind == Kind::Certificate { "certificate" } else { "CRL" };
            warn(process, &format!("warning: skipping duplicate {what} in {}", show(name)))?;
            Ok(0)
        }
        Noted::TooMany => {
            warn(process, &format!("error: hash table overflow for {}", show(name)))?;
            Ok(1)
        }
    }
}

enum Noted {
    New,
    Duplicate,
    TooMany,
}

impl Bucket {
    fn has_link(&mut self, target: Vec<u8>, number: u32) {
        match self.files.iter_mut().find(|file| file.name == target) {
            Some(file) => file.link = Some(file.link.map_or(number, |other| other.min(number))),
            None => self.files.push(File { name: target, fingerprint: None, link: Some(number) }),
        }
    }

    fn needs_link(&mut self, name: &[u8], fingerprint: [u8; 20]) -> Noted {
        if self.files.iter().any(|file| file.fingerprint == Some(fingerprint)) {
            return Noted::Duplicate;
        }
        let index = self.files.iter().position(|file| file.name == name).unwrap_or_else(|| {
            self.files.push(File { name: name.to_vec(), fingerprint: None, link: None });
            self.files.len() - 1
        });
        if self.files.len() > MAX_COLLISIONS {
            return Noted::TooMany;
        }
        if self.files[index].fingerprint.replace(fingerprint).is_none() {
            self.needed += 1;
        }
        Noted::New
    }

    /// Brings the links of this hash up to date. Those with low numbers stay; numbers are given from 0.
    fn link(&self, process: &mut Process<'_>, prefix: &[u8]) -> Result<(), Fatal> {
        let stays = |file: &File| file.link.filter(|number| *number < self.needed);
        let taken: BTreeSet<u32> = self.files.iter().filter_map(stays).collect();
        let mut free = (0..=u32::MAX).filter(|number| !taken.contains(number));
        for file in self.files.iter().filter(|file| stays(file).is_none()) {
            let number = if file.fingerprint.is_some() { free.next() } else { file.link };
            let Some(number) = number else { continue };
            let path = [prefix, number.to_string().as_bytes()].concat();
            if process.lookup_no_follow(&path).is_ok() {
                let path = process.absolute(&path);
                process.machine.tree.unlink(&path).map_err(|error| process.not_modelled(error.to_string()))?;
            }
            if file.fingerprint.is_some() {
                let node = Node::Symlink(file.name.clone().into());
                process.create(&path, 0o777, node).map_err(|error| process.not_modelled(error.to_string()))?;
            }
        }
        Ok(())
    }
}
