//! Answers given beforehand, in the lines of debconf-set-selections(1): `owner question type value`.

use super::{Databases, database::Text};

/// A preseed line that is none, counted from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {fault}")]
pub struct PreseedError {
    pub line: usize,
    pub fault: PreseedFault,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PreseedFault {
    #[error("expected `owner question type value`, found `{}`", .0.escape_ascii())]
    Words(Text),
    #[error("unknown type `{}`", .0.escape_ascii())]
    Type(Text),
    #[error("the flag of a question `{}` that nobody has", .0.escape_ascii())]
    Question(Text),
}

const TYPES: [&[u8]; 8] = [b"select", b"boolean", b"string", b"multiselect", b"note", b"password", b"text", b"title"];

/// Stores the answers; `seen` marks their questions as asked.
pub fn preseed(databases: &mut Databases, text: &[u8], seen: bool) -> Result<(), PreseedError> {
    let mut joined = Text::new();
    let mut first = None;
    for (index, line) in text.split(|&b| b == b'\n').enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        first.get_or_insert(index + 1);
        if let Some(begun) = line.strip_suffix(b"\\") {
            joined.extend_from_slice(begun);
            continue;
        }
        joined.extend_from_slice(line);
        let whole = std::mem::take(&mut joined);
        let line = first.take().unwrap_or(index + 1);
        answer(databases, &whole, seen).map_err(|fault| PreseedError { line, fault })?;
    }
    let line = text.split(|&b| b == b'\n').count();
    answer(databases, &joined, seen).map_err(|fault| PreseedError { line, fault })
}

fn answer(databases: &mut Databases, line: &[u8], seen: bool) -> Result<(), PreseedFault> {
    let start = line.trim_ascii_start();
    if start.is_empty() || start.starts_with(b"#") {
        return Ok(());
    }
    let word = |text: &'_ [u8]| text.iter().position(u8::is_ascii_whitespace).unwrap_or(text.len());
    let split = |text: &[u8]| {
        let text = text.trim_ascii_start();
        let (word, rest) = text.split_at(word(text));
        (word.to_vec(), rest.to_vec())
    };
    let (owner, rest) = split(start);
    let (question, rest) = split(&rest);
    let (kind, rest) = split(&rest);
    if kind.is_empty() {
        return Err(PreseedFault::Words(line.to_vec()));
    }
    let value = rest.get(1..).unwrap_or_default();
    if kind == b"seen" {
        if !databases.exists(&question) {
            return Err(PreseedFault::Question(question));
        }
        databases.set_flag(&question, b"seen", value);
        return Ok(());
    }
    if !TYPES.contains(&kind.as_slice()) {
        return Err(PreseedFault::Type(kind));
    }
    if databases.template(&question).is_none() {
        databases.new_template(&question, &owner, &kind);
        let extended = b"This is a fake template used to pre-seed the debconf database. If you are seeing this, \
                         something is probably wrong.";
        if let Some(template) = databases.template_mut(&question) {
            template.fields.insert(b"description".to_vec(), b"Dummy template".to_vec());
            template.fields.insert(b"extended_description".to_vec(), extended.to_vec());
        }
    }
    if let Some(template) = databases.template_mut(&question) {
        template.fields.insert(b"type".to_vec(), kind.clone());
    }
    databases.add_owner(&question, &owner, &kind);
    databases.set_field(&question, b"value", value);
    if seen {
        databases.set_flag(&question, b"seen", b"true");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stores_answers() {
        let text =
            b"# tz\ntzdata tzdata/Areas select Europe\n\ttzdata tzdata/Zones/Europe select \\\nZurich\nd d/f boolean\n";
        let mut databases = Databases::default();
        preseed(&mut databases, text, true).expect("valid");
        assert_eq!(databases.value(b"tzdata/Areas"), b"Europe");
        assert_eq!(databases.value(b"tzdata/Zones/Europe"), b"Zurich");
        assert_eq!(databases.value(b"d/f"), b"");
        assert_eq!(databases.flag(b"d/f", b"seen"), b"true");
        preseed(&mut databases, b"d d/f seen false", true).expect("valid");
        assert_eq!(databases.flag(b"d/f", b"seen"), b"false");
    }

    #[test]
    fn says_which_line() {
        let check = |text: &str, expect: &str| {
            let result = preseed(&mut Databases::default(), text.as_bytes(), true);
            assert_eq!(result.map_err(|error| error.to_string()), Err(expect.to_owned()));
        };
        check("\na b\n", "line 2: expected `owner question type value`, found `a b`");
        check("a b colour red", "line 1: unknown type `colour`");
        check("a b seen true", "line 1: the flag of a question `b` that nobody has");
    }
}
