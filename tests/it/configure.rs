//! Installing packages made on the spot, against real dpkg where it has a say: order, states, triggers, the database.

use std::{collections::BTreeMap, path::Path};

use icos::{
    configure::{self, Installed, Options, Skip},
    epoch::Epoch,
    shell::{Limits, Machine},
    tree::dump,
};

use crate::support::{
    deb::{Deb, layers},
    judge,
    random::Random,
};

pub fn options() -> Options {
    Options {
        epoch: Epoch::from_variable(None).expect("valid"),
        architecture: "amd64".to_owned(),
        foreign: Vec::new(),
        kernel_release: Machine::DEFAULT_KERNEL_RELEASE.to_owned(),
        preseed: Vec::new(),
        skips: Vec::new(),
        ids: icos::manifest::image::Ids::default(),
        limits: Limits::SCRIPT,
        journal: false,
    }
}

fn install(debs: &[Deb], options: &Options) -> Result<Installed, configure::Error> {
    configure::install(&layers(debs), options, &|_| {})
}

/// A script that notes that it ran, and then does something.
fn script(more: &str) -> String {
    format!(
        "#!/bin/sh\nset -e\necho \"$DPKG_MAINTSCRIPT_PACKAGE $DPKG_MAINTSCRIPT_NAME $* $DPKG_MAINTSCRIPT_ARCH\" >> \"$DPKG_ROOT/order\"\n{more}\n"
    )
}

/// The programs that scripts of these tests call.
fn tools() -> Deb {
    let names = ["dpkg-trigger", "dpkg-divert", "dpkg-statoverride", "cp", "rm"];
    names.iter().fold(Deb::new("tools", "1"), |deb, name| deb.file(&format!("usr/bin/{name}"), b"\x7fELF"))
}

/// What both sides are compared by: the order of scripts, and dpkg's files.
fn record(read: impl Fn(&str) -> Option<Vec<u8>>, lists: &[String]) -> BTreeMap<String, String> {
    let fixed = ["order", "var/lib/dpkg/status", "var/lib/dpkg/diversions", "var/lib/dpkg/statoverride"];
    let triggers = ["File", "Unincorp", "t0", "t1", "t2", "t3"].map(|name| format!("var/lib/dpkg/triggers/{name}"));
    let paths = fixed.iter().map(ToString::to_string).chain(triggers).chain(lists.iter().cloned());
    paths.filter_map(|path| Some((path.clone(), String::from_utf8_lossy(&read(&path)?).into_owned()))).collect()
}

/// Installs with real dpkg into a folder; `None` when it fails.
fn real(debs: &[Deb], root: &Path, lists: &[String]) -> Option<BTreeMap<String, String>> {
    let packages = root.join("debs");
    let target = root.join("root");
    fs_err::create_dir_all(&packages).expect("made");
    for folder in ["info", "updates", "triggers"] {
        fs_err::create_dir_all(target.join("var/lib/dpkg").join(folder)).expect("made");
    }
    fs_err::write(target.join("var/lib/dpkg/status"), "").expect("written");
    let mut files = Vec::new();
    for deb in debs {
        let file = packages.join(format!("{}_{}_{}.deb", deb.name, deb.version, deb.architecture));
        fs_err::write(&file, deb.build()).expect("written");
        files.push(file);
    }
    files.sort();
    for file in &files {
        let mut unpack = judge::judge("dpkg-deb")?;
        let (status, _, errors) = judge::run(unpack.arg("-x").arg(file).arg(&target));
        assert_eq!((status, errors.as_str()), (0, ""));
    }
    let force = "--force-script-chrootless,not-root,unsafe-io,bad-path";
    let dpkg = |arguments: &[&str]| {
        let mut dpkg = judge::judge("dpkg").expect("dpkg-deb comes with it");
        dpkg.arg("--root").arg(&target).arg(force).args(arguments);
        dpkg.env("DEBIAN_FRONTEND", "noninteractive").stdin(std::process::Stdio::null());
        dpkg
    };
    let unpacked = judge::run(dpkg(&["--force-depends", "--unpack"]).args(&files));
    if unpacked.0 != 0 {
        return None;
    }
    // Now and then dpkg leaves triggers for the next time that it is started.
    for _ in 0..3 {
        if judge::run(&mut dpkg(&["--configure", "--pending"])).0 != 0 {
            return None;
        }
        if !fs_err::read_to_string(target.join("var/lib/dpkg/status")).expect("there").contains("ok triggers-") {
            return Some(record(|path| fs_err::read(target.join(path)).ok(), lists));
        }
    }
    None
}

fn ours(debs: &[Deb], lists: &[String]) -> Result<BTreeMap<String, String>, configure::Error> {
    let tree = install(debs, &options())?.tree;
    Ok(record(|path| tree.read(path.as_bytes()).ok().map(|bytes| bytes.to_vec()), lists))
}

/// Both sides agree: in what they leave behind, or in that they can't.
fn agree(debs: &[Deb], name: &str) -> bool {
    let lists: Vec<String> = debs
        .iter()
        .flat_map(|deb| {
            let same = deb.fields.iter().any(|(name, value)| name == "Multi-Arch" && value == "same");
            let name = if same { format!("{}:{}", deb.name, deb.architecture) } else { deb.name.clone() };
            ["list", "md5sums"].map(|kind| format!("var/lib/dpkg/info/{name}.{kind}"))
        })
        .collect();
    // In memory, where it can be had: dpkg syncs every file.
    let scratch = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a scratch folder");
    let theirs = real(debs, scratch.path(), &lists);
    match (ours(debs, &lists), theirs) {
        (Ok(ours), Some(theirs)) => {
            assert_eq!(ours, theirs, "{name}");
            true
        }
        (Err(_), None) => false,
        (Ok(_), None) => panic!("{name}: dpkg fails, we don't"),
        (Err(error), Some(theirs)) => panic!("{name}: {error}, where dpkg has\n{}", theirs["order"]),
    }
}

/// Packages with dependencies, alternatives, provided names and triggers as the seed has them, cycles included.
fn universe(seed: u64) -> Vec<Deb> {
    let mut random = Random::new(seed);
    let count = 4 + random.below(10);
    let names: Vec<String> =
        (0..count).map(|n| format!("{}{n}", random.pick(&["lib", "a", "zeta", "perl-x", "g"]))).collect();
    let mut debs = vec![tools()];
    for (index, name) in names.iter().enumerate() {
        let mut deb = Deb::new(name, "1.0-1");
        if random.below(4) == 0 {
            deb = deb.field("Multi-Arch", random.pick(&["same", "foreign", "allowed"]));
        }
        let mut depends = Vec::new();
        for _ in 0..random.below(4) {
            let other = &names[random.below(count)];
            // Mostly backwards, so that cycles are there but not everywhere.
            let other = if random.below(4) > 0 { &names[random.below(index + 1)] } else { other };
            depends.push(match random.below(6) {
                0 => format!("{other} | {}", names[random.below(count)]),
                1 => format!("virtual{} | {other}", random.below(3)),
                2 => format!("{other} (>= 1.0)"),
                3 => format!("absent | {other}"),
                _ => other.clone(),
            });
        }
        if !depends.is_empty() {
            deb = deb.field("Depends", &depends.join(", "));
        }
        if random.below(4) == 0 {
            deb = deb.field("Pre-Depends", &names[random.below(index + 1)]);
        }
        if random.below(3) == 0 {
            deb = deb.field("Provides", &format!("virtual{}", random.below(3)));
        }
        debs.push(with_triggers(with_scripts(deb, &mut random), &mut random));
    }
    debs
}

fn with_scripts(mut deb: Deb, random: &mut Random) -> Deb {
    if random.below(4) == 0 {
        let conffile = format!("etc/{}.conf", deb.name);
        deb = deb.control("preinst", &script("")).control("conffiles", &format!("/{conffile}\n"));
        deb = deb.file(&conffile, b"configured\n");
    }
    if random.below(4) > 0 {
        let calls = ["", "", "dpkg-trigger t0", "dpkg-trigger --no-await t1", "dpkg-trigger /usr/share/t0/x"];
        deb = deb.control("postinst", &script(random.pick(&calls)));
    }
    deb
}

fn with_triggers(mut deb: Deb, random: &mut Random) -> Deb {
    let mut lines = String::new();
    let kinds = ["interest", "interest-noawait", "interest-await", "activate", "activate-noawait", "activate-await"];
    for _ in 0..random.below(3) {
        let name = if random.below(4) == 0 {
            format!("/usr/share/t{}", random.below(2))
        } else {
            format!("t{}", random.below(4))
        };
        let line = format!("{} {name}\n", random.pick(&kinds));
        if !lines.contains(name.as_str()) {
            lines.push_str(&line);
        }
    }
    if random.below(3) == 0 {
        let file = format!("usr/share/t{}/{}", random.below(2), deb.name);
        deb = deb.file(&file, b"x");
    }
    if lines.is_empty() { deb } else { deb.control("triggers", &lines) }
}

#[test]
fn order_is_that_of_dpkg() {
    if judge::judge("dpkg").is_none() {
        return;
    }
    let (mut installed, mut refused) = (0, 0);
    for seed in 0..30 {
        if agree(&universe(seed), &format!("seed {seed}")) {
            installed += 1;
        } else {
            refused += 1;
        }
    }

    assert!(installed > 15, "{installed} installed, {refused} refused by both");
}

/// A rehearsal in which nothing fails makes the tree of an installation, whatever skipped scripts do while they are tried.
#[test]
fn a_rehearsal_makes_the_same_tree() {
    let mut installed = 0;
    for seed in 0..30 {
        let debs = universe(seed);
        let layers = layers(&debs);
        let scripts = debs.iter().filter(|deb| deb.control.iter().any(|(name, _)| name == "postinst"));
        let skips = scripts.take(seed as usize % 3).map(|deb| Skip {
            package: deb.name.clone(),
            script: "postinst".to_owned(),
            reason: "to be tried".to_owned(),
        });
        let options = Options { skips: skips.collect(), ..options() };
        let rehearsal = configure::rehearse(&layers, &options, &|_| {}).expect("packages that can be read");
        match (configure::install(&layers, &options, &|_| {}), rehearsal.end) {
            (Ok(ours), Ok(rehearsed)) => {
                assert_eq!(dump(&ours.tree), dump(&rehearsed.tree), "seed {seed}");
                assert_eq!((rehearsal.failures.len(), rehearsal.unneeded), (0, options.skips), "seed {seed}");
                installed += 1;
            }
            (Err(ours), Err(rehearsed)) => assert_eq!(ours.to_string(), rehearsed.to_string(), "seed {seed}"),
            (ours, rehearsed) => panic!("seed {seed}: {:?}, {:?}", ours.is_ok(), rehearsed.is_ok()),
        }
    }
    assert!(installed > 10, "{installed} installed");
}
