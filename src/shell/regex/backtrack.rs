//! Patterns with back-references: all ways to match are tried, the longest wins.

use super::{
    Flavour, Groups,
    syntax::{Node, decode, holds, one},
};
use crate::shell::Fatal;

/// Parts tried in one search.
const MAX_STEPS: u64 = 5_000_000;

/// Nested calls: the length of what one search can match with a repeated group.
const MAX_DEPTH: u32 = 2_000;

/// The leftmost match from `from` on, and of those the longest.
pub(super) fn find(
    node: &Node,
    flavour: Flavour,
    groups: usize,
    text: &[u8],
    from: usize,
) -> Result<Option<Groups>, Fatal> {
    let mut search = Search { flavour, text, groups: vec![None; groups + 1], best: None, steps: 0, depth: 0 };
    let mut start = from;
    loop {
        search.groups.fill(None);
        search.parts(&[Task::Match(node)], start);
        if search.steps > MAX_STEPS || search.depth > MAX_DEPTH {
            return Err(Fatal::Limit { what: "steps of a regular expression", limit: MAX_STEPS });
        }
        if let Some((end, mut groups)) = search.best.take() {
            groups[0] = Some((start, end));
            return Ok(Some(groups));
        }
        match decode(text, start, flavour.utf8) {
            Some((_, len)) => start += len,
            None => return Ok(None),
        }
    }
}

/// What is still to be matched.
#[derive(Clone)]
enum Task<'n> {
    Match(&'n Node),
    /// The group with this number, begun at this place, ends here.
    Close(usize, usize),
    /// Further rounds of a repetition whose last began at this place.
    Repeat(&'n Node, u32, Option<u32>, usize),
}

struct Search<'a> {
    flavour: Flavour,
    text: &'a [u8],
    groups: Groups,
    best: Option<(usize, Groups)>,
    steps: u64,
    depth: u32,
}

impl Search<'_> {
    /// Matches `tasks`, the last first, from `at` on, and keeps the match if it is the longest so far.
    fn parts(&mut self, tasks: &[Task<'_>], at: usize) {
        self.steps += 1;
        if self.steps > MAX_STEPS || self.depth > MAX_DEPTH {
            return;
        }
        let Some((task, rest)) = tasks.split_last() else {
            if self.best.as_ref().is_none_or(|(end, _)| at > *end) {
                self.best = Some((at, self.groups.clone()));
            }
            return;
        };
        self.depth += 1;
        self.task(task, rest, at);
        // A search that went too deep stays so, to be reported.
        if self.depth <= MAX_DEPTH {
            self.depth -= 1;
        }
    }

    fn task(&mut self, task: &Task<'_>, rest: &[Task<'_>], at: usize) {
        match task {
            Task::Close(number, start) => {
                let old = self.groups[*number].replace((*start, at));
                self.parts(rest, at);
                self.groups[*number] = old;
            }
            Task::Repeat(inner, min, max, began) => {
                // A round that matched nothing is the last.
                if (at > *began || *min > 0) && *max != Some(0) {
                    self.round(inner, min.saturating_sub(1), max.map(|max| max - 1), rest, at);
                }
                if *min == 0 || at == *began {
                    self.parts(rest, at);
                }
            }
            Task::Match(node) => self.node(node, rest, at),
        }
    }

    fn round(&mut self, inner: &Node, min: u32, max: Option<u32>, rest: &[Task<'_>], at: usize) {
        let mut tasks = rest.to_vec();
        tasks.push(Task::Repeat(inner, min, max, at));
        tasks.push(Task::Match(inner));
        self.parts(&tasks, at);
    }

    fn node(&mut self, node: &Node, rest: &[Task<'_>], at: usize) {
        match node {
            node if node.is_one_character() => {
                if let Some(len) = one(node, self.flavour, self.text, at) {
                    self.parts(rest, at + len);
                }
            }
            Node::Group(number, inner) => {
                let mut tasks = rest.to_vec();
                tasks.push(Task::Close(*number, at));
                tasks.push(Task::Match(inner));
                self.parts(&tasks, at);
            }
            Node::Concat(parts) => {
                let mut tasks = rest.to_vec();
                tasks.extend(parts.iter().rev().map(Task::Match));
                self.parts(&tasks, at);
            }
            Node::Alternate(parts) => {
                for part in parts {
                    let mut tasks = rest.to_vec();
                    tasks.push(Task::Match(part));
                    self.parts(&tasks, at);
                }
            }
            Node::Repeat(inner, min, max) if inner.is_one_character() => {
                self.run(inner, *min, *max, rest, at);
            }
            Node::Repeat(inner, min, max) => {
                if *max != Some(0) {
                    self.round(inner, min.saturating_sub(1), max.map(|max| max - 1), rest, at);
                }
                if *min == 0 {
                    self.parts(rest, at);
                }
            }
            Node::BackReference(number) => {
                let Some((start, end)) = self.groups[*number] else { return };
                if self.same(start..end, at) {
                    self.parts(rest, at + end - start);
                }
            }
            node => {
                if holds(node, self.flavour, self.text, at) {
                    self.parts(rest, at);
                }
            }
        }
    }

    /// A repeated character, the most first.
    fn run(&mut self, inner: &Node, min: u32, max: Option<u32>, rest: &[Task<'_>], at: usize) {
        let mut ends = vec![at];
        while max.is_none_or(|max| ends.len() <= max as usize) {
            let here = ends[ends.len() - 1];
            match one(inner, self.flavour, self.text, here) {
                Some(len) => ends.push(here + len),
                None => break,
            }
        }
        for end in ends.into_iter().skip(min as usize).rev() {
            self.parts(rest, end);
        }
    }

    fn same(&self, earlier: std::ops::Range<usize>, at: usize) -> bool {
        let Some(here) = self.text.get(at..at + earlier.len()) else { return false };
        let earlier = &self.text[earlier];
        if self.flavour.fold_case { here.eq_ignore_ascii_case(earlier) } else { here == earlier }
    }
}
