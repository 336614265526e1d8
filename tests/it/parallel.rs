//! Several processes at once on one store and one project, one of them killed: all others are right, and nothing is left behind.

use std::{collections::BTreeSet, path::Path, process::Stdio, time::Duration};

use icos::digest::Sha256;

use crate::{
    project::Project,
    support::{deb::Deb, judge::run},
};

const ROUNDS: u64 = 8;

fn project() -> Option<Project> {
    let noise = |seed: u32| (0..200_000_u32).map(|n| (n.wrapping_mul(seed) >> 13) as u8).collect::<Vec<_>>();
    let parts: Vec<String> = (0..20).map(|n| format!("part{n}")).collect();
    let mut debs: Vec<Deb> = parts
        .iter()
        .zip(1..)
        .map(|(name, n)| Deb::new(name, "1").file(&format!("usr/share/{name}"), &noise(2_654_435_761 + n)))
        .collect();
    debs.push(Deb::new("base", "1").field("Essential", "yes"));
    debs.push(Deb::new("app", "2").field("Depends", &parts.join(", ")));
    debs.push(Deb::new("grub", "3"));
    Project::of(&debs, "grub")
}

fn sum(path: &Path) -> Sha256 {
    Sha256::of(&fs_err::read(path).expect("written"))
}

#[test]
fn on_one_store() {
    let Some(project) = project() else { return };
    let (code, _, errors) = project.online(&["lock", "os/dev"]);
    assert_eq!(code, 0, "{errors}");
    let lock = project.path("snapshots/test/os-dev.lock");
    let locked = sum(&lock);
    let mirror = project.mirror();
    let outputs = ["a.tar", "b.tar", "same.tar"].map(|name| project.path(name).to_str().expect("UTF-8").to_owned());
    let rootfs = |output: &'_ str| -> Vec<String> {
        ["rootfs", "--base", "test", "app", "-o", output].map(str::to_owned).into()
    };
    let mut expect = None;
    for round in 0..ROUNDS {
        fs_err::remove_dir_all(project.path("home")).expect("there");
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let runs = [
            words(&["lock", "os/dev"]),
            words(&["lock", "os/dev"]),
            words(&["fetch", "os/dev"]),
            words(&["lock", "os/dev", "--check"]),
            rootfs(&outputs[0]),
            rootfs(&outputs[1]),
            rootfs(&outputs[2]),
            rootfs(&outputs[2]),
        ];
        // Half of the rounds must write the lock anew.
        if round % 2 == 1 {
            fs_err::remove_file(&lock).expect("there");
        }
        let start = |arguments: &Vec<String>| {
            let arguments: Vec<&str> =
                std::iter::once(mirror.as_str()).chain(arguments.iter().map(String::as_str)).collect();
            let mut command = project.command(&arguments);
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("started")
        };
        let victim_of = [6, 0, 4, 2][round as usize / 2];
        let mut victim = (round % 4 < 2).then(|| start(&runs[victim_of]));
        let children: Vec<_> = runs.iter().map(start).collect();
        if let Some(victim) = &mut victim {
            std::thread::sleep(Duration::from_millis(30 * round + 20));
            victim.kill().expect("SIGKILL");
            victim.wait().expect("ended");
        }
        for (child, arguments) in children.into_iter().zip(&runs) {
            let output = child.wait_with_output().expect("ended");
            let errors = String::from_utf8_lossy(&output.stderr);
            let is_missing =
                round % 2 == 1 && (arguments[0] == "fetch" || arguments.last().is_some_and(|last| last == "--check"));
            assert!(output.status.success() || is_missing, "round {round}: {arguments:?}: {errors}");
        }
        assert_eq!(sum(&lock), locked, "round {round}");
        let sums: BTreeSet<Sha256> = outputs.iter().map(|output| sum(Path::new(output))).collect();
        assert_eq!(sums.len(), 1, "round {round}");
        assert_eq!(*expect.get_or_insert(sums.clone()), sums, "round {round}");
        sound(&project, round);
    }
}

/// The store is sound; after one more process that nobody disturbs nothing is left of the killed one.
fn sound(project: &Project, round: u64) {
    let (code, output, errors) = project.icos(&["store", "verify"]);
    assert_eq!(code, 0, "round {round}: {output}{errors}");
    for arguments in [&["lock", "os/dev"][..], &["fetch", "os/dev"]] {
        let (code, _, errors) = project.online(arguments);
        assert_eq!(code, 0, "round {round}: {errors}");
    }
    for output in ["a.tar", "same.tar"] {
        let output = project.path(output).to_str().expect("UTF-8").to_owned();
        let (code, _, errors) = project.online(&["rootfs", "--base", "test", "app", "-o", &output]);
        assert_eq!(code, 0, "round {round}: {errors}");
    }
    let left = run(project.command(&["store", "path"]).arg("--quiet"));
    assert_eq!(left.0, 0);
    for folder in ["home/.cache/icos/tmp", "home/.cache/icos/partial"] {
        assert_eq!(fs_err::read_dir(project.path(folder)).expect("there").count(), 0, "round {round}: {folder}");
    }
    for folder in ["", "snapshots/test"] {
        for entry in fs_err::read_dir(project.path(folder)).expect("there") {
            let name = entry.expect("there").file_name().into_string().expect("UTF-8");
            assert!(!name.ends_with(".unfinished"), "round {round}: {folder}/{name}");
        }
    }
}
