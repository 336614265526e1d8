//! Tampering: each kind of file that icos reads, altered. Everything is refused with the file's name and a reason, except caches,
//! which are made again with the same result.

use std::{collections::BTreeSet, path::PathBuf};

use icos::digest::Sha256;

use crate::{
    project::Project,
    support::{
        archive::{Suite, signing_day},
        client::{Client, Site},
        deb::Deb,
        random::Random,
    },
};

const LOCK: &str = "snapshots/test/os-dev.lock";
const INDEX: &str = "main/binary-amd64/Packages";

/// A project with a locked and fetched target.
struct Bench {
    project: Project,
    suite: Suite,
    lock: String,
}

impl Bench {
    fn new() -> Option<Self> {
        let debs = debs();
        let project = Project::of(&debs, "grub")?;
        let stanzas: Vec<String> = debs.iter().map(|deb| project.archive.add(deb)).collect();
        let suite = Suite::new("made-up").with(&stanzas);
        let mut bench = Self { project, suite, lock: String::new() };
        let (code, _, errors) = bench.make_lock();
        assert_eq!(code, 0, "{errors}");
        bench.lock = fs_err::read_to_string(bench.project.path(LOCK)).expect("written");
        Some(bench)
    }

    fn make_lock(&self) -> (i32, String, String) {
        self.project.online(&["lock", "os/dev", "--no-rehearsal"])
    }

    fn icos(&self, arguments: &[&str]) -> (i32, String, String) {
        self.project.online(arguments)
    }

    fn verify(&self) -> (i32, String, String) {
        self.icos(&["verify", self.project.path(LOCK).to_str().expect("UTF-8")])
    }

    fn store(&self, path: &str) -> PathBuf {
        self.project.path("home/.cache/icos").join(path)
    }

    /// With a store of its own again.
    fn forget(&self) {
        let _ = fs_err::remove_dir_all(self.project.path("home"));
    }

    fn archive(&self, path: &str) -> PathBuf {
        self.project.archive.root().join(path)
    }

    fn restore_lock(&self) {
        fs_err::write(self.project.path(LOCK), &self.lock).expect("writable");
    }

    /// The root file system, as a sum of its archive.
    fn tree(&self) -> Sha256 {
        let output = self.project.path("out.tar");
        let _ = fs_err::remove_file(&output);
        let path = output.to_str().expect("UTF-8");
        let (code, _, errors) = self.icos(&["rootfs", "--base", "test", "app", "-o", path]);
        assert_eq!(code, 0, "{errors}");
        Sha256::of(&fs_err::read(&output).expect("written"))
    }
}

fn debs() -> Vec<Deb> {
    let noise: Vec<u8> = (0..3000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    vec![
        Deb::new("base", "1").field("Essential", "yes"),
        Deb::new("app", "2").field("Depends", "lib (>= 1)").file("usr/share/noise", &noise),
        Deb::new("lib", "1.5"),
        Deb::new("grub", "3"),
    ]
}

/// A file altered for as long as this lives.
struct Altered {
    path: PathBuf,
    good: Vec<u8>,
}

impl Altered {
    fn new(path: PathBuf, bad: &[u8]) -> Self {
        let good = fs_err::read(&path).expect("there");
        replace(&path, bad);
        Self { path, good }
    }
}

impl Drop for Altered {
    fn drop(&mut self) {
        replace(&self.path, &self.good);
    }
}

/// Files of the store are read-only, and some are mapped by nobody now.
fn replace(path: &std::path::Path, bytes: &[u8]) {
    let _ = fs_err::remove_file(path);
    fs_err::write(path, bytes).expect("writable");
}

fn flipped(good: &[u8], bit: usize) -> Vec<u8> {
    let mut bad = good.to_vec();
    bad[bit / 8] ^= 1 << (bit % 8);
    bad
}

/// Bits to flip: `count` at random and the ninth bit of each place of `text` that is in the file.
fn bits(good: &[u8], seed: u64, count: usize, places: &[&str]) -> BTreeSet<usize> {
    let mut random = Random::new(seed);
    let mut bits: BTreeSet<usize> = (0..count).map(|_| random.below(good.len() * 8)).collect();
    for place in places {
        let at = memchr::memmem::find(good, place.as_bytes()).unwrap_or_else(|| panic!("`{place}` is in the file"));
        bits.insert((at + place.len() / 2) * 8);
    }
    bits
}

/// A lock's text without the digest of the signed file, of which some bits are signed by nobody.
fn without_digest(lock: &str) -> String {
    lock.lines().filter(|line| !line.starts_with("in-release")).collect::<Vec<_>>().join("\n")
}

#[test]
fn signed_files_and_keys() {
    let Some(bench) = Bench::new() else { return };
    let places = ["BEGIN PGP SIGNED", "Hash: ", "Date: ", "Suite: ", "SHA256:", "Packages.xz", "BEGIN PGP SIGNATURE"];
    let files = [
        (bench.archive("dists/made-up/InRelease"), "/dists/made-up/InRelease", &places[..]),
        (bench.project.path("snapshots/keys/test.asc"), "snapshots/keys/test.asc", &["BEGIN PGP", "END PGP"]),
    ];
    for (path, name, places) in files {
        let good = fs_err::read(&path).expect("there");
        let mut refused = 0;
        for bit in bits(&good, 7, 24, places) {
            bench.forget();
            let _altered = Altered::new(path.clone(), &flipped(&good, bit));
            let (code, _, errors) = bench.make_lock();
            let lock = fs_err::read_to_string(bench.project.path(LOCK)).expect("there");
            bench.restore_lock();
            if code == 0 {
                assert_eq!(without_digest(&lock), without_digest(&bench.lock), "{name}: bit {bit}");
                continue;
            }
            refused += 1;
            assert_eq!((code, &lock), (1, &bench.lock), "{name}: bit {bit}: {errors}");
            assert!(errors.contains(name), "{name}: bit {bit}: {errors}");
        }
        assert!(refused > 20, "{name}: {refused} refused");
    }
}

#[test]
fn indexes_of_each_form() {
    let Some(mut site) = Site::new() else { return };
    let uri = site.server.uri();
    site.suite.acquire_by_hash = false;
    for form in ["", ".gz", ".xz", ".zst"] {
        site.suite.forms = vec![form];
        let _ = fs_err::remove_dir_all(site.archive.root().join("dists"));
        site.archive.publish(&site.suite);
        let path = site.archive.root().join(format!("dists/sid/{INDEX}{form}"));
        let good = fs_err::read(&path).expect("published");
        Client::new().indexes(&site, &[&uri], None).expect("indexes");
        let mut cases: Vec<Vec<u8>> = bits(&good, 3, 40, &[]).into_iter().map(|bit| flipped(&good, bit)).collect();
        cases.extend([flipped(&good, 0), good[..good.len() - 1].to_vec(), [&good[..], b"\n"].concat(), Vec::new()]);
        for bad in cases {
            let _altered = Altered::new(path.clone(), &bad);
            let client = Client::new();
            let error = client.indexes(&site, &[&uri], None).expect_err("altered").to_string();
            assert!(error.contains(&format!("dists/sid/{INDEX}{form}")), "{error}");
            assert!(["has the sha256", "bytes"].iter().any(|reason| error.contains(reason)), "{error}");
            client.check();
        }
    }
}

#[test]
fn packages_at_the_mirror_and_in_the_store() {
    let Some(bench) = Bench::new() else { return };
    let path = bench.archive("pool/main/a/app/app_2_amd64.deb");
    let good = fs_err::read(&path).expect("there");
    let cases: Vec<Vec<u8>> =
        bits(&good, 5, 8, &["!<arch>", "debian-binary", "2.0\n", "control.tar.gz", "data.tar.gz"])
            .into_iter()
            .map(|bit| flipped(&good, bit))
            .chain([good[..good.len() - 1].to_vec(), [&good[..], b"\0"].concat()])
            .collect();
    for bad in &cases {
        bench.forget();
        let _altered = Altered::new(path.clone(), bad);
        let (code, _, errors) = bench.icos(&["fetch", "os/dev"]);
        assert!(code == 1 && errors.contains("app_2_amd64.deb"), "{errors}");
        assert!(errors.contains("has the sha256") || errors.contains("bytes"), "{errors}");
        let (code, _, errors) = bench.icos(&["store", "verify"]);
        assert_eq!(code, 0, "{errors}");
    }
    bench.forget();
    let tree = bench.tree();
    let (code, _, errors) = bench.icos(&["fetch", "os/dev"]);
    assert_eq!(code, 0, "{errors}");
    let (code, _, errors) = bench.verify();
    assert_eq!(code, 0, "{errors}");
    let sum = Sha256::of(&good);
    for bad in &cases {
        let _altered = Altered::new(bench.store(&format!("debs/{sum}")), bad);
        let (code, _, errors) = bench.verify();
        assert_eq!(code, 1);
        assert!(errors.contains("stanza to .deb: package app 2: ") && errors.contains("hint: "), "{errors}");
        assert!(errors.contains("has the sha256"), "{errors}");
        // A layer of it is sound still; without one the package is looked at again.
        assert_eq!(bench.tree(), tree);
        fs_err::remove_file(bench.store(&format!("layers/{sum}"))).expect("there");
        let output = bench.project.path("bad.tar");
        let (code, _, errors) = bench.icos(&["rootfs", "--base", "test", "app", "-o", output.to_str().expect("UTF-8")]);
        assert!(code == 1 && errors.contains("has the sha256") && errors.contains("hint: "), "{errors}");
        assert!(!output.exists());
        drop(_altered);
        assert_eq!(bench.tree(), tree);
    }
}

/// What can be made again is: layers, remembered answers, begun downloads.
#[test]
fn caches() {
    let Some(bench) = Bench::new() else { return };
    let tree = bench.tree();
    for folder in ["layers", "answers"] {
        for entry in fs_err::read_dir(bench.store(folder)).expect("there").map(|entry| entry.expect("there").path()) {
            let good = fs_err::read(&entry).expect("there");
            let bad = [good[..good.len() / 2].to_vec(), Vec::new(), [&good[..], b"x"].concat()];
            for bad in bits(&good, 11, 4, &[])
                .into_iter()
                .chain([0, good.len() * 8 - 1])
                .map(|bit| flipped(&good, bit))
                .chain(bad)
            {
                replace(&entry, &bad);
                assert_eq!(bench.tree(), tree, "{}", entry.display());
                if folder == "layers" {
                    assert!(fs_err::read(&entry).expect("made again") == good, "{}", entry.display());
                }
            }
        }
    }
    let path = bench.archive("pool/main/a/app/app_2_amd64.deb");
    let good = fs_err::read(&path).expect("there");
    let sum = Sha256::of(&good);
    for begun in [flipped(&good, 99)[..1000].to_vec(), vec![0; good.len()], vec![1; good.len() + 5], good.clone()] {
        bench.forget();
        fs_err::create_dir_all(bench.store("partial")).expect("made");
        fs_err::write(bench.store(&format!("partial/{sum}")), begun).expect("written");
        assert_eq!(bench.tree(), tree);
        assert_eq!(fs_err::read_dir(bench.store("partial")).expect("there").count(), 0);
        let (code, _, errors) = bench.icos(&["store", "verify"]);
        assert_eq!(code, 0, "{errors}");
    }
}

/// What the store has of the evidence.
#[test]
fn evidence_in_the_store() {
    let Some(bench) = Bench::new() else { return };
    let (code, _, errors) = bench.icos(&["fetch", "os/dev"]);
    assert_eq!(code, 0, "{errors}");
    let sum = |path: &str| Sha256::of(&fs_err::read(bench.archive(path)).expect("there")).to_string();
    let check = |file: &str, expect: &str, name: &str| {
        let path = bench.store(&format!("debs/{}", sum(file)));
        let good = fs_err::read(&path).expect("in the store");
        for bit in bits(&good, 13, 4, &[]) {
            let _altered = Altered::new(path.clone(), &flipped(&good, bit));
            let (code, _, errors) = bench.verify();
            assert!(code == 1 && errors.contains(expect) && errors.contains("has the sha256"), "{errors}");
            assert!(errors.contains(name) && errors.contains("hint: "), "{errors}");
        }
        fs_err::remove_file(&path).expect("there");
        let (code, _, errors) = bench.verify();
        assert!(code == 1 && errors.contains(expect) && errors.contains("is not in the store"), "{errors}");
        assert!(!errors.contains("--offline"), "{errors}");
        replace(&path, &good);
        assert_eq!(bench.verify().0, 0);
    };
    check("dists/made-up/InRelease", "pinned key to InRelease: ", "dists/made-up/InRelease");
    check("pool/main/l/lib/lib_1.5_amd64.deb", "stanza to .deb: package lib 1.5: ", "");
    // The text of an index is kept unpacked, too; either is enough, and the unpacked one is read.
    let raw = bench.store(&format!("debs/{}", sum(&format!("dists/made-up/{INDEX}"))));
    let good = fs_err::read(&raw).expect("in the store");
    let altered = Altered::new(raw.clone(), &flipped(&good, 77));
    let (code, _, errors) = bench.verify();
    assert!(code == 1 && errors.contains("InRelease to index: "), "{errors}");
    drop(altered);
    fs_err::remove_file(&raw).expect("there");
    assert_eq!(bench.verify().0, 0);
    fs_err::remove_file(&raw).expect("made again");
    let packed = bench.store(&format!("debs/{}", sum(&format!("dists/made-up/{INDEX}.xz"))));
    let _altered = Altered::new(packed.clone(), &flipped(&fs_err::read(&packed).expect("there"), 200));
    let (code, _, errors) = bench.verify();
    assert!(code == 1 && errors.contains("InRelease to index: "), "{errors}");
}

/// No altered bit of a lock goes unnoticed by `lock --check`; what evidence covers is noticed by `verify`, too.
#[test]
fn locks() {
    let Some(bench) = Bench::new() else { return };
    let (code, _, errors) = bench.icos(&["fetch", "os/dev"]);
    assert_eq!(code, 0, "{errors}");
    let good = bench.lock.as_bytes();
    let places = [
        "format = 1",
        "os/dev",
        "base = \"test\"",
        "amd64",
        "live",
        "apt 2.",
        "image.toml",
        "made-up",
        "date = ",
        "signer = \"",
    ];
    let more = [
        "in-release = \"",
        "path = \"main",
        "size = ",
        "sha256 = \"",
        "name = \"app\"",
        "version = \"2\"",
        "root\"]",
        "# The end.",
    ];
    for bit in bits(good, 17, 60, &[&places[..], &more].concat()) {
        let bad = flipped(good, bit);
        let _altered = Altered::new(bench.project.path(LOCK), &bad);
        let start = good[..bit / 8].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let line = String::from_utf8_lossy(&good[start..]).lines().next().unwrap_or_default().to_owned();
        let (code, output, errors) = bench.icos(&["lock", "--check", "os/dev"]);
        assert!(code == 1 || code == 3, "bit {bit} of `{line}`: {code}: {output}{errors}");
        assert!(format!("{output}{errors}").contains(LOCK), "bit {bit} of `{line}`: {output}{errors}");
        let unproven = ["why = ", "roles = ", "resolver = ", "essential = ", "recommends = ", "required = "];
        let is_definition = line.contains(".toml\" = ");
        let (code, _, errors) = bench.verify();
        if code == 0 {
            let is_told =
                unproven.iter().any(|key| line.starts_with(key)) || is_definition && errors.contains("is stale");
            assert!(is_told, "bit {bit} of `{line}` goes unnoticed: {errors}");
        } else {
            assert!(errors.contains("os-dev.lock"), "bit {bit} of `{line}`: {errors}");
        }
    }
}

/// What the archive signs, and should not be taken for what it isn't.
#[test]
fn signed_lies() {
    let Some(bench) = Bench::new() else { return };
    let stanzas: Vec<String> = debs().iter().map(|deb| bench.project.archive.add(deb)).collect();
    let app = &stanzas[1];
    let cut = |text: &str, from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1)
    };
    let size = app.lines().find(|line| line.starts_with("Size: ")).expect("there").to_owned();
    let sum = app.lines().find(|line| line.starts_with("SHA256: ")).expect("there").to_owned();
    let file = "Filename: pool/main/a/app/app_2_amd64.deb";
    let zeros = format!("SHA256: {}", "0".repeat(64));
    let index = "made-up/main/binary-amd64/Packages";
    let cases = [
        (cut(app, &size, "Size: 1"), "app_2_amd64.deb", "bytes"),
        (cut(app, &size, &format!("{size}0")), "app_2_amd64.deb", "bytes"),
        (cut(app, &size, "Size: 99999999999999999999"), index, "package `app`: Size: bad value"),
        (cut(app, &size, "Size: -1"), index, "package `app`: Size: bad value"),
        (cut(app, &sum, &zeros), "app_2_amd64.deb", "has the sha256"),
        (cut(app, &sum, "SHA256: 00"), index, "package `app`: SHA256: bad value"),
        (
            cut(app, &format!("{sum}\n"), "MD5sum: d41d8cd98f00b204e9800998ecf8427e\n"),
            index,
            "package `app`: field `SHA256` is missing",
        ),
        (
            cut(app, file, "Filename: ../../../etc/passwd"),
            index,
            "package `app`: Filename: bad value `../../../etc/passwd`",
        ),
        (cut(app, file, "Filename: /etc/passwd"), index, "package `app`: Filename: bad value `/etc/passwd`"),
        (cut(app, file, "Filename: pool/./app.deb"), index, "package `app`: Filename: bad value"),
        (cut(app, &sum, &format!("{sum}\n{zeros}")), index, "SHA256"),
        (cut(app, &size, &format!("{size}\nsize: 1")), index, "ize"),
        (cut(app, "Version: 2", "Version: 2\nVersion: 3"), index, "Version"),
        (format!("{app}\n{}", cut(app, &sum, &zeros)), index, "`app` 2 is listed twice with different digests"),
    ];
    for (bad, file, reason) in cases {
        bench.forget();
        let _ = fs_err::remove_file(bench.project.path(LOCK));
        let stanzas = [stanzas[0].clone(), bad.clone(), stanzas[2].clone(), stanzas[3].clone()];
        bench.project.archive.publish(&Suite::new("made-up").with(&stanzas));
        let (code, _, errors) = bench.project.online(&["lock", "os/dev"]);
        assert!(code == 1 && errors.contains(file) && errors.contains(reason), "{reason}\n{bad}\n{errors}");
        assert!(!bench.project.path(LOCK).exists());
    }
}

/// An older signed file again, and one suite's in the place of another's.
#[test]
fn replays() {
    let Some(bench) = Bench::new() else { return };
    let path = bench.archive("dists/made-up/InRelease");
    let old = fs_err::read(&path).expect("published");
    let newer = Suite { date: signing_day().plus(3600), ..bench.suite.clone() };
    bench.project.archive.publish(&newer);
    let (code, _, errors) = bench.make_lock();
    assert_eq!(code, 0, "{errors}");
    let lock = fs_err::read_to_string(bench.project.path(LOCK)).expect("written");
    let altered = Altered::new(path.clone(), &old);
    let (code, _, errors) = bench.make_lock();
    assert!(
        code == 1 && errors.contains("/dists/made-up/InRelease: dated 2024-06-01T00:00:00Z, older than "),
        "{errors}"
    );
    assert_eq!(fs_err::read_to_string(bench.project.path(LOCK)).expect("there"), lock);
    drop(altered);
    for (name, codename) in [("other", "other"), ("made-up-security", "made-up")] {
        let other = Suite { name: name.into(), codename: codename.into(), ..newer.clone() };
        bench.project.archive.publish(&other);
        let bytes = fs_err::read(bench.archive(&format!("dists/{name}/InRelease"))).expect("published");
        let _altered = Altered::new(path.clone(), &bytes);
        let (code, _, errors) = bench.make_lock();
        assert!(
            code == 1 && errors.contains("/dists/made-up/InRelease: asked for suite `made-up`, but it is of"),
            "{errors}"
        );
    }
}

/// A lock whose definitions changed says what in them did, without the network.
#[test]
fn stale_locks_say_what_changed() {
    let Some(bench) = Bench::new() else { return };
    let check = |file: &str, from: &str, to: &str, expect: &str| {
        let text = fs_err::read_to_string(bench.project.path(file)).expect("there");
        assert!(text.contains(from), "{from}");
        let _altered = Altered::new(bench.project.path(file), text.replacen(from, to, 1).as_bytes());
        let expect = format!("{LOCK} is stale: `{file}` has changed since the lock was made{expect}\n");
        for verb in ["fetch", "build"] {
            let (code, _, errors) = bench.project.icos(&[verb, "os/dev"]);
            assert!(code == 1 && errors.contains(&expect), "expected {expect}, found {errors}");
            assert!(errors.contains("hint: `icos lock` makes it anew"), "{errors}");
        }
    };
    let (image, base) = ("ic-os/os/image.toml", "snapshots/test/base.toml");
    check(image, "[\"app\"]", "[\"app\", \"more\"]", " (packages: with more)");
    check(image, "[\"app\"]", "[\"lib\", \"base\"]", " (packages: without app, packages: with lib)");
    check(image, "\"grub\"", "\"grub2\"", " (loader: with grub2)");
    check(image, "name = \"os\"", "name =  \"os\"", "");
    check(base, "[\"made-up\"]", "[\"made-up\", \"more\"]", " (suites: with test/more)");
    check(base, "[\"main\"]", "[\"main\", \"contrib\"]", " (components of test: with contrib)");
    check(base, "\"amd64\"", "\"arm64\"", " (architecture: was amd64, is arm64)");
}

/// For CI: status 3, and the differences in words.
#[test]
fn lock_check_says_what_differs() {
    let Some(bench) = Bench::new() else { return };
    let check = || bench.icos(&["lock", "--check", "os/dev"]);
    let (code, output, _) = check();
    assert!(code == 0 && output.contains("unchanged"), "{output}");
    let mut debs = debs();
    debs[2] = Deb::new("lib", "1.6").field("Depends", "new");
    debs.push(Deb::new("new", "1"));
    let stanzas: Vec<String> = debs.iter().map(|deb| bench.project.archive.add(deb)).collect();
    bench.project.archive.publish(&Suite { date: signing_day().plus(60), ..Suite::new("made-up").with(&stanzas) });
    let expect = "differs\n  suite test/made-up: date was 2024-06-01T00:00:00Z, is 2024-06-01T00:01:00Z\n  \
        suite test/made-up: another signed file\n  suite test/made-up: index main/binary-amd64/Packages.xz: has changed\n  \
        package lib: version was 1.5, is 1.6\n  package new: new\n";
    for _ in 0..2 {
        let (code, output, errors) = check();
        assert!(code == 3 && output.ends_with(expect), "{output}{errors}");
    }
    let text = fs_err::read_to_string(bench.project.path("ic-os/os/image.toml")).expect("there");
    let _altered =
        Altered::new(bench.project.path("ic-os/os/image.toml"), text.replace("[\"app\"]", "[\"lib\"]").as_bytes());
    let (code, output, _) = check();
    assert!(code == 3 && output.contains("\n  definition `ic-os/os/image.toml`: has changed\n"), "{output}");
    assert!(output.contains("\n  package app: gone\n"), "{output}");
    assert_eq!(fs_err::read_to_string(bench.project.path(LOCK)).expect("there"), bench.lock);
    fs_err::remove_file(bench.project.path(LOCK)).expect("there");
    let (code, output, _) = check();
    assert!(code == 3 && output.contains("differs\n  there is no lock yet\n"), "{output}");
}

/// A suite without InRelease is proven by Release and Release.gpg, and a live mirror's lock after its Valid-Until, too.
#[test]
fn evidence_of_other_kinds() {
    let Some(bench) = Bench::new() else { return };
    let suite = &bench.suite;
    fs_err::remove_file(bench.archive("dists/made-up/InRelease")).expect("there");
    let (code, _, errors) = bench.make_lock();
    assert_eq!(code, 0, "{errors}");
    let lock = fs_err::read_to_string(bench.project.path(LOCK)).expect("written");
    assert!(lock.contains("\nsignature = \""), "{lock}");
    assert_eq!(bench.icos(&["fetch", "os/dev"]).0, 0);
    assert_eq!(bench.icos(&["store", "gc"]).0, 0);
    let (code, _, errors) = bench.verify();
    assert_eq!((code, errors.as_str()), (0, ""));
    let signature = fs_err::read(bench.archive("dists/made-up/Release.gpg")).expect("there");
    let path = bench.store(&format!("debs/{}", Sha256::of(&signature)));
    let altered = Altered::new(path, &flipped(&signature, 800));
    let (code, _, errors) = bench.verify();
    assert!(code == 1 && errors.contains("pinned key to InRelease: dists/made-up/Release.gpg: "), "{errors}");
    drop(altered);
    // InRelease beside another Release.gpg: the one signed file is enough, and the other is not looked at.
    bench.project.archive.publish(suite);
    replace(&bench.archive("dists/made-up/Release.gpg"), b"no signature");
    let (code, _, errors) = bench.make_lock();
    assert_eq!(code, 0, "{errors}");
    // A broken InRelease is not made good by a sound Release.
    bench.project.archive.publish(suite);
    let path = bench.archive("dists/made-up/InRelease");
    let _altered = Altered::new(path.clone(), &flipped(&fs_err::read(&path).expect("there"), 800));
    let (code, _, errors) = bench.make_lock();
    assert!(code == 1 && errors.contains("InRelease"), "{errors}");
}
