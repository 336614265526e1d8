//! Requests without a solution: what is said names the packages, versions and fields at fault, in six lines at most.

use crate::{
    project::Project,
    support::{archive::Suite, deb::Deb},
};

/// A stanza of an index: name, version and fields.
type Row = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

struct Case {
    /// By suite: `main`, `extra`, and `experimental`, which is NotAutomatic.
    main: &'static [Row],
    extra: &'static [Row],
    experimental: &'static [Row],
    pins: &'static str,
    ask: &'static [&'static str],
    /// The whole message, and the hint.
    expect: &'static str,
}

const NONE: Case = Case { main: &[], extra: &[], experimental: &[], pins: "", ask: &[], expect: "" };

fn cases() -> Vec<Case> {
    vec![
        Case {
            main: &[("aa", "1", &[("Depends", "gone")])],
            ask: &["aa"],
            expect: "error: aa 1 Depends: gone cannot hold: no package provides gone\n\
                     aa 1 is requested as aa\n\
                     hint: leave out `aa`, or give the base a suite or an archive that has it",
            ..NONE
        },
        Case {
            main: &[("aa", "1", &[("Depends", "bb")]), ("bb", "2", &[("Pre-Depends", "gone (>= 3) | lost")])],
            ask: &["aa"],
            expect: "error: bb 2 Pre-Depends: gone (>= 3) | lost cannot hold: no package provides gone; no package provides lost\n\
                     bb is wanted: aa 1 is requested as aa; aa 1 Depends: bb\n\
                     hint: leave out `aa`, or give the base a suite or an archive that has it",
            ..NONE
        },
        Case {
            main: &[("aa", "1", &[("Depends", "bb (>= 3)")]), ("bb", "2", &[])],
            ask: &["aa"],
            expect: "error: aa 1 Depends: bb (>= 3) cannot hold: bb comes in 2 (main)\n\
                     aa 1 is requested as aa\n\
                     hint: leave out `aa`, or give the base a suite or an archive that has it",
            ..NONE
        },
        Case {
            main: &[("aa", "1", &[("Depends", "bb (= 1)")]), ("bb", "2", &[]), ("bb", "1", &[])],
            ask: &["aa", "bb"],
            expect: "error: aa 1 Depends: bb (= 1) cannot hold: bb comes in 2 (main), 1 (main), candidate 2\n\
                     aa 1 is requested as aa\n\
                     hint: ask for `bb=1`, whose version suits",
            ..NONE
        },
        Case {
            main: &[("aa", "1", &[("Depends", "bb (>= 3)")]), ("bb", "2", &[])],
            experimental: &[("bb", "3", &[])],
            ask: &["aa"],
            expect: "error: aa 1 Depends: bb (>= 3) cannot hold: bb comes in 3 (experimental, NotAutomatic), 2 (main), candidate 2\n\
                     aa 1 is requested as aa\n\
                     hint: ask for `bb/experimental`, whose version suits",
            ..NONE
        },
        Case {
            main: &[("aa", "1", &[("Conflicts", "bb")]), ("bb", "2", &[])],
            ask: &["aa", "bb"],
            expect: "error: aa 1 Conflicts: bb, which is bb 2\n\
                     aa 1 is requested as aa\n\
                     bb 2 is requested as bb\n\
                     hint: leave out `aa` or `bb`",
            ..NONE
        },
        Case {
            main: &[("aa", "1", &[]), ("bb", "2", &[("Breaks", "aa (<< 2)")])],
            ask: &["aa", "bb"],
            expect: "error: bb 2 Breaks: aa (<< 2), which is aa 1\n\
                     bb 2 is requested as bb\n\
                     aa 1 is requested as aa\n\
                     hint: leave out `bb` or `aa`",
            ..NONE
        },
        Case {
            main: &[
                ("aa", "1", &[("Depends", "cc")]),
                ("bb", "2", &[("Depends", "dd")]),
                ("cc", "1", &[]),
                ("dd", "1", &[("Breaks", "cc")]),
            ],
            ask: &["aa", "bb"],
            expect: "error: dd 1 Breaks: cc, which is cc 1\n\
                     dd is wanted: bb 2 is requested as bb; bb 2 Depends: dd\n\
                     cc is wanted: aa 1 is requested as aa; aa 1 Depends: cc\n\
                     hint: leave out `bb` or `aa`",
            ..NONE
        },
        Case {
            main: &[("aa", "1", &[("Conflicts", "mta"), ("Depends", "bb")]), ("bb", "2", &[("Provides", "mta")])],
            ask: &["aa"],
            expect: "error: aa 1 Conflicts: mta, which bb 2 provides\n\
                     aa 1 is requested as aa\n\
                     bb is wanted: aa 1 is requested as aa; aa 1 Depends: bb\n\
                     hint: leave out `aa`",
            ..NONE
        },
        Case {
            main: &[("aa", "1", &[("Depends", "mta")]), ("bb", "2", &[("Suggests", "mta")])],
            ask: &["aa"],
            expect: "error: aa 1 Depends: mta cannot hold: no package provides mta\n\
                     aa 1 is requested as aa\n\
                     hint: leave out `aa`, or give the base a suite or an archive that has it",
            ..NONE
        },
        Case {
            main: &[("aa", "1", &[("Depends", "mta (>= 2)")]), ("bb", "2", &[("Provides", "mta")])],
            ask: &["aa"],
            expect: "error: aa 1 Depends: mta (>= 2) cannot hold: bb 2 provides mta without a version\n\
                     aa 1 is requested as aa\n\
                     hint: leave out `aa`, or give the base a suite or an archive that has it",
            ..NONE
        },
        Case {
            main: &[("aa", "1", &[("Depends", "mta (>= 2)")]), ("bb", "2", &[("Provides", "mta (= 1)")])],
            ask: &["aa"],
            expect: "error: aa 1 Depends: mta (>= 2) cannot hold: bb 2 provides mta as version 1\n\
                     aa 1 is requested as aa\n\
                     hint: leave out `aa`, or give the base a suite or an archive that has it",
            ..NONE
        },
        Case {
            main: &[("aa", "1", &[("Depends", "bb")]), ("bb", "2", &[])],
            pins: "[[pin]]\npackages = [\"bb\"]\npriority = -1\n",
            ask: &["aa"],
            expect: "error: aa 1 Depends: bb cannot hold: bb comes in 2 (main), pinned out\n\
                     aa 1 is requested as aa\n\
                     hint: ask for `bb/main`, whose version suits, or change its pin",
            ..NONE
        },
        Case {
            main: &[("aa", "1", &[("Depends", "bb (>= 2)")]), ("bb", "2", &[])],
            extra: &[("bb", "1", &[])],
            pins: "[[pin]]\npackages = [\"bb\"]\nsuite = \"extra\"\npriority = 990\n",
            ask: &["aa"],
            expect: "error: aa 1 Depends: bb (>= 2) cannot hold: bb comes in 2 (main), 1 (extra), candidate 1\n\
                     aa 1 is requested as aa\n\
                     hint: ask for `bb/main`, whose version suits",
            ..NONE
        },
        Case {
            main: &[("aa", "1", &[("Depends", "bb (>= 2)")]), ("bb", "1", &[])],
            ask: &["aa", "bb=2"],
            expect: "error: `bb=2`: there is no such version\n\
                     hint: the indexes have `1 (main/main)`",
            ..NONE
        },
        Case {
            main: &[("bb", "1", &[])],
            ask: &["bb/mian"],
            expect: "error: `bb/mian`: the base has no suite `mian`\n\
                     hint: its suites are `main`, `extra`, `experimental`",
            ..NONE
        },
        Case {
            main: &[("bb", "1", &[])],
            ask: &["bb/extra"],
            expect: "error: `bb/extra`: there is no such version\n\
                     hint: the indexes have `1 (main/main)`",
            ..NONE
        },
        Case {
            main: &[("bb", "1", &[])],
            ask: &["bb:i386"],
            expect: "error: `bb:i386`: no such architecture; the base has `amd64`\n\
                     hint: `foreign = [\"i386\"]` in base.toml lets packages of i386 stand beside its own",
            ..NONE
        },
        Case {
            main: &[("bb", "1", &[])],
            pins: "[[pin]]\npackages = [\"*\"]\npriority = -1\n",
            ask: &["bb"],
            expect: "error: `bb`: every version is pinned out\n\
                     hint: ask for `bb=VERSION`, or change the base's pins",
            ..NONE
        },
        Case {
            main: &[
                ("aa", "1", &[("Depends", "bb | cc")]),
                ("bb", "1", &[("Depends", "gone")]),
                ("cc", "1", &[("Conflicts", "dd")]),
                ("dd", "1", &[]),
            ],
            ask: &["aa", "dd"],
            expect: "error: bb 1 Depends: gone cannot hold: no package provides gone\n\
                     bb is wanted: aa 1 is requested as aa; aa 1 Depends: bb | cc\n\
                     cc 1 is no way out: cc 1 Conflicts: dd, which is dd 1\n\
                     hint: leave out `aa`, or give the base a suite or an archive that has it",
            ..NONE
        },
        Case {
            main: &[
                ("aa", "1", &[("Depends", "b1")]),
                ("b1", "1", &[("Depends", "b2")]),
                ("b2", "1", &[("Depends", "b3")]),
                ("b3", "1", &[("Depends", "b4")]),
                ("b4", "1", &[("Depends", "b5")]),
                ("b5", "1", &[("Depends", "b6")]),
                ("b6", "1", &[("Depends", "gone")]),
            ],
            ask: &["aa"],
            expect: "error: b6 1 Depends: gone cannot hold: no package provides gone\n\
                     b6 is wanted: aa 1 is requested as aa; aa 1 Depends: b1; 3 more; b4 1 Depends: b5; b5 1 Depends: b6\n\
                     hint: leave out `aa`, or give the base a suite or an archive that has it",
            ..NONE
        },
        Case {
            main: &[("mta", "1", &[]), ("aa", "1", &[("Depends", "mta")])],
            pins: "[[pin]]\npackages = [\"mta\"]\npriority = -1\n",
            extra: &[("bb", "1", &[("Provides", "mta"), ("Conflicts", "aa")])],
            ask: &["aa"],
            expect: "error: bb 1 Conflicts: aa, which is aa 1\n\
                     bb is wanted: aa 1 is requested as aa; aa 1 Depends: mta\n\
                     aa 1 is requested as aa\n\
                     hint: leave out `aa`",
            ..NONE
        },
    ]
}

#[test]
fn messages() {
    for case in cases() {
        let Some(project) = Project::of(&[], "grub") else { return };
        let stanzas = |rows: &[Row]| -> Vec<String> {
            let deb = |(name, version, fields): &Row| {
                fields.iter().fold(Deb::new(name, version), |deb, (name, value)| deb.field(name, value))
            };
            rows.iter().map(|row| project.archive.add(&deb(row))).collect()
        };
        project.archive.publish(&Suite::new("main").with(&stanzas(case.main)));
        project.archive.publish(&Suite::new("extra").with(&stanzas(case.extra)));
        let experimental = Suite { fields: "NotAutomatic: yes\n".to_owned(), ..Suite::new("experimental") };
        project.archive.publish(&experimental.with(&stanzas(case.experimental)));
        let base = project.archive.base("mirror = \"host\"", &["main", "extra", "experimental"]);
        project.write("snapshots/test/base.toml", &format!("{base}\n{}", case.pins));
        let (code, output, errors) =
            project.online(&[&["resolve", "--base", "test", "--no-essential", "--quiet"], case.ask].concat());
        assert_eq!((code, output.as_str(), errors.trim_end()), (1, "", case.expect), "{:?}", case.ask);
        assert!(errors.lines().filter(|line| !line.starts_with("hint: ")).count() <= 6, "{errors}");
    }
}
