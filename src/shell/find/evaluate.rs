//! What an expression says of a file, and what its actions do.

use super::{
    Action, Expression, Follow, Glob, Output, Permissions, Test, format,
    walk::{Visit, Walk},
};
use crate::{
    shell::{
        Fatal, accounts,
        files::{base_name, dir_name, show},
        mode::kind_letter,
        pattern::matches,
    },
    tree::{Errno, Inode, Node},
};

pub(super) fn evaluate(walk: &mut Walk<'_, '_>, visit: &Visit) -> Result<bool, Fatal> {
    let query = walk.query;
    value(walk, visit, &query.expression)
}

fn value(walk: &mut Walk<'_, '_>, visit: &Visit, expression: &Expression) -> Result<bool, Fatal> {
    if walk.quits {
        return Ok(false);
    }
    Ok(match expression {
        Expression::True => true,
        Expression::Not(inner) => !value(walk, visit, inner)?,
        Expression::And(a, b) => value(walk, visit, a)? && value(walk, visit, b)?,
        Expression::Or(a, b) => value(walk, visit, a)? || value(walk, visit, b)?,
        Expression::List(a, b) => {
            value(walk, visit, a)?;
            value(walk, visit, b)?
        }
        Expression::Test(test) => holds(walk, visit, test)?,
        Expression::Action(action) => act(walk, visit, action)?,
    })
}

// table: one arm a test
fn holds(walk: &mut Walk<'_, '_>, visit: &Visit, test: &Test) -> Result<bool, Fatal> {
    if matches!(test, Test::OtherKind(_))
        && let Err(error) = walk.process.lookup(&visit.path)
        && error.errno == Errno::Loop
    {
        walk.complain(&visit.path, &error.errno.to_string())?;
        return Ok(false);
    }
    let process = &*walk.process;
    let inode = process.inode(visit.id);
    let stat = &inode.stat;
    let tree = &process.machine.tree;
    Ok(match test {
        Test::False => false,
        Test::Name(glob) => fits(glob, base_name(&visit.path)),
        Test::Path(glob) => fits(glob, &visit.path),
        Test::LinkName(glob) => matches!(&inode.node, Node::Symlink(target) if fits(glob, target)),
        Test::Regex(regex) => regex.is_match(&visit.path)?,
        Test::Kind(letters) => letters.contains(&letter(inode)),
        Test::OtherKind(letters) => {
            let other = match walk.query.follow {
                Follow::Always => process.lookup_no_follow(&visit.path),
                Follow::Never | Follow::Operands => process.lookup(&visit.path),
            };
            letters.contains(&letter(other.map_or(inode, |id| process.inode(id))))
        }
        Test::Permissions(Permissions::Exactly(mode)) => stat.mode == *mode,
        Test::Permissions(Permissions::All(mode)) => stat.mode & mode == *mode,
        Test::Permissions(Permissions::Any(mode)) => *mode == 0 || stat.mode & mode != 0,
        Test::Owner(uid) => stat.uid == *uid,
        Test::Group(gid) => stat.gid == *gid,
        Test::OwnerNumber(count) => count.holds(stat.uid.into()),
        Test::GroupNumber(count) => count.holds(stat.gid.into()),
        Test::NoOwner => accounts::user_name(tree, stat.uid).is_none(),
        Test::NoGroup => accounts::group_name(tree, stat.gid).is_none(),
        Test::NewerThan(time) => stat.mtime > *time,
        Test::Age(count, unit) => {
            let age = process.machine.epoch.seconds() - stat.mtime.seconds;
            // What is dated after the build has no age.
            u64::try_from(age).is_ok_and(|age| count.holds(age / unit))
        }
        Test::Empty => match inode.entries() {
            Some(entries) => entries.is_empty(),
            None => inode.is_file() && inode.size() == 0,
        },
        Test::Size(count, unit) => count.holds(crate::shell::commands::apparent_size(inode).div_ceil(*unit)),
        Test::Links(count) => count.holds(crate::shell::commands::link_count(process, inode) as u64),
        Test::Inode(count) => count.holds(visit.id.index() as u64 + 11),
        Test::SameFile(id) => visit.id == *id,
        Test::Executable => stat.mode & 0o111 != 0,
    })
}

fn fits(glob: &Glob, text: &[u8]) -> bool {
    match glob.fold_case {
        true => matches(&glob.pattern.to_ascii_lowercase(), &text.to_ascii_lowercase()),
        false => matches(&glob.pattern, text),
    }
}

/// The letter of a kind of file in `-type`.
pub(super) fn letter(inode: &Inode) -> u8 {
    match kind_letter(inode) {
        '-' => b'f',
        letter => letter as u8,
    }
}

fn act(walk: &mut Walk<'_, '_>, visit: &Visit, action: &Action) -> Result<bool, Fatal> {
    match action {
        Action::Print(output, end) => {
            let line = [visit.path.as_slice(), &[*end]].concat();
            put(walk, *output, &line)?;
        }
        Action::Format(output, text) => {
            let text = format::format(walk, visit, text)?;
            put(walk, *output, &text)?;
        }
        Action::Run { command, in_folder } => {
            let (folder, file) = place(visit, *in_folder);
            let command = command.iter().map(|word| fill(word, &file)).collect();
            return Ok(walk.run_in(&folder, command)?.success());
        }
        Action::Collect(index) => {
            let (folder, file) = place(visit, walk.query.batches[*index].in_folder);
            walk.collect(*index, folder, file)?;
        }
        Action::Delete => {
            if visit.path == b"." {
                return Ok(true);
            }
            let path = walk.process.absolute(&visit.path);
            let tree = &mut walk.process.machine.tree;
            let directory = tree.lookup_no_follow(&path).is_ok_and(|id| tree.get(id).is_dir());
            let removed = if directory { tree.remove_dir(&path) } else { tree.unlink(&path) };
            if let Err(error) = removed {
                walk.failed = true;
                walk.process.complain(&format!("cannot delete '{}': {}", show(&visit.path), error.errno))?;
                return Ok(false);
            }
        }
        Action::Prune => walk.pruned = true,
        Action::Quit => walk.quits = true,
    }
    Ok(true)
}

fn put(walk: &mut Walk<'_, '_>, output: Output, text: &[u8]) -> Result<(), Fatal> {
    match output {
        Output::Standard => walk.process.out(text),
        Output::File(index) => {
            walk.written.entry(index).or_default().extend_from_slice(text);
            Ok(())
        }
    }
}

/// The folder that a command runs in, empty for where find is, and what the file is called there.
fn place(visit: &Visit, in_folder: bool) -> (Vec<u8>, Vec<u8>) {
    if in_folder {
        let name = base_name(&visit.path);
        let name = if name == b"/" { name.to_vec() } else { [b"./", name].concat() };
        (dir_name(&visit.path).to_vec(), name)
    } else {
        (Vec::new(), visit.path.clone())
    }
}

/// A word with the file in place of each `{}`.
fn fill(word: &[u8], file: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = word;
    while let Some(at) = memchr::memmem::find(rest, b"{}") {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(file);
        rest = &rest[at + 2..];
    }
    out.extend_from_slice(rest);
    out
}
