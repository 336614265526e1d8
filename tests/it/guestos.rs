//! The flagship, end to end: guestos/dev built twice by an ordinary user, judged by foreign tools, booted to its login prompt.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::OnceLock,
    time::Duration,
};

use icos::{
    cli::boot::{self, Acceleration, Options},
    manifest::{
        image::{FileSystem, SECTOR},
        project::Project,
    },
};

use crate::support::judge::{judge, run};

/// Somebody who owns nothing: the numbers of `nobody`.
const USER: &str = "65534";

fn project() -> Project {
    Project { root: PathBuf::from(env!("CARGO_MANIFEST_DIR")) }
}

fn scratch() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("guestos")
}

/// `icos` as an ordinary user, with an environment that holds nothing but what is set here. Root would have to drop its rights;
/// anybody else is ordinary already.
fn icos(variables: &[(&str, &str)]) -> Command {
    let program = env!("CARGO_BIN_EXE_icos");
    let mut command = if rustix::process::geteuid().is_root() {
        let mut command = judge("setpriv").expect("util-linux is on every Debian machine");
        command.args(["--reuid", USER, "--regid", USER, "--clear-groups", "--no-new-privs", program]);
        command
    } else {
        #[expect(clippy::disallowed_methods, reason = "the program under test")]
        Command::new(program)
    };
    command.env_clear().env("PATH", "/usr/bin:/bin").envs(variables.iter().copied());
    command.arg("--project").arg(project().root);
    command
}

fn succeed(output: &Output) {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// A folder that the ordinary user may write to.
fn folder(name: &str) -> PathBuf {
    let path = scratch().join(name);
    fs_err::create_dir_all(&path).expect("made");
    if rustix::process::geteuid().is_root() {
        let owner = USER.parse().expect("a number");
        for path in [&scratch(), &path] {
            std::os::unix::fs::chown(path, Some(owner), Some(owner)).expect("given away");
        }
    }
    path
}

/// The folder of the first build, made once for all tests.
fn built() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let (home, out) = (folder("home"), folder("first"));
        let home = home.to_str().expect("UTF-8");
        let output = icos(&[("HOME", home), ("RAYON_NUM_THREADS", "8")])
            .args(["build", "guestos/dev", "--base", "debian-bookworm", "-o"])
            .arg(&out)
            .output()
            .expect("started");
        succeed(&output);
        out
    })
}

#[test]
#[ignore = "the named suite of the README: takes minutes, and needs every script of the image to be interpreted"]
fn the_same_lock_gives_the_same_bytes() {
    let first = built();
    // Another folder, home, time zone, language, temporary folder, thread count; umask and clock are the shell's and faketime's.
    let (home, out, tmp) = (folder("elsewhere"), folder("second"), folder("tmp"));
    let store = folder("home").join(".cache/icos");
    let mut again = icos(&[
        ("HOME", home.to_str().expect("UTF-8")),
        ("ICOS_STORE", store.to_str().expect("UTF-8")),
        ("TMPDIR", tmp.to_str().expect("UTF-8")),
        ("TZ", "Pacific/Auckland"),
        ("LANG", "tr_TR.UTF-8"),
        ("LC_ALL", "tr_TR.UTF-8"),
        ("RAYON_NUM_THREADS", "1"),
    ]);
    again.args(["build", "guestos/dev", "--base", "debian-bookworm", "--offline", "-o"]).arg(&out).current_dir("/");
    succeed(&again.output().expect("started"));
    let sums = |folder: &Path| fs_err::read_to_string(folder.join("SHA256SUMS")).expect("written");
    assert_eq!(sums(first), sums(&out));
    fs_err::remove_dir_all(&out).expect("removed");
}

#[test]
#[ignore = "the named suite of the README: takes minutes, and needs every script of the image to be interpreted"]
fn foreign_judges_find_no_fault() {
    let disk = built().join("disk.img");
    let (image, _) = project().image("guestos").expect("a valid definition");
    if let Some(mut sgdisk) = judge("sgdisk") {
        let (code, out, err) = run(sgdisk.arg("-v").arg(&disk));
        assert!(code == 0 && out.contains("No problems found"), "{out}{err}");
    }
    for partition in &image.disk.partitions {
        match &partition.content {
            Some(FileSystem::Ext4(_)) => {
                let Some(mut e2fsck) = judge("e2fsck") else { continue };
                let (code, out, err) =
                    run(e2fsck.arg("-fn").arg(format!("{}?offset={}", disk.display(), partition.offset())));
                assert_eq!(code, 0, "{}: {out}{err}", partition.name);
            }
            Some(FileSystem::Fat(_)) => {
                let cut = cut(&disk, partition.start, partition.sectors);
                let Some(mut fsck) = judge("fsck.fat") else { continue };
                let (code, out, err) = run(fsck.arg("-n").arg(cut.path()));
                assert_eq!(code, 0, "{}: {out}{err}", partition.name);
            }
            None => {}
        }
    }
}

/// A partition as a file of its own.
fn cut(disk: &Path, start: u64, sectors: u64) -> tempfile::NamedTempFile {
    use std::os::unix::fs::FileExt;
    let file = tempfile::NamedTempFile::new().expect("a scratch file");
    let disk = fs_err::File::open(disk).expect("there").into_file();
    let mut buffer = vec![0; 1 << 20];
    for at in (0..sectors * SECTOR).step_by(buffer.len()) {
        disk.read_exact_at(&mut buffer, start * SECTOR + at).expect("read");
        file.as_file().write_all_at(&buffer, at).expect("written");
    }
    file
}

/// What dpkg says of the database and the files of the root partition.
#[test]
#[ignore = "the named suite of the README: takes minutes, and needs every script of the image to be interpreted"]
fn dpkg_finds_its_database_whole() {
    let (Some(mut debugfs), Some(mut audit), Some(mut verify)) = (judge("debugfs"), judge("dpkg"), judge("dpkg"))
    else {
        return;
    };
    let (image, _) = project().image("guestos").expect("a valid definition");
    let root = image.disk.partitions.iter().find(|p| p.name == "A_root").expect("in the table");
    let folder = tempfile::tempdir().expect("a scratch folder");
    let device = format!("{}?offset={}", built().join("disk.img").display(), root.offset());
    let (_, _, _) = run(debugfs.arg("-R").arg(format!("rdump / {}", folder.path().display())).arg(device));
    let rooted = format!("--root={}", folder.path().display());
    assert_eq!(run(audit.arg(&rooted).arg("--audit")), (0, String::new(), String::new()));
    let (_, out, err) = run(verify.arg(&rooted).arg("--verify"));
    // What the overlay changes, and /boot, which is on a partition of its own.
    let surprises: Vec<&str> = out
        .lines()
        .filter(|line| !EXPECTED.iter().any(|path| line.ends_with(path)) && !line.contains(" /boot/"))
        .collect();
    assert!(surprises.is_empty() && err.is_empty(), "{}\n{err}", surprises.join("\n"));
}

/// Packaged files that the overlays change.
const EXPECTED: &[&str] = &[" /etc/lvm/lvm.conf", " /etc/pam.d/login", " /etc/pam.d/sshd"];

#[test]
#[ignore = "the named suite of the README: takes minutes, and needs every script of the image to be interpreted"]
fn icos_reads_its_image_again() {
    let output = icos(&[("HOME", folder("home").to_str().expect("UTF-8"))])
        .args(["verify", "--format", "json"])
        .arg(built().join("disk.img"))
        .output()
        .expect("started");
    succeed(&output);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("one object");
    let kinds: Vec<_> =
        report["partitions"].as_array().expect("a list").iter().map(|p| p["file_system"].clone()).collect();
    assert_eq!(kinds, ["fat", "fat", "ext4", "ext4", "ext4", "empty", "empty", "empty", "empty"]);
}

#[test]
#[ignore = "the named suite of the README: takes minutes, and needs every script of the image to be interpreted"]
fn it_boots_to_a_login_prompt_without_failed_units() {
    if judge("qemu-system-x86_64").is_none() {
        return;
    }
    let options = Options {
        image: built().join("disk.img"),
        memory_mib: 2048,
        processors: 2,
        acceleration: Acceleration::Tcg,
        search: vec!["/usr/bin".into()],
    };
    let minutes = |count: u64| Duration::from_secs(60 * count);
    let mut session = boot::boot(&options, "guestos login: ", minutes(10), true).expect("a login prompt");
    let mut talk = |say: &str, hear: &str| {
        session.send(&format!("{say}\n")).expect("a console that listens");
        session.wait_for(hear, minutes(5)).expect("an answer");
    };
    talk("root", "Password: ");
    talk("root", "# ");
    // What is typed is echoed: the words to wait for are put together by the shell.
    talk("systemctl is-system-running --wait; echo state''-known", "state-known");
    talk("systemctl --failed --no-legend --plain | wc -l | sed 's/^/failed''-units=/'", "failed-units=0\n");
    talk("findmnt -no SOURCE,FSTYPE,OPTIONS / | grep -c ' ro,' | sed 's/^/read''-only=/'", "read-only=1\n");
    talk("cat /proc/cmdline; echo cmd''line-shown", "cmdline-shown");
    assert!(session.console.contains("dfinity.system=A"), "slot A");
}
