//! The named suite that holds a whole installation against real dpkg.
//!
//! ```text
//! python3 tests/oracle/dpkg-judge.py make DEBS REAL.tar            # as root: dpkg in a chroot
//! ICOS_DEBS=DEBS ICOS_STORE=STORE ICOS_REAL=REAL.tar ICOS_OURS=OURS.tar \
//!     cargo test --test it rootfs -- --ignored --nocapture
//! ```

use std::{
    io::{Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use icos::{
    configure::{self, Options, Skip},
    digest::Sha256,
    epoch::Epoch,
    shell::{Limits, Machine},
    store::{Layer, Store},
    tar,
    tree::Content,
};

use crate::support::judge;

/// A path from the environment, by which the suite is told what to work on.
#[expect(clippy::disallowed_methods, reason = "a suite that is started by hand is told its folders by variables")]
fn path(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable).map(PathBuf::from)
}

fn needed(variable: &str) -> PathBuf {
    path(variable).unwrap_or_else(|| panic!("{variable} names no path"))
}

fn options() -> Options {
    Options {
        epoch: Epoch::from_variable(None).expect("valid"),
        architecture: "amd64".to_owned(),
        foreign: Vec::new(),
        kernel_release: Machine::DEFAULT_KERNEL_RELEASE.to_owned(),
        journal: false,
        preseed: Vec::new(),
        skips: Vec::new(),
        ids: icos::manifest::image::Ids::default(),
        limits: Limits::SCRIPT,
    }
}

/// The layers of all packages in a folder.
fn layers(debs: &Path, store: &Path) -> Vec<Layer> {
    let store = Store::open(store).expect("a store");
    let files = fs_err::read_dir(debs).expect("a folder").map(|entry| entry.expect("an entry").path());
    let mut sums = Vec::new();
    for file in files.filter(|path| path.extension().is_some_and(|extension| extension == "deb")) {
        let sum = Sha256::of(&fs_err::read(&file).expect("readable"));
        store.insert(&file, &sum).expect("inserted");
        sums.push(sum);
    }
    store.layers(&sums, &|_| {}).expect("layers")
}

/// Every script of the packages, left out: what dpkg alone does, in its order.
fn all_scripts(layers: &[Layer]) -> Vec<Skip> {
    let mut skips = Vec::new();
    for layer in layers {
        let text = String::from_utf8_lossy(&layer.control[b"control".as_slice()].content).into_owned();
        let package = text.lines().find_map(|line| line.strip_prefix("Package: ")).expect("a name").to_owned();
        for script in ["preinst", "postinst"].into_iter().filter(|name| layer.control.contains_key(name.as_bytes())) {
            skips.push(Skip { package: package.clone(), script: script.to_owned(), reason: "order alone".to_owned() });
        }
    }
    skips
}

fn write(path: &Path, content: &Content) {
    let mut file = fs_err::File::create(path).expect("made");
    for (offset, bytes) in content.runs() {
        file.seek(SeekFrom::Start(offset)).and_then(|_| file.write_all(bytes)).expect("written");
    }
    file.file().set_len(content.len()).expect("sized");
}

#[test]
#[ignore = "a named suite, told by variables what to install"]
fn is_what_dpkg_makes() {
    let layers = layers(&needed("ICOS_DEBS"), &needed("ICOS_STORE"));
    let mut options = options();
    if path("ICOS_NO_SCRIPTS").is_some() {
        options.skips = all_scripts(&layers);
    }
    let installed = configure::install(&layers, &options, &|_| {}).unwrap_or_else(|error| panic!("{error}"));
    for name in &installed.report.configured {
        println!("configured {name}");
    }
    let ours = needed("ICOS_OURS");
    write(&ours, &tar::archive(&installed.tree).expect("an archive"));
    let Some(real) = path("ICOS_REAL") else { return };
    let Some(mut python) = judge::judge("python3") else { return };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle/dpkg-judge.py");
    let (status, output, errors) = judge::run(python.arg(script).arg("compare").arg(real).arg(ours).arg("--all"));
    println!("{output}");
    assert_eq!((status, errors.as_str()), (0, ""), "the trees differ");
}

/// A path in which icos may differ from dpkg, as a regular expression, and why.
type Allowed = (&'static str, &'static str);

/// Installs packages with icos and with real dpkg, which only root can let install something, and compares the trees.
#[expect(clippy::print_stdout, clippy::print_stderr, reason = "a suite that is read by people")]
fn check(packages: &[&str], allowed: &[Allowed]) {
    let (Some(mut python), Some(mut compare)) = (judge::judge("python3"), judge::judge("python3")) else { return };
    if !rustix::process::geteuid().is_root() || judge::judge("dpkg-deb").is_none() {
        eprintln!("skipped: dpkg installs packages for root alone");
        return;
    }
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let [store, debs] = ["store", "debs"].map(|name| scratch.path().join(name));
    let [ours, real] = ["ours.tar", "real.tar"].map(|name| scratch.path().join(name));
    let root = env!("CARGO_MANIFEST_DIR");
    #[expect(clippy::disallowed_methods, reason = "the program under test")]
    let mut icos = std::process::Command::new(env!("CARGO_BIN_EXE_icos"));
    icos.args(["--project", root, "rootfs", "--base", "debian-bookworm", "--required", "-o"]).arg(&ours);
    let (code, output, errors) = judge::run(icos.args(packages).env("ICOS_STORE", &store));
    assert_eq!(code, 0, "{errors}");
    println!("{output}");
    export(&store, &debs);
    let script = Path::new(root).join("tests/oracle/dpkg-judge.py");
    let (code, output, errors) = judge::run(python.arg(&script).arg("make").arg(&debs).arg(&real));
    assert_eq!(code, 0, "{output}{errors}");
    let (_, output, errors) = judge::run(compare.arg(&script).arg("compare").arg(&real).arg(&ours).arg("--all"));
    assert_eq!(errors, "");
    report(&output, allowed);
}

/// Links the packages of a store to a folder, under the names that they have in archives.
fn export(store: &Path, debs: &Path) {
    fs_err::create_dir(debs).expect("made");
    for entry in fs_err::read_dir(store.join("debs")).expect("a store") {
        let path = entry.expect("there").path();
        let mut dpkg = judge::judge("dpkg-deb").expect("asked for before");
        let (_, control, _) =
            judge::run(dpkg.arg("-W").arg("--showformat=${Package} ${Version} ${Architecture}").arg(&path));
        // What is no package is an index.
        if let [name, version, architecture] = control.split(' ').collect::<Vec<_>>()[..] {
            let version = version.split_once(':').map_or(version, |(_, rest)| rest);
            fs_err::hard_link(&path, debs.join(format!("{name}_{version}_{architecture}.deb"))).expect("linked");
        }
    }
}

/// Counts the differing paths by the causes that are allowed for them; one without fails.
#[expect(clippy::print_stdout, reason = "a suite that is read by people")]
fn report(output: &str, allowed: &[Allowed]) {
    let mut counts = vec![0; allowed.len()];
    let mut unexplained = Vec::new();
    let patterns: Vec<_> = allowed.iter().map(|(path, _)| regex::Regex::new(path).expect("a pattern")).collect();
    let mut lines = output.lines().peekable();
    while let Some(line) = lines.next() {
        if !line.starts_with('/') {
            println!("{line}");
            continue;
        }
        match patterns.iter().position(|pattern| pattern.is_match(line)) {
            Some(index) => counts[index] += 1,
            None => {
                let how: Vec<_> = std::iter::from_fn(|| lines.next_if(|line| line.starts_with(' '))).collect();
                unexplained.push(format!("{line}\n{}", how.join("\n")));
            }
        }
        while lines.next_if(|line| line.starts_with(' ')).is_some() {}
    }
    for (count, (path, cause)) in counts.iter().zip(allowed) {
        println!("{count} paths {path}: {cause}");
    }
    assert!(unexplained.is_empty(), "{} paths without a cause:\n{}", unexplained.len(), unexplained.join("\n"));
}

/// The packages of a list: one a line or more, `#` begins a comment.
fn listed(text: &'static str) -> Vec<&'static str> {
    text.lines().filter(|line| !line.starts_with('#')).flat_map(str::split_whitespace).collect()
}

/// Essential and required packages, and apt.
#[test]
fn minbase_is_what_dpkg_makes() {
    check(&["apt"], &[]);
}

/// The 368 packages of an operating-system appliance, and SELinux's policy: what is compiled of it is left out by the judge.
#[test]
#[ignore = "a named suite: real dpkg takes three minutes"]
fn appliance_is_what_dpkg_makes() {
    let mut packages = listed(include_str!("../bench/appliance.packages"));
    packages.push("selinux-policy-default");
    check(&packages, &[]);
}

/// Some 700 packages of servers, desktops and languages, in sets of their own.
#[test]
#[ignore = "a named suite: real dpkg takes some ten minutes"]
fn further_packages_are_what_dpkg_makes() {
    for set in include_str!("rootfs/further.packages").split("\n[").skip(1) {
        let (name, packages) = set.split_once("]\n").expect("a name and packages");
        eprintln!("set {name}");
        check(&listed(packages), FURTHER);
    }
}

/// What the further sets may differ in.
const FURTHER: &[Allowed] = &[(
    r"^/usr/share/info/dir$",
    "the real install-info goes by the order in which the host's file system lists files",
)];
