//! Members of a tar archive as what is placed on the target.

use bytes::Bytes;

use super::{
    LoadFault, Source,
    host::{self, Entry, Placed, below},
};
use crate::{
    deb::compress::{Compression, Limits, decode_to_vec},
    manifest::overlay::steps::Extract,
    shell::pattern::Pattern,
    tar,
    tree::Node,
};

/// First bytes of compressed files.
const MAGIC: &[(&[u8], Compression)] =
    &[(b"\x1f\x8b", Compression::Gzip), (b"\xfd7zXZ\0", Compression::Xz), (b"\x28\xb5\x2f\xfd", Compression::Zstd)];

pub(super) fn placed(source: &Source<'_>, step: &Extract) -> Result<Vec<Placed>, LoadFault> {
    let bytes = host::artifact(source, &step.from, step.sha256, step.sha512)?;
    let tree = tar::read_tree(&plain(&step.from, bytes)?).map_err(|error| LoadFault::Tar(step.from.clone(), error))?;
    let patterns: Vec<_> =
        step.members.iter().map(|member| Pattern::new(member.trim_matches('/').as_bytes())).collect();
    let mut used = vec![false; patterns.len()];
    let mut placed = vec![Placed { path: step.to.clone().into(), entry: Entry::Directory }];
    for visit in tree.walk() {
        let path = visit.path.relative();
        if path.is_empty() || !wanted(path, &patterns, &mut used) {
            continue;
        }
        let parts: Vec<&[u8]> = path.split(|&b| b == b'/').skip(step.strip).collect();
        if parts.is_empty() {
            continue;
        }
        let inode = tree.get(visit.id);
        let entry = match &inode.node {
            Node::Directory(_) => Entry::Directory,
            Node::Regular(content) => {
                let mode = step.mode.map_or(inode.stat.mode & 0o777, |mode| mode.0);
                Entry::File { content: content.clone(), mode }
            }
            Node::Symlink(target) => Entry::Symlink(target.to_vec()),
            _ => return Err(LoadFault::Member(step.from.clone(), path.escape_ascii().to_string())),
        };
        placed.push(Placed { path: below(&step.to, &parts.join(&b'/')), entry });
    }
    match step.members.iter().zip(used).find(|(_, used)| !used) {
        Some((member, _)) => Err(LoadFault::NoMember(step.from.clone(), member.clone())),
        None if placed.len() == 1 => Err(LoadFault::NoMember(step.from.clone(), "*".to_owned())),
        None => Ok(placed),
    }
}

/// Whether a path or a folder above it is one of the members asked for.
fn wanted(path: &[u8], patterns: &[Pattern], used: &mut [bool]) -> bool {
    if patterns.is_empty() {
        return true;
    }
    let ends = path.iter().enumerate().filter(|(_, b)| **b == b'/').map(|(at, _)| at).chain([path.len()]);
    let mut any = false;
    for end in ends {
        for (pattern, used) in patterns.iter().zip(used.iter_mut()) {
            if pattern.matches(&path[..end]) {
                (any, *used) = (true, true);
            }
        }
    }
    any
}

fn plain(name: &str, bytes: Bytes) -> Result<Bytes, LoadFault> {
    if bytes.starts_with(b"BZh") || bytes.starts_with(b"PK\x03\x04") {
        return Err(LoadFault::Format(name.to_owned()));
    }
    let Some((_, compression)) = MAGIC.iter().find(|(magic, _)| bytes.starts_with(magic)) else { return Ok(bytes) };
    let decoded = decode_to_vec(*compression, &bytes, &Limits::PACKAGE);
    decoded.map(Bytes::from).map_err(|error| LoadFault::Compressed(name.to_owned(), error))
}
