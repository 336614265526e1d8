//! getfacl: shows the access control lists of files and directories.

use crate::{
    shell::{
        Fatal, Process, Status,
        accounts::{group_name, user_name},
        acl::{Acl, Which, Who},
        files::show,
        options,
    },
    tree::InodeId,
};

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let table = &[
        "a access",
        "d default",
        "c omit-header",
        "n numeric",
        "p absolute-names",
        "R recursive",
        "s skip-base",
        "E no-effective",
    ];
    let arguments = options::parse(process, table)?;
    let mut status = Status::SUCCESS;
    let mut warned = arguments.has("p");
    for path in &arguments.operands {
        let Ok(top) = process.lookup(path) else {
            process.complain(&format!("{}: No such file or directory", show(path)))?;
            status = Status::FAILURE;
            continue;
        };
        let files = if arguments.has("R") { process.below(path, top) } else { vec![(path.clone(), top)] };
        for (path, id) in files {
            if process.inode(id).is_symlink() {
                continue;
            }
            let slashes = path.iter().take_while(|&&b| b == b'/').count();
            let name = if arguments.has("p") { path.as_slice() } else { &path[slashes..] };
            let name = name.strip_prefix(b"./").unwrap_or(name);
            if slashes > 0 && !warned {
                process.complain("Removing leading '/' from absolute path names")?;
                warned = true;
            }
            let text = describe(process, id, name, &arguments);
            process.out(&text)?;
        }
    }
    Ok(status)
}

fn describe(process: &Process<'_>, id: InodeId, name: &[u8], arguments: &options::Arguments) -> Vec<u8> {
    let tree = &process.machine.tree;
    let stat = &tree.get(id).stat;
    let mut access = Acl::of(tree, id, Which::Access);
    let extended = !access.0.is_empty();
    access.add_base(stat.mode);
    let default = Acl::of(tree, id, Which::Default);
    if arguments.has("s") && !extended && default.0.is_empty() {
        return Vec::new();
    }
    let user = |uid: u32| user_name(tree, uid).filter(|_| !arguments.has("n")).unwrap_or_else(|| number(uid));
    let group = |gid: u32| group_name(tree, gid).filter(|_| !arguments.has("n")).unwrap_or_else(|| number(gid));
    let mut lines = Vec::new();
    if !arguments.has("c") {
        let name = if name.is_empty() { b".".as_slice() } else { name };
        lines.push([b"# file: ", name].concat());
        lines.push([b"# owner: ", user(stat.uid).as_slice()].concat());
        lines.push([b"# group: ", group(stat.gid).as_slice()].concat());
        let flags = [(0o4000, b's'), (0o2000, b's'), (0o1000, b't')];
        if stat.mode & 0o7000 != 0 {
            let flags = flags.map(|(bit, letter)| if stat.mode & bit != 0 { letter } else { b'-' });
            lines.push([b"# flags: ", flags.as_slice()].concat());
        }
    }
    let both = arguments.has("a") == arguments.has("d");
    let prefix: &[u8] = if both { b"default:" } else { b"" };
    for (list, prefix, wanted) in
        [(&access, b"".as_slice(), both || arguments.has("a")), (&default, prefix, both || arguments.has("d"))]
    {
        let mask = list.0.get(&Who::Mask).copied().filter(|_| !arguments.has("E"));
        for (who, &rights) in list.0.iter().filter(|_| wanted) {
            let (kind, of, masked) = match *who {
                Who::Owner => ("user", Vec::new(), false),
                Who::User(uid) => ("user", user(uid), true),
                Who::OwningGroup => ("group", Vec::new(), true),
                Who::Group(gid) => ("group", group(gid), true),
                Who::Mask => ("mask", Vec::new(), false),
                Who::Other => ("other", Vec::new(), false),
            };
            let mut line = [prefix, kind.as_bytes(), b":", &of, b":", &letters(rights)].concat();
            if let Some(mask) = mask.filter(|mask| masked && rights & mask != rights) {
                line.extend_from_slice(b"\t#effective:");
                line.extend_from_slice(&letters(rights & mask));
            }
            lines.push(line);
        }
    }
    let mut text = lines.join(b"\n".as_slice());
    text.extend_from_slice(if text.is_empty() { b"\n" } else { b"\n\n" });
    text
}

fn number(id: u32) -> Vec<u8> {
    id.to_string().into_bytes()
}

fn letters(rights: u8) -> [u8; 3] {
    [(4, b'r'), (2, b'w'), (1, b'x')].map(|(bit, letter)| if rights & bit != 0 { letter } else { b'-' })
}
