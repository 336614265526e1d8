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

impl Element {
    /// Whether the element, no `*`, stands for this byte.
    fn takes(&self, byte: u8) -> bool {
        match self {
            Self::Byte(wanted) => *wanted == byte,
            Self::Any => true,
            Self::Many => false,
            Self::Set(set) => contains(set, byte),
        }
    }
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
        self.matches_within(text, &mut Effort::unbounded())
    }

    pub(super) fn matches_within(&self, text: &[u8], effort: &mut Effort) -> bool {
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
                (Some(single), Some(&byte)) => single.takes(byte),
                (None, Some(_)) | (Some(_), None) => false,
            };
            if advanced {
                element += 1;
                at += 1;
                continue;
            }
            match resume {
                Some((behind, from)) if from < text.len() => {
                    // What has been compared since the last `*`.
                    if effort.spend(at - from + 1).is_none() {
                        return false;
                    }
                    resume = Some((behind, from + 1));
                    element = behind;
                    at = from + 1;
                }
                _ => return false,
            }
        }
    }

    /// How many bytes at the start of `text` match, at most or at least; `None` when no prefix does.
    pub(super) fn prefix(&self, text: &[u8], longest: bool, effort: &mut Effort) -> Option<usize> {
        match self.literal() {
            Some(literal) => text.starts_with(&literal).then_some(literal.len()),
            None => reach(&self.0.iter().collect::<Vec<_>>(), text.iter().copied(), longest, effort),
        }
    }

    /// How many bytes at the end of `text` match, at most or at least; `None` when no suffix does.
    pub(super) fn suffix(&self, text: &[u8], longest: bool, effort: &mut Effort) -> Option<usize> {
        match self.literal() {
            Some(literal) => text.ends_with(&literal).then_some(literal.len()),
            None => reach(&self.0.iter().rev().collect::<Vec<_>>(), text.iter().rev().copied(), longest, effort),
        }
    }
}

/// How much matching has been done, and how much may be. Where that is not enough, nothing matches.
#[derive(Clone, Copy, Debug)]
pub(super) struct Effort {
    done: u64,
    most: u64,
}

impl Effort {
    pub(super) fn unbounded() -> Self {
        Self::new(u64::MAX)
    }

    pub(super) fn new(most: u64) -> Self {
        Self { done: 0, most }
    }

    /// Comparisons of a byte with an element of a pattern.
    pub(super) fn done(&self) -> u64 {
        self.done
    }

    fn spend(&mut self, comparisons: usize) -> Option<()> {
        self.done = self.done.saturating_add(comparisons as u64);
        (self.done < self.most).then_some(())
    }
}

/// Follows all ways in which the elements match from the start of `bytes` on, byte by byte; how many bytes they all match.
fn reach(
    elements: &[&Element],
    bytes: impl ExactSizeIterator<Item = u8>,
    longest: bool,
    effort: &mut Effort,
) -> Option<usize> {
    let length = bytes.len();
    // Elements that may come next, ascending.
    let (mut here, mut next) = (Vec::new(), Vec::new());
    let enter = |states: &mut Vec<usize>, state: usize| {
        for state in state..=state + usize::from(elements.get(state).is_some_and(|e| **e == Element::Many)) {
            if states.last().is_none_or(|last| *last < state) {
                states.push(state);
            }
        }
    };
    enter(&mut here, 0);
    let mut found = None;
    for (at, byte) in bytes.map(Some).chain([None]).enumerate() {
        if here.last() == Some(&elements.len()) {
            // A `*` at the end takes all.
            if longest && elements.last().is_some_and(|last| **last == Element::Many) {
                return Some(length);
            }
            found = Some(at);
        }
        let Some(byte) = byte.filter(|_| !here.is_empty() && (longest || found.is_none())) else { break };
        effort.spend(here.len())?;
        next.clear();
        for &state in &here {
            match elements.get(state) {
                Some(Element::Many) => enter(&mut next, state),
                Some(element) if element.takes(byte) => enter(&mut next, state + 1),
                _ => {}
            }
        }
        std::mem::swap(&mut here, &mut next);
    }
    found
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
        let prefix = |pattern: &[u8], text: &[u8], longest| {
            Pattern::new(pattern).prefix(text, longest, &mut Effort::new(u64::MAX))
        };
        let suffix = |pattern: &[u8], text: &[u8], longest| {
            Pattern::new(pattern).suffix(text, longest, &mut Effort::new(u64::MAX))
        };
        assert_eq!(prefix(b"*/", b"a/b/c", false), Some(2));
        assert_eq!(prefix(b"*/", b"a/b/c", true), Some(4));
        assert_eq!(suffix(b".*", b"a.b.c", false), Some(2));
        assert_eq!(suffix(b".*", b"a.b.c", true), Some(4));
        assert_eq!(suffix(b".*", b"abc", true), None);
        assert_eq!(prefix(b"*", b"abc", false), Some(0));
        assert_eq!(Pattern::new(b"*b").prefix(&[b'a'; 99], true, &mut Effort::new(50)), None);
        // As trying every length has it.
        let letters = |mut number: usize, from: &[u8]| {
            let mut text = Vec::new();
            while number > 0 {
                text.push(from[number % from.len()]);
                number /= from.len();
            }
            text
        };
        for pattern in (0..4_usize.pow(5)).map(|number| letters(number, b"*?ab")) {
            for text in (0..3_usize.pow(4)).map(|number| letters(number, b"abc")) {
                let mut fitting: Vec<usize> = (0..=text.len()).filter(|at| matches(&pattern, &text[..*at])).collect();
                assert_eq!(prefix(&pattern, &text, false), fitting.first().copied(), "{pattern:?} {text:?}");
                assert_eq!(prefix(&pattern, &text, true), fitting.pop(), "{pattern:?} {text:?}");
                let ends = |at: &usize| matches(&pattern, &text[text.len() - at..]);
                let mut fitting: Vec<usize> = (0..=text.len()).filter(ends).collect();
                assert_eq!(suffix(&pattern, &text, false), fitting.first().copied(), "{pattern:?} {text:?}");
                assert_eq!(suffix(&pattern, &text, true), fitting.pop(), "{pattern:?} {text:?}");
            }
        }
    }
}
