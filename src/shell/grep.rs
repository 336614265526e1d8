//! The search of one file, as `grep` does it, into its output.

use super::{
    Fatal,
    regex::{Regex, Span},
    text::lines,
};

/// What is shown of files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Output {
    Lines,
    Matches,
    Counts,
    FilesWith,
    FilesWithout,
    Nothing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Names {
    Shown,
    Hidden,
}

/// What all files together have come to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Totals {
    pub selected: bool,
    pub failed: bool,
}

/// What is searched for, and what to show of it.
#[derive(Debug)]
pub(super) struct Search {
    pub regexes: Vec<Regex>,
    pub invert: bool,
    pub output: Output,
    pub names: Names,
    /// What follows a file's name in place of `:` or a newline.
    pub name_end: Option<u8>,
    pub line_numbers: bool,
    pub offsets: bool,
    /// Lines selected in one file before the rest is passed over.
    pub most: u64,
    pub before: u64,
    pub after: u64,
    /// Whether context was asked for, be it of no lines.
    pub context: bool,
    /// What ends a line.
    pub end: u8,
    /// Every file counts as text.
    pub text: bool,
    pub skip_binary: bool,
    pub utf8: bool,
}

impl Search {
    /// Searches a file.
    pub(super) fn run(&self, name: &[u8], text: &[u8], out: &mut Vec<u8>) -> Result<Found, Fatal> {
        let binary = !self.text && text.contains(&0) && self.end != 0;
        if binary && self.skip_binary {
            return Ok(Found { selected: false, hidden: false });
        }
        // In a file that is none of text, NULs end lines as well.
        let zapped: Vec<u8>;
        let text = if binary {
            zapped = text.iter().map(|b| if *b == 0 { self.end } else { *b }).collect();
            &zapped
        } else {
            text
        };
        let mut selected = 0;
        let mut shown = Shown { last: None, hidden: false, after_left: 0 };
        let all: Vec<&[u8]> = lines(text, self.end).collect();
        for (index, line) in all.iter().enumerate() {
            if selected >= self.most {
                if shown.after_left == 0 || self.output != Output::Lines || shown.hidden {
                    break;
                }
                shown.after_left -= 1;
                self.line(name, (text, &all), index, b'-', out);
                shown.last = Some(index);
                continue;
            }
            if self.selects(line)? {
                selected += 1;
                if self.output == Output::Nothing {
                    break;
                }
                self.show_selected(name, (text, &all), index, binary, &mut shown, out)?;
            } else if shown.after_left > 0 && self.output == Output::Lines && !shown.hidden {
                shown.after_left -= 1;
                self.line(name, (text, &all), index, b'-', out);
                shown.last = Some(index);
            }
        }
        self.summary(name, selected, out);
        Ok(Found { selected: selected > 0, hidden: shown.hidden && selected > 0 })
    }

    fn summary(&self, name: &[u8], selected: u64, out: &mut Vec<u8>) {
        match self.output {
            Output::Counts => {
                self.name(name, b':', out);
                out.extend_from_slice(format!("{selected}\n").as_bytes());
            }
            Output::FilesWith | Output::FilesWithout => {
                let listed = (selected > 0) == (self.output == Output::FilesWith);
                if listed {
                    out.extend_from_slice(name);
                    out.push(self.name_end.unwrap_or(b'\n'));
                }
            }
            Output::Lines | Output::Matches | Output::Nothing => {}
        }
    }

    fn selects(&self, line: &[u8]) -> Result<bool, Fatal> {
        for regex in &self.regexes {
            if regex.is_match(line)? {
                return Ok(!self.invert);
            }
        }
        Ok(self.invert)
    }

    /// Shows a selected line with what is before it, unless the file turns out to be none of text.
    fn show_selected(
        &self,
        name: &[u8],
        (text, all): (&[u8], &[&[u8]]),
        index: usize,
        binary: bool,
        shown: &mut Shown,
        out: &mut Vec<u8>,
    ) -> Result<(), Fatal> {
        if !matches!(self.output, Output::Lines | Output::Matches) {
            return Ok(());
        }
        let broken = self.utf8 && std::str::from_utf8(all[index]).is_err();
        if binary || (broken && !self.text) {
            shown.hidden = true;
        }
        if shown.hidden {
            return Ok(());
        }
        shown.after_left = self.after;
        if self.output == Output::Matches {
            return if self.invert { Ok(()) } else { self.matches(name, (text, all), index, out) };
        }
        let before = usize::try_from(self.before).unwrap_or(usize::MAX);
        let next = shown.last.map_or(0, |last| last + 1);
        let start = index.saturating_sub(before).max(next);
        if self.context && shown.last.is_some() && start > next {
            out.extend_from_slice(b"--\n");
        }
        for earlier in start..index {
            self.line(name, (text, all), earlier, b'-', out);
        }
        self.line(name, (text, all), index, b':', out);
        shown.last = Some(index);
        Ok(())
    }

    fn name(&self, name: &[u8], mark: u8, out: &mut Vec<u8>) {
        if self.names == Names::Shown {
            out.extend_from_slice(name);
            out.push(self.name_end.unwrap_or(mark));
        }
    }

    fn prefix(&self, name: &[u8], number: usize, offset: usize, mark: u8, out: &mut Vec<u8>) {
        self.name(name, mark, out);
        for (wanted, value) in [(self.line_numbers, number), (self.offsets, offset)] {
            if wanted {
                out.extend_from_slice(value.to_string().as_bytes());
                out.push(mark);
            }
        }
    }

    fn line(&self, name: &[u8], (text, all): (&[u8], &[&[u8]]), index: usize, mark: u8, out: &mut Vec<u8>) {
        self.prefix(name, index + 1, offset(text, all[index]), mark, out);
        out.extend_from_slice(all[index]);
        out.push(self.end);
    }

    /// The matching parts of a line, each on a line of its own; empty ones are none.
    fn matches(
        &self,
        name: &[u8],
        (text, all): (&[u8], &[&[u8]]),
        index: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), Fatal> {
        let line = all[index];
        let mut at = 0;
        while at <= line.len() {
            let Some((start, end)) = self.first(line, at)? else { break };
            if start == end {
                at = end + 1;
                continue;
            }
            self.prefix(name, index + 1, offset(text, line) + start, b':', out);
            out.extend_from_slice(&line[start..end]);
            out.push(self.end);
            at = end;
        }
        Ok(())
    }

    /// The leftmost match of any pattern, and of those the longest.
    fn first(&self, line: &[u8], from: usize) -> Result<Option<Span>, Fatal> {
        let mut best: Option<Span> = None;
        for regex in &self.regexes {
            if let Some((start, end)) = regex.find(line, from)?
                && best.is_none_or(|(s, e)| start < s || (start == s && end > e))
            {
                best = Some((start, end));
            }
        }
        Ok(best)
    }
}

/// What came of one file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    pub selected: bool,
    /// Lines were selected but not shown, because the file is none of text.
    pub hidden: bool,
}

/// What of a file was shown so far.
struct Shown {
    /// The last line, to know where context would repeat it.
    last: Option<usize>,
    /// The file is none of text, so that its lines are not shown.
    hidden: bool,
    after_left: u64,
}

/// Where a line, a part of `text`, begins.
fn offset(text: &[u8], line: &[u8]) -> usize {
    line.as_ptr().addr() - text.as_ptr().addr()
}
