//! Runs a pattern's program by trying one way after the other: for the groups of a match whose ends are known, and for patterns
//! with back-references, of whose matches the longest wins.

use super::{
    Flavour, Groups, Span,
    program::{Instruction, Program},
    syntax::{decode, holds, one},
};
use crate::shell::Fatal;

/// Instructions run in one search with back-references.
const MAX_STEPS: u64 = 5_000_000;

/// Places times instructions of a match whose groups are wanted.
const MAX_VISITED: usize = 1 << 28;

/// The groups of the match at `whole`: those of the first way to match exactly that.
pub(super) fn groups(
    program: &Program,
    flavour: Flavour,
    count: usize,
    text: &[u8],
    whole: Span,
) -> Result<Groups, Fatal> {
    let size = program.instructions.len().saturating_mul(whole.1 - whole.0 + 1);
    if size > MAX_VISITED {
        return Err(Fatal::Limit { what: "places and parts of a regular expression", limit: MAX_VISITED as u64 });
    }
    let mut search = Search::new(program, flavour, count, text);
    search.target = Some(whole);
    search.visited = vec![0; size.div_ceil(64)];
    search.run(whole.0)?;
    let mut groups = search.best.unwrap_or_else(|| vec![None; count + 1]);
    groups[0] = Some(whole);
    Ok(groups)
}

/// The leftmost match from `from` on, and of those the longest.
pub(super) fn find(
    program: &Program,
    flavour: Flavour,
    count: usize,
    text: &[u8],
    from: usize,
) -> Result<Option<Groups>, Fatal> {
    let mut search = Search::new(program, flavour, count, text);
    let mut start = from;
    loop {
        search.run(start)?;
        if search.best.is_some() {
            return Ok(search.best);
        }
        match decode(text, start, flavour.utf8) {
            Some((_, len)) => start += len,
            None => return Ok(None),
        }
    }
}

/// What is left to try, and what to undo on the way back to it.
enum Frame {
    Try(usize, usize),
    Restore(usize, Option<usize>),
}

struct Search<'s> {
    program: &'s Program,
    flavour: Flavour,
    text: &'s [u8],
    count: usize,
    /// Starts and ends of groups, then marks of loops.
    slots: Vec<Option<usize>>,
    /// The match has to be this one.
    target: Option<Span>,
    /// With a target, what was tried in vain: without back-references it is the same for every way there.
    visited: Vec<u64>,
    best: Option<Groups>,
    best_end: usize,
    steps: u64,
}

impl<'s> Search<'s> {
    fn new(program: &'s Program, flavour: Flavour, count: usize, text: &'s [u8]) -> Self {
        let slots = vec![None; 2 * (count + 1) + program.marks];
        Self {
            program,
            flavour,
            text,
            count,
            slots,
            target: None,
            visited: Vec::new(),
            best: None,
            best_end: 0,
            steps: 0,
        }
    }

    fn run(&mut self, start: usize) -> Result<(), Fatal> {
        self.slots.fill(None);
        self.slots[0] = Some(start);
        let mut stack = vec![Frame::Try(0, start)];
        while let Some(frame) = stack.pop() {
            match frame {
                Frame::Restore(slot, value) => self.slots[slot] = value,
                Frame::Try(at, place) => {
                    if self.follow(at, place, &mut stack)? {
                        return Ok(());
                    }
                }
            }
        }
        Ok(())
    }

    /// Follows one way until it ends; true when no other need be tried.
    fn follow(&mut self, mut at: usize, mut place: usize, stack: &mut Vec<Frame>) -> Result<bool, Fatal> {
        loop {
            if self.seen(at, place)? {
                return Ok(false);
            }
            match &self.program.instructions[at] {
                Instruction::Match => return Ok(self.matched(place)),
                Instruction::Jump(to) => {
                    at = *to;
                    continue;
                }
                Instruction::Split(first, second) => {
                    stack.push(Frame::Try(*second, place));
                    at = *first;
                    continue;
                }
                Instruction::Save(slot) => self.set(*slot, place, stack),
                Instruction::Mark(register) => self.set(2 * (self.count + 1) + register, place, stack),
                Instruction::Progress(register) => {
                    if self.slots[2 * (self.count + 1) + register] == Some(place) {
                        return Ok(false);
                    }
                }
                Instruction::Assert(node) => {
                    if !holds(node, self.flavour, self.text, place) {
                        return Ok(false);
                    }
                }
                Instruction::One(node) => match one(node, self.flavour, self.text, place) {
                    Some(len) if self.target.is_none_or(|(_, end)| place + len <= end) => place += len,
                    _ => return Ok(false),
                },
                Instruction::BackReference(number) => match self.same(*number, place) {
                    Some(len) => place += len,
                    None => return Ok(false),
                },
            }
            at += 1;
        }
    }

    fn set(&mut self, slot: usize, place: usize, stack: &mut Vec<Frame>) {
        let old = self.slots[slot].replace(place);
        stack.push(Frame::Restore(slot, old));
    }

    /// Whether this was tried before, or else a step is counted.
    fn seen(&mut self, at: usize, place: usize) -> Result<bool, Fatal> {
        let Some((start, end)) = self.target else {
            self.steps += 1;
            if self.steps > MAX_STEPS {
                return Err(Fatal::Limit { what: "steps of a regular expression", limit: MAX_STEPS });
            }
            return Ok(false);
        };
        let index = at * (end - start + 1) + place - start;
        let bit = 1 << (index % 64);
        let seen = self.visited[index / 64] & bit != 0;
        self.visited[index / 64] |= bit;
        Ok(seen)
    }

    fn matched(&mut self, place: usize) -> bool {
        let wanted = self.target.is_none_or(|(_, end)| place == end);
        if !wanted || (self.best.is_some() && place <= self.best_end) {
            return false;
        }
        let mut groups: Groups =
            (0..=self.count).map(|group| Some((self.slots[2 * group]?, self.slots[2 * group + 1]?))).collect();
        groups[0] = self.slots[0].map(|start| (start, place));
        self.best = Some(groups);
        self.best_end = place;
        self.target.is_some() || place == self.text.len()
    }

    /// The length of what a group matched, if it is here again.
    fn same(&self, number: usize, place: usize) -> Option<usize> {
        let (start, end) = (self.slots[2 * number]?, self.slots[2 * number + 1]?);
        let earlier = self.text.get(start..end)?;
        let here = self.text.get(place..place + earlier.len())?;
        let same = if self.flavour.fold_case { here.eq_ignore_ascii_case(earlier) } else { here == earlier };
        same.then_some(earlier.len())
    }
}
