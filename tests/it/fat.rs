//! FAT volumes judged by fsck.fat and mtools and read back by our own reader.

use std::path::Path;

use bytes::Bytes;
use icos::{
    epoch::Epoch,
    fat::{self, Kind, Options},
    tree::{Content, Device, Name, Node, ROOT, Stat, Timestamp, Tree, dump},
};
use proptest::prelude::*;

use crate::support::{
    judge::{judge, run},
    map::map,
};

const MIB: u64 = 1 << 20;

fn options(kind: Kind, size: u64) -> Options {
    let epoch = Epoch::from_variable(Some("1700000001")).expect("a valid epoch");
    Options { size, kind, volume_id: 0x1234_abcd, label: "CONFIG".to_owned(), epoch }
}

/// As the reader has it, so that trees compare: two seconds are the step of FAT's clock.
fn stat(mode: u16) -> Stat {
    Stat::root(mode, Timestamp::from_seconds(1_700_000_000))
}

fn new_tree() -> Tree {
    Tree::new(Stat::root(0o755, Timestamp::default()))
}

fn add(tree: &mut Tree, path: &str, bytes: impl Into<Vec<u8>>) {
    let (folder, _) = path.rsplit_once('/').expect("an absolute path");
    tree.create_dir_all(folder.as_bytes(), &stat(0o755)).expect("folders");
    tree.create(path.as_bytes(), stat(0o644), Node::Regular(bytes.into().into())).expect("a new path");
}

/// Bytes without a zero that differ from cluster to cluster.
fn noise(length: usize) -> Vec<u8> {
    (0..length as u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8 | 1).collect()
}

fn write(tree: &Tree, options: &Options) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().expect("a scratch file");
    let plan = fat::plan(tree, ROOT, options).expect("a plan");
    file.as_file().set_len(options.size).expect("room for the volume");
    plan.write(file.as_file(), 0).expect("written");
    file
}

fn fsck(image: &Path) {
    let Some(mut command) = judge("fsck.fat") else { return };
    let (code, out, err) = run(command.arg("-nv").arg(image));
    assert_eq!(code, 0, "{out}{err}");
}

/// Everything out again with mcopy, byte by byte.
fn mtools(tree: &Tree, image: &Path) {
    let Some(mut command) = judge("mcopy") else { return };
    if tree.get(ROOT).entries().is_none_or(|entries| entries.is_empty()) {
        return;
    }
    let folder = tempfile::tempdir().expect("a scratch folder");
    let (code, out, err) = run(command.args(["-s", "-n", "-Q", "-i"]).arg(image).arg("::*").arg(folder.path()));
    assert_eq!(code, 0, "{out}{err}");
    for visit in tree.walk().skip(1) {
        let path = folder.path().join(std::str::from_utf8(visit.path.relative()).expect("UTF-8"));
        match &tree.get(visit.id).node {
            Node::Regular(content) => {
                let expect = content.bytes(u64::MAX).expect("small");
                assert!(fs_err::read(&path).expect("copied") == expect, "{}", path.display());
            }
            _ => assert!(path.is_dir(), "{}", path.display()),
        }
    }
}

/// Writes, has fsck.fat look at it, reads back and compares.
fn check(tree: &Tree, options: &Options) -> tempfile::NamedTempFile {
    let image = write(tree, options);
    fsck(image.path());
    let read = fat::read(&map(image.as_file())).expect("a volume that can be read back");
    let (found, expect) = (dump(&read.tree), dump(tree));
    if found != expect {
        let differing = found.lines().zip(expect.lines()).find(|(a, b)| a != b);
        panic!("read back differs, {} and {} bytes: {differing:?}", found.len(), expect.len());
    }
    assert_eq!(
        (read.kind, read.volume_id, read.label),
        (options.kind, 0x1234_abcd, options.label.clone().into_bytes())
    );
    image
}

#[test]
fn empty() {
    for (kind, sizes) in [(Kind::Fat16, [5, 16, 100, 1024, 2047]), (Kind::Fat32, [33, 50, 100, 300, 10_240])] {
        for size in sizes {
            check(&new_tree(), &options(kind, size * MIB));
            check(&new_tree(), &Options { label: String::new(), ..options(kind, size * MIB + 512 * 77) });
        }
    }
}

#[test]
fn boot_partition() {
    let mut tree = new_tree();
    add(&mut tree, "/EFI/BOOT/BOOTX64.EFI", noise(4_180_000));
    add(&mut tree, "/EFI/debian/grub.cfg", "search --fs-uuid 1234-ABCD\n");
    add(&mut tree, "/boot/grub/grubenv", noise(1024));
    add(&mut tree, "/empty", "");
    add(&mut tree, "/a name with blanks, and a point.in it", "x");
    add(&mut tree, "/.hidden", "x");
    add(&mut tree, "/Übergröße/naïve 文件.txt", "unicode");
    add(&mut tree, &format!("/{}", "n".repeat(255)), "long");
    for length in [12, 13, 14, 25, 26, 27] {
        add(&mut tree, &format!("/lengths/{}", "x".repeat(length)), format!("{length}"));
    }
    tree.create_dir_all(b"/a/b/c/d/e/f/g/h/i/j/k/l", &stat(0o755)).expect("folders");
    // Which mtools do not show.
    let mut beyond = tree.clone();
    add(&mut beyond, "/outside the plane 🦀🦀🦀", "two units each");
    check(&beyond, &options(Kind::Fat32, 50 * MIB));
    for (kind, size) in [(Kind::Fat32, 50), (Kind::Fat32, 100), (Kind::Fat16, 100), (Kind::Fat32, 300)] {
        let image = check(&tree, &options(kind, size * MIB));
        mtools(&tree, image.path());
        if let Some(mut mdir) = judge("mdir") {
            let (code, out, err) = run(mdir.arg("-i").arg(image.path()).arg("::EFI/BOOT"));
            assert_eq!(code, 0, "{out}{err}");
            let expect = [" Volume in drive : is CONFIG", "1234-ABCD", "BOOTX64  EFI   4180000 2023-11-14  22:13"];
            assert!(expect.iter().all(|part| out.contains(part)), "{out}");
        }
    }
}

#[test]
fn large_directories() {
    let mut tree = new_tree();
    for number in 0..600 {
        add(&mut tree, &format!("/fonts-and-themes/a-long-name-{number}.mod"), noise(number));
    }
    for number in 0..15_000 {
        add(&mut tree, &format!("/many/entry {number}"), "");
    }
    let image = check(&tree, &options(Kind::Fat32, 100 * MIB));
    mtools(&tree, image.path());
    // FAT16's root directory grows beyond its usual 512 entries.
    let mut tree = new_tree();
    for number in 0..1500 {
        add(&mut tree, &format!("/root-entry-{number}"), "");
    }
    check(&tree, &options(Kind::Fat16, 100 * MIB));
}

#[test]
fn fits_to_the_last_cluster() {
    let mut tree = new_tree();
    for number in 0..50 {
        add(&mut tree, &format!("/{number}"), noise(number * 1000));
    }
    add(&mut tree, "/large", noise(60 << 20));
    for kind in [Kind::Fat16, Kind::Fat32] {
        let too_small = options(kind, 50 * MIB);
        let Err(fat::Error::DoesNotFit { needed, given }) = fat::plan(&tree, ROOT, &too_small) else {
            panic!("61 MiB fit into 50 MiB");
        };
        assert_eq!(given, 50 * MIB);
        let image = check(&tree, &options(kind, needed));
        mtools(&tree, image.path());
        let read = fat::read(&map(image.as_file())).expect("readable");
        assert!(read.free_bytes < 4096, "{} of {needed} bytes are free", read.free_bytes);
        assert!(matches!(fat::plan(&tree, ROOT, &options(kind, needed - 512)), Err(fat::Error::DoesNotFit { .. })));
    }
}

#[test]
fn holes_and_several_names() {
    let mut tree = new_tree();
    let runs = vec![(70_000, Bytes::from(noise(10))), (1 << 20, noise(5000).into())];
    let content = Content::sparse(3 << 20, runs).expect("valid runs");
    let id = tree.create(b"/holes", stat(0o644), Node::Regular(content.clone())).expect("new");
    tree.link(id, ROOT, Name::new(b"other").expect("valid")).expect("linked");
    let image = write(&tree, &options(Kind::Fat32, 50 * MIB));
    fsck(image.path());
    mtools(&tree, image.path());
    let mut apart = new_tree();
    for name in ["/holes", "/other"] {
        apart.create(name.as_bytes(), stat(0o644), Node::Regular(content.clone())).expect("new");
    }
    let read = fat::read(&map(image.as_file())).expect("readable");
    assert_eq!(dump(&read.tree), dump(&apart), "each name is a file of its own");
}

#[test]
fn threads_do_not_show() {
    let mut tree = new_tree();
    for number in 0..300 {
        add(&mut tree, &format!("/{number}"), noise(number * 40));
    }
    let write = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        map(pool.install(|| write(&tree, &options(Kind::Fat32, 50 * MIB))).as_file())
    };
    assert!(write(1) == write(4), "two runs differ");
}

#[test]
fn refusals_name_the_path() {
    let check = |change: &dyn Fn(&mut Tree, &mut Options), expect: &str| {
        let (mut tree, mut options) = (new_tree(), options(Kind::Fat32, 50 * MIB));
        change(&mut tree, &mut options);
        let error = fat::plan(&tree, ROOT, &options).map(|_| ()).expect_err(expect);
        assert_eq!(error.to_string(), expect);
    };
    let with = |tree: &mut Tree, path: &[u8], node: Node| {
        tree.create_dir_all(b"/d", &stat(0o755)).expect("made");
        tree.create(path, stat(0o644), node).expect("a new path");
    };
    let file = || Node::Regular(Content::empty());
    check(&|tree, _| with(tree, b"/d/l", Node::Symlink("x".into())), "`/d/l`: FAT has no symbolic links");
    check(&|tree, _| with(tree, b"/d/f", Node::Fifo), "`/d/f`: FAT has no pipes");
    let device = Device { major: 1, minor: 3 };
    check(&|tree, _| with(tree, b"/d/n", Node::CharDevice(device)), "`/d/n`: FAT has no devices");
    check(&|tree, _| with(tree, b"/d/a:b", file()), "`/d/a:b`: the name has the character ':'");
    check(&|tree, _| with(tree, b"/d/\xff", file()), "`/d/\\xff`: the name is not UTF-8");
    check(&|tree, _| with(tree, b"/d/a.", file()), "`/d/a.`: the name ends with a dot or a blank");
    check(
        &|tree, _| {
            with(tree, b"/d/a", file());
            with(tree, b"/d/A", file());
        },
        "`/d/a`: the name differs from `A` in case only",
    );
    let huge = || Node::Regular(Content::sparse(1 << 32, Vec::new()).expect("valid"));
    check(&|tree, _| with(tree, b"/d/h", huge()), "`/d/h`: a file of 4294967296 bytes, FAT has at most 4294967295");
    check(
        &|_, options| options.label = "Config".to_owned(),
        "label `Config`, expected at most 11 capital letters, digits, blanks and $%'-_@~`!(){}^#&",
    );
    check(
        &|_, options| options.size = 20 * MIB,
        "the FAT volume needs 34099712 bytes, 13128192 more than the 20971520 that it may take",
    );
    check(
        &|_, options| (options.kind, options.size) = (Kind::Fat16, 3 << 30),
        "Fat16 has no volume of 3221225472 bytes or more for this tree",
    );
}

/// The reader on what it was not written for: mkfs.fat's layout and mtools' entries.
#[test]
fn reads_what_mtools_write() {
    let (Some(mut mkfs), Some(mut mcopy)) = (judge("mkfs.fat"), judge("mcopy")) else { return };
    let folder = tempfile::tempdir().expect("a scratch folder");
    let image = tempfile::NamedTempFile::new().expect("a scratch file");
    image.as_file().set_len(100 * MIB).expect("room");
    let (code, out, err) = run(mkfs.args(["-F", "32", "-n", "LABEL", "-i", "DEADBEEF"]).arg(image.path()));
    assert_eq!(code, 0, "{out}{err}");
    let top = folder.path().join("sub");
    fs_err::create_dir_all(top.join("lower.dir")).expect("made");
    for name in ["UPPER.TXT", "lower.txt", "Mixed Case.text", "lower.dir/x"] {
        fs_err::write(top.join(name), noise(name.len() * 1000)).expect("written");
    }
    let (code, out, err) = run(mcopy.args(["-s", "-i"]).arg(image.path()).arg(&top).arg("::"));
    assert_eq!(code, 0, "{out}{err}");
    let read = fat::read(&map(image.as_file())).expect("readable");
    assert_eq!((read.volume_id, &read.label[..]), (0xdead_beef, b"LABEL".as_slice()));
    let found: Vec<String> = read.tree.walk().map(|visit| visit.path.to_string()).collect();
    let expect = "/ /sub /sub/Mixed\\x20Case.text /sub/UPPER.TXT /sub/lower.dir /sub/lower.dir/x /sub/lower.txt";
    assert_eq!(found.join(" ").replace("Mixed Case", "Mixed\\x20Case"), expect);
    for name in ["UPPER.TXT", "lower.txt", "Mixed Case.text", "lower.dir/x"] {
        let bytes = read.tree.read(format!("/sub/{name}").as_bytes()).expect("there");
        assert!(bytes == noise(name.len() * 1000), "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_small_tree(
        steps in prop::collection::vec(
            (any::<usize>(), "[a-zA-Zé~ .+0-9_-]{0,30}[a-z~0-9]", any::<bool>(), 0..9000_usize),
            0..120,
        ),
        is_wide in any::<bool>(),
    ) {
        let mut tree = new_tree();
        let mut directories = vec![ROOT];
        for (place, name, is_directory, length) in steps {
            let parent = directories[place % directories.len()];
            let entries = tree.get(parent).entries().expect("a directory");
            let folded = name.to_uppercase();
            if entries.keys().any(|other| String::from_utf8_lossy(other.as_bytes()).to_uppercase() == folded) {
                continue;
            }
            let name = Name::new(name.as_bytes()).expect("a valid name");
            if is_directory {
                let node = Node::Directory(Default::default());
                directories.push(tree.insert(parent, name, stat(0o755), node).expect("new"));
            } else {
                tree.insert(parent, name, stat(0o644), Node::Regular(noise(length).into())).expect("new");
            }
        }
        let kind = if is_wide { Kind::Fat32 } else { Kind::Fat16 };
        let image = check(&tree, &options(kind, 40 * MIB));
        mtools(&tree, image.path());
    }
}
