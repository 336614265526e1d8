//! Rules that tell a type by a file's content, or by what is in a volume.

use roxmltree::Node;

use super::read::{FREE, Wrong, boolean, level, wrong};

#[derive(Debug)]
pub(super) struct Magic {
    pub(super) priority: i32,
    pub(super) mime_type: usize,
    pub(super) matches: Vec<Match>,
    /// It says that earlier rules of the type don't count.
    pub(super) deletes: bool,
}

#[derive(Debug)]
pub(super) struct Match {
    /// First byte, and the number of bytes at which the data may start.
    pub(super) start: i64,
    pub(super) range: i32,
    /// Bytes that are swapped on little-endian machines.
    pub(super) word: u8,
    pub(super) data: Vec<u8>,
    /// As long as the data.
    pub(super) mask: Option<Vec<u8>>,
    pub(super) below: Vec<Match>,
}

#[derive(Debug)]
pub(super) struct TreeMagic {
    pub(super) priority: i32,
    pub(super) mime_type: usize,
    pub(super) matches: Vec<TreeMatch>,
}

#[derive(Debug)]
pub(super) struct TreeMatch {
    pub(super) path: String,
    /// `any`, `file`, `directory` or `link`, and what else is asked for, behind commas.
    pub(super) condition: String,
    pub(super) below: Vec<TreeMatch>,
}

impl Match {
    /// The one match of a rule that deletes.
    pub(super) fn none() -> Self {
        let data = super::NO_MAGIC.as_bytes().to_vec();
        Self { start: 0, range: 1, word: 1, data, mask: None, below: Vec::new() }
    }
}

pub(super) fn magic(node: Node<'_, '_>, mime_type: usize) -> Result<Magic, Wrong> {
    let Some(priority) = level(node, "priority") else { return wrong("Bad priority (-1) in <magic> element") };
    let matches = matches(node).map_err(|error| error.within("Error in <match> element: "))?;
    if matches.is_empty() {
        return wrong("Incomplete <magic> element");
    }
    Ok(Magic { priority, mime_type, matches, deletes: false })
}

fn checked<'d, 'i>(parent: Node<'d, 'i>, name: &'static str) -> impl Iterator<Item = Result<Node<'d, 'i>, Wrong>> {
    parent.children().filter(|child| child.is_element()).map(move |child| {
        let tag = child.tag_name();
        if tag.namespace() != Some(FREE) {
            return wrong("Element found with non-freedesktop.org namespace");
        }
        if tag.name() != name {
            return wrong(format!("Expected <{name}> element, but found <{}> instead", tag.name()));
        }
        Ok(child)
    })
}

fn matches(parent: Node<'_, '_>) -> Result<Vec<Match>, Wrong> {
    checked(parent, "match").map(|node| a_match(node?)).collect()
}

fn a_match(node: Node<'_, '_>) -> Result<Match, Wrong> {
    let (start, range) = offset(node.attribute("offset").unwrap_or_default())?;
    let Some(kind) = node.attribute("type") else { return wrong("Missing 'type' attribute in <match>") };
    let word = match kind {
        "host16" => 2,
        "host32" => 4,
        "big16" | "big32" | "little16" | "little32" | "string" | "byte" => 1,
        _ => return wrong(format!("Unknown magic type '{kind}'")),
    };
    let value = node.attribute("value").unwrap_or_default();
    if value.is_empty() {
        return wrong("No value specified");
    }
    let mask = node.attribute("mask");
    let (data, mask) = match kind {
        "string" => {
            let data = unescape(value.as_bytes());
            let mask = mask.map(|mask| string_mask(mask, data.len())).transpose()?;
            (data, mask)
        }
        _ => {
            let size = if kind == "byte" { 1 } else { if kind.ends_with("16") { 2 } else { 4 } };
            let little = kind == "byte" || kind.starts_with('l');
            let number = |text: &str, what: &str| match number(text) {
                Some(number) => Ok(number),
                None => wrong(format!("{what} is not a number")),
            };
            let value = number(value, "Value")?;
            if size < 4 && value >> (8 * size) != 0 {
                return wrong(format!("Number out-of-range ({value:x} should fit in {size} bytes)"));
            }
            let mask = mask.map(|mask| number(mask, "Mask")).transpose()?;
            (bytes(value, size, little), mask.map(|mask| bytes(mask, size, little)))
        }
    };
    if data.len() > 0xffff {
        return Err(Wrong::NotModelled("a match of over 65,535 bytes".to_owned()));
    }
    Ok(Match { start, range, word, data, mask, below: matches(node)? })
}

fn bytes(number: u64, size: usize, little: bool) -> Vec<u8> {
    let mut bytes = number.to_le_bytes()[..size].to_vec();
    if !little {
        bytes.reverse();
    }
    bytes
}

/// `START` or `START:LAST`.
fn offset(text: &str) -> Result<(i64, i32), Wrong> {
    if text.is_empty() {
        return wrong("Missing 'offset' attribute");
    }
    let decimal = |text: &str| text.trim_ascii_start().parse::<i32>().ok();
    let Some((start, last)) = text.split_once(':') else {
        return decimal(text).map_or_else(|| wrong("Invalid offset"), |start| Ok((start.into(), 1)));
    };
    match (decimal(start), decimal(last)) {
        (Some(start), Some(last)) if start >= 0 && last >= start => Ok((start.into(), last - start + 1)),
        _ => wrong("Invalid offset"),
    }
}

/// As `strtoul` with base 0, without signs.
fn number(text: &str) -> Option<u64> {
    let text = text.trim_ascii_start();
    let (radix, digits) = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(digits) => (16, digits),
        None if text.len() > 1 && text.starts_with('0') => (8, text),
        None => (10, text),
    };
    u64::from_str_radix(digits, radix).ok().filter(|_| !digits.starts_with('+'))
}

fn hex(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

fn string_mask(mask: &str, size: usize) -> Result<Vec<u8>, Wrong> {
    let Some(digits) = mask.strip_prefix("0x") else {
        return wrong("String masks must be in base 16 (starting with 0x)");
    };
    let mut bytes = vec![0; size];
    for (index, digit) in digits.bytes().enumerate() {
        let Some(value) = hex(digit) else { return wrong("a mask has what is not a valid hex digit") };
        let Some(byte) = bytes.get_mut(index / 2) else { return wrong("Mask is longer than value") };
        *byte |= if index % 2 == 0 { value << 4 } else { value };
    }
    Ok(bytes)
}

/// A text with the escapes of C.
fn unescape(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some((&byte, behind)) = rest.split_first() {
        rest = behind;
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        let Some((&escape, behind)) = rest.split_first() else { break };
        rest = behind;
        out.push(match escape {
            b'n' => b'\n',
            b'r' => b'\r',
            b'b' => 8,
            b't' => b'\t',
            b'f' => 12,
            b'v' => 11,
            b'0'..=b'7' => {
                let more = rest.iter().take(2).take_while(|byte| matches!(byte, b'0'..=b'7')).count();
                let octal = rest[..more]
                    .iter()
                    .fold(u32::from(escape - b'0'), |value, digit| value * 8 + u32::from(digit - b'0'));
                rest = &rest[more..];
                octal.to_le_bytes()[0]
            }
            b'x' => {
                let digits: Vec<u8> = rest.iter().take(2).map_while(|byte| hex(*byte)).collect();
                rest = &rest[digits.len()..];
                digits.into_iter().reduce(|high, low| high << 4 | low).unwrap_or(b'x')
            }
            other => other,
        });
    }
    out
}

pub(super) fn tree_magic(node: Node<'_, '_>, mime_type: usize) -> Result<TreeMagic, Wrong> {
    let Some(priority) = level(node, "priority") else { return wrong("Bad priority (-1) in <treemagic> element") };
    let matches = tree_matches(node).map_err(|error| error.within("Error in <treematch> element: "))?;
    Ok(TreeMagic { priority, mime_type, matches })
}

fn tree_matches(parent: Node<'_, '_>) -> Result<Vec<TreeMatch>, Wrong> {
    let one = |node: Result<Node<'_, '_>, Wrong>| {
        let node = node?;
        let Some(path) = node.attribute("path") else { return wrong("Missing 'path' attribute in <treematch>") };
        let mut condition = match node.attribute("type") {
            None => "any",
            Some(kind @ ("file" | "directory" | "link")) => kind,
            Some(_) => return wrong("Invalid 'type' attribute in <treematch>"),
        }
        .to_owned();
        for name in ["match-case", "executable", "non-empty"] {
            if boolean(node, name) {
                condition.push_str(&format!(",{name}"));
            }
        }
        if let Some(name) = node.attribute("mimetype") {
            condition.push_str(&format!(",{name}"));
        }
        Ok(TreeMatch { path: path.to_owned(), condition, below: tree_matches(node)? })
    };
    checked(parent, "treematch").map(one).collect()
}
