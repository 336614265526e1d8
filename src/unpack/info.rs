//! A package's files in `/var/lib/dpkg/info`: its list, its sums and what came in its control archive.

use md5::{Digest, Md5};

use super::Fault;
use crate::{
    dpkg::database::{Database, PackageId},
    store::Layer,
    tar::Kind,
    tree::{Content, Errno, Node, Stat, Timestamp, Tree},
};

/// Members of the control archive that dpkg does not keep as they are.
const NOT_KEPT: [&[u8]; 2] = [b"control", b"list"];

/// The control file's text.
pub fn control_text(layer: &Layer) -> Option<&bytes::Bytes> {
    layer.control.get(b"control".as_slice()).map(|file| &file.content)
}

pub(super) fn write(
    tree: &mut Tree,
    database: &Database,
    id: PackageId,
    layer: &Layer,
    paths: &[Vec<u8>],
    now: Timestamp,
) -> Result<(), Fault> {
    let mut put = |kind: &str, mode: u16, content: Content| -> Result<(), Fault> {
        let path = database.info_path(id, kind);
        match tree.unlink(&path) {
            Err(error) if error.errno != Errno::NotFound => return Err(error.into()),
            _ => {}
        }
        tree.create(&path, Stat::root(mode, now), Node::Regular(content))?;
        Ok(())
    };
    put("list", 0o644, list(paths).into())?;
    for (name, file) in &layer.control {
        let name = name.as_bytes();
        if NOT_KEPT.contains(&name) || name.contains(&b'.') {
            continue;
        }
        put(&String::from_utf8_lossy(name), file.mode, file.content.clone().into())?;
    }
    if !layer.control.contains_key(b"md5sums".as_slice()) {
        put("md5sums", 0o644, sums(layer, paths).into())?;
    }
    Ok(())
}

pub(super) fn list(paths: &[Vec<u8>]) -> Vec<u8> {
    let mut text = Vec::new();
    for path in paths {
        text.extend_from_slice(path);
        text.push(b'\n');
    }
    text
}

/// The sums that dpkg makes for a package that brings none.
fn sums(layer: &Layer, paths: &[Vec<u8>]) -> Vec<u8> {
    let mut known = std::collections::BTreeMap::new();
    for member in &layer.members {
        let sum = match &member.kind {
            Kind::Regular(content) => Some(md5_of(content)),
            Kind::HardLink(target) => known.get(target.as_bytes()).cloned(),
            _ => None,
        };
        if let Some(sum) = sum {
            known.insert(member.path.as_bytes(), sum);
        }
    }
    let mut text = Vec::new();
    for path in paths {
        if let Some(sum) = known.get(path.as_slice()) {
            text.extend_from_slice(sum.as_bytes());
            text.extend_from_slice(b"  ");
            text.extend_from_slice(&path[1..]);
            text.push(b'\n');
        }
    }
    text
}

/// A file's MD5 sum in hex, as dpkg records it.
pub(super) fn md5_of(content: &Content) -> String {
    let mut hasher = Md5::new();
    let mut at = 0;
    let zeros = [0; 4096];
    let skip = |hasher: &mut Md5, mut count: u64| {
        while count > 0 {
            let step = count.min(zeros.len() as u64);
            hasher.update(&zeros[..step as usize]);
            count -= step;
        }
    };
    for (offset, data) in content.runs() {
        skip(&mut hasher, offset - at);
        hasher.update(data);
        at = offset + data.len() as u64;
    }
    skip(&mut hasher, content.len() - at);
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
