//! `linux-version`: the order of kernel versions, and the kernels in `/boot`.

use std::cmp::Ordering;

use super::super::{Fatal, Process, Status, files::show};

const BOOT: &[u8] = b"/boot";

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = process.arguments();
    if arguments.iter().any(|word| word == b"--help") || arguments.first().is_some_and(|word| word == b"help") {
        return Err(process.not_modelled("help"));
    }
    let words: Vec<&[u8]> = arguments.iter().map(Vec::as_slice).collect();
    match words.as_slice() {
        [b"compare", left, operator, right] => {
            let order = compare(left, right);
            let holds = match *operator {
                b"lt" => order.is_lt(),
                b"le" => order.is_le(),
                b"eq" => order.is_eq(),
                b"ge" => order.is_ge(),
                b"gt" => order.is_gt(),
                _ => return usage(process),
            };
            Ok(if holds { Status::SUCCESS } else { Status::FAILURE })
        }
        [b"sort", b"--reverse", versions @ ..] => sort(process, versions, true),
        [b"sort", versions @ ..] => sort(process, versions, false),
        [b"list"] => list(process, false),
        [b"list", b"--paths"] => list(process, true),
        _ => usage(process),
    }
}

/// Bad usage, of this program and of `linux-update-symlinks`.
pub(super) fn usage(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let words = process.arguments().join(b" ".as_slice());
    process.complain(&format!("not understood: {}", show(&words)))?;
    Ok(Status(2))
}

/// Sorts versions, or lines of standard input that begin with one and a blank.
fn sort(process: &mut Process<'_>, versions: &[&[u8]], reverse: bool) -> Result<Status, Fatal> {
    let mut lines: Vec<Vec<u8>> = versions.iter().map(|version| [version, b"\n".as_slice()].concat()).collect();
    if versions.is_empty() {
        lines.extend(std::iter::from_fn(|| process.read_line(0)));
    }
    let version = |line: &[u8]| line.split(|b| matches!(b, b' ' | b'\n')).next().unwrap_or_default().to_vec();
    let mut lines: Vec<(Vec<u8>, Vec<u8>)> = lines.into_iter().map(|line| (version(&line), line)).collect();
    lines.sort_by(|(a, _), (b, _)| if reverse { compare(b, a) } else { compare(a, b) });
    for (_, line) in lines {
        process.out(&line)?;
    }
    Ok(Status::SUCCESS)
}

fn list(process: &mut Process<'_>, with_paths: bool) -> Result<Status, Fatal> {
    for (mut line, path) in images(process) {
        if with_paths {
            line.push(b' ');
            line.extend_from_slice(&path);
        }
        line.push(b'\n');
        process.out(&line)?;
    }
    Ok(Status::SUCCESS)
}

/// The kernels in `/boot`: versions and paths, in the order of paths without regard to case, as Perl's `glob` has them.
pub(super) fn images(process: &Process<'_>) -> Vec<(Vec<u8>, Vec<u8>)> {
    let folder = process.machine.tree.find(BOOT).and_then(|folder| folder.entries());
    let mut names: Vec<&[u8]> = folder.into_iter().flat_map(|entries| entries.keys()).map(|n| n.as_bytes()).collect();
    names.sort_by_key(|name| name.to_ascii_lowercase());
    let image = |name: &[u8]| {
        let version = name.strip_prefix(b"vmlinuz-").or_else(|| name.strip_prefix(b"vmlinux-"))?;
        // What ends so is a signature of an image.
        (!name.ends_with(b".sig")).then(|| (version.to_vec(), [BOOT, b"/", name].concat()))
    };
    names.into_iter().filter_map(image).collect()
}

/// The next part of a version: digits, or what is up to the next digit or hyphen; the empty one comes once, at the end.
fn part<'a>(rest: &mut Option<&'a [u8]>) -> Option<&'a [u8]> {
    let text = (*rest)?;
    let length = match text.first() {
        Some(b'0'..=b'9') => text.iter().take_while(|b| b.is_ascii_digit()).count(),
        Some(_) => 1 + text[1..].iter().take_while(|b| !b.is_ascii_digit() && **b != b'-').count(),
        None => 0,
    };
    *rest = (length > 0).then(|| &text[length..]);
    Some(&text[..length])
}

/// Orders versions: numbers as numbers, other parts as text, and what was before a release before it.
pub(super) fn compare(left: &[u8], right: &[u8]) -> Ordering {
    let (mut left, mut right) = (Some(left), Some(right));
    let is_before_release = |part: Option<&[u8]>| matches!(part, Some(b"-rc" | b"-trunk"));
    loop {
        let (a, b) = (part(&mut left), part(&mut right));
        match (is_before_release(a), is_before_release(b)) {
            (true, false) => return Ordering::Less,
            (false, true) => return Ordering::Greater,
            _ => {}
        }
        let (Some(a), Some(b)) = (a, b) else { return a.is_some().cmp(&b.is_some()) };
        let order = match (number(a), number(b)) {
            (Some(a), Some(b)) => a.len().cmp(&b.len()).then(a.cmp(b)),
            _ => a.cmp(b),
        };
        if order.is_ne() {
            return order;
        }
    }
}

/// A number's digits without the zeros before them.
fn number(part: &[u8]) -> Option<&[u8]> {
    part.first().filter(|b| b.is_ascii_digit())?;
    Some(&part[part.iter().take_while(|&&b| b == b'0').count()..])
}
