//! grep, egrep and fgrep: lines that match patterns.

use crate::{
    shell::{
        Fatal, Process, Status, Work,
        files::{join, show},
        grep::{Names, Output, Search, Totals},
        options::{Arguments, parse_list},
        regex::{Flavour, Regex, Surrounded},
        size::number,
        text::lines,
    },
    tree::Node,
};

const OPTIONS: &[&str] = &[
    "A after-context=",
    "a text",
    "B before-context=",
    "b byte-offset",
    "binary-files=",
    "C context=",
    "c count",
    "color colour?",
    "d directories=",
    "D devices=",
    "E extended-regexp",
    "e regexp=",
    "exclude=",
    "exclude-dir=",
    "F fixed-strings",
    "f file=",
    "G basic-regexp",
    "H with-filename",
    "h no-filename",
    "I",
    "i y ignore-case",
    "include=",
    "L files-without-match",
    "l files-with-matches",
    "label=",
    "line-buffered",
    "m max-count=",
    "n line-number",
    "no-ignore-case",
    "o only-matching",
    "q quiet silent",
    "R dereference-recursive",
    "r recursive",
    "s no-messages",
    "U binary",
    "v invert-match",
    "w word-regexp",
    "x line-regexp",
    "Z null",
    "z null-data",
];

pub(super) fn grep(process: &mut Process<'_>) -> Result<Status, Fatal> {
    run(process, "G")
}

pub(super) fn egrep(process: &mut Process<'_>) -> Result<Status, Fatal> {
    run(process, "E")
}

pub(super) fn fgrep(process: &mut Process<'_>) -> Result<Status, Fatal> {
    run(process, "F")
}

fn run(process: &mut Process<'_>, usual: &'static str) -> Result<Status, Fatal> {
    // `-3` is `-C 3`.
    let context = |word: Vec<u8>| match word.as_slice() {
        [b'-', digits @ ..] if !digits.is_empty() && digits.iter().all(u8::is_ascii_digit) => [b"-C", digits].concat(),
        _ => word,
    };
    let words = process.arguments().into_iter().map(context).collect();
    let arguments = parse_list(process, words, OPTIONS)?;
    if arguments.value("color").is_some_and(|value| value == b"always") {
        return Err(process.not_modelled("colours"));
    }
    let mut operands = arguments.operands.clone();
    let patterns = match patterns(process, &arguments, &mut operands)? {
        Ok(patterns) => patterns,
        Err(message) => return trouble(process, &message),
    };
    let search = match search(process, &arguments, usual, &patterns, &operands) {
        Ok(search) => search,
        Err(message) => return trouble(process, &message),
    };
    let recursive = arguments.has("r") || arguments.has("R");
    if operands.is_empty() {
        operands.push(if recursive { b".".to_vec() } else { b"-".to_vec() });
    }
    let mut totals = Totals { selected: false, failed: false };
    for path in &operands {
        for path in files(process, &arguments, path)? {
            one(process, &arguments, &search, &path, &mut totals)?;
            if totals.selected && search.output == Output::Nothing {
                return Ok(Status::SUCCESS);
            }
        }
    }
    Ok(match totals {
        Totals { failed: true, .. } => Status(2),
        Totals { selected: true, .. } => Status::SUCCESS,
        _ => Status::FAILURE,
    })
}

fn trouble(process: &mut Process<'_>, message: &str) -> Result<Status, Fatal> {
    process.complain(message)?;
    Ok(Status(2))
}

/// The patterns of -e, -f and the first operand, one a line.
fn patterns(
    process: &mut Process<'_>,
    arguments: &Arguments,
    operands: &mut Vec<Vec<u8>>,
) -> Result<Result<Vec<Vec<u8>>, String>, Fatal> {
    let mut all = Vec::new();
    let mut given = false;
    for (option, value) in &arguments.options {
        match *option {
            "e" => all.extend(value.split(|&b| b == b'\n').map(<[u8]>::to_vec)),
            "f" => match process.read_file(value) {
                Ok(text) => all.extend(lines(&text, b'\n').map(<[u8]>::to_vec)),
                Err(error) => return Ok(Err(format!("{}: {}", show(value), error.errno))),
            },
            _ => continue,
        }
        given = true;
    }
    if !given {
        if operands.is_empty() {
            return Ok(Err("no pattern".to_owned()));
        }
        all.extend(operands.remove(0).split(|&b| b == b'\n').map(<[u8]>::to_vec));
    }
    Ok(Ok(all))
}

fn search(
    process: &Process<'_>,
    arguments: &Arguments,
    usual: &'static str,
    patterns: &[Vec<u8>],
    operands: &[Vec<u8>],
) -> Result<Search, String> {
    let syntax = arguments.last_of(&["E", "F", "G"]).unwrap_or(usual);
    let flavour = Flavour {
        extended: syntax == "E",
        fold_case: arguments.last_of(&["i", "no-ignore-case"]) == Some("i"),
        lenient: true,
        surrounded: match () {
            () if arguments.has("x") => Surrounded::Nothing,
            () if arguments.has("w") => Surrounded::NonWord,
            () => Surrounded::Anything,
        },
        ..Flavour::basic(process.utf8())
    };
    let regexes = match syntax {
        "F" if patterns.is_empty() => Ok(Vec::new()),
        "F" => Regex::literals(patterns, flavour).map(|regex| vec![regex]),
        _ => patterns.iter().map(|pattern| Regex::new(pattern, flavour)).collect(),
    };
    let count = |option: &str| match arguments.value(option) {
        None => Ok(None),
        Some(text) => number(text).map(Some).ok_or_else(|| format!("{}: invalid argument for -{option}", show(text))),
    };
    let around = count("C")?.unwrap_or(0);
    let recursive = arguments.has("r") || arguments.has("R");
    let names = match arguments.last_of(&["H", "h"]) {
        Some("H") => Names::Shown,
        Some(_) => Names::Hidden,
        None if operands.len() > 1 || recursive => Names::Shown,
        None => Names::Hidden,
    };
    let output = match () {
        () if arguments.has("q") => Output::Nothing,
        () if arguments.last_of(&["l", "L"]) == Some("l") => Output::FilesWith,
        () if arguments.has("L") => Output::FilesWithout,
        () if arguments.has("c") => Output::Counts,
        () if arguments.has("o") => Output::Matches,
        () => Output::Lines,
    };
    Ok(Search {
        regexes: regexes.map_err(|error| error.to_string())?,
        invert: arguments.has("v"),
        output,
        names,
        name_end: if arguments.has("Z") { Some(0) } else { None },
        line_numbers: arguments.has("n"),
        offsets: arguments.has("b"),
        most: count("m")?.unwrap_or(u64::MAX),
        before: count("B")?.unwrap_or(around),
        after: count("A")?.unwrap_or(around),
        context: ["A", "B", "C"].iter().any(|option| arguments.has(option)),
        end: if arguments.has("z") { 0 } else { b'\n' },
        text: arguments.has("a") || arguments.value("binary-files") == Some(b"text"),
        skip_binary: arguments.has("I") || arguments.value("binary-files") == Some(b"without-match"),
        utf8: flavour.utf8,
    })
}

/// What an operand stands for: itself, or with -r the files below it.
fn files(process: &mut Process<'_>, arguments: &Arguments, path: &[u8]) -> Result<Vec<Vec<u8>>, Fatal> {
    let recursive = arguments.has("r") || arguments.has("R");
    let Some(top) = process.lookup(path).ok().filter(|id| recursive && process.inode(*id).is_dir()) else {
        return Ok(vec![path.to_vec()]);
    };
    let implied = arguments.operands.len() < 2 && path == b"." && !arguments.operands.contains(&b".".to_vec());
    let matches = |option: &str, name: &[u8]| {
        arguments.options.iter().any(|(o, glob)| *o == option && crate::shell::pattern::matches(glob, name))
    };
    let mut found = Vec::new();
    let mut todo = vec![(path.to_vec(), top, Vec::new())];
    while let Some((path, id, mut above)) = todo.pop() {
        process.machine.work(Work::Names(1))?;
        match &process.inode(id).node {
            Node::Directory(entries) => {
                // With -R links may lead back to where they are.
                if above.contains(&id) {
                    if !arguments.has("s") {
                        process.complain(&format!("{}: warning: recursive directory loop", show(&path)))?;
                    }
                    continue;
                }
                above.push(id);
                for (name, child) in entries.iter().rev() {
                    let name = name.as_bytes();
                    let below = join(&path, name);
                    let child = if arguments.has("R") { process.lookup(&below).unwrap_or(*child) } else { *child };
                    let skip = match process.inode(child).is_dir() {
                        true => matches("exclude-dir", name),
                        false => matches("exclude", name) || (arguments.has("include") && !matches("include", name)),
                    };
                    if !skip {
                        todo.push((below, child, above.clone()));
                    }
                }
            }
            Node::Regular(_) => found.push(if implied { path[2..].to_vec() } else { path }),
            _ => {}
        }
    }
    Ok(found)
}

fn one(
    process: &mut Process<'_>,
    arguments: &Arguments,
    search: &Search,
    path: &[u8],
    totals: &mut Totals,
) -> Result<(), Fatal> {
    let skips = arguments.value("d") == Some(b"skip");
    let text = match process.read_file(path) {
        Ok(text) => text,
        Err(error) => {
            if skips && error.errno == crate::tree::Errno::IsDirectory {
                return Ok(());
            }
            totals.failed = true;
            if !arguments.has("s") {
                process.complain(&format!("{}: {}", show(path), error.errno))?;
            }
            return Ok(());
        }
    };
    let name = match path {
        b"-" => arguments.value("label").unwrap_or(b"(standard input)"),
        path => path,
    };
    let mut out = Vec::new();
    let found = search.run(name, &text, &mut out)?;
    totals.selected |= found.selected;
    process.out(&out)?;
    if found.hidden {
        process.complain(&format!("{}: binary file matches", show(name)))?;
    }
    Ok(())
}
