//! A project of its own, from definitions to a lock and back to the evidence, by the program as people call it.

use std::path::PathBuf;

use icos::store::Store;

use crate::support::{
    apt::Apt,
    archive::{Archive, Suite},
    deb::{DEVICE, Deb},
    judge::run,
};

pub struct Project {
    pub archive: Archive,
    folder: tempfile::TempDir,
}

pub const IMAGE: &str = "name = \"os\"\ndefault-base = \"test\"\n\n[bases.test.packages]\ncommon = [\"app\"]\n\n\
    [bases.test.loader]\npackages = [\"LOADER\"]\nprefix = \"/EFI/test\"\nfiles = {}\n\n[variants.dev]\npackages = \
    [\"common\"]\noverlays = []\n\n[boot]\nconfig = \"os\"\narguments = []\n\n[disk]\nguid = \
    \"2B110BB7-CDEC-7D41-B97E-893EDCBE5428\"\n\n[[disk.partitions]]\nname = \"root\"\nstart = 2048\nsectors = 204800\ntype = \
    \"0FC63DAF-8483-4772-8E79-3D69D8477DE4\"\nguid = \"6788E4CF-F456-104E-9A34-A2C58CFB0EE6\"\ncontent = { file-system = \
    \"ext4\", tree = \"/\", hash-seed = \"c61251eb-100b-48fe-b089-57dea7368612\" }\n";

impl Project {
    fn new(loader: &str) -> Option<Self> {
        let debs = [
            Deb::new("base", "1").field("Essential", "yes"),
            Deb::new("app", "2").field("Depends", "lib (>= 1)"),
            Deb::new("lib", "1.5"),
            Deb::new("grub", "3").field("Provides", "loader"),
            Deb::new("unwanted", "1"),
        ];
        Self::of(&debs, loader)
    }

    /// A project whose archive has these packages, and whose target is made of `app`.
    pub fn of(debs: &[Deb], loader: &str) -> Option<Self> {
        let archive = Archive::new()?;
        let stanzas: Vec<String> = debs.iter().map(|deb| archive.add(deb)).collect();
        archive.publish(&Suite::new("made-up").with(&stanzas));
        let base = archive.base("mirror = \"host\"", &["made-up"]);
        Some(Self::with(archive, &base, &IMAGE.replace("LOADER", loader)))
    }

    /// A project with a base `test`, whose archive's key it has, and an image `os`.
    pub fn with(archive: Archive, base: &str, image: &str) -> Self {
        let project = Self { archive, folder: tempfile::tempdir().expect("a scratch folder") };
        project.write("snapshots/test/base.toml", base);
        let key = String::from_utf8(project.archive.certificate()).expect("armored");
        project.write("snapshots/keys/test.asc", &key);
        project.write("ic-os/os/image.toml", image);
        project.write_bootloader();
        project
    }

    pub fn archive(&self) -> &Archive {
        &self.archive
    }

    pub fn read(&self, path: &str) -> String {
        fs_err::read_to_string(self.path(path)).expect("readable")
    }

    /// What a loader and a disk need besides packages.
    fn write_bootloader(&self) {
        for (file, text) in [("esp.cfg", ""), ("os/grub.cfg", ""), ("os/boot_args", "A=@ARGUMENTS@\n")] {
            self.write(&format!("bootloader/{file}"), text);
        }
        self.write("bootloader/os/grubenv", &format!("{:#<1024}", "# GRUB Environment Block\n"));
    }

    pub fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    pub fn write(&self, path: &str, text: &str) {
        fs_err::create_dir_all(self.path(path).parent().expect("a folder")).expect("made");
        fs_err::write(self.path(path), text).expect("written");
    }

    /// The program with a home, a store and a project that nobody else has.
    pub fn command(&self, arguments: &[&str]) -> std::process::Command {
        #[expect(clippy::disallowed_methods, reason = "the program under test")]
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_icos"));
        command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", self.path("home"));
        command.arg("--project").arg(self.folder.path()).args(arguments);
        command
    }

    pub fn icos(&self, arguments: &[&str]) -> (i32, String, String) {
        run(&mut self.command(arguments))
    }

    /// The option that names the archive.
    pub fn mirror(&self) -> String {
        format!("--mirror={}", self.archive.uri())
    }

    pub fn online(&self, arguments: &[&str]) -> (i32, String, String) {
        self.icos(&[&[self.mirror().as_str()], arguments].concat())
    }
}

/// `icos fetch` with a lock that another machine made.
#[test]
fn evidence_is_fetched_with_the_packages() {
    let Some(project) = Project::new("grub") else { return };
    let (code, _, errors) = project.online(&["lock", "os/dev"]);
    assert_eq!(code, 0, "{errors}");
    let lock = project.path("snapshots/test/os-dev.lock").to_str().expect("UTF-8").to_owned();
    let fetch = || {
        fs_err::remove_dir_all(project.path("home")).expect("removed");
        let (code, output, errors) = project.online(&["--format", "json", "fetch", "os/dev"]);
        assert_eq!(code, 0, "{errors}");
        let report: serde_json::Value = serde_json::from_str(&output).expect("JSON");
        let row = &report["targets"][0];
        assert_eq!(row["fetched"], 4);
        (row["evidence"].clone(), errors)
    };
    assert_eq!(fetch(), (serde_json::json!({ "fetched": 2, "complete": true }), String::new()));
    let (code, output, errors) = project.icos(&["verify", &lock]);
    assert_eq!((code, errors.as_str()), (0, ""));
    assert!(output.contains("4 packages, each led back to a pinned key"), "{output}");
    // The archive moves on: it has the signed file no more, and an index by its digest alone is no evidence.
    let again = [Deb::new("base", "1").field("Essential", "yes"), Deb::new("app", "3")];
    let stanzas: Vec<String> = again.iter().map(|deb| project.archive.add(deb)).collect();
    project.archive.publish(&Suite::new("made-up").with(&stanzas));
    let (evidence, errors) = fetch();
    assert_eq!(evidence, serde_json::json!({ "fetched": 0, "complete": false }));
    assert!(errors.starts_with("warning: no mirror gives dists/made-up/InRelease: file:/"), "{errors}");
    assert!(errors.contains("/InRelease: has the sha256 "), "{errors}");
    assert!(errors.ends_with("but `icos verify` and `icos bundle` lack what proves them\n"), "{errors}");
    let (code, _, errors) = project.icos(&["verify", &lock]);
    assert!(code == 1 && errors.contains("dists/made-up/InRelease is not in the store"), "{errors}");
}

#[test]
fn a_collected_store_still_proves_the_lock() {
    let Some(project) = Project::new("grub") else { return };
    let (code, _, errors) = project.online(&["lock", "os/dev"]);
    assert_eq!(code, 0, "{errors}");
    let (code, _, errors) = project.online(&["fetch", "os/dev"]);
    assert_eq!(code, 0, "{errors}");
    let unwanted =
        fs_err::read(project.archive.root().join("pool/main/u/unwanted/unwanted_1_amd64.deb")).expect("made");
    let sum = icos::digest::Sha256::of(&unwanted);
    let file = project.path("unwanted.deb");
    fs_err::write(&file, unwanted).expect("written");
    let store = || Store::open(&project.path("home/.cache/icos")).expect("a store");
    store().insert(&file, &sum).expect("put in");
    // From here nobody knows a mirror of the archive.
    fs_err::remove_dir_all(project.archive.root().join("dists")).expect("removed");
    let (code, output, errors) = project.icos(&["store", "gc"]);
    assert_eq!(code, 0, "{errors}");
    assert!(output.starts_with("removed ") && store().deb(&sum).is_none(), "{output}");
    let lock = "snapshots/test/os-dev.lock";
    let (code, output, errors) = project.icos(&["verify", project.path(lock).to_str().expect("UTF-8")]);
    assert_eq!((code, errors.as_str()), (0, ""));
    assert!(output.contains("4 packages, each led back to a pinned key"), "{output}");
    let (code, _, errors) = project.icos(&["fetch", "os/dev"]);
    assert_eq!(code, 0, "{errors}");
    // The lock also tells which signed files a request may be resolved with.
    let (code, output, errors) = project.icos(&["resolve", "--offline", "--base", "test", "app"]);
    assert_eq!((code, output.as_str()), (0, "app 2 amd64\nbase 1 amd64\nlib 1.5 amd64\n"), "{errors}");
    let out = project.path("root.tar");
    let out = out.to_str().expect("UTF-8");
    let (code, _, errors) = project.icos(&["rootfs", "--offline", "--base", "test", "app", "-o", out]);
    assert_eq!(code, 0, "{errors}");
    // What is missing offline is named; so is what to do without a mirror.
    fs_err::remove_dir_all(project.path("home")).expect("removed");
    let (code, _, errors) = project.icos(&["verify", project.path(lock).to_str().expect("UTF-8")]);
    assert_eq!(code, 1);
    assert!(errors.contains("dists/made-up/InRelease is not in the store"), "{errors}");
    let (code, _, errors) = project.icos(&["resolve", "--offline", "--base", "test", "app"]);
    assert_eq!(code, 1);
    assert!(errors.contains("run `icos lock` where there is a network"), "{errors}");
    let (code, _, errors) = project.icos(&["fetch", "os/dev"]);
    assert_eq!(code, 1);
    assert!(errors.contains("no mirror of archive `test` is known") && errors.contains("hint:"), "{errors}");
}

#[test]
fn a_loader_must_be_a_package() {
    let Some(project) = Project::new("loader") else { return };
    let (code, _, errors) = project.online(&["lock", "os/dev"]);
    assert_eq!(code, 1);
    assert!(errors.contains("`loader` is no package; it is provided by grub"), "{errors}");
    assert!(!project.path("snapshots/test/os-dev.lock").exists());
}

#[test]
fn a_package_may_be_a_file() {
    let Some(project) = Project::new("grub") else { return };
    let write = |name: &str, deb: &Deb| {
        let path = project.path(name);
        fs_err::write(&path, deb.build()).expect("written");
        path.to_str().expect("UTF-8").to_owned()
    };
    let own = write("own.deb", &Deb::new("own", "1").field("Depends", "app (>= 2)"));
    // Older than the archive's, and still what was asked for.
    let old = write("old.deb", &Deb::new("lib", "1.0"));
    let resolve = |paths: &[&str]| {
        let (code, output, errors) = project.online(&[&["resolve", "--base", "test"], paths].concat());
        (code, output, errors)
    };
    let expect = "app 2 amd64\nbase 1 amd64\nlib 1.5 amd64\nown 1 amd64\n";
    assert_eq!(resolve(&[&own]), (0, expect.to_owned(), String::new()));
    let expect = expect.replace("lib 1.5", "lib 1.0");
    assert_eq!(resolve(&[&own, &old]), (0, expect.clone(), String::new()));
    if let Some(apt) = Apt::new(&format!("deb [trusted=yes] {} made-up main\n", project.archive.uri()), &["amd64"]) {
        let lines: Vec<_> = expect.lines().map(str::to_owned).collect();
        assert_eq!(apt.simulate(&["?essential", &own, &old]), Ok(lines));
    }
    let output = project.path("out.tar");
    let (code, _, errors) = project.online(&["rootfs", "--base", "test", &own, "-o", output.to_str().expect("UTF-8")]);
    assert_eq!(code, 0, "{errors}");
    let archive = fs_err::read(&output).expect("written");
    assert!(memchr::memmem::find(&archive, b"usr/share/doc/own/copyright").is_some());
    let (code, _, errors) = resolve(&["none.deb"]);
    assert!(code == 1 && errors.contains("none.deb"), "{errors}");
    fs_err::write(project.path("odd.deb"), "no package").expect("written");
    let (code, _, errors) = resolve(&[project.path("odd.deb").to_str().expect("UTF-8")]);
    assert!(code == 1 && errors.contains("not a Debian package"), "{errors}");
}

/// What is wrong with a package is said with its name, and nothing is written.
#[test]
fn packages_that_are_refused() {
    let Some(project) = Project::new("grub") else { return };
    let write = |name: &str, bytes: &[u8]| {
        let path = project.path(&format!("{name}.deb"));
        fs_err::write(&path, bytes).expect("written");
        path.to_str().expect("UTF-8").to_owned()
    };
    let deb = |name: &str, path: &str, content: &[u8]| write(name, &Deb::new(name, "1").file(path, content).build());
    let whole = Deb::new("cut", "1").file("usr/share/x", &[7; 4000]).build();
    let (one, two) = (deb("one", "usr/share/x", b"1"), deb("two", "usr/share/x", b"2"));
    let cases = [
        (vec![one, two], "two: `/usr/share/x` is also in package one, and neither replaces the other"),
        (vec![write("cut", &whole[..whole.len() - 100])], "member `data.tar.gz` at byte"),
        (vec![deb("device", "usr/share/null", DEVICE)], "device: `/usr/share/null` is a device node or a named pipe"),
        (vec![deb("dots", "usr/../../x", b"1")], "dots.deb: data.tar of package"),
    ];
    for (files, expect) in cases {
        let output = project.path("out.tar");
        let mut arguments = vec!["rootfs", "--base", "test", "-o", output.to_str().expect("UTF-8")];
        arguments.extend(files.iter().map(String::as_str));
        let (code, _, errors) = project.online(&arguments);
        assert!(code == 1 && errors.contains(expect), "{expect}: {errors}");
        let left: Vec<_> = fs_err::read_dir(project.folder.path()).expect("readable").collect();
        let is_output = |name: &std::ffi::OsStr| name.to_string_lossy().contains("out.tar");
        assert!(!left.into_iter().any(|entry| is_output(&entry.expect("there").file_name())), "{expect}");
    }
}

/// Everything that an image may be told besides its packages: a package of the project's, an artifact of the store, numbers for
/// accounts, steps of one variant, a file at the last moment, paths that the partition leaves out.
#[test]
fn an_image_with_everything() {
    let Some(project) = Project::new("grub") else { return };
    let elf = b"\x7fELF";
    let own = Deb::new("own", "1")
        .field("Depends", "app (>= 2)")
        .file("etc/group", b"root:x:0:\n")
        .file("etc/passwd", b"root:x:0:0::/:/bin/sh\n")
        .file("usr/bin/sh", elf)
        .file("usr/sbin/groupadd", elf)
        .file("usr/lib/firmware/a b.bin", b"firmware");
    fs_err::create_dir_all(project.path("debs")).expect("made");
    fs_err::write(project.path("debs/own.deb"), own.build()).expect("written");
    let image = IMAGE
        .replace("LOADER", "grub")
        .replace("[\"app\"]", "[\"debs/own.deb\"]")
        .replace("overlays = []", "overlays = [\"o\"]\n\n[ids]\ngroups = { pinned = 321 }")
        .replace("tree = \"/\"", "tree = \"/\", strip-matching = [\"/usr/lib/firmware/[^/]* [^/]*\"]");
    project.write("ic-os/os/image.toml", &image);
    project.write("tool", "a tool");
    let tool = project.path("tool").to_str().expect("UTF-8").to_owned();
    let (code, sum, errors) = project.icos(&["store", "add", &tool]);
    assert_eq!((code, errors.as_str()), (0, ""));
    let steps = |name: &str| {
        format!(
            "[[step]]\nscript = {{ text = \"groupadd -r first && groupadd -r {name}\" }}\n[[step]]\nartifact = {{ from = \
             \"tool\", sha256 = \"{}\", to = \"/opt/tool\", mode = \"0755\" }}\n[[step]]\nvariants = [\"dev\"]\nfile = {{ \
             path = \"/etc/dev\", text = \"\" }}\n",
            sum.trim_end()
        )
    };
    project.write("overlays/o/overlay.toml", &steps("pinned"));
    let (code, _, errors) = project.online(&["lock", "os/dev"]);
    assert_eq!(code, 0, "{errors}");
    let lock = fs_err::read_to_string(project.path("snapshots/test/os-dev.lock")).expect("written");
    assert!(
        lock.contains("name = \"own\"\nversion = \"1\"\narchitecture = \"amd64\"\npath = \"debs/own.deb\"\n"),
        "{lock}"
    );
    // What an overlay asks for stays in the store.
    let (code, _, errors) = project.icos(&["store", "gc"]);
    assert_eq!(code, 0, "{errors}");

    let out = project.path("out");
    let inject = format!("{tool}:/opt/ic/bin/late:0700");
    let build = || {
        project.online(&[
            "--format",
            "json",
            "build",
            "os/dev",
            "-o",
            out.to_str().expect("UTF-8"),
            "--inject",
            &inject,
        ])
    };
    let (code, output, errors) = build();
    assert_eq!(code, 0, "{errors}");
    let report: serde_json::Value = serde_json::from_str(&output).expect("one object");
    let injected = serde_json::json!([
        { "target": "/opt/ic/bin/late", "mode": "0700", "bytes": 6, "sha256": sum.trim_end() }
    ]);
    assert_eq!(report["built"][0]["injected"], injected);
    let disk = bytes::Bytes::from(fs_err::read(out.join("disk.img")).expect("written"));
    let root = icos::ext4::read(&disk.slice(2048 * 512..)).expect("a file system").tree;
    let about =
        |path: &str| root.find(path.as_bytes()).map(|inode| format!("{:04o} {}", inode.stat.mode, inode.size()));
    assert_eq!(about("/opt/ic/bin/late").as_deref(), Some("0700 6"));
    assert_eq!(about("/opt/tool").as_deref(), Some("0755 6"));
    assert_eq!(about("/etc/dev").as_deref(), Some("0644 0"));
    assert_eq!(about("/usr/lib/firmware/a b.bin"), None);
    assert!(about("/usr/lib/firmware").is_some());
    let group = root.read(b"/etc/group").expect("there");
    assert_eq!(String::from_utf8_lossy(&group), "root:x:0:\nfirst:x:999:\npinned:x:321:\n");

    // A pin of a group that nobody makes, and a package that is no longer what was locked.
    project.write("overlays/o/overlay.toml", &steps("other"));
    let (code, _, errors) = build();
    assert_eq!(code, 1);
    assert!(errors.contains("ids: group `pinned` has a number, but nothing makes that group"), "{errors}");
    fs_err::remove_dir_all(project.path("home")).expect("removed");
    fs_err::write(project.path("debs/own.deb"), Deb::new("own", "2").build()).expect("written");
    let (code, _, errors) = build();
    assert!(code == 1 && errors.contains("debs/own.deb has the sha256 "), "{errors}");
}

/// What a newcomer gets wrong, and what is said of it: an error, then a hint.
#[test]
// table: one row a fault
fn what_is_wrong_is_said_with_its_remedy() {
    let Some(project) = Project::new("grub") else { return };
    let check = |arguments: &[&str], expect: &[&str]| {
        let (code, output, errors) = project.online(arguments);
        assert_eq!(code, 1, "{arguments:?}: {output}{errors}");
        for part in expect {
            assert!(errors.contains(part), "{arguments:?}: expected\n{part}\nfound\n{errors}");
        }
    };
    project
        .write("snapshots/other/base.toml", &project.read("snapshots/test/base.toml").replace("\"test\"", "\"other\""));
    let base = "error: unknown base `tset`\nhint: the bases are `other`, `test`";
    check(&["lock", "os/dev", "--base", "tset"], &[base]);
    check(
        &["lock", "os/dev", "--base", "other"],
        &["ic-os/os/image.toml has no [bases.other]\nhint: it has [bases.test]; [bases.other] with `packages`"],
    );
    check(&["bump"], &["no target has a lock yet; `icos lock TARGET` makes one"]);
    let (code, _, errors) = project.online(&["lock", "os/dev"]);
    assert_eq!(code, 0, "{errors}");
    check(&["build", "os/dev", "--base", "tset"], &[base]);
    check(&["bump", "--base", "other"], &["on base `other` yet; `icos lock TARGET --base other` makes one"]);
    let bare =
        "error: `os` is an operating system; a target names a variant of it, too\nhint: its targets are `os/dev`";
    check(&["build", "os"], &[bare]);
    check(&["why", "os", "app"], &[bare]);
    check(
        &["build", "os/dev", "--inject", "/nosuch:/x:0644"],
        &["`--inject /nosuch:/x:0644`: failed to open file `/nosuch`: No such file"],
    );
    let image = project.path("ic-os/os/image.toml");
    let image = image.to_str().expect("UTF-8");
    check(&["verify", image], &["image.toml: it is neither a lock, which ends in .lock, nor a disk image: "]);
    check(&["bundle", "list", image], &["image.toml: it is no bundle: "]);
    check(&["bundle", "import", image], &["image.toml: it is no bundle: "]);
    // Reasons.
    for known in ["app=2", "app:amd64", "app:amd64=2"] {
        let (code, output, errors) = project.online(&["why", "os/dev", known]);
        assert!(code == 0 && output.contains("app 2"), "{known}: {output}{errors}");
    }
    check(&["why", "os/dev", "app=3"], &["`app=3` is not in the lock of os/dev on test, which has app 2 amd64"]);
    check(&["why", "os/dev", "app:i386"], &["`app:i386` is not in the lock of os/dev on test, which has app 2 amd64"]);
    check(&["why", "os/dev", ""], &["`` is not in the lock of os/dev on test"]);
    check(
        &["why", "os/dev", "loader"],
        &[
            "`loader` is not in the lock of os/dev on test; it is a name that grub provides, which is in the lock",
            "hint: `icos why os/dev grub` says why it is there",
        ],
    );
    check(&["why", "os/dev", "unwanted"], &["; test has it as 1, and nothing brings it in"]);
    // Definitions.
    let (image, lock) = (project.read("ic-os/os/image.toml"), project.read("snapshots/test/os-dev.lock"));
    project.write("ic-os/os/image.toml", &image.replace("\"os\"\ndefault", "\"mine\"\ndefault"));
    check(&["lock", "os/dev"], &["ic-os/os/image.toml: the image is named `mine`, but its folder `os`"]);
    project.write("ic-os/os/image.toml", &image.replace("overlays = []", "overlays = [\"mien\"]"));
    project.write("overlays/mine/overlay.toml", "");
    check(
        &["lock", "os/dev"],
        &["ic-os/os/image.toml: variant `dev`: there is no overlays/mien/overlay.toml", "hint: did you mean `mine`?"],
    );
    project.write("ic-os/os/image.toml", &image);
    fs_err::remove_file(project.path("bootloader/os/grub.cfg")).expect("removed");
    let missing = "boot: `config = \"os\"` needs bootloader/os/grub.cfg, which is not there\nhint: docs/images.md says";
    check(&["lock", "os/dev"], &[missing]);
    project.write("bootloader/os/grub.cfg", "set root=(hd0,gpt2)\n");
    check(
        &["lock", "os/dev"],
        &[
            "bootloader/os/grub.cfg: `hd0,gpt2` is no partition of [disk] in image.toml",
            "hint: there are gpt1 (`root`) PARTUUID=6788e4cf-f456-104e-9a34-a2c58cfb0ee6",
        ],
    );
    project.write("bootloader/os/grub.cfg", "");
    // A lock that was changed by hand.
    for (field, from, to) in
        [("Version", "version = \"2\"", "version = \"9\""), ("Package", "name = \"lib\"", "name = \"lid\"")]
    {
        assert!(lock.contains(from), "{lock}");
        project.write("snapshots/test/os-dev.lock", &lock.replace(from, to));
        check(
            &["build", "os/dev"],
            &["snapshots/test/os-dev.lock: package ", &format!(": {field} is "), "in the .deb with its sha256"],
        );
    }
    project.write("home/.config/icos/config.toml", "[mirors]\n");
    check(&["build", "os/dev"], &["config.toml:1:2: unknown field `mirors`", "hint: did you mean `mirrors`?"]);
}
