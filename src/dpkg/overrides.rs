//! Overridden owners and modes, as `/var/lib/dpkg/statoverride` lists them.

use super::hash::path_bin;

pub const PATH: &[u8] = b"/var/lib/dpkg/statoverride";

/// What a path's metadata must be whenever a package installs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    /// A user's name, or `#` and a number.
    pub user: Vec<u8>,
    pub group: Vec<u8>,
    /// 0 to 0o7777.
    pub mode: u16,
    pub path: Vec<u8>,
}

/// All overrides, in the file's order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides(pub Vec<Override>);

/// A line that is none of `user group mode path`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OverrideError {
    #[error("line {line}: expected `user group mode path`, found `{}`", text.escape_ascii())]
    Line { line: usize, text: Vec<u8> },
    #[error("line {line}: `{}` is overridden twice", path.escape_ascii())]
    Twice { line: usize, path: Vec<u8> },
}

impl Overrides {
    pub fn parse(bytes: &[u8]) -> Result<Self, OverrideError> {
        let mut overrides = Self::default();
        let text = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        for (index, line) in text.split(|&b| b == b'\n').enumerate() {
            if text.is_empty() {
                break;
            }
            let bad = || OverrideError::Line { line: index + 1, text: line.to_vec() };
            let entry = Self::line(line).ok_or_else(bad)?;
            if overrides.of(&entry.path).is_some() {
                return Err(OverrideError::Twice { line: index + 1, path: entry.path });
            }
            overrides.0.push(entry);
        }
        Ok(overrides)
    }

    fn line(line: &[u8]) -> Option<Override> {
        let mut words = line.splitn(4, |&b| b == b' ');
        let (user, group) = (words.next()?.to_vec(), words.next()?.to_vec());
        let mode = parse_mode(words.next()?)?;
        let path = words.next().filter(|path| !path.is_empty())?.to_vec();
        Some(Override { user, group, mode, path })
    }

    /// In the order in which dpkg walks its table of paths.
    pub fn render(&mut self) -> Vec<u8> {
        self.0.sort_by_key(|entry| path_bin(&entry.path));
        self.0.iter().flat_map(Override::render).collect()
    }

    pub fn of(&self, path: &[u8]) -> Option<&Override> {
        self.0.iter().find(|entry| entry.path == path)
    }
}

impl Override {
    pub fn render(&self) -> Vec<u8> {
        let mode = format!("{:o}", self.mode);
        let mut line = [self.user.as_slice(), &self.group, mode.as_bytes(), &self.path].join(b" ".as_slice());
        line.push(b'\n');
        line
    }
}

/// An octal mode of at most four digits' worth.
pub fn parse_mode(text: &[u8]) -> Option<u16> {
    let digits = std::str::from_utf8(text).ok().filter(|text| !text.starts_with('+'))?;
    u16::from_str_radix(digits, 8).ok().filter(|mode| *mode <= 0o7777)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes() {
        let text = b"root messagebus 4754 /usr/lib/dbus-1.0/dbus-daemon-launch-helper\n#105 #9 2755 /a b\n";
        let mut overrides = Overrides::parse(text).expect("valid");
        let mut expect: Vec<&[u8]> = text.split_inclusive(|&b| b == b'\n').collect();
        expect
            .sort_by_key(|line| path_bin(&line[line.iter().position(|&b| b == b'/').expect("a path")..line.len() - 1]));
        assert_eq!(overrides.render(), expect.concat());
        assert_eq!(overrides.of(b"/a b").map(|entry| entry.mode), Some(0o2755));
    }

    #[test]
    fn refuses_other_lines() {
        for line in ["root root 755", "root root 99999 /a", "root root +755 /a", "root root 755 ", "a"] {
            let error = OverrideError::Line { line: 1, text: line.as_bytes().to_vec() };
            assert_eq!(Overrides::parse(line.as_bytes()), Err(error), "{line}");
        }
        let twice = OverrideError::Twice { line: 2, path: b"/a".to_vec() };
        assert_eq!(Overrides::parse(b"r r 755 /a\nr r 700 /a\n"), Err(twice));
    }
}
