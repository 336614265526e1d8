//! Key files, which have groups of keys with values: the form of the Desktop Entry Specification, as far as `GKeyFile` reads it
//! without looking into values.

/// A name and what stands behind it.
pub type Named<T> = (Vec<u8>, T);

/// Groups and their keys in the order of the file; a group or key that is given again adds to or replaces the first.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct KeyFile {
    pub groups: Vec<Named<Vec<Named<Vec<u8>>>>>,
}

/// The number of a line that is neither a group nor a key, a comment or empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {0} is no key-value pair, group or comment")]
pub struct Fault(pub usize);

pub fn parse(text: &[u8]) -> Result<KeyFile, Fault> {
    let mut file = KeyFile::default();
    let mut current = None;
    for (number, line) in (1..).zip(text.split(|&byte| byte == b'\n')) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let start = line.trim_ascii_start();
        if start.is_empty() || start[0] == b'#' {
            continue;
        }
        if start[0] == b'[' {
            let name = start.trim_ascii_end().strip_prefix(b"[").and_then(|rest| rest.strip_suffix(b"]"));
            let name = name.filter(|name| is_group(name)).ok_or(Fault(number))?;
            current = Some(file.group(name));
            continue;
        }
        let (Some(group), Some(sign)) = (current, memchr::memchr(b'=', start)) else { return Err(Fault(number)) };
        let key = start[..sign].trim_ascii_end();
        if key.is_empty() {
            return Err(Fault(number));
        }
        let value = start[sign + 1..].trim_ascii_start().to_vec();
        let keys = &mut file.groups[group].1;
        match keys.iter_mut().find(|(known, _)| known == key) {
            Some((_, old)) => *old = value,
            None => keys.push((key.to_vec(), value)),
        }
    }
    Ok(file)
}

fn is_group(name: &[u8]) -> bool {
    !name.is_empty() && !name.iter().any(|byte| matches!(byte, b'[' | b']') || byte.is_ascii_control())
}

impl KeyFile {
    /// The index of a group, made if it isn't there.
    fn group(&mut self, name: &[u8]) -> usize {
        let known = self.groups.iter().position(|(known, _)| known == name);
        known.unwrap_or_else(|| {
            self.groups.push((name.to_vec(), Vec::new()));
            self.groups.len() - 1
        })
    }
}
