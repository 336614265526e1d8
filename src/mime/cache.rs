//! `mime.cache`: all of it in one file, 32-bit big-endian numbers that point to each other and to strings.

use std::collections::BTreeMap;

use super::{Database, Glob, NotModelled, magic::Match};
use crate::glib::hash::Table;

/// Bytes: version and the offsets of ten lists.
const HEADER: usize = 44;
const CASE_SENSITIVE: u32 = 0x100;

/// The file while it is written.
struct Writer<'d> {
    database: &'d Database,
    out: Vec<u8>,
    strings: BTreeMap<Vec<u8>, u32>,
}

pub(super) fn file(database: &Database) -> Result<Vec<u8>, NotModelled> {
    let mut writer = Writer { database, out: vec![0; HEADER], strings: BTreeMap::new() };
    writer.write_strings();
    let mut offsets = Vec::new();
    let lists: [fn(&mut Writer<'_>); 10] = [
        |writer| writer.aliases(),
        |writer| writer.parents(),
        |writer| writer.globs(Form::Literal),
        |writer| writer.suffixes(),
        |writer| writer.globs(Form::Full),
        |writer| writer.magic(),
        |writer| writer.namespaces(),
        |writer| writer.icons(&writer.database.icons),
        |writer| writer.icons(&writer.database.generic_icons),
        |writer| writer.types(),
    ];
    for list in lists {
        offsets.push(writer.here());
        list(&mut writer);
    }
    let mut header = [1_u16.to_be_bytes(), 2_u16.to_be_bytes()].concat();
    header.extend(offsets.into_iter().flat_map(u32::to_be_bytes));
    let Writer { mut out, .. } = writer;
    if u32::try_from(out.len()).is_err() {
        return Err(NotModelled { line: 0, what: "a cache of over 4 GiB".to_owned() });
    }
    out[..HEADER].copy_from_slice(&header);
    Ok(out)
}

/// How much a pattern needs of what patterns can do.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Literal,
    /// `*` and a literal.
    Suffix,
    Full,
}

fn form(pattern: &[u8]) -> Form {
    let (star, rest) = match pattern.strip_prefix(b"*") {
        Some(rest) => (true, rest),
        None => (false, pattern),
    };
    match rest.iter().any(|byte| matches!(byte, b'\\' | b'[' | b'?' | b'*')) {
        true => Form::Full,
        false if star => Form::Suffix,
        false => Form::Literal,
    }
}

/// A letter of names' ends, read from behind.
#[derive(Default)]
struct Suffix {
    /// Types of names that begin here, with weights and flags.
    ends: Vec<(usize, i32, u32)>,
    below: BTreeMap<u32, Suffix>,
}

impl Suffix {
    fn insert(&mut self, letters: &mut dyn Iterator<Item = char>, glob: &Glob, database: &Database) {
        if let Some(letter) = letters.next() {
            return self.below.entry(letter.into()).or_default().insert(letters, glob, database);
        }
        let name = database.name(glob.mime_type);
        match self.ends.iter_mut().find(|(other, ..)| database.name(*other) == name) {
            Some((_, weight, _)) => *weight = glob.weight.max(*weight),
            None => self.ends.push((glob.mime_type, glob.weight, flags(glob))),
        }
    }

    fn children(&self) -> usize {
        self.ends.len() + self.below.len()
    }

    fn depth(&self) -> usize {
        let below = self.below.values().map(|child| child.depth() + 1).max().unwrap_or(0);
        below.max(usize::from(!self.ends.is_empty()))
    }
}

fn flags(glob: &Glob) -> u32 {
    if glob.case_sensitive { CASE_SENSITIVE } else { 0 }
}

fn weight(glob: &Glob) -> u32 {
    glob.weight.cast_unsigned() & 0xff
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

impl Writer<'_> {
    fn here(&self) -> u32 {
        number(self.out.len())
    }

    fn put(&mut self, value: u32) {
        self.out.extend(value.to_be_bytes());
    }

    fn put_string(&mut self, text: &[u8]) {
        let offset = self.strings.get(text).copied().unwrap_or(0);
        self.put(offset);
    }

    fn put_type(&mut self, id: usize) {
        let database = self.database;
        self.put_string(database.name(id).as_bytes());
    }

    /// All strings, in the order of a table into which they are put in this order.
    fn write_strings(&mut self) {
        let database = self.database;
        let mut strings: Table<()> = Table::default();
        let mut add = |text: &[u8]| strings.insert(text, ());
        for (alias, &id) in database.aliases.iter() {
            add(alias);
            add(database.name(id).as_bytes());
        }
        for (name, parents) in database.parents.iter() {
            add(name);
            parents.iter().for_each(|parent| add(parent.as_bytes()));
        }
        for (pattern, globs) in database.globs.iter() {
            if form(pattern) != Form::Suffix {
                add(pattern);
            }
            globs.iter().for_each(|glob| add(database.name(glob.mime_type).as_bytes()));
        }
        database.magic.iter().for_each(|magic| add(database.name(magic.mime_type).as_bytes()));
        for (key, &id) in database.namespaces.iter() {
            add(database.name(id).as_bytes());
            namespace(key).into_iter().for_each(&mut add);
        }
        for (name, icon) in database.generic_icons.iter().chain(database.icons.iter()) {
            add(name);
            add(icon.as_bytes());
        }
        for (text, ()) in strings.iter() {
            let offset = self.here();
            self.strings.insert(text.to_vec(), offset);
            self.out.extend(text);
            self.out.push(0);
            self.pad();
        }
    }

    fn pad(&mut self) {
        self.out.resize(self.out.len().next_multiple_of(4), 0);
    }

    fn aliases(&mut self) {
        let aliases = sorted(&self.database.aliases);
        self.put(number(aliases.len()));
        for (alias, &id) in aliases {
            self.put_string(alias);
            self.put_type(id);
        }
    }

    fn parents(&mut self) {
        let parents = sorted(&self.database.parents);
        self.put(number(parents.len()));
        let mut list = self.here() + number(parents.len()) * 8;
        for (name, parents) in &parents {
            self.put_string(name);
            self.put(list);
            list += 4 + 4 * number(parents.len());
        }
        for (_, parents) in parents {
            self.put(number(parents.len()));
            parents.iter().for_each(|parent| self.put_string(parent.as_bytes()));
        }
    }

    fn globs(&mut self, wanted: Form) {
        let globs = sorted(&self.database.globs).into_iter().filter(|(pattern, _)| form(pattern) == wanted);
        let globs: Vec<&Glob> = globs.flat_map(|(_, globs)| globs).collect();
        self.put(number(globs.len()));
        for glob in globs {
            self.put_string(glob.pattern.as_bytes());
            self.put_type(glob.mime_type);
            self.put(weight(glob) | flags(glob));
        }
    }

    /// The letters of names' ends, level by level.
    fn suffixes(&mut self) {
        let database = self.database;
        let mut root = Suffix::default();
        for (pattern, globs) in database.globs.iter().filter(|(pattern, _)| form(pattern) == Form::Suffix) {
            let letters = String::from_utf8_lossy(&pattern[1..]);
            globs.iter().for_each(|glob| root.insert(&mut letters.chars().rev(), glob, database));
        }
        self.put(number(root.below.len()));
        let first = self.here() + 4;
        self.put(first);
        let mut next = first + 12 * number(root.below.len());
        for depth in 1..=root.depth() {
            self.suffix_level(&root, depth, &mut next);
        }
    }

    /// Writes what is `depth` levels below a letter; `next` is where the next level's children will be.
    fn suffix_level(&mut self, suffix: &Suffix, depth: usize, next: &mut u32) {
        if depth == 1 {
            for &(id, weight, flags) in &suffix.ends {
                self.put(0);
                self.put_type(id);
                self.put((weight.cast_unsigned() & 0xff) | flags);
            }
            for (&letter, child) in &suffix.below {
                self.put(letter);
                self.put(number(child.children()));
                self.put(*next);
                *next += 12 * number(child.children());
            }
            return;
        }
        suffix.below.values().for_each(|child| self.suffix_level(child, depth - 1, next));
    }

    fn magic(&mut self) {
        let database = self.database;
        // Siblings stand together; then come the children of each.
        let mut matches: Vec<(&Match, usize)> = Vec::new();
        let firsts: Vec<usize> = database.magic.iter().map(|magic| collect(&magic.matches, &mut matches)).collect();
        let extent = |(item, _): &(&Match, usize)| {
            let end = item.data.len() as i64 + item.start + i64::from(item.range);
            u32::try_from(end).unwrap_or(0)
        };
        self.put(number(database.magic.len()));
        self.put(matches.iter().map(extent).max().unwrap_or(0));
        let entries = self.here() + 4;
        self.put(entries);
        let list = entries + 16 * number(database.magic.len());
        for (magic, first) in database.magic.iter().zip(firsts) {
            self.put(magic.priority.cast_unsigned());
            self.put_type(magic.mime_type);
            self.put(number(magic.matches.len()));
            self.put(list + 32 * number(first));
        }
        let aligned = |length: usize| number(length.next_multiple_of(4));
        let mut data = list + 32 * number(matches.len());
        for (item, below) in &matches {
            self.put(u32::try_from(item.start & 0xffff_ffff).unwrap_or(0));
            self.put(item.range.cast_unsigned());
            self.put(item.word.into());
            self.put(number(item.data.len()));
            self.put(data);
            data += aligned(item.data.len());
            self.put(if item.mask.is_some() { data } else { 0 });
            data += item.mask.as_ref().map_or(0, |mask| aligned(mask.len()));
            self.put(number(item.below.len()));
            self.put(if item.below.is_empty() { 0 } else { list + 32 * number(*below) });
        }
        for (item, _) in matches {
            for bytes in [Some(&item.data), item.mask.as_ref()].into_iter().flatten() {
                self.out.extend(bytes);
                self.pad();
            }
        }
    }

    fn namespaces(&mut self) {
        let namespaces = sorted(&self.database.namespaces);
        self.put(number(namespaces.len()));
        for (key, &id) in namespaces {
            namespace(key).into_iter().for_each(|part| self.put_string(part));
            self.put_type(id);
        }
    }

    fn icons(&mut self, icons: &Table<String>) {
        let icons = sorted(icons);
        self.put(number(icons.len()));
        for (name, icon) in icons {
            self.put_string(name);
            self.put_string(icon.as_bytes());
        }
    }

    /// The program looks the types up with a line break at their ends, and so finds none.
    fn types(&mut self) {
        let count = self.database.types.len();
        self.put(number(count));
        for _ in 0..count {
            self.put(0);
        }
    }
}

/// Appends matches, then what is below each; where the first is. The second of each pair is where the first below it is.
fn collect<'m>(list: &'m [Match], found: &mut Vec<(&'m Match, usize)>) -> usize {
    let first = found.len();
    found.extend(list.iter().map(|item| (item, 0)));
    for (index, item) in list.iter().enumerate() {
        let below = collect(&item.below, found);
        found[first + index].1 = below;
    }
    first
}

fn sorted<T>(table: &Table<T>) -> Vec<(&[u8], &T)> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| *key);
    entries
}

/// URI and name.
fn namespace(key: &[u8]) -> [&[u8]; 2] {
    let blank = memchr::memchr(b' ', key).unwrap_or(key.len());
    [&key[..blank], key.get(blank + 1..).unwrap_or_default()]
}
