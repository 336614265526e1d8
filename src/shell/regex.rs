//! POSIX regular expressions with GNU's additions: basic and extended, leftmost and longest.
//!
//! The pattern is parsed here and searched by `regex-automata`, whose matches start where POSIX's do. Where its preference for
//! earlier alternatives could end a match elsewhere than POSIX's longest, a second automaton finds the end and
//! [`backtrack`] the groups, as glibc has them; it also matches patterns with back-references.

use std::cell::RefCell;

use regex_automata::{Anchored, Input, MatchKind, hybrid::dfa, meta, util::syntax as automata_syntax};

use super::Fatal;
use program::Program;

mod backtrack;
mod parse;
mod program;
mod syntax;

use syntax::Node;
pub(super) use syntax::{Class, decode};

/// Start and end of a match, in bytes.
pub(super) type Span = (usize, usize);

/// Group 0 is the whole match.
pub(super) type Groups = Vec<Option<Span>>;

/// How a pattern is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Flavour {
    /// ERE; else BRE.
    pub extended: bool,
    /// Letters match either case.
    pub fold_case: bool,
    /// `^` and `$` match at newlines, too.
    pub lines: bool,
    /// Characters are those of UTF-8; else bytes.
    pub utf8: bool,
    /// mawk's ERE: escapes are C's, in brackets also; no back-references, intervals or collating elements; operands must be.
    pub awk: bool,
    /// A `{` that begins no interval is itself, as in grep; else an error, as in sed.
    pub lenient: bool,
    pub surrounded: Surrounded,
}

/// What grep's options demand around a match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Surrounded {
    Anything,
    /// `-w`: no word characters.
    NonWord,
    /// `-x`: the ends of the line.
    Nothing,
}

impl Flavour {
    pub(super) fn basic(utf8: bool) -> Self {
        Self {
            extended: false,
            fold_case: false,
            lines: false,
            utf8,
            awk: false,
            lenient: false,
            surrounded: Surrounded::Anything,
        }
    }
}

/// Why a pattern is none; the texts are those of the C library.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Error {
    #[error("Unmatched [, [^, [:, [., or [=")]
    Bracket,
    #[error("Unmatched ( or \\(")]
    OpenGroup,
    #[error("Unmatched ) or \\)")]
    CloseGroup,
    #[error("Unmatched \\{{")]
    OpenInterval,
    #[error("Invalid content of \\{{\\}}")]
    Interval,
    #[error("Invalid preceding regular expression")]
    Repetition,
    #[error("missing operand")]
    Operand,
    #[error("Invalid back reference")]
    BackReference,
    #[error("Trailing backslash")]
    TrailingBackslash,
    #[error("Invalid range end")]
    Range,
    #[error("Invalid character class name")]
    ClassName,
    #[error("Invalid collation character")]
    Collation,
    #[error("Regular expression too big")]
    TooBig,
}

/// A compiled pattern.
#[derive(Debug)]
pub(super) struct Regex {
    flavour: Flavour,
    groups: usize,
    empty: bool,
    engine: Engine,
}

#[derive(Debug)]
enum Engine {
    /// The automaton's own preference is POSIX's.
    Plain(meta::Regex),
    /// Starts from the first, ends from the second, groups from the third.
    Longest(meta::Regex, Box<(dfa::DFA, RefCell<dfa::Cache>)>, Program),
    Backtrack(Program),
}

impl Regex {
    pub(super) fn new(pattern: &[u8], flavour: Flavour) -> Result<Self, Error> {
        let parsed = parse::parse(pattern, flavour)?;
        Self::of_node(parsed.node, parsed.groups, flavour)
    }

    /// A pattern that matches any of these texts themselves.
    pub(super) fn literals(texts: &[Vec<u8>], flavour: Flavour) -> Result<Self, Error> {
        let node = Node::Alternate(texts.iter().map(|text| parse::literal(text, flavour.utf8)).collect());
        Self::of_node(node, 0, flavour)
    }

    fn of_node(node: Node, groups: usize, flavour: Flavour) -> Result<Self, Error> {
        let node = match flavour.surrounded {
            Surrounded::Anything => node,
            Surrounded::NonWord => Node::Concat(vec![Node::NoWordBefore, node, Node::NoWordAfter]),
            Surrounded::Nothing => Node::Concat(vec![Node::Start, node, Node::End]),
        };
        let empty = matches!(&node, Node::Concat(parts) if parts.is_empty());
        if node.has_back_reference() {
            return Ok(Self { flavour, groups, empty, engine: Engine::Backtrack(program::compile(&node)?) });
        }
        let text = syntax::translate(&node, flavour);
        let syntax = automata_syntax::Config::new().utf8(false).unicode(flavour.utf8);
        let search = meta::Regex::builder()
            .configure(meta::Config::new().utf8_empty(false))
            .syntax(syntax)
            .build(&text)
            .map_err(|_| Error::TooBig)?;
        if syntax::is_plain(&node, flavour) {
            return Ok(Self { flavour, groups, empty, engine: Engine::Plain(search) });
        }
        let config = dfa::Config::new().match_kind(MatchKind::All).skip_cache_capacity_check(true);
        let longest = dfa::DFA::builder()
            .configure(config)
            .syntax(syntax)
            .thompson(regex_automata::nfa::thompson::Config::new().utf8(false))
            .build(&text)
            .map_err(|_| Error::TooBig)?;
        let cache = RefCell::new(longest.create_cache());
        let program = program::compile(&node)?;
        Ok(Self { flavour, groups, empty, engine: Engine::Longest(search, Box::new((longest, cache)), program) })
    }

    /// Whether the pattern has no part at all: nothing is all that it matches.
    pub(super) fn is_empty(&self) -> bool {
        self.empty
    }

    /// Number of groups, the whole match not counted.
    pub(super) fn groups(&self) -> usize {
        self.groups
    }

    pub(super) fn is_match(&self, text: &[u8]) -> Result<bool, Fatal> {
        match &self.engine {
            Engine::Plain(search) | Engine::Longest(search, ..) => Ok(search.is_match(text)),
            Engine::Backtrack(_) => Ok(self.captures(text, 0)?.is_some()),
        }
    }

    /// The leftmost match that starts at `from` or later, as long as it can be.
    pub(super) fn find(&self, text: &[u8], from: usize) -> Result<Option<Span>, Fatal> {
        match &self.engine {
            Engine::Plain(search) => {
                Ok(search.find(Input::new(text).range(from..)).map(|found| (found.start(), found.end())))
            }
            Engine::Longest(search, longest, _) => {
                let Some(found) = search.find(Input::new(text).range(from..)) else { return Ok(None) };
                let (automaton, cache) = &**longest;
                let input = Input::new(text).range(found.start()..).anchored(Anchored::Yes);
                let end = automaton.try_search_fwd(&mut cache.borrow_mut(), &input);
                let end = end.ok().flatten().map_or(found.end(), |half| half.offset());
                Ok(Some((found.start(), end)))
            }
            Engine::Backtrack(_) => Ok(self.captures(text, from)?.and_then(|groups| groups[0])),
        }
    }

    /// The same match with its groups.
    pub(super) fn captures(&self, text: &[u8], from: usize) -> Result<Option<Groups>, Fatal> {
        match &self.engine {
            Engine::Plain(search) => {
                let mut found = search.create_captures();
                search.captures(Input::new(text).range(from..), &mut found);
                if !found.is_match() {
                    return Ok(None);
                }
                let span = |index| found.get_group(index).map(|span: regex_automata::Span| (span.start, span.end));
                Ok(Some((0..=self.groups).map(span).collect()))
            }
            Engine::Longest(_, _, program) => match self.find(text, from)? {
                None => Ok(None),
                Some(whole) if self.groups == 0 => Ok(Some(vec![Some(whole)])),
                Some(whole) => backtrack::groups(program, self.flavour, self.groups, text, whole).map(Some),
            },
            Engine::Backtrack(program) => backtrack::find(program, self.flavour, self.groups, text, from),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(flavour: Flavour, pattern: &str, text: &str, expect: &str) {
        let got = match Regex::new(pattern.as_bytes(), flavour) {
            Err(error) => format!("error: {error}"),
            Ok(regex) => match regex.captures(text.as_bytes(), 0).expect("within limits") {
                None => "no".to_owned(),
                Some(groups) => {
                    let show = |span: &Option<Span>| match span {
                        Some((start, end)) => text[*start..*end].to_owned(),
                        None => "-".to_owned(),
                    };
                    groups.iter().map(show).collect::<Vec<_>>().join(",")
                }
            },
        };
        assert_eq!(got, expect, "{pattern} on {text}");
    }

    #[test]
    fn basic() {
        let check = |pattern, text, expect| check(Flavour::basic(true), pattern, text, expect);
        check("a*", "baa", "");
        check("*b", "a*b", "*b");
        check(r"\(*a\)", "*a", "*a,*a");
        check("^*a", "*a", "*a");
        check("a^b$c", "a^b$c", "a^b$c");
        check(r"\(^a\|b$\)c*", "ac", "ac,a");
        check(r"a\{2,3\}", "aaaa", "aaa");
        check(r"a\+b\?", "xaab", "aab");
        check("a+b", "a+b", "a+b");
        check("[]a]*", "]a]b", "]a]");
        check(r"[\n]*", r"\n", r"\n");
        check("[^]a]", "]ab", "b");
        check("[[:digit:]x-]*", "1-x2a", "1-x2");
        check(r"\(a*\)b\1", "aabaac", "aabaa,aa");
        check(r"\(.\).*\1", "abcbd", "bcb,b");
        check(r"\<b", "ab b", "b");
        check(r"a\{1", "a", "error: Unmatched \\{");
        check(r"\(a", "a", "error: Unmatched ( or \\(");
        check(r"[a", "a", "error: Unmatched [, [^, [:, [., or [=");
        check(r"a\", "a", "error: Trailing backslash");
        check(r"\2", "a", "error: Invalid back reference");
        check(".", "ä", "ä");
        check("[ä-ö]*", "äöz", "äö");
    }

    #[test]
    fn longest() {
        let check =
            |pattern, text, expect| check(Flavour { extended: true, ..Flavour::basic(true) }, pattern, text, expect);
        check("a|ab", "abc", "ab");
        check("(a|ab)(c|bcd)(d*)", "abcd", "abcd,a,bcd,");
        check("a?(ab)?", "ab", "ab,ab");
        check("(a*)(ab)*(b*)", "abb", "abb,a,-,bb");
        check("(a|ab)(b*)", "abb", "abb,a,bb");
        check("(ab|a)(bc|c)?", "abc", "abc,ab,c");
        check("x*", "aaa", "");
        check("(foo|foobar)$", "foobar", "foobar,foobar");
        check("()", "a", ",");
        check("a||b", "b", "b");
        check("*a", "a", "a");
        check("a{,2}", "aaa", "aa");
        check("a)", "a", "error: Unmatched ) or \\)");
        check("(^|[^a])b", "ab b", " b, ");
        check("((a)|b)*", "ab", "ab,b,a");
        check("(a*)*", "aab", "aa,aa");
        check("(a)(b)?\\1", "aa", "aa,a,-");
    }

    #[test]
    fn surrounded() {
        let word = Flavour { surrounded: Surrounded::NonWord, ..Flavour::basic(true) };
        check(word, "a*", "ba aa", "aa");
        check(word, "foo", "foobar foo-bar", "foo");
        let line = Flavour { surrounded: Surrounded::Nothing, ..Flavour { extended: true, ..Flavour::basic(true) } };
        check(line, "a|ab", "ab", "ab");
        let bytes = Flavour::basic(false);
        check(bytes, ".", "x", "x");
        let folded = Flavour { fold_case: true, ..Flavour::basic(true) };
        check(folded, "[a-c]X", "Bx", "Bx");
        check(folded, r"\(a\)\1", "aA", "aA,a");
    }
}
