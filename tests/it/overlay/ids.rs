//! Numbers that accounts are pinned to, whoever makes them.

use icos::{manifest::image::Ids, shell::Fatal};

use super::{Beside, Row, machine, script};

const GIVEN: &str = "given /etc/passwd 0644 0:0 root:x:0:0:::/bin/sh\\nbackup:x:34:34:::\\n
given /etc/group 0644 0:0 root:x:0:\\nnogroup:x:65534:\\nusers:x:100:\\nbackup:x:34:\\n
given /etc/shadow 0640 0:0 root:*::0:99999:7:::\\nbackup:*::0:99999:7:::\\n
given /etc/gshadow 0640 0:0 root:*::\\nnogroup:*::\\nusers:*::\\nbackup:*::\\n
given /usr/lib/sysusers.d/a.conf 0644 0:0 u a 50 \"A\"\\nu b - \"B\"\\n
given /var/backups/ 0755 34:34
given /var/home/a/ 0755 0:0
---
";

/// The files of accounts, and who owns `/var/backups` and `/var/home/a`, after a script.
fn play(users: &[(&str, u32)], groups: &[(&str, u32)], text: &str) -> Result<String, String> {
    let named = |pins: &[(&str, u32)]| pins.iter().map(|(name, id)| ((*name).to_owned(), *id)).collect();
    let mut machine = machine(Row::parse(&format!("ids\n{GIVEN}")).tree());
    machine.ids = Ids { users: named(users), groups: named(groups) };
    let beside = Beside::new(&[], &script(&format!("{text}\n")));
    beside.apply(&mut machine).map_err(|error| error.to_string())?;
    let read = |path: &str| String::from_utf8_lossy(&machine.tree.read(path.as_bytes()).expect("there")).into_owned();
    let owner = |path: &str| {
        let stat = &machine.tree.find(path.as_bytes()).expect("there").stat;
        format!("{path} {}:{}\n", stat.uid, stat.gid)
    };
    match machine.absent_id() {
        Some((kind, name)) => Err(format!("absent {kind} {name}")),
        None => Ok(read("/etc/passwd") + &read("/etc/group") + &owner("/var/backups") + &owner("/var/home/a")),
    }
}

/// A pin does what a number among the arguments does, which is held against the real programs elsewhere.
#[test]
fn who_makes_an_account_gives_it_the_number() {
    let check = |users: &[(&str, u32)], groups: &[(&str, u32)], text: &str, plain: &str| {
        assert_eq!(play(users, groups, text), play(&[], &[], plain), "{text}");
    };
    let a = &[("a", 777)];
    check(a, &[], "adduser --system --home /var/home/a a", "adduser --system --uid 777 --home /var/home/a a");
    check(a, &[], "adduser --system --uid 778 a", "adduser --system --uid 777 a");
    check(a, a, "adduser --system --group a", "adduser --system --group --uid 777 a");
    check(a, a, "adduser --disabled-password --gecos x a", "adduser --disabled-password --gecos x --uid 777 a");
    check(&[], a, "addgroup --system a", "addgroup --system --gid 777 a");
    check(&[], a, "addgroup --gid 5000 a", "addgroup --gid 777 a");
    check(&[], a, "groupadd a", "groupadd -g 777 a");
    check(&[], a, "groupadd -r -g 5 a", "groupadd -g 777 a");
    check(a, &[], "useradd -r -g nogroup a", "useradd -r -g nogroup -u 777 a");
    check(a, a, "useradd -r -U a", "groupadd -g 777 a; useradd -r -g a -u 777 a");
    check(a, &[], "useradd -u 5 -g nogroup a", "useradd -g nogroup -u 777 a");
    let file = "/usr/lib/sysusers.d/a.conf";
    check(
        &[("a", 777), ("b", 778)],
        &[("b", 900)],
        &format!("systemd-sysusers; : > {file}"),
        &format!(
            "printf 'g a 777\\ng b 900\\nu a 777:a \"A\"\\nu b 778:b \"B\"\\n' > {file}; systemd-sysusers {file}; : > {file}"
        ),
    );
    // What is free is given to nobody else.
    check(
        &[("a", 100)],
        &[("a", 101)],
        "adduser --system b; adduser --system --group a",
        "adduser --system --uid 101 b; addgroup --gid 101 a; adduser --system --uid 100 --gid 101 a",
    );
    check(
        &[("a", 999)],
        &[("a", 998)],
        "groupadd -r b; groupadd -r c; groupadd -g 1 a; useradd -r -g a a",
        "groupadd -r b; groupadd -g 997 c; groupadd -g 998 a; useradd -u 999 -g a a",
    );
}

/// Lines that a script writes itself are put right when it has ended, with what the account owns.
#[test]
fn accounts_from_files_are_renumbered() {
    let got = play(&[("backup", 534)], &[("backup", 535)], ":").expect("renumbered");
    assert!(got.contains("backup:x:534:535:") && got.contains("backup:x:535:"), "{got}");
    assert!(got.contains("/var/backups 534:535\n"), "{got}");
    let line = "echo a:x:12:34::/:/bin/sh >> /etc/passwd; chown a /var/home/a";
    let got = play(&[("a", 777)], &[], line).expect("renumbered");
    assert!(got.contains("a:x:777:34:") && got.contains("/var/home/a 777:0\n"), "{got}");
}

#[test]
fn pins_that_can_not_hold() {
    let check = |users: &[(&str, u32)], groups: &[(&str, u32)], text: &str, expect: &str| {
        let error = play(users, groups, text).expect_err("refused");
        assert!(error.ends_with(expect), "{error}");
    };
    let taken = |kind, name: &str, id, holder: &str| {
        Fatal::Pinned { kind, name: name.to_owned(), id, holder: holder.to_owned() }.to_string()
    };
    check(&[("a", 34)], &[], "adduser --system a", &taken("user", "a", 34, "backup"));
    check(&[("a", 34)], &[], "useradd a", &taken("user", "a", 34, "backup"));
    check(&[], &[("a", 100)], "addgroup a", &taken("group", "a", 100, "users"));
    check(&[], &[("a", 100)], "groupadd a", &taken("group", "a", 100, "users"));
    check(&[("a", 34)], &[], "systemd-sysusers", &taken("user", "a", 34, "backup"));
    check(&[("backup", 0)], &[], ":", &taken("user", "backup", 0, "root"));
    check(&[("a", 777)], &[], ":", "absent user a");
    check(&[], &[("a", 777)], "adduser --system a", "absent group a");
}
