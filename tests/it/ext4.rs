//! ext4 images judged by e2fsprogs.

use std::path::Path;

use icos::{
    epoch::Epoch,
    ext4::{self, Options},
    tree::{Name, Node, ROOT, Stat, Timestamp, Tree},
};
use uuid::Uuid;

use crate::support::judge::{judge, run};

const MIB: u64 = 1 << 20;

fn options(size: u64) -> Options {
    Options {
        size,
        uuid: Uuid::from_u128(0x0123_4567_89ab_cdef_0011_2233_4455_6677),
        hash_seed: Uuid::from_u128(0xc612_51eb_100b_48fe_b089_57de_a736_8612),
        label: b"ROOT".to_vec(),
        journal: None,
        epoch: Epoch::from_variable(Some("1700000000")).expect("a valid epoch"),
        reserved_percent: 0,
        bytes_per_inode: 16_384,
    }
}

fn stat(mode: u16) -> Stat {
    Stat::root(mode, Timestamp { seconds: 1_600_000_000, nanoseconds: 123_456_789 })
}

fn tree() -> Tree {
    Tree::new(stat(0o755))
}

fn file(bytes: impl Into<Vec<u8>>) -> Node {
    Node::Regular(bytes.into().into())
}

fn add(tree: &mut Tree, path: impl AsRef<[u8]>, node: Node) {
    tree.create(path.as_ref(), stat(0o644), node).expect("a new path");
}

fn directory() -> Node {
    Node::Directory(Default::default())
}

/// Bytes that differ from block to block.
fn noise(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at as u32).wrapping_mul(2_654_435_761).to_be_bytes()[1] | 1).collect()
}

fn write(tree: &Tree, options: &Options) -> tempfile::NamedTempFile {
    let image = tempfile::NamedTempFile::new().expect("a scratch file");
    let plan = ext4::plan(tree, ROOT, options).expect("a plan");
    image.as_file().set_len(options.size).expect("room for the image");
    plan.write(image.as_file(), 0).expect("written");
    image
}

fn fsck(image: &Path) {
    let Some(mut command) = judge("e2fsck") else { return };
    let (code, out, err) = run(command.arg("-fn").arg(image));
    assert_eq!(code, 0, "{out}{err}");
}

fn check(tree: &Tree, options: &Options) {
    let image = write(tree, options);
    fsck(image.path());
}

#[test]
fn empty() {
    for size in [MIB, 8 * MIB, 129 * MIB] {
        check(&tree(), &options(size));
    }
    check(&tree(), &Options { journal: Some(4 * MIB), reserved_percent: 5, ..options(64 * MIB) });
    check(&tree(), &Options { journal: Some(256 * MIB), bytes_per_inode: 4096, ..options(10 * 1024 * MIB) });
}

#[test]
fn many_names() {
    let mut tree = tree();
    let big = tree.create_dir_all(b"/big", &stat(0o755)).expect("made");
    for number in 0..50_000 {
        let name = Name::new(format!("entry-{number}").as_bytes()).expect("valid");
        tree.insert(big, name, stat(0o644), file(b"x".repeat(number % 3))).expect("new");
    }
    let dirs = tree.create_dir_all(b"/dirs", &stat(0o755)).expect("made");
    for number in 0..20_000 {
        let name = Name::new(format!("directory-{number}").as_bytes()).expect("valid");
        tree.insert(dirs, name, stat(0o700), directory()).expect("new");
    }
    check(&tree, &options(512 * MIB));
}
