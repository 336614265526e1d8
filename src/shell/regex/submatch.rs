//! The groups of a match whose ends are known, by POSIX's rule: parts from left to right, each as long as it can be.

use std::collections::BTreeMap;

use super::{
    Flavour, Groups, Span,
    syntax::{Node, holds, one},
};
use crate::shell::Fatal;

/// Questions asked about one match before it counts as out of bounds.
const MAX_STEPS: u64 = 20_000_000;

/// Fills `groups` for a match of `node` on exactly `whole`.
pub(super) fn assign(
    node: &Node,
    flavour: Flavour,
    text: &[u8],
    whole: Span,
    groups: &mut Groups,
) -> Result<(), Fatal> {
    let mut search = Search { flavour, text, known: BTreeMap::new(), steps: 0 };
    search.assign(node, whole.0, whole.1, groups);
    match search.steps > MAX_STEPS {
        true => Err(Fatal::Limit { what: "steps of a regular expression", limit: MAX_STEPS }),
        false => Ok(()),
    }
}

/// What a question is about: a part, the rest of a sequence, or further rounds of a repetition.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Question {
    kind: u8,
    /// Address of the part: parts don't move during a search.
    part: usize,
    min: u32,
    max: u32,
    start: usize,
    end: usize,
}

struct Search<'a> {
    flavour: Flavour,
    text: &'a [u8],
    known: BTreeMap<Question, bool>,
    steps: u64,
}

impl Search<'_> {
    fn ask(&mut self, question: Question, answer: impl FnOnce(&mut Self) -> bool) -> bool {
        if let Some(known) = self.known.get(&question) {
            return *known;
        }
        self.steps += 1;
        let answer = self.steps <= MAX_STEPS && answer(self);
        self.known.insert(question, answer);
        answer
    }

    /// Whether `node` matches exactly `start..end`.
    fn can(&mut self, node: &Node, start: usize, end: usize) -> bool {
        match node {
            node if node.is_one_character() => {
                start < end && one(node, self.flavour, self.text, start) == Some(end - start)
            }
            Node::Group(_, inner) => self.can(inner, start, end),
            Node::Concat(parts) => self.can_sequence(parts, start, end),
            Node::Alternate(parts) => parts.iter().any(|part| self.can(part, start, end)),
            Node::Repeat(inner, min, max) => self.can_repeat(inner, *min, max.unwrap_or(u32::MAX), start, end),
            node => start == end && holds(node, self.flavour, self.text, start),
        }
    }

    fn can_sequence(&mut self, parts: &[Node], start: usize, end: usize) -> bool {
        let Some((first, rest)) = parts.split_first() else { return start == end };
        if rest.is_empty() {
            return self.can(first, start, end);
        }
        let part = std::ptr::from_ref(first).addr();
        let question = Question { kind: 1, part, min: 0, max: 0, start, end };
        self.ask(question, |search| {
            search.ends(first, start, end).into_iter().any(|middle| search.can_sequence(rest, middle, end))
        })
    }

    fn can_repeat(&mut self, inner: &Node, min: u32, max: u32, start: usize, end: usize) -> bool {
        if start == end && min == 0 {
            return true;
        }
        if max == 0 {
            return false;
        }
        let part = std::ptr::from_ref(inner).addr();
        let question = Question { kind: 2, part, min, max, start, end };
        self.ask(question, |search| {
            let (min_left, max_left) = less(min, max);
            let ends = search.ends(inner, start, end);
            ends.into_iter()
                .filter(|middle| *middle > start || min > 0)
                .any(|middle| search.can_repeat(inner, min_left, max_left, middle, end))
        })
    }

    /// Where `node` can end when it starts at `start`, the furthest first.
    fn ends(&mut self, node: &Node, start: usize, limit: usize) -> Vec<usize> {
        match node {
            node if node.is_one_character() => {
                let end = one(node, self.flavour, self.text, start).map(|len| start + len);
                end.filter(|end| *end <= limit).into_iter().collect()
            }
            Node::Repeat(inner, min, max) if inner.is_one_character() => {
                let mut ends = Vec::new();
                let (mut at, mut count) = (start, 0);
                loop {
                    if count >= *min {
                        ends.push(at);
                    }
                    if max.is_some_and(|max| count >= max) {
                        break;
                    }
                    match one(inner, self.flavour, self.text, at) {
                        Some(len) if at + len <= limit => at += len,
                        _ => break,
                    }
                    count += 1;
                }
                ends.reverse();
                self.steps += ends.len() as u64;
                ends
            }
            node => (start..=limit).rev().filter(|end| self.can(node, start, *end)).collect(),
        }
    }

    fn assign(&mut self, node: &Node, start: usize, end: usize, groups: &mut Groups) {
        match node {
            Node::Group(number, inner) => {
                groups[*number] = Some((start, end));
                self.assign(inner, start, end, groups);
            }
            Node::Concat(parts) => {
                let mut at = start;
                for (index, part) in parts.iter().enumerate() {
                    let rest = &parts[index + 1..];
                    let ends = if rest.is_empty() { vec![end] } else { self.ends(part, at, end) };
                    let Some(middle) = ends.into_iter().find(|middle| self.can_sequence(rest, *middle, end)) else {
                        return;
                    };
                    self.assign(part, at, middle, groups);
                    at = middle;
                }
            }
            Node::Alternate(parts) => {
                if let Some(part) = parts.iter().find(|part| self.can(part, start, end)) {
                    self.assign(part, start, end, groups);
                }
            }
            Node::Repeat(inner, min, max) => {
                self.assign_rounds(inner, (*min, max.unwrap_or(u32::MAX)), (start, end), groups);
            }
            _ => {}
        }
    }

    fn assign_rounds(&mut self, inner: &Node, (mut min, mut max): (u32, u32), (start, end): Span, groups: &mut Groups) {
        let mut at = start;
        // A repetition of nothing goes round once if the part itself can be empty.
        let mut round = 0;
        while at < end || min > 0 || (round == 0 && max > 0 && self.can(inner, at, at)) {
            let (min_left, max_left) = less(min, max);
            let ends = self.ends(inner, at, end);
            let middle = ends.into_iter().find(|middle| {
                (*middle > at || min > 0 || at == end) && self.can_repeat(inner, min_left, max_left, *middle, end)
            });
            let Some(middle) = middle else { return };
            self.assign(inner, at, middle, groups);
            (at, min, max) = (middle, min_left, max_left);
            round += 1;
        }
    }
}

/// Bounds of a repetition after one more round.
fn less(min: u32, max: u32) -> (u32, u32) {
    (min.saturating_sub(1), if max == u32::MAX { max } else { max - 1 })
}
