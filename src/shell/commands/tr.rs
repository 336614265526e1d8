//! tr: exchanges, squeezes or deletes bytes.

use crate::shell::{
    Fatal, Process, Status,
    files::show,
    options::{Arguments, parse_leading},
    text::c_escape,
};

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = parse_leading(process, &["c C complement", "d delete", "s squeeze-repeats", "t truncate-set1"])?;
    let (delete, squeeze) = (arguments.has("d"), arguments.has("s"));
    let most = if delete && !squeeze { 1 } else { 2 };
    let least = if delete == squeeze { 2 } else { 1 };
    if arguments.operands.len() < least || arguments.operands.len() > most {
        return process.wrong_operands(&arguments.operands, most);
    }
    let mut sets = Vec::new();
    for operand in &arguments.operands {
        match Set::parse(operand) {
            Ok(set) => sets.push(set),
            Err(message) => return process.fail(&message),
        }
    }
    let text = process.read_all(0);
    let map = match Map::new(&arguments, &sets) {
        Ok(map) => map,
        Err(message) => return process.fail(message),
    };
    let mut out: Vec<u8> = Vec::with_capacity(text.len());
    for &byte in &*text {
        if map.delete[usize::from(byte)] {
            continue;
        }
        let new = map.to[usize::from(byte)];
        if map.squeeze[usize::from(new)] && out.last() == Some(&new) {
            continue;
        }
        out.push(new);
    }
    process.out(&out)?;
    Ok(Status::SUCCESS)
}

/// What happens to each byte.
struct Map {
    to: [u8; 256],
    delete: [bool; 256],
    squeeze: [bool; 256],
}

impl Map {
    fn new(arguments: &Arguments, sets: &[Set]) -> Result<Self, &'static str> {
        let mut to = [0; 256];
        for (byte, slot) in (0..=255).zip(&mut to) {
            *slot = byte;
        }
        let mut map = Self { to, delete: [false; 256], squeeze: [false; 256] };
        let mut first = sets.first().map(|set| set.expand(0)).unwrap_or_default();
        if arguments.has("c") {
            first = (0..=255).filter(|byte| !first.contains(byte)).collect();
        }
        let mark = |table: &mut [bool; 256], bytes: &[u8]| bytes.iter().for_each(|b| table[usize::from(*b)] = true);
        if arguments.has("d") {
            mark(&mut map.delete, &first);
            if let Some(second) = sets.get(1) {
                mark(&mut map.squeeze, &second.expand(0));
            }
            return Ok(map);
        }
        let Some(second) = sets.get(1) else {
            mark(&mut map.squeeze, &first);
            return Ok(map);
        };
        let mut second = second.expand(first.len());
        match second.last().copied() {
            None if !arguments.has("t") && !first.is_empty() => {
                return Err("when not truncating set1, string2 must be non-empty");
            }
            Some(last) if !arguments.has("t") => second.resize(second.len().max(first.len()), last),
            _ => {}
        }
        for (from, to) in first.iter().zip(&second) {
            map.to[usize::from(*from)] = *to;
        }
        if arguments.has("s") {
            mark(&mut map.squeeze, &second);
        }
        Ok(map)
    }
}

/// A set in the order of its elements.
struct Set(Vec<Element>);

enum Element {
    Bytes(Vec<u8>),
    /// `[x*n]`; no count fills up to the length of the first set.
    Repeat(u8, Option<usize>),
}

impl Set {
    fn parse(text: &[u8]) -> Result<Self, String> {
        let mut elements = Vec::new();
        let mut at = 0;
        while at < text.len() {
            if let Some((bytes, next)) = class(text, at)? {
                elements.push(Element::Bytes(bytes));
                at = next;
                continue;
            }
            if let Some((element, next)) = repeat(text, at)? {
                elements.push(element);
                at = next;
                continue;
            }
            let (low, next) = byte(text, at);
            at = next;
            if text.get(at) == Some(&b'-') && at + 1 < text.len() {
                let (high, next) = byte(text, at + 1);
                if high < low {
                    return Err(format!(
                        "range-endpoints of '{}' are in reverse collating sequence order",
                        show(&[low, b'-', high])
                    ));
                }
                elements.push(Element::Bytes((low..=high).collect()));
                at = next;
            } else {
                elements.push(Element::Bytes(vec![low]));
            }
        }
        Ok(Self(elements))
    }

    fn expand(&self, length: usize) -> Vec<u8> {
        let fixed: usize = self.0.iter().map(|element| element.len()).sum();
        let mut all = Vec::new();
        for element in &self.0 {
            match element {
                Element::Bytes(bytes) => all.extend_from_slice(bytes),
                Element::Repeat(byte, count) => {
                    let count = count.unwrap_or(length.saturating_sub(fixed));
                    all.resize(all.len() + count.min(256), *byte);
                }
            }
        }
        all
    }
}

impl Element {
    fn len(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::Repeat(_, count) => count.unwrap_or(0),
        }
    }
}

/// One byte, which may be escaped, and where the next begins.
fn byte(text: &[u8], at: usize) -> (u8, usize) {
    if text[at] != b'\\' || at + 1 == text.len() {
        return (text[at], at + 1);
    }
    c_escape(text, at)
}

type Found<T> = Result<Option<(T, usize)>, String>;

/// `[:name:]` or `[=x=]`.
fn class(text: &[u8], at: usize) -> Found<Vec<u8>> {
    let [b'[', kind @ (b':' | b'='), rest @ ..] = &text[at..] else { return Ok(None) };
    let Some(end) = memchr::memmem::find(rest, &[*kind, b']']) else { return Ok(None) };
    let name = &rest[..end];
    let next = at + 2 + end + 2;
    if *kind == b'=' {
        return match name {
            [byte] => Ok(Some((vec![*byte], next))),
            _ => Err(format!("{}: equivalence class operand must be a single character", show(name))),
        };
    }
    let Some(class) = crate::shell::regex::Class::named(name) else {
        return Err(format!("invalid character class '{}'", show(name)));
    };
    let members = (0..=127).filter(|byte| class.contains(u32::from(*byte), false)).collect();
    Ok(Some((members, next)))
}

/// `[x*]` or `[x*n]`, the count octal when it begins with 0.
fn repeat(text: &[u8], at: usize) -> Found<Element> {
    if text[at] != b'[' || at + 1 == text.len() {
        return Ok(None);
    }
    let (value, after) = byte(text, at + 1);
    let Some(rest) = text.get(after..).and_then(|rest| rest.strip_prefix(b"*")) else { return Ok(None) };
    let Some(end) = rest.iter().position(|&b| b == b']') else { return Ok(None) };
    let digits = std::str::from_utf8(&rest[..end]).unwrap_or("?");
    let radix = if digits.starts_with('0') { 8 } else { 10 };
    let count = match digits {
        "" => None,
        digits => match usize::from_str_radix(digits, radix) {
            Ok(0) => None,
            Ok(count) => Some(count),
            Err(_) => return Err(format!("invalid repeat count '{digits}' in [c*n] construct")),
        },
    };
    Ok(Some((Element::Repeat(value, count), after + 1 + end + 1)))
}
