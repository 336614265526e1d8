//! Random small trees, written and read back.

use icos::tree::{Device, Name, Node, ROOT};
use proptest::prelude::*;

use super::{MIB, Options, check, directory, file, new_tree, noise, options, sparse, stat, symlink, xattrs};

#[derive(Clone, Debug)]
enum Make {
    Directory,
    File(Vec<u8>),
    Sparse(u32, u32, Vec<u8>),
    Symlink(usize),
    Device(u32, u32),
    Link(usize),
}

fn make() -> impl Strategy<Value = (usize, Vec<u8>, Make, u16, Option<usize>)> {
    let kind = prop_oneof![
        3 => Just(Make::Directory),
        3 => prop::collection::vec(any::<u8>(), 0..9000).prop_map(Make::File),
        1 => (any::<u32>(), any::<u32>(), prop::collection::vec(any::<u8>(), 1..9000))
            .prop_map(|(gap, tail, bytes)| Make::Sparse(gap >> 8, tail >> 8, bytes)),
        1 => (1..4096_usize).prop_map(Make::Symlink),
        1 => (0..4096_u32, 0..1_048_576_u32).prop_map(|(major, minor)| Make::Device(major, minor)),
        1 => any::<usize>().prop_map(Make::Link),
    ];
    let name =
        prop::collection::vec(any::<u8>().prop_map(|byte| if matches!(byte, 0 | b'/') { b'_' } else { byte }), 1..256);
    (any::<usize>(), name, kind, 0..0o10000_u16, prop::option::of(0..3000_usize))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_small_tree(steps in prop::collection::vec(make(), 0..120), with_journal in any::<bool>()) {
        let mut tree = new_tree();
        let mut directories = vec![ROOT];
        let mut others = Vec::new();
        for (place, bytes, make, mode, xattr) in steps {
            let Ok(name) = Name::new(&bytes) else { continue };
            let parent = directories[place % directories.len()];
            if parent == ROOT && bytes == b"lost+found" {
                continue;
            }
            let node = match make {
                Make::Link(which) if others.is_empty() => { let _ = which; continue }
                Make::Link(which) => {
                    let _ = tree.link(others[which % others.len()], parent, name);
                    continue;
                }
                Make::Directory => directory(),
                Make::File(bytes) => file(bytes),
                Make::Sparse(gap, tail, bytes) => {
                    sparse(u64::from(gap) + bytes.len() as u64 + u64::from(tail), &[(gap.into(), bytes)])
                }
                Make::Symlink(length) => symlink(vec![b's'; length]),
                Make::Device(major, minor) => Node::BlockDevice(Device { major, minor }),
            };
            let mut stat = stat(mode);
            if let Some(length) = xattr {
                stat.xattrs = xattrs(&[("user.x", &noise(length))]);
            }
            let is_directory = matches!(node, Node::Directory(_));
            if let Ok(id) = tree.insert(parent, name, stat, node) {
                (if is_directory { &mut directories } else { &mut others }).push(id);
            }
        }
        check(&tree, &Options { journal: with_journal.then_some(4 * MIB), ..options(32 * MIB) });
    }
}
