//! The parts of a pattern, and their text in the syntax of `regex-automata`.

use std::fmt::Write;

use super::Flavour;

/// One part of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::shell) enum Node {
    /// One character: its bytes.
    Literal(Vec<u8>),
    Any,
    Set(Set),
    Start,
    End,
    /// Ends of the whole text, whatever newlines mean.
    TextStart,
    TextEnd,
    WordStart,
    WordEnd,
    WordBoundary,
    NotWordBoundary,
    NoWordBefore,
    NoWordAfter,
    /// A group by its number, from 1.
    Group(usize, Box<Node>),
    Concat(Vec<Node>),
    Alternate(Vec<Node>),
    Repeat(Box<Node>, u32, Option<u32>),
    BackReference(usize),
}

/// A bracket expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::shell) struct Set {
    pub negated: bool,
    /// Code points, or bytes where characters are bytes; both ends included.
    pub ranges: Vec<(u32, u32)>,
    pub classes: Vec<Class>,
}

/// A named class of characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::shell) enum Class {
    Alpha,
    Digit,
    Alnum,
    Upper,
    Lower,
    Space,
    Blank,
    Punct,
    Print,
    Graph,
    Cntrl,
    Xdigit,
    /// Letters, digits and `_`.
    Word,
    NotWord,
    NotSpace,
}

impl Class {
    pub(in crate::shell) fn named(name: &[u8]) -> Option<Self> {
        Some(match name {
            b"alpha" => Self::Alpha,
            b"digit" => Self::Digit,
            b"alnum" => Self::Alnum,
            b"upper" => Self::Upper,
            b"lower" => Self::Lower,
            b"space" => Self::Space,
            b"blank" => Self::Blank,
            b"punct" => Self::Punct,
            b"print" => Self::Print,
            b"graph" => Self::Graph,
            b"cntrl" => Self::Cntrl,
            b"xdigit" => Self::Xdigit,
            _ => return None,
        })
    }

    /// What the class adds to a bracket expression; the first is Unicode's, the second ASCII's.
    fn text(self) -> (&'static str, &'static str) {
        match self {
            Self::Alpha => (r"\p{Alphabetic}", "a-zA-Z"),
            Self::Digit => ("0-9", "0-9"),
            Self::Alnum => (r"\p{Alphabetic}0-9", "0-9a-zA-Z"),
            Self::Upper => (r"\p{Uppercase}", "A-Z"),
            Self::Lower => (r"\p{Lowercase}", "a-z"),
            Self::Space => (
                r"\t\n\x0b\x0c\r\x20\u{1680}\u{2000}-\u{2006}\u{2008}-\u{200a}\u{2028}\u{2029}\u{205f}\u{3000}",
                r"\t\n\x0b\x0c\r\x20",
            ),
            Self::Blank => (r"\t\x20\u{1680}\u{2000}-\u{2006}\u{2008}-\u{200a}\u{205f}\u{3000}", r"\t\x20"),
            Self::Punct => (r"!-/:-@\[-`{-~[[\p{P}\p{S}]--\x00-\x7f]", r"!-/:-@\[-`{-~"),
            Self::Print => (r"\x20-\x7e[^\p{Cc}\p{Cn}\p{Cs}\x00-\x7f\u{2028}\u{2029}]", r"\x20-\x7e"),
            Self::Graph => (r"\x21-\x7e[^\p{Cc}\p{Cn}\p{Cs}\p{Z}\x00-\x7f]", r"\x21-\x7e"),
            Self::Cntrl => (r"\x00-\x1f\x7f\u{80}-\u{9f}\u{2028}\u{2029}", r"\x00-\x1f\x7f"),
            Self::Xdigit => ("0-9a-fA-F", "0-9a-fA-F"),
            Self::Word => (r"\p{Alphabetic}0-9_", "0-9a-zA-Z_"),
            Self::NotWord => (r"[^\p{Alphabetic}0-9_]", "[^0-9a-zA-Z_]"),
            Self::NotSpace => (r"[^\t\n\x0b\x0c\r\x20]", r"[^\t\n\x0b\x0c\r\x20]"),
        }
    }

    /// Whether the class has a character; beyond ASCII as Rust's tables have it.
    pub(in crate::shell) fn contains(self, code: u32, utf8: bool) -> bool {
        let Some(character) = char::from_u32(code).filter(|c| utf8 || c.is_ascii()) else {
            return matches!(self, Self::NotWord | Self::NotSpace);
        };
        let space =
            |c: char| (c.is_whitespace() && !matches!(c, '\u{85}' | '\u{a0}' | '\u{2007}' | '\u{202f}')) || c == '\x0b';
        let printable = |c: char| if c.is_ascii() { (' '..='~').contains(&c) } else { !c.is_control() };
        match self {
            Self::Alpha => character.is_alphabetic(),
            Self::Digit => character.is_ascii_digit(),
            Self::Alnum => character.is_alphabetic() || character.is_ascii_digit(),
            Self::Upper => character.is_uppercase(),
            Self::Lower => character.is_lowercase(),
            Self::Space => space(character),
            Self::Blank => character == '\t' || (space(character) && !character.is_ascii_control()),
            Self::Punct if character.is_ascii() => character.is_ascii_punctuation(),
            Self::Punct => printable(character) && !character.is_alphanumeric() && !space(character),
            Self::Print => printable(character),
            Self::Graph => printable(character) && !space(character),
            Self::Cntrl => character.is_control(),
            Self::Xdigit => character.is_ascii_hexdigit(),
            Self::Word => character.is_alphabetic() || character.is_ascii_digit() || character == '_',
            Self::NotWord => !Self::Word.contains(code, utf8),
            Self::NotSpace => !space(character),
        }
    }
}

impl Set {
    pub(super) fn of(class: Class) -> Node {
        Node::Set(Self { negated: false, ranges: Vec::new(), classes: vec![class] })
    }

    fn contains(&self, code: u32, utf8: bool) -> bool {
        self.ranges.iter().any(|(low, high)| (*low..=*high).contains(&code))
            || self.classes.iter().any(|class| class.contains(code, utf8))
    }
}

impl Node {
    pub(super) fn has_back_reference(&self) -> bool {
        match self {
            Self::BackReference(_) => true,
            Self::Group(_, inner) | Self::Repeat(inner, ..) => inner.has_back_reference(),
            Self::Concat(parts) | Self::Alternate(parts) => parts.iter().any(Self::has_back_reference),
            _ => false,
        }
    }

    pub(super) fn is_one_character(&self) -> bool {
        matches!(self, Self::Literal(_) | Self::Any | Self::Set(_))
    }
}

/// The character at `at` and its length; a byte that begins none in UTF-8 has no code point.
pub(in crate::shell) fn decode(text: &[u8], at: usize, utf8: bool) -> Option<(Option<u32>, usize)> {
    let first = *text.get(at)?;
    if !utf8 || first < 0x80 {
        return Some((Some(u32::from(first)), 1));
    }
    let window = &text[at..text.len().min(at + 4)];
    let valid = match std::str::from_utf8(window) {
        Ok(valid) => valid,
        Err(error) => std::str::from_utf8(&window[..error.valid_up_to()]).unwrap_or_default(),
    };
    Some(valid.chars().next().map_or((None, 1), |c| (Some(u32::from(c)), c.len_utf8())))
}

/// Length of the character at `at` if the node, one character, matches it.
pub(super) fn one(node: &Node, flavour: Flavour, text: &[u8], at: usize) -> Option<usize> {
    if let Node::Literal(bytes) = node {
        if text[at..].starts_with(bytes) {
            return Some(bytes.len());
        }
        if !flavour.fold_case {
            return None;
        }
        let (want, _) = decode(bytes, 0, flavour.utf8)?;
        let (have, len) = decode(text, at, flavour.utf8)?;
        return (folds(want?).contains(&have?)).then_some(len);
    }
    let (code, len) = decode(text, at, flavour.utf8)?;
    let code = code?;
    let hit = match node {
        Node::Any => true,
        Node::Set(set) if flavour.fold_case => {
            folds(code).iter().any(|code| set.contains(*code, flavour.utf8)) != set.negated
        }
        Node::Set(set) => set.contains(code, flavour.utf8) != set.negated,
        _ => false,
    };
    hit.then_some(len)
}

/// A code point in both cases.
fn folds(code: u32) -> Vec<u32> {
    let Some(character) = char::from_u32(code) else { return vec![code] };
    character.to_lowercase().chain(character.to_uppercase()).map(u32::from).chain([code]).collect()
}

/// Whether an assertion holds at a place.
pub(super) fn holds(node: &Node, flavour: Flavour, text: &[u8], at: usize) -> bool {
    let word = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_');
    let before = at.checked_sub(1).and_then(|i| text.get(i));
    let after = text.get(at);
    match node {
        Node::Start => before.is_none() || (flavour.lines && before == Some(&b'\n')),
        Node::End => after.is_none() || (flavour.lines && after == Some(&b'\n')),
        Node::TextStart => before.is_none(),
        Node::TextEnd => after.is_none(),
        Node::WordStart => !word(before) && word(after),
        Node::WordEnd => word(before) && !word(after),
        Node::WordBoundary => word(before) != word(after),
        Node::NotWordBoundary => word(before) == word(after),
        Node::NoWordBefore => !word(before),
        Node::NoWordAfter => !word(after),
        _ => false,
    }
}

/// Whether the first match in order of preference is also POSIX's longest, groups included: when nothing but single
/// characters is repeated, an earlier part that takes more never makes the rest shorter.
pub(super) fn is_plain(node: &Node, flavour: Flavour) -> bool {
    let mut flat = Vec::new();
    if !flatten(node, &mut flat) {
        return false;
    }
    let varies = flat.iter().any(|part| matches!(part, Node::Repeat(..)));
    let inner = |index: usize| index > 0 && index + 1 < flat.len();
    !varies
        || flat.iter().enumerate().all(|(index, part)| match part {
            Node::Start => index == 0 && !flavour.lines,
            Node::End => index + 1 == flat.len() && !flavour.lines,
            Node::Repeat(..) => true,
            part => part.is_one_character() || (matches!(part, Node::TextStart | Node::TextEnd) && !inner(index)),
        })
}

/// The parts in a row; false when there are alternatives or repeated groups.
fn flatten<'a>(node: &'a Node, flat: &mut Vec<&'a Node>) -> bool {
    match node {
        Node::Concat(parts) => parts.iter().all(|part| flatten(part, flat)),
        Node::Group(_, inner) => flatten(inner, flat),
        Node::Alternate(_) | Node::BackReference(_) => false,
        Node::Repeat(inner, ..) => {
            flat.push(node);
            inner.is_one_character()
        }
        _ => {
            flat.push(node);
            true
        }
    }
}

/// The pattern for `regex-automata`; it has no back-references.
pub(super) fn translate(node: &Node, flavour: Flavour) -> String {
    let mut out = String::from("(?s");
    if flavour.fold_case {
        out.push('i');
    }
    if flavour.lines {
        out.push('m');
    }
    out.push_str(if flavour.utf8 { ")" } else { "-u)" });
    write(&mut out, node, flavour);
    out
}

fn write(out: &mut String, node: &Node, flavour: Flavour) {
    match node {
        Node::Literal(bytes) => match decode(bytes, 0, flavour.utf8) {
            Some((Some(code), len)) if len == bytes.len() => write_code(out, code, flavour.utf8),
            _ => bytes.iter().for_each(|byte| push(out, format_args!("(?-u:\\x{byte:02x})"))),
        },
        Node::Any => out.push('.'),
        Node::Set(set) => write_set(out, set, flavour.utf8),
        Node::Start => out.push('^'),
        Node::End => out.push('$'),
        Node::TextStart => out.push_str(r"\A"),
        Node::TextEnd => out.push_str(r"\z"),
        Node::WordStart => out.push_str(r"(?-u:\b{start})"),
        Node::WordEnd => out.push_str(r"(?-u:\b{end})"),
        Node::WordBoundary => out.push_str(r"(?-u:\b)"),
        Node::NotWordBoundary => out.push_str(r"(?-u:\B)"),
        Node::NoWordBefore => out.push_str(r"(?-u:\b{start-half})"),
        Node::NoWordAfter => out.push_str(r"(?-u:\b{end-half})"),
        Node::Group(_, inner) => {
            out.push('(');
            write(out, inner, flavour);
            out.push(')');
        }
        Node::Concat(parts) => parts.iter().for_each(|part| write(out, part, flavour)),
        Node::Alternate(parts) => {
            for (index, part) in parts.iter().enumerate() {
                out.push_str(if index == 0 { "(?:" } else { "|" });
                write(out, part, flavour);
            }
            out.push(')');
        }
        Node::Repeat(inner, min, max) => {
            out.push_str("(?:");
            write(out, inner, flavour);
            match max {
                Some(max) => push(out, format_args!("){{{min},{max}}}")),
                None => push(out, format_args!("){{{min},}}")),
            }
        }
        Node::BackReference(_) => {}
    }
}

fn push(out: &mut String, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("writing to a string");
}

fn write_code(out: &mut String, code: u32, utf8: bool) {
    if utf8 {
        push(out, format_args!("\\x{{{code:x}}}"));
    } else {
        push(out, format_args!("\\x{code:02x}"));
    }
}

fn write_set(out: &mut String, set: &Set, utf8: bool) {
    out.push_str(if set.negated { "[^" } else { "[" });
    for (low, high) in &set.ranges {
        write_code(out, *low, utf8);
        out.push('-');
        write_code(out, *high, utf8);
    }
    for class in &set.classes {
        let (unicode, ascii) = class.text();
        out.push_str(if utf8 { unicode } else { ascii });
    }
    out.push(']');
}
