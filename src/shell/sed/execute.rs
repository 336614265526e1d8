//! Runs a sed script over its input.

use std::{collections::BTreeMap, rc::Rc};

use super::{Action, Address, Command, End, Input, Pattern, Script, Settings, When};
use crate::shell::{
    Fatal, Process,
    regex::Regex,
    text::{characters, lines},
};

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::shell) struct Ending {
    /// What `q` and `Q` say.
    pub status: u8,
    /// They ended it, so that no further file is read.
    pub quit: bool,
}

/// Where a range is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Range {
    Outside,
    /// Inside, to this line if its end is one.
    Inside(Option<u64>),
}

/// What happens after a command.
enum Step {
    Next,
    Go(usize),
    EndCycle {
        print: bool,
    },
    /// `D`: the script starts again without reading.
    Again,
    Quit {
        status: u8,
        print: bool,
    },
}

struct Run<'r, 'p, 'm> {
    process: &'p mut Process<'m>,
    script: &'r Script,
    settings: &'r Settings,
    input: &'r mut Input,
    /// Where standard output goes: that of the process, or an edited file's new contents.
    out: &'r mut Vec<u8>,
    /// What `w` wrote, by output.
    written: &'r mut BTreeMap<usize, Vec<u8>>,
    space: Vec<u8>,
    hold: Vec<u8>,
    /// Whether the line in the pattern space had an end.
    ended: bool,
    /// The last output lacked its end, which comes before any further.
    unfinished: bool,
    substituted: bool,
    ranges: Vec<Range>,
    last: Pattern,
    appended: Vec<Vec<u8>>,
    /// How much `R` has read, by file.
    read_lines: BTreeMap<Vec<u8>, usize>,
}

/// Runs the script until the input ends or the script does.
pub(in crate::shell) fn run(
    process: &mut Process<'_>,
    script: &Script,
    settings: &Settings,
    input: &mut Input,
    out: &mut Vec<u8>,
    written: &mut BTreeMap<usize, Vec<u8>>,
) -> Result<Ending, Fatal> {
    let zero = |command: &Command| match command.first {
        Some(Address::Zero) => Range::Inside(None),
        _ => Range::Outside,
    };
    let ranges = script.commands.iter().map(zero).collect();
    let mut run = Run {
        process,
        script,
        settings,
        input,
        out,
        written,
        space: Vec::new(),
        hold: Vec::new(),
        ended: true,
        unfinished: false,
        substituted: false,
        ranges,
        last: None,
        appended: Vec::new(),
        read_lines: BTreeMap::new(),
    };
    run.cycles()
}

impl Run<'_, '_, '_> {
    fn cycles(&mut self) -> Result<Ending, Fatal> {
        let quiet = self.settings.quiet || self.script.quiet;
        let mut again = false;
        while again || self.read()? {
            self.process.machine.step()?;
            if !again {
                self.substituted = false;
            }
            again = false;
            let (print, quit) = match self.cycle()? {
                Step::EndCycle { print } => (print, None),
                Step::Quit { status, print } => (print, Some(status)),
                Step::Again => {
                    again = true;
                    (false, None)
                }
                Step::Next | Step::Go(_) => (true, None),
            };
            if print && !quiet {
                self.print_space();
            }
            self.flush_appended()?;
            if let Some(status) = quit {
                return Ok(Ending { status, quit: true });
            }
            self.process.machine.fits(self.space.len())?;
            self.process.machine.fits_budget(self.out.len())?;
        }
        Ok(Ending { status: 0, quit: false })
    }

    /// The next line into the pattern space.
    fn read(&mut self) -> Result<bool, Fatal> {
        self.process.machine.fits(self.input.length())?;
        Ok(match self.input.next() {
            Some(line) => {
                self.space = line.text;
                self.ended = line.ended;
                true
            }
            None => false,
        })
    }

    fn cycle(&mut self) -> Result<Step, Fatal> {
        let mut at = 0;
        while let Some(command) = self.script.commands.get(at) {
            let selected = self.selects(at, command)? != command.negated;
            let step = match (&command.action, selected) {
                (Action::Block(end), false) => Step::Go(*end),
                (_, false) => Step::Next,
                (action, true) => {
                    let step = self.execute(at, action)?;
                    self.process.machine.text(self.space.len() + self.hold.len())?;
                    step
                }
            };
            match step {
                Step::Next => at += 1,
                Step::Go(to) => {
                    if to <= at {
                        self.process.machine.step()?;
                    }
                    at = to;
                }
                end => return Ok(end),
            }
        }
        Ok(Step::EndCycle { print: true })
    }

    fn selects(&mut self, index: usize, command: &Command) -> Result<bool, Fatal> {
        let Some(first) = &command.first else { return Ok(true) };
        let Some(second) = &command.second else { return self.at_address(first) };
        let line = self.input.number;
        if let Range::Inside(to) = self.ranges[index] {
            let (inside, over) = match (to, second) {
                (Some(to), _) => (line <= to, line >= to),
                (None, End::Last) => (true, self.is_last()),
                (None, End::Match(pattern)) => (true, self.matches(pattern)?),
                (None, _) => (true, false),
            };
            if over {
                self.ranges[index] = Range::Outside;
            }
            // A range that should have ended before this line may begin anew.
            if inside {
                return Ok(true);
            }
        }
        if matches!(first, Address::Zero) || !self.at_address(first)? {
            return Ok(false);
        }
        let to = match second {
            End::Line(to) => Some(*to),
            End::More(count) => Some(line.saturating_add(*count)),
            End::Multiple(0) => Some(line),
            End::Multiple(step) => Some((line / step + 1).saturating_mul(*step)),
            End::Last | End::Match(_) => None,
        };
        if to.is_none_or(|to| to > line) && !(matches!(second, End::Last) && self.is_last()) {
            self.ranges[index] = Range::Inside(to);
        }
        Ok(true)
    }

    fn at_address(&mut self, address: &Address) -> Result<bool, Fatal> {
        let line = self.input.number;
        Ok(match address {
            Address::Zero => false,
            Address::Line(number) => line == *number,
            Address::Step { first, step: 0 } => line == *first,
            Address::Step { first, step } => line >= *first && (line - first).is_multiple_of(*step),
            Address::Last => self.is_last(),
            Address::Match(pattern) => self.matches(pattern)?,
        })
    }

    fn is_last(&self) -> bool {
        self.input.is_at_end()
    }

    /// The pattern, or the last one used.
    fn used(&mut self, pattern: &Pattern) -> Result<Rc<Regex>, Fatal> {
        if pattern.is_some() {
            self.last.clone_from(pattern);
        }
        self.last.clone().ok_or_else(|| self.process.not_modelled("an empty pattern before any other"))
    }

    fn matches(&mut self, pattern: &Pattern) -> Result<bool, Fatal> {
        self.used(pattern)?.is_match(&self.space)
    }

    // table: one arm a command
    fn execute(&mut self, index: usize, action: &Action) -> Result<Step, Fatal> {
        match action {
            Action::Block(_) | Action::Nothing => {}
            Action::Append(text) => self.appended.push(text.clone()),
            Action::Insert(text) => self.write_raw(text),
            Action::Change(text) => {
                let command = &self.script.commands[index];
                if command.second.is_none() || command.negated || self.ranges[index] == Range::Outside {
                    self.write_raw(text);
                }
                return Ok(Step::EndCycle { print: false });
            }
            Action::Branch(when, to) => {
                let goes = match when {
                    When::Always => true,
                    When::Substituted => std::mem::take(&mut self.substituted),
                    When::NotSubstituted => !std::mem::take(&mut self.substituted),
                };
                if goes {
                    return Ok(Step::Go(*to));
                }
            }
            Action::Delete => return Ok(Step::EndCycle { print: false }),
            Action::DeleteFirst => match self.first_line_end() {
                None => return Ok(Step::EndCycle { print: false }),
                Some(end) => {
                    self.space.drain(..=end);
                    self.process.machine.step()?;
                    return Ok(Step::Again);
                }
            },
            Action::Number => self.write_raw(format!("{}\n", self.input.number).as_bytes()),
            Action::FileName => {
                let name = self.input.name.clone();
                self.write_line(&name, true);
            }
            Action::Get => self.space.clone_from(&self.hold),
            Action::GetAppend => {
                self.space.push(self.settings.end);
                self.space.extend_from_slice(&self.hold);
            }
            Action::Hold => self.hold.clone_from(&self.space),
            Action::HoldAppend => {
                self.hold.push(self.settings.end);
                self.hold.extend_from_slice(&self.space);
            }
            Action::Exchange => std::mem::swap(&mut self.space, &mut self.hold),
            Action::List(wrap) => {
                let text = listed(&self.space, wrap.unwrap_or(self.settings.wrap), self.settings.utf8);
                self.write_raw(&text);
            }
            Action::Next => return self.next_line(),
            Action::NextAppend => return self.append_next(),
            Action::Print => self.print_space(),
            Action::PrintFirst => {
                let end = self.first_line_end().unwrap_or(self.space.len());
                let line = self.space[..end].to_vec();
                self.write_line(&line, true);
            }
            Action::Quit { status, print } => {
                if !print {
                    self.appended.clear();
                }
                return Ok(Step::Quit { status: *status, print: *print });
            }
            Action::Read(name) => {
                if let Ok(text) = self.process.read_file(name) {
                    self.appended.push(text.to_vec());
                }
            }
            Action::ReadLine(name) => self.read_line_of(name),
            Action::Substitute(substitution) => {
                let regex = self.used(&substitution.pattern)?;
                if let Some(text) = substitution.apply(&regex, &self.space, self.settings.utf8)? {
                    self.space = text;
                    self.substituted = true;
                    if substitution.print {
                        self.print_space();
                    }
                    if let Some(output) = substitution.write {
                        let line = self.space.clone();
                        self.write_to(output, &line)?;
                    }
                }
            }
            Action::Write(output) => {
                let line = self.space.clone();
                self.write_to(*output, &line)?;
            }
            Action::WriteFirst(output) => {
                let end = self.first_line_end().unwrap_or(self.space.len());
                let line = self.space[..end].to_vec();
                self.write_to(*output, &line)?;
            }
            Action::Translate(pairs) => {
                let change = |character: &[u8]| {
                    let pair = pairs.iter().find(|(from, _)| from == character);
                    pair.map_or_else(|| character.to_vec(), |(_, to)| to.clone())
                };
                self.space = characters(&self.space, self.settings.utf8).into_iter().flat_map(change).collect();
            }
            Action::Zap => self.space.clear(),
        }
        Ok(Step::Next)
    }

    fn first_line_end(&self) -> Option<usize> {
        self.space.iter().position(|b| *b == self.settings.end)
    }

    /// `n`: without a next line it ends the script, with the usual printing.
    fn next_line(&mut self) -> Result<Step, Fatal> {
        if self.input.is_at_end() {
            return Ok(Step::Quit { status: 0, print: true });
        }
        if !self.settings.quiet && !self.script.quiet {
            self.print_space();
        }
        self.flush_appended()?;
        self.read()?;
        Ok(Step::Next)
    }

    fn append_next(&mut self) -> Result<Step, Fatal> {
        if self.input.is_at_end() {
            return Ok(Step::Quit { status: 0, print: true });
        }
        self.flush_appended()?;
        let mut before = std::mem::take(&mut self.space);
        self.read()?;
        before.push(self.settings.end);
        before.append(&mut self.space);
        self.space = before;
        Ok(Step::Next)
    }

    fn read_line_of(&mut self, name: &[u8]) {
        let Ok(text) = self.process.read_file(name) else { return };
        let read = self.read_lines.entry(name.to_vec()).or_default();
        if let Some(line) = lines(&text, self.settings.end).nth(*read) {
            *read += 1;
            self.appended.push([line, &[self.settings.end]].concat());
        }
    }

    fn print_space(&mut self) {
        let line = std::mem::take(&mut self.space);
        self.write_line(&line, self.ended);
        self.space = line;
    }

    fn finish_line(&mut self) {
        if std::mem::take(&mut self.unfinished) {
            self.out.push(self.settings.end);
        }
    }

    fn write_line(&mut self, line: &[u8], ended: bool) {
        self.finish_line();
        self.out.extend_from_slice(line);
        if ended {
            self.out.push(self.settings.end);
        } else {
            self.unfinished = true;
        }
    }

    fn write_raw(&mut self, text: &[u8]) {
        self.finish_line();
        self.out.extend_from_slice(text);
    }

    fn write_to(&mut self, output: usize, line: &[u8]) -> Result<(), Fatal> {
        match self.script.outputs[output].as_slice() {
            b"/dev/stdout" => self.write_line(line, self.ended),
            b"/dev/stderr" => self.process.write(2, &[line, &[self.settings.end]].concat())?,
            _ => {
                let file = self.written.entry(output).or_default();
                file.extend_from_slice(line);
                if self.ended {
                    file.push(self.settings.end);
                }
            }
        }
        Ok(())
    }

    fn flush_appended(&mut self) -> Result<(), Fatal> {
        for text in std::mem::take(&mut self.appended) {
            self.write_raw(&text);
        }
        Ok(())
    }
}

/// The text as `l` shows it: what isn't printable escaped, long lines broken, `$` at the end.
fn listed(text: &[u8], wrap: usize, utf8: bool) -> Vec<u8> {
    let mut out = Vec::new();
    let mut column = 0;
    for character in characters(text, utf8) {
        let shown: Vec<u8> = match character {
            b"\\" => b"\\\\".to_vec(),
            [7] => b"\\a".to_vec(),
            [8] => b"\\b".to_vec(),
            [12] => b"\\f".to_vec(),
            b"\n" => b"\\n".to_vec(),
            b"\r" => b"\\r".to_vec(),
            b"\t" => b"\\t".to_vec(),
            [11] => b"\\v".to_vec(),
            [byte @ b' '..=b'~'] => vec![*byte],
            bytes => bytes.iter().flat_map(|byte| format!("\\{byte:03o}").into_bytes()).collect(),
        };
        if wrap > 1 && column + shown.len() > wrap - 1 {
            out.extend_from_slice(b"\\\n");
            column = 0;
        }
        column += shown.len();
        out.extend_from_slice(&shown);
    }
    out.extend_from_slice(b"$\n");
    out
}
