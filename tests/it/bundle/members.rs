//! Bundles taken apart and put together by hand, to be wrong in one place.

use std::path::Path;

use icos::{bundle::Manifest, digest::Sha256};

const BLOCK: usize = 512;

/// A member: its header as it stands, and its contents.
#[derive(Clone)]
pub struct Member {
    pub name: String,
    pub header: [u8; BLOCK],
    pub content: Vec<u8>,
}

pub fn read(bundle: &Path) -> Vec<Member> {
    let bytes = fs_err::read(bundle).expect("readable");
    let (mut at, mut members) = (0, Vec::new());
    while bytes[at] != 0 {
        let header: [u8; BLOCK] = bytes[at..at + BLOCK].try_into().expect("a block");
        let text = |range: std::ops::Range<usize>| {
            let field = &header[range];
            let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
            String::from_utf8(field[..end].to_vec()).expect("ASCII")
        };
        let size = usize::from_str_radix(&text(124..136), 8).expect("octal");
        let start = at + BLOCK;
        members.push(Member { name: text(0..100), header, content: bytes[start..start + size].to_vec() });
        at = start + size.next_multiple_of(BLOCK);
    }
    members
}

pub fn manifest(bundle: &Path) -> Manifest {
    Manifest::read(&read(bundle)[0].content).expect("a manifest")
}

/// Sets a field of the header and the checksum that goes with it.
fn set(header: &mut [u8; BLOCK], at: usize, len: usize, value: &[u8]) {
    header[at..at + len].fill(0);
    header[at..at + value.len()].copy_from_slice(value);
    header[148..156].fill(b' ');
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}

impl Member {
    pub fn renamed(mut self, name: &str) -> Self {
        set(&mut self.header, 0, 100, name.as_bytes());
        self.name = name.to_owned();
        self
    }

    pub fn of_type(mut self, kind: u8) -> Self {
        set(&mut self.header, 156, 1, &[kind]);
        self
    }

    pub fn with(mut self, content: impl Into<Vec<u8>>) -> Self {
        self.content = content.into();
        let size = format!("{:011o}", self.content.len());
        set(&mut self.header, 124, 12, size.as_bytes());
        self
    }
}

pub fn write(members: &[Member]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for member in members {
        bytes.extend_from_slice(&member.header);
        bytes.extend_from_slice(&member.content);
        bytes.resize(bytes.len().next_multiple_of(BLOCK), 0);
    }
    bytes.resize(bytes.len() + 2 * BLOCK, 0);
    bytes
}

/// Replaces the manifest's text, and the list of sums by what follows from the members as they are.
pub fn resum(members: &mut [Member], manifest: String) {
    members[0] = members[0].clone().with(manifest);
    let line = |member: &Member| format!("{}  {}\n", Sha256::of(&member.content), member.name);
    let lines: String = members.iter().filter(|member| member.name != "SHA256SUMS").map(line).collect();
    members[1] = members[1].clone().with(lines);
}

/// Replaces a member's contents and says so wherever a sum is.
pub fn replace(members: &mut [Member], path: &str, content: &[u8]) {
    let mut manifest = Manifest::read(&members[0].content).expect("a manifest");
    let member = members.iter_mut().find(|member| member.name == path).expect("there");
    *member = member.clone().with(content);
    let entry = manifest.entries.iter_mut().find(|entry| entry.path == path).expect("there");
    (entry.size, entry.sha256) = (content.len() as u64, Sha256::of(content));
    if path.starts_with("store/") {
        entry.path = format!("store/{}", entry.sha256);
        *member = member.clone().renamed(&entry.path);
    }
    manifest.entries.sort_by(|a, b| a.path.cmp(&b.path));
    members[2..].sort_by(|a, b| a.name.cmp(&b.name));
    resum(members, manifest.text());
}
