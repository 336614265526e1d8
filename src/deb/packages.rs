//! An archive's `Packages` index to stanzas: what a resolver and a lock need of each package, borrowed from the text.
//!
//! Format: wiki.debian.org/DebianRepository/Format. Fields that nothing here needs are not looked at.

use std::{
    collections::BTreeMap,
    sync::{
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
};

use rayon::prelude::*;

use super::{
    control::{self, Comments, Paragraph},
    dependency::{self, Field, Relation},
    version,
};
use crate::digest::Sha256;

/// One package of an index.
#[derive(Clone, Debug)]
pub struct Stanza<'a> {
    pub name: &'a str,
    pub version: &'a str,
    /// `all`, or the architecture of the index.
    pub architecture: &'a str,
    /// Name and version of the source package.
    pub source: (&'a str, &'a str),
    pub multi_arch: MultiArch,
    pub priority: Priority,
    pub essential: bool,
    /// `Important: yes` or `Protected: yes`: kept once it is installed, but not installed by itself.
    pub protected: bool,
    /// Kibibytes.
    pub installed_size: u64,
    pub file: PoolFile<'a>,
    /// Of every relationship field but Provides, in the order in which apt reads the fields.
    pub relations: Box<[(Field, Relation<'a>)]>,
    pub provides: Box<[Relation<'a>]>,
    /// The whole paragraph.
    pub text: &'a [u8],
}

/// Where the package's bytes are below the archive's root, and what they must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolFile<'a> {
    pub path: &'a str,
    /// Bytes.
    pub size: u64,
    pub sha256: Sha256,
}

/// How a package takes part in a system of several architectures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MultiArch {
    No,
    Same,
    Foreign,
    Allowed,
}

/// Most important first. A stanza without a priority comes before all others, as apt has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    None,
    Required,
    Important,
    Standard,
    Optional,
    Extra,
}

/// Why an index was refused. Lines count from 1.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: package `{package}`: {fault}")]
pub struct Error {
    pub line: usize,
    pub package: String,
    #[source]
    pub fault: Fault,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error(transparent)]
    Control(control::Fault),
    #[error("field `{0}` is missing")]
    Missing(&'static str),
    #[error("{field}: bad value `{found}`")]
    Value { field: &'static str, found: String },
    #[error("Version: {0}")]
    Version(version::Fault),
    #[error("{}: {source}", field.as_str())]
    Relation { field: Field, source: dependency::Error },
    #[error("Architecture: expected `all` or `{expected}`, found `{found}`")]
    Architecture { expected: String, found: String },
}

/// Reads an index of `architecture`, in parallel.
pub fn parse<'a>(text: &'a [u8], architecture: &str) -> Result<Vec<Stanza<'a>>, Error> {
    let pieces: Vec<Result<Vec<Stanza<'a>>, Error>> =
        pieces(text).into_par_iter().map(|(start, end)| piece(text, start, end, architecture)).collect();
    let count = pieces.iter().flatten().map(Vec::len).sum();
    let mut stanzas = Vec::with_capacity(count);
    for piece in pieces {
        stanzas.append(&mut piece?);
    }
    Ok(stanzas)
}

/// Reads an index as [`parse`] does, and hands it over piece by piece, in order, while other threads read on. It ends with the
/// first error of `take`.
pub fn parse_each<'a, E>(
    text: &'a [u8],
    architecture: &str,
    mut take: impl FnMut(Result<Vec<Stanza<'a>>, Error>) -> Result<(), E>,
) -> Result<(), E> {
    let given_up = AtomicBool::new(false);
    let given_up = &given_up;
    rayon::in_place_scope_fifo(|scope| {
        let (sender, receiver) = mpsc::channel();
        for (number, (start, end)) in pieces(text).into_iter().enumerate() {
            let sender = sender.clone();
            scope.spawn_fifo(move |_| {
                if !given_up.load(Ordering::Relaxed) {
                    // Nobody listens any more when the taker has failed.
                    let _ = sender.send((number, piece(text, start, end, architecture)));
                }
            });
        }
        drop(sender);
        let (mut next, mut early) = (0, BTreeMap::new());
        let mut all = || -> Result<(), E> {
            while let Some((number, stanzas)) = receive(&receiver) {
                early.insert(number, stanzas);
                while let Some(stanzas) = early.remove(&next) {
                    take(stanzas)?;
                    next += 1;
                }
            }
            Ok(())
        };
        let done = all();
        given_up.store(true, Ordering::Relaxed);
        done
    })
}

/// Waits for the next message. A thread of the pool works on others' behalf meanwhile: it may be the only one.
fn receive<T>(receiver: &mpsc::Receiver<T>) -> Option<T> {
    loop {
        match receiver.try_recv() {
            Ok(message) => return Some(message),
            Err(mpsc::TryRecvError::Disconnected) => return None,
            Err(mpsc::TryRecvError::Empty) if rayon::yield_now().is_none() => return receiver.recv().ok(),
            Err(mpsc::TryRecvError::Empty) => {}
        }
    }
}

/// Cuts between paragraphs, about every quarter of a mebibyte.
fn pieces(text: &[u8]) -> Vec<(usize, usize)> {
    const SIZE: usize = 256 << 10;
    let mut pieces = Vec::new();
    let mut start = 0;
    while start < text.len() {
        let from = (start + SIZE).min(text.len());
        let end = memchr::memmem::find(&text[from..], b"\n\n").map_or(text.len(), |at| from + at + 2);
        pieces.push((start, end));
        start = end;
    }
    pieces
}

/// Bytes of a short stanza.
const STANZA: usize = 600;

fn piece<'a>(text: &'a [u8], start: usize, end: usize, architecture: &str) -> Result<Vec<Stanza<'a>>, Error> {
    let line = |inside: usize| memchr::memchr_iter(b'\n', &text[..start]).count() + inside;
    let mut stanzas = Vec::with_capacity((end - start) / STANZA);
    let mut scratch = Vec::new();
    let mut paragraphs = control::paragraphs(&text[start..end], Comments::Refuse);
    let mut from = start;
    while let Some(paragraph) = paragraphs.next() {
        let paragraph = paragraph.map_err(|error| Error {
            line: line(error.line),
            package: String::new(),
            fault: Fault::Control(error.fault),
        })?;
        let to = start + paragraphs.position();
        let whole = &text[std::mem::replace(&mut from, to)..to];
        let read = stanza(&paragraph, whole, architecture, &mut scratch).map_err(|fault| Error {
            line: line(paragraph.fields[0].line),
            package: paragraph.get("Package").map(shown).unwrap_or_default(),
            fault,
        });
        stanzas.push(read?);
    }
    Ok(stanzas)
}

/// Where the name of each slot stands in [`NAMES`].
const POSITIONS: [usize; control::SLOTS] = {
    let mut positions = [NAMES.len(); control::SLOTS];
    let mut at = 0;
    while at < NAMES.len() {
        let slot = control::slot(NAMES[at].as_bytes());
        assert!(positions[slot] == NAMES.len(), "two names in one slot");
        positions[slot] = at;
        at += 1;
    }
    positions
};

/// The fields of a stanza that matter, by their positions in [`NAMES`].
type Values<'a> = [Option<&'a [u8]>; NAMES.len()];

const NAMES: [&str; 22] = [
    "Package",
    "Version",
    "Architecture",
    "Source",
    "Multi-Arch",
    "Priority",
    "Essential",
    "Important",
    "Protected",
    "Installed-Size",
    "Filename",
    "Size",
    "SHA256",
    "Provides",
    "Pre-Depends",
    "Depends",
    "Conflicts",
    "Breaks",
    "Recommends",
    "Suggests",
    "Replaces",
    "Enhances",
];

/// In the order in which apt reads them: names get their numbers by it.
const RELATIONS: [Field; 8] = [
    Field::PreDepends,
    Field::Depends,
    Field::Conflicts,
    Field::Breaks,
    Field::Recommends,
    Field::Suggests,
    Field::Replaces,
    Field::Enhances,
];

fn values<'a>(paragraph: &Paragraph<'a>) -> Values<'a> {
    let mut values: Values<'a> = [None; NAMES.len()];
    for field in &paragraph.fields {
        let at = POSITIONS[control::slot(field.name)];
        if NAMES.get(at).is_some_and(|name| field.name.eq_ignore_ascii_case(name.as_bytes())) {
            values[at] = Some(field.value);
        }
    }
    values
}

/// Relations are collected in `scratch`, whose space serves stanza after stanza.
fn stanza<'a>(
    paragraph: &Paragraph<'a>,
    text: &'a [u8],
    architecture: &str,
    scratch: &mut Vec<(Field, Relation<'a>)>,
) -> Result<Stanza<'a>, Fault> {
    let values = values(paragraph);
    let get = |name: &str| values[POSITIONS[control::slot(name.as_bytes())]];
    let need = |name: &'static str| get(name).ok_or(Fault::Missing(name));
    let bad = |field: &'static str, found: &[u8]| Fault::Value { field, found: shown(found) };
    let utf8 = |field: &'static str, value: &'a [u8]| std::str::from_utf8(value).map_err(|_| bad(field, value));

    let name = need("Package")?;
    if !dependency::is_name(name) {
        return Err(bad("Package", name));
    }
    let name = utf8("Package", name)?;
    let version = need("Version")?;
    version::check(version).map_err(|(_, fault)| Fault::Version(fault))?;
    let version = utf8("Version", version)?;
    let own = utf8("Architecture", need("Architecture")?)?;
    if own != "all" && own != architecture {
        return Err(Fault::Architecture { expected: architecture.to_owned(), found: shown(own.as_bytes()) });
    }
    let number = |field: &'static str| {
        let Some(value) = get(field) else { return Ok(None) };
        let digits = std::str::from_utf8(value).ok().filter(|text| text.bytes().all(|b| b.is_ascii_digit()));
        digits.and_then(|text| text.parse::<u64>().ok()).map(Some).ok_or_else(|| bad(field, value))
    };
    let yes = |field: &'static str| match get(field) {
        None | Some(b"no") => Ok(false),
        Some(b"yes") => Ok(true),
        Some(other) => Err(bad(field, other)),
    };
    let path = utf8("Filename", need("Filename")?)?;
    if path.split('/').any(|part| matches!(part, "" | "." | "..")) || path.chars().any(char::is_control) {
        return Err(bad("Filename", path.as_bytes()));
    }
    let sum = utf8("SHA256", need("SHA256")?)?;
    let sha256 = sum.parse().map_err(|_| bad("SHA256", sum.as_bytes()))?;
    let multi_arch = match get("Multi-Arch") {
        None | Some(b"no") => MultiArch::No,
        // Policy has no such package; apt reads it as `no`.
        Some(b"same") if own == "all" => MultiArch::No,
        Some(b"same") => MultiArch::Same,
        Some(b"foreign") => MultiArch::Foreign,
        Some(b"allowed") => MultiArch::Allowed,
        Some(other) => return Err(bad("Multi-Arch", other)),
    };
    Ok(Stanza {
        name,
        version,
        architecture: own,
        source: source(get("Source"), name, version)?,
        multi_arch,
        priority: priority(get("Priority")),
        essential: yes("Essential")?,
        protected: yes("Important")? | yes("Protected")?,
        installed_size: number("Installed-Size")?.unwrap_or(0),
        file: PoolFile { path, size: number("Size")?.ok_or(Fault::Missing("Size"))?, sha256 },
        relations: relations(&get, scratch)?,
        provides: provides(get("Provides").unwrap_or_default())?,
        text,
    })
}

/// `Source: name` or `Source: name (version)`; without the field both are the package's own.
fn source<'a>(value: Option<&'a [u8]>, name: &'a str, version: &'a str) -> Result<(&'a str, &'a str), Fault> {
    let Some(value) = value else { return Ok((name, version)) };
    let bad = || Fault::Value { field: "Source", found: shown(value) };
    let text = std::str::from_utf8(value).map_err(|_| bad())?;
    match text.split_once(" (") {
        None => Ok((text, version)),
        Some((name, rest)) => Ok((name, rest.strip_suffix(')').ok_or_else(bad)?)),
    }
}

fn priority(value: Option<&[u8]>) -> Priority {
    match value {
        None => Priority::None,
        Some(b"required") => Priority::Required,
        Some(b"important") => Priority::Important,
        Some(b"standard") => Priority::Standard,
        Some(b"optional") => Priority::Optional,
        // apt takes every other word for the least of them.
        Some(_) => Priority::Extra,
    }
}

fn relations<'a>(
    get: &impl Fn(&str) -> Option<&'a [u8]>,
    all: &mut Vec<(Field, Relation<'a>)>,
) -> Result<Box<[(Field, Relation<'a>)]>, Fault> {
    all.clear();
    for field in RELATIONS {
        for relation in dependency::relations(get(field.as_str()).unwrap_or_default(), field) {
            all.push((field, relation.map_err(|source| Fault::Relation { field, source })?));
        }
    }
    Ok(all.as_slice().into())
}

fn provides(value: &[u8]) -> Result<Box<[Relation<'_>]>, Fault> {
    let field = Field::Provides;
    dependency::relations(value, field).collect::<Result<_, _>>().map_err(|source| Fault::Relation { field, source })
}

impl Stanza<'_> {
    /// Tells apart packages of one name and version that were built twice, as apt does.
    pub fn build(&self) -> u32 {
        let paragraph = control::paragraph(self.text, Comments::Refuse);
        paragraph.map_or(0, |paragraph| build(&|name| paragraph.get(name)))
    }
}

/// apt's sum over the fields that make two builds differ, without what dpkg reformats: blanks, `=` and zero epochs.
fn build<'a>(get: &impl Fn(&str) -> Option<&'a [u8]>) -> u32 {
    let fields = ["Installed-Size", "Depends", "Pre-Depends", "Conflicts", "Breaks", "Replaces"];
    let mut sum: u32 = 5381;
    for value in fields.iter().filter_map(|name| get(name)) {
        let mut at = 0;
        while at < value.len() {
            let byte = value[at];
            if byte == b'0' && value.get(at + 1) == Some(&b':') {
                at += 2;
                continue;
            }
            at += 1;
            if !byte.is_ascii_whitespace() && byte != b'=' {
                sum = sum.wrapping_mul(33).wrapping_add(u32::from(byte.to_ascii_lowercase()));
            }
        }
    }
    sum
}

fn shown(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).chars().take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUM: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    fn sample() -> String {
        format!(
            "Package: libfoo1\nSource: foo (1.0-1)\nVersion: 1.0-1+b1\nArchitecture: amd64\nMulti-Arch: same\n\
             Installed-Size: 12\nPriority: optional\nPre-Depends: init\nDepends: libc6 (>= 2.36), aa | bb\n\
             Conflicts: cc (<< 0:2)\nReplaces: cc\nProvides: dd (= 1.0), ee\nEnhances: ff\nDescription: x\n .\n y\n\
             Filename: pool/main/f/foo/libfoo1_1.0-1+b1_amd64.deb\nSize: 7\nSHA256: {SUM}\n\n\
             Package: zz\nVersion: 2\nArchitecture: all\nMulti-Arch: same\nEssential: yes\nProtected: yes\n\
             Filename: pool/zz.deb\nSize: 8\nSHA256: {SUM}\n"
        )
    }

    fn show(stanza: &Stanza<'_>) -> String {
        let relation = |(field, relation): &(Field, Relation<'_>)| format!("{}: {relation}", field.as_str());
        let relations: Vec<_> = stanza.relations.iter().map(relation).collect();
        let provides: Vec<_> = stanza.provides.iter().map(ToString::to_string).collect();
        format!(
            "{} {} {} {:?} {:?} {:?} {} {} {} {} {}\n[{}]\n[{}]\n",
            stanza.name,
            stanza.version,
            stanza.architecture,
            stanza.source,
            stanza.multi_arch,
            stanza.priority,
            stanza.essential,
            stanza.protected,
            stanza.installed_size,
            stanza.file.path,
            stanza.file.size,
            relations.join(", "),
            provides.join(", ")
        )
    }

    #[test]
    fn stanzas() {
        let text = sample();
        let stanzas = parse(text.as_bytes(), "amd64").expect("an index");
        let shown: String = stanzas.iter().map(show).collect();
        assert_eq!(
            shown,
            "libfoo1 1.0-1+b1 amd64 (\"foo\", \"1.0-1\") Same Optional false false 12 \
             pool/main/f/foo/libfoo1_1.0-1+b1_amd64.deb 7\n\
             [Pre-Depends: init, Depends: libc6 (>= 2.36), Depends: aa, Depends: bb, Conflicts: cc (<< 0:2), Replaces: cc, \
             Enhances: ff]\n[dd (= 1.0), ee]\n\
             zz 2 all (\"zz\", \"2\") No None true true 0 pool/zz.deb 8\n[]\n[]\n"
        );
    }

    #[test]
    fn refused_with_their_line() {
        let check = |from: &str, to: &str, expect: &str| {
            let text = sample().replacen(from, to, 1);
            let error = parse(text.as_bytes(), "amd64").expect_err("refused");
            assert_eq!(error.to_string(), expect);
        };
        check("Package: libfoo1\n", "", "line 1: package ``: field `Package` is missing");
        check("Package: zz", "Package: ../zz", "line 21: package `../zz`: Package: bad value `../zz`");
        check("Size: 8\n", "", "line 21: package `zz`: field `Size` is missing");
        check("Size: 8", "Size: 8x", "line 21: package `zz`: Size: bad value `8x`");
        check(
            "SHA256: ba",
            "SHA256: b",
            "line 1: package `libfoo1`: SHA256: bad value `b7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad`",
        );
        check("pool/zz", "pool/../zz", "line 21: package `zz`: Filename: bad value `pool/../zz.deb`");
        check("pool/zz", "/zz", "line 21: package `zz`: Filename: bad value `/zz.deb`");
        check("Version: 2", "Version: v2", "line 21: package `zz`: Version: expected a digit at the start");
        check("re: all", "re: arm64", "line 21: package `zz`: Architecture: expected `all` or `amd64`, found `arm64`");
        check("aa |", "aa | |", "line 1: package `libfoo1`: Depends: byte 22: expected a package name, found ``");
        check("Essential: yes", "Essential: maybe", "line 21: package `zz`: Essential: bad value `maybe`");
        check("Size: 8\n", "Size: 8\nSize: 8\n", "line 29: package ``: field `Size` is given twice, first on line 28");
    }

    #[test]
    fn builds_are_told_apart_as_apt_does() {
        let build = |from: &str, to: &str| {
            let text = sample().replacen(from, to, 1);
            parse(text.as_bytes(), "amd64").map(|stanzas| stanzas[0].build())
        };
        assert_eq!(build("", ""), build("(>= 2.36)", "(>  2.36)"));
        assert_eq!(build("", ""), build("0:2", "2"));
        assert_ne!(build("", ""), build("2.36", "2.37"));
        assert_eq!(build("", ""), build("Enhances: ff", "Enhances: gg"));
    }

    /// What [`parse_each`] hands over, with the first error in words.
    fn in_pieces(text: &[u8], most: usize) -> Result<(Vec<String>, usize), String> {
        let (mut all, mut pieces) = (Vec::new(), 0);
        parse_each(text, "amd64", |stanzas| {
            let stanzas = stanzas.map_err(|error| error.to_string())?;
            pieces += 1;
            all.extend(stanzas.iter().map(show));
            if pieces == most { Err("enough".to_owned()) } else { Ok(()) }
        })?;
        Ok((all, pieces))
    }

    #[test]
    fn pieces_come_in_order() {
        let stanza = |number: usize| format!("{}\n", sample().replace("libfoo1", &format!("libfoo{number}")));
        let text: String = (0..2_000).map(stanza).collect();
        let whole: Vec<_> = parse(text.as_bytes(), "amd64").expect("readable").iter().map(show).collect();
        for threads in [1, 2, 5] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
            // On a thread of the pool and on another.
            let (all, pieces) = pool.install(|| in_pieces(text.as_bytes(), 0)).expect("readable");
            assert!(all == whole && pieces > 2, "{pieces} pieces on {threads} threads");
        }
        assert!(in_pieces(text.as_bytes(), 0).expect("readable").0 == whole);
        assert_eq!(in_pieces(text.as_bytes(), 2), Err("enough".to_owned()));
        let bad = text.replacen("Package: libfoo1500", "Package: LIB", 1);
        let error = parse(bad.as_bytes(), "amd64").expect_err("a name with capitals").to_string();
        assert_eq!(in_pieces(bad.as_bytes(), 0), Err(error));
    }
}
