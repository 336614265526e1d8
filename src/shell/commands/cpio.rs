//! cpio: named files to an archive.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    cpio::{self, Member},
    shell::{Fatal, Process, Status, accounts, files::show, mode, options::parse, text::lines},
    tree::{Content, InodeId, Node},
};

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = parse(
        process,
        &[
            "o create",
            "H format=",
            "0 null",
            "R owner=",
            "quiet",
            "reproducible",
            "renumber-inodes",
            "ignore-devno",
            "D directory=",
        ],
    )?;
    if !arguments.has("o") || arguments.value("H") != Some(b"newc") {
        return Err(process.not_modelled("anything but -o -H newc"));
    }
    if let Some(folder) = arguments.value("D")
        && let Err(error) = process.enter(folder)
    {
        return process.fail(&format!("cannot change to directory `{}': {}", show(folder), error.errno));
    }
    let owner = match accounts::owner(&process.machine.tree, arguments.value("R").unwrap_or_default()) {
        Ok(owner) => owner,
        Err(part) => return process.fail(&format!("invalid {part}")),
    };
    let list = process.read_all(0);
    let end = if arguments.has("0") { 0 } else { b'\n' };
    let mut pack = Pack::default();
    let mut status = Status::SUCCESS;
    for name in lines(&list, end).filter(|name| !name.is_empty()) {
        let id = match process.lookup_no_follow(name) {
            Ok(id) => id,
            Err(error) => {
                process.complain(&format!("{}: Cannot stat: {}", show(name), error.errno))?;
                status = Status(2);
                continue;
            }
        };
        let Some(mut member) = pack.member(process, name, id) else {
            process.complain(&format!("{}: field width not sufficient for storing file size", show(name)))?;
            status = Status(2);
            continue;
        };
        member.uid = owner.uid.unwrap_or(member.uid);
        member.gid = owner.gid.unwrap_or(member.gid);
        pack.add(member, process.inode(id).is_file());
    }
    let archive = cpio::archive(&pack.finish());
    let blocks = archive.len() / 512;
    process.out(&archive)?;
    if !arguments.has("quiet") {
        process.write(2, format!("{blocks} block{}\n", if blocks == 1 { "" } else { "s" }).as_bytes())?;
    }
    Ok(status)
}

/// Members in the order of the archive. Inode numbers are counted and device numbers are 0 always, as `--reproducible` has
/// it: the tree has neither.
#[derive(Default)]
struct Pack {
    members: Vec<Member>,
    numbers: BTreeMap<InodeId, u32>,
    /// Members of files with several names, until all names are there.
    waiting: Vec<Member>,
}

impl Pack {
    /// `None` when the content is too long for the format.
    fn member(&mut self, process: &Process<'_>, name: &[u8], id: InodeId) -> Option<Member> {
        let inode = process.inode(id);
        if inode.size() > cpio::LARGEST {
            return None;
        }
        let next = self.numbers.len() as u32;
        let number = *self.numbers.entry(id).or_insert(next);
        let (content, device) = match &inode.node {
            Node::Regular(content) => (content.bytes(Content::READ_LIMIT)?, (0, 0)),
            Node::Symlink(target) => (target.clone(), (0, 0)),
            Node::CharDevice(device) | Node::BlockDevice(device) => (bytes::Bytes::new(), (device.major, device.minor)),
            Node::Directory(_) | Node::Fifo | Node::Socket => (bytes::Bytes::new(), (0, 0)),
        };
        Some(Member {
            name: plain_name(name).to_vec(),
            inode: number,
            mode: mode::raw(inode),
            uid: inode.stat.uid,
            gid: inode.stat.gid,
            links: super::stat::links(process, inode) as u32,
            mtime: inode.stat.mtime.seconds.clamp(0, u32::MAX.into()) as u32,
            device,
            content,
        })
    }

    /// A file with several names waits for the last of them, which alone carries the content; the others come before it, the
    /// latest first.
    fn add(&mut self, member: Member, is_file: bool) {
        if is_file && member.links > 1 {
            let number = member.inode;
            let others = self.waiting.iter().filter(|other| other.inode == number).count();
            if others + 1 < member.links as usize {
                self.waiting.push(member);
                return;
            }
            let (names, waiting) =
                std::mem::take(&mut self.waiting).into_iter().partition(|other| other.inode == number);
            self.waiting = waiting;
            self.release(names, false);
        }
        self.members.push(member);
    }

    /// Adds members that waited, without content but for the first of each file if that is asked for.
    fn release(&mut self, mut names: Vec<Member>, with_content: bool) {
        let mut seen = BTreeSet::new();
        for member in &mut names {
            if !seen.insert(member.inode) || !with_content {
                member.content = bytes::Bytes::new();
            }
        }
        self.members.extend(names.into_iter().rev());
    }

    /// Adds the files some of whose names were not given.
    fn finish(mut self) -> Vec<Member> {
        let names = std::mem::take(&mut self.waiting);
        self.release(names, true);
        self.members
    }
}

/// A name without `./` before it.
fn plain_name(mut name: &[u8]) -> &[u8] {
    while let Some(rest) = name.strip_prefix(b"./") {
        let start = rest.iter().position(|&b| b != b'/').unwrap_or(rest.len());
        name = &rest[start..];
    }
    if name.is_empty() { b"." } else { name }
}
