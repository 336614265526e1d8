//! Basic and extended regular expressions, as glibc reads them, into [`Node`]s.

use super::{
    Error, Flavour,
    syntax::{Class, Node, Set, decode},
};
use crate::shell::text::awk_escape;

/// Largest count in an interval.
const MAX_REPEAT: u32 = 32_767;

/// Groups inside groups.
const MAX_DEPTH: u32 = 250;

pub(super) struct Parsed {
    pub node: Node,
    pub groups: usize,
}

pub(super) fn parse(pattern: &[u8], flavour: Flavour) -> Result<Parsed, Error> {
    let mut parser = Parser { pattern, at: 0, flavour, groups: 0, closed: Vec::new(), depth: 0 };
    let node = parser.alternatives()?;
    match parser.at < pattern.len() {
        true => Err(Error::CloseGroup),
        false => Ok(Parsed { node, groups: parser.groups }),
    }
}

/// The pattern that matches `text` itself.
pub(super) fn literal(text: &[u8], utf8: bool) -> Node {
    let mut parts = Vec::new();
    let mut at = 0;
    while let Some((_, len)) = decode(text, at, utf8) {
        parts.push(Node::Literal(text[at..at + len].to_vec()));
        at += len;
    }
    Node::Concat(parts)
}

struct Parser<'a> {
    pattern: &'a [u8],
    at: usize,
    flavour: Flavour,
    groups: usize,
    /// Groups that a back-reference may name.
    closed: Vec<usize>,
    depth: u32,
}

/// What stands at a place, escapes resolved.
enum Token {
    Open,
    Close,
    Bar,
    /// `*`, `+` or `?`.
    Repeat(u32, Option<u32>),
    OpenInterval,
    Bracket,
    Part(Node),
}

impl Parser<'_> {
    fn alternatives(&mut self) -> Result<Node, Error> {
        let mut all = vec![self.sequence()?];
        while let Some((Token::Bar, next)) = self.peek(false)? {
            self.at = next;
            all.push(self.sequence()?);
        }
        Ok(if all.len() == 1 { all.remove(0) } else { Node::Alternate(all) })
    }

    fn sequence(&mut self) -> Result<Node, Error> {
        let mut parts: Vec<Node> = Vec::new();
        let mut repeatable = false;
        let mut first = true;
        while let Some((token, next)) = self.peek(first)? {
            let start = self.at;
            match token {
                Token::Bar | Token::Close if self.ends_here(&token) => break,
                Token::Bar | Token::Close if self.flavour.extended && self.flavour.lenient => {
                    self.at = next;
                    parts.push(Node::Literal(b")".to_vec()));
                    repeatable = true;
                }
                Token::Bar | Token::Close => return Err(Error::CloseGroup),
                // awk allows an empty group only where something is before it.
                Token::Open if self.flavour.awk && !parts.is_empty() && self.pattern.get(next) == Some(&b')') => {
                    self.at = next + 1;
                    repeatable = false;
                }
                Token::Open => {
                    self.at = next;
                    parts.push(self.group()?);
                    repeatable = true;
                }
                Token::Bracket => {
                    self.at = next;
                    parts.push(Node::Set(self.bracket()?));
                    repeatable = true;
                }
                Token::Repeat(min, max) => {
                    self.at = next;
                    repeatable = self.repeat(&mut parts, repeatable, (min, max))?;
                }
                Token::OpenInterval => {
                    self.at = next;
                    match (self.interval(), repeatable) {
                        (Ok((min, max)), true) => {
                            self.refuse_twice(parts.last())?;
                            let part = parts.pop().ok_or(Error::Repetition)?;
                            parts.push(Node::Repeat(Box::new(part), min, max));
                        }
                        (Ok(_), false) => return Err(Error::Repetition),
                        (Err(_), _) if self.flavour.extended && self.flavour.lenient => {
                            self.at = start + 1;
                            parts.push(Node::Literal(b"{".to_vec()));
                            repeatable = true;
                        }
                        (Err(error), _) => return Err(error),
                    }
                }
                Token::Part(node) => {
                    self.at = next;
                    repeatable = node.is_one_character() || matches!(node, Node::BackReference(_));
                    parts.push(node);
                }
            }
            first = false;
        }
        if self.flavour.awk && parts.is_empty() && !self.pattern.is_empty() {
            return Err(Error::Operand);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Node::Concat(parts) })
    }

    /// Repeats the last part; says whether what is last then can be repeated.
    fn repeat(&self, parts: &mut Vec<Node>, repeatable: bool, (min, max): (u32, Option<u32>)) -> Result<bool, Error> {
        self.refuse_twice(parts.last())?;
        self.demand_operand(parts.last(), max)?;
        match parts.pop() {
            Some(part) if repeatable => parts.push(Node::Repeat(Box::new(part), min, max)),
            // At the start of a BRE an operator is itself; an ERE's is passed over.
            last if self.flavour.extended => parts.extend(last),
            last => {
                parts.extend(last);
                parts.push(Node::Literal(vec![self.pattern[self.at - 1]]));
                return Ok(true);
            }
        }
        Ok(repeatable)
    }

    /// awk's operators repeat something, of anchors the end's and, for `?`, the start's.
    fn demand_operand(&self, last: Option<&Node>, max: Option<u32>) -> Result<(), Error> {
        match last {
            None | Some(Node::Start) if self.flavour.awk && (last.is_none() || max.is_none()) => Err(Error::Operand),
            _ => Ok(()),
        }
    }

    /// sed's basic expressions allow no repetition of a repetition.
    fn refuse_twice(&self, last: Option<&Node>) -> Result<(), Error> {
        let strict = !self.flavour.extended && !self.flavour.lenient;
        match last {
            Some(Node::Repeat(..)) if strict => Err(Error::Repetition),
            _ => Ok(()),
        }
    }

    fn ends_here(&self, token: &Token) -> bool {
        matches!(token, Token::Bar) || self.depth > 0
    }

    fn group(&mut self) -> Result<Node, Error> {
        self.groups += 1;
        let number = self.groups;
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Error::TooBig);
        }
        let inner = self.alternatives()?;
        self.depth -= 1;
        match self.peek(false)? {
            Some((Token::Close, next)) => self.at = next,
            _ => return Err(Error::OpenGroup),
        }
        self.closed.push(number);
        Ok(Node::Group(number, Box::new(inner)))
    }

    /// The token here and where the next begins. `first` is whether the place is the first of a sequence.
    fn peek(&self, first: bool) -> Result<Option<(Token, usize)>, Error> {
        let Some(&byte) = self.pattern.get(self.at) else { return Ok(None) };
        let next = self.at + 1;
        let extended = self.flavour.extended;
        let token = match byte {
            b'\\' => return self.escape().map(Some),
            b'(' if extended => Token::Open,
            b')' if extended => Token::Close,
            b'|' if extended => Token::Bar,
            b'{' if extended && !self.flavour.awk => Token::OpenInterval,
            b'*' => Token::Repeat(0, None),
            b'+' if extended => Token::Repeat(1, None),
            b'?' if extended => Token::Repeat(0, Some(1)),
            b'[' => Token::Bracket,
            b'.' => Token::Part(Node::Any),
            b'^' if extended || first => Token::Part(Node::Start),
            b'$' if extended || self.ends_at(next) => Token::Part(Node::End),
            _ => {
                let len = decode(self.pattern, self.at, self.flavour.utf8).map_or(1, |(_, len)| len);
                let bytes = self.pattern[self.at..self.at + len].to_vec();
                return Ok(Some((Token::Part(Node::Literal(bytes)), self.at + len)));
            }
        };
        Ok(Some((token, next)))
    }

    /// Whether a basic expression's sequence ends at `at`.
    fn ends_at(&self, at: usize) -> bool {
        let rest = &self.pattern[at..];
        rest.is_empty() || rest.starts_with(br"\)") || rest.starts_with(br"\|")
    }

    fn escape(&self) -> Result<(Token, usize), Error> {
        let Some(&byte) = self.pattern.get(self.at + 1) else {
            // awk's is itself.
            let literal = (Token::Part(Node::Literal(b"\\".to_vec())), self.at + 1);
            return if self.flavour.awk { Ok(literal) } else { Err(Error::TrailingBackslash) };
        };
        let next = self.at + 2;
        if self.flavour.awk {
            let (byte, next) = awk_escape(self.pattern, self.at);
            return Ok((Token::Part(Node::Literal(vec![byte])), next));
        }
        let basic = !self.flavour.extended;
        let token = match byte {
            b'(' if basic => Token::Open,
            b')' if basic => Token::Close,
            b'|' if basic => Token::Bar,
            b'{' if basic => Token::OpenInterval,
            b'+' if basic => Token::Repeat(1, None),
            b'?' if basic => Token::Repeat(0, Some(1)),
            b'1'..=b'9' => {
                let number = usize::from(byte - b'0');
                if !self.closed.contains(&number) {
                    return Err(Error::BackReference);
                }
                Token::Part(Node::BackReference(number))
            }
            b'<' => Token::Part(Node::WordStart),
            b'>' => Token::Part(Node::WordEnd),
            b'b' => Token::Part(Node::WordBoundary),
            b'B' => Token::Part(Node::NotWordBoundary),
            b'`' => Token::Part(Node::TextStart),
            b'\'' => Token::Part(Node::TextEnd),
            b'w' => Token::Part(Set::of(Class::Word)),
            b'W' => Token::Part(Set::of(Class::NotWord)),
            b's' => Token::Part(Set::of(Class::Space)),
            b'S' => Token::Part(Set::of(Class::NotSpace)),
            _ => {
                let len = decode(self.pattern, self.at + 1, self.flavour.utf8).map_or(1, |(_, len)| len);
                let bytes = self.pattern[self.at + 1..self.at + 1 + len].to_vec();
                return Ok((Token::Part(Node::Literal(bytes)), self.at + 1 + len));
            }
        };
        Ok((token, next))
    }

    /// `n`, `n,`, `,m` or `n,m` and the closing brace.
    fn interval(&mut self) -> Result<(u32, Option<u32>), Error> {
        let closing: &[u8] = if self.flavour.extended { b"}" } else { b"\\}" };
        let rest = &self.pattern[self.at..];
        let end = memchr::memmem::find(rest, closing).ok_or(Error::OpenInterval)?;
        let number = |digits: &[u8]| -> Result<u32, Error> {
            if !digits.iter().all(u8::is_ascii_digit) {
                return Err(Error::Interval);
            }
            let text = std::str::from_utf8(digits).map_err(|_| Error::Interval)?;
            text.parse().ok().filter(|n| *n <= MAX_REPEAT).ok_or(Error::TooBig)
        };
        let (min, max) = match rest[..end].iter().position(|&b| b == b',') {
            None => {
                let count = number(&rest[..end])?;
                (count, Some(count))
            }
            Some(comma) => {
                let (low, high) = (&rest[..comma], &rest[comma + 1..end]);
                let min = if low.is_empty() { 0 } else { number(low)? };
                (min, if high.is_empty() { None } else { Some(number(high)?) })
            }
        };
        if max.is_some_and(|max| max < min) || (end == 0) {
            return Err(Error::Interval);
        }
        self.at += end + closing.len();
        Ok((min, max))
    }

    /// The inside of a bracket expression, behind the `[`.
    fn bracket(&mut self) -> Result<Set, Error> {
        let negated = self.pattern.get(self.at) == Some(&b'^');
        self.at += usize::from(negated);
        let mut set = Set { negated, ranges: Vec::new(), classes: Vec::new() };
        let mut first = true;
        loop {
            match self.pattern.get(self.at) {
                None => return Err(Error::Bracket),
                Some(b']') if !first => break,
                Some(b'[') if self.pattern.get(self.at + 1) == Some(&b':') => {
                    let name = self.delimited(b':')?;
                    set.classes.push(self.class(&name)?);
                }
                Some(_) => {
                    let low = self.element()?;
                    let range = self.pattern.get(self.at) == Some(&b'-')
                        && !matches!(self.pattern.get(self.at + 1), None | Some(b']'));
                    let high = match range {
                        true => {
                            self.at += 1;
                            self.element()?
                        }
                        false => low,
                    };
                    match low > high {
                        // awk takes the three characters for themselves.
                        true if self.flavour.awk => {
                            set.ranges.extend([low, high, u32::from(b'-')].map(|code| (code, code)));
                        }
                        true => return Err(Error::Range),
                        false => set.ranges.push((low, high)),
                    }
                }
            }
            first = false;
        }
        self.at += 1;
        Ok(set)
    }

    fn class(&self, name: &[u8]) -> Result<Class, Error> {
        let class = Class::named(name).ok_or(Error::ClassName)?;
        // Either case of letters means both.
        Ok(if self.flavour.fold_case && matches!(class, Class::Upper | Class::Lower) { Class::Alpha } else { class })
    }

    /// One end of a range.
    fn element(&mut self) -> Result<u32, Error> {
        let rest = &self.pattern[self.at..];
        if let [b'[', kind @ (b'.' | b'='), ..] = rest
            && !self.flavour.awk
        {
            let name = self.delimited(*kind)?;
            return match decode(&name, 0, self.flavour.utf8) {
                Some((Some(code), len)) if len == name.len() => Ok(code),
                _ => Err(Error::Collation),
            };
        }
        if self.flavour.awk && rest.first() == Some(&b'\\') && rest.len() > 1 {
            let (byte, next) = awk_escape(self.pattern, self.at);
            self.at = next;
            return Ok(u32::from(byte));
        }
        let (code, len) = decode(self.pattern, self.at, self.flavour.utf8).ok_or(Error::Bracket)?;
        self.at += len;
        code.ok_or(Error::Collation)
    }

    /// The name in `[:name:]` and its like.
    fn delimited(&mut self, kind: u8) -> Result<Vec<u8>, Error> {
        let start = self.at + 2;
        let end = memchr::memmem::find(&self.pattern[start..], &[kind, b']']).ok_or(Error::Bracket)?;
        self.at = start + end + 2;
        Ok(self.pattern[start..start + end].to_vec())
    }
}
