//! Tar archives judged by GNU tar and bsdtar, in both directions, and hostile ones refused.

use std::path::Path;

use bytes::Bytes;
use icos::{
    tar::{self, Fault, Kind},
    tree::{Content, Stat, Timestamp, Tree},
};

use crate::support::{
    judge::{judge, run},
    tree::{Ability, same, tree},
};

fn archive(tree: &Tree) -> Bytes {
    tar::archive(tree).expect("representable").bytes(1 << 30).expect("short")
}

/// Extracts with GNU tar; on a real file system, as some temporary ones hold no attributes.
fn extract(archive: &[u8]) -> Option<tempfile::TempDir> {
    let mut tar = judge("tar")?;
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let file = folder.path().join("archive.tar");
    let root = folder.path().join("root");
    fs_err::create_dir_all(&root).expect("a folder");
    fs_err::write(&file, archive).expect("written");
    tar.args([
        "--numeric-owner",
        "--same-permissions",
        "--xattrs",
        "--xattrs-include=*",
        "--sparse",
        "--warning=no-unknown-keyword",
        "--warning=no-timestamp",
        "-xf",
    ]);
    let (code, out, errors) = run(tar.arg(&file).arg("-C").arg(&root));
    assert_eq!((code, out.as_str(), errors.as_str()), (0, "", ""));
    Some(folder)
}

/// Packs with a foreign program and reads the result.
fn packed_by(program: &str, arguments: &[&str], root: &Path) -> Option<Tree> {
    let mut command = judge(program)?;
    let file = root.with_file_name("packed.tar");
    let (code, _, errors) = run(command.args(arguments).arg("-cf").arg(&file).arg("-C").arg(root).arg("."));
    assert_eq!(code, 0, "{program} {arguments:?}: {errors}");
    let bytes = Bytes::from(fs_err::read(&file).expect("an archive"));
    Some(tar::read_tree(&bytes).unwrap_or_else(|error| panic!("{program} {arguments:?}: {error}")))
}

#[test]
fn foreign_programs_read_ours_and_we_read_theirs() {
    let check = |ability, program: &str, arguments: &[&str]| {
        let tree = tree(ability);
        same(&tar::read_tree(&archive(&tree)).expect("readable"), &tree, &format!("{ability:?}"));
        let Some(folder) = extract(&archive(&tree)) else { return };
        let Some(theirs) = packed_by(program, arguments, &folder.path().join("root")) else { return };
        same(&theirs, &tree, &format!("{program} {arguments:?}"));
    };
    check(Ability::V7, "tar", &["--format=v7"]);
    check(Ability::Ustar, "tar", &["--format=ustar"]);
    check(Ability::Gnu, "tar", &["--format=oldgnu", "--sparse"]);
    check(Ability::Gnu, "tar", &["--format=gnu", "--sparse"]);
    for version in ["0.0", "0.1", "1.0"] {
        let version = format!("--sparse-version={version}");
        check(Ability::GnuPax, "tar", &["--format=posix", "--xattrs", "--sparse", "--hole-detection=raw", &version]);
    }
    check(Ability::GnuPax, "tar", &["--format=posix", "--xattrs", "--numeric-owner"]);
    check(Ability::V7, "bsdtar", &["--format=v7tar"]);
    check(Ability::Ustar, "bsdtar", &["--format=ustar"]);
    check(Ability::Gnu, "bsdtar", &["--format=gnutar"]);
    check(Ability::Pax, "bsdtar", &["--format=pax", "--xattrs"]);
}

#[test]
fn bsdtar_lists_ours_as_gnu_tar_does() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("archive.tar");
    fs_err::write(&file, archive(&tree(Ability::GnuPax))).expect("written");
    let (Some(mut gnu), Some(mut bsd)) = (judge("tar"), judge("bsdtar")) else { return };
    let names = |command: &mut std::process::Command| {
        let output = command.arg("-tf").arg(&file).output().expect("the judge starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let lines = output.stdout.split(|&b| b == b'\n').filter(|line| line.is_ascii() && !line.contains(&b'\\'));
        lines.map(|line| String::from_utf8_lossy(line).into_owned()).collect::<Vec<_>>()
    };
    let names_of_gnu = names(&mut gnu);
    assert!(names_of_gnu.len() > 20, "{names_of_gnu:?}");
    assert_eq!(names_of_gnu, names(&mut bsd));
}

#[test]
fn one_sparse_file() {
    let stat = Stat::root(0o644, Timestamp::from_seconds(1_700_000_000));
    // Runs in the header, in one extension and in several; a length that octal digits can't hold; holes at both ends.
    for (count, gap, len) in [(0, 1, 4096), (1, 1, 8192), (4, 2, 1 << 20), (60, 3, 12 << 30), (4, 1 << 19, 20 << 30)] {
        let piece = |at: u64| ((at * gap + 1) * 4096, Bytes::from(vec![at as u8 + 1; 4096]));
        let content = Content::sparse(len, (0..count).map(piece).collect()).expect("valid runs");
        let archive = tar::archive_sparse(b"disk.img", &stat, &content).expect("representable");
        let bytes = archive.bytes(1 << 30).expect("short");
        let members = tar::members(&bytes).expect("readable");
        assert_eq!(members.len(), 1);
        assert_eq!((&members[0].stat, &members[0].kind), (&stat, &Kind::Regular(content.clone())));

        let Some(folder) = extract(&bytes) else { return };
        let disk = folder.path().join("root/disk.img");
        let file = fs_err::File::open(&disk).expect("extracted");
        assert_eq!(file.metadata().expect("there").len(), len);
        for (offset, data) in content.runs() {
            let mut got = vec![0; data.len()];
            std::os::unix::fs::FileExt::read_exact_at(file.file(), &mut got, offset).expect("readable");
            assert_eq!(got, **data);
        }
        let Some(mut bsdtar) = judge("bsdtar") else { return };
        let (code, list, errors) = run(bsdtar.arg("-tvf").arg(folder.path().join("archive.tar")));
        assert_eq!((code, errors.as_str()), (0, ""));
        assert!(list.contains(&format!(" {len} ")), "{list}");
    }
}

/// One header block with a right checksum.
fn header(name: &[u8], typeflag: u8, size: u64, link: &[u8]) -> Vec<u8> {
    let mut block = vec![0; 512];
    block[..name.len()].copy_from_slice(name);
    block[100..108].copy_from_slice(b"0000644\0");
    block[108..116].copy_from_slice(b"0000000\0");
    block[116..124].copy_from_slice(b"0000000\0");
    block[124..136].copy_from_slice(format!("{size:011o}\0").as_bytes());
    block[136..148].copy_from_slice(b"00000000000\0");
    block[156] = typeflag;
    block[157..157 + link.len()].copy_from_slice(link);
    block[257..265].copy_from_slice(b"ustar\x0000");
    block[329..337].copy_from_slice(b"0000000\0");
    block[337..345].copy_from_slice(b"0000000\0");
    seal(block)
}

fn seal(mut block: Vec<u8>) -> Vec<u8> {
    block[148..156].fill(b' ');
    let sum: u32 = block.iter().map(|&b| u32::from(b)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block
}

/// A header, its contents padded, and the end mark.
fn whole(name: &[u8], typeflag: u8, content: &[u8], link: &[u8]) -> Vec<u8> {
    let mut bytes = header(name, typeflag, content.len() as u64, link);
    bytes.extend_from_slice(content);
    bytes.resize(bytes.len().next_multiple_of(512) + 1024, 0);
    bytes
}

#[test]
fn bad_archives_are_refused() {
    let check = |what: &str, bytes: Vec<u8>, expect: &str| {
        let error = tar::read_tree(&Bytes::from(bytes)).expect_err(what);
        assert_eq!(error.to_string(), expect, "{what}");
    };
    let good = whole(b"a", b'0', b"x", b"");
    assert_eq!(tar::members(&Bytes::from(good.clone())).map(|members| members.len()), Ok(1));
    let changed = |at: usize, byte: u8| {
        let mut bytes = good.clone();
        bytes[at] = byte;
        bytes
    };
    let resealed = |at: usize, text: &[u8]| {
        let mut bytes = good.clone();
        bytes[at..at + text.len()].copy_from_slice(text);
        let block = seal(bytes[..512].to_vec());
        bytes[..512].copy_from_slice(&block);
        bytes
    };
    check("empty", vec![], "tar member `` at byte 0: the archive ends without its end mark");
    check("cut in the header", good[..511].to_vec(), "tar member `` at byte 0: the archive ends inside it");
    check("cut in the contents", good[..700].to_vec(), "tar member `a` at byte 0: the archive ends inside it");
    check("no end", good[..1024].to_vec(), "tar member `` at byte 1024: the archive ends without its end mark");
    check(
        "bytes after the end",
        changed(good.len() - 1, 1),
        "tar member `` at byte 1024: bytes follow the archive's end mark",
    );
    check("flipped byte", changed(0, b'b'), "tar member `` at byte 0: header checksum is 7337, expected 7340");
    check("bad magic", resealed(257, b"Ustar"), r"tar member `` at byte 0: unknown magic `Ustar\x0000`");
    check("bad mode", resealed(100, b"00x"), r"tar member `a` at byte 0: field `mode` is no number: `00x0644\x00`");
    check("bad size", resealed(124, b"7777777777"), "tar member `a` at byte 0: the archive ends inside it");
    check("negative size", resealed(124, &[0xff; 12]), "tar member `a` at byte 0: field `size` is out of range: -1");
    check(
        "huge size",
        resealed(124, b"\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff"),
        "tar member `a` at byte 0: the archive ends inside it",
    );
    check(
        "..",
        whole(b"a/../../b", b'0', b"", b""),
        "tar member `a/../../b` at byte 0: the path is not allowed: Invalid argument",
    );
    check(
        "absolute",
        whole(b"/etc/passwd", b'0', b"", b""),
        "tar member `/etc/passwd` at byte 0: the path is absolute",
    );
    check(
        "no name",
        whole(b"", b'0', b"", b""),
        "tar member `` at byte 0: the path is not allowed: No such file or directory",
    );
    check(
        "root is a file",
        whole(b"./.", b'0', b"", b""),
        "tar member `./.` at byte 0: the path is not allowed: Is a directory",
    );
    check(
        "hard link out",
        whole(b"a", b'1', b"", b"../x"),
        "tar member `a` at byte 0: the hard link's target `../x` is not allowed",
    );
    check(
        "absolute hard link",
        whole(b"a", b'1', b"", b"/x"),
        "tar member `a` at byte 0: the hard link's target `/x` is not allowed",
    );
    check(
        "hard link to nothing",
        whole(b"a", b'1', b"", b"x"),
        "tar member `/a` at byte 0: the hard link's target `/x` is not allowed",
    );
    check(
        "empty target",
        whole(b"a", b'2', b"", b""),
        "tar member `a` at byte 0: the symbolic link's target has 0 bytes, expected 1 to 4095, or holds a NUL",
    );
    check(
        "contents of a link",
        whole(b"a", b'2', b"x", b"t"),
        "tar member `a` at byte 0: a symbolic link with 1 bytes of contents",
    );
    check("unknown type", whole(b"a", b'V', b"", b""), "tar member `a` at byte 0: unsupported member type `V`");
    check(
        "dangling name",
        whole(b"a", b'L', b"b\0", b""),
        "tar member `a` at byte 1024: an extended header describes no member",
    );
    check(
        "long name out",
        [&whole(b"a", b'L', b"../b\0", b"")[..1024], &good].concat(),
        "tar member `../b` at byte 1024: the path is not allowed: Invalid argument",
    );
    check(
        "PAX path out",
        [&whole(b"a", b'x', b"13 path=/b/c\n", b"")[..1024], &good].concat(),
        "tar member `/b/c` at byte 1024: the path is absolute",
    );
    check(
        "PAX keyword",
        whole(b"a", b'x', b"8 foo=1\n", b""),
        "tar member `a` at byte 0: unsupported PAX keyword `foo`",
    );
    check(
        "PAX length",
        whole(b"a", b'x', b"9 path=b\n9", b""),
        "tar member `a` at byte 0: malformed PAX record at byte 9 of the extended header",
    );
    check(
        "PAX sparse",
        [
            &whole(b"a", b'x', b"22 GNU.sparse.major=2\n22 GNU.sparse.minor=7\n21 GNU.sparse.size=9\n", b"")[..1024],
            &good,
        ]
        .concat(),
        "tar member `a` at byte 1024: unsupported sparse format 2.7",
    );
    check(
        "sparse map",
        [&whole(b"a", b'x', b"21 GNU.sparse.size=9\n26 GNU.sparse.map=8,1,0,1\n", b"")[..1024], &good].concat(),
        "tar member `a` at byte 1024: the sparse map does not fit the contents",
    );
    let behind_link = [&whole(b"a", b'2', b"", b"/etc")[..512], &whole(b"a/passwd", b'0', b"", b"")].concat();
    check(
        "symlink parent",
        behind_link,
        "tar member `/a/passwd` at byte 512: its folder `/a` is no directory, or lies behind a symbolic link",
    );
    check(
        "twice",
        [&good[..1024], &good].concat(),
        "tar member `/a` at byte 1024: the path is not allowed: File exists",
    );
    let mut too_long = header(b"a", b'x', (1 << 20) + 1, b"");
    too_long.resize(3 << 20, 0);
    check(
        "long extended header",
        too_long,
        "tar member `a` at byte 0: extended header of 1048577 bytes, at most 1048576",
    );
}

#[test]
fn every_truncation_and_every_flipped_bit_is_survived() {
    let bytes = archive(&tree(Ability::GnuPax)).slice(..40_000);
    for len in (0..bytes.len()).step_by(97) {
        assert!(tar::members(&bytes.slice(..len)).is_err(), "{len}");
    }
    let whole = whole(b"a", b'0', b"x", b"");
    // The checksum itself may be written with blanks, too.
    for bit in (0..512 * 8).filter(|bit| !(148..156).contains(&(bit / 8))) {
        let mut bytes = whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let error = tar::members(&Bytes::from(bytes)).expect_err("a flipped bit of the header");
        assert!(matches!(error.fault, Fault::Checksum { .. } | Fault::Number { .. }), "{error}");
    }
}
