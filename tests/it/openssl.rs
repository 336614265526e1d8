//! `openssl rehash` against the real one: the same links for the same files.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use icos::{
    epoch::Epoch,
    shell::{Launch, Limits, Machine, OpenFile, exec},
    tree::{Node, Stat, Timestamp, Tree, TreePath},
};

use crate::support::judge::{judge, run};

/// Subjects, and whether their strings are written in the old types (T61, BMP) or as UTF-8.
const SUBJECTS: &[(&str, &str, bool)] = &[
    ("plain.pem", "/C=CH/O=Example/CN=One", true),
    ("folded.crt", "/C=ch/O=  EXAMPLE /CN=one", true),
    ("wide.cer", "/CN=\u{1f40e} \u{416}\u{416}  \u{c4}b", true),
    ("latin.crt", "/CN=Stra\u{df}e  Nr. 1/emailAddress=A@Example.org", false),
    ("bmp.crt", "/CN=\u{416}\u{416} X", false),
    ("several.crt", "/DC=org/DC=example/CN=B+OU=A", true),
    (
        "long.pem",
        "/O=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/OU=bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb/CN=c",
        true,
    ),
];

/// A folder of certificates, good and bad, with links that are right, wrong, and of others.
fn certificates(folder: &Path) -> Option<()> {
    for (name, subject, utf8) in SUBJECTS {
        let path = folder.join(name);
        let mut openssl = judge("openssl")?;
        let config = folder.join("config");
        let mask = if *utf8 { "utf8only" } else { "pkix" };
        let text = format!("[req]\ndistinguished_name=d\nstring_mask={mask}\n[d]\n");
        fs_err::write(&config, text).expect("written");
        openssl.args([
            "req",
            "-new",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-utf8",
        ]);
        openssl.args(["-multivalue-rdn", "-keyout", "/dev/null", "-subj", subject, "-config"]).arg(&config);
        let (code, _, errors) = run(openssl.arg("-out").arg(&path));
        assert_eq!(code, 0, "{name}: {errors}");
    }
    let read = |name: &str| fs_err::read_to_string(folder.join(name)).expect("made");
    let write = |name: &str, text: &str| fs_err::write(folder.join(name), text).expect("written");
    write("again.pem", &read("plain.pem"));
    write("bundle.crt", &(read("plain.pem") + &read("wide.cer")));
    write("wrapped.crt", &format!("text around it\n{}more\n", read("several.crt").replace('\n', "\r\n")));
    write("empty.pem", "");
    write("cut.pem", &read("plain.pem")[..200]);
    write("noise.pem", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n");
    write("other.txt", &read("plain.pem"));
    for (link, target) in [("deadbeef.0", "gone.pem"), ("0badcafe.r0", "gone.crl"), ("link.pem", "bmp.crt")] {
        std::os::unix::fs::symlink(target, folder.join(link)).expect("made");
    }
    Some(())
}

/// Names and targets of a folder's links.
type Links = BTreeMap<String, String>;

fn links(folder: &Path) -> Links {
    let text = |path: PathBuf| path.to_str().expect("UTF-8").to_owned();
    let entries = fs_err::read_dir(folder).expect("readable").map(|entry| entry.expect("there").path());
    let links = entries.filter(|path| path.is_symlink());
    links
        .map(|path| (text(path.file_name().expect("a name").into()), text(fs_err::read_link(&path).expect("a link"))))
        .collect()
}

/// The same folder in a tree, after our program.
fn ours(folder: &Path) -> (i32, String, Links) {
    let stat = |mode| Stat::root(mode, Timestamp::default());
    let mut tree = Tree::new(stat(0o755));
    for path in ["/certs", "/usr/bin"] {
        tree.create_dir_all(path.as_bytes(), &stat(0o755)).expect("made");
    }
    tree.create(b"/usr/bin/openssl", stat(0o755), Node::Regular(b"\x7fELF".to_vec().into())).expect("made");
    for entry in fs_err::read_dir(folder).expect("readable") {
        let path = entry.expect("there").path();
        let name = path.file_name().expect("a name").to_str().expect("UTF-8");
        let node = if path.is_symlink() {
            Node::Symlink(fs_err::read_link(&path).expect("a link").to_str().expect("UTF-8").as_bytes().to_vec().into())
        } else {
            Node::Regular(fs_err::read(&path).expect("readable").into())
        };
        tree.create(format!("/certs/{name}").as_bytes(), stat(0o644), node).expect("made");
    }
    let limits = Limits { steps: 1 << 20, depth: 100, bytes: 1 << 26, ..Limits::SCRIPT };
    let mut machine = Machine::new(tree, Epoch::from_variable(None).expect("valid"), "amd64", limits);
    let errors = OpenFile::buffer(Vec::new());
    let launch = Launch {
        argv: [b"openssl".as_slice(), b"rehash", b"."].map(<[u8]>::to_vec).into(),
        environment: [(b"PATH".to_vec(), b"/usr/bin".to_vec())].into_iter().collect(),
        folder: TreePath::new(b"/certs").expect("a path"),
        umask: 0o022,
        descriptors: [(0, OpenFile::null()), (1, OpenFile::null()), (2, errors.clone())].into(),
    };
    let status = exec::execute(&mut machine, launch).expect("all of it is modelled");
    let entries = machine.tree.find(b"/certs").and_then(|inode| inode.entries()).expect("a folder");
    let links = entries.iter().filter_map(|(name, id)| match &machine.tree.get(*id).node {
        Node::Symlink(target) => {
            let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("UTF-8");
            Some((text(name.as_bytes()), text(target)))
        }
        _ => None,
    });
    (status.0.into(), String::from_utf8(OpenFile::take(&errors)).expect("UTF-8"), links.collect())
}

fn check(folder: &Path) {
    let Some(mut openssl) = judge("openssl") else { return };
    let (status, errors, made) = ours(folder);
    let (code, _, complaints) = run(openssl.args(["rehash", "."]).current_dir(folder));
    assert_eq!(made, links(folder));
    assert_eq!((status, errors), (code, complaints));
}

#[test]
fn makes_the_same_links() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    if certificates(folder.path()).is_none() {
        return;
    }
    check(folder.path());
    // The links are there now; one is wrong, one certificate has gone.
    let all = links(folder.path());
    let hash =
        |file: &str| all.iter().find(|(_, target)| *target == file).map(|(name, _)| name.clone()).expect("linked");
    fs_err::remove_file(folder.path().join("several.crt")).expect("there");
    std::os::unix::fs::symlink("bmp.crt", folder.path().join(hash("wide.cer").replace(".0", ".7"))).expect("made");
    check(folder.path());
    check(folder.path());
}

/// The authorities that this machine trusts.
#[test]
fn makes_the_links_of_ca_certificates() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let real = Path::new("/etc/ssl/certs");
    if !real.is_dir() {
        return;
    }
    for entry in fs_err::read_dir(real).expect("readable") {
        let path = entry.expect("there").path();
        if path.extension().is_some_and(|extension| extension == "pem" || extension == "crt") && path.is_file() {
            fs_err::copy(&path, folder.path().join(path.file_name().expect("a name"))).expect("copied");
        }
    }
    check(folder.path());
}
