//! stat: what is known of files, by a format.

use crate::{
    shell::{
        Fatal, Process, Status, accounts,
        files::show,
        mode::{self, permissions},
        options::parse,
        text::c_escape,
        time::{Moment, format as format_time},
    },
    tree::{Inode, InodeId, Node},
};

/// The tree's device number: that of the first SCSI disk's first partition.
const DEVICE: u64 = 0x801;

const BLOCK: u64 = 4096;

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = parse(process, &["L dereference", "f file-system", "c format=", "printf=", "t terse", "cached="])?;
    let (text, escapes) = match arguments.last_of(&["c", "printf"]) {
        Some("c") => (arguments.value("c").unwrap_or_default().to_vec(), false),
        Some(_) => (arguments.value("printf").unwrap_or_default().to_vec(), true),
        None => return Err(process.not_modelled("a report without a format")),
    };
    if arguments.operands.is_empty() {
        return process.wrong_operands(&[], 0);
    }
    let mut status = Status::SUCCESS;
    for path in &arguments.operands {
        let found = match arguments.has("L") || arguments.has("f") {
            true => process.lookup(path),
            false => process.lookup_no_follow(path),
        };
        let id = match found {
            Ok(id) => id,
            Err(error) => {
                process.complain(&format!("cannot statx '{}': {}", show(path), error.errno))?;
                status = Status::FAILURE;
                continue;
            }
        };
        let of = |process: &Process<'_>, letter: &[u8]| match arguments.has("f") {
            true => file_system(path, letter),
            false => file(process, path, id, letter),
        };
        let mut line = fill(process, &text, escapes, of)?;
        if !escapes {
            line.push(b'\n');
        }
        process.out(&line)?;
    }
    Ok(status)
}

/// Replaces the conversions of a format.
fn fill(
    process: &Process<'_>,
    text: &[u8],
    escapes: bool,
    of: impl Fn(&Process<'_>, &[u8]) -> Option<String>,
) -> Result<Vec<u8>, Fatal> {
    let mut out = Vec::new();
    let mut at = 0;
    while at < text.len() {
        match text[at] {
            b'\\' if escapes && at + 1 < text.len() => {
                let (byte, next) = c_escape(text, at);
                out.push(byte);
                at = next;
            }
            b'%' => {
                let flags = text[at + 1..].iter().take_while(|b| b"#-+ 0123456789.".contains(b)).count();
                let end = at + 1 + flags;
                let long = usize::from(
                    matches!(text.get(end), Some(b'H' | b'L')) && matches!(text.get(end + 1), Some(b'd' | b'r')),
                );
                let letters = text.get(end..=end + long).unwrap_or_default();
                if letters == b"%" {
                    out.push(b'%');
                } else {
                    let value = of(process, letters)
                        .ok_or_else(|| process.not_modelled(format!("conversion `%{}`", show(letters))))?;
                    out.extend_from_slice(pad(&text[at + 1..end], letters, value).as_bytes());
                }
                at = end + 1 + long;
            }
            byte => {
                out.push(byte);
                at += 1;
            }
        }
    }
    Ok(out)
}

/// Applies flags, width and precision.
fn pad(flags: &[u8], letters: &[u8], mut value: String) -> String {
    let text = String::from_utf8_lossy(flags);
    let (width, precision) = text.split_once('.').unwrap_or((&text, ""));
    let digits = width.trim_start_matches(['#', '-', '+', ' ', '0']);
    let marks = &width[..width.len() - digits.len()];
    if marks.contains('#') && letters == b"a" {
        value = format!("0{value}");
    }
    if let (b"X" | b"Y" | b"Z", Ok(places @ 1..)) = (letters, precision.parse::<usize>()) {
        value = format!("{value}.{:0<places$}", "");
    }
    let width: usize = digits.parse().unwrap_or(0);
    match () {
        () if marks.contains('-') => format!("{value:<width$}"),
        () if marks.contains('0') => format!("{value:0>width$}"),
        () => format!("{value:>width$}"),
    }
}

/// Kinds of files in words.
fn kind(inode: &Inode) -> &'static str {
    match inode.node {
        Node::Directory(_) => "directory",
        Node::Regular(_) if inode.size() == 0 => "regular empty file",
        Node::Regular(_) => "regular file",
        Node::Symlink(_) => "symbolic link",
        Node::CharDevice(_) => "character special file",
        Node::BlockDevice(_) => "block special file",
        Node::Fifo => "fifo",
        Node::Socket => "socket",
    }
}

// table: one line a conversion
fn file(process: &Process<'_>, path: &[u8], id: InodeId, letters: &[u8]) -> Option<String> {
    let inode = process.inode(id);
    let stat = &inode.stat;
    let tree = &process.machine.tree;
    let name = |name: Option<Vec<u8>>| name.map_or_else(|| "UNKNOWN".to_owned(), |name| show(&name));
    let size = size(inode);
    let numbers = match &inode.node {
        Node::CharDevice(device) | Node::BlockDevice(device) => (device.major, device.minor),
        _ => (0, 0),
    };
    let moment = Moment::new(stat.mtime.seconds, stat.mtime.nanoseconds);
    let when = || {
        let text = format_time(&moment, b"%Y-%m-%d %H:%M:%S.%N %z").unwrap_or_default();
        String::from_utf8_lossy(&text).into_owned()
    };
    Some(match letters {
        b"a" => format!("{:o}", stat.mode),
        b"A" => format!("{}{}", mode::kind_letter(inode), permissions(stat.mode)),
        b"b" => (size.div_ceil(BLOCK) * (BLOCK / 512)).to_string(),
        b"B" => "512".to_owned(),
        b"d" => DEVICE.to_string(),
        b"D" => format!("{DEVICE:x}"),
        b"Hd" => (DEVICE >> 8).to_string(),
        b"Ld" => (DEVICE & 0xff).to_string(),
        b"f" => format!("{:x}", mode::raw(inode)),
        b"F" => kind(inode).to_owned(),
        b"g" => stat.gid.to_string(),
        b"G" => name(accounts::group_name(tree, stat.gid)),
        b"h" => links(process, inode).to_string(),
        // Numbers that ext4 keeps for itself come first; the root's is 2.
        b"i" => (if id == crate::tree::ROOT { 2 } else { id.index() + 11 }).to_string(),
        b"m" => "/".to_owned(),
        b"n" => String::from_utf8_lossy(path).into_owned(),
        b"N" => match &inode.node {
            Node::Symlink(target) => format!("'{}' -> '{}'", show(path), show(target)),
            _ => format!("'{}'", show(path)),
        },
        b"o" => BLOCK.to_string(),
        b"s" => size.to_string(),
        b"t" => format!("{:x}", numbers.0),
        b"T" => format!("{:x}", numbers.1),
        b"u" => stat.uid.to_string(),
        b"U" => name(accounts::user_name(tree, stat.uid)),
        b"w" => "-".to_owned(),
        b"W" => "0".to_owned(),
        b"x" | b"y" | b"z" => when(),
        b"X" | b"Y" | b"Z" => stat.mtime.seconds.to_string(),
        _ => return None,
    })
}

/// Length as a file system shows it: a directory's is a block.
pub(in crate::shell) fn size(inode: &Inode) -> u64 {
    if inode.is_dir() { BLOCK } else { inode.size() }
}

/// A directory's links are its name, its `.` and the `..` of each directory in it.
pub(in crate::shell) fn links(process: &Process<'_>, inode: &Inode) -> usize {
    match inode.entries() {
        Some(entries) => 2 + entries.values().filter(|id| process.inode(**id).is_dir()).count(),
        None => inode.links() as usize,
    }
}

/// A file system as mke2fs makes it by default, half of 8 GiB free.
fn file_system(path: &[u8], letters: &[u8]) -> Option<String> {
    let blocks = 2_097_152_u64;
    Some(match letters {
        b"a" | b"f" => (blocks / 2).to_string(),
        b"b" => blocks.to_string(),
        b"c" => (blocks / 4).to_string(),
        b"d" => (blocks / 8).to_string(),
        b"i" => "0".to_owned(),
        b"l" => "255".to_owned(),
        b"n" => String::from_utf8_lossy(path).into_owned(),
        b"s" | b"S" => BLOCK.to_string(),
        b"t" => "ef53".to_owned(),
        b"T" => "ext2/ext3".to_owned(),
        _ => return None,
    })
}
