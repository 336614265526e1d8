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
        image::{Disk, FileSystem, Partition, SECTOR},
        project::Project,
    },
};

use crate::support::judge::{judge, run};

/// Two people who own nothing.
const USERS: [&str; 2] = ["65534", "65533"];

fn project() -> Project {
    Project::find(Path::new(env!("CARGO_MANIFEST_DIR"))).expect("this checkout")
}

fn scratch() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("guestos")
}

/// `icos` as an ordinary user, with an environment that holds nothing but what is set here. Root would have to drop its rights;
/// anybody else is ordinary already.
fn icos(user: &str, variables: &[(&str, &str)]) -> Command {
    let program = env!("CARGO_BIN_EXE_icos");
    let mut command = if rustix::process::geteuid().is_root() {
        let mut command = judge("setpriv").expect("util-linux is on every Debian machine");
        command.args(["--reuid", user, "--regid", user, "--clear-groups", "--no-new-privs", program]);
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

/// A folder that the user may write to.
fn folder(user: &str, name: &str) -> PathBuf {
    let home = scratch().join(user);
    let path = home.join(name);
    fs_err::create_dir_all(&path).expect("made");
    if rustix::process::geteuid().is_root() {
        let owner = user.parse().expect("a number");
        for path in [&home, &path] {
            std::os::unix::fs::chown(path, Some(owner), Some(owner)).expect("given away");
        }
    }
    path
}

/// The folder of the first build, made once for all tests.
fn built() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let (home, out) = (folder(USERS[0], "home"), folder(USERS[0], "first"));
        let home = home.to_str().expect("UTF-8");
        let output = icos(USERS[0], &[("HOME", home), ("RAYON_NUM_THREADS", "8")])
            .args(["build", "guestos/dev", "--base", "debian-bookworm", "-o"])
            .arg(&out)
            .output()
            .expect("started");
        succeed(&output);
        out
    })
}

#[test]
fn the_same_lock_gives_the_same_bytes() {
    let first = built();
    // Another person, with a store of their own, and everything else different too.
    let [home, out, tmp] = ["elsewhere", "second", "tmp"].map(|name| folder(USERS[1], name));
    let mut again = icos(
        USERS[1],
        &[
            ("HOME", home.to_str().expect("UTF-8")),
            ("ICOS_STORE", home.join("a store").to_str().expect("UTF-8")),
            ("TMPDIR", tmp.to_str().expect("UTF-8")),
            ("TZ", "Pacific/Auckland"),
            ("LANG", "tr_TR.UTF-8"),
            ("LC_ALL", "tr_TR.UTF-8"),
            ("RAYON_NUM_THREADS", "1"),
        ],
    );
    again.args(["build", "guestos/dev", "--base", "debian-bookworm", "-o"]).arg(&out).current_dir("/");
    succeed(&elsewhen(again).output().expect("started"));
    let sums = |folder: &Path| fs_err::read_to_string(folder.join("SHA256SUMS")).expect("written");
    assert_eq!(sums(first), sums(&out));
    for folder in [&home, &out] {
        fs_err::remove_dir_all(folder).expect("removed");
    }
}

/// The same command under a narrow umask and, where there is faketime, years ago.
fn elsewhen(command: Command) -> Command {
    let mut words: Vec<_> =
        [command.get_program()].into_iter().chain(command.get_args()).map(ToOwned::to_owned).collect();
    if let Some(faketime) = judge("faketime") {
        words.splice(..0, [faketime.get_program().to_owned(), "2031-02-03 04:05:06".into()]);
    }
    let mut shell = judge("sh").expect("every machine has one");
    shell.env_clear().args(["-c", "umask 077; exec \"$@\"", "sh"]).args(words).current_dir("/");
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            shell.env(name, value);
        }
    }
    shell
}

#[test]
fn foreign_judges_find_no_fault() {
    let disk = built().join("disk.img");
    let (image, _) = project().image("guestos").expect("a valid definition");
    if let Some(mut sgdisk) = judge("sgdisk") {
        let (code, out, err) = run(sgdisk.arg("-v").arg(&disk));
        assert!(code == 0 && out.contains("No problems found"), "{out}{err}");
    }
    if let Some(mut sfdisk) = judge("sfdisk") {
        let (code, out, err) = run(sfdisk.arg("--json").arg(&disk));
        assert_eq!(code, 0, "{err}");
        assert_eq!(table(&serde_json::from_str(&out).expect("JSON")), defined(&image.disk));
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

/// A partition table in words: the disk's GUID, then name, start, sectors, type and GUID of each partition.
fn table(json: &serde_json::Value) -> Vec<String> {
    let word = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let table = &json["partitiontable"];
    let partition = |partition: &serde_json::Value| {
        ["name", "start", "size", "type", "uuid"].map(|field| word(&partition[field])).join(" ")
    };
    let partitions = table["partitions"].as_array().expect("a list").iter().map(partition);
    [word(&table["id"])].into_iter().chain(partitions).collect()
}

fn defined(disk: &Disk) -> Vec<String> {
    let guid = |guid: uuid::Uuid| guid.to_string().to_uppercase();
    let partition = |p: &Partition| format!("{} {} {} {} {}", p.name, p.start, p.sectors, guid(p.kind), guid(p.guid));
    [guid(disk.guid)].into_iter().chain(disk.partitions.iter().map(partition)).collect()
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
fn icos_reads_its_image_again() {
    let output = icos(USERS[0], &[("HOME", folder(USERS[0], "home").to_str().expect("UTF-8"))])
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

/// What `icos why` prints for the flagship.
fn why(what: &[&str]) -> Output {
    let home = folder(USERS[0], "home");
    let mut command = icos(USERS[0], &[("HOME", home.to_str().expect("UTF-8"))]);
    command.args(["why", "guestos/dev", "--base", "debian-bookworm", "--offline"]).args(what).output().expect("started")
}

/// Fragments of a text, each after the one before.
fn in_order(text: &str, fragments: &[&str]) {
    let mut rest = text;
    for fragment in fragments {
        let at = rest.find(fragment).unwrap_or_else(|| panic!("no `{fragment}` where it should be in\n{text}"));
        rest = &rest[at + fragment.len()..];
    }
}

#[test]
fn why_names_who_made_a_path() {
    built();
    let rows: &[(&str, &[&str])] = &[
        (
            "/etc/ssh/sshd_config",
            &[
                "file",
                "made",
                "openssh-server postinst:",
                " → ucf:",
                " → cp\n",
                "written",
                "overlay guestos step ",
                "(replace)",
            ],
        ),
        (
            "/etc/passwd",
            &[
                "made",
                "base-passwd preinst:",
                "changes more",
                "overlay guestos",
                "overlay guestos-dev step ",
                "(password) → usermod\n",
            ],
        ),
        (
            "/etc/ld.so.cache",
            &["made", "libc-bin postinst:", "replaced", "trigger ldconfig: libc-bin postinst:", " → ldconfig\n"],
        ),
        (
            "/usr/bin/awk",
            &[
                "symlink to /etc/alternatives/awk",
                "mawk postinst:",
                " → update-alternatives\n",
                "symlink to /usr/bin/mawk",
                "/usr/bin/mawk: file",
                "listed",
                "mawk 1.",
                "made",
                "package mawk\n",
            ],
        ),
        (
            "/boot/initrd.img-*",
            &[
                "/boot/initrd.img-",
                "linux-image-",
                " postinst:",
                "mkinitramfs:",
                "overlay guestos step ",
                "(initramfs)",
                " → mv, from /boot/initrd.img-",
                ".new\n",
            ],
        ),
        ("/boot/initrd.img", &["symlink to initrd.img-", "overlay guestos step ", "(script) line ", " → ln\n"]),
        (
            "/etc/machine-id",
            &["systemd postinst:", "systemd-machine-id-setup", "written", "policy: every machine must have its own"],
        ),
        ("/etc/ssh/ssh_host_rsa_key", &["not made", "never", "policy: private keys"]),
        (
            "/lib/x86_64-linux-gnu/libc.so.6",
            &[
                "is /usr/lib/x86_64-linux-gnu/libc.so.6, links followed",
                "listed",
                "libc6:amd64 2.36",
                "package libc6\n",
            ],
        ),
        ("/var/lib/dpkg/status", &["made", "dpkg's database\n"]),
        ("/boot/version.txt", &["made", "icos build\n"]),
    ];
    let paths: Vec<&str> = rows.iter().map(|(path, _)| *path).collect();
    let output = why(&paths);
    succeed(&output);
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    let told: Vec<&str> = text.split("\n\n").collect();
    assert_eq!(told.len(), rows.len(), "{text}");
    for (text, (_, fragments)) in told.iter().zip(rows) {
        in_order(&format!("{}\n", text.trim_end()), fragments);
    }
    // What can be answered is, and `etc` is the root's.
    let output = why(&["/etc/ssh/sshd_confg", "etc/hostname"]);
    assert_eq!(output.status.code(), Some(1));
    in_order(&String::from_utf8_lossy(&output.stdout), &["/etc/hostname: file"]);
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    in_order(&errors, &["guestos/dev has no `/etc/ssh/sshd_confg`", "hint: did you mean /etc/ssh/sshd_config"]);
}

#[test]
fn why_leads_from_the_request_to_a_package() {
    built();
    let output = why(&["libwrap0", "openssh-server", "dash"]);
    succeed(&output);
    in_order(
        &String::from_utf8_lossy(&output.stdout),
        &[
            "guestos/dev asks for openssh-server\n  openssh-server 1:9.2p1",
            " Depends: libwrap0 (>= 7.6-4~)\n  libwrap0 7.6.q-32\n\n",
            "guestos/dev asks for openssh-server\n  openssh-server 1:9.2p1",
            "\n\nguestos/dev asks for every package marked Essential\n  dash 0.5.",
        ],
    );
    let output = why(&["libwrap", "dash", "--format", "json"]);
    assert_eq!(output.status.code(), Some(1));
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).expect("one object");
    assert_eq!(answer["packages"].as_array().map(Vec::len), Some(1), "{answer}");
    assert_eq!(answer["unanswered"].as_array().map(Vec::len), Some(1), "{answer}");
    let output = why(&["libwrap", "--format", "json"]);
    assert_eq!(output.status.code(), Some(1));
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).expect("one object");
    let error = answer["error"].as_str().expect("a text");
    assert!(error.starts_with("`libwrap` is not in the lock of guestos/dev on debian-bookworm; whether "), "{error}");
    assert_eq!(answer["hint"], "did you mean libwrap0?");
}
