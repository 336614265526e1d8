//! What only bash does with parameters: parts, replacements, letters.

use super::{Expansion, Mode, ONE, QUOTED};
use crate::shell::{
    interpreter::{Shell, Unwind},
    syntax::{Part, Replace},
};

impl Shell<'_> {
    /// `${x/pattern/replacement}` of what was expanded since `start`. The longest match counts.
    pub(super) fn replace(
        &mut self,
        start: usize,
        which: Replace,
        pattern: &[Part],
        replacement: &[Part],
        mode: Mode,
        out: &mut Expansion,
    ) -> Result<(), Unwind> {
        let pattern = self.expand(pattern, ONE)?.pattern();
        let replacement = self.expand(replacement, ONE)?;
        let text: Vec<u8> = out.units[start..].iter().map(|&unit| unit as u8).collect();
        // An unquoted `&` stands for what has matched.
        let put = |matched: &[u8], made: &mut Vec<u8>| {
            for &unit in replacement.units.iter().filter(|&&unit| unit & super::MARK == 0) {
                if unit == u16::from(b'&') { made.extend_from_slice(matched) } else { made.push(unit as u8) }
            }
        };
        let mut effort = self.machine.effort();
        let most = self.machine.limits.text;
        let mut made = Vec::new();
        if which == Replace::Suffix {
            let found = pattern.suffix(&text, true, &mut effort);
            let kept = text.len() - found.unwrap_or(0);
            made.extend_from_slice(&text[..kept]);
            if found.is_some() {
                put(&text[kept..], &mut made);
            }
        } else {
            let mut at = 0;
            let mut done = false;
            while at < text.len() && made.len() as u64 <= most {
                let found = if done { None } else { pattern.prefix(&text[at..], true, &mut effort) };
                match found.filter(|&length| length > 0) {
                    Some(length) => {
                        put(&text[at..at + length], &mut made);
                        at += length;
                        done = which != Replace::All;
                    }
                    None => {
                        made.push(text[at]);
                        at += 1;
                        done |= which == Replace::Prefix;
                    }
                }
            }
        }
        self.machine.compared(&effort)?;
        self.machine.text(made.len())?;
        out.units.truncate(start);
        out.push(&made, mode.quoted);
        Ok(())
    }

    /// `${x:offset:length}` of what was expanded since `start`; from the end when negative.
    pub(super) fn slice(
        &mut self,
        start: usize,
        offset: &[Part],
        length: Option<&[Part]>,
        mode: Mode,
        out: &mut Expansion,
    ) -> Result<(), Unwind> {
        let text: Vec<u8> = out.units[start..].iter().map(|&unit| unit as u8).collect();
        let whole = text.len() as i64;
        let offset = self.bound(offset)?;
        let length = length.map(|length| self.bound(length)).transpose()?;
        let from = if offset < 0 { offset + whole } else { offset };
        let to = match length {
            Some(length) if length < 0 => whole + length,
            Some(length) => from.saturating_add(length),
            None => whole,
        };
        if length.is_some_and(|length| length < 0) && to < from && (0..=whole).contains(&from) {
            return Err(self.error(&format!("{}: substring expression < 0", length.unwrap_or_default())));
        }
        out.units.truncate(start);
        if (0..=whole).contains(&from) {
            let range = from as usize..to.clamp(from, whole) as usize;
            out.push(&text[range], mode.quoted);
        }
        Ok(())
    }

    fn bound(&mut self, parts: &[Part]) -> Result<i64, Unwind> {
        let text = self.expand(parts, ONE)?.text();
        if text.trim_ascii().is_empty() { Ok(0) } else { self.calculate(&text) }
    }

    /// `${x^^}` and its like. Which other letters there are, depends on the locale.
    pub(super) fn letters(&mut self, start: usize, upper: bool, all: bool, out: &mut Expansion) -> Result<(), Unwind> {
        let end = if all { out.units.len() } else { out.units.len().min(start + 1) };
        for unit in &mut out.units[start..end] {
            let byte = *unit as u8;
            if !byte.is_ascii() {
                return Err(self.not_modelled("the case of a letter that is not ASCII"));
            }
            let changed = if upper { byte.to_ascii_uppercase() } else { byte.to_ascii_lowercase() };
            *unit = *unit & QUOTED | u16::from(changed);
        }
        Ok(())
    }
}
