//! What busybox says of itself, read off its tables, against what the real one says when it is asked.

use icos::{
    epoch::Epoch,
    shell::{Launch, Limits, Machine, OpenFile, exec},
    tree::{Node, Stat, Timestamp, Tree, TreePath},
};

use crate::support::judge::{judge, run};

#[test]
fn lists_its_applets() {
    let Some(mut names) = judge("busybox") else { return };
    let Some(mut paths) = judge("busybox") else { return };
    let program = std::path::Path::new(names.get_program()).to_owned();
    let stat = |mode| Stat::root(mode, Timestamp::default());
    let mut tree = Tree::new(stat(0o755));
    tree.create_dir_all(b"/bin", &stat(0o755)).expect("made");
    let bytes = fs_err::read(program).expect("the judge is a file");
    tree.create(b"/bin/busybox", stat(0o755), Node::Regular(bytes.into())).expect("made");
    let limits = Limits { steps: 1 << 20, depth: 100, bytes: 1 << 26, ..Limits::SCRIPT };
    let mut machine = Machine::new(tree, Epoch::from_variable(None).expect("valid"), "amd64", limits);
    for (option, real) in [("--list", &mut names), ("--list-long", &mut paths)] {
        let output = OpenFile::buffer(Vec::new());
        let launch = Launch {
            argv: vec![b"/bin/busybox".to_vec(), option.as_bytes().to_vec()],
            environment: Default::default(),
            folder: TreePath::root(),
            umask: 0o022,
            descriptors: [(0, OpenFile::null()), (1, output.clone()), (2, OpenFile::null())].into(),
        };
        let status = exec::execute(&mut machine, launch).expect("a busybox that is understood");
        let ours = String::from_utf8(OpenFile::take(&output)).expect("names");
        assert_eq!((i32::from(status.0), ours, String::new()), run(real.arg(option)), "{option}");
    }
}
