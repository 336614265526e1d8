//! Diversions: files of packages that are installed under another name, as `/var/lib/dpkg/diversions` lists them.

use super::hash::path_bin;

pub const PATH: &[u8] = b"/var/lib/dpkg/diversions";

/// `from` is installed as `to` by every package but one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diversion {
    pub from: Vec<u8>,
    pub to: Vec<u8>,
    /// The package that keeps `from` for itself; `None` when no package does.
    pub package: Option<Vec<u8>>,
}

/// All diversions, in the file's order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diversions(pub Vec<Diversion>);

/// A diversions file that is not a multiple of three lines, or diverts a path twice.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DiversionError {
    #[error("line {0}: the file ends inside a diversion")]
    Truncated(usize),
    #[error("line {line}: `{}` is diverted twice", path.escape_ascii())]
    Conflict { line: usize, path: Vec<u8> },
}

impl Diversions {
    pub fn parse(bytes: &[u8]) -> Result<Self, DiversionError> {
        let mut diversions = Self::default();
        let text = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        let lines: Vec<&[u8]> = if text.is_empty() { Vec::new() } else { text.split(|&b| b == b'\n').collect() };
        for (index, three) in lines.chunks(3).enumerate() {
            let line = index * 3 + 1;
            let [from, to, package] = three else { return Err(DiversionError::Truncated(line)) };
            for path in [from, to] {
                if diversions.of(path).is_some() {
                    return Err(DiversionError::Conflict { line, path: path.to_vec() });
                }
            }
            let package = (*package != b":").then(|| package.to_vec());
            diversions.0.push(Diversion { from: from.to_vec(), to: to.to_vec(), package });
        }
        Ok(diversions)
    }

    /// In the order in which dpkg walks its table of paths.
    pub fn render(&mut self) -> Vec<u8> {
        self.0.sort_by_key(|diversion| path_bin(&diversion.from));
        let mut out = Vec::new();
        for Diversion { from, to, package } in &self.0 {
            for line in [from.as_slice(), to, package.as_deref().unwrap_or(b":")] {
                out.extend_from_slice(line);
                out.push(b'\n');
            }
        }
        out
    }

    /// The diversion that `path` is the source or the target of.
    pub fn of(&self, path: &[u8]) -> Option<&Diversion> {
        self.0.iter().find(|diversion| diversion.from == path || diversion.to == path)
    }

    /// The diversion of `path` to another name.
    pub fn from(&self, path: &[u8]) -> Option<&Diversion> {
        self.0.iter().find(|diversion| diversion.from == path)
    }

    /// The name under which `package` installs `path`.
    pub fn installed_as<'a>(&'a self, path: &'a [u8], package: &[u8]) -> &'a [u8] {
        match self.from(path) {
            Some(diversion) if diversion.package.as_deref() != Some(package) => &diversion.to,
            _ => path,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DASH: &[u8] =
        b"/usr/share/man/man1/sh.1.gz\n/usr/share/man/man1/sh.distrib.1.gz\ndash\n/bin/sh\n/bin/sh.distrib\ndash\n";

    #[test]
    fn reads_what_it_writes() {
        let mut diversions = Diversions::parse(DASH).expect("valid");
        diversions.0.reverse();
        assert_eq!(diversions.render(), DASH);
        assert_eq!(diversions.installed_as(b"/bin/sh", b"dash"), b"/bin/sh");
        assert_eq!(diversions.installed_as(b"/bin/sh", b"bash"), b"/bin/sh.distrib");
        assert_eq!(diversions.installed_as(b"/bin/sh.distrib", b"bash"), b"/bin/sh.distrib");
        assert_eq!(Diversions::parse(b"").map(|none| none.0), Ok(Vec::new()));
    }

    #[test]
    fn refuses_what_dpkg_refuses() {
        assert_eq!(Diversions::parse(b"/a\n/b\n"), Err(DiversionError::Truncated(1)));
        let twice = DiversionError::Conflict { line: 4, path: b"/b".to_vec() };
        assert_eq!(Diversions::parse(b"/a\n/b\n:\n/b\n/c\n:\n"), Err(twice));
    }
}
