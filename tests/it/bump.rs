//! Bases moved from snapshot to snapshot: what is written, what is held, and what reviewers are told.

use serde_json::Value;

use crate::{
    project::{IMAGE, Project},
    support::{
        archive::{Archive, Suite},
        deb::{Deb, SETUID, gzip},
        judge::interrupted,
        server::Server,
    },
};

const LOCK: &str = "snapshots/test/os-dev.lock";
const OTHER: &str = "snapshots/test/os-prod.lock";
const BASE: &str = "snapshots/test/base.toml";
const DAYS: [&str; 3] = ["20240601T000000Z", "20240701T000000Z", "20240801T000000Z"];
const ELF: &[u8] = b"\x7fELF";

/// A project on an archive whose snapshots a server serves, a folder each.
struct Snapshots {
    project: Project,
    _server: Server,
}

impl Snapshots {
    /// Locked at the first of `days`; each has its packages.
    fn new(days: &[&[Deb]]) -> Option<Self> {
        let archive = Archive::new()?;
        let server = Server::start(archive.root());
        for (day, debs) in DAYS.iter().zip(days) {
            publish(&archive, day, debs);
        }
        let origin = format!("snapshot = \"{}/@TIMESTAMP@\"", server.uri());
        let base = archive.base(&origin, &["made-up"]);
        let base = base.replacen("\n\n", &format!("\n# Moved by bumps.\ntimestamp = \"{}\" # UTC\n\n", DAYS[0]), 1);
        let project = Project::with(archive, &base, &IMAGE.replace("LOADER", "grub"));
        let snapshots = Self { project, _server: server };
        snapshots.ok(&["lock", "os/dev"]);
        Some(snapshots)
    }

    /// Output of what must succeed.
    fn ok(&self, arguments: &[&str]) -> String {
        let (code, output, errors) = self.project.icos(arguments);
        assert_eq!(code, 0, "{arguments:?}: {errors}");
        output
    }

    /// Names and versions in a lock, and the archives that they are from.
    fn locked(&self) -> Vec<(String, String, String)> {
        let lock: toml::Value = toml::from_str(&self.project.read(LOCK)).expect("TOML");
        let text = |package: &toml::Value, key: &str| package[key].as_str().expect("a text").to_owned();
        let packages = lock["package"].as_array().expect("packages").iter();
        packages.map(|package| (text(package, "name"), text(package, "version"), text(package, "archive"))).collect()
    }

    fn check_locked(&self, expect: &[(&str, &str, &str)]) {
        let expect =
            expect.iter().map(|(name, version, archive)| ((*name).into(), (*version).into(), (*archive).into()));
        assert_eq!(self.locked(), expect.collect::<Vec<(String, String, String)>>());
    }

    /// The lock is what another `icos lock` would make, is proven offline, and an empty store can be filled from it.
    fn check_usable(&self) {
        let said = self.ok(&["lock", "--check"]);
        assert!(said.contains(", unchanged"), "{said}");
        self.ok(&["fetch"]);
        let said = self.ok(&["verify", self.project.path(LOCK).to_str().expect("UTF-8")]);
        assert!(said.contains("each led back to a pinned key"), "{said}");
        fs_err::remove_dir_all(self.project.path("home")).expect("removed");
        self.ok(&["fetch", "os/dev"]);
        // A snapshot has the evidence for ever, also that of what is held.
        self.ok(&["verify", self.project.path(LOCK).to_str().expect("UTF-8")]);
        self.ok(&["build", "os/dev", "--offline", "-o", self.project.path("out").to_str().expect("UTF-8")]);
    }

    /// What a bump may change.
    fn files(&self) -> Vec<(String, String)> {
        let folder = fs_err::read_dir(self.project.path("snapshots/test")).expect("readable");
        let names = folder.map(|entry| entry.expect("there").file_name().into_string().expect("UTF-8"));
        let mut files: Vec<_> =
            names.map(|name| (name.clone(), self.project.read(&format!("snapshots/test/{name}")))).collect();
        files.sort();
        files
    }
}

/// Makes a folder of an archive as it was at an instant; what is in the pool stays there.
fn publish(archive: &Archive, day: &str, debs: &[Deb]) {
    let others = [
        Deb::new("base", "1")
            .field("Essential", "yes")
            .file("etc/group", b"root:x:0:\n")
            .file("etc/passwd", b"root:x:0:0::/:/bin/sh\n")
            .file("usr/bin/sh", ELF)
            .file("usr/bin/frob", ELF)
            .file("usr/sbin/groupadd", ELF)
            .file("usr/sbin/useradd", ELF),
        Deb::new("grub", "3"),
        Deb::new("elsewhere", "1"),
    ];
    let stanzas: Vec<String> = debs.iter().chain(&others).map(|deb| archive.add(deb)).collect();
    archive.publish(&Suite::new("made-up").with(&stanzas));
    let root = archive.root();
    fs_err::create_dir(root.join(day)).expect("made");
    fs_err::rename(root.join("dists"), root.join(day).join("dists")).expect("moved");
    fs_err::os::unix::fs::symlink("../pool", root.join(day).join("pool")).expect("linked");
}

/// `icos lock` of a stanza of a changelog.
fn entry(source: &str, version: &str, urgency: &str, changes: &str) -> String {
    format!(
        "{source} ({version}) made-up; urgency={urgency}\n\n{changes}\n\n -- Nobody <nobody@example.org>  Sat, 01 Jun 2024 \
         00:00:00 +0000\n\n"
    )
}

fn with_changelog(deb: Deb, text: &str) -> Deb {
    let path = format!("usr/share/doc/{}/changelog.Debian.gz", deb.name);
    deb.file(&path, &gzip(text.as_bytes()))
}

fn app(depends: &str) -> Deb {
    Deb::new("app", "2").field("Depends", depends)
}

/// Two packages of one source, in a version.
fn crypto(version: &str) -> [Deb; 2] {
    ["libcrypto", "crypto-tools"].map(|name| Deb::new(name, version).field("Source", "crypto"))
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Everything that a reviewer is told of.
fn before_and_after() -> [Vec<Deb>; 2] {
    let first = entry("lib", "1.0-1", "low", "  * First.");
    let second = entry("lib", "1.0-2", "high", "  * Fix CVE-2024-0001.\n    - and CVE-2024-0002") + &first;
    let third = entry("lib", "1.1-1", "medium", "  * New upstream release.") + &second;
    let service = "usr/lib/systemd/system/lib.service";
    let lib = |version: &str, text: &str| {
        with_changelog(Deb::new("lib", version), text)
            .field("Installed-Size", if version == "1.1-1" { "12" } else { "10" })
    };
    let before = vec![
        app("lib, old, linux, plain"),
        lib("1.0-1", &first),
        Deb::new("old", "1:7").field("Installed-Size", "100").file("usr/lib/systemd/system/old.timer", b""),
        Deb::new("linux", "6.1").file("usr/lib/modules/6.1.0-1/modules.order", b""),
        Deb::new("plain", "1"),
    ];
    let postinst = "#!/bin/sh\nset -e\ngroupadd -r _lib\nuseradd -r -g _lib _lib\n";
    let after = vec![
        Deb::new("app", "3").field("Depends", "lib, linux, plain"),
        lib("1.1-1", &third).field("Depends", "new").file(service, b"").control("postinst", postinst),
        Deb::new("new", "3~rc1").field("Installed-Size", "1").file("usr/bin/new", SETUID),
        Deb::new("linux", "6.2").file("usr/lib/modules/6.2.0-1/modules.order", b""),
        Deb::new("plain", "2"),
    ];
    [before, after]
}

/// All of it: what a pull request shows.
const MARKDOWN: &str = include_str!("bump/review.md");

#[test]
fn says_what_changes() {
    let [before, after] = before_and_after();
    let Some(snapshots) = Snapshots::new(&[&before, &after]) else { return };
    let project = &snapshots.project;
    project.write("old.lock", &project.read(LOCK));
    let base = project.read(BASE);
    // Only looked at first.
    let files = snapshots.files();
    let (code, output, errors) = project.icos(&["bump", "--to", DAYS[1], "--check"]);
    assert_eq!((code, output.as_str(), errors.as_str()), (3, MARKDOWN, ""));
    assert_eq!(snapshots.files(), files);
    assert_eq!(snapshots.ok(&["bump", "--to", DAYS[1]]), MARKDOWN);
    assert_eq!(project.read(BASE), base.replace(DAYS[0], DAYS[1]));
    // The old lock's packages are still proven, although the base has moved on.
    let old = project.path("old.lock").to_str().expect("UTF-8").to_owned();
    let new = project.path(LOCK).to_str().expect("UTF-8").to_owned();
    assert_eq!(snapshots.ok(&["diff", &old, &new]), MARKDOWN);
    snapshots.ok(&["verify", &old]);
    snapshots.check_usable();
    let report = json(&snapshots.ok(&["--format", "json", "diff", &old, &new]));
    assert_eq!(report["markdown"], MARKDOWN);
    let review = &report["reviews"][0];
    let lib = review["packages"].as_array().expect("packages").iter().find(|package| package["name"] == "lib");
    let lib = lib.expect("it changes");
    assert_eq!((&lib["change"], &lib["installed"]), (&Value::from("upgraded"), &Value::from(2048)));
    let entries = lib["changelog"]["entries"].as_array().expect("entries");
    let shown: Vec<_> = entries.iter().map(|entry| (entry["version"].as_str(), entry["urgency"].as_str())).collect();
    assert_eq!(shown, [(Some("1.1-1"), Some("medium")), (Some("1.0-2"), Some("high"))]);
    assert_eq!(review["vulnerabilities"], serde_json::json!({ "CVE-2024-0001": ["lib"], "CVE-2024-0002": ["lib"] }));
    assert_eq!(review["users"], serde_json::json!({ "added": ["_lib 999"], "removed": [] }));
    // Nothing to do a second time, and nothing newer changes a package.
    let report = json(&snapshots.ok(&["--format", "json", "bump", "--to", DAYS[1], "--check"]));
    assert_eq!((&report["state"], &report["files"]), (&Value::from("unchanged"), &serde_json::json!([])));
}

#[test]
fn holds_the_rest() {
    let days = ["1", "2", "3"].map(|version| {
        let others = ["other", "more"].map(|name| Deb::new(name, version));
        [&[app("crypto-tools, libcrypto, other, more")], crypto(version).as_slice(), &others].concat()
    });
    let Some(snapshots) = Snapshots::new(&days.each_ref().map(Vec::as_slice)) else { return };
    let project = &snapshots.project;
    let base = project.read(BASE);
    let report = json(&snapshots.ok(&["--format", "json", "bump", "--to", DAYS[1], "--package", "libcrypto"]));
    assert_eq!(report["files"], serde_json::json!([LOCK, BASE]));
    let held = format!("test@{}", DAYS[0]);
    let locked = |crypto: &str, more: &str| {
        let of = |version: &str| if version == "1" { held.clone() } else { "test".to_owned() };
        let (crypto_of, more_of) = (of(crypto), of(more));
        snapshots.check_locked(&[
            ("app", "2", &held),
            ("base", "1", &held),
            ("crypto-tools", crypto, &crypto_of),
            ("grub", "3", &held),
            ("libcrypto", crypto, &crypto_of),
            ("more", more, &more_of),
            ("other", "1", &held),
        ]);
    };
    locked("2", "1");
    let hold = |except: &str| format!("\n[hold]\ntimestamp = \"{}\"\nexcept = [{except}]\n", DAYS[0]);
    assert_eq!(project.read(BASE), base.replace(DAYS[0], DAYS[1]) + &hold("\"libcrypto\""));
    snapshots.check_usable();
    // Another package moves: the first is not taken back.
    let text = snapshots.ok(&["bump", "--to", DAYS[2], "--package", "more"]);
    assert!(
        text.contains(&format!("Snapshot {} to {}, all but a few packages held at {}.\n", DAYS[1], DAYS[2], DAYS[0]))
    );
    locked("3", "3");
    assert_eq!(project.read(BASE), base.replace(DAYS[0], DAYS[2]) + &hold("\"libcrypto\", \"more\""));
    snapshots.check_usable();
    // Everything moves.
    snapshots.ok(&["bump", "--to", DAYS[2]]);
    assert_eq!(project.read(BASE), base.replace(DAYS[0], DAYS[2]));
    assert!(snapshots.locked().iter().all(|(_, _, archive)| archive == "test"));
    snapshots.check_usable();
}

/// A package of the archive that no target has, and one by its source's name.
#[test]
fn what_no_target_has_is_told() {
    let days = ["1", "2"].map(|version| [&[app("libcrypto")], crypto(version).as_slice()].concat());
    let Some(snapshots) = Snapshots::new(&days.each_ref().map(Vec::as_slice)) else { return };
    let arguments = ["bump", "--to", DAYS[1], "--package", "crypto", "--package", "elsewhere"];
    let (code, _, errors) = snapshots.project.icos(&arguments);
    let told = "no target on test has the package or source `elsewhere`: that it may move changes nothing yet";
    assert_eq!((code, errors), (0, format!("warning: {told}\n")));
}

/// What a package depends on may have to move with it.
#[test]
fn what_is_held_may_not_suffice() {
    let lib = |version: &str| Deb::new("lib", version);
    let tool = |version: &str| Deb::new("tool", version).field("Depends", &format!("lib (>= {version})"));
    let days = ["1", "2"].map(|version| vec![app("tool"), lib(version), tool(version)]);
    let Some(snapshots) = Snapshots::new(&days.each_ref().map(Vec::as_slice)) else { return };
    let files = snapshots.files();
    let (code, _, errors) = snapshots.project.icos(&["bump", "--to", DAYS[1], "--package", "tool"]);
    let expect = "locking os/dev on test: tool 2 Depends: lib (>= 2) cannot hold: lib comes in 1 (made-up)\n";
    let hint = "\nhint: what a package needs may have to move with it: name that by `--package` as well\n";
    assert!(code == 1 && errors.contains(expect) && errors.ends_with(hint), "{errors}");
    assert_eq!(snapshots.files(), files);
    snapshots.ok(&["bump", "--to", DAYS[1], "--package", "tool", "--package", "lib"]);
    let versions: Vec<_> =
        snapshots.locked().into_iter().map(|(name, version, _)| format!("{name} {version}")).collect();
    assert_eq!(versions, ["app 2", "base 1", "grub 3", "lib 2", "tool 2"]);
}

#[test]
fn what_is_refused() {
    let days = ["1", "2"].map(|version| [&[app("libcrypto")], crypto(version).as_slice()].concat());
    let Some(snapshots) = Snapshots::new(&days.each_ref().map(Vec::as_slice)) else { return };
    let project = &snapshots.project;
    let check = |arguments: &[&str], status: i32, expect: &str| {
        let files = snapshots.files();
        let (code, output, errors) = project.icos(&[&["bump"], arguments].concat());
        assert_eq!((code, output.as_str()), (status, ""), "{arguments:?}: {errors}");
        assert!(errors.contains(expect), "{arguments:?}: {errors}");
        assert_eq!(snapshots.files(), files);
    };
    let unknown =
        "base `test` has no package or source `libcripto`, which is not to be held\nhint: did you mean `libcrypto`?";
    check(&["--to", DAYS[1], "--package", "libcripto"], 1, unknown);
    check(&["--to", DAYS[1], "--package", "a\"b"], 2, "`a\"b` is no package name");
    let backwards = "base `test` stands at 20240601T000000Z, which is not before ";
    check(&["--to", "20240501T000000Z"], 1, &format!("{backwards}20240501T000000Z\nhint: what was before"));
    check(&["--to", DAYS[0], "--package", "libcrypto"], 1, &format!("{backwards}{}\n", DAYS[0]));
    check(&["--to", "29990101T000000Z"], 1, "error: base `test` is pinned to 2999-01-01");
    check(&["--to", "yesterday"], 2, "expected a date like `20250804T000000Z`, found `yesterday`");
    check(&["--base", "tset"], 1, "unknown base `tset`\nhint: the bases are `test`");
    // The service has no such instant.
    check(&["--to", "20240615T000000Z"], 1, "dists/made-up/InRelease");
    let base = project.read(BASE);
    project.write(BASE, &base.replace("timestamp = ", "\"timestamp\" = "));
    check(&["--to", DAYS[1]], 1, "base.toml: expected `timestamp = \"…\"` in a line of its own above every table");
    project.write(BASE, &project.archive().base("mirror = \"host\"", &["made-up"]));
    let live = "base `test` is read from live mirrors, which have no past: ";
    let hint = "hint: `icos bump --base test` alone locks what the mirrors have now";
    check(&["--to", DAYS[1]], 1, &format!("{live}no instant can be chosen\n{hint}"));
    check(&["--package", "libcrypto"], 1, &format!("{live}no package can be held\n{hint}"));
    fs_err::remove_file(project.path(LOCK)).expect("removed");
    check(&[], 1, "no target has a lock yet; `icos lock TARGET` makes one");
}

/// On live mirrors a bump locks what they have now.
#[test]
fn live_mirrors() {
    let Some(project) = Project::of(&[app("lib"), Deb::new("lib", "1"), Deb::new("grub", "3")], "grub") else { return };
    let (code, _, errors) = project.online(&["lock", "os/dev"]);
    assert_eq!(code, 0, "{errors}");
    let base = project.read(BASE);
    let debs = [app("lib"), Deb::new("lib", "2"), Deb::new("grub", "4")];
    let stanzas: Vec<String> = debs.iter().map(|deb| project.archive().add(deb)).collect();
    project.archive().publish(&Suite::new("made-up").with(&stanzas));
    let (code, output, errors) = project.online(&["bump"]);
    assert_eq!((code, errors.as_str()), (0, ""));
    assert!(output.starts_with("## os/dev on test\n\nPackages: 2 upgraded. "), "{output}");
    assert!(output.ends_with("No changelog leads from the old version to the new one of `grub`, `lib`.\n"), "{output}");
    assert_eq!(project.read(BASE), base);
    let (code, output, _) = project.online(&["lock", "--check"]);
    assert!(code == 0 && output.contains("unchanged"), "{output}");
}

/// The newest there is brings nothing: the base stays, so that nobody is asked to review that.
#[test]
fn stays_when_there_is_nothing() {
    let debs = [app("lib"), Deb::new("lib", "1")];
    let Some(snapshots) = Snapshots::new(&[&debs]) else { return };
    // What is served for any later instant.
    let project = &snapshots.project;
    let now = icos::date::Instant::from_seconds(icos::epoch::machine_now() / 3600 * 3600);
    for hour in [now, now.plus(3600)] {
        let link = project.archive().root().join(hour.to_compact());
        fs_err::os::unix::fs::symlink(DAYS[0], link).expect("linked");
    }
    let files = snapshots.files();
    let report = json(&snapshots.ok(&["--format", "json", "bump"]));
    assert_eq!(report["state"], "unchanged");
    assert!(report["markdown"].as_str().expect("a text").ends_with("\n\nNothing changes.\n\n"), "{report}");
    assert_eq!(snapshots.files(), files);
    // A lock that is stale is made anew.
    project.write("ic-os/os/image.toml", &format!("# Changed.\n{}", project.read("ic-os/os/image.toml")));
    let report = json(&snapshots.ok(&["--format", "json", "bump"]));
    assert_eq!((&report["state"], &report["files"]), (&Value::from("written"), &serde_json::json!([LOCK, BASE])));
}

/// Two targets, of which the second cannot be: the first is not written either.
#[test]
fn all_or_nothing() {
    let bad = |version: &str| {
        let text = if version == "1" { "true" } else { "frob --init" };
        Deb::new("tool", version).control("postinst", &format!("#!/bin/sh\n{text}\n"))
    };
    let days = ["1", "2"].map(|version| vec![app("lib"), Deb::new("lib", version), bad(version)]);
    let Some(snapshots) = Snapshots::new(&days.each_ref().map(Vec::as_slice)) else { return };
    let project = &snapshots.project;
    let prod = "[variants.prod]\npackages = [\"common\", \"more\"]\noverlays = []\n\n[boot]";
    let image = IMAGE.replace("LOADER", "grub").replacen("[boot]", prod, 1);
    let image = image.replace("common = [\"app\"]", "common = [\"app\"]\nmore = [\"tool\"]");
    project.write("ic-os/os/image.toml", &image);
    snapshots.ok(&["lock", "os/dev", "os/prod"]);
    let files = snapshots.files();
    assert_eq!(files.len(), 3);
    let (code, output, errors) = project.icos(&["bump", "--to", DAYS[1]]);
    assert_eq!((code, output.as_str()), (1, ""));
    let expect = "error: locking os/prod on test: 1 maintainer script of the rehearsed build cannot be run:\n  postinst of tool 2";
    assert!(errors.contains(expect) && errors.contains("[[scripts.skip]]"), "{errors}");
    assert_eq!(snapshots.files(), files);
    // Without the rehearsal, reviewers are told.
    let output = snapshots.ok(&["bump", "--to", DAYS[1], "--no-rehearsal"]);
    let expect = "### Maintainer scripts that icos cannot run\n\n- new: `postinst of tool: ";
    assert!(
        output.contains(expect) && output.contains("`/usr/bin/frob` is not built in'`")
            || output.contains("is not built in"),
        "{output}"
    );
    let after = snapshots.files();
    assert!(files.iter().zip(&after).all(|(old, new)| old != new), "{after:?}");
    assert!(project.read(OTHER).contains("name = \"tool\"\nversion = \"2\"\n"));
}

#[test]
fn an_interrupted_bump_leaves_all_as_it_was() {
    let endless = Deb::new("lib", "2").control("postinst", "#!/bin/sh\nwhile :; do :; done\n");
    let Some(snapshots) = Snapshots::new(&[&[app("lib"), Deb::new("lib", "1")], &[app("lib"), endless]]) else {
        return;
    };
    let files = snapshots.files();
    let command = snapshots.project.command(&["-v", "bump", "--to", DAYS[1]]);
    assert_eq!(interrupted(command, " s  unpack"), Some(130));
    assert_eq!(snapshots.files(), files);
}

/// What archives write is nothing but text in a pull request, and never too much of it.
#[test]
fn hostile_changelogs() {
    let bad = "  * ``` ```` `x`\n````\n</details><script>alert(1)</script> @somebody #1\n  fixes #2 | [a](https://example.org)\n  \
               \u{202e}turned\r```\n";
    let changelog = |version: &str, text: &str| {
        entry("s", version, "low,</summary>@x", text) + &entry("s", "1", "low", "  * First.")
    };
    let pile = "  * much of it @somebody\n".repeat(20_000);
    let names: Vec<String> = (0..40).map(|n| format!("lib{n}")).collect();
    let day = |version: &str| {
        let mut debs = vec![app(&names.join(", "))];
        for (at, name) in names.iter().enumerate() {
            let text = if at == 0 { bad.to_owned() } else { format!("  * {at}\n{pile}") };
            let text = if version == "1" { entry("s", "1", "low", "  * First.") } else { changelog("2", &text) };
            debs.push(with_changelog(Deb::new(name, version), &text));
        }
        debs
    };
    let days = [day("1"), day("2")];
    let Some(snapshots) = Snapshots::new(&days.each_ref().map(Vec::as_slice)) else { return };
    let text = snapshots.ok(&["bump", "--to", DAYS[1]]);
    assert!(text.chars().count() < 65_536, "{}", text.len());
    // Every line is outside of fences, where only our own words are no code, or in a fence that nothing in it ends.
    let (mut fence, mut outside): (Option<String>, Vec<&str>) = (None, Vec::new());
    for line in text.lines() {
        match &fence {
            Some(end) if line == end => fence = None,
            Some(end) => assert!(!line.trim_start().starts_with(end.as_str()), "{line}"),
            None if line.starts_with("```") => fence = Some(line.trim_end_matches("text").to_owned()),
            None => outside.push(line),
        }
    }
    assert_eq!(fence, None);
    let outside: String = outside.iter().map(|line| format!("{line}\n")).collect();
    let plain: String = outside.split('`').step_by(2).collect();
    for bad in ["script", "@", "#1", "fixes", "example.org"] {
        assert!(!plain.contains(bad), "{bad}: {plain}");
    }
    assert_eq!(plain.matches("</summary>").count(), plain.matches("<details>").count());
    assert!(!text.contains('\u{202e}') && !text.contains('\r'), "{text}");
    assert!(text.contains("<script>alert(1)</script> @somebody #1\n"), "{text}");
    assert!(text.contains("Its text is left out here") && text.contains("lines are left out here"), "{text}");
}
