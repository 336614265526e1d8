//! Bytes to paragraphs of fields, without copying: deb822(5), the form of control files and of archive indexes.
//!
//! Values are bytes: nothing is assumed of their encoding. A folded value keeps its line breaks; [`Field::lines`] cuts it.

/// One field of a paragraph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    /// As written; names compare without regard to case.
    pub name: &'a [u8],
    /// Without blanks at both ends, with inner line breaks, continuation blanks and comments. Begins with a line break when the
    /// name's own line has nothing more.
    pub value: &'a [u8],
    /// Counted from 1 in the whole input.
    pub line: usize,
}

/// Fields between two blank lines, in order, no name twice. Never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paragraph<'a> {
    pub fields: Vec<Field<'a>>,
}

/// Whether lines that begin with `#` are comments, as in sources lists, or errors, as in packages and indexes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comments {
    Allow,
    Refuse,
}

/// Input that is not deb822.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {fault}")]
pub struct Error {
    /// Counted from 1.
    pub line: usize,
    #[source]
    pub fault: Fault,
}

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("expected `Name: value`, found `{}`", .0.escape_ascii())]
    NoColon(Box<[u8]>),
    #[error("bad field name `{}`", .0.escape_ascii())]
    Name(Box<[u8]>),
    #[error("a continuation line without a field")]
    Continuation,
    #[error("a blank line inside field `{}`", .0.escape_ascii())]
    BlankContinuation(Box<[u8]>),
    #[error("field `{}` is given twice, first on line {first}", name.escape_ascii())]
    Duplicate { name: Box<[u8]>, first: usize },
    #[error("more than {MAX_FIELDS} fields in one paragraph")]
    TooManyFields,
    #[error("comments are not allowed here")]
    Comment,
    #[error("expected one paragraph, found {0}")]
    Count(usize),
}

/// Real paragraphs have fewer than 60; the bound keeps the search for duplicates cheap.
const MAX_FIELDS: usize = 256;

impl<'a> Paragraph<'a> {
    pub fn field(&self, name: &str) -> Option<&Field<'a>> {
        self.fields.iter().find(|field| field.name.eq_ignore_ascii_case(name.as_bytes()))
    }

    /// The value of a field, if there is one.
    pub fn get(&self, name: &str) -> Option<&'a [u8]> {
        self.field(name).map(|field| field.value)
    }
}

impl<'a> Field<'a> {
    /// The value line by line, comments left out. Continuation lines lose their first blank, all lines the blanks at their end.
    pub fn lines(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let lines = self.value.split(|&b| b == b'\n').enumerate();
        lines.filter(|(_, line)| !line.starts_with(b"#")).map(|(index, line)| {
            let line = if index == 0 { line } else { &line[line.len().min(1)..] };
            line.trim_ascii_end()
        })
    }
}

/// A small number that is the same for names that differ only in case. No name is empty.
pub(super) const fn slot(name: &[u8]) -> usize {
    let (first, last) = (name[0] | 0x20, name[name.len() - 1] | 0x20);
    (name.len() * SLOT.0 + first as usize * SLOT.1 + last as usize * SLOT.2) % SLOTS
}

pub(super) const SLOTS: usize = 64;

/// Factors that tell apart the names that an index is read for.
const SLOT: (usize, usize, usize) = (1, 3, 5);

/// Reads paragraph after paragraph. Ends after the first error.
pub fn paragraphs(input: &[u8], comments: Comments) -> Paragraphs<'_> {
    Paragraphs { input, at: 0, line: 0, comments, failed: false }
}

/// Reads input that must hold one paragraph.
pub fn paragraph(input: &[u8], comments: Comments) -> Result<Paragraph<'_>, Error> {
    let mut reader = paragraphs(input, comments);
    let fail = |line, count| Error { line, fault: Fault::Count(count) };
    let first = reader.next().ok_or(fail(1, 0))??;
    match reader.next().transpose()? {
        None => Ok(first),
        Some(second) => Err(fail(second.fields[0].line, 2)),
    }
}

/// Iterator over paragraphs.
#[derive(Clone, Debug)]
pub struct Paragraphs<'a> {
    input: &'a [u8],
    at: usize,
    /// Lines read so far.
    line: usize,
    comments: Comments,
    failed: bool,
}

impl<'a> Iterator for Paragraphs<'a> {
    type Item = Result<Paragraph<'a>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        match self.paragraph() {
            Ok(fields) if fields.is_empty() => None,
            Ok(fields) => Some(Ok(Paragraph { fields })),
            Err(fault) => {
                self.failed = true;
                Some(Err(Error { line: self.line, fault }))
            }
        }
    }
}

impl<'a> Paragraphs<'a> {
    /// The bytes that were read so far.
    pub fn position(&self) -> usize {
        self.at.min(self.input.len())
    }

    /// Start and end of the next line, without its line break.
    fn next_line(&mut self) -> Option<(usize, usize)> {
        let start = self.at;
        let rest = self.input.get(start..).filter(|rest| !rest.is_empty())?;
        let end = memchr::memchr(b'\n', rest).map_or(self.input.len(), |len| start + len);
        self.at = end + 1;
        self.line += 1;
        Some((start, end))
    }

    fn paragraph(&mut self) -> Result<Vec<Field<'a>>, Fault> {
        let mut fields: Vec<Field<'a>> = Vec::with_capacity(24);
        // Where the last field's value began.
        let mut value_start = 0;
        // Bits of the names so far: most names have one that is new.
        let mut seen = 0;
        while let Some((start, end)) = self.next_line() {
            let line = &self.input[start..end];
            match line.first() {
                Some(b' ' | b'\t') => {
                    if line.trim_ascii_start().is_empty() {
                        match fields.last() {
                            Some(field) => return Err(Fault::BlankContinuation(field.name.into())),
                            // Between paragraphs blanks do not matter.
                            None => continue,
                        }
                    }
                    let field = fields.last_mut().ok_or(Fault::Continuation)?;
                    field.value = self.input[value_start..end].trim_ascii_end();
                }
                Some(b'#') if self.comments == Comments::Allow => {}
                Some(b'#') => return Err(Fault::Comment),
                None if fields.is_empty() => {}
                None => break,
                Some(_) => {
                    let field = self.field(line, &fields, &mut seen)?;
                    value_start = end - line[field.name.len() + 1..].trim_ascii_start().len();
                    fields.push(field);
                }
            }
        }
        Ok(fields)
    }

    fn field(&self, line: &'a [u8], fields: &[Field<'a>], seen: &mut u64) -> Result<Field<'a>, Fault> {
        let shown = || line[..line.len().min(80)].into();
        let colon = memchr::memchr(b':', line).ok_or_else(|| Fault::NoColon(shown()))?;
        let name = &line[..colon];
        if name.is_empty() || name[0] == b'-' || !name.iter().all(u8::is_ascii_graphic) {
            return Err(Fault::Name(name[..name.len().min(80)].into()));
        }
        let bit = 1 << (slot(name));
        let same = || fields.iter().find(|field| field.name.eq_ignore_ascii_case(name));
        if let Some(first) = if *seen & bit == 0 { None } else { same() } {
            return Err(Fault::Duplicate { name: name.into(), first: first.line });
        }
        *seen |= bit;
        if fields.len() == MAX_FIELDS {
            return Err(Fault::TooManyFields);
        }
        Ok(Field { name, value: line[colon + 1..].trim_ascii(), line: self.line })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(input: &str, comments: Comments) -> String {
        let mut out = String::new();
        for paragraph in paragraphs(input.as_bytes(), comments) {
            match paragraph {
                Ok(paragraph) => {
                    for field in paragraph.fields {
                        let lines: Vec<_> = field.lines().map(String::from_utf8_lossy).collect();
                        out += &format!("{} {}={}\n", field.line, String::from_utf8_lossy(field.name), lines.join("|"));
                    }
                    out += "--\n";
                }
                Err(error) => out += &format!("{error}\n"),
            }
        }
        out
    }

    #[test]
    fn paragraphs_of_fields() {
        let check = |input, expect| assert_eq!(show(input, Comments::Refuse), expect, "{input:?}");
        check("", "");
        check("\n\n", "");
        check("A: b\n", "1 A=b\n--\n");
        check("A:b", "1 A=b\n--\n");
        check("A:\n", "1 A=\n--\n");
        check("\n \nA: b \t\n\n\nC: d: e\r\n", "3 A=b\n--\n6 C=d: e\n--\n");
        check("D: one\n two \n  .\n\tx\nE: f\n", "1 D=one|two| .|x\n5 E=f\n--\n");
        check("C:\n a 1\n b 2\n", "1 C=|a 1|b 2\n--\n");
        check("A: b\nB: c\na: d\n", "line 3: field `a` is given twice, first on line 1\n");
        check("A: b\n \n c\n", "line 2: a blank line inside field `A`\n");
        check("A: b\n\n c\n", "1 A=b\n--\nline 3: a continuation line without a field\n");
        check("A: b\nC\n", "line 2: expected `Name: value`, found `C`\n");
        check(": b\n", "line 1: bad field name ``\n");
        check("-A: b\n", "line 1: bad field name `-A`\n");
        check("A B: b\n", "line 1: bad field name `A B`\n");
        check("A: b\n# c\n", "line 2: comments are not allowed here\n");
    }

    #[test]
    fn comments() {
        let check = |input, expect| assert_eq!(show(input, Comments::Allow), expect, "{input:?}");
        check("# x\nA: b\n# y\n c\n# z\nD: e\n", "2 A=b|c\n6 D=e\n--\n");
        check("# x\n\n# y\n", "");
    }

    #[test]
    fn one_paragraph_and_bounds() {
        let count =
            |input: &str| paragraph(input.as_bytes(), Comments::Refuse).map(|_| ()).map_err(|error| error.fault);
        assert_eq!(count("A: b\n"), Ok(()));
        assert_eq!(count(""), Err(Fault::Count(0)));
        assert_eq!(count("A: b\n\nC: d\n"), Err(Fault::Count(2)));
        let many: String = (0..=MAX_FIELDS).map(|index| format!("F{index}: x\n")).collect();
        assert_eq!(count(&many), Err(Fault::TooManyFields));
        let bytes = paragraph(b"A: \xff\n", Comments::Refuse).expect("any bytes");
        assert_eq!(bytes.get("a"), Some(b"\xff".as_slice()));
    }
}
