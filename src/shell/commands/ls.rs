//! ls: lists files and directories.

use crate::{
    shell::{
        Fatal, Process, Status, Work, accounts,
        files::{join, show},
        mode::{kind_letter, permissions},
        options::{Arguments, parse},
        sort::version_order,
        time::{Moment, format as format_time},
    },
    tree::{Inode, InodeId, Node},
};

/// Half a year: what is older shows its year instead of its time.
const RECENT: i64 = 15_778_476;

const OPTIONS: &[&str] = &[
    "1",
    "a all",
    "A almost-all",
    "B ignore-backups",
    "color?",
    "d directory",
    "f",
    "F classify?",
    "g",
    "G no-group",
    "i inode",
    "l",
    "L dereference",
    "n numeric-uid-gid",
    "N literal",
    "o",
    "p",
    "R recursive",
    "r reverse",
    "S",
    "t",
    "time-style=",
    "U",
    "v",
];

/// A name to list and what it leads to.
type Entry = (Vec<u8>, InodeId);

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let mut arguments = parse(process, OPTIONS)?;
    let shows = |value: &[u8]| !matches!(value, b"never" | b"auto" | b"no" | b"tty" | b"none");
    if arguments.value("color").is_some_and(shows) || arguments.has("time-style") {
        return Err(process.not_modelled("colours or another style of times"));
    }
    let mut operands = std::mem::take(&mut arguments.operands);
    if operands.is_empty() {
        operands.push(b".".to_vec());
    }
    let mut status = Status::SUCCESS;
    let (mut files, mut folders) = (Vec::new(), Vec::new());
    for path in operands.clone() {
        // A link on the command line is followed to a directory, unless its own details are wanted.
        let own = ["l", "n", "g", "o", "d", "F"].iter().any(|option| arguments.has(option)) && !arguments.has("L");
        let itself = process.lookup_no_follow(&path);
        let id = match (own, process.lookup(&path)) {
            (false, Ok(id)) if arguments.has("L") || process.inode(id).is_dir() => Ok(id),
            (false, Err(error)) if arguments.has("L") => Err(error),
            _ => itself,
        };
        match id {
            Err(error) => {
                process.complain(&format!("cannot access '{}': {}", show(&path), error.errno))?;
                status = Status(2);
            }
            Ok(id) if process.inode(id).is_dir() && !arguments.has("d") => folders.push((path, id)),
            Ok(id) => files.push((path, id)),
        }
    }
    order(process, &arguments, &mut files);
    order(process, &arguments, &mut folders);
    let any_files = !files.is_empty();
    list(process, &arguments, &files)?;
    let titles = operands.len() > 1 || arguments.has("R");
    let mut first = !any_files;
    let mut folders: Vec<_> = folders.into_iter().rev().map(|(path, id)| (path, id, Vec::new())).collect();
    while let Some((path, id, mut above)) = folders.pop() {
        // With -L links may lead back to where they are.
        if above.contains(&id) {
            process.complain(&format!("{}: not listing already-listed directory", show(&path)))?;
            status = Status(2);
            continue;
        }
        above.push(id);
        if titles {
            let title = format!("{}{}:\n", if first { "" } else { "\n" }, show(&path));
            process.out(title.as_bytes())?;
        }
        first = false;
        let mut entries = entries(process, &arguments, &path, id);
        process.machine.work(Work::Names(entries.len()))?;
        order(process, &arguments, &mut entries);
        if is_long(&arguments) {
            let total: u64 = entries.iter().map(|(_, id)| kilobytes(process.inode(*id))).sum();
            process.out(format!("total {total}\n").as_bytes())?;
        }
        list(process, &arguments, &entries)?;
        if arguments.has("R") {
            let below = entries
                .into_iter()
                .filter(|(name, id)| process.inode(*id).is_dir() && !matches!(name.as_slice(), b"." | b".."));
            let below: Vec<_> = below.map(|(name, id)| (join(&path, &name), id, above.clone())).collect();
            folders.extend(below.into_iter().rev());
        }
    }
    Ok(status)
}

fn is_long(arguments: &Arguments) -> bool {
    ["l", "n", "g", "o"].iter().any(|option| arguments.has(option))
}

fn kilobytes(inode: &Inode) -> u64 {
    match inode.node {
        Node::Directory(_) => 4,
        Node::Regular(_) => inode.size().div_ceil(4096) * 4,
        _ => 0,
    }
}

fn entries(process: &Process<'_>, arguments: &Arguments, path: &[u8], folder: InodeId) -> Vec<Entry> {
    let mut entries = Vec::new();
    if arguments.has("a") || arguments.has("f") {
        let above = process.lookup(&join(path, b"..")).unwrap_or(folder);
        entries.extend([(b".".to_vec(), folder), (b"..".to_vec(), above)]);
    }
    let hidden = arguments.has("a") || arguments.has("A") || arguments.has("f");
    for (name, id) in process.inode(folder).entries().into_iter().flatten() {
        let name = name.as_bytes();
        if (name.starts_with(b".") && !hidden) || (name.ends_with(b"~") && arguments.has("B")) {
            continue;
        }
        let id = match arguments.has("L") {
            true => process.lookup(&join(path, name)).unwrap_or(*id),
            false => *id,
        };
        entries.push((name.to_vec(), id));
    }
    entries
}

fn order(process: &Process<'_>, arguments: &Arguments, entries: &mut [Entry]) {
    let stat = |entry: &Entry| &process.inode(entry.1).stat;
    entries.sort_by(|a, b| a.0.cmp(&b.0));
    match arguments.last_of(&["t", "S", "U", "f", "v"]) {
        Some("t") => entries.sort_by_key(|entry| std::cmp::Reverse(stat(entry).mtime)),
        Some("S") => {
            let size = |entry: &Entry| super::stat::size(process.inode(entry.1));
            entries.sort_by_key(|entry| std::cmp::Reverse(size(entry)));
        }
        Some("v") => entries.sort_by(|a, b| version_order(&a.0, &b.0)),
        _ => {}
    }
    if arguments.has("r") && arguments.last_of(&["U", "f"]).is_none() {
        entries.reverse();
    }
}

fn list(process: &mut Process<'_>, arguments: &Arguments, entries: &[Entry]) -> Result<(), Fatal> {
    let rows: Vec<Vec<String>> = match is_long(arguments) {
        true => entries.iter().map(|(_, id)| details(process, arguments, *id)).collect(),
        false => entries.iter().map(|_| Vec::new()).collect(),
    };
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(String::len).max().unwrap_or(0);
    let mut out = Vec::new();
    for ((name, id), row) in entries.iter().zip(&rows) {
        let inode = process.inode(*id);
        if arguments.has("i") {
            out.extend_from_slice(format!("{} ", id.index() + 11).as_bytes());
        }
        for (column, cell) in row.iter().enumerate() {
            let wide = width(column);
            // Owners stand to the left, numbers to the right.
            let text = if matches!(column, 2 | 3) { format!("{cell:<wide$} ") } else { format!("{cell:>wide$} ") };
            if !(cell.is_empty() && wide == 0) {
                out.extend_from_slice(text.as_bytes());
            }
        }
        out.extend_from_slice(name);
        if let Node::Symlink(target) = &inode.node
            && is_long(arguments)
        {
            out.extend_from_slice(b" -> ");
            out.extend_from_slice(target);
        } else {
            out.extend(mark(arguments, inode));
        }
        out.push(b'\n');
    }
    process.out(&out)
}

fn mark(arguments: &Arguments, inode: &Inode) -> Option<u8> {
    let all = arguments.has("F");
    match inode.node {
        Node::Directory(_) if all || arguments.has("p") => Some(b'/'),
        Node::Symlink(_) if all => Some(b'@'),
        Node::Fifo if all => Some(b'|'),
        Node::Socket if all => Some(b'='),
        Node::Regular(_) if all && inode.stat.mode & 0o111 != 0 => Some(b'*'),
        _ => None,
    }
}

/// The columns of a long listing before the name; owners that are not wanted are empty.
fn details(process: &Process<'_>, arguments: &Arguments, id: InodeId) -> Vec<String> {
    let inode = process.inode(id);
    let stat = &inode.stat;
    let tree = &process.machine.tree;
    let name = |name: Option<Vec<u8>>, id: u32| match name.filter(|_| !arguments.has("n")) {
        Some(name) => show(&name),
        None => id.to_string(),
    };
    let unless = |hidden: bool, text: String| if hidden { String::new() } else { text };
    let size = match &inode.node {
        Node::CharDevice(device) | Node::BlockDevice(device) => format!("{}, {}", device.major, device.minor),
        _ => super::stat::size(inode).to_string(),
    };
    let now = process.machine.epoch.seconds();
    let recent = (now - RECENT..=now).contains(&stat.mtime.seconds);
    let style: &[u8] = if recent { b"%b %e %H:%M" } else { b"%b %e  %Y" };
    let when = format_time(&Moment::new(stat.mtime.seconds, 0), style).unwrap_or_default();
    vec![
        format!("{}{}", kind_letter(inode), permissions(stat.mode)),
        super::stat::links(process, inode).to_string(),
        unless(arguments.has("g"), name(accounts::user_name(tree, stat.uid), stat.uid)),
        unless(arguments.has("o") || arguments.has("G"), name(accounts::group_name(tree, stat.gid), stat.gid)),
        size,
        String::from_utf8_lossy(&when).into_owned(),
    ]
}
