//! A package's `templates` file, read as debconf reads it.

use std::collections::BTreeMap;

use super::database::Text;

/// The templates of one file in its order: fields by lower-case name, `template` being the template's own name.
///
/// What follows a field on indented lines is kept beside it as `extended_FIELD`, its paragraphs joined to lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Templates(pub(super) Vec<BTreeMap<Text, Text>>);

/// Where a template file is wrong; templates are counted from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("template {number}: {reason}")]
pub struct TemplateError {
    pub number: usize,
    pub reason: TemplateFault,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateFault {
    #[error("field `{}` twice", .0.escape_ascii())]
    Duplicate(Text),
    #[error("a line that is neither a field nor indented: `{}`", .0.escape_ascii())]
    Line(Text),
    #[error("no `{0}` field")]
    Missing(&'static str),
}

impl Templates {
    pub fn parse(bytes: &[u8]) -> Result<Self, TemplateError> {
        let mut templates = Vec::new();
        let mut rest = bytes;
        while !rest.is_empty() {
            let end = memchr::memmem::find(rest, b"\n\n").map_or(rest.len(), |at| at + 2);
            let (record, after) = rest.split_at(end);
            rest = after;
            let number = templates.len() + 1;
            templates.push(parse_template(record).map_err(|reason| TemplateError { number, reason })?);
        }
        Ok(Self(templates))
    }
}

/// The field that is being read.
#[derive(Default)]
struct Open {
    name: Text,
    value: Text,
    extended: Text,
}

impl Open {
    fn close(self, fields: &mut BTreeMap<Text, Text>) -> Result<(), TemplateFault> {
        if self.name.is_empty() {
            return Ok(());
        }
        if fields.contains_key(&self.name) {
            return Err(TemplateFault::Duplicate(self.name));
        }
        let extended = trim_end(&self.extended, |b| b == b'\n');
        if !extended.is_empty() {
            fields.insert([b"extended_", self.name.as_slice()].concat(), extended.to_vec());
        }
        fields.insert(self.name, self.value);
        Ok(())
    }

    /// Takes an indented line without its first blank.
    fn extend(&mut self, line: &[u8]) {
        if line == b"." {
            self.extended.extend_from_slice(b"\n\n");
            return;
        }
        let verbatim = line.first().is_some_and(u8::is_ascii_whitespace);
        if !self.extended.is_empty() && !self.extended.ends_with(b"\n") && !self.extended.ends_with(b" ") {
            self.extended.push(if verbatim { b'\n' } else { b' ' });
        }
        self.extended.extend_from_slice(line.trim_ascii_end());
        if verbatim {
            self.extended.push(b'\n');
        }
    }
}

fn parse_template(record: &[u8]) -> Result<BTreeMap<Text, Text>, TemplateFault> {
    let newline = |b| b == b'\n';
    let start = record.iter().position(|&b| !newline(b)).unwrap_or(record.len());
    let record = trim_end(&record[start..], newline);
    let mut fields = BTreeMap::new();
    let mut open = Open::default();
    for line in record.split(|&b| newline(b)) {
        if let Some((name, value)) = field(line) {
            let next = Open { name: name.to_ascii_lowercase(), value: value.to_vec(), extended: Text::new() };
            std::mem::replace(&mut open, next).close(&mut fields)?;
        } else if line.first().is_some_and(u8::is_ascii_whitespace) {
            open.extend(&line[1..]);
        } else if !record.is_empty() {
            return Err(TemplateFault::Line(line.to_vec()));
        }
    }
    open.close(&mut fields)?;
    for needed in ["template", "type"] {
        if fields.get(needed.as_bytes()).is_none_or(Vec::is_empty) {
            return Err(TemplateFault::Missing(needed));
        }
    }
    Ok(fields)
}

/// `Name: value`, a blank after the colon and those at the end dropped.
fn field(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = line.iter().position(|&b| b == b':')?;
    let in_name = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'@' | b'.');
    if !line[..colon].iter().all(in_name) {
        return None;
    }
    let value = &line[colon + 1..];
    let value = if value.first().is_some_and(u8::is_ascii_whitespace) { &value[1..] } else { value };
    Some((&line[..colon], value.trim_ascii_end()))
}

fn trim_end(text: &[u8], drop: impl Fn(u8) -> bool) -> &[u8] {
    let end = text.iter().rposition(|&b| !drop(b)).map_or(0, |last| last + 1);
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_paragraphs() {
        let text = "Template: a/b\nType: select\nChoices: one, two\nDescription: Which?  \n First line\n goes on.\n .\n\
                    \x20 verbatim\n   more\n and text\nDescription-de.UTF-8: Was?\n\n\nTemplate: a/c\nType: string\n";
        let templates = Templates::parse(text.as_bytes()).expect("valid");
        let shown: Vec<String> = templates
            .0
            .iter()
            .flatten()
            .map(|(name, value)| format!("{}={}", name.escape_ascii(), value.escape_ascii()))
            .collect();
        assert_eq!(
            shown,
            [
                "choices=one, two",
                "description=Which?",
                "description-de.utf-8=Was?",
                r"extended_description=First line goes on.\n\n verbatim\n  more\nand text",
                "template=a/b",
                "type=select",
                "template=a/c",
                "type=string",
            ]
        );
    }

    #[test]
    fn says_what_is_wrong() {
        let check = |text: &str, expect: &str| {
            assert_eq!(Templates::parse(text.as_bytes()).map_err(|error| error.to_string()), Err(expect.to_owned()));
        };
        check("Template: a\nType: note\n\nType: note\n", "template 2: no `template` field");
        check("Template: a\n", "template 1: no `type` field");
        check("Template: a\nType: note\nType: text\n", "template 1: field `type` twice");
        check(
            "Template: a\nType: note\n# remark\n",
            "template 1: a line that is neither a field nor indented: `# remark`",
        );
    }
}
