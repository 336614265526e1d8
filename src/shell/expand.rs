//! Word expansion (POSIX XCU 2.6): from words as written to fields.

use crate::{
    shell::{
        Work,
        interpreter::{Shell, Unwind},
        pattern::{Pattern, Unit},
        syntax::{Part, Word},
    },
    tree::Node,
};

mod arithmetic;
mod bash;
mod glob;
mod parameter;
mod split;

/// Text on its way through expansion: each byte with what is known of it, and where fields may be split.
#[derive(Debug, Default)]
pub(super) struct Expansion {
    /// Low byte: the text. [`QUOTED`]: it stands for itself. [`MARK`]: no text, but quotes that keep an empty field.
    units: Vec<u16>,
    regions: Vec<Region>,
}

const QUOTED: u16 = 0x100;
const MARK: u16 = 0x200;
/// Parts positional parameters; no text has this byte.
const SEPARATOR: u16 = 0;

/// A stretch that came from an unquoted expansion.
#[derive(Clone, Copy, Debug)]
struct Region {
    start: usize,
    end: usize,
    /// `"$@"`: split between the parameters and nowhere else.
    separators_only: bool,
}

/// In which circumstances a part is expanded.
#[derive(Clone, Copy, Debug)]
struct Mode {
    /// Fields may come of it: splitting and pathname expansion follow.
    full: bool,
    /// Inside of double quotes.
    quoted: bool,
    /// A tilde at the start counts.
    tilde: bool,
    /// Tildes after colons (and after the first equals sign) count.
    assignment: bool,
    /// The word of an operator, whose own text is split like an expansion.
    operand: bool,
}

const FIELDS: Mode = Mode { full: true, quoted: false, tilde: true, assignment: false, operand: false };
const ONE: Mode = Mode { full: false, quoted: false, tilde: true, assignment: false, operand: false };
const VALUE: Mode = Mode { full: false, quoted: false, tilde: true, assignment: true, operand: false };
const DECLARATION: Mode = Mode { full: false, quoted: false, tilde: false, assignment: true, operand: false };
const HERE: Mode = Mode { full: false, quoted: true, tilde: false, assignment: false, operand: false };

impl Expansion {
    fn push(&mut self, bytes: &[u8], quoted: bool) {
        let flag = if quoted { QUOTED } else { 0 };
        self.units.extend(bytes.iter().filter(|&&b| b != 0).map(|&b| u16::from(b) | flag));
    }

    fn region(&mut self, start: usize, separators_only: bool) {
        self.regions.push(Region { start, end: self.units.len(), separators_only });
    }

    /// The text, marks and flags dropped.
    fn text(&self) -> Vec<u8> {
        text(&self.units)
    }

    fn pattern(&self) -> Pattern {
        let units: Vec<_> = self
            .units
            .iter()
            .filter(|&&unit| unit & MARK == 0)
            .map(|&unit| Unit { byte: unit as u8, quoted: unit & QUOTED != 0 })
            .collect();
        Pattern::from_units(&units)
    }
}

fn text(units: &[u16]) -> Vec<u8> {
    units.iter().filter(|&&unit| unit & MARK == 0).map(|&unit| unit as u8).collect()
}

impl Shell<'_> {
    /// Expands a word to its fields and appends them.
    pub(super) fn fields(&mut self, word: &Word, fields: &mut Vec<Vec<u8>>) -> Result<(), Unwind> {
        if let Some(literal) = &word.literal {
            fields.push(literal.clone());
            return Ok(());
        }
        let expansion = self.expand(&word.parts, FIELDS)?;
        let found = self.split(&expansion);
        self.machine.work(Work::Pieces(found.len().saturating_sub(1)))?;
        for field in found {
            self.glob(&expansion.units[field], fields)?;
        }
        Ok(())
    }

    /// Expands a word to one field: no splitting, no pathnames.
    pub(super) fn one(&mut self, word: &Word) -> Result<Vec<u8>, Unwind> {
        self.text(word, ONE)
    }

    /// Expands the value of an assignment.
    pub(super) fn value(&mut self, word: &Word) -> Result<Vec<u8>, Unwind> {
        self.text(word, VALUE)
    }

    /// Expands `name=value` as an argument of `export` and its like: as an assignment.
    pub(super) fn declaration(&mut self, word: &Word) -> Result<Vec<u8>, Unwind> {
        self.text(word, DECLARATION)
    }

    /// Expands the body of a here-document.
    pub(super) fn here(&mut self, word: &Word) -> Result<Vec<u8>, Unwind> {
        self.text(word, HERE)
    }

    /// Expands a pattern of `case`; what is quoted in it stands for itself.
    pub(super) fn case_pattern(&mut self, word: &Word) -> Result<Pattern, Unwind> {
        Ok(self.expand(&word.parts, ONE)?.pattern())
    }

    /// Expands a regular expression; what is quoted in it stands for itself.
    pub(super) fn regular_expression(&mut self, word: &Word) -> Result<Vec<u8>, Unwind> {
        let expansion = self.expand(&word.parts, ONE)?;
        let mut source = Vec::new();
        for unit in expansion.units.iter().filter(|&&unit| unit & MARK == 0) {
            if unit & QUOTED != 0 && b"\\.[]*^$+?(){}|".contains(&(*unit as u8)) {
                source.push(b'\\');
            }
            source.push(*unit as u8);
        }
        Ok(source)
    }

    fn text(&mut self, word: &Word, mode: Mode) -> Result<Vec<u8>, Unwind> {
        match &word.literal {
            Some(literal) => Ok(literal.clone()),
            None => Ok(self.expand(&word.parts, mode)?.text()),
        }
    }

    fn expand(&mut self, parts: &[Part], mode: Mode) -> Result<Expansion, Unwind> {
        let mut expansion = Expansion::default();
        self.deeper(|shell| shell.expand_into(parts, mode, &mut expansion))?;
        Ok(expansion)
    }

    fn expand_into(&mut self, parts: &[Part], mode: Mode, out: &mut Expansion) -> Result<(), Unwind> {
        for (index, part) in parts.iter().enumerate() {
            let before = out.units.len();
            match part {
                Part::Text(text) => {
                    let last = index + 1 == parts.len();
                    self.plain(text, Mode { tilde: mode.tilde && index == 0, ..mode }, last, out);
                }
                Part::Quoted(text) => {
                    if text.is_empty() && !mode.quoted {
                        out.units.push(MARK);
                    }
                    out.push(text, true);
                }
                Part::Double(inner) => {
                    let parameters = matches!(inner.as_slice(), [Part::Parameter(inner)] if inner.is_all_parameters());
                    if !parameters {
                        out.units.push(MARK);
                    }
                    self.expand_into(inner, Mode { quoted: true, tilde: false, ..mode }, out)?;
                }
                Part::Parameter(parameter) => self.parameter(parameter, mode, out)?,
                Part::Command(node) => {
                    let output = self.substitute_command(node.as_deref())?;
                    let start = out.units.len();
                    out.push(&output, mode.quoted);
                    if !mode.quoted {
                        out.region(start, false);
                    }
                }
                Part::Arithmetic(inner) => {
                    let value = self.arithmetic(inner)?;
                    let start = out.units.len();
                    out.push(value.to_string().as_bytes(), mode.quoted);
                    if !mode.quoted {
                        out.region(start, false);
                    }
                }
            }
            // What is in quotes has been counted there.
            if !matches!(part, Part::Double(_)) {
                self.machine.work(Work::Made(out.units.len() - before))?;
            }
            self.machine.fits(out.units.len())?;
        }
        Ok(())
    }

    /// Unquoted text, with the tildes that count in it.
    fn plain(&mut self, text: &[u8], mode: Mode, last: bool, out: &mut Expansion) {
        let start = out.units.len();
        let mut rest = text;
        let mut here = mode.tilde;
        let mut equals = mode.assignment && !mode.tilde;
        while !rest.is_empty() {
            if here && rest[0] == b'~' && !mode.quoted {
                let colon = |b: &u8| *b == b'/' || mode.assignment && *b == b':';
                let end = rest.iter().position(colon);
                let whole = end.is_some() || last;
                let length = end.unwrap_or(rest.len());
                if let Some(home) = self.home(&rest[1..length]).filter(|_| whole) {
                    out.push(&home, true);
                    rest = &rest[length..];
                    here = false;
                    continue;
                }
            }
            let next = match rest[0] {
                b':' if mode.assignment => true,
                b'=' if equals => {
                    equals = false;
                    true
                }
                _ => false,
            };
            here = next;
            out.push(&rest[..1], mode.quoted);
            rest = &rest[1..];
        }
        if mode.operand && !mode.quoted && out.units.len() > start {
            out.region(start, false);
        }
    }

    /// What `~user` stands for; the variable `HOME` for no user.
    fn home(&self, user: &[u8]) -> Option<Vec<u8>> {
        if user.is_empty() {
            return self.state.variables.get(b"HOME").map(|home| home.to_vec());
        }
        let Node::Regular(content) = &self.machine.tree.find(b"/etc/passwd")?.node else { return None };
        let passwd = content.bytes(1 << 24)?;
        let mut entries = passwd.split(|&b| b == b'\n').map(|line| line.split(|&b| b == b':'));
        let mut entry = entries.find(|entry| entry.clone().next() == Some(user))?;
        entry.nth(5).map(<[u8]>::to_vec)
    }
}
