//! Rehearsals of locks: what icos cannot do is said before anything is written, all at once; skips, with reasons.

use serde_json::Value;

use crate::{
    project::{IMAGE, Project},
    support::{deb::Deb, judge::interrupted},
};

const LOCK: &str = "snapshots/test/os-dev.lock";

fn sh(text: &str) -> String {
    format!("#!/bin/sh\nset -e\n{text}\n")
}

/// What every project here has besides: a loader, and programs that icos does not know.
fn and_others(debs: &[Deb]) -> Vec<Deb> {
    let base =
        Deb::new("base", "1").field("Essential", "yes").file("usr/bin/frob", b"\x7fELF").file("usr/bin/sh", b"\x7fELF");
    let others = [base.file("usr/bin/true", b"\x7fELF"), Deb::new("grub", "3"), Deb::new("elsewhere", "1")];
    [debs, &others].concat()
}

fn app(depends: &str) -> Deb {
    Deb::new("app", "2").field("Depends", depends)
}

fn image(more: &str) -> String {
    format!("{}{more}", IMAGE.replace("LOADER", "grub"))
}

fn skip(package: &str, script: &str, reason: &str) -> String {
    format!("\n[[scripts.skip]]\npackage = \"{package}\"\nscript = \"{script}\"\nreason = \"{reason}\"\n")
}

/// A project whose target is `app`, and that is already in its place.
fn project(debs: &[Deb]) -> Option<Project> {
    Project::of(&and_others(debs), "grub")
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// Three scripts that fail of themselves, one that may only follow, and two that are fine.
fn bad() -> [Deb; 6] {
    [
        app("guarded, first, second, third"),
        Deb::new("first", "1:1.0-1").control("postinst", &sh("true\nif true; then\n  frob --init 'a b'\nfi")),
        Deb::new("second", "2").field("Depends", "first").control("postinst", &sh("echo lost >&2\nexit 3")),
        Deb::new("third", "3").control("preinst", &sh("frob $1")).field("Depends", "fourth"),
        Deb::new("fourth", "4").control("postinst", "#!/usr/bin/perl -w\nprint 1;\n"),
        Deb::new("guarded", "1").control("postinst", &sh("if command -v update-frob; then update-frob; fi")),
    ]
}

#[test]
fn all_failures_are_told_at_once() {
    let Some(project) = project(&bad()) else { return };
    let (code, output, errors) = project.online(&["lock", "os/dev"]);
    assert_eq!((code, output.as_str()), (1, ""));
    let expect = "\
error: locking os/dev on test: 4 maintainer scripts of the rehearsed build cannot be run:
  preinst of third 3, line 3: `frob install`: `/usr/bin/frob` is not built in
      brought in by app
  postinst of first 1:1.0-1, line 5: `frob --init 'a b'`: `/usr/bin/frob` is not built in
      brought in by app
  postinst of fourth 4: postinst: the interpreter `/usr/bin/perl -w` is not modelled
      brought in by app
  postinst of second 2: it ends with status 3
      > lost
      may only follow from postinst of first
      brought in by app
hint: ic-os/os/image.toml can have such scripts left out; say as the reason what the system does without it:

[[scripts.skip]]
package = \"third\"
script = \"preinst\"
reason = \"icos does not run it: `/usr/bin/frob` is not built in\"
";
    assert!(errors.starts_with(expect), "{errors}");
    assert!(errors.contains("\n# only if it still fails without postinst of first:\n# [[scripts.skip]]\n"), "{errors}");
    assert!(!project.path(LOCK).exists());
    // The same for programs.
    let (code, output, _) = project.online(&["--format", "json", "lock", "os/dev"]);
    let refused = json(&output)["refused"].clone();
    assert_eq!((code, refused["scripts"].as_array().map(Vec::len)), (1, Some(4)));
    let first = &refused["scripts"][1];
    assert_eq!(first["command"], serde_json::json!(["frob", "--init", "a b"]));
    assert_eq!(first["places"][0]["line"], 5);
    assert_eq!(refused["scripts"][3]["status"], 3);
    // What the hint says can be pasted; what was commented out turns out to be needed.
    let (_, hint) = errors.split_once("without it:\n").expect("a hint");
    project.write("ic-os/os/image.toml", &image(hint));
    let (code, _, errors) = project.online(&["lock", "os/dev"]);
    assert!(code == 1 && errors.contains(": 1 maintainer script of the rehearsed build"), "{errors}");
    assert!(errors.contains("postinst of second 2: it ends with status 3\n      > lost\n      brought"), "{errors}");
    project.write("ic-os/os/image.toml", &image(&format!("{hint}{}", skip("second", "postinst", "nobody needs it"))));
    let (code, output, errors) = project.online(&["lock", "os/dev"]);
    assert_eq!((code, errors.as_str()), (0, ""));
    assert!(output.contains("\n  not run: postinst of second: nobody needs it\n"), "{output}");
    assert!(project.path(LOCK).exists());
}

/// The same package may be another one on another base.
#[test]
fn who_brings_a_package_in() {
    let frob = |deb: Deb| deb.control("postinst", &sh("frob"));
    let debs =
        [frob(app("first")), frob(Deb::new("first", "1")), frob(Deb::new("more", "1").field("Essential", "yes"))];
    let Some(project) = project(&debs) else { return };
    let (_, _, errors) = project.online(&["lock", "os/dev"]);
    let reason = "postinst of NAME VERSION, line 3: `frob`: `/usr/bin/frob` is not built in\n      brought in ";
    for (name, version, expect) in
        [("app", "2", "by the request itself"), ("first", "1", "by app"), ("more", "1", "as: essential")]
    {
        let line = format!("{}{expect}\n", reason.replace("NAME", name).replace("VERSION", version));
        assert!(errors.contains(&line), "{line}: {errors}");
    }
}

#[test]
fn a_skip_is_of_one_base() {
    let debs = [app("first"), Deb::new("first", "1").control("postinst", &sh("frob"))];
    let Some(project) = project(&debs) else { return };
    let other =
        "\n[bases.other]\npackages = { common = [\"app\"] }\nloader = { packages = [], prefix = \"/\", files = {} }\n";
    project.write("ic-os/os/image.toml", &image(other));
    let (code, _, errors) = project.online(&["lock", "os/dev"]);
    let (_, hint) = errors.split_once("without it:\n").expect("a hint");
    assert!(code == 1 && hint.starts_with("\n[[bases.test.scripts.skip]]\npackage = \"first\"\n"), "{errors}");
    project.write("ic-os/os/image.toml", &image(&format!("{other}{hint}")));
    let (code, output, errors) = project.online(&["lock", "os/dev"]);
    assert_eq!((code, errors.as_str()), (0, ""));
    assert!(output.contains("\n  not run: postinst of first: "), "{output}");
}

#[test]
fn a_lock_without_rehearsal() {
    let Some(project) = project(&bad()) else { return };
    let (code, output, errors) = project.online(&["--format", "json", "lock", "--no-rehearsal", "os/dev"]);
    assert_eq!((code, errors.as_str(), &json(&output)["locks"][0]["rehearsal"]), (0, "", &Value::from("none")));
    assert!(project.path(LOCK).exists());
    let downloaded =
        |name: &str| fs_err::read_dir(project.path("home/.cache/icos").join(name)).expect("a store").count();
    assert_eq!(downloaded("layers"), 0);
    // To compare locks needs no package either.
    let (code, output, errors) = project.online(&["lock", "--check", "os/dev"]);
    assert!(code == 0 && errors.is_empty() && output.contains("unchanged"), "{output}{errors}");
    assert_eq!(downloaded("layers"), 0);
}

#[test]
fn skips_are_recorded_and_reported() {
    let debs = [app("first"), Deb::new("first", "1").control("postinst", &sh("frob"))];
    let Some(project) = project(&debs) else { return };
    project.write("ic-os/os/image.toml", &image(&skip("first", "postinst", "frob is for people")));
    let (code, _, errors) = project.online(&["lock", "os/dev"]);
    assert_eq!((code, errors.as_str()), (0, ""));
    let lock = fs_err::read_to_string(project.path(LOCK)).expect("written");
    let skip = "[[skip]]\npackage = \"first\"\nscript = \"postinst\"\nreason = \"frob is for people\"\n";
    assert!(lock.contains(skip), "{lock}");
    let (code, output, errors) = project.online(&["--format", "json", "build", "os/dev"]);
    assert_eq!(code, 0, "{errors}");
    assert!(errors.contains("\n  not run: postinst of first: frob is for people\n"), "{errors}");
    let expect = serde_json::json!([{"package": "first", "script": "postinst", "reason": "frob is for people"}]);
    assert_eq!(json(&output)["built"][0]["skipped"], expect);
}

#[test]
fn skips_that_are_refused() {
    let debs = [app("first"), Deb::new("first", "1").control("preinst", &sh(":"))];
    let Some(project) = project(&debs) else { return };
    let check = |skips: &str, expect: &[&str]| {
        project.write("ic-os/os/image.toml", &image(skips));
        let (code, _, errors) = project.online(&["lock", "os/dev"]);
        assert_eq!(code, 1, "{errors}");
        assert!(expect.iter().all(|text| errors.contains(text)), "{expect:?}: {errors}");
        assert!(!project.path(LOCK).exists());
    };
    check(&skip("first", "preinst", " "), &["preinst of package `first` is skipped without a reason"]);
    check(&skip("fist", "preinst", "x"), &["there is no package fist on test", "hint: did you mean `first`?"]);
    check(&skip("first", "preinist", "x"), &["`preinist` is no script", "did you mean `preinst`?"]);
    check(&skip("first", "postinst", "x"), &["package first has no postinst, it has preinst"]);
    let twice = [skip("first", "preinst", "x"), skip("first", "preinst", "y")].concat();
    check(&twice, &["preinst of package `first` is skipped twice"]);
    // Another variant may have the package.
    project.write("ic-os/os/image.toml", &image(&skip("elsewhere", "postinst", "x")));
    let (code, _, errors) = project.online(&["lock", "os/dev"]);
    let warning = "warning: ic-os/os/image.toml: os/dev has no package elsewhere, whose postinst is skipped\n";
    assert_eq!((code, errors.as_str()), (0, warning));
    let lock = fs_err::read_to_string(project.path(LOCK)).expect("written");
    assert!(!lock.contains("[[skip]]"), "{lock}");
}

#[test]
fn a_needless_skip_is_told() {
    let scripts = ["first", "second", "third"].map(|name| {
        let text = if name == "third" { "echo x > /third\nfrob" } else { "echo x > /etc/$DPKG_MAINTSCRIPT_PACKAGE" };
        Deb::new(name, "1").control("postinst", &sh(text)).file(&format!("etc/{name}.d/x"), b"")
    });
    let Some(project) = project(&[&[app("first, second, third")], scripts.as_slice()].concat()) else { return };
    let skips = [skip("first", "postinst", "x"), skip("third", "postinst", "y")].concat();
    project.write("ic-os/os/image.toml", &image(&skips));
    let warning =
        "warning: ic-os/os/image.toml: postinst of first is skipped, but it runs to its end; the skip can go\n";
    let expect = serde_json::json!([{"package": "first", "script": "postinst", "reason": "x"}]);
    // Said again when the rehearsal is one that was passed before.
    for rehearsal in ["passed", "remembered"] {
        let (code, output, errors) = project.online(&["--format", "json", "lock", "os/dev"]);
        assert_eq!((code, errors.as_str()), (0, warning));
        let lock = &json(&output)["locks"][0];
        assert_eq!((&lock["rehearsal"], &lock["unneeded"]), (&Value::from(rehearsal), &expect));
    }
}

/// The stages that were gone through, as `-v` tells them.
fn stages(errors: &str) -> Vec<&str> {
    errors.lines().filter_map(|line| line.split_once(" s  ")).map(|(_, stage)| stage).collect()
}

#[test]
fn a_rehearsal_is_remembered_until_something_changes() {
    let overlay = "[[step]]\nscript = { text = \"echo 1 > /etc/one\" }\n";
    let debs = [app("first"), Deb::new("first", "1").control("postinst", &sh("true")).file("etc/x", b"")];
    let Some(project) = project(&debs) else { return };
    let with_overlay = image("").replace("overlays = []", "overlays = [\"own\"]");
    project.write("ic-os/os/image.toml", &with_overlay);
    project.write("overlays/own/overlay.toml", overlay);
    let check = |expect: bool| {
        let (code, _, errors) = project.online(&["-v", "lock", "os/dev"]);
        assert_eq!(code, 0, "{errors}");
        assert_eq!(stages(&errors).contains(&"rehearse"), expect, "{errors}");
    };
    check(true);
    check(false);
    // The lock is no part of it, the store is.
    fs_err::remove_file(project.path(LOCK)).expect("removed");
    check(false);
    project.write("overlays/own/overlay.toml", &overlay.replace("echo 1", "echo 2"));
    check(true);
    check(false);
    let answer = "\n[[debconf]]\npackage = \"first\"\nquestion = \"first/x\"\ntype = \"string\"\nvalue = \"y\"\n";
    project.write("ic-os/os/image.toml", &format!("{with_overlay}{answer}"));
    check(true);
    // What fails is never remembered, and an overlay cannot be skipped.
    project.write("overlays/own/overlay.toml", &overlay.replace("echo 1", "frob; echo 1"));
    for _ in 0..2 {
        let (code, _, errors) = project.online(&["lock", "os/dev"]);
        let expect =
            "1 overlay step of the rehearsed build cannot be run:\n  overlays/own/overlay.toml:1: step 1 (script): ";
        assert!(code == 1 && errors.contains(expect) && errors.contains("`/usr/bin/frob` is not built in"), "{errors}");
        assert!(!errors.contains("hint"), "{errors}");
    }
}

#[test]
fn an_interrupted_rehearsal_leaves_no_lock() {
    let endless = Deb::new("first", "1").control("postinst", &sh("while :; do :; done"));
    let Some(project) = project(&[app("first"), endless]) else { return };
    let mirror = project.mirror();
    let command = project.command(&["-v", &mirror, "lock", "os/dev"]);
    assert_eq!(interrupted(command, " s  unpack"), Some(130));
    let left = fs_err::read_dir(project.path("snapshots/test")).expect("readable");
    let left: Vec<_> = left.map(|entry| entry.expect("there").file_name()).collect();
    assert_eq!(left, ["base.toml"]);
    let answers = fs_err::read_dir(project.path("home/.cache/icos/answers")).expect("a store").count();
    assert_eq!(answers, 0);
}

#[test]
fn a_root_file_system_without_a_script() {
    let debs = [app("first"), Deb::new("first", "1").control("postinst", &sh("frob"))];
    let Some(project) = project(&debs) else { return };
    let output = project.path("out.tar");
    let rootfs = |options: &[&str]| {
        let usual = ["--format", "json", "rootfs", "--base", "test", "app", "-o", output.to_str().expect("UTF-8")];
        project.online(&[&usual, options].concat())
    };
    let (code, _, errors) = rootfs(&[]);
    assert!(code == 1 && errors.contains("hint: `icos rootfs --skip-script 'first:postinst=REASON'`"), "{errors}");
    let (code, json_text, errors) = rootfs(&["--skip-script", "first:postinst=for people"]);
    assert_eq!(code, 0, "{errors}");
    assert!(errors.contains("not run: postinst of first: for people\n"), "{errors}");
    let expect = serde_json::json!([{"package": "first", "script": "postinst", "reason": "for people"}]);
    assert_eq!(json(&json_text)["skipped"], expect);
    let check = |option: &str, status: i32, expect: &str| {
        let (code, _, errors) = rootfs(&["--skip-script", option]);
        assert!(code == status && errors.contains(expect), "{option}: {errors}");
    };
    check("first:postinst= ", 2, "is skipped without a reason");
    check("first:posinst=x", 2, "did you mean `postinst`?");
    check("fist:postinst=x", 1, "there is no package fist\nhint: did you mean `first`?");
    check("first:preinst=x", 1, "package first has no preinst, it has postinst");
}
