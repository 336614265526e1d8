//! `pam-auth-update` against the real one: the same profiles, answers and changes by hand give the same files.

use std::collections::BTreeMap;

use icos::{
    epoch::Epoch,
    shell::{Launch, Limits, Machine, OpenFile, exec},
    tree::{Node, Stat, Timestamp, Tree, TreePath},
};

use crate::support::judge::{judge, run};

/// Files by path; what both sides begin with, and what they leave.
type Files = BTreeMap<String, String>;

const TYPES: [&str; 5] = ["auth", "account", "password", "session", "session-noninteractive"];

/// A round: files that somebody writes (or takes away), then what is called.
struct Round {
    files: Vec<(&'static str, Option<String>)>,
    arguments: &'static str,
}

fn profile(fields: &str) -> Option<String> {
    Some(fields.replace('|', "\n"))
}

const UNIX: &str = "Name: Unix authentication|Default: yes|Priority: 256|Auth-Type: Primary|Auth:|\t[success=end \
    default=ignore]\tpam_unix.so nullok try_first_pass|Auth-Initial:|\t[success=end default=ignore]\tpam_unix.so nullok|\
    Account-Type: Primary|Account:|\t[success=end new_authtok_reqd=done default=ignore]\tpam_unix.so|Session-Type: \
    Additional|Session:|\trequired\tpam_unix.so|Password-Type: Primary|Password:|\t[success=end default=ignore]\tpam_unix.so \
    obscure use_authtok|Password-Initial:|\t[success=end default=ignore]\tpam_unix.so obscure|";
const OTHER: &str = "Name: Other service|Default: yes|Priority: 128|Auth-Type: Primary|Auth-Final:|\t[success=end \
    default=ignore]  pam_other.so  use_first_pass  x=1|\t[success=end ignore=ignore]\tpam_more.so||Session-Type: Additional|\
    Session-Interactive-Only: yes|Session:|\toptional\tpam_vendor.so|\t[success=end]\tpam_two.so|Conflicts: last, first|";
const LAST: &str = "Name: Last|Default: yes|Priority: 0|Session-Type: Additional|Session:|\toptional\tpam_last.so|";
const HOME: &str = "Name: Home|Default: no|Priority: 0|Session-Type: Additional|Session:|\toptional\tpam_home.so|";
const GONE: &str = "Name: Gone|Default: yes|Priority: 9|Auth-Type: Additional|Auth:|\trequired pam_tally.so|";

fn rounds() -> Vec<Round> {
    let auth = "/etc/pam.d/common-auth";
    let put = |name, text: &str| (name, profile(text));
    vec![
        Round { files: vec![put("/usr/share/pam-configs/unix", UNIX)], arguments: "--package --force" },
        Round {
            files: vec![put("/usr/share/pam-configs/home", HOME), put("/usr/share/pam-configs/gone", GONE)],
            arguments: "--package",
        },
        Round { files: vec![put("/usr/share/pam-configs/other", OTHER)], arguments: "--package" },
        Round { files: vec![put("/usr/share/pam-configs/last", LAST)], arguments: "--package" },
        Round { files: vec![], arguments: "--enable home" },
        Round {
            files: vec![("edit", Some("pam_unix.so nullok=pam_unix.so debug".to_owned()))],
            arguments: "--package",
        },
        Round { files: vec![], arguments: "--disable home other" },
        Round { files: vec![("edit", Some("# and here are=# and there were".to_owned()))], arguments: "--package" },
        Round { files: vec![], arguments: "--package --force" },
        Round { files: vec![(auth, None)], arguments: "--package" },
        Round { files: vec![], arguments: "--force" },
        Round { files: vec![("/usr/share/pam-configs/other", None)], arguments: "--package --remove last unix" },
    ]
}

/// Both sides, which share nothing but the templates of this machine.
struct Sides {
    root: tempfile::TempDir,
    machine: Machine,
}

const SHARED: &[&str] = &["/var/lib/dpkg/info/libpam-runtime.templates", "/usr/sbin/pam-auth-update"];

impl Sides {
    fn new() -> Self {
        let root = tempfile::tempdir().expect("a scratch folder");
        let stat = |mode| Stat::root(mode, Timestamp::default());
        let mut tree = Tree::new(stat(0o755));
        for path in ["etc/pam.d", "var/lib/pam", "usr/share/pam-configs"] {
            fs_err::create_dir_all(root.path().join(path)).expect("made");
        }
        let folders =
            ["/etc/pam.d", "/var/lib/pam", "/usr/share/pam-configs", "/usr/share/debconf", "/var/cache/debconf"];
        for path in folders {
            tree.create_dir_all(path.as_bytes(), &stat(0o755)).expect("made");
        }
        let program = || Node::Regular(b"\x7fELF".to_vec().into());
        tree.create(b"/usr/share/debconf/frontend", stat(0o755), program()).expect("made");
        let templates = TYPES.iter().map(|name| format!("/usr/share/pam/common-{name}"));
        for path in templates.chain(SHARED.iter().map(|path| (*path).to_owned())) {
            let bytes = fs_err::read(&path).expect("libpam-runtime is on every Debian machine");
            tree.create_dir_all(path.rsplit_once('/').expect("absolute").0.as_bytes(), &stat(0o755)).expect("made");
            tree.create(path.as_bytes(), stat(0o755), Node::Regular(bytes.into())).expect("made");
        }
        let limits = Limits { steps: 1 << 20, depth: 100, bytes: 1 << 26, ..Limits::SCRIPT };
        Self { root, machine: Machine::new(tree, Epoch::from_variable(None).expect("0"), "amd64", limits) }
    }

    fn change(&mut self, path: &str, text: Option<&str>) {
        if let ("edit", Some(edit)) = (path, text) {
            let (from, to) = edit.split_once('=').expect("two words");
            let path = "/etc/pam.d/common-auth";
            let now = fs_err::read_to_string(self.root.path().join(&path[1..])).expect("made");
            assert!(now.contains(from), "{now}");
            return self.change(path, Some(&now.replace(from, to)));
        }
        let real = self.root.path().join(&path[1..]);
        match text {
            Some(text) => {
                fs_err::write(real, text).expect("written");
                let stat = Stat::root(0o644, Timestamp::default());
                self.machine.tree.write(path.as_bytes(), text.as_bytes().to_vec(), stat).expect("written");
            }
            None => {
                fs_err::remove_file(real).expect("there");
                self.machine.tree.unlink(path.as_bytes()).expect("there");
            }
        }
    }

    fn theirs(&self, arguments: &[&str]) -> (i32, String, Files) {
        let root = self.root.path();
        let config = root.join("debconf.conf");
        let file = |name: &str| format!("Driver: File\nMode: 644\nFilename: {}/{name}\n", root.display());
        let text = format!(
            "Config: configdb\nTemplates: templatedb\n\nName: configdb\n{}\nName: templatedb\n{}",
            file("config.dat"),
            file("templates.dat")
        );
        fs_err::write(&config, text).expect("written");
        let mut command = judge("pam-auth-update").expect("asked for before");
        command.env("DEBIAN_FRONTEND", "noninteractive").env("DEBCONF_SYSTEMRC", &config).env("DEBCONF_PACKAGE", "p");
        let (code, _, errors) = run(command.arg("--root").arg(root).args(arguments));
        let mut files = Files::new();
        for folder in ["/etc/pam.d", "/var/lib/pam"] {
            for entry in fs_err::read_dir(root.join(&folder[1..])).expect("readable") {
                let path = entry.expect("there").path();
                let name = path.file_name().expect("a name").to_str().expect("UTF-8");
                files.insert(format!("{folder}/{name}"), fs_err::read_to_string(&path).expect("text"));
            }
        }
        files.insert("debconf".to_owned(), fs_err::read_to_string(root.join("config.dat")).expect("text"));
        (code, errors, files)
    }

    fn ours(&mut self, arguments: &[&str]) -> (i32, String, Files) {
        let errors = OpenFile::buffer(Vec::new());
        let variable = |name: &str, value: &str| (name.as_bytes().to_vec(), value.as_bytes().to_vec());
        let words = ["/usr/sbin/pam-auth-update"].iter().chain(arguments);
        let launch = Launch {
            argv: words.map(|word| word.as_bytes().to_vec()).collect(),
            environment: [variable("DEBIAN_FRONTEND", "noninteractive"), variable("DEBCONF_PACKAGE", "p")].into(),
            folder: TreePath::root(),
            umask: 0o022,
            descriptors: [(0, OpenFile::null()), (1, OpenFile::null()), (2, errors.clone())].into(),
        };
        let status = exec::execute(&mut self.machine, launch).expect("all of it is modelled");
        let tree = &self.machine.tree;
        let text = |path: &str| String::from_utf8(tree.read(path.as_bytes()).expect("a file").to_vec()).expect("UTF-8");
        let mut files = Files::new();
        for folder in ["/etc/pam.d", "/var/lib/pam"] {
            for name in tree.find(folder.as_bytes()).and_then(|inode| inode.entries()).expect("a folder").keys() {
                let path = format!("{folder}/{}", String::from_utf8_lossy(name.as_bytes()));
                files.insert(path.clone(), text(&path));
            }
        }
        files.insert("debconf".to_owned(), text("/var/cache/debconf/config.dat"));
        (status.0.into(), String::from_utf8(OpenFile::take(&errors)).expect("UTF-8"), files)
    }
}

#[test]
fn makes_the_same_files() {
    if judge("pam-auth-update").is_none() {
        return;
    }
    let mut sides = Sides::new();
    for (number, round) in rounds().into_iter().enumerate() {
        for (path, text) in &round.files {
            sides.change(path, text.as_deref());
        }
        let arguments: Vec<&str> = round.arguments.split(' ').collect();
        let (theirs, ours) = (sides.theirs(&arguments), sides.ours(&arguments));
        assert_eq!(ours, theirs, "round {number}: {}", round.arguments);
    }
}
