//! Systems of another architecture than this machine's, and packages of foreign ones beside the system's own.

use std::path::Path;

use crate::{
    project::{IMAGE, Project},
    support::{
        apt::Apt,
        archive::{Archive, Suite},
        deb::Deb,
        judge::{judge, run},
    },
};

/// A package that has the programs that others' scripts call.
fn programs(architecture: &str) -> Deb {
    let mut base = Deb::new("base", "1").of(architecture).field("Essential", "yes");
    for program in
        ["cat", "chmod", "cp", "cut", "grep", "ln", "mv", "readlink", "rm", "sed", "sh", "sleep", "true", "uname"]
    {
        base = base.file(&format!("usr/bin/{program}"), b"\x7fELF");
    }
    base
}

fn suite(indexes: &[(&str, &[String])]) -> Suite {
    let mut suite = Suite::new("made-up");
    for (architecture, stanzas) in indexes {
        suite.indexes.insert(("main".into(), (*architecture).into()), stanzas.join("\n"));
    }
    suite
}

/// Debian's own libraries of arm64: what the scripts make of them is what arm64's own ldconfig makes, run by QEMU.
#[test]
fn an_arm64_root_is_made_on_any_machine() {
    let names = ["gcc-12-base", "libc-bin", "libc6", "libcrypt1", "libgcc-s1", "libzstd1", "zlib1g"];
    let (Some(archive), Some(apt)) = (Archive::new(), Apt::of_host(&["arm64"])) else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let Some(()) = apt.download(folder.path(), &names) else { return };
    let mut stanzas = vec![archive.add(&programs("arm64"))];
    for entry in fs_err::read_dir(folder.path()).expect("a folder").map(|entry| entry.expect("there").path()) {
        let mut dpkg_deb = judge("dpkg-deb").expect("apt needs it");
        let (code, control, errors) = run(dpkg_deb.arg("--field").arg(&entry));
        assert_eq!(code, 0, "{errors}");
        let file = entry.file_name().expect("a name").to_string_lossy().replace("1%3a", "");
        stanzas.push(archive.put(&file, &control, &fs_err::read(&entry).expect("readable")));
    }
    archive.publish(&suite(&[("arm64", &stanzas)]));
    let base = archive.base("mirror = \"host\"", &["made-up"]).replace("\"amd64\"", "\"arm64\"");
    let project = Project::with(archive, &base, IMAGE);
    let root = project.path("root");
    let arguments = ["rootfs", "--base", "test", "-o", root.to_str().expect("UTF-8")];
    let (code, _, errors) = project.online(&[arguments.as_slice(), &names].concat());
    assert_eq!(code, 0, "{errors}");
    let read = |path: &str| fs_err::read(root.join(path)).expect(path);
    assert_eq!(read("var/lib/dpkg/arch"), b"arm64\n");
    let cache = read("etc/ld.so.cache");
    assert!(cache.windows(13).any(|window| window == b"/libzstd.so.1"), "{} bytes", cache.len());
    let Some(mut qemu) = judge("qemu-aarch64-static") else { return };
    let ldconfig = ["sbin/ldconfig", "usr/sbin/ldconfig"].map(|path| root.join(path));
    let ldconfig = ldconfig.iter().find(|path| path.is_file()).expect("libc-bin has it");
    let (code, _, errors) = run(qemu.arg(ldconfig).arg("-r").arg(&root).args(["-X", "-C", "/etc/judge.cache"]));
    assert_eq!((code, errors.as_str()), (0, ""));
    assert!(read("etc/judge.cache") == cache, "arm64's ldconfig makes another cache");
}

/// An archive for amd64 and i386, one for amd64 alone, and a file of the project's for i386.
#[test]
fn foreign_packages_stand_beside_the_systems_own() {
    let Some(archive) = Archive::new() else { return };
    let deb = |name: &str, version: &str, architecture: &str| Deb::new(name, version).of(architecture);
    let library = |architecture: &str| {
        let file = format!("usr/lib/{architecture}/lib.so");
        deb("lib", "1", architecture).field("Multi-Arch", "same").file(&file, b"a library\n")
    };
    let app = |architecture: &str| deb("app", "2", architecture).field("Depends", "lib, helper");
    let both = deb("helper", "3", "amd64").field("Multi-Arch", "foreign");
    let native = [programs("amd64"), library("amd64"), app("amd64"), both, deb("grub", "1", "amd64")];
    let foreign = [library("i386"), app("i386")];
    let stanzas = [native.as_slice(), &foreign].map(|debs| debs.iter().map(|deb| archive.add(deb)).collect::<Vec<_>>());
    archive.publish(&suite(&[("amd64", &stanzas[0]), ("i386", &stanzas[1])]));
    let vendor = Archive::new().expect("gpg is there");
    vendor.publish(&suite(&[("amd64", &[vendor.add(&deb("vendor", "1", "amd64"))])]));
    let second = format!(
        "\n[[archive]]\nname = \"vendor\"\nmirrors = [\"{}\"]\nsuites = [\"made-up\"]\ncomponents = [\"main\"]\n\
         architectures = [\"amd64\"]\nkeys = [{{ fingerprint = \"{}\", file = \"vendor.asc\" }}]\n",
        vendor.uri(),
        vendor.key
    );
    let base = archive.base("mirror = \"host\"", &["made-up"]) + &second;
    let base = base.replacen("\"amd64\"\n", "\"amd64\"\nforeign = [\"i386\"]\n", 1);
    let image =
        IMAGE.replace("LOADER", "grub").replace("[\"app\"]", "[\"app:i386\", \"lib\", \"vendor\", \"own.deb\"]");
    let sources = format!(
        "deb [trusted=yes] {} made-up main\ndeb [trusted=yes arch=amd64] {} made-up main\n",
        archive.uri(),
        vendor.uri()
    );
    let project = Project::with(archive, &base, &image);
    project.write("snapshots/keys/vendor.asc", std::str::from_utf8(&vendor.certificate()).expect("armored"));
    let own = deb("own", "1", "i386").field("Depends", "lib (>= 1), helper:any | helper");
    fs_err::write(project.path("own.deb"), own.build()).expect("written");

    let (code, _, errors) = project.online(&["lock", "os/dev"]);
    assert_eq!(code, 0, "{errors}");
    let lock = fs_err::read_to_string(project.path("snapshots/test/os-dev.lock")).expect("written");
    assert!(lock.contains("\narchitecture = \"amd64\"\nforeign = [\"i386\"]\n"), "{lock}");
    let expect =
        ["app 2 i386", "base 1 amd64", "helper 3 amd64", "lib 1 amd64", "lib 1 i386", "own 1 i386", "vendor 1 amd64"];
    let values = |key: &str| {
        let of = |line: &'_ str| line.strip_prefix(key)?.strip_prefix(" = \"")?.strip_suffix('"').map(str::to_owned);
        let groups = lock.split("\n[[package]]\n").skip(1).filter(|group| group.contains("\"root\""));
        groups.map(|group| group.lines().find_map(of).expect("every package has it")).collect::<Vec<_>>()
    };
    let rows = values("name").into_iter().zip(values("version")).zip(values("architecture"));
    let rows: Vec<_> = rows.map(|((name, version), architecture)| format!("{name} {version} {architecture}")).collect();
    assert_eq!(rows, expect);
    let (code, _, errors) =
        project.icos(&["verify", project.path("snapshots/test/os-dev.lock").to_str().expect("UTF-8")]);
    assert_eq!((code, errors.as_str()), (0, ""));
    let output = project.path("out");
    let packages = ["app:i386", "lib", "vendor", project.path("own.deb").to_str().expect("UTF-8")].map(str::to_owned);
    let packages: Vec<_> = packages.iter().map(String::as_str).collect();
    let arguments = ["rootfs", "--base", "test", "-o", output.to_str().expect("UTF-8")];
    let (code, _, errors) = project.online(&[arguments.as_slice(), &packages].concat());
    assert_eq!(code, 0, "{errors}");
    let read = |path: &str| String::from_utf8(fs_err::read(output.join(path)).expect(path)).expect("text");
    assert_eq!(read("var/lib/dpkg/arch"), "amd64\ni386\n");
    for path in ["usr/lib/amd64/lib.so", "usr/lib/i386/lib.so", "var/lib/dpkg/info/lib:i386.list"] {
        assert!(Path::exists(&output.join(path)), "{path}");
    }

    let Some(apt) = Apt::new(&sources, &["amd64", "i386"]) else { return };
    assert_eq!(apt.simulate(&[["?essential"].as_slice(), &packages].concat()), Ok(expect.map(str::to_owned).to_vec()));
    // A second own architecture needs the base's word.
    project.write("snapshots/test/base.toml", &base.replacen("foreign = [\"i386\"]\n", "", 1));
    let (code, _, errors) = project.online(&["resolve", "--base", "test", "app:i386"]);
    assert!(code == 1 && errors.contains("app:i386"), "{errors}");
}
