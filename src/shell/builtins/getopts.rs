//! `getopts`: options of a script, one by one.

use crate::shell::{
    interpreter::{Shell, Unwind},
    parse::is_name,
    raw::Raw,
};

pub(super) fn getopts(shell: &mut Shell<'_>, arguments: &[Vec<u8>]) -> Result<u32, Unwind> {
    let [_, letters, name, given @ ..] = arguments else {
        return Err(shell.error("Usage: getopts optstring var [arg...]"));
    };
    if !is_name(name) {
        return Err(shell.error(&format!("{}: bad variable name", Raw(name))));
    }
    let words = if given.is_empty() { shell.state.parameters.to_vec() } else { given.to_vec() };
    let index = shell.state.option_index;
    let found = next(&words, index, shell.state.option_offset, letters);
    shell.state.option_index = found.index;
    shell.state.option_offset = found.offset;
    let quiet = letters.starts_with(b":");
    let mut value = vec![found.letter];
    match found.argument {
        Argument::Given(text) => shell.assign(b"OPTARG", text)?,
        Argument::None if found.done => {}
        Argument::None => shell.assign(b"OPTARG", Vec::new())?,
        Argument::Wrong(problem) if quiet => {
            shell.assign(b"OPTARG", vec![found.letter])?;
            value = vec![if problem == Problem::Missing { b':' } else { b'?' }];
        }
        Argument::Wrong(problem) => {
            let letter = char::from(found.letter);
            let text = match problem {
                Problem::Unknown => format!("Illegal option -{letter}\n"),
                Problem::Missing => format!("No arg for -{letter} option\n"),
            };
            shell.write(2, text.as_bytes())?;
            shell.unset(b"OPTARG")?;
            value = b"?".to_vec();
        }
    }
    let (index, offset) = (shell.state.option_index, shell.state.option_offset);
    shell.assign(b"OPTIND", index.to_string().into_bytes())?;
    (shell.state.option_index, shell.state.option_offset) = (index, offset);
    shell.assign(name, value)?;
    Ok(u32::from(found.done))
}

struct Found {
    letter: u8,
    argument: Argument,
    /// The word to look at next, from 1.
    index: usize,
    /// Where in the word before that the next letter is.
    offset: Option<usize>,
    done: bool,
}

enum Argument {
    None,
    Given(Vec<u8>),
    Wrong(Problem),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Problem {
    Unknown,
    Missing,
}

fn next(words: &[Vec<u8>], index: usize, offset: Option<usize>, letters: &[u8]) -> Found {
    let mut index = index.max(1);
    let inside = offset.and_then(|offset| {
        let word = words.get(index.checked_sub(2)?)?;
        (offset < word.len()).then_some((word, offset))
    });
    let (word, at) = match inside {
        Some(found) => found,
        None => {
            let end = |index| Found { letter: b'?', argument: Argument::None, index, offset: None, done: true };
            match words.get(index - 1) {
                Some(word) if word == b"--" => return end(index + 1),
                Some(word) if word.len() > 1 && word[0] == b'-' => {
                    index += 1;
                    (word, 1)
                }
                _ => return end(index),
            }
        }
    };
    let letter = word[at];
    let rest = &word[at + 1..];
    let mut offset = (!rest.is_empty()).then_some(at + 1);
    let known = letters.iter().position(|&known| known == letter && letter != b':');
    let argument = match known {
        None => Argument::Wrong(Problem::Unknown),
        Some(at) if letters.get(at + 1) == Some(&b':') => {
            offset = None;
            if !rest.is_empty() {
                Argument::Given(rest.to_vec())
            } else if let Some(word) = words.get(index - 1) {
                index += 1;
                Argument::Given(word.clone())
            } else {
                Argument::Wrong(Problem::Missing)
            }
        }
        Some(_) => Argument::None,
    };
    Found { letter, argument, index, offset, done: false }
}
