//! ext4 images judged by e2fsprogs and read back by our own reader.

use std::{io::Read, path::Path};

use bytes::Bytes;
use icos::{
    epoch::Epoch,
    ext4::{self, Options},
    tree::{Content, Device, InodeId, Name, Node, ROOT, Stat, Timestamp, Tree, Xattrs, dump},
};
use uuid::Uuid;

use crate::support::{
    judge::{judge, run},
    map::map,
};

mod damage;
mod random;
mod refusals;

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

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

fn new_tree() -> Tree {
    Tree::new(stat(0o755))
}

fn file(bytes: impl Into<Vec<u8>>) -> Node {
    Node::Regular(bytes.into().into())
}

fn sparse(len: u64, runs: &[(u64, Vec<u8>)]) -> Node {
    let runs = runs.iter().map(|(offset, bytes)| (*offset, bytes.clone().into())).collect();
    Node::Regular(Content::sparse(len, runs).expect("runs that are ascending, apart and inside"))
}

fn directory() -> Node {
    Node::Directory(Default::default())
}

fn symlink(target: impl Into<Vec<u8>>) -> Node {
    Node::Symlink(target.into().into())
}

fn add(tree: &mut Tree, path: impl AsRef<[u8]>, node: Node) -> InodeId {
    tree.create(path.as_ref(), stat(0o644), node).expect("a new path")
}

fn name(bytes: impl AsRef<[u8]>) -> Name {
    Name::new(bytes.as_ref()).expect("a valid name")
}

/// Bytes without a zero that differ from block to block.
fn noise(length: usize) -> Vec<u8> {
    (0..length as u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8 | 1).collect()
}

/// The image in a scratch file with something before and behind it, so that a byte out of place shows.
struct Image {
    file: tempfile::NamedTempFile,
    size: u64,
}

const BASE: u64 = MIB;

impl Image {
    fn new(tree: &Tree, options: &Options) -> Self {
        let file = tempfile::NamedTempFile::new().expect("a scratch file");
        let plan = ext4::plan(tree, ROOT, options).expect("a plan");
        file.as_file().set_len(BASE + options.size + MIB).expect("room for the image");
        plan.write(file.as_file(), BASE, &|_| {}).expect("written");
        Self { file, size: options.size }
    }

    fn path(&self) -> &Path {
        self.file.path()
    }

    /// As e2fsprogs take it.
    fn name(&self) -> String {
        format!("{}?offset={BASE}", self.path().display())
    }

    fn bytes(&self) -> Bytes {
        map(self.file.as_file()).slice(BASE as usize..(BASE + self.size) as usize)
    }

    fn fsck(&self) {
        let Some(mut command) = judge("e2fsck") else { return };
        let (code, out, err) = run(command.arg("-fn").arg(self.name()));
        assert_eq!(code, 0, "{out}{err}");
    }

    fn debugfs(&self, request: &str) -> Option<String> {
        let (code, out, err) = run(judge("debugfs")?.arg("-R").arg(request).arg(self.name()));
        assert_eq!(code, 0, "{request}: {out}{err}");
        Some(out)
    }

    fn allocated(&self) -> u64 {
        use std::os::unix::fs::MetadataExt;
        self.file.as_file().metadata().expect("metadata").blocks() * 512
    }
}

/// What the reader must return for `tree`.
fn expected(tree: &Tree) -> String {
    let mut tree = tree.clone();
    if tree.find(b"/lost+found").is_none() {
        let stat = Stat::root(0o700, Timestamp::from_seconds(1_700_000_000));
        tree.create(b"/lost+found", stat, directory()).expect("a new path");
    }
    dump(&tree)
}

/// Writes, has e2fsck look at it, reads back and compares.
fn check(tree: &Tree, options: &Options) -> Image {
    let image = Image::new(tree, options);
    image.fsck();
    let read = ext4::read(&image.bytes()).expect("an image that can be read back");
    let (found, expect) = (dump(&read.tree), expected(tree));
    if found != expect {
        let differing = found.lines().zip(expect.lines()).find(|(a, b)| a != b);
        panic!("read back differs, {} and {} bytes: {differing:?}", found.len(), expect.len());
    }
    assert_eq!((read.uuid, read.hash_seed), (options.uuid, options.hash_seed));
    assert_eq!((read.label, read.journal), (options.label.clone(), options.journal));
    image
}

#[test]
fn empty() {
    for size in [MIB, 8 * MIB, 129 * MIB, 130 * MIB] {
        check(&new_tree(), &options(size));
    }
    let journal = |journal| Some(journal * MIB);
    check(&new_tree(), &Options { journal: journal(4), reserved_percent: 5, ..options(64 * MIB) });
    check(&new_tree(), &Options { journal: journal(16), label: vec![], uuid: Uuid::nil(), ..options(100 * MIB) });
    let many = Options { journal: journal(1024), bytes_per_inode: 1024, ..options(10 * GIB) };
    let image = check(&new_tree(), &many);
    assert!(image.allocated() < 2 * MIB, "{} bytes are not sparse", image.allocated());
}

#[test]
fn lost_found_of_the_tree_is_kept() {
    let mut tree = new_tree();
    add(&mut tree, "/a", file("a"));
    tree.create(b"/lost+found", stat(0o711), directory()).expect("new");
    add(&mut tree, "/lost+found/below", directory());
    add(&mut tree, "/lost+found/below/x", file("x"));
    add(&mut tree, "/z", file("z"));
    check(&tree, &options(MIB));
}

#[test]
fn many_names_in_one_directory() {
    let mut tree = new_tree();
    let big = tree.create_dir_all(b"/big", &stat(0o755)).expect("made");
    for number in 0..50_000 {
        let node = file(b"x".repeat(number % 3));
        tree.insert(big, name(format!("entry-{number}")), stat(0o644), node).expect("new");
    }
    let parents = tree.create_dir_all(b"/directories", &stat(0o755)).expect("made");
    for number in 0..20_000 {
        tree.insert(parents, name(format!("directory-{number}")), stat(0o700), directory()).expect("new");
    }
    let image = check(&tree, &options(512 * MIB));
    if let Some(text) = image.debugfs("stat /directories") {
        assert!(text.contains("Links: 20002"), "{text}");
    }
}

/// More directories than a link count can count, and names long enough for a second level of the index.
#[test]
fn more_than_links_can_count() {
    let mut tree = new_tree();
    let parent = tree.create_dir_all(b"/many", &stat(0o755)).expect("made");
    for number in 0..65_000 {
        tree.insert(parent, name(format!("{number}")), stat(0o755), directory()).expect("new");
    }
    let long = tree.create_dir_all(b"/long", &stat(0o755)).expect("made");
    for number in 0..8_000 {
        tree.insert(long, name(format!("{number:x>255}")), stat(0o600), file("")).expect("new");
    }
    let image = check(&tree, &Options { bytes_per_inode: 4096, ..options(512 * MIB) });
    if let Some(text) = image.debugfs("stat /many") {
        assert!(text.contains("Links: 1 "), "{text}");
    }
    if let Some(text) = image.debugfs("htree_dump /long") {
        assert!(text.contains("Indirect levels: 1"), "{text}");
    }
}

#[test]
fn hard_links() {
    let mut tree = new_tree();
    let id = add(&mut tree, "/first", file("shared"));
    for number in 1..60_000 {
        tree.link(id, ROOT, name(format!("{number}"))).expect("linked");
    }
    add(&mut tree, "/directory", directory());
    let inside = tree.lookup(b"/directory").expect("there");
    tree.link(id, inside, name("other")).expect("linked");
    let target = add(&mut tree, "/symlink", symlink("first"));
    tree.link(target, inside, name("symlink")).expect("linked");
    check(&tree, &options(64 * MIB));
}

#[test]
fn names_links_devices_and_times() {
    let mut tree = new_tree();
    add(&mut tree, [b"/".as_slice(), &[b'n'; 255]].concat(), file("long"));
    add(&mut tree, b"/\xff\xfe\x01 not UTF-8", directory());
    add(&mut tree, b"/\xff\xfe\x01 not UTF-8/\x80", symlink(b"\xf0\x80".as_slice()));
    for length in [1, 59, 60, 4000, 4095] {
        add(&mut tree, format!("/symlink-{length}"), symlink(vec![b'y'; length]));
    }
    for (path, major, minor) in
        [("0", 0, 0), ("1", 1, 3), ("255", 255, 255), ("300", 300, 70_000), ("m", 4095, 1_048_575)]
    {
        add(&mut tree, format!("/char-{path}"), Node::CharDevice(Device { major, minor }));
        add(&mut tree, format!("/block-{path}"), Node::BlockDevice(Device { major, minor }));
    }
    add(&mut tree, "/fifo", Node::Fifo);
    add(&mut tree, "/socket", Node::Socket);
    for seconds in [-2_147_483_648, -315_619_200, 0, 2_147_483_648, 4_102_444_800, 15_032_385_535] {
        let id = add(&mut tree, format!("/time{seconds}"), file(""));
        tree.stat_mut(id).mtime = Timestamp { seconds, nanoseconds: 999_999_999 };
    }
    let id = add(&mut tree, "/owned", file(""));
    let owned = Stat { mode: 0o7777, uid: 100_000, gid: 1_000_000, ..stat(0) };
    *tree.stat_mut(id) = owned;
    let image = check(&tree, &options(4 * MIB));
    let says = |path: &str, expect: &str| {
        if let Some(text) = image.debugfs(&format!("stat {path}")) {
            assert!(text.contains(expect), "{path}: {text}");
        }
    };
    says("/char-300", "Device major/minor number: 300:70000 ");
    says("/block-255", "Device major/minor number: 255:255 ");
    says("/symlink-59", "Fast link dest: \"yyy");
    says("/symlink-60", "EXTENTS:");
    says("/time4102444800", "mtime: 0xf4865700:ee6b27fd -- Fri Jan  1 00:00:00 2100");
    says("/owned", "User: 100000   Group: 1000000 ");
    says("/fifo", "crtime: 0x6553f100:00000000 -- Tue Nov 14 22:13:20 2023");
}

fn acl(entries: &[(u16, u16, u32)]) -> Box<[u8]> {
    let mut bytes = 2_u32.to_le_bytes().to_vec();
    for (tag, permissions, id) in entries {
        bytes.extend_from_slice(&tag.to_le_bytes());
        bytes.extend_from_slice(&permissions.to_le_bytes());
        bytes.extend_from_slice(&id.to_le_bytes());
    }
    bytes.into()
}

fn xattrs(pairs: &[(&str, &[u8])]) -> Xattrs {
    pairs.iter().map(|(name, value)| (name.as_bytes().into(), (*value).into())).collect()
}

#[test]
fn extended_attributes() {
    let mut tree = new_tree();
    let none = u32::MAX;
    let access = acl(&[(1, 7, none), (2, 5, 1000), (4, 5, none), (8, 4, 4_000_000_000), (16, 7, none), (32, 0, none)]);
    let capability = b"\x01\x00\x00\x02\x00\x20\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00".as_slice();
    let label = b"system_u:object_r:bin_t:s0\0".as_slice();
    let mut with = |path: &str, node: Node, pairs: &[(&str, &[u8])]| {
        let id = add(&mut tree, path, node);
        tree.stat_mut(id).xattrs = xattrs(pairs);
    };
    with("/ping", file("ping"), &[("security.capability", capability), ("security.selinux", label)]);
    with("/journal", directory(), &[("system.posix_acl_access", &access), ("system.posix_acl_default", &access)]);
    with("/empty", file("x"), &[("user.empty", b""), ("trusted.overlay.opaque", b"y")]);
    with("/été", file("x"), &[("user.été", b"x"), ("user.ÿ", &[1; 200])]);
    with("/big", file("x"), &[("user.a", &noise(900)), ("user.b", &noise(1500)), ("user.long", &noise(61))]);
    // Header, entry, name, end: 4020 bytes are left of the block.
    with("/full", symlink("x".repeat(100)), &[("user.full-of-it", &noise(4032))]);
    with("/device", Node::CharDevice(Device { major: 1, minor: 3 }), &[("security.selinux", label)]);
    let many: Vec<String> = (0..60).map(|number| format!("user.{number}")).collect();
    let many: Vec<(&str, &[u8])> = many.iter().map(|name| (name.as_str(), b"0123456789".as_slice())).collect();
    with("/many", file(""), &many);
    for number in 0..1100 {
        with(&format!("/shared-{number}"), file(""), &[("user.shared", &[7; 200])]);
    }
    tree.stat_mut(ROOT).xattrs = xattrs(&[("security.selinux", label)]);
    let image = check(&tree, &Options { bytes_per_inode: 4096, ..options(8 * MIB) });
    if let Some(text) = image.debugfs("ea_get -x /ping security.capability") {
        assert_eq!(text.trim(), "security.capability (20) = 01 00 00 02 00 20".to_owned() + &" 00".repeat(14));
    }
    if let Some(text) = image.debugfs("ea_list /journal") {
        assert!(
            text.contains("system.posix_acl_access (36) = 01 00 00 00 01 00 07 00 02 00 05 00 e8 03 00 00 04 00 05 00"),
            "{text}"
        );
    }
}

#[test]
fn sparse_and_fragmented_files() {
    let mut tree = new_tree();
    let gap = 64 << 10;
    add(&mut tree, "/hole", sparse(GIB / 4, &[]));
    add(&mut tree, "/sparse", sparse(4 * GIB + 5, &[(0, noise(3)), (GIB + 7, noise(9000)), (4 * GIB, noise(5))]));
    // One extent a run: the tree gets a second level beyond 340 × 4.
    let runs: Vec<_> = (0..2_000).map(|number| (number * gap, noise(1 + number as usize % 5000))).collect();
    add(&mut tree, "/fragments", sparse(2_000 * gap, &runs));
    add(&mut tree, "/zeros", file(vec![0; 3 << 20]));
    let mut mixed = vec![0; 1 << 20];
    mixed[500_000..600_000].copy_from_slice(&noise(100_000));
    add(&mut tree, "/mixed", file(mixed));
    let image = check(&tree, &options(256 * MIB));
    assert!(image.allocated() < 16 * MIB, "{} bytes are not sparse", image.allocated());
    if let Some(text) = image.debugfs("stat /fragments") {
        assert!(text.contains("(ETB"), "{text}");
    }
}

#[test]
fn huge_file_over_many_groups() {
    let mut tree = new_tree();
    let shared: Bytes = noise(1 << 20).into();
    // 300 MiB that share one MiB of memory: extents at their longest, cut by groups' superblocks.
    let runs = (0..300).map(|number| (number << 20, shared.clone())).collect();
    add(&mut tree, "/huge", Node::Regular(Content::sparse(300 << 20, runs).expect("valid runs")));
    add(&mut tree, "/after", file("after"));
    check(&tree, &Options { journal: Some(256 * MIB), ..options(10 * GIB) });
}

#[test]
fn fits_to_the_last_block() {
    let mut tree = new_tree();
    for number in 0..300 {
        add(&mut tree, format!("/{number}"), file(noise(number * 300)));
    }
    add(&mut tree, "/large", file(noise(140 << 20)));
    let wanted = options(GIB);
    let needed = ext4::needed(&tree, ROOT, &wanted).expect("a size");
    let image = check(&tree, &options(needed));
    let read = ext4::read(&image.bytes()).expect("readable");
    assert!(read.free_bytes < MIB / 4, "{} of {needed} bytes are free", read.free_bytes);
    let given = needed - 10 * MIB;
    let error = ext4::plan(&tree, ROOT, &options(given)).map(|_| ()).expect_err("too small");
    assert_eq!(
        error.to_string(),
        format!("the ext4 file system needs {needed} bytes, 10485760 more than the {given} that it may take")
    );
}

#[test]
fn a_part_of_the_tree() {
    let mut tree = new_tree();
    add(&mut tree, "/boot", directory());
    let id = add(&mut tree, "/boot/vmlinuz", file("kernel"));
    tree.link(id, ROOT, name("vmlinuz")).expect("linked");
    let boot = tree.lookup(b"/boot").expect("there");
    let image = tempfile::NamedTempFile::new().expect("a scratch file");
    image.as_file().set_len(MIB).expect("room");
    ext4::plan(&tree, boot, &options(MIB)).expect("a plan").write(image.as_file(), 0, &|_| {}).expect("written");
    let read = ext4::read(&map(image.as_file())).expect("readable");
    let id = read.tree.lookup(b"/vmlinuz").expect("there");
    assert_eq!(read.tree.get(id).links(), 1, "the name outside does not count");
}

#[test]
fn threads_do_not_show() {
    let mut tree = new_tree();
    for number in 0..500 {
        add(&mut tree, format!("/{number}"), file(noise(number * 40)));
    }
    let write = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        pool.install(|| Image::new(&tree, &options(32 * MIB))).bytes()
    };
    assert!(write(1) == write(4), "two runs differ");
}

/// Everything out again with debugfs, byte by byte.
#[test]
fn debugfs_reads_the_same_contents() {
    let mut tree = new_tree();
    for number in 0..40 {
        let folder = format!("/d{}", number % 7);
        tree.create_dir_all(folder.as_bytes(), &stat(0o755)).expect("made");
        add(&mut tree, format!("{folder}/{number}"), file(noise(number * number * 20)));
    }
    add(&mut tree, "/d1/link", symlink("../d2/".repeat(30)));
    let image = check(&tree, &options(16 * MIB));
    let folder = tempfile::tempdir().expect("a scratch folder");
    if image.debugfs(&format!("rdump / {}", folder.path().display())).is_none() {
        return;
    }
    for visit in tree.walk() {
        let path = folder.path().join(std::str::from_utf8(visit.path.relative()).expect("ASCII"));
        match &tree.get(visit.id).node {
            Node::Regular(content) => {
                let expect = content.bytes(u64::MAX).expect("small");
                assert!(fs_err::read(&path).expect("dumped") == expect, "{}", path.display());
            }
            Node::Symlink(target) => {
                let found = fs_err::read_link(&path).expect("dumped");
                assert_eq!(found.as_os_str().as_encoded_bytes(), target);
            }
            _ => assert!(path.is_dir()),
        }
    }
}

/// The reader on what it was not written for: mke2fs' own layout.
#[test]
fn reads_what_mke2fs_writes() {
    let Some(mut mke2fs) = judge("mke2fs") else { return };
    let folder = tempfile::tempdir().expect("a scratch folder");
    let mut tree = new_tree();
    for number in 0..600 {
        let path = format!("d{}/{}", number % 3, "long-name-".repeat(number % 20) + &number.to_string());
        let bytes = noise(number * 37);
        fs_err::create_dir_all(folder.path().join(format!("d{}", number % 3))).expect("made");
        fs_err::write(folder.path().join(&path), &bytes).expect("written");
        tree.create_dir_all(format!("/d{}", number % 3).as_bytes(), &stat(0o755)).expect("made");
        add(&mut tree, format!("/{path}"), file(bytes));
    }
    let image = tempfile::NamedTempFile::new().expect("a scratch file");
    image.as_file().set_len(300 * MIB).expect("room");
    let features = "metadata_csum,64bit,^orphan_file,^metadata_csum_seed";
    let arguments = ["-q", "-t", "ext4", "-b", "4096", "-I", "256", "-O", features, "-d"];
    let (code, out, err) = run(mke2fs.args(arguments).arg(folder.path()).arg(image.path()));
    assert_eq!(code, 0, "{out}{err}");
    let read = ext4::read(&map(image.as_file())).expect("readable");
    let contents = |tree: &Tree| -> Vec<_> {
        let visits = tree.walk().filter(|visit| tree.get(visit.id).is_file());
        visits.map(|visit| (visit.path.clone(), tree.read(visit.path.as_bytes()).expect("a file"))).collect()
    };
    assert!(contents(&read.tree) == contents(&tree), "contents differ");
}

#[test]
fn nothing_is_written_outside() {
    let mut tree = new_tree();
    add(&mut tree, "/fill", file(noise(3 << 20)));
    let image = Image::new(&tree, &options(4 * MIB));
    let mut whole = Vec::new();
    image.file.reopen().expect("reopened").read_to_end(&mut whole).expect("readable");
    let (before, rest) = whole.split_at(BASE as usize);
    assert!(before.iter().chain(&rest[4 << 20..]).all(|&byte| byte == 0));
}
