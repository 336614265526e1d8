//! A tree with every oddity that its user and a format allow.

use std::{collections::BTreeMap, path::Path};

use bytes::Bytes;
use icos::tree::{Content, Device, Node, Stat, Timestamp, Tree, dump};

/// What a format can hold beyond plain files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ability {
    /// Names below 100 bytes, whole seconds.
    V7,
    /// Devices, fifos, names up to 255 bytes.
    Ustar,
    /// Names of any length, big numbers, sparse files.
    Gnu,
    /// Nanoseconds, negative times, extended attributes.
    Pax,
    /// Times before 1970 with a fraction, whose sign bsdtar 3.6 gets wrong.
    GnuPax,
}

pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// A tree with everything that the format can hold and the user of the tests can make.
pub fn tree(ability: Ability) -> Tree {
    let (uid, gid) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
    let seconds = |seconds| Timestamp { seconds, nanoseconds: 0 };
    let stat = |mode| Stat { uid, gid, ..Stat::root(mode, seconds(1_700_000_000)) };
    let mut tree = Tree::new(stat(0o755));
    let mut add = |path: &[u8], stat: Stat, node| {
        tree.create(path, stat, node).expect("a new path");
    };
    let file = |bytes: &[u8]| Node::Regular(bytes.to_vec().into());
    let directory = || Node::Directory(BTreeMap::new());
    add(b"/usr", stat(0o755), directory());
    add(b"/usr/empty", stat(0o600), file(b""));
    add(b"/usr/a", stat(0o4755), file(b"hello\n"));
    add(b"/usr/block", stat(0o644), file(&[b'x'; 512]));
    add(b"/usr/odd \n\xff", stat(0o644), file(&[b'y'; 513]));
    add(b"/sticky", stat(0o1777), directory());
    add(b"/link", stat(0o777), Node::Symlink(Bytes::from_static(b"../usr/a")));
    if ability >= Ability::Ustar {
        add(&[b"/".as_slice(), &[b'd'; 90], b"/"].concat(), stat(0o755), directory());
        add(&[b"/".as_slice(), &[b'd'; 90], b"/", &[b'f'; 90]].concat(), stat(0o644), file(b"split\n"));
        add(b"/fifo", stat(0o644), Node::Fifo);
        if is_root() {
            add(b"/null", stat(0o666), Node::CharDevice(Device { major: 1, minor: 3 }));
            add(b"/disk", stat(0o660), Node::BlockDevice(Device { major: 300, minor: 70_000 }));
            add(b"/owned", Stat { uid: 1234, gid: 5678, ..stat(0o640) }, file(b"owned\n"));
        }
    }
    if ability >= Ability::Gnu {
        for len in [99, 100, 101, 200, 255] {
            add(&[b"/".as_slice(), &vec![b'n'; len]].concat(), stat(0o644), file(b"long\n"));
            add(
                &[b"/s".as_slice(), &vec![b'n'; len - 1]].concat(),
                stat(0o777),
                Node::Symlink(vec![b't'; 4 * len].into()),
            );
        }
        add(&[b"/".as_slice(), &[b'D'; 250]].concat(), stat(0o755), directory());
        add(&[b"/".as_slice(), &[b'D'; 250], b"/", &[0xe9; 250]].concat(), stat(0o644), file(b"not utf-8\n"));
        let runs = (0..100_u64).map(|at| (at * 65_536, Bytes::from(vec![at as u8 + 1; 4096]))).collect();
        add(b"/sparse", stat(0o644), Node::Regular(Content::sparse(100 * 65_536 + 4096, runs).expect("valid runs")));
        add(b"/hole", stat(0o644), Node::Regular(Content::sparse(1 << 20, vec![]).expect("valid runs")));
        if is_root() {
            add(b"/big id", Stat { uid: 3_000_000, gid: u32::MAX - 1, ..stat(0o640) }, file(b"x"));
        }
    }
    if ability >= Ability::Pax {
        add(b"/late", Stat { mtime: seconds(9_000_000_000), ..stat(0o640) }, file(b"x"));
        let nanoseconds = Timestamp { seconds: 1, nanoseconds: 20_000_001 };
        add(b"/ns", Stat { mtime: nanoseconds, ..stat(0o644) }, file(b"x"));
        add(b"/before", Stat { mtime: seconds(-6), ..stat(0o644) }, file(b"x"));
        let xattrs = [(b"user.a".as_slice(), b"1\n=\n\0\xff".as_slice()), (b"user.b=%", b"2"), (b"user.empty", b"")];
        let xattrs = xattrs.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        add(b"/xattrs", Stat { xattrs, ..stat(0o644) }, file(b"x"));
    }
    if ability >= Ability::GnuPax {
        let quarter_past = Timestamp { seconds: -7, nanoseconds: 750_000_000 };
        add(b"/fraction", Stat { mtime: quarter_past, ..stat(0o644) }, file(b"x"));
    }
    for (old, new) in [("/usr/a", "z"), ("/link", "zlink")] {
        let id = tree.lookup_no_follow(old.as_bytes()).expect("there");
        let root = tree.lookup(b"/").expect("the root");
        tree.link(id, root, icos::tree::Name::new(new.as_bytes()).expect("valid")).expect("linked");
    }
    tree
}

/// Compares line by line, as whole dumps are too long to read.
pub fn same(got: &Tree, expect: &Tree, what: &str) {
    let (got, expect) = (dump(got), dump(expect));
    for (got, expect) in got.lines().zip(expect.lines()) {
        assert_eq!(got, expect, "{what}");
    }
    assert_eq!(got.lines().count(), expect.lines().count(), "{what}");
}

/// The folder at its own path in a tree.
pub fn folder(root: &Path) -> Tree {
    let stat = |mode| Stat::root(mode, Timestamp::default());
    let mut tree = Tree::new(stat(0o755));
    let mut todo = vec![root.to_path_buf()];
    while let Some(path) = todo.pop() {
        let name = path.to_str().expect("UTF-8").as_bytes();
        if path.is_symlink() {
            let target = fs_err::read_link(&path).expect("a link").to_str().expect("UTF-8").as_bytes().to_vec();
            tree.create(name, stat(0o777), Node::Symlink(target.into())).expect("made");
        } else if path.is_dir() {
            tree.create_dir_all(name, &stat(0o755)).expect("made");
            todo.extend(fs_err::read_dir(&path).expect("readable").map(|entry| entry.expect("there").path()));
        } else {
            let parent = path.parent().expect("a folder").to_str().expect("UTF-8");
            let bytes = fs_err::read(&path).expect("readable");
            tree.create_dir_all(parent.as_bytes(), &stat(0o755)).expect("made");
            tree.create(name, stat(0o644), Node::Regular(bytes.into())).expect("made");
        }
    }
    tree
}
