//! The `s` command: its replacement, and how it changes a text.

use super::Pattern;
use crate::shell::{
    Fatal,
    regex::{Groups, Regex},
    text::characters,
};

#[derive(Debug)]
pub(super) struct Substitution {
    pub(super) pattern: Pattern,
    pub(super) replacement: Vec<Part>,
    pub(super) global: bool,
    /// The match to begin with, from 1.
    pub(super) from: u64,
    pub(super) print: bool,
    /// One of the script's outputs.
    pub(super) write: Option<usize>,
}

/// A part of a replacement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Text(Vec<u8>),
    Group(usize),
    /// `\u` or `\l`: the next character.
    Once(Case),
    /// `\U`, `\L`; `\E` is none.
    All(Option<Case>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Case {
    Upper,
    Lower,
}

/// The largest group that a replacement names.
pub(super) fn highest_group(parts: &[Part]) -> usize {
    parts.iter().map(|part| if let Part::Group(number) = part { *number } else { 0 }).max().unwrap_or(0)
}

impl Substitution {
    /// The text after the substitution; `None` when nothing matched, or not often enough.
    pub(super) fn apply(&self, regex: &Regex, text: &[u8], utf8: bool) -> Result<Option<Vec<u8>>, Fatal> {
        let mut out = Vec::new();
        let (mut at, mut count, mut replaced) = (0, 0, false);
        // Where the match before ended: an empty one there is none.
        let mut last = None;
        while at <= text.len() {
            let Some(groups) = regex.captures(text, at)? else { break };
            let Some((start, end)) = groups[0] else { break };
            out.extend_from_slice(&text[at..start]);
            let fresh = start < end || last != Some(start);
            if fresh {
                count += 1;
            }
            if fresh && count >= self.from {
                self.replace(&groups, text, utf8, &mut out);
                replaced = true;
            } else {
                out.extend_from_slice(&text[start..end]);
            }
            at = end;
            last = Some(end);
            if start == end {
                let Some(character) = characters(&text[at..text.len().min(at + 4)], utf8).first().copied() else {
                    at += 1;
                    break;
                };
                out.extend_from_slice(character);
                at += character.len();
            }
            if replaced && !self.global {
                break;
            }
        }
        out.extend_from_slice(text.get(at..).unwrap_or_default());
        Ok(replaced.then_some(out))
    }

    fn replace(&self, groups: &Groups, text: &[u8], utf8: bool, out: &mut Vec<u8>) {
        let (mut once, mut all) = (None, None);
        for part in &self.replacement {
            let piece = match part {
                Part::Once(case) => {
                    once = Some(*case);
                    continue;
                }
                Part::All(case) => {
                    all = *case;
                    once = None;
                    continue;
                }
                Part::Text(piece) => piece.as_slice(),
                Part::Group(number) => {
                    groups.get(*number).copied().flatten().map_or(&[] as &[u8], |(start, end)| &text[start..end])
                }
            };
            if once.is_none() && all.is_none() {
                out.extend_from_slice(piece);
                continue;
            }
            for character in characters(piece, utf8) {
                match once.take().or(all) {
                    Some(case) => push(character, case, out),
                    None => out.extend_from_slice(character),
                }
            }
        }
    }
}

/// A character in the other case, if it has one that is a single character.
fn push(character: &[u8], case: Case, out: &mut Vec<u8>) {
    let decoded = std::str::from_utf8(character).ok().and_then(|text| text.chars().next());
    let Some(decoded) = decoded else {
        out.extend_from_slice(character);
        return;
    };
    let mut changed: Vec<char> = match case {
        Case::Upper => decoded.to_uppercase().collect(),
        Case::Lower => decoded.to_lowercase().collect(),
    };
    if changed.len() != 1 {
        changed = vec![decoded];
    }
    out.extend(changed[0].encode_utf8(&mut [0; 4]).bytes());
}
