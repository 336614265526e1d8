//! Reads a volume back into a tree and believes nothing: tables, chains, names and sizes must agree.

use bytes::Bytes;

use super::Kind;
use crate::tree::{Content, InodeId, Name, Node, ROOT, Stat, Timestamp, Tree};

mod entries;
mod volume;

use self::{entries::Entry, volume::Volume};

/// What a volume holds; file contents are ranges of the image.
#[derive(Debug)]
pub struct FileSystem {
    pub kind: Kind,
    pub volume_id: u32,
    /// Without the padding; empty for none.
    pub label: Vec<u8>,
    pub size: u64,
    pub free_bytes: u64,
    /// Directories are 0755, files 0644, all of them root's.
    pub tree: Tree,
}

/// Why an image is no volume that this reader vouches for.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    #[error("{given} bytes, a FAT volume of {needed} expected")]
    Short { needed: u64, given: u64 },
    #[error("boot sector: {0}")]
    Boot(Fault),
    #[error("table: {0}")]
    Table(Fault),
    #[error("`{}`: {fault}", path.escape_ascii())]
    Path { path: Vec<u8>, fault: Fault },
}

/// What is wrong with the thing that a [`ReadError`] names.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// A field and a value that it can't have here.
    #[error("`{field}` is {value:#x}")]
    Field { field: &'static str, value: u64 },
    #[error("cluster {cluster} is followed by {next:#x}")]
    Chain { cluster: u32, next: u32 },
    #[error("cluster {0} is used twice")]
    UsedTwice(u32),
    #[error("{found} {what}, {stored} recorded")]
    Count { what: &'static str, stored: u64, found: u64 },
    #[error("the copy of the {0} differs")]
    Copy(&'static str),
    #[error("entry {0} is malformed")]
    Entry(usize),
    #[error("name occurs twice")]
    Duplicate,
}

type Result<T> = std::result::Result<T, ReadError>;
type Checked<T> = std::result::Result<T, Fault>;

fn field<T>(field: &'static str, value: impl Into<u64>) -> Checked<T> {
    Err(Fault::Field { field, value: value.into() })
}

fn count(what: &'static str, stored: u64, found: u64) -> Checked<()> {
    if stored == found { Ok(()) } else { Err(Fault::Count { what, stored, found }) }
}

/// Bytes of a path: without a limit a forged chain of directories takes the square of their number.
const MAX_PATH: usize = 32 << 10;

/// A directory whose entries are still to be read.
struct Open {
    path: Vec<u8>,
    id: InodeId,
    bytes: Bytes,
    /// Own cluster and the parent's, 0 for the root's; `None` for the root itself.
    dots: Option<[u32; 2]>,
}

pub(super) fn read(image: &Bytes) -> Result<FileSystem> {
    let mut volume = Volume::open(image)?;
    let mut tree = Tree::new(Stat::root(0o755, Timestamp::default()));
    let bytes = volume.root().map_err(|fault| ReadError::Path { path: b"/".to_vec(), fault })?;
    let mut todo = vec![Open { path: Vec::new(), id: ROOT, bytes, dots: None }];
    let mut label = None;
    while let Some(open) = todo.pop() {
        let fail = |fault| ReadError::Path { path: [&open.path, b"/".as_slice()].concat(), fault };
        let contents = entries::read(&open.bytes, open.dots).map_err(fail)?;
        label = label.or(contents.label);
        for entry in contents.entries {
            let path = [&open.path, b"/".as_slice(), entry.name.as_bytes()].concat();
            let opened = add(&mut volume, &mut tree, &open, &entry, &path);
            todo.extend(opened.map_err(|fault| ReadError::Path { path, fault })?);
        }
    }
    let free = volume.check_tables().map_err(ReadError::Table)?;
    volume.check_label(label).map_err(ReadError::Boot)?;
    let label = label.map_or(Vec::new(), |label| label.trim_ascii_end().to_vec());
    let facts = &volume.facts;
    let free_bytes = u64::from(free) * facts.cluster_bytes;
    Ok(FileSystem { kind: facts.kind, volume_id: facts.volume_id, label, size: facts.size, free_bytes, tree })
}

/// Puts one entry into the tree; returns it if it is a directory.
fn add(volume: &mut Volume, tree: &mut Tree, parent: &Open, entry: &Entry, path: &[u8]) -> Checked<Option<Open>> {
    if path.len() > MAX_PATH {
        return field("length of the path", path.len() as u64);
    }
    let insert = |tree: &mut Tree, mode, node| {
        let name: Name = entry.name.clone();
        tree.insert(parent.id, name, Stat::root(mode, entry.mtime), node).map_err(|_| Fault::Duplicate)
    };
    if entry.is_directory {
        let runs = volume.chain(entry.cluster)?;
        let bytes = volume.directory(&runs)?;
        let id = insert(tree, 0o755, Node::Directory(Default::default()))?;
        let above = parent.dots.map_or(0, |[own, _]| own);
        return Ok(Some(Open { path: path.to_vec(), id, bytes, dots: Some([entry.cluster, above]) }));
    }
    let mut runs = Vec::new();
    if entry.cluster != 0 {
        runs = volume.chain(entry.cluster)?;
    }
    let clusters: u64 = runs.iter().map(|run| u64::from(run.clusters)).sum();
    count("clusters", u64::from(entry.size).div_ceil(volume.facts.cluster_bytes), clusters)?;
    let mut pieces = Vec::with_capacity(runs.len());
    let mut offset = 0;
    for run in runs {
        let bytes = volume.bytes(run);
        let inside = (u64::from(entry.size) - offset).min(bytes.len() as u64);
        pieces.push((offset, bytes.slice(..inside as usize)));
        offset += inside;
    }
    let content = match &pieces[..] {
        [(_, whole)] => whole.clone().into(),
        _ => Content::sparse(entry.size.into(), pieces).expect("runs one after the other up to the size"),
    };
    insert(tree, 0o644, Node::Regular(content))?;
    Ok(None)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        epoch::Epoch,
        fat::{Options, plan},
        tree::parse_dump,
    };

    /// A volume of FAT16, small enough to be copied often.
    fn image() -> Vec<u8> {
        let mut text = String::from("/ directory 0755 0:0 0\n");
        for number in 0..40 {
            text +=
                &format!("/a-name-that-takes-some-room-{number:02} file 0644 0:0 0 ={}\n", "5a".repeat(number * 90));
        }
        text += "/b directory 0755 0:0 0\n/b/c directory 0755 0:0 0\n/b/c/D.EXT file 0644 0:0 0 =5a\n";
        let tree = parse_dump(&text).expect("a valid dump");
        let epoch = Epoch::from_variable(None).expect("0");
        let options = Options { size: 5 << 20, kind: Kind::Fat16, volume_id: 7, label: "LABEL".to_owned(), epoch };
        let file = tempfile::NamedTempFile::new().expect("a scratch file");
        file.as_file().set_len(options.size).expect("room");
        plan(&tree, ROOT, &options).expect("a plan").write(file.as_file(), 0).expect("written");
        fs_err::read(file.path()).expect("readable")
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn forged_images_do_no_harm(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
            thread_local!(static IMAGE: (Vec<u8>, Vec<usize>) = {
                let bytes = image();
                let used = (0..bytes.len()).filter(|&at| !matches!(bytes[at], 0 | b'Z')).collect();
                (bytes, used)
            });
            IMAGE.with(|(bytes, used)| {
                let mut bytes = bytes.clone();
                let table = 512;
                let copy = 512 + usize::from(u16::from_le_bytes([bytes[22], bytes[23]])) * 512;
                for (place, value) in changes {
                    let at = used[place.index(used.len())] + usize::from(value % 3);
                    bytes[at] = value;
                    // Both tables alike, as who forges an image would have them.
                    if (table..copy).contains(&at) {
                        bytes[at - table + copy] = value;
                    }
                }
                if let Ok(read) = read(&bytes.into()) {
                    prop_assert!(read.tree.inode_bound() <= 45);
                }
                Ok(())
            })?;
        }
    }
}
