//! The formats of `-printf`.

use super::{
    Follow,
    evaluate::letter,
    walk::{Visit, Walk},
};
use crate::{
    shell::{
        Fatal, Process, accounts,
        commands::{apparent_size, link_count},
        mode::{kind_letter, permissions},
        text::c_escape,
        time::{Moment, format as format_time},
    },
    tree::Node,
};

pub(super) fn format(walk: &Walk<'_, '_>, visit: &Visit, text: &[u8]) -> Result<Vec<u8>, Fatal> {
    let mut out = Vec::new();
    let mut at = 0;
    while at < text.len() {
        match text[at] {
            b'\\' if text.get(at + 1) == Some(&b'c') => break,
            b'\\' if at + 1 < text.len() => {
                let (byte, next) = c_escape(text, at);
                // A backslash before nothing special stays.
                if next == at + 2 && byte == text[at + 1] && byte != b'\\' && !byte.is_ascii_digit() {
                    out.push(b'\\');
                }
                out.push(byte);
                at = next;
            }
            b'%' => {
                let flags = text[at + 1..].iter().take_while(|b| b"-+ #0123456789.".contains(b)).count();
                let end = at + 1 + flags;
                let time = matches!(text.get(end), Some(b'T' | b'A' | b'C')) && end + 1 < text.len();
                let letters = text.get(end..=end + usize::from(time)).unwrap_or_default();
                let value = match letters {
                    b"%" => b"%".to_vec(),
                    letters => conversion(walk, visit, letters).ok_or_else(|| {
                        walk.process.not_modelled(format!("conversion `%{}`", letters.escape_ascii()))
                    })?,
                };
                pad(&text[at + 1..end], value, &mut out);
                at = end + 1 + usize::from(time);
            }
            byte => {
                out.push(byte);
                at += 1;
            }
        }
    }
    Ok(out)
}

fn pad(flags: &[u8], mut value: Vec<u8>, out: &mut Vec<u8>) {
    let text = String::from_utf8_lossy(flags);
    let (width, precision) = text.split_once('.').unwrap_or((&text, ""));
    let digits = width.trim_start_matches(['-', '+', ' ', '#', '0']);
    if let Ok(most) = precision.parse::<usize>() {
        value.truncate(most);
    }
    let marks = &width[..width.len() - digits.len()];
    let missing = digits.parse::<usize>().unwrap_or(0).saturating_sub(value.len());
    let fill = if marks.contains('0') && !marks.contains('-') { b'0' } else { b' ' };
    if marks.contains('-') {
        out.extend_from_slice(&value);
    }
    out.resize(out.len() + missing, fill);
    if !marks.contains('-') {
        out.extend_from_slice(&value);
    }
}

// table: one line a conversion
fn conversion(walk: &Walk<'_, '_>, visit: &Visit, letters: &[u8]) -> Option<Vec<u8>> {
    let process = &*walk.process;
    let inode = process.inode(visit.id);
    let stat = &inode.stat;
    let tree = &process.machine.tree;
    let start = &walk.query.starts[visit.start];
    let path = &visit.path;
    let text = match letters {
        b"b" => (apparent_size(inode).div_ceil(4096) * 8).to_string(),
        b"d" => visit.depth.to_string(),
        b"f" => return Some(file_name(path).to_vec()),
        b"F" => "ext4".to_owned(),
        b"g" => return Some(accounts::group_name(tree, stat.gid).unwrap_or_else(|| stat.gid.to_string().into())),
        b"G" => stat.gid.to_string(),
        b"h" => return Some(folder(path).to_vec()),
        b"H" => return Some(start.clone()),
        b"i" => (visit.id.index() + 11).to_string(),
        b"k" => (apparent_size(inode).div_ceil(4096) * 4).to_string(),
        b"l" => match &inode.node {
            Node::Symlink(target) => return Some(target.to_vec()),
            _ => String::new(),
        },
        b"m" => format!("{:o}", stat.mode),
        b"M" => format!("{}{}", kind_letter(inode), permissions(stat.mode)),
        b"n" => link_count(process, inode).to_string(),
        b"p" => return Some(path.clone()),
        b"P" => {
            let below = path.strip_prefix(start.as_slice()).unwrap_or(path);
            return Some(below.strip_prefix(b"/").unwrap_or(below).to_vec());
        }
        b"s" => apparent_size(inode).to_string(),
        b"t" | b"a" | b"c" => return time(process, visit, b"%a %b %e %H:%M:%S"),
        b"u" => return Some(accounts::user_name(tree, stat.uid).unwrap_or_else(|| stat.uid.to_string().into())),
        b"U" => stat.uid.to_string(),
        b"y" => char::from(letter(inode)).to_string(),
        b"Y" => match (inode.is_symlink(), process.lookup(path)) {
            (true, Err(error)) if error.errno == crate::tree::Errno::Loop => "L".to_owned(),
            (true, Err(_)) => "N".to_owned(),
            (_, Ok(id)) if walk.query.follow != Follow::Always => char::from(letter(process.inode(id))).to_string(),
            _ => char::from(letter(inode)).to_string(),
        },
        [b'T' | b'A' | b'C', b'@'] => format!("{}.{:09}0", stat.mtime.seconds, stat.mtime.nanoseconds),
        [b'T' | b'A' | b'C', b'+'] => return time(process, visit, b"%Y-%m-%d+%H:%M:%S"),
        [b'T' | b'A' | b'C', b'S'] => return time(process, visit, b"%S"),
        [b'T' | b'A' | b'C', b'T' | b'X'] => return time(process, visit, b"%H:%M:%S"),
        [b'T' | b'A' | b'C', letter] => {
            let moment = Moment::new(stat.mtime.seconds, stat.mtime.nanoseconds);
            return format_time(&moment, &[b'%', *letter]).ok();
        }
        _ => return None,
    };
    Some(text.into_bytes())
}

/// A time whose seconds have ten digits behind the point, and for `%t` the year behind that.
fn time(process: &Process<'_>, visit: &Visit, wanted: &[u8]) -> Option<Vec<u8>> {
    let mtime = process.inode(visit.id).stat.mtime;
    let moment = Moment::new(mtime.seconds, mtime.nanoseconds);
    let mut text = format_time(&moment, wanted).ok()?;
    text.extend_from_slice(format!(".{:09}0", mtime.nanoseconds).as_bytes());
    if wanted.starts_with(b"%a") {
        text.extend_from_slice(format!(" {}", moment.year).as_bytes());
    }
    Some(text)
}

/// The last part of a path, with the slashes that a starting point has behind it.
fn file_name(path: &[u8]) -> &[u8] {
    let end = path.iter().rposition(|&b| b != b'/').map_or(0, |last| last + 1);
    let start = path[..end].iter().rposition(|&b| b == b'/').map_or(0, |slash| slash + 1);
    &path[start..]
}

/// What is before the last slash; `.` when there is none.
fn folder(path: &[u8]) -> &[u8] {
    path.iter().rposition(|&b| b == b'/').map_or(b".", |slash| &path[..slash])
}
