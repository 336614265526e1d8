//! The text of a sed script into commands, as GNU sed reads it.

use std::{collections::BTreeMap, rc::Rc};

use super::{
    Action, Address, Command, End, Pattern, Script, Settings, When,
    substitute::{Case, Part, Substitution, highest_group},
};
use crate::shell::{
    regex::{Flavour, Regex},
    size::number,
    text::characters,
};

/// Reads a script; the error is a complaint.
pub(in crate::shell) fn parse(text: &[u8], settings: &Settings) -> Result<Script, String> {
    let mut parser = Parser {
        text,
        at: 0,
        settings,
        commands: Vec::new(),
        outputs: Vec::new(),
        blocks: Vec::new(),
        labels: BTreeMap::new(),
        jumps: Vec::new(),
    };
    let quiet = text.starts_with(b"#n\n") || text == b"#n";
    let parsed = parser.script();
    parsed.map_err(|what| format!("-e expression #1, char {}: {what}", parser.at))?;
    Ok(Script { commands: parser.commands, outputs: parser.outputs, quiet })
}

struct Parser<'t> {
    text: &'t [u8],
    at: usize,
    settings: &'t Settings,
    commands: Vec<Command>,
    outputs: Vec<Vec<u8>>,
    /// Open `{` commands.
    blocks: Vec<usize>,
    labels: BTreeMap<Vec<u8>, usize>,
    /// Branch commands whose labels are looked up at the end.
    jumps: Vec<(usize, Vec<u8>)>,
}

type Parsed<T> = Result<T, String>;

fn fail<T>(message: &str) -> Parsed<T> {
    Err(message.to_owned())
}

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    fn skip(&mut self, skipped: impl Fn(u8) -> bool) {
        while self.peek().is_some_and(&skipped) {
            self.at += 1;
        }
    }

    fn skip_blanks(&mut self) {
        self.skip(|b| b.is_ascii_whitespace() && b != b'\n');
    }

    fn script(&mut self) -> Parsed<()> {
        loop {
            self.skip(|b| b.is_ascii_whitespace() || b == b';');
            if self.peek().is_none() {
                break;
            }
            self.command()?;
        }
        if !self.blocks.is_empty() {
            self.at = 0;
            return fail("unmatched `{'");
        }
        for (index, label) in std::mem::take(&mut self.jumps) {
            let target = match label.as_slice() {
                b"" => self.commands.len(),
                name => match self.labels.get(name) {
                    Some(target) => *target,
                    None => return Err(format!("can't find label for jump to `{}'", name.escape_ascii())),
                },
            };
            if let Action::Branch(_, to) = &mut self.commands[index].action {
                *to = target;
            }
        }
        Ok(())
    }

    fn command(&mut self) -> Parsed<()> {
        let first = self.address()?;
        let mut second = None;
        self.skip_blanks();
        if first.is_some() && self.peek() == Some(b',') {
            self.at += 1;
            self.skip_blanks();
            second = Some(self.range_end()?);
        }
        match (&first, &second) {
            (Some(Address::Zero), Some(End::Match(_))) => {}
            (Some(Address::Zero), _) => return fail("invalid usage of line address 0"),
            _ => {}
        }
        self.skip_blanks();
        let mut negated = false;
        while self.peek() == Some(b'!') {
            negated = true;
            self.at += 1;
            self.skip_blanks();
        }
        let addressed = first.is_some();
        let Some(letter) = self.next() else { return fail("missing command") };
        match letter {
            b'#' if addressed => return fail("comments don't accept any addresses"),
            b'#' => {
                self.skip(|b| b != b'\n');
                return Ok(());
            }
            b':' if addressed => return fail(": doesn't want any addresses"),
            b':' => {
                self.skip_blanks();
                let label = self.label();
                if label.is_empty() {
                    return fail("\":\" lacks a label");
                }
                self.labels.insert(label, self.commands.len());
                return Ok(());
            }
            b'}' => {
                let Some(open) = self.blocks.pop() else { return fail("unexpected `}'") };
                if addressed {
                    return fail("} doesn't want any addresses");
                }
                self.commands[open].action = Action::Block(self.commands.len());
                return self.end_of_command();
            }
            b'q' | b'Q' if second.is_some() => return fail("command only uses one address"),
            _ => {}
        }
        let action = self.action(letter)?;
        self.commands.push(Command { first, second, negated, action });
        Ok(())
    }

    // table: one arm a command
    fn action(&mut self, letter: u8) -> Parsed<Action> {
        let action = match letter {
            b'{' => {
                self.blocks.push(self.commands.len());
                return Ok(Action::Block(0));
            }
            b'a' => return Ok(Action::Append(self.text_block()?)),
            b'i' => return Ok(Action::Insert(self.text_block()?)),
            b'c' => return Ok(Action::Change(self.text_block()?)),
            b'b' | b't' | b'T' => {
                self.skip_blanks();
                let label = self.label();
                self.jumps.push((self.commands.len(), label));
                let when = match letter {
                    b'b' => When::Always,
                    b't' => When::Substituted,
                    _ => When::NotSubstituted,
                };
                Action::Branch(when, 0)
            }
            b'r' => return Ok(Action::Read(self.file_name()?)),
            b'R' => return Ok(Action::ReadLine(self.file_name()?)),
            b'w' => return Ok(Action::Write(self.output()?)),
            b'W' => return Ok(Action::WriteFirst(self.output()?)),
            b's' => Action::Substitute(Box::new(self.substitution()?)),
            b'y' => Action::Translate(self.translation()?),
            b'q' | b'Q' => {
                let status = self.number().unwrap_or(0);
                Action::Quit { status: u8::try_from(status & 0xff).unwrap_or(0), print: letter == b'q' }
            }
            b'l' => Action::List(self.number().and_then(|n| usize::try_from(n).ok())),
            b'd' => Action::Delete,
            b'D' => Action::DeleteFirst,
            b'=' => Action::Number,
            b'F' => Action::FileName,
            b'g' => Action::Get,
            b'G' => Action::GetAppend,
            b'h' => Action::Hold,
            b'H' => Action::HoldAppend,
            b'x' => Action::Exchange,
            b'n' => Action::Next,
            b'N' => Action::NextAppend,
            b'p' => Action::Print,
            b'P' => Action::PrintFirst,
            b'z' => Action::Zap,
            b'v' => {
                self.skip(|b| b != b'\n' && b != b';');
                Action::Nothing
            }
            b'e' => return fail("the command `e' is not modelled"),
            other => return Err(format!("unknown command: `{}'", other.escape_ascii())),
        };
        self.end_of_command()?;
        Ok(action)
    }

    fn end_of_command(&mut self) -> Parsed<()> {
        self.skip_blanks();
        match self.peek() {
            None | Some(b'}' | b'#') => Ok(()),
            Some(b'\n' | b';') => {
                self.at += 1;
                Ok(())
            }
            Some(_) => fail("extra characters after command"),
        }
    }

    fn number(&mut self) -> Option<u64> {
        self.skip_blanks();
        let start = self.at;
        self.skip(|b| b.is_ascii_digit());
        number(&self.text[start..self.at])
    }

    fn label(&mut self) -> Vec<u8> {
        let start = self.at;
        self.skip(|b| !b.is_ascii_whitespace() && b != b';');
        self.text[start..self.at].to_vec()
    }

    fn file_name(&mut self) -> Parsed<Vec<u8>> {
        self.skip_blanks();
        let start = self.at;
        self.skip(|b| b != b'\n');
        match &self.text[start..self.at] {
            b"" => fail("missing filename in r/R/w/W commands"),
            name => Ok(name.to_vec()),
        }
    }

    /// The index of an output file, which need not be a new one.
    fn output(&mut self) -> Parsed<usize> {
        let name = self.file_name()?;
        if let Some(index) = self.outputs.iter().position(|output| *output == name) {
            return Ok(index);
        }
        self.outputs.push(name);
        Ok(self.outputs.len() - 1)
    }

    fn address(&mut self) -> Parsed<Option<Address>> {
        Ok(Some(match self.peek() {
            Some(b'0'..=b'9') => {
                let first = self.number().unwrap_or(u64::MAX);
                self.skip_blanks();
                if self.peek() == Some(b'~') {
                    self.at += 1;
                    Address::Step { first, step: self.number().unwrap_or(0) }
                } else if first == 0 {
                    Address::Zero
                } else {
                    Address::Line(first)
                }
            }
            Some(b'$') => {
                self.at += 1;
                Address::Last
            }
            Some(b'/' | b'\\') => Address::Match(self.match_address()?),
            _ => return Ok(None),
        }))
    }

    fn range_end(&mut self) -> Parsed<End> {
        Ok(match self.peek() {
            Some(b'0'..=b'9') => End::Line(self.number().unwrap_or(u64::MAX)),
            Some(b'$') => {
                self.at += 1;
                End::Last
            }
            Some(mark @ (b'+' | b'~')) => {
                self.at += 1;
                let Some(count) = self.number() else { return fail("expected number") };
                if mark == b'+' { End::More(count) } else { End::Multiple(count) }
            }
            Some(b'/' | b'\\') => End::Match(self.match_address()?),
            _ => return fail("unexpected `,'"),
        })
    }

    /// `/RE/` or `\cREc`, with flags.
    fn match_address(&mut self) -> Parsed<Pattern> {
        let mut delimiter = self.next();
        if delimiter == Some(b'\\') {
            delimiter = self.next();
        }
        let Some(delimiter) = delimiter else { return fail("unterminated address regex") };
        let Some(text) = self.until(delimiter, true) else { return fail("unterminated address regex") };
        let (mut fold_case, mut lines) = (false, false);
        loop {
            match self.peek() {
                Some(b'I') => fold_case = true,
                Some(b'M') => lines = true,
                _ => break,
            }
            self.at += 1;
        }
        self.pattern(&text, fold_case, lines)
    }

    fn pattern(&self, text: &[u8], fold_case: bool, lines: bool) -> Parsed<Pattern> {
        if text.is_empty() {
            return Ok(None);
        }
        let text = regex_escapes(text);
        let flavour =
            Flavour { extended: self.settings.extended, fold_case, lines, ..Flavour::basic(self.settings.utf8) };
        Ok(Some(Rc::new(Regex::new(&text, flavour).map_err(|error| error.to_string())?)))
    }

    /// The text up to an unprotected delimiter, whose protected ones lose their backslash. In patterns brackets protect, too,
    /// and `\n` is a newline.
    fn until(&mut self, delimiter: u8, pattern: bool) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        // Bytes of a bracket expression seen so far, if inside one.
        let mut bracket: Option<usize> = None;
        loop {
            let byte = self.next()?;
            match byte {
                b'\\' if bracket.is_none() => {
                    let escaped = self.next()?;
                    match escaped {
                        b'n' if pattern => out.push(b'\n'),
                        b'\n' if pattern => out.push(b'\n'),
                        escaped if escaped == delimiter && (pattern || escaped != b'&') => out.push(escaped),
                        escaped => out.extend_from_slice(&[b'\\', escaped]),
                    }
                    continue;
                }
                // Inside brackets a backslash is itself, but for a newline or before the delimiter.
                b'\\' if self.peek() == Some(b'n') || self.peek() == Some(delimiter) => {
                    let escaped = self.next()?;
                    out.push(if escaped == b'n' { b'\n' } else { escaped });
                    bracket = bracket.map(|count| count + 1);
                    continue;
                }
                b'\n' if pattern => {
                    self.at -= 1;
                    return None;
                }
                byte if byte == delimiter && bracket.is_none() => return Some(out),
                _ => {}
            }
            out.push(byte);
            if pattern {
                bracket = self.in_bracket(bracket, byte, &mut out)?;
            }
        }
    }

    /// Follows bracket expressions; a class such as `[:alpha:]` inside one is taken whole.
    fn in_bracket(&mut self, bracket: Option<usize>, byte: u8, out: &mut Vec<u8>) -> Option<Option<usize>> {
        let Some(count) = bracket else {
            return Some((byte == b'[').then_some(0));
        };
        match byte {
            b'^' if count == 0 => Some(Some(0)),
            b']' if count > 0 => Some(None),
            b'[' if matches!(self.peek(), Some(b':' | b'.' | b'=')) => {
                let kind = self.next()?;
                out.push(kind);
                while !(out.ends_with(&[kind, b']'])) {
                    out.push(self.next()?);
                }
                Some(Some(count + 1))
            }
            _ => Some(Some(count + 1)),
        }
    }

    fn substitution(&mut self) -> Parsed<Substitution> {
        const OPEN: &str = "unterminated `s' command";
        let Some(delimiter) = self.next().filter(|b| *b != b'\n' && *b != b'\\') else { return fail(OPEN) };
        let Some(pattern) = self.until(delimiter, true) else { return fail(OPEN) };
        let Some(replacement) = self.until(delimiter, false) else { return fail(OPEN) };
        let replacement = replacement_parts(&replacement);
        let mut made = Substitution { pattern: None, replacement, global: false, from: 1, print: false, write: None };
        let (mut fold_case, mut lines, mut counts) = (false, false, false);
        loop {
            match self.peek() {
                Some(b'g') if made.global => return fail("multiple `g' options to `s' command"),
                Some(b'p') if made.print => return fail("multiple `p' options to `s' command"),
                Some(b'0'..=b'9') if counts => return fail("multiple number options to `s' command"),
                Some(b'g') => made.global = true,
                Some(b'p') => made.print = true,
                Some(b'i' | b'I') => fold_case = true,
                Some(b'm' | b'M') => lines = true,
                Some(b'e') => return fail("the flag `e' is not modelled"),
                Some(b'0'..=b'9') => {
                    made.from = self.number().unwrap_or(u64::MAX);
                    counts = true;
                    if made.from == 0 {
                        return fail("number option to `s' command may not be zero");
                    }
                    continue;
                }
                Some(b'w') => {
                    self.at += 1;
                    made.write = Some(self.output()?);
                    break;
                }
                None | Some(b'\n' | b';' | b'}' | b'#') => break,
                Some(b) if b.is_ascii_whitespace() => break,
                Some(_) => {
                    self.at += 1;
                    return fail("unknown option to `s'");
                }
            }
            self.at += 1;
        }
        made.pattern = self.pattern(&pattern, fold_case, lines)?;
        let highest = highest_group(&made.replacement);
        if let Some(pattern) = &made.pattern
            && highest > pattern.groups()
        {
            return Err(format!("invalid reference \\{highest} on `s' command's RHS"));
        }
        Ok(made)
    }

    fn translation(&mut self) -> Parsed<Vec<(Vec<u8>, Vec<u8>)>> {
        const OPEN: &str = "unterminated `y' command";
        let Some(delimiter) = self.next() else { return fail(OPEN) };
        let Some(from) = self.until(delimiter, false) else { return fail(OPEN) };
        let Some(to) = self.until(delimiter, false) else { return fail(OPEN) };
        let list = |text: &[u8]| -> Vec<Vec<u8>> {
            let plain = plain_escapes(text);
            characters(&plain, self.settings.utf8).into_iter().map(<[u8]>::to_vec).collect()
        };
        let (from, to) = (list(&from), list(&to));
        if from.len() != to.len() {
            return fail("strings for `y' command are different lengths");
        }
        Ok(from.into_iter().zip(to).collect())
    }

    /// The text of `a`, `i` and `c`: on the same line, or on the next after a backslash.
    fn text_block(&mut self) -> Parsed<Vec<u8>> {
        self.skip_blanks();
        match self.peek() {
            None => return fail("expected \\ after `a', `c' or `i'"),
            Some(b'\\') => {
                self.at += 1;
                let start = self.at;
                self.skip_blanks();
                if self.peek() == Some(b'\n') {
                    self.at += 1;
                } else if self.peek().is_some() {
                    // `a\  text` keeps the blanks.
                    self.at = start;
                } else {
                    return Ok(Vec::new());
                }
            }
            Some(_) => {}
        }
        let start = self.at;
        let mut escaped = false;
        while let Some(byte) = self.peek() {
            if byte == b'\n' && !escaped {
                break;
            }
            escaped = byte == b'\\' && !escaped;
            self.at += 1;
        }
        let mut text = plain_escapes(&self.text[start..self.at]);
        self.at += usize::from(self.peek().is_some());
        text.push(b'\n');
        Ok(text)
    }
}

/// What an escape that makes a byte stands for, and its length from the backslash on.
fn made_byte(text: &[u8]) -> Option<(u8, usize)> {
    let digits = |radix: u32, most: usize| {
        let rest = text.get(2..)?;
        let count = rest.iter().take(most).take_while(|b| char::from(**b).is_digit(radix)).count();
        let digits = std::str::from_utf8(&rest[..count]).ok()?;
        let value = u32::from_str_radix(digits, radix).ok()?;
        Some(((value & 0xff) as u8, 2 + count))
    };
    match *text.get(1)? {
        b'a' => Some((7, 2)),
        b'f' => Some((12, 2)),
        b'n' => Some((b'\n', 2)),
        b'r' => Some((b'\r', 2)),
        b't' => Some((b'\t', 2)),
        b'v' => Some((11, 2)),
        b'c' => Some((text.get(2)?.to_ascii_uppercase() ^ 0x40, 3)),
        b'd' => digits(10, 3),
        b'o' => digits(8, 3),
        b'x' => digits(16, 2),
        _ => None,
    }
}

/// A pattern in which escapes that make bytes are made; what they make may be special.
fn regex_escapes(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut at = 0;
    while at < text.len() {
        if text[at] != b'\\' {
            out.push(text[at]);
            at += 1;
            continue;
        }
        match made_byte(&text[at..]) {
            Some((byte, length)) => {
                out.push(byte);
                at += length;
            }
            None => {
                out.extend_from_slice(&text[at..text.len().min(at + 2)]);
                at += 2;
            }
        }
    }
    out
}

/// A text in which every backslash makes a byte or goes.
fn plain_escapes(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut at = 0;
    while at < text.len() {
        if text[at] == b'\\' && at + 1 < text.len() {
            let (byte, length) = made_byte(&text[at..]).unwrap_or((text[at + 1], 2));
            out.push(byte);
            at += length;
        } else {
            out.push(text[at]);
            at += 1;
        }
    }
    out
}

fn replacement_parts(text: &[u8]) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut plain = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let (part, length) = match (text[at], text.get(at + 1)) {
            (b'&', _) => (Part::Group(0), 1),
            (b'\\', Some(digit @ b'0'..=b'9')) => (Part::Group(usize::from(digit - b'0')), 2),
            (b'\\', Some(b'u')) => (Part::Once(Case::Upper), 2),
            (b'\\', Some(b'l')) => (Part::Once(Case::Lower), 2),
            (b'\\', Some(b'U')) => (Part::All(Some(Case::Upper)), 2),
            (b'\\', Some(b'L')) => (Part::All(Some(Case::Lower)), 2),
            (b'\\', Some(b'E')) => (Part::All(None), 2),
            (b'\\', Some(other)) => {
                let (byte, length) = made_byte(&text[at..]).unwrap_or((*other, 2));
                plain.push(byte);
                at += length;
                continue;
            }
            (byte, _) => {
                plain.push(byte);
                at += 1;
                continue;
            }
        };
        if !plain.is_empty() {
            parts.push(Part::Text(std::mem::take(&mut plain)));
        }
        parts.push(part);
        at += length;
    }
    if !plain.is_empty() {
        parts.push(Part::Text(plain));
    }
    parts
}
