//! Text of the relationship fields of binary packages (deb-control(5), Policy §7) to relations.

use std::{cmp::Ordering, fmt, str::FromStr};

use super::version;

/// A package's name: lower-case letters, digits, `+`, `-` and `.`; at least two of them, the first a letter or digit.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PackageName(Box<str>);

/// Debian's name of an architecture, such as `amd64` or `kfreebsd-amd64`; also `all`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Architecture(Box<str>);

/// A text that cannot be a name of its kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no {what}")]
pub struct NotAName {
    pub what: &'static str,
    pub text: Box<str>,
}

/// A relationship field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    PreDepends,
    Depends,
    Recommends,
    Suggests,
    Enhances,
    Conflicts,
    Breaks,
    Replaces,
    Provides,
}

/// How the version of another package must compare with the one that is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operator {
    Earlier,
    EarlierOrEqual,
    Equal,
    LaterOrEqual,
    Later,
}

/// One package that a field names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Relation<'a> {
    pub name: &'a str,
    /// What follows the name after a colon: `any`, `native` or an architecture.
    pub qualifier: Option<&'a str>,
    pub constraint: Option<(Operator, &'a str)>,
    /// Whether the next relation of the field is an alternative to this one.
    pub or: bool,
}

/// Why a field was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("byte {offset}: {fault}")]
pub struct Error {
    /// From the start of the field's value.
    pub offset: usize,
    #[source]
    pub fault: Fault,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("expected a package name, found `{0}`")]
    Name(Box<str>),
    #[error("expected an architecture, `any` or `native` after the colon, found `{0}`")]
    Qualifier(Box<str>),
    #[error("expected `)` after the version")]
    Unclosed,
    #[error("version `{version}`: {fault}")]
    Version { version: Box<str>, fault: version::Fault },
    #[error("a binary package's field cannot be restricted to architectures")]
    Architectures,
    #[error("a binary package's field cannot be restricted to build profiles")]
    Profiles,
    #[error("{} cannot have alternatives", .0.as_str())]
    Alternative(Field),
    #[error("Provides can only give one exact version")]
    InexactProvides,
    #[error("expected `,` or `|`, found `{0}`")]
    Separator(char),
}

impl PackageName {
    pub fn new(text: &str) -> Result<Self, NotAName> {
        if is_name(text.as_bytes()) { Ok(Self(text.into())) } else { Err(not_a_name("package name", text)) }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Architecture {
    pub fn new(text: &str) -> Result<Self, NotAName> {
        if is_architecture(text.as_bytes()) { Ok(Self(text.into())) } else { Err(not_a_name("architecture", text)) }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn not_a_name(what: &'static str, text: &str) -> NotAName {
    NotAName { what, text: text.chars().take(80).collect() }
}

pub(super) fn is_name(text: &[u8]) -> bool {
    text.len() >= 2
        && (text[0].is_ascii_lowercase() || text[0].is_ascii_digit())
        && text.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.'))
}

fn is_architecture(text: &[u8]) -> bool {
    text.first().is_some_and(|b| b.is_ascii_alphanumeric())
        && text.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'-')
}

impl Field {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PreDepends => "Pre-Depends",
            Self::Depends => "Depends",
            Self::Recommends => "Recommends",
            Self::Suggests => "Suggests",
            Self::Enhances => "Enhances",
            Self::Conflicts => "Conflicts",
            Self::Breaks => "Breaks",
            Self::Replaces => "Replaces",
            Self::Provides => "Provides",
        }
    }

    fn has_alternatives(self) -> bool {
        matches!(self, Self::PreDepends | Self::Depends | Self::Recommends | Self::Suggests)
    }
}

impl Operator {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Earlier => "<<",
            Self::EarlierOrEqual => "<=",
            Self::Equal => "=",
            Self::LaterOrEqual => ">=",
            Self::Later => ">>",
        }
    }

    /// Whether `version` stands in this relation to `wanted`.
    pub fn holds(self, version: &str, wanted: &str) -> bool {
        let order = version::compare(version.as_bytes(), wanted.as_bytes());
        match self {
            Self::Earlier => order == Ordering::Less,
            Self::EarlierOrEqual => order != Ordering::Greater,
            Self::Equal => order == Ordering::Equal,
            Self::LaterOrEqual => order != Ordering::Less,
            Self::Later => order == Ordering::Greater,
        }
    }
}

impl fmt::Display for Relation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)?;
        if let Some(qualifier) = self.qualifier {
            write!(f, ":{qualifier}")?;
        }
        if let Some((operator, version)) = self.constraint {
            write!(f, " ({} {version})", operator.as_str())?;
        }
        Ok(())
    }
}

/// Reads a field's value relation by relation. Ends after the first error.
pub fn relations(value: &[u8], field: Field) -> Relations<'_> {
    Relations { value, at: 0, field, more: !value.trim_ascii().is_empty() }
}

/// The field's clauses, each a list of alternatives.
pub fn clauses(value: &[u8], field: Field) -> Result<Vec<Vec<Relation<'_>>>, Error> {
    let mut clauses = Vec::new();
    let mut open: Vec<Relation<'_>> = Vec::new();
    for relation in relations(value, field) {
        let relation = relation?;
        open.push(relation);
        if !relation.or {
            clauses.push(std::mem::take(&mut open));
        }
    }
    Ok(clauses)
}

/// Iterator over the relations of a field.
#[derive(Clone, Debug)]
pub struct Relations<'a> {
    value: &'a [u8],
    at: usize,
    field: Field,
    /// Whether another relation must follow.
    more: bool,
}

impl<'a> Iterator for Relations<'a> {
    type Item = Result<Relation<'a>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if !self.more {
            return None;
        }
        let relation = self.relation();
        if relation.is_err() {
            self.more = false;
        }
        Some(relation)
    }
}

impl<'a> Relations<'a> {
    fn relation(&mut self) -> Result<Relation<'a>, Error> {
        self.skip_blanks();
        let name = self.word();
        if !is_name(name) {
            return Err(self.fail_before(name, Fault::Name(shown(name))));
        }
        let qualifier = self.qualifier()?;
        self.skip_blanks();
        let constraint = self.constraint()?;
        self.skip_blanks();
        let or = match self.peek() {
            None | Some(b',') => false,
            Some(b'|') if self.field.has_alternatives() => true,
            Some(b'|') => return Err(self.fail(Fault::Alternative(self.field))),
            Some(b'[') => return Err(self.fail(Fault::Architectures)),
            Some(b'<') => return Err(self.fail(Fault::Profiles)),
            Some(_) => return Err(self.fail(Fault::Separator(self.character()))),
        };
        self.more = self.peek().is_some();
        self.at += usize::from(self.more);
        Ok(Relation { name: text(name), qualifier, constraint, or })
    }

    fn qualifier(&mut self) -> Result<Option<&'a str>, Error> {
        if self.peek() != Some(b':') {
            return Ok(None);
        }
        self.at += 1;
        let word = self.word();
        if !is_architecture(word) {
            return Err(self.fail_before(word, Fault::Qualifier(shown(word))));
        }
        Ok(Some(text(word)))
    }

    fn constraint(&mut self) -> Result<Option<(Operator, &'a str)>, Error> {
        if self.peek() != Some(b'(') {
            return Ok(None);
        }
        self.at += 1;
        self.skip_blanks();
        let operator = self.operator();
        self.skip_blanks();
        if self.field == Field::Provides && operator != Operator::Equal {
            return Err(self.fail(Fault::InexactProvides));
        }
        let start = self.at;
        let rest = &self.value[start..];
        let len = rest.iter().position(|b| *b == b')' || b.is_ascii_whitespace()).unwrap_or(rest.len());
        let wanted = &rest[..len];
        if let Err((offset, fault)) = version::check(wanted) {
            let fault = Fault::Version { version: shown(wanted), fault };
            return Err(Error { offset: start + offset, fault });
        }
        self.at += len;
        self.skip_blanks();
        if self.peek() != Some(b')') {
            return Err(self.fail(Fault::Unclosed));
        }
        self.at += 1;
        Ok(Some((operator, text(wanted))))
    }

    /// Without an operator the version must be equal; a lone `<` or `>` includes equality, as it did before 1996.
    fn operator(&mut self) -> Operator {
        let rest = &self.value[self.at..];
        let (operator, len) = match (rest.first(), rest.get(1)) {
            (Some(b'<'), Some(b'<')) => (Operator::Earlier, 2),
            (Some(b'<'), Some(b'=')) => (Operator::EarlierOrEqual, 2),
            (Some(b'<'), _) => (Operator::EarlierOrEqual, 1),
            (Some(b'>'), Some(b'>')) => (Operator::Later, 2),
            (Some(b'>'), Some(b'=')) => (Operator::LaterOrEqual, 2),
            (Some(b'>'), _) => (Operator::LaterOrEqual, 1),
            (Some(b'='), _) => (Operator::Equal, 1),
            _ => (Operator::Equal, 0),
        };
        self.at += len;
        operator
    }

    fn peek(&self) -> Option<u8> {
        self.value.get(self.at).copied()
    }

    fn skip_blanks(&mut self) {
        while self.peek().is_some_and(|b| b.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    /// Everything up to the next blank or punctuation mark.
    fn word(&mut self) -> &'a [u8] {
        let rest = &self.value[self.at..];
        let ends = |b: &u8| b.is_ascii_whitespace() || matches!(b, b'(' | b')' | b',' | b'|' | b'[' | b'<' | b':');
        let len = rest.iter().position(ends).unwrap_or(rest.len());
        self.at += len;
        &rest[..len]
    }

    fn character(&self) -> char {
        String::from_utf8_lossy(&self.value[self.at..]).chars().next().unwrap_or(' ')
    }

    fn fail(&self, fault: Fault) -> Error {
        Error { offset: self.at, fault }
    }

    fn fail_before(&self, word: &[u8], fault: Fault) -> Error {
        Error { offset: self.at - word.len(), fault }
    }
}

fn text(checked: &[u8]) -> &str {
    std::str::from_utf8(checked).expect("names and versions were checked to be ASCII")
}

fn shown(bytes: &[u8]) -> Box<str> {
    String::from_utf8_lossy(bytes).chars().take(80).collect()
}

/// What both kinds of names have in common.
macro_rules! name {
    ($type:ident) => {
        impl FromStr for $type {
            type Err = NotAName;

            fn from_str(text: &str) -> Result<Self, NotAName> {
                Self::new(text)
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }

        impl std::borrow::Borrow<str> for $type {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

name!(PackageName);
name!(Architecture);

#[cfg(test)]
mod tests {
    use super::*;

    fn show(value: &str, field: Field) -> String {
        match clauses(value.as_bytes(), field) {
            Err(error) => error.to_string(),
            Ok(clauses) => {
                let clause =
                    |clause: &Vec<Relation<'_>>| clause.iter().map(ToString::to_string).collect::<Vec<_>>().join(" | ");
                clauses.iter().map(clause).collect::<Vec<_>>().join(", ")
            }
        }
    }

    #[test]
    fn relations_of_depends() {
        let check = |value, expect| assert_eq!(show(value, Field::Depends), expect, "{value:?}");
        check("", "");
        check(" \n ", "");
        check("libc6", "libc6");
        check("libc6 (>= 2.36), libgcc-s1(>=3.0)", "libc6 (>= 2.36), libgcc-s1 (>= 3.0)");
        check("a1 |b2| c3 ,d4", "a1 | b2 | c3, d4");
        check("aa,\n bb (<<  1:2.3-4~ ) |\tcc", "aa, bb (<< 1:2.3-4~) | cc");
        check("aa (< 1), bb (> 2), cc (= 3), dd (3)", "aa (<= 1), bb (>= 2), cc (= 3), dd (= 3)");
        check("python3:any (>= 3.9~), gcc:native, g++:arm64", "python3:any (>= 3.9~), gcc:native, g++:arm64");
    }

    #[test]
    fn refused_with_their_place() {
        let check = |value, expect| assert_eq!(show(value, Field::Depends), expect, "{value:?}");
        check("aa,", "byte 3: expected a package name, found ``");
        check(",aa", "byte 0: expected a package name, found ``");
        check("aa, , bb", "byte 4: expected a package name, found ``");
        check("aa |", "byte 4: expected a package name, found ``");
        check("aa, Bb", "byte 4: expected a package name, found `Bb`");
        check("aa, ${misc:Depends}", "byte 4: expected a package name, found `${misc`");
        check("a", "byte 0: expected a package name, found `a`");
        check("aa bb", "byte 3: expected `,` or `|`, found `b`");
        check("aa: bb", "byte 3: expected an architecture, `any` or `native` after the colon, found ``");
        check("aa:b_b", "byte 3: expected an architecture, `any` or `native` after the colon, found `b_b`");
        check("aa (", "byte 4: version ``: no version");
        check("aa (>= )", "byte 7: version ``: no version");
        check("aa (>= x)", "byte 7: version `x`: expected a digit at the start");
        check("aa (>= 1", "byte 8: expected `)` after the version");
        check("aa (>= 1 2)", "byte 9: expected `)` after the version");
        check("aa (>= 1) (<< 2)", "byte 10: expected `,` or `|`, found `(`");
        check("aa [amd64]", "byte 3: a binary package's field cannot be restricted to architectures");
        check("aa (>= 1) [amd64]", "byte 10: a binary package's field cannot be restricted to architectures");
        check("aa <!nocheck>", "byte 3: a binary package's field cannot be restricted to build profiles");
        let conflicts = show("aa | bb", Field::Conflicts);
        assert_eq!(conflicts, "byte 3: Conflicts cannot have alternatives");
        let provides = show("aa (>= 1)", Field::Provides);
        assert_eq!(provides, "byte 7: Provides can only give one exact version");
        let bytes = clauses(b"aa, b\xff", Field::Depends).map(|_| ());
        assert_eq!(bytes.map_err(|error| error.offset), Err(4));
    }

    #[test]
    fn operators_hold() {
        let check = |version, operator: Operator, wanted, expect| {
            assert_eq!(operator.holds(version, wanted), expect, "{version} {} {wanted}", operator.as_str());
        };
        check("1.0", Operator::Equal, "1.00", true);
        check("1.0~rc1", Operator::Earlier, "1.0", true);
        check("1.0", Operator::Earlier, "1.0", false);
        check("1.0", Operator::EarlierOrEqual, "1.0", true);
        check("1.0", Operator::LaterOrEqual, "1.0", true);
        check("1.0", Operator::Later, "1.0", false);
        check("1:0", Operator::Later, "9", true);
    }

    #[test]
    fn names() {
        let name = |text: &str| PackageName::new(text).map(|name| name.to_string()).map_err(|error| error.to_string());
        assert_eq!(name("libstdc++6"), Ok("libstdc++6".to_owned()));
        assert_eq!(name("0ad"), Ok("0ad".to_owned()));
        assert_eq!(name("+a"), Err("`+a` is no package name".to_owned()));
        assert_eq!(name("a/../b"), Err("`a/../b` is no package name".to_owned()));
        assert!(Architecture::new("amd64").is_ok() && Architecture::new("").is_err());
        assert!(Architecture::new("../x").is_err());
    }
}
