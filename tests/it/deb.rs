//! Packages judged by dpkg-deb and compressed data by xz, zstd and gzip; hostile ones refused.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use bytes::Bytes;
use icos::deb::{
    archive,
    compress::{Compression, Error, Limits, decode_to_vec},
    control::{self, Comments},
};

use crate::support::{
    deb::Deb,
    judge::{judge, run},
    random::Random,
};

/// Standard output of a judge that reads `input`.
fn filter(command: &mut Command, input: &[u8]) -> Vec<u8> {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the judge starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    let output = std::thread::scope(|scope| {
        scope.spawn(move || stdin.write_all(input).expect("the judge reads all"));
        child.wait_with_output().expect("the judge ends")
    });
    assert!(output.status.success(), "{command:?}");
    output.stdout
}

/// Text that compresses about as packages do.
fn sample(len: usize) -> Vec<u8> {
    let mut random = Random::new(1);
    (0..len / 4).map(|_| random.below(256) as u8).flat_map(|byte| [byte, byte, b'x', byte & 3]).collect()
}

#[test]
fn dpkg_deb_packs_and_we_unpack() {
    for (compression, expect) in
        [("xz", Compression::Xz), ("zstd", Compression::Zstd), ("gzip", Compression::Gzip), ("none", Compression::None)]
    {
        let Some(mut build) = judge("dpkg-deb") else { return };
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().join("root");
        fs_err::create_dir_all(root.join("DEBIAN")).expect("writable");
        fs_err::create_dir_all(root.join("usr/bin")).expect("writable");
        fs_err::write(root.join("DEBIAN/control"), Deb::new("a", "1").stanza()).expect("writable");
        fs_err::write(root.join("usr/bin/data"), sample(300_000)).expect("writable");
        let path = folder.path().join("a.deb");
        let (code, _, errors) = run(build.args(["--root-owner-group", "-Z", compression, "-b"]).arg(&root).arg(&path));
        assert_eq!(code, 0, "{errors}");

        let deb = archive::read(&fs_err::read(&path).expect("readable").into()).expect("a package");
        assert_eq!((deb.control.compression, deb.data.compression), (expect, expect));
        for (part, option) in [(&deb.data, "--fsys-tarfile"), (&deb.control, "--ctrl-tarfile")] {
            let ours = decode_to_vec(part.compression, &part.bytes, &Limits::PACKAGE).expect("decodable");
            let theirs = judge("dpkg-deb").expect("it was there a moment ago").arg(option).arg(&path).output();
            assert!(ours == theirs.expect("the judge starts").stdout, "{compression} {option}");
        }
    }
}

#[test]
fn compressors_pack_and_we_unpack() {
    let plain = sample(1 << 18);
    let check = |compression, program: &str, arguments: &[&str], more: &[u8]| {
        let Some(mut command) = judge(program) else { return };
        let packed = [&filter(command.args(arguments), &plain), more].concat();
        let got = decode_to_vec(compression, &packed, &Limits::PACKAGE);
        let expect = if more.len() < 5 { plain.clone() } else { [plain.as_slice(), b"more"].concat() };
        assert!(got.unwrap_or_else(|error| panic!("{program} {arguments:?}: {error:?}")) == expect, "{arguments:?}");
    };
    let more = |program: &str, arguments: &[&str]| {
        judge(program).map(|mut command| filter(command.args(arguments), b"more")).unwrap_or_default()
    };
    check(Compression::Xz, "xz", &["-c", "-T1"], b"");
    check(Compression::Xz, "xz", &["-c", "-T2", "--block-size=40000"], b"");
    check(Compression::Xz, "xz", &["-c", "-T2", "--block-size=40000", "-9e"], b"\0\0\0\0");
    check(Compression::Xz, "xz", &["-c"], &[b"\0\0\0\0", more("xz", &["-c", "--check=sha256"]).as_slice()].concat());
    for sum in ["none", "crc32", "crc64", "sha256"] {
        check(Compression::Xz, "xz", &["-c", "--block-size=40000", "--check", sum], b"");
    }
    check(Compression::Xz, "xz", &["-c", "--x86", "--lzma2=preset=1"], b"");
    check(Compression::Xz, "xz", &["-c", "--delta=dist=4", "--lzma2=preset=1"], b"");
    check(Compression::Zstd, "zstd", &["-c", "-q"], &more("zstd", &["-c", "-q"]));
    check(Compression::Zstd, "zstd", &["-c", "-q", "--ultra", "-22"], b"");
    check(Compression::Zstd, "zstd", &["-c", "-q", "--no-check"], b"");
    check(Compression::Gzip, "gzip", &["-c"], &more("gzip", &["-c"]));
    let Some(mut xz) = judge("xz") else { return };
    let empty = filter(xz.arg("-c"), b"");
    assert_eq!(decode_to_vec(Compression::Xz, &empty, &Limits::PACKAGE).expect("an empty file"), b"");
}

#[test]
fn damaged_data_is_refused() {
    let plain = sample(1 << 16);
    let pack =
        |program: &str, arguments: &[&str]| judge(program).map(|mut command| filter(command.args(arguments), &plain));
    let (Some(xz), Some(zstd), Some(gzip)) =
        (pack("xz", &["-c", "--block-size=20000"]), pack("zstd", &["-c", "-q"]), pack("gzip", &["-c", "-n"]))
    else {
        return;
    };
    for (compression, packed) in [(Compression::Xz, xz), (Compression::Zstd, zstd), (Compression::Gzip, gzip)] {
        for len in (0..packed.len()).step_by(401) {
            let got = decode_to_vec(compression, &packed[..len], &Limits::PACKAGE);
            assert!(got.is_err(), "{compression:?} cut to {len}");
        }
        for at in (0..packed.len()).step_by(197) {
            let mut bad = packed.clone();
            bad[at] ^= 0x10;
            // Gzip's header has bits that mean nothing to us: the time, the system.
            let got = decode_to_vec(compression, &bad, &Limits::PACKAGE);
            assert!(got.is_err() || got.is_ok_and(|got| at < 10 && got == plain), "{compression:?} flipped at {at}");
        }
        let trailing = [packed.as_slice(), b"trailing"].concat();
        assert!(decode_to_vec(compression, &trailing, &Limits::PACKAGE).is_err(), "{compression:?} with a tail");
    }
}

#[test]
fn bombs_are_refused() {
    let zeros = vec![0; (Limits::FREE + (1 << 20)) as usize];
    for (compression, program, arguments) in [
        (Compression::Xz, "xz", ["-c", "-0", "-T2"].as_slice()),
        (Compression::Xz, "xz", &["-c", "-0", "--block-size=1000000"]),
        (Compression::Zstd, "zstd", &["-c", "-q"]),
        (Compression::Gzip, "gzip", &["-c", "-1"]),
    ] {
        let Some(mut command) = judge(program) else { return };
        let packed = filter(command.args(arguments), &zeros);
        let refused = |limits: Limits| match decode_to_vec(compression, &packed, &limits) {
            Err(Error::TooLarge { limit }) => limit,
            other => panic!("{program}: {:?}", other.map(|bytes| bytes.len())),
        };
        assert_eq!(refused(Limits { output: 1 << 20, ..Limits::PACKAGE }), 1 << 20);
        assert_eq!(refused(Limits { ratio: 10, ..Limits::PACKAGE }), Limits::FREE);
        let fine = decode_to_vec(compression, &packed, &Limits { ratio: 100_000, ..Limits::PACKAGE });
        assert_eq!(fine.map(|bytes| bytes.len()).ok(), Some(zeros.len()));
    }
    let too_long = decode_to_vec(Compression::None, b"12345", &Limits { output: 4, ..Limits::PACKAGE });
    assert!(matches!(too_long, Err(Error::TooLarge { limit: 4 })), "{too_long:?}");
}

#[test]
fn windows_are_bounded() {
    let Some(mut xz) = judge("xz") else { return };
    let packed = filter(xz.args(["-c", "--lzma2=preset=0,dict=64MiB"]), b"x");
    let got = decode_to_vec(Compression::Xz, &packed, &Limits { window: 8 << 20, ..Limits::PACKAGE });
    assert!(matches!(got, Err(Error::Window { limit }) if limit == 8 << 20), "{got:?}");
    let Some(mut zstd) = judge("zstd") else { return };
    let packed = filter(zstd.args(["-c", "-q", "--long=28"]), &sample(1 << 20));
    let got = decode_to_vec(Compression::Zstd, &packed, &Limits { window: 8 << 20, ..Limits::PACKAGE });
    let Err(Error::Malformed { format: "zstd", source, .. }) = got else { panic!("{got:?}") };
    assert_eq!(source.to_string(), "Frame requires too much memory for decoding");
}

/// An ar archive of members.
fn ar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = b"!<arch>\n".to_vec();
    for (name, content) in members {
        out.extend(format!("{name:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n", 0, 0, 0, "100644", content.len()).bytes());
        out.extend(*content);
        out.resize(out.len().next_multiple_of(2), b'\n');
    }
    out
}

#[test]
fn packages_are_read_strictly() {
    let version = ("debian-binary", b"2.0\n".as_slice());
    let (control, data) = (("control.tar.xz", b"c".as_slice()), ("data.tar.zst", b"da".as_slice()));
    let check = |bytes: Vec<u8>, expect: &str| {
        let got = match archive::read(&Bytes::from(bytes)) {
            Ok(deb) => format!(
                "{:?} {} {:?} {}",
                deb.control.compression,
                deb.control.bytes.len(),
                deb.data.compression,
                deb.data.bytes.len()
            ),
            Err(error) => error.to_string(),
        };
        assert_eq!(got, expect);
    };
    let good = ar(&[version, control, data]);
    check(good.clone(), "Xz 1 Zstd 2");
    check(
        ar(&[
            ("debian-binary/", b"2.1\nmore\n"),
            ("_x", b""),
            ("control.tar/", b"c"),
            ("_y", b""),
            ("data.tar.gz", b"da"),
            ("x", b""),
        ]),
        "None 1 Gzip 2",
    );
    check(good[..good.len() - 1].to_vec(), "member `data.tar.zst` at byte 134 says 2 bytes, 1 are left");
    check(good[..140].to_vec(), "the package ends inside the member header at byte 134");
    check(good[..134].to_vec(), "member `data.tar` is missing");
    check(b"PK\x03\x04".to_vec(), "not a Debian package: it does not begin with `!<arch>`");
    check(vec![], "not a Debian package: it does not begin with `!<arch>`");
    check(ar(&[]), "member `debian-binary` is missing");
    check(ar(&[("debian-binary", b"3.0\n"), control, data]), "format version `3.0`, expected 2.x");
    check(ar(&[("debian-binary", b"2.0"), control, data]), "format version `2.0`, expected 2.x");
    check(ar(&[control, version, data]), "expected member `debian-binary` at byte 8, found `control.tar.xz`");
    check(ar(&[version, data, control]), "expected member `control.tar` at byte 72, found `data.tar.zst`");
    check(ar(&[version, control, ("x", b""), data]), "expected member `data.tar` at byte 134, found `x`");
    check(
        ar(&[version, control, ("data.tar.lzma", b"")]),
        "unsupported compression of member `data.tar.lzma` at byte 134",
    );
    let changed = |at: usize, text: &[u8]| {
        let mut bytes = good.clone();
        bytes[at..at + text.len()].copy_from_slice(text);
        bytes
    };
    check(changed(8 + 48, b"4x"), "malformed member header at byte 8: size is `4x        `");
    check(changed(8 + 58, b"xx"), "malformed member header at byte 8: its end is `xx`");
    check(changed(133, b"x"), "malformed member header at byte 72: padding is `x`");
    check(changed(72, b"a/b"), "malformed member header at byte 72: name is `a/btrol.tar.xz  `");
}

#[test]
fn the_test_packages_are_packages() {
    let deb = Deb::new("a", "1").field("Depends", "b,\n c").file("usr/bin/a", b"a");
    let parts = archive::read(&deb.build().into()).expect("a package");
    let control = decode_to_vec(parts.control.compression, &parts.control.bytes, &Limits::PACKAGE).expect("decodable");
    let members = icos::tar::members(&control.into()).expect("an archive");
    let icos::tar::Kind::Regular(content) = &members[1].kind else { panic!("{members:?}") };
    let text = content.bytes(1 << 20).expect("short");
    let paragraph = control::paragraph(&text, Comments::Refuse).expect("a paragraph");
    let lines: Vec<_> = paragraph.field("depends").expect("there").lines().collect();
    assert_eq!((paragraph.get("Package"), lines), (Some(b"a".as_slice()), vec![b"b,".as_slice(), b"c"]));
}
