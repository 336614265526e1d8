//! Patterns (POSIX XCU 2.13): `*`, `?`, bracket expressions; matched byte by byte, as in the C locale.

/// A pattern ready to match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(Vec<Element>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Element {
    Byte(u8),
    /// `?`
    Any,
    /// `*`
    Many,
    /// One bit for each byte that matches.
    Set(Box<[u64; 4]>),
}

/// One byte of a pattern; what is quoted stands for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unit {
    pub(super) byte: u8,
    pub(super) quoted: bool,
}

impl Pattern {
    /// Reads a pattern in which a backslash quotes the next byte and `[^` means `[!`, as for `fnmatch`.
    pub fn new(text: &[u8]) -> Self {
        let units: Vec<_> = text.iter().map(|&byte| Unit { byte, quoted: false }).collect();
        Self::read(&units, b"!^")
    }

    /// Reads a pattern of which parts may be quoted; an unquoted backslash quotes the next byte as well.
    pub(super) fn from_units(units: &[Unit]) -> Self {
        Self::read(units, b"!")
    }

    /// `negations`: what may stand behind a `[` to mean all other bytes.
    fn read(units: &[Unit], negations: &[u8]) -> Self {
        let mut elements = Vec::with_capacity(units.len());
        let mut rest = units;
        while let Some((&unit, after)) = rest.split_first() {
            rest = after;
            elements.push(match unit {
                Unit { byte, quoted: true } => Element::Byte(byte),
                Unit { byte: b'*', .. } => {
                    if elements.last() == Some(&Element::Many) {
                        continue;
                    }
                    Element::Many
                }
                Unit { byte: b'?', .. } => Element::Any,
                Unit { byte: b'\\', .. } => match rest.split_first() {
                    Some((next, after)) => {
                        rest = after;
                        Element::Byte(next.byte)
                    }
                    None => Element::Byte(b'\\'),
                },
                Unit { byte: b'[', .. } => match bracket(rest, negations) {
                    Some((set, after)) => {
                        rest = after;
                        Element::Set(set)
                    }
                    None => Element::Byte(b'['),
                },
                Unit { byte, .. } => Element::Byte(byte),
            });
        }
        Self(elements)
    }

    /// The text that the pattern stands for, if there is only one.
    pub fn literal(&self) -> Option<Vec<u8>> {
        self.0
            .iter()
            .map(|element| match element {
                Element::Byte(byte) => Some(*byte),
                Element::Any | Element::Many | Element::Set(_) => None,
            })
            .collect()
    }

    /// Whether the pattern's first byte is a literal dot, which file names that start with one ask for.
    pub fn starts_with_dot(&self) -> bool {
        self.0.first() == Some(&Element::Byte(b'.'))
    }

    /// Whether the whole of `text` matches.
    pub fn matches(&self, text: &[u8]) -> bool {
        let (mut element, mut at) = (0, 0);
        // Where to resume after the last `*`: the element behind it, and the next text position to try there.
        let mut resume: Option<(usize, usize)> = None;
        loop {
            let advanced = match (self.0.get(element), text.get(at)) {
                (None, None) => return true,
                (Some(Element::Many), _) => {
                    resume = Some((element + 1, at));
                    element += 1;
                    continue;
                }
                (Some(Element::Byte(wanted)), Some(byte)) => wanted == byte,
                (Some(Element::Any), Some(_)) => true,
                (Some(Element::Set(set)), Some(&byte)) => contains(set, byte),
                (None, Some(_)) | (Some(_), None) => false,
            };
            if advanced {
                element += 1;
                at += 1;
                continue;
            }
            match resume {
                Some((behind, from)) if from < text.len() => {
                    resume = Some((behind, from + 1));
                    element = behind;
                    at = from + 1;
                }
                _ => return false,
            }
        }
    }

    /// How many bytes at the start of `text` match, at most or at least; `None` when no prefix does.
    pub fn prefix(&self, text: &[u8], longest: bool) -> Option<usize> {
        if let Some(literal) = self.literal() {
            return text.starts_with(&literal).then_some(literal.len());
        }
        let mut lengths = 0..=text.len();
        let fits = |length: &usize| self.matches(&text[..*length]);
        if longest { lengths.rfind(fits) } else { lengths.find(fits) }
    }

    /// How many bytes at the end of `text` match, at most or at least; `None` when no suffix does.
    pub fn suffix(&self, text: &[u8], longest: bool) -> Option<usize> {
        if let Some(literal) = self.literal() {
            return text.ends_with(&literal).then_some(literal.len());
        }
        let mut lengths = 0..=text.len();
        let fits = |length: &usize| self.matches(&text[text.len() - *length..]);
        if longest { lengths.rfind(fits) } else { lengths.find(fits) }
    }
}

/// Whether `text` matches a pattern in which a backslash quotes; neither dots nor slashes are special.
pub fn matches(pattern: &[u8], text: &[u8]) -> bool {
    // What is plain at the beginning decides nearly always, without a pattern being made.
    let plain = pattern.iter().take_while(|byte| !matches!(byte, b'*' | b'?' | b'[' | b'\\')).count();
    let (start, rest) = pattern.split_at(plain);
    match text.strip_prefix(start) {
        None => false,
        Some(text) if rest.is_empty() => text.is_empty(),
        Some(text) => Pattern::new(rest).matches(text),
    }
}

/// Reads a bracket expression from behind its `[`; `None` when it has no end and the `[` is a plain byte.
fn bracket<'u>(units: &'u [Unit], negations: &[u8]) -> Option<(Box<[u64; 4]>, &'u [Unit])> {
    let mut rest = units;
    let is = |rest: &[Unit], byte: u8| rest.first() == Some(&Unit { byte, quoted: false });
    let negated = negations.iter().any(|&sign| is(rest, sign));
    if negated {
        rest = &rest[1..];
    }
    let mut set = Box::new([0_u64; 4]);
    let mut first = true;
    loop {
        if is(rest, b']') && !first {
            if negated {
                set.iter_mut().for_each(|bits| *bits = !*bits);
            }
            return Some((set, &rest[1..]));
        }
        first = false;
        if is(rest, b'[')
            && is(&rest[1..], b':')
            && let Some(after) = class(&rest[2..], &mut set)
        {
            rest = after;
            continue;
        }
        let (low, after) = member(rest)?;
        rest = after;
        let mut high = low;
        if is(rest, b'-') && rest.len() > 1 && !is(&rest[1..], b']') {
            (high, rest) = member(&rest[1..])?;
        }
        for byte in low..=high {
            set[usize::from(byte / 64)] |= 1 << (byte % 64);
        }
    }
}

/// One byte of a bracket expression.
fn member(units: &[Unit]) -> Option<(u8, &[Unit])> {
    let (&unit, rest) = units.split_first()?;
    if unit == (Unit { byte: b'\\', quoted: false })
        && let Some((next, after)) = rest.split_first()
    {
        return Some((next.byte, after));
    }
    Some((unit.byte, rest))
}

/// Adds the bytes of a class, from behind its `[:`; `None` when there is no such class.
fn class<'u>(units: &'u [Unit], set: &mut [u64; 4]) -> Option<&'u [Unit]> {
    let end = units.iter().position(|unit| unit.byte == b':')?;
    if units.get(end + 1)?.byte != b']' {
        return None;
    }
    let name: Vec<u8> = units[..end].iter().map(|unit| unit.byte).collect();
    let holds: fn(u8) -> bool = match name.as_slice() {
        b"alpha" => |b| b.is_ascii_alphabetic(),
        b"digit" => |b| b.is_ascii_digit(),
        b"alnum" => |b| b.is_ascii_alphanumeric(),
        b"upper" => |b| b.is_ascii_uppercase(),
        b"lower" => |b| b.is_ascii_lowercase(),
        b"space" => |b| matches!(b, b' ' | b'\t'..=b'\r'),
        b"blank" => |b| matches!(b, b' ' | b'\t'),
        b"punct" => |b| b.is_ascii_punctuation(),
        b"print" => |b| matches!(b, b' '..=b'~'),
        b"graph" => |b| b.is_ascii_graphic(),
        b"cntrl" => |b| b.is_ascii_control(),
        b"xdigit" => |b| b.is_ascii_hexdigit(),
        _ => return None,
    };
    for byte in (0..=u8::MAX).filter(|&b| holds(b)) {
        set[usize::from(byte / 64)] |= 1 << (byte % 64);
    }
    Some(&units[end + 2..])
}

fn contains(set: &[u64; 4], byte: u8) -> bool {
    set[usize::from(byte / 64)] & (1 << (byte % 64)) != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        let check = |pattern: &str, text: &str, expect: bool| {
            assert_eq!(matches(pattern.as_bytes(), text.as_bytes()), expect, "{pattern} {text}");
        };
        check("", "", true);
        check("*", "", true);
        check("a*b*c", "aXbYbZc", true);
        check("a*b*c", "aXbYbZ", false);
        check("?", "", false);
        check("[a-c]x", "bx", true);
        check("[!a-c]x", "bx", false);
        check("[]]", "]", true);
        check("[a", "[a", true);
        check("[[:digit:]_]", "7", true);
        check("[[:digit:]_]", "_", true);
        check("\\*", "*", true);
        check("\\*", "x", false);
        check("[\\]]", "]", true);
        check("[a-]", "-", true);
        check("*a*a*a*a*a*a*a*b", &"a".repeat(2000), false);
    }

    #[test]
    fn trims() {
        let pattern = Pattern::new(b"*/");
        assert_eq!(pattern.prefix(b"a/b/c", false), Some(2));
        assert_eq!(pattern.prefix(b"a/b/c", true), Some(4));
        let pattern = Pattern::new(b".*");
        assert_eq!(pattern.suffix(b"a.b.c", false), Some(2));
        assert_eq!(pattern.suffix(b"a.b.c", true), Some(4));
        assert_eq!(pattern.suffix(b"abc", true), None);
    }
}
