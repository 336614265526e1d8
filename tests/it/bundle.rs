//! Bundles: made, carried to another home, built there without a network; changed on their way, and refused.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{
    project::{IMAGE, Project},
    support::{
        deb::Deb,
        judge::{judge, run},
    },
};

mod hostile;
mod members;
mod offline;

/// A project with a package of each kind, an artifact of the store, and an overlay with all that a folder can hold.
pub struct Connected {
    pub project: Project,
}

pub const LOCK: &str = "snapshots/test/os-dev.lock";

impl Connected {
    /// Locked and fetched.
    pub fn new() -> Option<Self> {
        let debs = [
            Deb::new("base", "1").field("Essential", "yes"),
            Deb::new("app", "2").field("Depends", "lib (>= 1)"),
            Deb::new("lib", "1.5").file("usr/lib/lib.so", &[7; 3000]),
            Deb::new("grub", "3"),
        ];
        let project = Project::of(&debs, "grub")?;
        let own = Deb::new("own", "1").field("Depends", "app (>= 2)");
        fs_err::create_dir_all(project.path("debs")).expect("made");
        fs_err::write(project.path("debs/own.deb"), own.build()).expect("written");
        let image = IMAGE
            .replace("LOADER", "grub")
            .replace("[\"app\"]", "[\"debs/own.deb\"]")
            .replace("overlays = []", "overlays = [\"o\"]");
        project.write("ic-os/os/image.toml", &image);
        for (file, text) in [("esp.cfg", ""), ("os/grub.cfg", ""), ("os/boot_args", "A=@ARGUMENTS@\n")] {
            project.write(&format!("bootloader/{file}"), text);
        }
        project.write("bootloader/os/grubenv", &format!("{:#<1024}", "# GRUB Environment Block\n"));
        project.write("tool", "a tool");
        let connected = Self { project };
        let sum = connected.ok(&["store", "add", connected.project.path("tool").to_str().expect("UTF-8")]);
        let steps = format!(
            "[[step]]\ncopy = {{ from = \"etc\", to = \"/etc\" }}\n[[step]]\nartifact = {{ from = \"tool\", sha256 = \
             \"{}\", to = \"/opt/tool\" }}\n[[step]]\nvariants = [\"dev\"]\nartifact = {{ from = \"beside\", sha256 = \
             \"{}\", to = \"/opt/beside\" }}\n",
            sum.trim_end(),
            icos::digest::Sha256::of(b"beside")
        );
        connected.project.write("overlays/o/overlay.toml", &steps);
        connected.project.write("overlays/o/beside", "beside");
        connected.project.write("overlays/o/etc/conf.d/one", "1");
        connected.project.write("overlays/o/etc/run", "#!/bin/sh\n");
        connected.project.write("overlays/unused/overlay.toml", "");
        let path = |path: &str| connected.project.path(path);
        fs_err::create_dir_all(path("overlays/o/etc/empty.d")).expect("made");
        fs_err::os::unix::fs::symlink("/run/nowhere", path("overlays/o/etc/link")).expect("made");
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o700);
        fs_err::set_permissions(path("overlays/o/etc/run"), mode).expect("set");
        connected.online(&["lock", "os/dev"]);
        connected.online(&["fetch", "os/dev"]);
        Some(connected)
    }

    fn online(&self, arguments: &[&str]) {
        let (code, _, errors) = self.project.online(arguments);
        assert_eq!(code, 0, "{errors}");
    }

    /// Standard output of a call that succeeds, without a mirror.
    pub fn ok(&self, arguments: &[&str]) -> String {
        let (code, output, errors) = self.project.icos(arguments);
        assert_eq!(code, 0, "{errors}");
        output
    }

    /// A bundle of this name.
    pub fn bundle(&self, name: &str, more: &[&str]) -> PathBuf {
        let path = self.project.path(name);
        let arguments = ["bundle", "create", "os/dev", "-o", path.to_str().expect("UTF-8")];
        self.ok(&[&arguments, more].concat());
        path
    }
}

/// A machine that has nothing: a home, and a folder for temporary files.
pub struct Away {
    pub folder: tempfile::TempDir,
}

impl Away {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a scratch folder");
        fs_err::create_dir(folder.path().join("tmp")).expect("made");
        Self { folder }
    }

    pub fn path(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    /// Sets what a program sees of this machine.
    pub fn dress<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("LC_ALL", "C.UTF-8");
        command.env("HOME", self.path("home")).env("TMPDIR", self.path("tmp")).current_dir(self.folder.path())
    }

    pub fn icos(&self, arguments: &[&str]) -> (i32, String, String) {
        #[expect(clippy::disallowed_methods, reason = "the program under test")]
        let mut command = Command::new(env!("CARGO_BIN_EXE_icos"));
        run(self.dress(&mut command).args(arguments))
    }

    pub fn ok(&self, arguments: &[&str]) -> String {
        let (code, output, errors) = self.icos(arguments);
        assert_eq!(code, 0, "{errors}");
        output
    }
}

/// Every path below a folder: contents of files, targets of links, whether it can be executed.
pub fn listing(top: &Path) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    let mut todo = vec![top.to_path_buf()];
    while let Some(folder) = todo.pop() {
        for entry in fs_err::read_dir(&folder).into_iter().flatten() {
            let path = entry.expect("there").path();
            let meta = fs_err::symlink_metadata(&path).expect("there");
            let about = if meta.is_dir() {
                todo.push(path.clone());
                "folder".to_owned()
            } else if meta.is_symlink() {
                format!("-> {}", fs_err::read_link(&path).expect("a link").display())
            } else {
                let executable = std::os::unix::fs::PermissionsExt::mode(&meta.permissions()) & 0o100;
                format!("{executable:o} {}", icos::digest::Sha256::of(&fs_err::read(&path).expect("readable")))
            };
            found.insert(path.strip_prefix(top).expect("below").to_path_buf(), about);
        }
    }
    found
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// What only the connected machine has is gone: its mirror is not named, its home and project are others.
#[test]
fn the_same_images_come_out() {
    let Some(connected) = Connected::new() else { return };
    let (first, second) = (connected.bundle("first", &[]), connected.bundle("second", &[]));
    assert!(fs_err::read(&first).expect("there") == fs_err::read(&second).expect("there"), "two bundles differ");
    let out = connected.project.path("out-here");
    connected.ok(&["build", "os/dev", "--offline", "-o", text(&out)]);

    let away = Away::new();
    let output = away.ok(&["bundle", "import", text(&first), "--into", "p"]);
    assert!(output.contains("os/dev on test: 5 packages, each led back to a pinned key\n"), "{output}");
    assert!(listing(&away.path("tmp")).is_empty(), "temporary files stay");
    let verified = away.ok(&["--project", "p", "verify", &format!("p/{LOCK}")]);
    assert!(verified.contains("5 packages, each led back to a pinned key"), "{verified}");
    away.ok(&["--project", "p", "build", "os/dev", "--offline", "-o", "out"]);
    assert_eq!(listing(&out), listing(&away.path("out")));
    // What is away is enough to make the same bundle, by the program that came along.
    let mut program = judge("env").expect("coreutils");
    let arguments = ["--project", "p", "bundle", "create", "os/dev", "-o", "third"];
    let (code, _, errors) = run(away.dress(&mut program).arg(away.path("p/icos")).args(arguments));
    assert_eq!(code, 0, "{errors}");
    assert!(fs_err::read(&first).expect("there") == fs_err::read(away.path("third")).expect("there"), "third differs");
    // Only a folder with nothing in it is written to.
    let (code, _, errors) = away.icos(&["bundle", "import", text(&first), "--into", "p"]);
    assert!(code == 1 && errors.contains("--into p: expected a folder that is new or empty"), "{errors}");
    // All is there already.
    let output = away.ok(&["bundle", "import", text(&first)]);
    assert!(output.contains("0 of "), "{output}");
}

/// A suite without InRelease is carried by Release and Release.gpg, and neither may be another.
#[test]
fn a_detached_signature_is_carried_along() {
    let Some(connected) = Connected::new() else { return };
    let dists = connected.project.archive.root().join("dists/made-up");
    fs_err::remove_file(dists.join("InRelease")).expect("there");
    connected.online(&["lock", "os/dev"]);
    let bundle = connected.bundle("a.bundle", &[]);
    let away = Away::new();
    let output = away.ok(&["bundle", "import", text(&bundle), "--into", "p"]);
    assert!(output.contains("os/dev on test: 5 packages, each led back to a pinned key\n"), "{output}");
    away.ok(&["--project", "p", "build", "os/dev", "--offline", "-o", "out"]);
    let signed = ["Release", "Release.gpg"].map(|name| fs_err::read(dists.join(name)).expect("there"));
    for signed in signed {
        let mut altered = fs_err::read(&bundle).expect("there");
        let at = memchr::memmem::find(&altered, &signed).expect("in the bundle, as it is");
        altered[at + signed.len() / 2] ^= 1;
        let path = connected.project.path("altered.bundle");
        fs_err::write(&path, altered).expect("written");
        let (code, _, errors) = Away::new().icos(&["bundle", "import", text(&path)]);
        let name = icos::digest::Sha256::of(&signed).to_string();
        assert!(code == 1 && errors.contains(&name), "{errors}");
    }
}

/// tar and sha256sum understand the file, so that a machine without icos can look into it.
#[test]
fn tar_and_sha256sum_agree() {
    let Some(connected) = Connected::new() else { return };
    let (Some(mut tar), Some(mut sums)) = (judge("tar"), judge("sha256sum")) else { return };
    let bundle = connected.bundle("a.bundle", &[]);
    let away = Away::new();
    let (code, _, errors) = run(away.dress(&mut tar).arg("xf").arg(&bundle));
    assert_eq!((code, errors.as_str()), (0, ""));
    let (code, output, errors) = run(away.dress(&mut sums).args(["--check", "--strict", "SHA256SUMS"]));
    assert_eq!((code, errors.as_str()), (0, ""));
    let listed = connected.ok(&["bundle", "list", text(&bundle)]);
    let members: Vec<&str> = output.lines().filter_map(|line| line.strip_suffix(": OK")).collect();
    assert!(members.len() > 20 && members[0] == "bundle.json", "{members:?}");
    for member in &members[1..] {
        assert!(listed.lines().any(|line| line.ends_with(&format!(" {member}"))), "{member}: {listed}");
    }
    for line in ["link project/overlays/o/etc/link -> /run/nowhere", "folder project/overlays/o/etc/empty.d"] {
        assert!(listed.lines().any(|found| found == line), "{listed}");
    }
    assert!(!listed.contains("unused") && !listed.contains("/beside ->"), "{listed}");
    let program = fs_err::read(away.path("program/icos")).expect("there");
    assert!(program == fs_err::read(env!("CARGO_BIN_EXE_icos")).expect("there"));
}

#[test]
fn a_second_bundle_has_only_what_is_new() {
    let Some(connected) = Connected::new() else { return };
    let old = connected.bundle("old", &[]);
    connected.project.write("overlays/o/etc/conf.d/two", "2");
    connected.project.write("overlays/o/etc/conf.d/one", "one");
    let full = connected.bundle("full", &[]);
    let new = connected.bundle("new", &["--since", text(&old)]);
    assert!(fs_err::metadata(&new).expect("there").len() < 64 << 10);
    let names: Vec<String> = members::read(&new).into_iter().map(|member| member.name).collect();
    let conf = "project/overlays/o/etc/conf.d/";
    assert_eq!(names, ["bundle.json", "SHA256SUMS", &format!("{conf}one"), &format!("{conf}two")]);

    let sum = icos::digest::Sha256::of(&fs_err::read(&old).expect("there"));
    let away = Away::new();
    let (code, _, errors) = away.icos(&["bundle", "import", text(&new), "--into", "p"]);
    assert_eq!(code, 1);
    let expect = format!("bundle {}: member `program/icos` is not in the bundle and not in the store", text(&new));
    assert!(errors.contains(&expect) && errors.contains(&format!("whose sha256 is {sum}")), "{errors}");
    assert!(!away.path("home").exists() && !away.path("p").exists());
    assert!(listing(&away.path("tmp")).is_empty());
    let output = away.ok(&["bundle", "list", text(&new)]);
    assert!(output.contains(&format!("since  {sum}\n")), "{output}");

    away.ok(&["bundle", "import", text(&old)]);
    let output = away.ok(&["bundle", "import", text(&new), "--into", "p"]);
    assert!(output.contains("2 of "), "{output}");
    away.ok(&["bundle", "import", text(&full), "--into", "q"]);
    assert_eq!(listing(&away.path("p")), listing(&away.path("q")));
    // What the base brought is checked again.
    let lib = members::manifest(&full).entries.iter().find(|entry| entry.size > 3000).expect("lib").path.clone();
    let lib = lib.replace("program/icos", "");
    let any = members::manifest(&new).entries.iter().find(|entry| entry.path.starts_with("store/")).map(|e| e.sha256);
    let damaged = away.path(&format!("home/.cache/icos/debs/{}", any.expect("one")));
    fs_err::remove_file(&damaged).expect("there");
    fs_err::write(&damaged, "other").expect("written");
    let (code, _, errors) = away.icos(&["bundle", "import", text(&new)]);
    assert!(code == 1 && errors.contains(text(&damaged)) && errors.contains("expected"), "{lib}: {errors}");
}

/// What can't be bundled is told by name, and no file stays.
#[test]
fn what_create_refuses() {
    let Some(connected) = Connected::new() else { return };
    let output = connected.project.path("x.bundle");
    let check = |expect: &str| {
        let (code, _, errors) = connected.project.icos(&["bundle", "create", "os/dev", "-o", text(&output)]);
        assert!(code == 1 && errors.contains(expect), "{expect}: {errors}");
        let left = fs_err::read_dir(connected.project.path(".")).expect("readable");
        let left: Vec<_> = left.map(|entry| entry.expect("there").file_name()).collect();
        assert!(!left.iter().any(|name| name.to_string_lossy().contains("x.bundle")), "{expect}: {left:?}");
    };
    let (lock, overlay) = (connected.project.path(LOCK), connected.project.path("overlays/o"));
    let socket = overlay.join("socket");
    drop(std::os::unix::net::UnixListener::bind(&socket).expect("bound"));
    check("overlays/o/socket`: it is neither file, folder nor symbolic link");
    fs_err::remove_file(&socket).expect("removed");
    let odd = overlay.join("a\nb");
    fs_err::write(&odd, "").expect("written");
    check("the path has a control character or a backslash");
    fs_err::remove_file(&odd).expect("removed");
    let sum = icos::digest::Sha256::of(b"a tool");
    let stored = connected.project.path(&format!("home/.cache/icos/debs/{sum}"));
    let aside = connected.project.path("aside");
    fs_err::rename(&stored, &aside).expect("moved");
    check(&format!("artifact {sum} of overlay `o` is not in the store"));
    fs_err::write(&stored, "another").expect("written");
    check(&format!("{} has the sha256", text(&stored)));
    fs_err::rename(&aside, &stored).expect("moved");
    let text = fs_err::read_to_string(&lock).expect("there");
    connected.project.write(LOCK, &text.replace("/lib_1.5", "/lib_1.6"));
    check("index to stanza: package lib 1.5: dists/made-up/main/binary-amd64/Packages.xz has the file ");
    connected.project.write(LOCK, &text);
    connected.project.write("ic-os/os/image.toml", &IMAGE.replace("LOADER", "app"));
    check("is stale");
}
