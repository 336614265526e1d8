//! getopt: util-linux's parser of options for shell scripts.

use crate::shell::{Fatal, Process, Status, files::show, options::parse_leading};

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let words = process.arguments();
    // Without options of its own, the first word is the option string and the output is not quoted.
    let old = words.first().is_some_and(|word| word.first() != Some(&b'-'));
    let mut request = Request::default();
    let parameters = if old {
        request.unquoted = true;
        request.set_shorts(&words[0]);
        let rest = &words[1..];
        let skip = usize::from(rest.first().is_some_and(|word| word == b"--"));
        rest[skip..].to_vec()
    } else if words.is_empty() {
        return usage(process, "missing optstring argument");
    } else {
        let arguments = parse_leading(
            process,
            &[
                "a alternative",
                "l long longoptions=",
                "n name=",
                "o options=",
                "q quiet",
                "Q quiet-output",
                "s shell=",
                "T test",
                "u unquoted",
            ],
        )?;
        if arguments.has("T") {
            return Ok(Status(4));
        }
        if arguments.value("s").is_some_and(|shell| !matches!(shell, b"sh" | b"bash")) {
            return Err(process.not_modelled("quoting for another shell"));
        }
        let mut operands = arguments.operands.clone();
        match arguments.value("o") {
            Some(shorts) => request.set_shorts(shorts),
            None if operands.is_empty() => return usage(process, "missing optstring argument"),
            None => request.set_shorts(&operands.remove(0)),
        }
        for (_, list) in arguments.options.iter().filter(|(option, _)| *option == "l") {
            request.add_longs(list);
        }
        request.alternative = arguments.has("a");
        request.quiet = arguments.has("q");
        request.silent = arguments.has("Q");
        request.unquoted = arguments.has("u");
        if let Some(name) = arguments.value("n") {
            request.name = name.to_vec();
        }
        operands
    };
    if request.name.is_empty() {
        request.name = b"getopt".to_vec();
    }
    let result = request.parse(&parameters);
    if !request.quiet {
        for message in &result.messages {
            process.write(2, format!("{}: {message}\n", show(&request.name)).as_bytes())?;
        }
    }
    if !request.silent {
        process.out(&result.out)?;
    }
    Ok(if result.messages.is_empty() { Status::SUCCESS } else { Status::FAILURE })
}

fn usage(process: &mut Process<'_>, message: &str) -> Result<Status, Fatal> {
    process.complain(message)?;
    Ok(Status(2))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Takes {
    Nothing,
    Value,
    Maybe,
}

/// What happens to parameters that are no options.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Operands {
    #[default]
    Last,
    /// The first ends the options.
    End,
    InPlace,
}

#[derive(Debug, Default)]
struct Request {
    shorts: Vec<(u8, Takes)>,
    longs: Vec<(Vec<u8>, Takes)>,
    operands: Operands,
    alternative: bool,
    quiet: bool,
    silent: bool,
    unquoted: bool,
    name: Vec<u8>,
}

#[derive(Debug, Default)]
struct Parsed {
    out: Vec<u8>,
    messages: Vec<String>,
}

/// What a long option's name means.
enum Long<'r> {
    Option(&'r [u8], Takes),
    Ambiguous,
    Unknown,
}

impl Request {
    fn set_shorts(&mut self, text: &[u8]) {
        let rest = match text {
            [b'+', rest @ ..] => {
                self.operands = Operands::End;
                rest
            }
            [b'-', rest @ ..] => {
                self.operands = Operands::InPlace;
                rest
            }
            rest => rest,
        };
        let rest = rest.strip_prefix(b":").unwrap_or(rest);
        let mut at = 0;
        while at < rest.len() {
            let colons = rest[at + 1..].iter().take_while(|b| **b == b':').count().min(2);
            self.shorts.push((rest[at], [Takes::Nothing, Takes::Value, Takes::Maybe][colons]));
            at += 1 + colons;
        }
    }

    fn add_longs(&mut self, list: &[u8]) {
        for word in list.split(|b| matches!(b, b',' | b' ' | b'\t' | b'\n')).filter(|word| !word.is_empty()) {
            let name = word.strip_suffix(b"::").or_else(|| word.strip_suffix(b":")).unwrap_or(word);
            let takes = [Takes::Nothing, Takes::Value, Takes::Maybe][word.len() - name.len()];
            self.longs.push((name.to_vec(), takes));
        }
    }

    fn long(&self, name: &[u8]) -> Long<'_> {
        let found = |entry: &'_ (Vec<u8>, Takes)| entry.1;
        if let Some(entry) = self.longs.iter().find(|(long, _)| long == name) {
            return Long::Option(&entry.0, found(entry));
        }
        let mut starting = self.longs.iter().filter(|(long, _)| long.starts_with(name));
        match (starting.next(), starting.next()) {
            (None, _) => Long::Unknown,
            (Some(entry), None) => Long::Option(&entry.0, found(entry)),
            (Some(_), Some(_)) => Long::Ambiguous,
        }
    }

    fn parse(&self, parameters: &[Vec<u8>]) -> Parsed {
        let mut parsed = Parsed::default();
        let mut last: Vec<&Vec<u8>> = Vec::new();
        let mut rest = parameters.iter();
        while let Some(word) = rest.next() {
            if word == b"--" {
                last.extend(rest);
                break;
            }
            let is_short = |letter: u8| self.shorts.iter().any(|(short, _)| *short == letter);
            if let Some(long) = word.strip_prefix(b"--") {
                self.take_long(long, "--", &mut rest, &mut parsed);
            } else if word.len() > 1 && word[0] == b'-' {
                // With -a one dash may begin a long option, too.
                let tries_long = self.alternative && (word.len() > 2 || !is_short(word[1]));
                let name = word[1..].split(|b| *b == b'=').next().unwrap_or_default();
                if tries_long && !(matches!(self.long(name), Long::Unknown) && is_short(word[1])) {
                    self.take_long(&word[1..], "-", &mut rest, &mut parsed);
                } else {
                    self.take_shorts(&word[1..], &mut rest, &mut parsed);
                }
            } else {
                match self.operands {
                    Operands::Last => last.push(word),
                    Operands::InPlace => self.put(&mut parsed.out, word),
                    Operands::End => {
                        last.push(word);
                        last.extend(rest);
                        break;
                    }
                }
            }
        }
        parsed.out.extend_from_slice(b" --");
        for word in last {
            self.put(&mut parsed.out, word);
        }
        parsed.out.push(b'\n');
        parsed
    }

    fn take_long(&self, text: &[u8], dashes: &str, rest: &mut std::slice::Iter<'_, Vec<u8>>, parsed: &mut Parsed) {
        let (name, attached) = match text.iter().position(|&b| b == b'=') {
            Some(equals) => (&text[..equals], Some(&text[equals + 1..])),
            None => (text, None),
        };
        let (long, takes) = match self.long(name) {
            Long::Option(long, takes) => (long, takes),
            Long::Ambiguous => {
                parsed.messages.push(format!("option '{dashes}{}' is ambiguous", show(name)));
                return;
            }
            Long::Unknown => {
                parsed.messages.push(format!("unrecognized option '{dashes}{}'", show(name)));
                return;
            }
        };
        let value = match (takes, attached) {
            (Takes::Nothing, Some(_)) => {
                parsed.messages.push(format!("option '{dashes}{}' doesn't allow an argument", show(long)));
                return;
            }
            (Takes::Nothing, None) => None,
            (Takes::Maybe, value) => Some(value.unwrap_or_default()),
            (Takes::Value, Some(value)) => Some(value),
            (Takes::Value, None) => match rest.next() {
                Some(value) => Some(value.as_slice()),
                None => {
                    parsed.messages.push(format!("option '{dashes}{}' requires an argument", show(long)));
                    return;
                }
            },
        };
        parsed.out.extend_from_slice(b" --");
        parsed.out.extend_from_slice(long);
        if let Some(value) = value {
            self.put(&mut parsed.out, value);
        }
    }

    fn take_shorts(&self, text: &[u8], rest: &mut std::slice::Iter<'_, Vec<u8>>, parsed: &mut Parsed) {
        let mut letters = text;
        while let Some((letter, behind)) = letters.split_first() {
            letters = behind;
            let Some((_, takes)) = self.shorts.iter().find(|(short, _)| short == letter) else {
                parsed.messages.push(format!("invalid option -- '{}'", letter.escape_ascii()));
                continue;
            };
            let value = match takes {
                Takes::Nothing => None,
                Takes::Maybe => Some(std::mem::take(&mut letters)),
                Takes::Value if !letters.is_empty() => Some(std::mem::take(&mut letters)),
                Takes::Value => match rest.next() {
                    Some(value) => Some(value.as_slice()),
                    None => {
                        parsed.messages.push(format!("option requires an argument -- '{}'", letter.escape_ascii()));
                        return;
                    }
                },
            };
            parsed.out.extend_from_slice(&[b' ', b'-', *letter]);
            if let Some(value) = value {
                self.put(&mut parsed.out, value);
            }
        }
    }

    /// A blank and a word, quoted so that the shell reads it back.
    fn put(&self, out: &mut Vec<u8>, word: &[u8]) {
        out.push(b' ');
        if self.unquoted {
            out.extend_from_slice(word);
            return;
        }
        out.push(b'\'');
        for &byte in word {
            match byte {
                b'\'' => out.extend_from_slice(b"'\\''"),
                byte => out.push(byte),
            }
        }
        out.push(b'\'');
    }
}
