//! Caches of desktop packages against the real programs: the same bytes from the same files.

use std::{collections::BTreeMap, path::Path};

use icos::{
    epoch::Epoch,
    shell::{Launch, Limits, Machine, OpenFile, exec},
    tree::{Node, Stat, Timestamp, Tree, TreePath},
};

use crate::support::{
    judge::{judge, run},
    tree::folder,
};

/// Every regular file below a folder.
fn real(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut todo = vec![root.to_path_buf()];
    while let Some(path) = todo.pop() {
        if path.is_dir() && !path.is_symlink() {
            todo.extend(fs_err::read_dir(&path).expect("readable").map(|entry| entry.expect("there").path()));
        } else if path.is_file() {
            found.insert(path.to_str().expect("UTF-8").to_owned(), fs_err::read(&path).expect("readable"));
        }
    }
    found
}

fn made(tree: &Tree, root: &Path) -> BTreeMap<String, Vec<u8>> {
    let top = TreePath::new(root.to_str().expect("UTF-8").as_bytes()).expect("valid");
    let id = tree.lookup(top.as_bytes()).expect("there");
    let files = tree.walk_from(top, id).filter(|visit| tree.get(visit.id).is_file());
    files
        .map(|visit| {
            let path = String::from_utf8(visit.path.as_bytes().to_vec()).expect("UTF-8");
            let bytes = tree.read(visit.path.as_bytes()).expect("readable").to_vec();
            (path, bytes)
        })
        .collect()
}

/// Runs both programs on the same files: `@` in arguments stands for the folder that they are in.
fn check(program: &str, arguments: &[&str], files: &[(&str, &[u8])], packages: &[&str]) {
    let Some(mut theirs) = judge(program) else { return };
    let root = tempfile::tempdir().expect("a scratch folder");
    for (name, bytes) in files {
        let path = root.path().join(name);
        fs_err::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs_err::write(path, bytes).expect("written");
    }
    for folder in packages {
        let from = Path::new(folder);
        for (path, bytes) in real(from) {
            let path = root.path().join(Path::new(&path).strip_prefix(from).expect("below"));
            fs_err::create_dir_all(path.parent().expect("a folder")).expect("made");
            fs_err::write(path, bytes).expect("written");
        }
    }
    let mut tree = folder(root.path());
    let stat = Stat::root(0o755, Timestamp::default());
    tree.create_dir_all(b"/usr/bin", &stat).expect("made");
    let path = format!("/usr/bin/{program}");
    tree.create(path.as_bytes(), stat.clone(), Node::Regular(b"\x7fELF".to_vec().into())).expect("made");
    // Programs write their versions, which are asked of the packages.
    if let Ok(status) = fs_err::read("/var/lib/dpkg/status") {
        tree.create_dir_all(b"/var/lib/dpkg", &stat).expect("made");
        tree.create(b"/var/lib/dpkg/status", stat, Node::Regular(status.into())).expect("made");
    }
    let limits = Limits { steps: 1 << 20, depth: 100, bytes: 1 << 30, ..Limits::SCRIPT };
    let mut machine = Machine::new(tree, Epoch::from_variable(None).expect("0"), "amd64", limits);
    let folder = root.path().to_str().expect("UTF-8");
    let arguments: Vec<String> = arguments.iter().map(|argument| argument.replace('@', folder)).collect();
    let buffer = OpenFile::buffer(Vec::new());
    let launch = Launch {
        argv: [path].iter().chain(&arguments).map(|word| word.as_bytes().to_vec()).collect(),
        environment: Default::default(),
        folder: TreePath::root(),
        umask: 0o022,
        descriptors: [(0, OpenFile::null()), (1, buffer.clone()), (2, buffer)].into(),
    };
    let status = exec::execute(&mut machine, launch).expect("all of it is modelled");
    let (code, _, errors) = run(theirs.args(&arguments));
    assert_eq!(i32::from(status.0), code, "{errors}");
    let (made, real) = (made(&machine.tree, root.path()), real(root.path()));
    let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&made), names(&real), "{errors}");
    for (name, bytes) in &real {
        let ours = &made[name];
        let at = ours.iter().zip(bytes).take_while(|(a, b)| a == b).count();
        assert!(ours == bytes, "{name}: {} bytes, {} of the real one; they part at {at}", ours.len(), bytes.len());
    }
}

const SCHEMAS: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<schemalist gettext-domain="domain">
  <enum id="org.x.E"><value nick="one" value="1"/><value nick="minus" value="-1"/><value nick="hex" value="0x10"/></enum>
  <flags id="org.x.F"><value nick="none" value="0"/><value nick="aa" value="1"/><value nick="bb" value="2"/></flags>
  <schema id="org.x.base">
    <key name="plain" type="b"><default>true</default><summary>S</summary><description>D &amp; e</description></key>
    <key name="enumerated" enum="org.x.E"><default>'uno'</default><aliases><alias value="uno" target="one"/></aliases></key>
    <key name="enum-plain" enum="org.x.E"><default>'minus'</default></key>
    <key name="flagged" flags="org.x.F"><default>['aa', "bb"]</default></key>
    <key name="ranged" type="i"><range min="-5" max="10"/><default>3</default></key>
    <key name="half-ranged" type="d"><default>0.5</default><range max="1e3"/></key>
    <key name="chosen" type="as"><choices><choice value="a"/><choice value="longer than eight"/></choices>
      <aliases><alias value="b" target="a"/></aliases><default>['a', 'longer than eight']</default></key>
    <key name="maybe" type="ms"><default>nothing</default></key>
    <key name="maybe-two" type="mas"><choices><choice value="q"/></choices><default>['q']</default></key>
    <key name="l" type="s"><default l10n="messages" context="ctx">  'Text' </default></key>
    <key name="t" type="(uus)"><default l10n="time">(1, 2, '&lt;x&gt;')</default></key>
    <key name="dict" type="a{sv}"><default>{'a': &lt;1&gt;, 'b': &lt;'x'&gt;, 'c': &lt;[1.5, 2]&gt;, 'd': &lt;@as []&gt;}</default></key>
    <key name="pairs" type="a(ss)"><default><![CDATA[[('a', 'b'), ('c', 'd')]]]></default></key>
    <key name="bytes" type="ay"><default>b'ab\001'</default></key>
    <key name="mixed" type="(ybnqiuxtd)"><default>(1, true, -2, 3, -4, 5, -6, 7, 8)</default></key>
    <key name="nested" type="aa{s(im(yd)av)}"><default>[{'k': (1, (2, 3), [])}, {}]</default></key>
    <child name="kid" schema="org.x.other"/>
  </schema>
  <schema id="org.x.other" path="/org/x/other/" gettext-domain="own">
    <key name="a" type="s"><default l10n="messages">'x'</default></key>
  </schema>
  <schema id="org.x.item"><key name="name" type="s"><default>''</default></key></schema>
  <schema id="org.x.list" list-of="org.x.item" path="/org/x/list:/"/>
  <schema id="org.x.derived" extends="org.x.base">
    <override name="ranged">-5</override><override name="l" l10n="messages">'Other'</override>
    <key name="more" type="i"><default>0</default></key>
  </schema>
</schemalist>"#;

const OVERRIDES: &str = "# comment\n[org.x.base]\nplain=false\nranged=11\nenumerated = 'hex'\nchosen=['c']\n\n\
    [org.x.base:GNOME]\nranged=7\nl='no'\n[org.x.base:KDE:Plasma]\nranged=8\n[org.x.base:MATE]\nranged=9\n\
    [org.not.there]\nx=1\n[org.x.derived]\nplain=true\nmore=5\n";

/// As many schemas and keys as make the tables grow several times.
fn many() -> String {
    let keys = |count: usize| {
        (0..count).map(|n| format!("<key name='key-{n}' type='s'><default>'v{n}'</default></key>")).collect::<String>()
    };
    let schemas = (0..90).map(|n| format!("<schema id='org.many.s{n}'>{}</schema>", keys(n * 2))).collect::<String>();
    format!("<schemalist>{schemas}</schemalist>")
}

#[test]
fn schemas() {
    let program = "glib-compile-schemas";
    let many = many();
    // A file whose last key is wrong is passed over, with what it defined before.
    let wrong =
        many.replace("org.many", "org.wrong").replace("</schemalist>", "<schema id='z'><key/></schema></schemalist>");
    let uses =
        "<schemalist><schema id='u'><key name='e' enum='early'><default>'xx'</default></key></schema></schemalist>";
    let defines = "<schemalist><enum id='early'><value nick='xx' value='3'/></enum></schemalist>";
    let files: &[(&str, &[u8])] = &[
        ("b.gschema.xml", SCHEMAS.as_bytes()),
        ("many.gschema.xml", many.as_bytes()),
        ("a.gschema.xml", wrong.as_bytes()),
        ("10_x.gschema.override", OVERRIDES.as_bytes()),
        ("20_x.gschema.override", b"[org.x.other]\na='y'\nnot a key\n"),
        ("uses.gschema.xml", uses.as_bytes()),
        ("z.enums.xml", defines.as_bytes()),
        ("other.xml", b"<"),
    ];
    check(program, &["@"], files, &[]);
    check(program, &["--strict", "@"], files, &[]);
    check(program, &["--strict", "@"], &files[..1], &[]);
    check(program, &["--dry-run", "@"], &files[..1], &[]);
    check(program, &["@"], files, &["/usr/share/glib-2.0/schemas"]);
    check(program, &["@"], &[], &["/usr/share/glib-2.0/schemas"]);
    check(program, &["@"], &[("gschemas.compiled", b"old"), ("a", b"")], &[]);
}

const TYPES: &str = r#"<?xml version="1.0"?>
<!DOCTYPE mime-info [ <!ELEMENT mime-info (mime-type)+> <!ATTLIST glob weight CDATA "50"> ]>
<mime-info xmlns="http://www.freedesktop.org/standards/shared-mime-info">
  <!-- a comment -->
  <mime-type type="application/x-One"><comment>One &amp; "two" &lt;é></comment><comment xml:lang="de">Eins</comment>
    <comment>Again</comment><acronym>A</acronym><expanded-acronym xml:lang="fr">A "b"	c</expanded-acronym><unknown/>
    <glob pattern="*.One"/><glob weight="80" pattern="*.ONE" case-sensitive="true"/><glob pattern="literal"/>
    <glob pattern="[ab]*.x"/><glob pattern="*"/>
  </mime-type>
</mime-info>"#;

const MORE_TYPES: &str = r##"<mime-info xmlns="http://www.freedesktop.org/standards/shared-mime-info">
  <mime-type type="application/x-one"><comment xml:lang="de">Neu</comment><glob-deleteall/><magic-deleteall/>
    <glob pattern="*.one" weight="10"/><alias type="application/one"/><alias type="image/One"/>
    <sub-class-of type="text/plain"/><sub-class-of type="application/xml"/><icon name="i"/><generic-icon name="g"/>
    <root-XML namespaceURI="http://x/" localName="one"/><root-XML namespaceURI="" localName="two"/>
    <magic priority="80"><match offset="0" type="string" value="a\nb\x41\101\\q" mask="0xff00ffFFff"/>
      <match offset="4:256" type="big16" value="0x1234" mask="0xff0f"><match offset="8" type="host32" value="017"/>
        <match offset="1" type="byte" value="255"><match offset="2" type="little32" value="305419896"/></match></match>
      <match offset="9" type="host16" value="1"/></magic>
    <treemagic priority="40"><treematch path="a/b" type="directory" match-case="true"/>
      <treematch path="c" executable="true" non-empty="true" mimetype="x/y"><treematch path="d" type="link"/></treematch>
    </treemagic>
  </mime-type>
  <mime-type type="text/x-b"><comment>B</comment><glob pattern="*.one"/><glob pattern="*.d.one"/><glob pattern="*~"/>
    <glob pattern="*.é"/><magic><match offset="0" type="string" value="B"/></magic></mime-type>
  <mime-type type="text/x-a"><magic><match offset="0" type="string" value="A"/></magic><magic/><glob pattern="*.lost"/></mime-type>
  <mime-type type="strange/t"><comment>t</comment><magic><match offset="0" type="odd" value="A"/></magic></mime-type>
  <mime-type type="bad"/><mime-type/><other/>
</mime-info>"##;

#[test]
fn mime_types() {
    let program = "update-mime-database";
    let overrides = MORE_TYPES.replace("x-one", "x-override");
    let types = TYPES.replace("<glob pattern=\"*\"/>", "");
    let files: &[(&str, &[u8])] = &[
        ("packages/b.xml", types.as_bytes()),
        ("packages/c.xml", MORE_TYPES.as_bytes()),
        ("packages/Override.xml", overrides.as_bytes()),
        ("packages/other", b"<"),
        ("packages/wrong.xml", b"<mime-info/>"),
        ("text/gone.xml", b"old"),
        ("gone/gone.xml", b"old"),
        ("mime.cache", b"old"),
    ];
    check(program, &["@/"], &files[..1], &[]);
    check(program, &["@"], files, &[]);
    check(program, &["@"], &[("packages/none", b"")], &[]);
    check(program, &["@"], &[("none", b"")], &[]);
    let machine = fs_err::read("/usr/share/mime/packages/freedesktop.org.xml").expect("shared-mime-info is installed");
    check(program, &["@"], &[("packages/freedesktop.org.xml", &machine), files[1]], &[]);
}

#[test]
fn icons() {
    let program = "gtk-update-icon-cache";
    let many: Vec<String> = (0..400)
        .flat_map(|n| {
            let folder = ["16x16/apps", "48x48/apps", "scalable/apps", "a", "48x48/b"][n % 5];
            [format!("{folder}/icon-{}.png", n / 2), format!("{folder}/icon-{n}.svg"), format!("{folder}/x{n}.xpm")]
        })
        .collect();
    let mut files: Vec<(&str, &[u8])> = many.iter().map(|path| (path.as_str(), b"".as_slice())).collect();
    check(program, &["--force", "--quiet", "@"], &files, &[]);
    check(program, &["-f", "-q", "-t", "@"], &files, &[]);
    files.push(("index.theme", b"[Icon Theme]"));
    files.extend([("top.png", b"".as_slice()), ("a/a.png", b""), ("b/notes.txt", b""), ("b/b/a.b.svg", b"")]);
    check(program, &["--force", "--quiet", "@"], &files, &[]);
    check(program, &["--force", "@"], &[("index.theme", b""), ("icon-theme.cache", b"old"), ("b/x", b"")], &[]);
}

const MORE_APPLICATIONS: &str = "[Desktop Entry]\nMimeType=all/a;X-foo/b;chemical/x;font/x;example/x;inode/x;x-epoc/a;Text/x;text/.;\
    text/a=b;text/*;text/a~;text/a';text/a/b;/a;text/;text/a{|`%!#$&^_;te xt/a;text/\u{e9};text/a@;text/a,b;text/a:b;x-/a;\
    text/a b; text/early;multipart/x;message/x;model/x;te.xt/x;text/(;text/[;\n";

#[test]
fn applications() {
    let program = "update-desktop-database";
    let entry = "[Desktop Entry]\nName=x\nMimeType=text/plain;image/png;text/plain;\n";
    let files: &[(&str, &[u8])] = &[
        ("b.desktop", entry.as_bytes()),
        ("a.desktop", b"# c\n[Desktop Entry]\nMimeType = text/plain ; x-scheme-handler/http;application/x-a+b\n[Other]\nMimeType=a/b\n"),
        ("more.desktop", MORE_APPLICATIONS.as_bytes()),
        ("kde/c.desktop", entry.as_bytes()),
        ("kde4.desktop", entry.as_bytes()),
        ("kde/4.desktop", entry.as_bytes()),
        ("hidden.desktop", b"[Desktop Entry]\nMimeType=text/plain;\nHidden=true\n"),
        ("nodisplay.desktop", b"[Desktop Entry]\nMimeType=text/plain;\nNoDisplay=true\n"),
        ("none.desktop", b"[Desktop Entry]\nName=x\n"),
        ("wrong.desktop", b"nothing\n"),
        ("z.desktop", b"[Desktop Entry]\nMimeType=\n"),
        ("x.txt", entry.as_bytes()),
    ];
    check(program, &["-q", "@"], files, &[]);
    check(program, &["@"], &files[10..], &[]);
    check(program, &["-q", "@"], &files[8..], &[]);
}

/// A manual with entries of every kind; `%` stands for the number of the manual.
const MANUAL: &str = "This is it.\n\nINFO-DIR-SECTION Individual utilities\nINFO-DIR-SECTION Zoo %\nSTART-INFO-DIR-ENTRY\n\
    * tool%: (m%)Invoking.  A description that is far too long to stand on one line of this file, and so must be broken.\n\
    * a tool whose name is so long that nothing fits: (m%)A node.\n                                      Two\n\
    \t\tlines.\n  And a third\n* same: (m%).  One of many.\n* no description: (m%).\nEND-INFO-DIR-ENTRY\n\
    INFO-DIR-SECTION Basics\nSTART-INFO-DIR-ENTRY\n* M%: (m%).\tA manual.\n* M: (m%). Averyveryveryveryveryveryveryveryveryvery\
    veryveryveryveryverylongwordthatnobodycanbreak and more\nEND-INFO-DIR-ENTRY\n\x1f\nText\n";

#[test]
fn manuals() {
    let program = "install-info";
    let manual = |number: &str| MANUAL.replace('%', number);
    let [one, two] = ["1", "2"].map(manual);
    let old = |text: &str| format!("Text\n\x1f\nFile: dir,\tNode: Top\tT\n\n* Menu:\n{text}");
    for dir in [
        "",
        "\nBasics\n* A: (a).  a\n* M1: (old).  x\n  y\n* Z: (z). z\n\nZoo 1\n* x: (x). x\n\n\n",
        "\nZzz\n* z: (z).\n",
        "\nA\n* a: (a). a\n",
    ] {
        let dir = old(dir);
        check(program, &["@/m.info", "@/dir"], &[("m.info", one.as_bytes()), ("dir", dir.as_bytes())], &[]);
        check(program, &["@/m.info", "@/dir"], &[("m.info", two.as_bytes()), ("dir", dir.as_bytes())], &[]);
    }
    let default = "START-INFO-DIR-ENTRY\n* A: (a).  b\nEND-INFO-DIR-ENTRY\n";
    let unmatched = "START-INFO-DIR-ENTRY\n* A: (a).  b\nSTART-INFO-DIR-ENTRY\nEND-INFO-DIR-ENTRY\n";
    for text in [one.as_str(), default, unmatched, "none\n", "a manual without an entry\n"] {
        check(program, &["--quiet", "@/m.info", "@/dir"], &[("m.info", text.as_bytes())], &[]);
    }
}

#[test]
fn bitmap_fonts() {
    let program = "mkfontscale";
    let files: &[(&str, &[u8])] = &[
        (
            "e/a.enc",
            b"# c\nSTARTENCODING Test-1\nALIAS b\nSIZE 256\nALIAS a\nSTARTMAPPING unicode\nALIAS no\nENDMAPPING\n",
        ),
        ("e/b", b"STARTENCODING Test-1\n"),
        ("e/none", b"ALIAS x\nSTARTENCODING y\n"),
        ("fonts.scale", b"2\none.ttf -one-\na.pfa -two-\n"),
        ("notes.txt", b"nothing\n"),
    ];
    let fonts = &["/usr/share/fonts/X11/misc"];
    check(program, &["-b", "-s", "-l", "@"], files, fonts);
    check(program, &["-b", "-s", "-l", "-e", "@/e", "@"], files, fonts);
    check(program, &["-b", "-s", "-l", "-e", "@/e", "@"], &files[4..], &[]);
}
