//! Scripts that go too far end soon, with package, script and line; those that only wait a while don't.

use icos::{
    configure::{self, Options},
    shell::Limits,
};

use crate::{
    configure::options,
    support::deb::{Deb, layers},
};

/// A postinst on a system of a few programs: how its installation ends.
fn install(script: &str) -> Result<(), String> {
    let programs =
        ["awk", "cat", "dd", "find", "ln", "ls", "mkdir", "rm", "sed", "seq", "sleep", "sort", "test", "truncate"];
    let tools = programs.iter().fold(Deb::new("tools", "1"), |deb, name| deb.file(&format!("bin/{name}"), b"\x7fELF"));
    let deb = Deb::new("app", "1").control("postinst", script);
    let limits = Limits { steps: 1_000_000, text: 1 << 20, ..Limits::SCRIPT };
    match configure::install(&layers(&[tools, deb]), &Options { limits, ..options() }, &|_| {}) {
        Ok(_) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

#[test]
fn end_soon_with_their_place() {
    let work = "more than 1000000 steps of work";
    let text = "more than 1048576 bytes in one text";
    let depth = "more than 200 nested commands";
    let rows = [
        (2, "while :; do :; done", work),
        (3, "x=1\nuntil [ -e /never ]; do sleep 1; done", work),
        (2, "sleep infinity", work),
        (2, "while sleep 0; do :; done", work),
        (2, "while cat /bin/cat >/dev/null; do nonesuch; done", work),
        (3, "x=0123456789abcdef\nwhile :; do x=$x$x; done", text),
        (3, "x=0123456789abcdef\nwhile :; do y=$y$x; set -- \"$@\" \"$y$y$y$y$y$y$y$y\"; done", ""),
        (3, "x=0123456789abcdef\nwhile :; do x=\"${y:-$x$x}\"; done", text),
        (2, "awk 'BEGIN { x = \"0123456789abcdef\"; while (1) x = x x }'", text),
        (2, "awk 'BEGIN { x = \"0123456789abcdef\"; while (1) gsub(/./, \"xx\", x) }'", text),
        (2, "awk 'BEGIN { x = sprintf(\"%1000000s\", \"\"); while (1) a[i++] = x i }'", work),
        (2, "echo x | sed ':a;s/x/xx/g;ba'", text),
        (2, "echo x | sed ':a;H;G;h;ba'", text),
        (2, "while :; do cat /bin/*; cat /a /a >/b; cat /b /b >>/a; echo x >>/a; done", work),
        (2, "x=$(seq 40000); eval \"f() { : '$x'; }\"", work),
        (4, "x=$(seq 20000)\nalias a=\"f '$x';\"\na\na", work),
        (3, "x=$(seq 20000)\ny=${x##$(seq -s '*' 5000)}", work),
        (2, "mkdir -p $(seq 6000)", work),
        (2, "truncate -s 40M /x", work),
        (2, "seq 1000001 >/dev/null", work),
        (3, "set -- $(seq 100000)\nset -- $@; set -- $@; set -- $@", work),
        (3, "seq 100000 >/x\nsort /x /x /x >/y", work),
        (3, "dd if=/dev/zero of=/x bs=1M count=2 2>/dev/null\nsed p /x", text),
        (3, "mkdir /d\ncd /d; ln -s . a; ln -s . b; ln -s . c; ln -s . d; echo */*/*/*/*/*/*/*/*/*/*/*/*/*/*", work),
        (2, "f() { f; }; f", depth),
        (2, "eval \"$(cat \"$0\")\"", depth),
        (2, "exec \"$0\"", depth),
        (3, "n=100\nx=$(f() { x=$(f); }; f)", depth),
        (4, ":\n:\n$((1 + $(f() { x=$(f); }; f)))", depth),
    ];
    for (line, script, reason) in rows {
        let error = install(&format!("#!/bin/sh\n{script}\n")).expect_err(script);
        assert!(
            error.starts_with("postinst of package app: /var/lib/dpkg/info/app.postinst:"),
            "{script}: {error:.300}"
        );
        assert!(error.contains(&format!("app.postinst:{line}: ")), "{script}: {error:.300}");
        assert!(error.contains(reason), "{script}: {error:.300}");
    }
}

#[test]
fn patience_is_no_fault() {
    for script in
        ["sleep 5", "for i in 1 2 3 4 5; do sleep 2; done", "sleep 0.1 0.1s", "x=$(seq 20000); y=${x%%*a*}${x##*a*}"]
    {
        assert_eq!(install(&format!("#!/bin/sh\n{script}\n")), Ok(()), "{script}");
    }
}

#[test]
fn the_system_below_dpkg_stays() {
    for script in ["rm -rf /*", "rm -r /var/lib/dpkg", "cd /var/lib/dpkg; rm -r info"] {
        let error = install(&format!("#!/bin/sh\n{script}\n")).expect_err(script);
        assert_eq!(
            error, "postinst of package app has removed /var/lib/dpkg/info, which dpkg keeps its database in",
            "{script}"
        );
    }
}

#[test]
fn an_interpreter_with_a_carriage_return_is_none() {
    let error = install("#!/bin/sh\r\necho x\r\n").expect_err("no such interpreter");
    assert_eq!(error, "postinst of package app: postinst: the interpreter `/bin/sh\\r` is not modelled");
}
