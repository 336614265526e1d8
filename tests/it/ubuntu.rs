//! Locks on snapshots of an Ubuntu-shaped archive, by the program as people call it; the service is [`Noble`], and misbehaves.

use std::time::{Duration, Instant as Clock};

use crate::{
    project::{IMAGE, Project},
    support::{
        apt::Apt,
        archive::Archive,
        deb::Deb,
        noble::{AFTER_FIRST, AFTER_SECOND, FIRST, Noble, POCKETS, SECOND, repacked},
        server::{Act, Server},
    },
};

const LOCK: &str = "snapshots/test/os-dev.lock";

const PACKAGES: [&str; 4] = ["app", "tool", "phased", "pulled"];

/// Requests for `dists/`: an InRelease and two indexes of each pocket. The empty one of two pockets is one file.
const DISTS: usize = 3 * POCKETS.len() - 1;

/// With the boot loader's.
const PACKAGES_OF_LOCK: usize = AT_SECOND.len() + 1;

/// The service, and a project of its own on it.
struct Site {
    noble: Noble,
    project: Project,
}

impl Site {
    fn new() -> Option<Self> {
        let noble = Noble::new(&[])?;
        let image = IMAGE.replace("LOADER", "grub").replace("[\"app\"]", &format!("{PACKAGES:?}"));
        // The project's own archive holds only the key.
        let project = Project::with(Archive::new()?, "", &image);
        let key = String::from_utf8(noble.archive.certificate()).expect("armored");
        project.write("snapshots/keys/test.asc", &key);
        let site = Self { noble, project };
        site.at(AFTER_FIRST, "");
        Some(site)
    }

    /// Pins the base to an instant.
    fn at(&self, instant: &str, more: &str) {
        self.project.write("snapshots/test/base.toml", &self.noble.base(instant, more));
    }

    fn lock(&self) -> Result<String, String> {
        let (code, _, errors) = self.project.icos(&["lock", "os/dev"]);
        if code == 0 { Ok(fs_err::read_to_string(self.project.path(LOCK)).expect("written")) } else { Err(errors) }
    }

    /// `name version suite` of each locked package of the root.
    fn locked(&self) -> Vec<String> {
        let lock = self.lock().unwrap_or_else(|errors| panic!("{errors}"));
        let value = |group: &str, key: &str| {
            let line = group.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(" = "));
            line.expect(key).trim_matches('"').to_owned()
        };
        let groups = lock.split("\n[[package]]\n").skip(1).filter(|group| group.contains("roles = [\"root\"]"));
        groups.map(|group| ["name", "version", "suite"].map(|key| value(group, key)).join(" ")).collect()
    }

    /// Forgets what was fetched and locked.
    fn forget(&self) {
        let _ = fs_err::remove_dir_all(self.project.path("home"));
        let _ = fs_err::remove_file(self.project.path(LOCK));
        self.noble.server.forget();
        self.noble.server.requests();
    }
}

const AT_FIRST: [&str; 7] = [
    "app 1.0-1 noble",
    "base 1 noble",
    "libssl 3.0.13-0ubuntu3.1 noble-updates",
    "oldlib 1 noble",
    "phased 1.1 noble-updates",
    "pulled 1.2 noble-updates",
    "tool 1-1 noble",
];

const AT_SECOND: [&str; 7] = [
    "app 1.1-1 noble-updates",
    "base 1 noble",
    "libssl 3.0.13-0ubuntu3.5 noble-security",
    "newlib 4 noble-updates",
    "phased 1.1 noble-updates",
    "pulled 1.0 noble",
    "tool 1-1 noble",
];

/// A security update, a phased update, one that was taken back, a new dependency; and apt's opinion at both instants.
#[test]
fn locks_at_two_instants() {
    let Some(site) = Site::new() else { return };
    for (instant, expect) in [(AFTER_FIRST, AT_FIRST), (AFTER_SECOND, AT_SECOND)] {
        site.at(instant, "");
        assert_eq!(site.locked(), expect, "{instant}");
        let lock = fs_err::read_to_string(site.project.path(LOCK)).expect("written");
        assert!(lock.contains(&format!("\nsnapshot = \"{instant}\"\n")), "{lock}");
        assert!(lock.contains("\nphasing = \"include all\"\n"), "{lock}");
        let Some(apt) = Apt::new(&site.noble.sources(instant), &["amd64"]) else { return };
        let words = [["?essential"].as_slice(), &PACKAGES].concat();
        let apt: Vec<_> = apt.install(&words, false).expect("apt finds the same");
        let ours = expect.map(|line| line.rsplit_once(' ').expect("three words").0.to_owned() + " amd64");
        assert_eq!(apt, ours, "{instant}");
    }
    // What was taken back can still be had at the instant of a lock that has it.
    fs_err::remove_file(site.project.path(LOCK)).expect("there");
    site.at(AFTER_FIRST, "");
    assert_eq!(site.locked(), AT_FIRST);
    let (code, output, errors) = site.project.icos(&["verify", site.project.path(LOCK).to_str().expect("UTF-8")]);
    assert_eq!((code, errors.as_str()), (0, ""));
    assert!(output.contains("8 packages, each led back to a pinned key"), "{output}");
}

/// Backports come by suite or by pin only, and so does all else that is not automatic; judged by apt's preferences.
#[test]
fn backports_come_when_asked_for() {
    let Some(site) = Site::new() else { return };
    let pin = "\n[[pin]]\npackages = [\"to*\"]\nsuite = \"noble-backports\"\npriority = 500\n";
    let avoid = "\n[[pin]]\npackages = [\"libssl\"]\nsuite = \"noble\"\npriority = 1001\n";
    let prefer =
        |package, suite, priority| format!("Package: {package}\nPin: release a={suite}\nPin-Priority: {priority}\n");
    let cases = [
        ("tool", "", String::new(), "tool 1-1"),
        ("tool/noble-backports", "", String::new(), "tool 2-1~bpo24.04.1"),
        ("tool=2-1~bpo24.04.1", "", String::new(), "tool 2-1~bpo24.04.1"),
        ("tool", pin, prefer("to*", "noble-backports", 500), "tool 2-1~bpo24.04.1"),
        ("libssl", avoid, prefer("libssl", "noble", 1001), "libssl 3.0.13-0ubuntu3"),
        ("libssl/noble-security", "", String::new(), "libssl 3.0.13-0ubuntu3.1"),
        // To apt this is the codename of all pockets.
        ("libssl/noble", "", String::new(), "libssl 3.0.13-0ubuntu3.1"),
    ];
    for (word, pins, preferences, expect) in cases {
        site.project.write("snapshots/test/base.toml", &(site.noble.base(AFTER_FIRST, "") + pins));
        let (code, output, errors) = site.project.icos(&["resolve", "--no-essential", "--base", "test", word]);
        assert_eq!((code, output), (0, format!("{expect} amd64\n")), "{word} {pins} {errors}");
        let Some(apt) = Apt::new(&site.noble.sources(AFTER_FIRST), &["amd64"]) else { return };
        apt.prefer(&preferences);
        assert_eq!(apt.install(&[word], false), Ok(vec![format!("{expect} amd64")]), "{word} {preferences}");
    }
}

/// Members packed by zstd, as Ubuntu's are: the tree is the one that Debian's own packages make.
#[test]
fn members_of_zstd_unpack_as_those_of_xz() {
    let names =
        ["netbase", "media-types", "ncurses-base", "hostname", "libc6", "libgcc-s1", "gcc-12-base", "libcrypt1"];
    let folder = tempfile::tempdir().expect("a folder");
    let Some(debs) = repacked(folder.path(), &names) else { return };
    assert_eq!(debs.len(), names.len());
    let Some(noble) = Noble::new(&debs) else { return };
    let project = Project::with(Archive::new().expect("gpg is there"), &noble.base(AFTER_SECOND, ""), IMAGE);
    project.write("snapshots/keys/test.asc", std::str::from_utf8(&noble.archive.certificate()).expect("armored"));
    let originals: Vec<_> = debs.iter().map(|deb| deb.original.to_str().expect("UTF-8")).collect();
    let trees = [names.as_slice(), &originals].map(|packages| {
        let output = project.path("out.tar");
        let arguments = ["rootfs", "--base", "test", "-o", output.to_str().expect("UTF-8")];
        let (code, _, errors) = project.icos(&[arguments.as_slice(), packages].concat());
        assert_eq!(code, 0, "{errors}");
        fs_err::read(output).expect("written")
    });
    assert!(trees[0].len() > 10_000_000, "libc6 is in it");
    assert!(trees[0] == trees[1], "the two trees differ");
}

/// Packages come from any mirror that has the bytes, `dists/` from the service alone; what a mirror has wrong, the service has.
#[test]
fn packages_come_from_other_mirrors() {
    let Some(site) = Site::new() else { return };
    let live = Server::start(site.noble.archive.root());
    site.at(AFTER_SECOND, &format!("pool = [\"{}\"]", live.uri()));
    assert_eq!(site.locked(), AT_SECOND);
    let service = site.noble.server.requests();
    assert!(service.iter().all(|path| path.starts_with(&format!("/ubuntu/{AFTER_SECOND}/dists/"))), "{service:?}");
    assert_eq!(service.len(), DISTS, "{service:?}");
    let pool = live.requests();
    assert_eq!(pool.len(), PACKAGES_OF_LOCK, "{pool:?}");
    assert!(pool.iter().all(|path| path.starts_with("/pool/")), "{pool:?}");

    // A mirror that moved on, and one with other bytes: the digest decides.
    site.forget();
    site.at(AFTER_FIRST, &format!("pool = [\"{}\"]", live.uri()));
    live.on("/tool/", 9, Act::Bytes(b"!<arch>\nsomething else".to_vec()));
    assert_eq!(site.locked(), AT_FIRST);
    let mut pool = site.noble.server.requests();
    pool.retain(|path| path.contains("/pool/"));
    pool.sort();
    let path = |name: &str, version: &str| {
        format!("/ubuntu/{AFTER_FIRST}/pool/main/{}/{name}/{name}_{version}_amd64.deb", &name[..1])
    };
    assert_eq!(pool, [path("pulled", "1.2"), path("tool", "1-1")]);
    site.forget();
    let wrong = b"!<arch>\nsomething else".to_vec();
    live.on("/tool/", 9, Act::Bytes(wrong.clone()));
    site.noble.server.on("/tool/", 9, Act::Bytes(wrong));
    let errors = site.lock().expect_err("nobody has the right bytes");
    let uri = live.uri();
    assert!(
        errors.contains(&format!("no mirror gives pool/main/t/tool/tool_1-1_amd64.deb: {uri}/pool/main/t/tool/"))
            && errors.contains("has 22 bytes or more, expected ")
            && errors.contains(&site.noble.uri(AFTER_FIRST)),
        "{errors}"
    );
    assert!(!site.project.path(LOCK).exists());
}

#[expect(clippy::disallowed_methods, reason = "the tests of waiting measure it")]
fn now() -> Clock {
    Clock::now()
}

/// What the service does when it is busy, and that it is let be: how often it is asked, and how long that takes.
#[test]
fn a_service_that_is_busy_for_a_while() {
    let Some(site) = Site::new() else { return };
    let old = fs_err::read(site.noble.path(FIRST).join("dists/noble-updates/InRelease")).expect("published");
    // Act, part of the path, times, requests more than without, milliseconds at the least.
    let cases = [
        // Eight requests at once, then four a second, packages and all.
        (Act::IgnoreRange, "", 0, 0, 2_500),
        (Act::Status(429, "Retry-After: 3\r\n"), "noble-security/InRelease", 1, 1, 3_000),
        (Act::Status(503, ""), "noble/InRelease", 3, 3, 3_500),
        (Act::Status(503, ""), "/pool/", 2, 2, 500),
        (Act::Cut(100), "InRelease", 1, 1, 500),
        (Act::Cut(40), "universe", 1, 1, 500),
        (Act::Trickle(50, Duration::from_millis(20)), "main", 4, 0, 20),
        // The archive is changed between two requests: the indexes of the old InRelease are gone, by digest and by name.
        (Act::Bytes(old), "noble-updates/InRelease", 1, 7, 2_000),
    ];
    for (act, part, times, more, least) in cases {
        site.forget();
        site.at(AFTER_SECOND, "");
        let label = format!("{part} {}", &format!("{act:?}").chars().take(40).collect::<String>());
        site.noble.server.on(part, times, act);
        let start = now();
        assert_eq!(site.locked(), AT_SECOND, "{label}");
        let (took, requests) = (start.elapsed(), site.noble.server.requests());
        assert_eq!(requests.len(), DISTS + PACKAGES_OF_LOCK + more, "{label}: {requests:#?}");
        assert!(took >= Duration::from_millis(least), "{label}: {took:?}");
    }
}

/// What is refused, each with the URI, the reason and what to do.
#[test]
fn a_service_that_is_refused() {
    let Some(site) = Site::new() else { return };
    let base = |instant: &str| site.noble.uri(instant);
    let published = |instant: &str, path: &str| fs_err::read(site.noble.path(instant).join(path)).expect("published");
    let in_release = |instant| published(instant, "dists/noble-updates/InRelease");
    let other = Archive::new().expect("gpg is there");
    other.publish(&crate::support::archive::Suite::new("noble"));
    let stranger = fs_err::read(other.root().join("dists/noble/InRelease")).expect("published");
    let damaged = String::from_utf8(in_release(FIRST)).expect("text").replacen("noble-updates", "noble-uqdates", 1);
    let cases: Vec<(&str, &str, Act, String, &str)> = vec![
        (
            AFTER_FIRST,
            "noble-updates/InRelease",
            Act::Bytes(in_release(SECOND)),
            format!(
                "{}/dists/noble-updates/InRelease: dated 2025-09-01T05:00:00Z, after the pinned instant \
                 2025-08-15T12:34:56Z",
                base(AFTER_FIRST)
            ),
            "",
        ),
        (
            AFTER_FIRST,
            "noble/InRelease",
            Act::Bytes(stranger),
            format!("{}/dists/noble/InRelease: not signed by a pinned key", base(AFTER_FIRST)),
            "",
        ),
        (
            AFTER_FIRST,
            "noble-updates/InRelease",
            Act::Bytes(damaged.into_bytes()),
            "it does not match the text".to_owned(),
            "",
        ),
        // One pocket for another: all have the same codename.
        (
            AFTER_FIRST,
            "noble/InRelease",
            Act::Bytes(in_release(FIRST)),
            "asked for suite `noble`, but it is of suite `noble-updates`, codename `noble`".to_owned(),
            "",
        ),
        (
            AFTER_FIRST,
            "noble-security/main",
            Act::Bytes(b"other".to_vec()),
            "the mirror is being updated: dists/noble-security/main/binary-amd64/Packages.xz is not what its Release \
             file says"
                .to_owned(),
            "try again in a few minutes",
        ),
        (
            AFTER_FIRST,
            "noble-updates/InRelease",
            Act::Status(503, ""),
            format!("no mirror gives dists/noble-updates/InRelease: {}", base(AFTER_FIRST)),
            "the service is overloaded or down: try again later; what is locked",
        ),
        (
            AFTER_FIRST,
            "noble/InRelease",
            Act::Status(502, ""),
            "/dists/noble/InRelease: answers 502".to_owned(),
            "the service is overloaded or down: try again later; what is locked",
        ),
        (
            AFTER_FIRST,
            "noble-updates/InRelease",
            Act::Status(429, "Retry-After: 3600\r\n"),
            "answers 429 and asks to wait 3600 s".to_owned(),
            "the service is overloaded or down: try again later; what is locked",
        ),
        ("20230228T235959Z", "nothing", Act::IgnoreRange, "is before 2023-03-01T00:00:00Z".to_owned(), ""),
        ("20991231T000000Z", "nothing", Act::IgnoreRange, "base `test` is pinned to 2099-12-31".to_owned(), ""),
        (
            "20240101T000000Z",
            "nothing",
            Act::IgnoreRange,
            format!("{}/dists/noble/InRelease: not found", base("20240101T000000Z")),
            "",
        ),
    ];
    for (instant, part, act, expect, hint) in cases {
        site.forget();
        site.at(instant, "");
        site.noble.server.on(part, usize::MAX, act);
        let errors = site.lock().expect_err(&expect);
        assert!(errors.contains(&expect) && errors.contains(hint), "expected `{expect}`, found {errors}");
        assert!(!site.project.path(LOCK).exists(), "{expect}");
    }
}

/// The archive does not go back behind what a lock has seen, unless the lock is taken away.
#[test]
fn nothing_goes_back() {
    let Some(site) = Site::new() else { return };
    site.at(AFTER_SECOND, "");
    assert_eq!(site.locked(), AT_SECOND);
    let lock = fs_err::read_to_string(site.project.path(LOCK)).expect("written");
    // A service that is stale answers for the second instant what it had at the first.
    let stale = fs_err::read(site.noble.path(FIRST).join("dists/noble-security/InRelease")).expect("published");
    site.noble.server.on("noble-security/InRelease", 1, Act::Bytes(stale));
    let errors = site.lock().expect_err("stale");
    let uri = site.noble.uri(AFTER_SECOND);
    let expect = format!(
        "{uri}/dists/noble-security/InRelease: dated 2025-08-01T04:00:00Z, older than 2025-09-01T04:00:00Z, which the \
         lock has already seen"
    );
    assert!(errors.contains(&expect) && errors.contains("to go back on purpose, remove the lock first"), "{errors}");
    // So is going back by one's own definition.
    site.at(AFTER_FIRST, "");
    let errors = site.lock().expect_err("back");
    assert!(errors.contains("which the lock has already seen"), "{errors}");
    assert_eq!(fs_err::read_to_string(site.project.path(LOCK)).expect("there"), lock);
    fs_err::remove_file(site.project.path(LOCK)).expect("there");
    assert_eq!(site.locked(), AT_FIRST);
}

/// An archive of others beside the snapshot, with a key of its own: neither key signs for the other.
#[test]
fn a_second_archive_with_its_own_key() {
    let Some(site) = Site::new() else { return };
    let third = Archive::new().expect("gpg is there");
    let debs = [Deb::new("vendor", "9").field("Depends", "libssl (>= 3), tool"), Deb::new("tool", "5-1")];
    let stanzas = debs.map(|deb| third.add(&deb));
    third.publish(&crate::support::archive::Suite::new("stable").with(&stanzas));
    let server = Server::start(third.root());
    site.project.write("snapshots/keys/vendor.asc", std::str::from_utf8(&third.certificate()).expect("armored"));
    let table = |file: &str, key: &str| {
        format!(
            "\n[[archive]]\nname = \"vendor\"\nmirrors = [\"{}\"]\nsuites = [\"stable\"]\ncomponents = [\"main\"]\nkeys = \
             [{{ fingerprint = \"{key}\", file = \"{file}\" }}]\n",
            server.uri()
        )
    };
    let pin = "\n[[pin]]\npackages = [\"*\"]\narchive = \"vendor\"\npriority = 400\n";
    let sources = site.noble.sources(AFTER_SECOND) + &format!("deb [trusted=yes] {} stable main\n", third.uri());
    for (pins, preferences, tool) in [
        ("", String::new(), "tool 5-1"),
        (pin, "Package: *\nPin: release a=stable\nPin-Priority: 400\n".to_owned(), "tool 1-1"),
    ] {
        let base = site.noble.base(AFTER_SECOND, "") + &table("vendor.asc", &third.key) + pins;
        site.project.write("snapshots/test/base.toml", &base);
        let (code, output, errors) = site.project.icos(&["resolve", "--no-essential", "--base", "test", "vendor"]);
        let expect =
            ["libssl 3.0.13-0ubuntu3.5 amd64".to_owned(), format!("{tool} amd64"), "vendor 9 amd64".to_owned()];
        assert_eq!(
            (code, output.lines().collect::<Vec<_>>()),
            (0, expect.iter().map(String::as_str).collect()),
            "{errors}"
        );
        let Some(apt) = Apt::new(&sources, &["amd64"]) else { return };
        apt.prefer(&preferences);
        assert_eq!(apt.install(&["vendor"], false), Ok(expect.to_vec()), "{preferences}");
    }
    // The other archive's key is no key of this one.
    let base = site.noble.base(AFTER_SECOND, "") + &table("test.asc", &site.noble.archive.key);
    site.project.write("snapshots/test/base.toml", &base);
    let (code, _, errors) = site.project.icos(&["resolve", "--base", "test", "vendor"]);
    let expect = format!("{}/dists/stable/InRelease: not signed by a pinned key", server.uri());
    assert!(code == 1 && errors.contains(&expect), "{errors}");
}
