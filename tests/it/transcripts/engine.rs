//! Transcripts played by icos.

use icos::{
    epoch::Epoch,
    shell::{Launch, Limits, Machine, OpenFile, exec},
    tree::{Node, Stat, Timestamp, Tree, TreePath},
};

use super::{
    EPOCH, PATH,
    script::{Entry, Listing, Outcome, Script, is_dropped},
};

pub fn run(script: &Script) -> Vec<Outcome> {
    let mut machine = machine(script);
    let mut outcomes = Vec::new();
    for step in &script.steps {
        let before = listing(&machine.tree);
        let (output, errors) = (OpenFile::buffer(Vec::new()), OpenFile::buffer(Vec::new()));
        let variable = |name: &str, value: &str| (name.as_bytes().to_vec(), value.as_bytes().to_vec());
        let launch = Launch {
            argv: step.argv.iter().map(|word| word.as_bytes().to_vec()).collect(),
            environment: [variable("PATH", PATH), variable("LC_ALL", "C.UTF-8")].into(),
            folder: TreePath::root(),
            umask: 0o022,
            descriptors: [(0, OpenFile::buffer(step.input.clone())), (1, output.clone()), (2, errors.clone())].into(),
        };
        let status = exec::execute(&mut machine, launch).unwrap_or_else(|fatal| panic!("{:?}: {fatal}", step.argv));
        outcomes.push(Outcome {
            status: status.0.into(),
            output: OpenFile::take(&output),
            errors: OpenFile::take(&errors),
            before,
            after: listing(&machine.tree),
        });
    }
    outcomes
}

fn machine(script: &Script) -> Machine {
    let folder = || Stat::root(0o755, Timestamp::default());
    let mut tree = Tree::new(folder());
    for path in ["/usr/bin", "/usr/sbin", "/usr/lib", "/etc", "/var/lib", "/var/log", "/run", "/tmp", "/root"] {
        tree.create_dir_all(path.as_bytes(), &folder()).expect("made");
    }
    for name in ["bin", "sbin", "lib"] {
        let node = Node::Symlink(format!("usr/{name}").into_bytes().into());
        tree.create(format!("/{name}").as_bytes(), Stat::root(0o777, Timestamp::default()), node).expect("made");
    }
    for (path, entry) in &script.given {
        give(&mut tree, path, entry);
    }
    let called = script.steps.iter().map(|step| step.argv[0].as_str());
    for name in called.chain(script.programs.iter().map(String::as_str)) {
        for folder in ["/usr/bin", "/usr/sbin"] {
            let node = Node::Regular(b"\x7fELF".to_vec().into());
            // A transcript may call the same program often.
            let _ = tree.create(format!("{folder}/{name}").as_bytes(), Stat::root(0o755, Timestamp::default()), node);
        }
    }
    let limits = Limits { steps: 1 << 20, depth: 100, bytes: 1 << 26, ..Limits::SCRIPT };
    let epoch = Epoch::from_variable(Some(&EPOCH.to_string())).expect("valid");
    Machine::new(tree, epoch, "amd64", limits)
}

fn give(tree: &mut Tree, path: &str, entry: &Entry) {
    let parent = &path[..path.rfind('/').expect("an absolute path")];
    tree.create_dir_all(parent.as_bytes(), &Stat::root(0o755, Timestamp::default())).expect("made");
    if entry.kind == "link" {
        let target = entry.detail.strip_prefix("-> ").expect("a target");
        let node = Node::Symlink(target.as_bytes().to_vec().into());
        tree.create(path.as_bytes(), Stat::root(0o777, Timestamp::default()), node).expect("made");
        return;
    }
    let (mode, owner) = entry.detail.split_once(' ').expect("mode and owner");
    let (uid, gid) = owner.split_once(':').expect("uid and gid");
    let mut stat = Stat::root(u16::from_str_radix(mode, 8).expect("octal"), Timestamp::default());
    (stat.uid, stat.gid) = (uid.parse().expect("a uid"), gid.parse().expect("a gid"));
    match entry.kind {
        "folder" => {
            let id = tree.create_dir_all(path.as_bytes(), &stat).expect("made");
            *tree.stat_mut(id) = stat;
        }
        _ => {
            tree.create(path.as_bytes(), stat, Node::Regular(entry.content.clone().into())).expect("made");
        }
    }
}

fn listing(tree: &Tree) -> Listing {
    let mut listing = Listing::new();
    for visit in tree.walk() {
        let path = visit.path.to_string();
        if is_dropped(&path) {
            continue;
        }
        let inode = tree.get(visit.id);
        let stat = &inode.stat;
        let detail = format!("{:04o} {}:{}", stat.mode, stat.uid, stat.gid);
        let entry = match &inode.node {
            Node::Directory(_) => Entry { kind: "folder", detail, content: Vec::new() },
            Node::Symlink(target) => {
                let detail = format!("-> {}", String::from_utf8_lossy(target));
                Entry { kind: "link", detail, content: Vec::new() }
            }
            _ => {
                let content = tree.read(visit.path.as_bytes()).unwrap_or_default().to_vec();
                Entry { kind: "file", detail, content }
            }
        };
        listing.insert(path, entry);
    }
    listing
}
