//! Tables: a script, and the programs that a first configuration of its package comes to.

use super::*;

fn names(script: &str) -> String {
    let question = Question {
        source: script.as_bytes(),
        bash: false,
        arguments: &[b"configure", b""],
        variables: &[(b"DPKG_ROOT", Some(b""))],
        file: &|path| (path == b"/lib/f").then(|| Bytes::from_static(b"helper() { inner; }\n")),
    };
    let reached = reach(&question);
    let shown = |guards: &BTreeSet<Guards>| {
        let common = guards.iter().cloned().reduce(|a, b| a.intersection(&b).cloned().collect()).unwrap_or_default();
        let sign = |guard: &Guard| if guard.there { '?' } else { '!' };
        let name = |guard: &Guard| String::from_utf8_lossy(&guard.program).into_owned();
        common.iter().map(|guard| format!("{}{}", sign(guard), name(guard))).collect::<String>()
    };
    let programs = reached.programs.iter().map(|(name, g)| format!("{}{}", String::from_utf8_lossy(name), shown(g)));
    let dynamic = reached.dynamic.iter().map(|line| format!("line {line}"));
    programs.chain(dynamic).chain(reached.fault).collect::<Vec<_>>().join(" ")
}

#[test]
fn follows_what_is_known() {
    for (script, expect) in [
        ("a; b | c", "a b c"),
        ("case \"$1\" in configure) a;; abort-*|remove) b;; *) c;; esac", "a"),
        ("case \"$1\" in install|upgrade) a;; esac; b", "b"),
        ("case $(x) in y) a;; *) b;; esac", "a b x"),
        ("if [ \"$1\" = configure ]; then a; else b; fi", "a"),
        ("if [ \"$1\" = configure ] && [ -n \"$2\" ]; then a; fi", ""),
        ("if [ -z \"$2\" ] || b; then a; fi", "a"),
        ("[ \"$1\" = remove -o \"$1\" = purge ] && a; [ \"$1\" = configure -a -z \"$2\" ] && b", "b"),
        ("if dpkg --compare-versions \"$2\" lt 1.0; then a; else b; fi", "a dpkg"),
        ("if dpkg --compare-versions -- \"$2\" lt 1.0; then a; else b; fi", "a b dpkg"),
        ("if dpkg --compare-versions \"$2\" lt-nl 1.0; then a; else b; fi", "b dpkg"),
        ("if [ -d /run/systemd/system ]; then systemctl; fi", ""),
        ("[ \"$1\" = configure ] || exit 0; a; exit 0; b", "a"),
        ("if x; then exit 1; fi; a", "a x"),
        ("f() { a \"$1\"; }; g() { b; }; f", "a"),
        ("f() { return 0; b; }; f && : || c; a", "a"),
        ("run() { \"$@\"; }; run a b; run c", "a c"),
        ("v=a; $v; w=\"x y\"; $w", "a x"),
        ("for v in a b; do $v; done", "a b"),
        ("for v in *; do $v; done", "line 1"),
        ("v=a; while x; do v=b; done; $v", "a b x"),
        ("if x; then v='a y'; else v=b; fi; $v; \"$v\" && c; case $v in b) d;; esac", "a b c d x"),
        ("if x; then v=; else v=a; fi; [ -n \"$v\" ] && $v; $(x) b", "a x line 1"),
        ("while x; do break; a; done; b", "b x"),
        ("set -- a b; shift; $1", "b"),
        ("eval 'a b'; eval \"$(c)\"", "a c line 1"),
        ("trap 'rm -f x' EXIT", "rm"),
        ("(exit 1); a `b` <<X\n$(c)\nX", "a b c"),
        (". /lib/f; helper", "inner"),
        (". /lib/g; helper", "helper"),
        ("[ \"${DPKG_ROOT:-/}\" = / ] && a; [ \"${u:-x}\" = x ] && b; ${v+c}", "a b"),
        ("/usr/bin/a; /usr/lib/b; command c; exec d; e", "/usr/lib/b a c d"),
        ("sh -c 'a; b'; find . -exec c {} +; x | xargs -r -n 1 d; env A=b e", "a b c d e env find sh x xargs"),
    ] {
        assert_eq!(names(script), expect, "{script}");
    }
}

#[test]
fn tells_what_was_tested_to_be_there() {
    for (script, expect) in [
        ("if command -v a >/dev/null; then a; fi", "a?a"),
        ("if [ -x /usr/bin/a ]; then b; fi", "b?a"),
        ("[ ! -x /usr/bin/a ] || a", "a?a"),
        ("which a || exit 0; a", "a?a which"),
        ("if [ -x \"`which a`\" ]; then a; fi; [ -n \"$(command -v c)\" ] && c", "a?a c?c which"),
        ("if command -v a; then a; fi; a", "a"),
        ("if ! type a; then b; else a; fi", "a?a b!a"),
        ("if command -v a; then exit 0; fi; b", "b!a"),
    ] {
        assert_eq!(names(script), expect, "{script}");
    }
}
