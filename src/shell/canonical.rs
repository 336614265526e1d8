//! Where a path really leads, for paths that need not exist as a whole.

use crate::{
    shell::Process,
    tree::{Errno, MAX_SYMLINKS, Node, PathError, Result},
};

/// Which parts of a path may be missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Missing {
    Nothing,
    Last,
    Anything,
}

/// `path` made absolute, without `.`, `..` and, when `follow` says so, symbolic links.
pub(super) fn canonical(process: &Process<'_>, path: &[u8], missing: Missing, follow: bool) -> Result<Vec<u8>> {
    if path.is_empty() {
        return Err(PathError { path: path.into(), errno: Errno::NotFound });
    }
    let fail = |errno| PathError { path: path.into(), errno };
    let tree = &process.machine.tree;
    let mut done: Vec<Vec<u8>> = Vec::new();
    let mut todo = parts(&process.absolute(path));
    let mut links = 0;
    while let Some(part) = todo.pop() {
        match part.as_slice() {
            b"." => continue,
            b".." => {
                done.pop();
                continue;
            }
            _ => done.push(part),
        }
        let here = whole(&done);
        let last = todo.iter().all(|part| part == b".");
        if !follow {
            // Only the end of a path that is taken as it is written has to be there.
            let wants_folder = last && !todo.is_empty();
            match tree.lookup(&here) {
                _ if missing == Missing::Anything || !last => {}
                Ok(id) if wants_folder && !tree.get(id).is_dir() => return Err(fail(Errno::NotDirectory)),
                Ok(_) => {}
                Err(error) if error.errno == Errno::NotFound && missing == Missing::Last => {}
                Err(error) => return Err(fail(error.errno)),
            }
            continue;
        }
        match tree.lookup_no_follow(&here).map(|id| &tree.get(id).node) {
            Ok(Node::Symlink(target)) => {
                links += 1;
                if links > MAX_SYMLINKS {
                    if missing == Missing::Anything {
                        continue;
                    }
                    return Err(fail(Errno::Loop));
                }
                done.pop();
                if target.first() == Some(&b'/') {
                    done.clear();
                }
                todo.extend(parts(target));
            }
            Ok(Node::Directory(_)) => {}
            Ok(_) if !todo.is_empty() && missing != Missing::Anything => return Err(fail(Errno::NotDirectory)),
            Ok(_) => {}
            Err(_) if missing == Missing::Anything || (missing == Missing::Last && last) => {}
            Err(error) => return Err(fail(error.errno)),
        }
    }
    Ok(whole(&done))
}

/// How to get from the directory `from` to `to`; both are canonical.
pub(super) fn relative(to: &[u8], from: &[u8]) -> Vec<u8> {
    let (to, from) = (names(to), names(from));
    let shared = to.iter().zip(&from).take_while(|(a, b)| a == b).count();
    let up = from.iter().skip(shared).map(|_| b"..".as_slice());
    let steps: Vec<&[u8]> = up.chain(to[shared..].iter().copied()).collect();
    if steps.is_empty() { b".".to_vec() } else { steps.join(&b'/') }
}

fn names(path: &[u8]) -> Vec<&[u8]> {
    path.split(|&b| b == b'/').filter(|part| !part.is_empty()).collect()
}

/// Components, last first; a trailing slash asks for a directory, as `.` does.
fn parts(path: &[u8]) -> Vec<Vec<u8>> {
    let mut parts: Vec<_> = names(path).into_iter().map(<[u8]>::to_vec).collect();
    if path.last() == Some(&b'/') && !parts.is_empty() {
        parts.push(b".".to_vec());
    }
    parts.reverse();
    parts
}

fn whole(done: &[Vec<u8>]) -> Vec<u8> {
    let mut path = Vec::new();
    for part in done {
        path.push(b'/');
        path.extend_from_slice(part);
    }
    if path.is_empty() { b"/".to_vec() } else { path }
}
