//! Configuration files: what a package lists, and what the database remembers of them.

use crate::{
    dpkg::{
        database::{Database, PackageId},
        package::{Conffile, NEW_CONFFILE},
    },
    store::Layer,
};

use super::place::Done;

/// A line of a package's `conffiles`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    pub path: Vec<u8>,
    /// An old configuration file that is to go, and that the package does not bring.
    pub remove_on_upgrade: bool,
}

/// A line of `conffiles` that is none, counted from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConffileError {
    #[error("line {0}: expected an absolute path")]
    Path(usize),
    #[error("line {line}: unknown flag `{}`", flag.escape_ascii())]
    Flag { line: usize, flag: Vec<u8> },
    #[error("the last line does not end")]
    Unterminated,
}

/// The configuration files that a package lists.
pub(super) fn listed(layer: &Layer) -> Result<Vec<Listed>, ConffileError> {
    let Some(file) = layer.control.get(b"conffiles".as_slice()) else { return Ok(Vec::new()) };
    parse(&file.content)
}

fn parse(bytes: &[u8]) -> Result<Vec<Listed>, ConffileError> {
    if bytes.is_empty() {
        return Ok(Vec::new());
    }
    let text = bytes.strip_suffix(b"\n").ok_or(ConffileError::Unterminated)?;
    let lines = text.split(|&b| b == b'\n').map(<[u8]>::trim_ascii_end).enumerate();
    lines.filter(|(_, line)| !line.is_empty()).map(|(index, line)| parse_line(index + 1, line)).collect()
}

fn parse_line(number: usize, line: &[u8]) -> Result<Listed, ConffileError> {
    if line.starts_with(b"/") {
        return Ok(Listed { path: line.to_vec(), remove_on_upgrade: false });
    }
    let blank = line.iter().position(|&b| b == b' ').ok_or(ConffileError::Path(number))?;
    let (flag, path) = (&line[..blank], &line[blank + 1..]);
    if !path.starts_with(b"/") {
        return Err(ConffileError::Path(number));
    }
    if flag != b"remove-on-upgrade" {
        return Err(ConffileError::Flag { line: number, flag: flag.to_vec() });
    }
    Ok(Listed { path: path.to_vec(), remove_on_upgrade: true })
}

/// Notes a package's configuration files in the database, not configured yet.
pub(super) fn record(database: &mut Database, id: PackageId, listed: &[Listed], done: &Done) {
    let conffile = |listed: &Listed| Conffile {
        path: listed.path.clone(),
        md5: NEW_CONFFILE.to_owned(),
        obsolete: done.kept.contains(&listed.path),
        remove_on_upgrade: listed.remove_on_upgrade,
    };
    database.get_mut(id).conffiles = listed.iter().map(conffile).collect();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        let path = |path: &str, remove_on_upgrade| Listed { path: path.as_bytes().to_vec(), remove_on_upgrade };
        assert_eq!(
            parse(b"/etc/a b \n\nremove-on-upgrade /etc/c\n"),
            Ok(vec![path("/etc/a b", false), path("/etc/c", true)])
        );
        assert_eq!(parse(b"etc/a\n"), Err(ConffileError::Path(1)));
        assert_eq!(parse(b"/a\nremove-on-upgrade b\n"), Err(ConffileError::Path(2)));
        assert_eq!(parse(b"keep /a\n"), Err(ConffileError::Flag { line: 1, flag: b"keep".to_vec() }));
        assert_eq!(parse(b"/a"), Err(ConffileError::Unterminated));
    }
}
