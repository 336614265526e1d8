//! `file_contexts(5)` as modules carry it, put together in the order of libsepol's compiler (`cil_post.c`): patterns before
//! plain paths, then by the length of the part before the first special character, by length, by kind, by bytes.

use std::{cmp::Ordering, collections::BTreeMap};

use super::{Error, Symbols};

/// Kinds of files, in the compiler's order; an entry for every kind comes before them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Regular,
    Directory,
    CharDevice,
    BlockDevice,
    Socket,
    Fifo,
    Symlink,
}

const KINDS: [(&[u8], Kind); 7] = [
    (b"--", Kind::Regular),
    (b"-d", Kind::Directory),
    (b"-c", Kind::CharDevice),
    (b"-b", Kind::BlockDevice),
    (b"-s", Kind::Socket),
    (b"-p", Kind::Fifo),
    (b"-l", Kind::Symlink),
];

impl Kind {
    pub(super) fn parse(field: &[u8]) -> Option<Self> {
        KINDS.iter().find(|(text, _)| *text == field).map(|(_, kind)| *kind)
    }

    fn text(self) -> &'static [u8] {
        KINDS.iter().find(|(_, kind)| *kind == self).map(|(text, _)| *text).expect("every kind is in the table")
    }
}

/// A label: user, role, type and range of levels.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Context {
    pub user: Vec<u8>,
    pub role: Vec<u8>,
    pub type_: Vec<u8>,
    /// One level, or the lowest and the highest joined by `-`.
    pub range: Vec<u8>,
}

impl Context {
    pub fn parse(text: &[u8]) -> Option<Self> {
        let mut parts = text.splitn(4, |&b| b == b':');
        let mut next = || parts.next().filter(|part| !part.is_empty()).map(<[u8]>::to_vec);
        let (user, role, type_) = (next()?, next()?, next()?);
        let (low, high) = range(&next()?)?;
        let range = if low == high { low } else { [low.as_slice(), b"-", &high].concat() };
        Some(Self { user, role, type_, range })
    }

    pub fn text(&self) -> Vec<u8> {
        [&self.user, &self.role, &self.type_, &self.range].map(Vec::as_slice).join(&b':')
    }
}

/// The lowest and the highest level of a range, which may be one level.
pub(super) fn range(text: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let mut levels = text.splitn(2, |&b| b == b'-');
    let low = level(levels.next()?)?;
    let high = match levels.next() {
        Some(high) => level(high)?,
        None => low.clone(),
    };
    Some((low, high))
}

/// A level as the compiler writes it: a sensitivity, then nothing, one category or one run of them. Lists of categories, which
/// it writes in ways of its own, are not read.
fn level(text: &[u8]) -> Option<Vec<u8>> {
    let is_name = |name: &[u8]| !name.is_empty() && name.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'_');
    let mut parts = text.splitn(2, |&b| b == b':');
    let sensitivity = parts.next().filter(|name| is_name(name))?;
    let Some(categories) = parts.next() else { return Some(sensitivity.to_vec()) };
    let number = |name: &[u8]| std::str::from_utf8(name.strip_prefix(b"c")?).ok()?.parse::<u32>().ok();
    let mut ends = categories.splitn(2, |&b| b == b'.');
    let (first, last) = (ends.next()?, ends.next());
    let first_number = number(first)?;
    let written = match last {
        None => first.to_vec(),
        // Two neighbours are joined by a comma.
        Some(last) if number(last)? == first_number + 1 => [first, b",", last].concat(),
        Some(last) if number(last)? > first_number => [first, b".", last].concat(),
        Some(_) => return None,
    };
    Some([sensitivity, b":", &written].concat())
}

/// One line: a pattern, a kind of file or every kind, and a label or none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub pattern: Vec<u8>,
    pub kind: Option<Kind>,
    pub context: Option<Context>,
}

/// A pattern, the kind of file that it is for, and a label.
type Fields<'l> = (&'l [u8], Option<Kind>, &'l [u8]);

/// The fields of a line, as file_contexts(5) has them; `None` for a blank line and a comment.
pub(super) fn split(line: &[u8]) -> Result<Option<Fields<'_>>, Error> {
    let fields: Vec<&[u8]> = line.split(u8::is_ascii_whitespace).filter(|field| !field.is_empty()).collect();
    match fields.as_slice() {
        [] => Ok(None),
        [first, ..] if first.starts_with(b"#") => Ok(None),
        [pattern, label] => Ok(Some((pattern, None, label))),
        [pattern, kind, label] => {
            let kind = Kind::parse(kind).ok_or_else(|| Error::line(line, "no kind of file"))?;
            Ok(Some((pattern, Some(kind), label)))
        }
        _ => Err(Error::line(line, "not two or three fields")),
    }
}

impl Entry {
    /// Without a newline; `None` for a blank line and a comment.
    fn parse(line: &[u8]) -> Result<Option<Self>, Error> {
        let Some((pattern, kind, label)) = split(line)? else { return Ok(None) };
        let context = match label {
            b"<<none>>" => None,
            _ => Some(Context::parse(label).ok_or_else(|| Error::line(line, "no label with levels"))?),
        };
        if pattern.contains(&b'"') {
            return Err(Error::line(line, "a quotation mark in a pattern"));
        }
        Ok(Some(Self { pattern: pattern.to_vec(), kind, context }))
    }

    /// With its newline.
    fn line(&self) -> Vec<u8> {
        let mut line = self.pattern.clone();
        line.extend(self.kind.into_iter().flat_map(|kind| [b"\t", kind.text()].concat()));
        line.push(b'\t');
        line.extend(self.context.as_ref().map_or(b"<<none>>".to_vec(), Context::text));
        line.push(b'\n');
        line
    }

    fn compare(&self, other: &Self) -> Ordering {
        let shape = |entry: &Self| {
            let shape = Shape::of(&entry.pattern);
            (!shape.is_pattern, shape.stem, shape.length)
        };
        let key = |entry: &Self| (shape(entry), entry.kind);
        key(self).cmp(&key(other)).then_with(|| self.pattern.cmp(&other.pattern))
    }
}

/// Lengths by which the compiler orders patterns; an escaped character counts once.
struct Shape {
    is_pattern: bool,
    /// Characters before the first special one.
    stem: usize,
    length: usize,
}

impl Shape {
    fn of(pattern: &[u8]) -> Self {
        let mut shape = Self { is_pattern: false, stem: 0, length: 0 };
        let mut rest = pattern.iter();
        while let Some(byte) = rest.next() {
            match byte {
                b'.' | b'^' | b'$' | b'?' | b'*' | b'+' | b'|' | b'[' | b'(' | b'{' => shape.is_pattern = true,
                _ => {
                    if *byte == b'\\' {
                        rest.next();
                    }
                    shape.stem += usize::from(!shape.is_pattern);
                }
            }
            shape.length += 1;
        }
        shape
    }
}

/// What all modules say of files.
#[derive(Clone, Debug, Default)]
pub struct Contexts {
    entries: Vec<Entry>,
}

impl Contexts {
    /// Adds a module's section.
    pub fn add(&mut self, text: &[u8]) -> Result<(), Error> {
        for line in text.split(|&b| b == b'\n') {
            self.entries.extend(Entry::parse(line)?);
        }
        Ok(())
    }

    /// Puts all in order, with types for their aliases. What is said twice stands once.
    pub fn link(mut self, symbols: &Symbols) -> Result<Linked, Error> {
        for context in self.entries.iter_mut().filter_map(|entry| entry.context.as_mut()) {
            context.type_ = symbols.type_(&context.type_)?.clone();
            symbols.user(&context.user)?;
        }
        self.entries.sort_by(Entry::compare);
        self.check()?;
        let mut linked = Linked::default();
        let mut last: Option<&Entry> = None;
        for entry in &self.entries {
            match last {
                Some(before) if before.compare(entry) == Ordering::Equal => {
                    if before.context != entry.context {
                        return Err(conflict(before, entry));
                    }
                }
                _ => linked.push(&entry.line()),
            }
            last = Some(entry);
        }
        Ok(linked)
    }
}

impl Contexts {
    /// One pattern may have several labels for several kinds of files, but not beside one for every kind: libsemanage has
    /// libselinux look at what it wrote, and that refuses it.
    fn check(&self) -> Result<(), Error> {
        let mut every: BTreeMap<&[u8], &Entry> = BTreeMap::new();
        for entry in self.entries.iter().filter(|entry| entry.kind.is_none()) {
            every.entry(&entry.pattern).or_insert(entry);
        }
        for entry in &self.entries {
            match every.get(entry.pattern.as_slice()) {
                Some(other) if other.context != entry.context && !is_template(&entry.pattern) => {
                    return Err(conflict(other, entry));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// Whether a line is for the template of homes.
fn is_template(line: &[u8]) -> bool {
    let has = |word: &[u8]| memchr::memmem::find(line, word).is_some();
    line.starts_with(b"HOME_DIR") || line.starts_with(b"HOME_ROOT") || has(b"ROLE") || has(b"USER")
}

fn conflict(first: &Entry, second: &Entry) -> Error {
    let text = |entry: &Entry| {
        let label = entry.context.as_ref().map_or(b"<<none>>".to_vec(), Context::text);
        label.escape_ascii().to_string()
    };
    Error::Conflict { path: first.pattern.escape_ascii().to_string(), first: text(first), second: text(second) }
}

/// The two files that libsemanage makes of all entries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Linked {
    pub file_contexts: Vec<u8>,
    /// Lines that a user's name or home goes into.
    pub homedir_template: Vec<u8>,
}

impl Linked {
    fn push(&mut self, line: &[u8]) {
        let file = if is_template(line) { &mut self.homedir_template } else { &mut self.file_contexts };
        file.extend_from_slice(line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn symbols() -> Symbols {
        let types = [("a_t", "a_t"), ("b_t", "b_t"), ("old_t", "a_t")];
        Symbols {
            types: types.iter().map(|(name, target)| (name.as_bytes().to_vec(), target.as_bytes().to_vec())).collect(),
            users: [(b"u".to_vec(), super::super::User::default())].into(),
        }
    }

    fn linked(text: &str) -> Result<Linked, Error> {
        let mut contexts = Contexts::default();
        contexts.add(text.as_bytes())?;
        contexts.link(&symbols())
    }

    #[test]
    fn orders_entries() {
        let check = |text: &str, expect: &str| {
            let found = linked(text).expect("valid");
            assert_eq!(String::from_utf8_lossy(&found.file_contexts), expect, "{text}");
        };
        check("# x\n\n  /a   u:r:a_t:s0 \n", "/a\tu:r:a_t:s0\n");
        check("/b\tu:r:a_t:s0\n/a\tu:r:a_t:s0\n/b.\tu:r:a_t:s0\n", "/b.\tu:r:a_t:s0\n/a\tu:r:a_t:s0\n/b\tu:r:a_t:s0\n");
        check("/ab.*\t<<none>>\n/a.*\tu:r:a_t:s0\n", "/a.*\tu:r:a_t:s0\n/ab.*\t<<none>>\n");
        check("/a\\.b\tu:r:a_t:s0\n/abc\tu:r:a_t:s0\n", "/a\\.b\tu:r:a_t:s0\n/abc\tu:r:a_t:s0\n");
        check(
            "/a\t-l\tu:r:b_t:s0\n/a\t--\tu:r:a_t:s0\n/b\tu:r:a_t:s0\n/b\t-d\tu:r:a_t:s0\n",
            "/b\tu:r:a_t:s0\n/a\t--\tu:r:a_t:s0\n/b\t-d\tu:r:a_t:s0\n/a\t-l\tu:r:b_t:s0\n",
        );
        check("/a\tu:r:old_t:s0\n/a\tu:r:a_t:s0-s0\n", "/a\tu:r:a_t:s0\n");
        check("/a\tu:r:a_t:s0-s0:c0.c1023\n", "/a\tu:r:a_t:s0-s0:c0.c1023\n");
    }

    #[test]
    fn keeps_templates_apart() {
        let text = "HOME_DIR/a\tu:r:a_t:s0\nHOME_ROOT\tu:r:a_t:s0\n/tmp/USER\tu:r:a_t:s0\n/x\tu:r:a_t:s0\n";
        let found = linked(text).expect("valid");
        assert_eq!(found.file_contexts, b"/x\tu:r:a_t:s0\n");
        assert_eq!(
            String::from_utf8_lossy(&found.homedir_template),
            "/tmp/USER\tu:r:a_t:s0\nHOME_ROOT\tu:r:a_t:s0\nHOME_DIR/a\tu:r:a_t:s0\n"
        );
    }

    #[test]
    fn refuses_what_it_can_not_read() {
        let check = |text: &str, expect: &str| {
            assert_eq!(linked(text).expect_err("refused").to_string(), expect);
        };
        check("/a\n", "line `/a`: not two or three fields");
        check("/a -x u:r:a_t:s0\n", "line `/a -x u:r:a_t:s0`: no kind of file");
        check("/a u:r:a_t\n", "line `/a u:r:a_t`: no label with levels");
        check("/a u:r:a_t:s0:c0,c5\n", "line `/a u:r:a_t:s0:c0,c5`: no label with levels");
        check("/a u:r:c_t:s0\n", "the policy declares no type `c_t`");
        check("/a v:r:a_t:s0\n", "the policy declares no user `v`");
        check("/a u:r:a_t:s0\n/a -- u:r:b_t:s0\n", "two labels for `/a`: u:r:a_t:s0 and u:r:b_t:s0");
        check("/a u:r:a_t:s0\n/a u:r:b_t:s0\n", "two labels for `/a`: u:r:a_t:s0 and u:r:b_t:s0");
    }
}
