//! Making what a line asks for.

use super::{glob::glob, item::Item, log, perms};
use crate::{
    shell::{Fatal, Process, stop::show},
    tree::{Errno, InodeId, Node, Stat, Tree, TreePath},
};

/// Carries out a line; whether it went well.
pub(super) fn create(process: &mut Process<'_>, item: &Item) -> Result<bool, Fatal> {
    match item.letter {
        b'f' | b'F' | b'C' | b'd' | b'D' | b'v' | b'q' | b'Q' | b'p' | b'L' | b'b' | b'c' => {
            if item.replace {
                return Err(process.not_modelled(format!("`{}=`", char::from(item.letter))));
            }
            make_parents(process, &item.path);
            if !is_safe(process, &item.path)? {
                return Ok(false);
            }
            match item.letter {
                b'f' | b'F' => file(process, item),
                b'C' => copy(process, item),
                b'L' => symlink(process, item),
                b'p' => node(process, item, Node::Fifo),
                b'b' | b'c' => device(process, item),
                _ => directory(process, item),
            }
        }
        b'x' | b'X' | b'r' | b'R' => Ok(true),
        // Flags of the file system are no part of a tree.
        b'h' | b'H' => Ok(true),
        _ => globbed(process, item),
    }
}

/// Makes the directories above `path`; what stands in the way is left to the next step.
fn make_parents(process: &mut Process<'_>, path: &[u8]) {
    let slash = path.iter().rposition(|&b| b == b'/').unwrap_or(0);
    let stat = Stat::root(0o755, process.machine.epoch.timestamp());
    let _ = process.machine.tree.create_dir_all(&path[..slash], &stat);
}

/// Whether nobody but root and a directory's owner could have put something else on the way.
fn is_safe(process: &mut Process<'_>, path: &[u8]) -> Result<bool, Fatal> {
    let tree = &process.machine.tree;
    let slash = path.iter().rposition(|&b| b == b'/').unwrap_or(0);
    let Ok((_, parent)) = tree.resolve(if slash == 0 { b"/" } else { &path[..slash] }) else { return Ok(true) };
    let mut here = TreePath::root();
    let mut owner = tree.get(crate::tree::ROOT).stat.uid;
    for name in parent.names() {
        let above = here.clone();
        let Ok(name) = crate::tree::Name::new(name) else { return Ok(true) };
        here = here.join(&name);
        let Some(next) = tree.find(here.as_bytes()).map(|inode| inode.stat.uid) else { return Ok(true) };
        if owner != 0 && owner != next {
            let user = |uid| crate::shell::accounts::user_name(tree, uid).map_or(uid.to_string(), |name| show(&name));
            let line = format!(
                "Detected unsafe path transition {above} (owned by {}) → {here} (owned by {}) during canonicalization of {}.",
                user(owner),
                user(next),
                show(&path[..slash])
            );
            log(process, &line)?;
            return Ok(false);
        }
        owner = next;
    }
    Ok(true)
}

fn existing(tree: &Tree, path: &[u8]) -> Option<InodeId> {
    tree.lookup_no_follow(path).ok()
}

/// Makes something new, with the owner and mode of the line.
fn make(process: &mut Process<'_>, item: &Item, node: Node) -> Result<Result<InodeId, Errno>, Fatal> {
    let mode = if matches!(node, Node::Symlink(_)) { 0o777 } else { item.new_mode() };
    let made = process.machine.create(&item.path, mode, node);
    Ok(match made {
        Ok(id) => {
            perms::set(process, item, id, true);
            Ok(id)
        }
        Err(error) => Err(error.errno),
    })
}

fn file(process: &mut Process<'_>, item: &Item) -> Result<bool, Fatal> {
    let path = show(&item.path);
    let content = item.argument.clone().unwrap_or_default();
    let Some(id) = existing(&process.machine.tree, &item.path) else {
        return match make(process, item, Node::Regular(content.into()))? {
            Ok(_) => Ok(true),
            Err(errno) => {
                log(process, &format!("Failed to create file {path}: {errno}"))?;
                Ok(false)
            }
        };
    };
    if !process.machine.tree.get(id).is_file() {
        log(process, &format!("{path} exists and is not a regular file."))?;
        return Ok(false);
    }
    if item.letter == b'F' || item.plus {
        let now = process.machine.epoch.timestamp();
        // It was just seen to be a regular file.
        let _ = process.machine.tree.set_content(id, content.into(), now);
    }
    perms::set(process, item, id, false);
    Ok(true)
}

fn directory(process: &mut Process<'_>, item: &Item) -> Result<bool, Fatal> {
    let path = show(&item.path);
    let Some(id) = existing(&process.machine.tree, &item.path) else {
        return match make(process, item, Node::Directory(Default::default()))? {
            Ok(_) => Ok(true),
            Err(errno) => {
                log(process, &format!("Failed to create directory or subvolume \"{path}\": {errno}"))?;
                Ok(false)
            }
        };
    };
    if !process.machine.tree.get(id).is_dir() {
        // Reported, but no failure.
        log(process, &format!("\"{path}\" already exists and is not a directory."))?;
        return Ok(true);
    }
    perms::set(process, item, id, false);
    Ok(true)
}

fn symlink(process: &mut Process<'_>, item: &Item) -> Result<bool, Fatal> {
    let target = item.argument.clone().unwrap_or_default();
    let node = || Node::Symlink(target.clone().into());
    let Some(id) = existing(&process.machine.tree, &item.path) else {
        return match make(process, item, node())? {
            Ok(_) => Ok(true),
            Err(errno) => {
                log(process, &format!("Failed to create symlink '{}': {errno}", show(&item.path)))?;
                Ok(false)
            }
        };
    };
    if matches!(&process.machine.tree.get(id).node, Node::Symlink(old) if *old == target) {
        perms::set(process, item, id, false);
        return Ok(true);
    }
    if !item.plus {
        return Ok(true);
    }
    // It was just seen.
    let _ = process.machine.tree.remove_all(&item.path);
    Ok(make(process, item, node())?.is_ok())
}

fn device(process: &mut Process<'_>, item: &Item) -> Result<bool, Fatal> {
    let Some(device) = item.device else { return Ok(false) };
    node(process, item, if item.letter == b'c' { Node::CharDevice(device) } else { Node::BlockDevice(device) })
}

/// A node that is replaced only with `+`.
fn node(process: &mut Process<'_>, item: &Item, wanted: Node) -> Result<bool, Fatal> {
    if let Some(id) = existing(&process.machine.tree, &item.path) {
        if process.machine.tree.get(id).node == wanted {
            perms::set(process, item, id, false);
            return Ok(true);
        }
        if !item.plus {
            return Ok(true);
        }
        // It was just seen.
        let _ = process.machine.tree.remove_all(&item.path);
    }
    Ok(make(process, item, wanted)?.is_ok())
}

/// `C`: the source's files where there is nothing yet, or an empty directory.
fn copy(process: &mut Process<'_>, item: &Item) -> Result<bool, Fatal> {
    let source = item.argument.clone().unwrap_or_default();
    let tree = &mut process.machine.tree;
    let Some(from) = existing(tree, &source) else { return Ok(true) };
    let there = existing(tree, &item.path);
    let empty = there.is_some_and(|id| tree.get(id).entries().is_some_and(|entries| entries.is_empty()));
    if there.is_none() || (empty && tree.get(from).is_dir()) {
        let Ok(path) = TreePath::new(&source) else { return Ok(false) };
        let visits: Vec<_> = tree.walk_from(path.clone(), from).collect();
        for visit in visits {
            let below = &visit.path.as_bytes()[path.as_bytes().len()..];
            let target = [item.path.as_slice(), below].concat();
            let inode = tree.get(visit.id).clone();
            let node = if inode.is_dir() { Node::Directory(Default::default()) } else { inode.node };
            let stat = Stat {
                uid: item.uid.map_or(inode.stat.uid, |uid| uid.value),
                gid: item.gid.map_or(inode.stat.gid, |gid| gid.value),
                ..inode.stat
            };
            match tree.create(&target, stat, node) {
                Ok(_) => {}
                Err(error) if error.errno == Errno::Exists && below.is_empty() => {}
                Err(error) => {
                    let line = format!("Failed to copy files to {}: {}", show(&item.path), error.errno);
                    log(process, &line)?;
                    return Ok(false);
                }
            }
        }
    }
    let tree = &process.machine.tree;
    let Some(id) = existing(tree, &item.path) else { return Ok(false) };
    let kind = |id| std::mem::discriminant(&tree.get(id).node);
    if kind(id) == kind(from) {
        perms::set(process, item, id, false);
    }
    Ok(true)
}

fn globbed(process: &mut Process<'_>, item: &Item) -> Result<bool, Fatal> {
    let mut sound = true;
    for path in glob(&process.machine.tree, &item.path) {
        if !is_safe(process, &path)? {
            sound = false;
            continue;
        }
        if item.letter == b'w' {
            sound &= write(process, item, &path)?;
            continue;
        }
        let tree = &process.machine.tree;
        let Some(top) = existing(tree, &path) else { continue };
        let Ok(name) = TreePath::new(&path) else { continue };
        let recursive = item.letter.is_ascii_uppercase();
        let all: Vec<_> = tree.walk_from(name, top).take(if recursive { usize::MAX } else { 1 }).collect();
        for visit in all {
            let path = visit.path.as_bytes().to_vec();
            match item.letter {
                b'e' => match process.machine.tree.lookup(&path) {
                    Ok(id) if process.inode(id).is_dir() => perms::set(process, item, id, false),
                    Ok(_) => log(process, &format!("'{}' already exists and is not a directory.", show(&path)))?,
                    Err(_) => {}
                },
                b't' | b'T' => sound &= perms::set_xattrs(process, item, &path, visit.id)?,
                b'a' | b'A' => perms::set_acl(process, item, visit.id),
                _ => perms::set(process, item, visit.id, false),
            }
        }
    }
    Ok(sound)
}

/// `w`: over the beginning of a file that is there, or with `+` behind its end.
fn write(process: &mut Process<'_>, item: &Item, path: &[u8]) -> Result<bool, Fatal> {
    let Ok(id) = process.machine.tree.lookup(path) else { return Ok(true) };
    let inode = process.inode(id);
    if inode.is_dir() {
        log(process, &format!("Failed to open file \"{}\": Is a directory", show(path)))?;
        return Ok(item.may_fail);
    }
    let offset = if item.plus { inode.size() } else { 0 };
    let now = process.machine.epoch.timestamp();
    let data = item.argument.clone().unwrap_or_default();
    process.machine.tree.write_at(id, offset, &data, now);
    perms::set(process, item, id, false);
    Ok(true)
}
