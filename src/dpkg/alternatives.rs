//! One link group of update-alternatives(1) and its file in `/var/lib/dpkg/alternatives`.
//!
//! The file: the mode, the master link; name and link of each slave; an empty line; for each choice its path, priority and
//! the file of each slave (empty when the choice has none); an empty line.

/// Whether the best choice is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Auto,
    Manual,
}

/// A name that several files can provide, with links that follow it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    pub mode: Mode,
    pub link: Vec<u8>,
    pub slaves: Vec<Slave>,
    pub choices: Vec<Choice>,
}

/// A link that changes together with the master's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slave {
    pub name: Vec<u8>,
    pub link: Vec<u8>,
}

/// A file that can be chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    pub path: Vec<u8>,
    pub priority: i32,
    /// Slave names and their files; none of the files is empty.
    pub slaves: Vec<Slave>,
}

/// What a group's file lacks or has too much.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Corrupt {
    #[error("unexpected end of file while trying to read {0}")]
    End(&'static str),
    #[error("invalid status")]
    Mode,
    #[error("duplicate slave name {}", .0.escape_ascii())]
    SlaveName(Vec<u8>),
    #[error("duplicate slave link {}", .0.escape_ascii())]
    SlaveLink(Vec<u8>),
    #[error("duplicate path {}", .0.escape_ascii())]
    Path(Vec<u8>),
    #[error("priority of {}: {}", path.escape_ascii(), priority.escape_ascii())]
    Priority { path: Vec<u8>, priority: Vec<u8> },
}

impl Choice {
    /// The slave's file, if the choice has one.
    pub fn file(&self, slave: &[u8]) -> Option<&[u8]> {
        self.slaves.iter().find(|known| known.name == slave).map(|known| known.link.as_slice())
    }
}

impl Group {
    pub fn choice(&self, path: &[u8]) -> Option<&Choice> {
        self.choices.iter().find(|choice| choice.path == path)
    }

    pub fn slave(&self, name: &[u8]) -> Option<&Slave> {
        self.slaves.iter().find(|slave| slave.name == name)
    }

    /// The choice of the highest priority; the current one, then the first, when several have it.
    pub fn best(&self, current: Option<&[u8]>) -> Option<&Choice> {
        let mut best = current.and_then(|path| self.choice(path)).or_else(|| self.choices.first())?;
        for choice in &self.choices {
            if choice.priority > best.priority {
                best = choice;
            }
        }
        Some(best)
    }

    pub fn parse(bytes: &[u8]) -> Result<Self, Corrupt> {
        let mut lines = Lines(bytes);
        let mode = match lines.next("status")? {
            b"auto" => Mode::Auto,
            b"manual" => Mode::Manual,
            _ => return Err(Corrupt::Mode),
        };
        let link = lines.next("master link")?.to_vec();
        let mut group = Self { mode, link, slaves: Vec::new(), choices: Vec::new() };
        loop {
            let name = lines.next("slave name")?;
            if name.is_empty() {
                break;
            }
            if group.slave(name).is_some() {
                return Err(Corrupt::SlaveName(name.to_vec()));
            }
            let link = lines.next("slave link")?;
            if link == group.link || group.slaves.iter().any(|slave| slave.link == link) {
                return Err(Corrupt::SlaveLink(link.to_vec()));
            }
            group.slaves.push(Slave { name: name.to_vec(), link: link.to_vec() });
        }
        loop {
            let path = lines.next("master file")?;
            if path.is_empty() {
                return Ok(group);
            }
            if group.choice(path).is_some() {
                return Err(Corrupt::Path(path.to_vec()));
            }
            let text = lines.next("priority")?;
            let priority = std::str::from_utf8(text).ok().and_then(|text| text.trim_ascii_start().parse().ok());
            let priority =
                priority.ok_or_else(|| Corrupt::Priority { path: path.to_vec(), priority: text.to_vec() })?;
            let mut choice = Choice { path: path.to_vec(), priority, slaves: Vec::new() };
            for slave in &group.slaves {
                let file = lines.next("slave file")?;
                if !file.is_empty() {
                    choice.slaves.push(Slave { name: slave.name.clone(), link: file.to_vec() });
                }
            }
            group.choices.push(choice);
        }
    }

    /// Drops slaves that no choice has, sorts, and renders.
    pub fn render(&mut self) -> Vec<u8> {
        let choices = &self.choices;
        self.slaves.retain(|slave| choices.iter().any(|choice| choice.file(&slave.name).is_some()));
        self.slaves.sort_by(|a, b| a.name.cmp(&b.name));
        self.choices.sort_by(|a, b| a.path.cmp(&b.path));
        let mode = if self.mode == Mode::Auto { b"auto".as_slice() } else { b"manual" };
        let mut out = Vec::new();
        let mut line = |text: &[u8]| {
            out.extend_from_slice(text);
            out.push(b'\n');
        };
        line(mode);
        line(&self.link);
        for slave in &self.slaves {
            line(&slave.name);
            line(&slave.link);
        }
        line(b"");
        for choice in &self.choices {
            line(&choice.path);
            line(choice.priority.to_string().as_bytes());
            for slave in &self.slaves {
                line(choice.file(&slave.name).unwrap_or_default());
            }
        }
        line(b"");
        out
    }
}

struct Lines<'a>(&'a [u8]);

impl<'a> Lines<'a> {
    fn next(&mut self, what: &'static str) -> Result<&'a [u8], Corrupt> {
        let end = memchr::memchr(b'\n', self.0).ok_or(Corrupt::End(what))?;
        let line = &self.0[..end];
        self.0 = &self.0[end + 1..];
        Ok(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "auto\n/usr/bin/awk\nawk.1.gz\n/usr/share/man/man1/awk.1.gz\nnawk\n/usr/bin/nawk\n\n\
                        /usr/bin/gawk\n10\n/usr/share/man/man1/gawk.1.gz\n/usr/bin/gawk\n\
                        /usr/bin/mawk\n-5\n\n/usr/bin/mawk\n\n";

    #[test]
    fn reads_what_it_writes() {
        let mut group = Group::parse(FILE.as_bytes()).expect("valid");
        assert_eq!(group.best(None).map(|choice| choice.path.as_slice()), Some(b"/usr/bin/gawk".as_slice()));
        assert_eq!(group.choices[1].file(b"awk.1.gz"), None);
        assert_eq!(String::from_utf8(group.render()).expect("UTF-8"), FILE);
        group.slaves.push(Slave { name: b"unused".to_vec(), link: b"/u".to_vec() });
        group.choices.reverse();
        assert_eq!(String::from_utf8(group.render()).expect("UTF-8"), FILE);
    }

    #[test]
    fn says_what_is_corrupt() {
        let check = |text: &str, expect: &str| {
            assert_eq!(Group::parse(text.as_bytes()).map_err(|error| error.to_string()), Err(expect.to_owned()));
        };
        check("", "unexpected end of file while trying to read status");
        check("maybe\n", "invalid status");
        check("auto\n/l\ns\n/l\n", "duplicate slave link /l");
        check("auto\n/l\n\n/p\nhigh\n", "priority of /p: high");
        check("auto\n/l\n\n/p\n1\n", "unexpected end of file while trying to read master file");
    }
}
