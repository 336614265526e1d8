//! Outputs judged by GNU tar, zstd and e2fsck.

use std::path::Path;

use bytes::Bytes;
use icos::{
    epoch::Epoch,
    output::{self, LeftOut},
    tar,
    tree::{Content, Node, Stat, Timestamp, Tree},
    zst,
};

use crate::support::{
    judge::{judge, run},
    tree::{Ability, is_root, same, tree},
};

fn scratch() -> tempfile::TempDir {
    // Temporary file systems may hold no attributes.
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder")
}

/// The tree that GNU tar finds in a folder.
fn packed(root: &Path) -> Option<Tree> {
    let file = root.with_extension("tar");
    let mut command = judge("tar")?;
    command.args(["--format=posix", "--xattrs", "--xattrs-include=*", "--hole-detection=raw", "--sparse", "-cf"]);
    let (code, _, errors) = run(command.arg(&file).arg("-C").arg(root).arg("."));
    assert_eq!(code, 0, "{errors}");
    Some(tar::read_tree(&fs_err::read(&file).expect("readable").into()).expect("an archive"))
}

#[test]
fn a_folder_is_the_tree() {
    let folder = scratch();
    let root = folder.path().join("root");
    let tree = tree(Ability::GnuPax);
    let left_out = output::folder(&tree, &root).expect("written");
    assert_eq!(left_out, LeftOut::default());
    let Some(packed) = packed(&root) else { return };
    same(&packed, &tree, "a folder");
    let again = output::folder(&tree, &root).expect_err("there is one");
    assert!(again.to_string().contains("root"), "{again}");
}

#[test]
fn an_ordinary_user_hears_what_is_missing() {
    if is_root() {
        return;
    }
    let mut tree = tree(Ability::Pax);
    let stat = Stat { uid: 1, ..Stat::root(0o644, Timestamp::default()) };
    tree.create(b"/device", stat.clone(), Node::CharDevice(icos::tree::Device { major: 1, minor: 3 })).expect("made");
    // cap_net_raw=ep, as `setcap` writes it.
    let capability = *b"\x01\0\0\x02\0\x20\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    let xattrs = [(Box::from(b"security.capability".as_slice()), Box::from(capability.as_slice()))].into();
    tree.create(b"/able", Stat { xattrs, ..stat.clone() }, Node::Regular(Content::empty())).expect("made");
    tree.create(b"/lender", Stat { mode: 0o4755, ..stat }, Node::Regular(Content::empty())).expect("made");
    let folder = scratch();
    let left_out = output::folder(&tree, &folder.path().join("root")).expect("written");
    assert_eq!(left_out, LeftOut { owners: 2, privileges: 1, devices: 1, xattrs: 1 });
    let lender = fs_err::metadata(folder.path().join("root/lender")).expect("made");
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&lender.permissions()) & 0o7777, 0o755);
}

#[test]
fn archives_are_the_same_on_any_number_of_threads() {
    let folder = scratch();
    let tree = tree(Ability::GnuPax);
    let expect = tar::archive(&tree).expect("representable").bytes(1 << 30).expect("short");
    let mut outputs = Vec::new();
    for threads in [1, 8] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        let path = |end: &str| folder.path().join(format!("{threads}.{end}"));
        pool.install(|| output::tar(&tree, &path("tar"), &|_| {})).expect("written");
        assert!(fs_err::read(path("tar")).expect("readable") == *expect);
        pool.install(|| output::tar_zst(&tree, output::ZSTD_LEVEL, &path("tar.zst"), &|_| {})).expect("written");
        pool.install(|| output::ext4(&tree, Epoch::from_variable(None).expect("0"), &path("ext4"), &|_| {}))
            .expect("written");
        outputs.push((fs_err::read(path("tar.zst")).expect("readable"), fs_err::read(path("ext4")).expect("readable")));
    }
    assert!(outputs[0] == outputs[1]);
    let Some(mut zstd) = judge("zstd") else { return };
    let plain = zstd.args(["-dcq"]).arg(folder.path().join("1.tar.zst")).output().expect("the judge starts");
    assert!(plain.status.success() && plain.stdout == *expect);
    let Some(mut e2fsck) = judge("e2fsck") else { return };
    let (code, out, errors) = run(e2fsck.arg("-fn").arg(folder.path().join("1.ext4")));
    assert_eq!(code, 0, "{out}{errors}");
}

#[test]
fn frames_are_zstd() {
    let Some(_) = judge("zstd") else { return };
    let run = |at: u64, len: usize| (at, Bytes::from((0..len).map(|at| (at % 253) as u8).collect::<Vec<_>>()));
    for (len, runs) in [
        (0, vec![]),
        (1, vec![run(0, 1)]),
        (4 << 20, vec![run(7, 4000)]),
        ((4 << 20) + 1, vec![run(0, 5), run(4 << 20, 1)]),
        (100 << 20, vec![run(3 << 20, 9 << 20), run(50 << 20, 100)]),
    ] {
        let content = Content::sparse(len, runs).expect("valid runs");
        let mut packed = Vec::new();
        let written = zst::write(&content, 3, &mut packed, &|_| {}).expect("memory takes everything");
        assert_eq!(written, packed.len() as u64);
        let folder = scratch();
        let path = folder.path().join("a.zst");
        fs_err::write(&path, &packed).expect("writable");
        let plain = judge("zstd").expect("it was there").args(["-dcq"]).arg(&path).output().expect("it starts");
        assert!(plain.status.success() && plain.stdout == content.bytes(1 << 30).expect("short"), "{len}");
    }
}

#[test]
fn holes_are_what_the_bytes_say() {
    let folder = scratch();
    let path = |name: &str| folder.path().join(name);
    let mut image = vec![0; 20 << 20];
    for at in [5000, 4 << 20, (4 << 20) + 4096, (8 << 20) - 1, (20 << 20) - 1] {
        image[at] = 1;
    }
    fs_err::write(path("full"), &image).expect("writable");
    // The same with holes where the file system has them, and one where the bytes of a block were written as zeros.
    let file = fs_err::File::create(path("sparse")).expect("writable");
    file.set_len(image.len() as u64).expect("writable");
    for (index, block) in image.chunks(4096).enumerate().filter(|(index, block)| *index == 9 || block.contains(&1)) {
        std::os::unix::fs::FileExt::write_all_at(file.file(), block, index as u64 * 4096).expect("writable");
    }
    let stat = Stat::root(0o644, Timestamp::from_seconds(1_700_000_000));
    for name in ["full", "sparse"] {
        let out = path(&format!("{name}.tar.zst"));
        output::sparse_tar_zst(&path(name), b"disk.img", &stat, 3, &out, &|_| {}).expect("written");
    }
    let packed = fs_err::read(path("full.tar.zst")).expect("readable");
    assert!(packed == fs_err::read(path("sparse.tar.zst")).expect("readable"));
    let Some(mut tar) = judge("tar") else { return };
    let (code, _, errors) =
        run(tar.args(["--zstd", "--sparse", "-xf"]).arg(path("full.tar.zst")).arg("-C").arg(folder.path()));
    assert_eq!((code, errors.as_str()), (0, ""));
    assert!(fs_err::read(path("disk.img")).expect("extracted") == image);
    let blocks = std::os::unix::fs::MetadataExt::blocks(&fs_err::metadata(path("disk.img")).expect("extracted"));
    assert!(blocks <= 16 * 8, "{blocks}");
}
