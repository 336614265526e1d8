//! The record and its fields, and how texts are split.

use std::rc::Rc;

use super::value::Value;
use crate::shell::{Fatal, regex::Regex};

/// Fields that a record may have: `$1000000 = ""` is refused.
pub(super) const MAX_FIELDS: usize = 1 << 17;

/// What is between fields or elements.
#[derive(Clone, Debug)]
pub(super) enum Splitter {
    /// Runs of blanks and newlines, those at the ends aside.
    Blanks,
    Byte(u8),
    /// Every byte is a field.
    Nothing,
    Regex(Rc<Regex>),
}

impl Splitter {
    pub(super) fn split<'t>(&self, text: &'t [u8]) -> Result<Vec<&'t [u8]>, Fatal> {
        if text.is_empty() {
            return Ok(Vec::new());
        }
        Ok(match self {
            Self::Blanks => {
                let blank = |b: &u8| matches!(b, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r');
                text.split(blank).filter(|part| !part.is_empty()).collect()
            }
            Self::Byte(byte) => text.split(|b| b == byte).collect(),
            Self::Nothing => text.chunks(1).collect(),
            Self::Regex(regex) => {
                let mut parts = Vec::new();
                let (mut start, mut from) = (0, 0);
                while let Some((begin, end)) = regex.find(text, from)? {
                    if begin == end {
                        if end >= text.len() {
                            break;
                        }
                        from = end + 1;
                        continue;
                    }
                    parts.push(&text[start..begin]);
                    (start, from) = (end, end);
                }
                parts.push(&text[start..]);
                parts
            }
        })
    }
}

#[derive(Debug)]
pub(super) struct Record {
    text: Rc<[u8]>,
    /// The record as a value: input, or whatever was assigned.
    value: Value,
    fields: Option<Vec<Value>>,
    /// Fields have changed since the text was made of them.
    stale: bool,
    splitter: Rc<Splitter>,
}

impl Record {
    pub(super) fn new() -> Self {
        let text: Rc<[u8]> = Rc::from(b"".as_slice());
        Self {
            value: Value::Input(Rc::clone(&text)),
            text,
            fields: None,
            stale: false,
            splitter: Rc::new(Splitter::Blanks),
        }
    }

    pub(super) fn set(&mut self, text: Rc<[u8]>, splitter: Rc<Splitter>) {
        self.value = Value::Input(Rc::clone(&text));
        self.text = text;
        self.fields = None;
        self.stale = false;
        self.splitter = splitter;
    }

    /// The record was assigned and is what the value is; its fields are input all the same.
    pub(super) fn keep(&mut self, value: Value) {
        self.value = value;
    }

    /// The fields, split now if need be.
    fn fields(&mut self) -> Result<&mut Vec<Value>, Fatal> {
        if self.fields.is_none() {
            let parts = self.splitter.split(&self.text)?;
            self.fields = Some(parts.into_iter().map(Value::input).collect());
        }
        Ok(self.fields.get_or_insert_default())
    }

    pub(super) fn count(&mut self) -> Result<usize, Fatal> {
        self.fields().map(|fields| fields.len())
    }

    pub(super) fn whole(&mut self, between: &[u8], conversion: &[u8]) -> Value {
        if std::mem::take(&mut self.stale) {
            let fields = self.fields.as_deref().unwrap_or_default();
            let parts: Vec<Rc<[u8]>> = fields.iter().map(|field| field.bytes(conversion)).collect();
            self.text = parts.join(between).into();
            self.value = Value::Input(Rc::clone(&self.text));
        }
        self.value.clone()
    }

    pub(super) fn field(&mut self, index: usize) -> Result<Value, Fatal> {
        Ok(self.fields()?.get(index - 1).cloned().unwrap_or_else(|| Value::input(b"")))
    }

    pub(super) fn set_field(&mut self, index: usize, value: Value) -> Result<(), Fatal> {
        if index > MAX_FIELDS {
            return Err(Fatal::Limit { what: "fields in a record", limit: MAX_FIELDS as u64 });
        }
        let fields = self.fields()?;
        if fields.len() < index {
            fields.resize(index, Value::input(b""));
        }
        fields[index - 1] = value;
        self.stale = true;
        Ok(())
    }

    pub(super) fn set_count(&mut self, count: usize) -> Result<(), Fatal> {
        if count > MAX_FIELDS {
            return Err(Fatal::Limit { what: "fields in a record", limit: MAX_FIELDS as u64 });
        }
        self.fields()?.resize(count, Value::input(b""));
        self.stale = true;
        Ok(())
    }
}

/// The record that begins at `at` by the separator `RS`, and where the next begins.
pub(super) fn next_record<'t>(
    text: &'t [u8],
    at: usize,
    separator: &RecordSeparator,
) -> Result<Option<(&'t [u8], usize)>, Fatal> {
    let rest = &text[at..];
    match separator {
        _ if rest.is_empty() => Ok(None),
        RecordSeparator::Byte(byte) => Ok(Some(match memchr::memchr(*byte, rest) {
            Some(end) => (&rest[..end], at + end + 1),
            None => (rest, text.len()),
        })),
        RecordSeparator::Paragraph => {
            let skip = rest.iter().take_while(|b| **b == b'\n').count();
            let rest = &rest[skip..];
            if rest.is_empty() {
                return Ok(None);
            }
            let end = memchr::memmem::find(rest, b"\n\n").unwrap_or(rest.len());
            let over = rest[end..].iter().take_while(|b| **b == b'\n').count();
            let record = rest[..end].strip_suffix(b"\n").unwrap_or(&rest[..end]);
            Ok(Some((record, at + skip + end + over)))
        }
        RecordSeparator::Regex(regex) => {
            let mut from = at;
            while let Some((begin, end)) = regex.find(text, from)? {
                if begin < end {
                    return Ok(Some((&text[at..begin], end)));
                }
                if end >= text.len() {
                    break;
                }
                from = end + 1;
            }
            Ok(Some((rest, text.len())))
        }
    }
}

#[derive(Clone, Debug)]
pub(super) enum RecordSeparator {
    Byte(u8),
    /// Blank lines.
    Paragraph,
    Regex(Rc<Regex>),
}
