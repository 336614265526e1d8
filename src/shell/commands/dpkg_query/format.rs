//! The formats of `dpkg-query --show`: text with `${field}` and `${field;width}` in it.

use super::{Entry, Process, paths};
use crate::dpkg::{
    database::{Database, PackageId, Qualified},
    package::{MultiArch, TEXTS},
    relation::{Kind, render_version},
};

/// A piece of a format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Text(Vec<u8>),
    /// The field's name and its width: negative when it is filled at the right, 0 when it is as long as it is.
    Field(Vec<u8>, i64),
}

/// Reads a format; `None` when it is empty or a brace is not closed.
pub(super) fn parse(format: &[u8]) -> Option<Vec<Piece>> {
    let mut pieces = Vec::new();
    let mut rest = format;
    while !rest.is_empty() {
        if let Some(inside) = rest.strip_prefix(b"${") {
            let end = inside.iter().position(|&b| b == b'}')?;
            let mut parts = inside[..end].splitn(2, |&b| b == b';');
            let name = parts.next().unwrap_or_default().to_vec();
            let width = match parts.next() {
                None => 0,
                Some(digits) => std::str::from_utf8(digits).ok()?.trim_start().parse().ok()?,
            };
            pieces.push(Piece::Field(name, width));
            rest = &inside[end + 1..];
        } else {
            let end = memchr::memmem::find(&rest[1..], b"${").map_or(rest.len(), |at| at + 1);
            pieces.push(Piece::Text(unescape(&rest[..end])));
            rest = &rest[end..];
        }
    }
    (!pieces.is_empty()).then_some(pieces)
}

fn unescape(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut bytes = text.iter();
    while let Some(&byte) = bytes.next() {
        out.push(match byte {
            b'\\' => match bytes.next() {
                Some(b'n') => b'\n',
                Some(b't') => b'\t',
                Some(b'r') => b'\r',
                Some(&other) => other,
                None => b'\\',
            },
            other => other,
        });
    }
    out
}

pub(super) fn render(pieces: &[Piece], process: &Process<'_>, database: &Database, entry: &Entry) -> Vec<u8> {
    let mut out = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Text(text) => out.extend_from_slice(text),
            Piece::Field(name, width) => {
                let value = match entry {
                    Entry::Package(id) => field(process, database, *id, name),
                    Entry::Mentioned(package) => mentioned(package, name),
                };
                // A field that dpkg knows is there even when it is empty.
                if let Some(value) = value.or_else(|| is_known(name).then(Vec::new)) {
                    out.extend_from_slice(&fit(value, *width));
                }
            }
        }
    }
    out
}

/// Whether dpkg knows a field by this name, be it one that is made for showing.
fn is_known(name: &[u8]) -> bool {
    const KNOWN: [&str; 14] = [
        "Version",
        "Config-Version",
        "Architecture",
        "Conffiles",
        "Triggers-Pending",
        "Triggers-Awaited",
        "Filename",
        "Size",
        "MD5sum",
        "MSDOS-Filename",
        "db-fsys:Files",
        "db-fsys:Last-Modified",
        "source:Version",
        "source:Upstream-Version",
    ];
    let relations = Kind::ALL.map(Kind::field);
    let known = [&KNOWN[..], &TEXTS, &relations].concat();
    known.iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes()))
}

/// Fills or cuts a value to its width.
fn fit(value: Vec<u8>, width: i64) -> Vec<u8> {
    let wanted = usize::try_from(width.unsigned_abs()).unwrap_or(usize::MAX).min(1 << 16);
    if wanted == 0 {
        return value;
    }
    let blanks = vec![b' '; wanted.saturating_sub(value.len())];
    let mut filled = if width < 0 { [value, blanks].concat() } else { [blanks, value].concat() };
    filled.truncate(wanted);
    filled
}

/// A field of a package that is only mentioned by others.
fn mentioned(package: &str, name: &[u8]) -> Option<Vec<u8>> {
    Some(match name.to_ascii_lowercase().as_slice() {
        b"package" | b"binary:package" | b"source:package" => package.into(),
        b"status" => b"unknown ok not-installed".to_vec(),
        b"db:status-want" => b"unknown".to_vec(),
        b"db:status-eflag" => b"ok".to_vec(),
        b"db:status-status" => b"not-installed".to_vec(),
        b"db:status-abbrev" => b"un ".to_vec(),
        b"essential" | b"protected" | b"multi-arch" => b"no".to_vec(),
        b"binary:synopsis" | b"binary:summary" => b"(no description available)".to_vec(),
        _ => return None,
    })
}

/// A field's value; `None` for one that the package does not have.
fn field(process: &Process<'_>, database: &Database, id: PackageId, name: &[u8]) -> Option<Vec<u8>> {
    let package = database.get(id);
    let source = || package.text("Source").map_or_else(|| package.name.clone().into_bytes(), <[u8]>::to_vec);
    let source_version = || {
        let source = source();
        let inside = source.split(|&b| b == b'(').nth(1).map(|rest| rest.split(|&b| b == b')').next().unwrap_or(rest));
        inside.map_or_else(|| render_version(&package.version).into_bytes(), <[u8]>::to_vec)
    };
    let yes_or_no = |value| if value { b"yes".to_vec() } else { b"no".to_vec() };
    let list = || -> Vec<u8> {
        paths(process, database, id).iter().flat_map(|path| [b" ", path.as_slice(), b"\n"].concat()).collect()
    };
    Some(match name.to_ascii_lowercase().as_slice() {
        b"binary:package" => database.name(id, Qualified::IfAmbiguous).into_bytes(),
        b"db:status-want" => package.want.to_string().into_bytes(),
        b"db:status-eflag" => package.flag.to_string().into_bytes(),
        b"db:status-status" => package.state.to_string().into_bytes(),
        b"db:status-abbrev" => super::table::flags(package).into_bytes(),
        b"binary:synopsis" | b"binary:summary" => super::table::synopsis(package).into_bytes(),
        b"db-fsys:files" => list(),
        b"db-fsys:last-modified" => {
            let seconds =
                process.machine.tree.find(&database.info_path(id, "list")).map(|list| list.stat.mtime.seconds);
            seconds.map(|seconds| seconds.to_string()).unwrap_or_default().into_bytes()
        }
        b"source:package" => source().split(|&b| b == b' ').next().unwrap_or_default().to_vec(),
        b"source:version" => source_version(),
        b"source:upstream-version" => {
            let version = source_version();
            let rest = version.iter().position(|&b| b == b':').map_or(&version[..], |at| &version[at + 1..]);
            rest.iter().rposition(|&b| b == b'-').map_or(rest, |at| &rest[..at]).to_vec()
        }
        b"essential" => yes_or_no(package.essential),
        b"protected" => yes_or_no(package.protected),
        b"multi-arch" if package.multi_arch == MultiArch::No => b"no".to_vec(),
        b"conffiles" => package.render_conffiles().get(1..).unwrap_or_default().to_vec(),
        // dpkg puts a blank before each of these.
        b"triggers-pending" => words(&package.triggers_pending),
        b"triggers-awaited" => words(&package.triggers_awaited),
        name => {
            let mut found = None;
            package.fields(&mut |field, value| {
                if field.as_bytes().eq_ignore_ascii_case(name) {
                    found = Some(value.to_vec());
                }
            });
            return found;
        }
    })
}

fn words(words: &[String]) -> Vec<u8> {
    words.iter().flat_map(|word| [b" ", word.as_bytes()].concat()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats() {
        let field = |name: &str, width| Piece::Field(name.as_bytes().to_vec(), width);
        let text = |text: &str| Piece::Text(text.as_bytes().to_vec());
        assert_eq!(
            parse(b"a$b${Package;-10}\\t\\${x}\\\\"),
            Some(vec![text("a$b"), field("Package", -10), text("\t\\"), field("x", 0), text("\\")])
        );
        assert_eq!(parse(b"${a"), None);
        assert_eq!(parse(b""), None);
        assert_eq!(fit(b"abc".to_vec(), 5), b"  abc");
        assert_eq!(fit(b"abc".to_vec(), -5), b"abc  ");
        assert_eq!(fit(b"abc".to_vec(), 2), b"ab");
    }
}
