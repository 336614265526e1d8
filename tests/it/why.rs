//! Who made a path: packages and an overlay made on the spot, whose every change is known.

use std::collections::BTreeMap;

use icos::{
    configure::{self, Options},
    overlay,
    pipeline::explain,
    shell::Machine,
    tree::Tree,
};

use crate::support::deb::{Deb, layers};

const POSTINST: &str = "#!/bin/sh
set -e
[ \"$1\" = configure ] || exit 0
sed -i s/a/b/ /etc/edited
mv /etc/old /etc/new
ln /etc/plain /etc/hard
ucf /usr/share/p/default /etc/by-ucf
echo hello > /etc/echoed
restrict() {
    chmod 600 \"$1\"
}
restrict /etc/new
cp /etc/plain /etc/swapped.dpkg-new
mv /etc/swapped.dpkg-new /etc/swapped
mkdir /etc/first
touch /etc/first/x
mv /etc/first /etc/second
rm /etc/gone
eval 'echo x > /etc/evaluated'
cat > /etc/twice << END
text
END
mkdir /etc/short
touch /etc/short/x
rm -r /etc/short
. /usr/share/p/functions
change /etc/sourced
cp /etc/plain /etc/kept
mv /etc/kept /etc/away
mkdir /run
touch /run/x
";

const OVERLAY: &str = r#"
[[step]]
copy = { from = "files", to = "/opt" }
[[step]]
replace = { path = "/etc/twice", matching = "text", with = "word" }
[[step]]
remove = { paths = ["/etc/hard", "/srv/data"] }
[[step]]
script = { text = "set -e\n\nrm /etc/echoed\nchmod 0640 /etc/plain\n" }
"#;

/// The programs that scripts of these tests call.
fn tools() -> Deb {
    let names = ["cat", "chmod", "cp", "dpkg-divert", "grep", "ln", "mkdir", "mv", "rm", "sed", "sh", "touch", "chown"];
    let tools = names.iter().fold(Deb::new("tools", "1"), |deb, name| deb.file(&format!("usr/bin/{name}"), b"\x7fELF"));
    tools
        .file("usr/bin/ucf", b"#!/bin/sh\n# Puts a file into its place.\ncp \"$1\" \"$2\"\n")
        .file("usr/sbin/ldconfig", b"\x7fELF \0ldconfig (Debian GLIBC 2.36-9) stable release version 2.36.\0")
        .control("triggers", "interest-noawait ldconfig\n")
        .control("postinst", "#!/bin/sh\n[ \"$1\" != triggered ] || ldconfig\n")
}

fn packages() -> Vec<Deb> {
    let p = ["edited", "old", "plain", "gone", "sourced"]
        .iter()
        .fold(Deb::new("p", "2-1"), |deb, name| deb.file(&format!("etc/{name}"), b"a\n"));
    vec![
        tools(),
        p.file("etc/conf", b"conf\n")
            .file("etc/stale", b"new\n")
            .file("usr/share/p/default", b"default\n")
            .file("usr/share/p/functions", b"change() {\n    echo y >> \"$1\"\n}\n")
            .file("srv/data/deep/file", b"x")
            .control("conffiles", "/etc/conf\n/etc/stale\n")
            .control("triggers", "activate-noawait ldconfig\n")
            .control("preinst", "#!/bin/sh\ndpkg-divert --package p --add --rename --divert /usr/bin/t.q /usr/bin/t\necho old > /etc/stale\n")
            .control("postinst", POSTINST),
        Deb::new("q", "1").file("usr/bin/t", b"q's"),
    ]
}

/// The packages installed and the overlay applied.
fn tree(journal: bool) -> Tree {
    let options = Options { journal, ..super::configure::options() };
    let tree = configure::install(&layers(&packages()), &options, &|_| {}).expect("installed").tree;
    let folder = tempfile::tempdir().expect("a scratch folder");
    fs_err::create_dir_all(folder.path().join("files/bin")).expect("made");
    fs_err::write(folder.path().join("files/bin/tool"), "tool").expect("written");
    fs_err::write(folder.path().join("overlay.toml"), OVERLAY).expect("written");
    let mut machine = Machine::new(tree, options.epoch, &options.architecture, options.limits);
    let variants = ["dev".to_owned()].into();
    let source = overlay::Source { folder: folder.path(), variant: "dev", variants: &variants, stored: &|_| None };
    overlay::apply(&mut machine, &overlay::load("o", &source).expect("valid")).expect("applied");
    machine.tree
}

/// What is said of a path, a name or a deed in a line.
fn told(tree: &mut Tree, path: &str) -> String {
    let Some(explained) = explain(tree, &BTreeMap::from([("p", "2-1")]), path.as_bytes()) else {
        return "nothing\n".to_owned();
    };
    let mut text = String::new();
    for name in &explained.names {
        let what = name.is.as_ref().map_or("gone", |is| is.kind);
        text += &format!("{} {what} [{}]\n", name.path, name.packages.join(", "));
        text += &name.not_made.map(|reason| format!("never: {reason}\n")).unwrap_or_default();
        for line in &name.history {
            let other = line.other.as_ref().map(|other| format!(", {} {}", other.how, other.path)).unwrap_or_default();
            text += &format!("{}: {}{other}\n", line.deed, line.by);
        }
    }
    text
}

#[test]
fn tells_who_made_what() {
    let mut tree = tree(true);
    let mut check = |path: &str, expect: &str| assert_eq!(told(&mut tree, path), expect, "{path}");
    check("/etc/plain", "/etc/plain file [p 2-1]\nmade: package p\nmode: overlay o step 4 (script) line 4 → chmod\n");
    check("/etc/edited", "/etc/edited file [p 2-1]\nmade: package p\nreplaced: p postinst:4 → sed\n");
    check(
        "/etc/new",
        "/etc/new file []\nmade: package p, as /etc/old\nmoved: p postinst:5 → mv, from /etc/old\nmode: p postinst:10 → chmod\n",
    );
    check("/etc/old", "/etc/old gone [p 2-1]\nmade: package p\nmoved: p postinst:5 → mv, to /etc/new\n");
    check(
        "/etc/hard",
        "/etc/hard gone []\nmade: package p, as /etc/plain\nlinked: p postinst:6 → ln, to /etc/plain\nremoved: overlay o step 3 (remove) → rm\n",
    );
    check("/etc/by-ucf", "/etc/by-ucf file []\nmade: p postinst:7 → ucf:3 → cp\n");
    check(
        "/etc/echoed",
        "/etc/echoed gone []\nmade: p postinst:8 → echo\nremoved: overlay o step 4 (script) line 3 → rm\n",
    );
    check(
        "/etc/swapped",
        "/etc/swapped file []\nmade: p postinst:13 → cp, as /etc/swapped.dpkg-new\nmoved: p postinst:14 → mv, from /etc/swapped.dpkg-new\n",
    );
    check(
        "/etc/second/x",
        "/etc/second/x file []\nmade: p postinst:16 → touch\nmoved: p postinst:17 → mv, with /etc/first\n",
    );
    check(
        "/etc/first/x",
        "/etc/first/x gone []\nmade: p postinst:16 → touch\nmoved: p postinst:17 → mv, with /etc/first\n",
    );
    check("/etc/first", "/etc/first gone []\nmade: p postinst:15 → mkdir\nmoved: p postinst:17 → mv, to /etc/second\n");
    check("/etc/gone", "/etc/gone gone [p 2-1]\nmade: package p\nremoved: p postinst:18 → rm\n");
    check("/etc/evaluated", "/etc/evaluated file []\nmade: p postinst:19 → echo\n");
    check("/etc/twice", "/etc/twice file []\nmade: p postinst:20 → cat\nwritten: overlay o step 2 (replace) → cat\n");
    check("/etc/short/x", "/etc/short/x gone []\nmade: p postinst:24 → touch\nremoved: p postinst:25 → rm\n");
    check("/etc/sourced", "/etc/sourced file [p 2-1]\nmade: package p\nwritten: p postinst:27 → functions:2 → echo\n");
    check(
        "/etc/away",
        "/etc/away file []\nmade: p postinst:28 → cp, as /etc/kept\nmoved: p postinst:29 → mv, from /etc/kept\n",
    );
    check("/etc/kept", "/etc/kept gone []\nmade: p postinst:28 → cp\nmoved: p postinst:29 → mv, to /etc/away\n");
    check(
        "/run/x",
        "/run/x gone []\nmade: p postinst:31 → touch\nremoved: policy: both are empty whenever a system boots\n",
    );
    check("/etc/conf", "/etc/conf file [p 2-1]\nmade: package p\nkept: conffile of p\n");
    check("/etc/stale", "/etc/stale file [p 2-1]\nmade: package p\nwritten: p preinst:3 → echo\nkept: conffile of p\n");
    check(
        "/etc/stale.dpkg-dist",
        "/etc/stale.dpkg-dist file []\nmade: package p, as /etc/stale.dpkg-new\nmoved: conffile of p, from /etc/stale.dpkg-new\n",
    );
    check("/usr/bin/t", "/usr/bin/t gone [q]\nmade: package q\nmoved: p preinst:2 → dpkg-divert, to /usr/bin/t.q\n");
    check(
        "/usr/bin/t.q",
        "/usr/bin/t.q file []\nmoved: p preinst:2 → dpkg-divert, from /usr/bin/t\nreplaced: package q\n",
    );
    check("/etc/ld.so.cache", "/etc/ld.so.cache file []\nmade: trigger ldconfig: tools postinst:2 → ldconfig\n");
    check("/opt/bin/tool", "/opt/bin/tool file []\nmade: overlay o step 1 (copy)\n");
    check(
        "/srv/data/deep/file",
        "/srv/data/deep/file gone [p 2-1]\nmade: package p\nremoved: overlay o step 3 (remove) → rm\n",
    );
    check("/bin/t", "/usr/bin/t gone [q]\nmade: package q\nmoved: p preinst:2 → dpkg-divert, to /usr/bin/t.q\n");
    check(
        "/etc/ssh/ssh_host_rsa_key",
        "/etc/ssh/ssh_host_rsa_key gone []\nnever: private keys must not be in an image; the machine makes its own\n",
    );
    check(
        "/usr/lib/x/__pycache__",
        "/usr/lib/x/__pycache__ gone []\nnever: byte-code is a cache that only Python itself can make\n",
    );
    check("/etc/nothing", "nothing\n");
    check("/", "/ directory []\nmade: the empty root that packages are unpacked into\n");
    check(
        "/bin",
        "/bin symlink []\nmade: the empty root that packages are unpacked into\n/usr/bin directory [q, tools]\nmade: the empty root that packages are unpacked into\n",
    );
    check("/usr", "/usr directory [p 2-1, q, tools]\nmade: the empty root that packages are unpacked into\n");
    check("/var/lib/dpkg/status", "/var/lib/dpkg/status file []\nmade: dpkg's database\n");
    check("/var/lib/dpkg/info/p.list", "/var/lib/dpkg/info/p.list file []\nmade: dpkg's database, about p\n");
    check(
        "/usr/sbin/policy-rc.d",
        "/usr/sbin/policy-rc.d gone []\nmade and removed: policy: it kept services from being started while packages were configured\n",
    );
    check("/etc", "/etc directory [p 2-1]\nmade: package p\n");
}

#[test]
fn says_the_same_in_json() {
    let explained = explain(&mut tree(true), &BTreeMap::new(), b"/etc/swapped").expect("there");
    let told = serde_json::to_value(&explained).expect("JSON");
    let script = serde_json::json!({ "kind": "script", "package": "p", "script": "postinst", "reason": "configure" });
    let path = "/var/lib/dpkg/info/p.postinst";
    assert_eq!(told["path"], "/etc/swapped");
    assert_eq!(told["names"][0]["is"]["kind"], "file");
    assert_eq!(
        told["names"][0]["history"][1],
        serde_json::json!({
            "deed": "moved",
            "other": { "how": "from", "path": "/etc/swapped.dpkg-new" },
            "by": "p postinst:14 → mv",
            "causes": [script, { "kind": "line", "script": path, "line": 14 }, { "kind": "command", "name": "mv" }],
        })
    );
}

#[test]
fn a_journal_changes_nothing() {
    assert_eq!(icos::tree::dump(&tree(true)), icos::tree::dump(&tree(false)));
}
