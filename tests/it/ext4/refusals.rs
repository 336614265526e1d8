//! What ext4 can't hold, and how the writer says so.

use icos::{
    ext4::{self, Error, Options},
    tree::{Device, Errno, Node, ROOT, Tree},
};

use super::{MIB, add, check, file, name, new_tree, options, sparse, symlink, xattrs};

#[test]
fn refusals_name_the_path() {
    let check = |change: &dyn Fn(&mut Tree, &mut Options), expect: &str| {
        let (mut tree, mut options) = (new_tree(), options(8 * MIB));
        change(&mut tree, &mut options);
        let error = ext4::plan(&tree, ROOT, &options).map(|_| ()).expect_err(expect);
        assert_eq!(error.to_string(), expect);
    };
    let with = |tree: &mut Tree, path: &str, node: Node| {
        add(tree, path, node);
    };
    let with_xattr = |tree: &mut Tree, name: &str, value: &[u8]| {
        let id = add(tree, "/x", file(""));
        tree.stat_mut(id).xattrs = xattrs(&[(name, value)]);
    };
    check(
        &|tree, _| with(tree, "/l", symlink(vec![b'x'; 4096])),
        "`/l`: a symbolic link to 4096 bytes, ext4 has at most 4095",
    );
    check(&|tree, _| with(tree, "/l", symlink("")), "`/l`: the target of the symbolic link is empty or has a NUL");
    check(
        &|tree, _| with(tree, "/d", Node::CharDevice(Device { major: 4096, minor: 0 })),
        "`/d`: device 4096:0, Linux has at most 4095:1048575",
    );
    check(
        &|tree, _| with(tree, "/f", sparse(1 << 45, &[])),
        "`/f`: a file of 35184372088832 bytes, ext4 has at most 16 TiB",
    );
    check(&|tree, _| with(tree, "/lost+found", file("")), "`/lost+found` is not a directory, as e2fsck demands");
    check(
        &|tree, _| tree.stat_mut(ROOT).mtime.seconds = -3_000_000_000,
        "`/`: modified -3000000000 seconds after 1970, ext4 has times from 1901 to 2446",
    );
    check(
        &|tree, _| with_xattr(tree, "user.a", &[1; 4070]),
        "`/x`: extended attributes need a block of 4128 bytes, ext4 has 4096",
    );
    check(
        &|tree, _| with_xattr(tree, "btrfs.a", b"x"),
        "`/x`: extended attribute `btrfs.a` is in none of user, trusted, security and system",
    );
    check(
        &|tree, _| with_xattr(tree, "system.posix_acl_access", b"\x01\0\0\0"),
        "`/x`: extended attribute `system.posix_acl_access` is not a POSIX ACL of version 2",
    );
    check(
        &|_, options| options.label = vec![b'x'; 17],
        "label `xxxxxxxxxxxxxxxxx`, expected at most 16 bytes without NUL",
    );
    check(
        &|_, options| options.journal = Some(MIB),
        "a journal of 1048576 bytes, expected from 4194304 to 41943040000",
    );
    let file_id = add(&mut new_tree(), "/f", file(""));
    let mut tree = new_tree();
    add(&mut tree, "/f", file(""));
    assert!(matches!(ext4::plan(&tree, file_id, &options(MIB)), Err(Error::NotDirectory)));
}

/// ext4's limit is the tree's limit, too, so that a package or script hears of it where it makes the link.
#[test]
fn hard_links_have_a_limit() {
    let mut tree = new_tree();
    let id = add(&mut tree, "/first", file(""));
    for number in 1..65_000 {
        tree.link(id, ROOT, name(format!("{number}"))).expect("linked");
    }
    assert_eq!(tree.link(id, ROOT, name("one-more")), Err(Errno::TooManyLinks));
    check(&tree, &options(64 * MIB));
}
