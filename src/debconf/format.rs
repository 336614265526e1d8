//! The file format of debconf's databases: records of `Field: value` lines, sorted, parted by empty lines.
//!
//! Newlines inside values are written `\n`; nothing else is escaped, so that a value that holds `\n` as two letters comes
//! back as a newline, as it does from debconf.

use super::database::{Item, Items, Text};

/// Reads a database; the error is the record, counted from 1, and what is wrong with it.
pub(super) fn read(bytes: &[u8]) -> Result<Items, (usize, &'static str)> {
    let mut items = Items::default();
    let mut lines = bytes.split(|&b| b == b'\n');
    let mut record = 0;
    loop {
        record += 1;
        let mut name = None;
        let mut item = Item::default();
        let mut in_variables = false;
        let mut ended = true;
        for line in lines.by_ref() {
            if line.is_empty() {
                ended = false;
                break;
            }
            if in_variables && line[0].is_ascii_whitespace() {
                let (variable, value) = assignment(line.trim_ascii_start());
                item.variables.insert(variable, value);
                continue;
            }
            in_variables = false;
            let colon = line.iter().position(|&b| b == b':').ok_or((record, "a line without a colon"))?;
            let value = &line[colon + 1..];
            let value = if value.first().is_some_and(u8::is_ascii_whitespace) { &value[1..] } else { value };
            match line[..colon].to_ascii_lowercase().as_slice() {
                b"owners" => item.owners = list(value).map(<[u8]>::to_vec).collect(),
                b"flags" => item.flags = list(value).map(|flag| (flag.to_vec(), b"true".to_vec())).collect(),
                b"variables" => in_variables = true,
                b"name" => name = Some(value.to_vec()),
                field => {
                    item.fields.insert(field.to_vec(), unescape(value));
                }
            }
        }
        match name {
            Some(name) => items.load(name, item),
            None if item == Item::default() => {}
            None => return Err((record, "a record without a name")),
        }
        if ended {
            return Ok(items);
        }
    }
}

/// `name = value`, as the `Variables` field holds them.
fn assignment(line: &[u8]) -> (Text, Text) {
    let Some(equals) = line.iter().position(|&b| b == b'=') else { return (line.to_vec(), Text::new()) };
    let value = &line[equals + 1..];
    let value = if value.first().is_some_and(u8::is_ascii_whitespace) { &value[1..] } else { value };
    (line[..equals].trim_ascii_end().to_vec(), unescape(value))
}

fn list(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|&b| b == b',').map(<[u8]>::trim_ascii).filter(|word| !word.is_empty())
}

fn unescape(value: &[u8]) -> Text {
    replace(value, b"\\n", b"\n")
}

fn replace(text: &[u8], from: &[u8], to: &[u8]) -> Text {
    let mut out = Text::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr::memmem::find(rest, from) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(to);
        rest = &rest[at + from.len()..];
    }
    out.extend_from_slice(rest);
    out
}

/// Renders a database, items in byte order of names.
pub(super) fn write(items: &Items) -> Text {
    let mut out = Text::new();
    for (name, item) in items.iter() {
        field(&mut out, b"Name", name);
        for (key, value) in &item.fields {
            let mut key = key.clone();
            if let Some(first) = key.first_mut() {
                first.make_ascii_uppercase();
            }
            field(&mut out, &key, &replace(value, b"\n", b"\\n"));
        }
        if !item.owners.is_empty() {
            field(&mut out, b"Owners", &join(item.owners.iter()));
        }
        let flags = join(item.flags.iter().filter(|(_, value)| value.as_slice() == b"true").map(|(flag, _)| flag));
        if !flags.is_empty() {
            field(&mut out, b"Flags", &flags);
        }
        if !item.variables.is_empty() {
            out.extend_from_slice(b"Variables:\n");
        }
        for (variable, value) in &item.variables {
            out.push(b' ');
            out.extend_from_slice(variable);
            out.extend_from_slice(b" = ");
            out.extend_from_slice(&replace(value, b"\n", b"\\n"));
            out.push(b'\n');
        }
        out.push(b'\n');
    }
    out
}

fn field(out: &mut Text, name: &[u8], value: &[u8]) {
    out.extend_from_slice(name);
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.push(b'\n');
}

fn join<'a>(words: impl Iterator<Item = &'a Text>) -> Text {
    words.map(Vec::as_slice).collect::<Vec<_>>().join(b", ".as_slice())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes() {
        let text = "Name: a/b\nDefault: true\nDescription: one\\n\\ntwo\nDescription-da.utf-8: \u{d8}nsker\n\
                    Owners: p, q:amd64\nFlags: seen\nVariables:\n choices = a, b\n empty = \n\n\
                    Name: a/c\nValue: \nOwners: p\n\n";
        let items = read(text.as_bytes()).expect("valid");
        assert_eq!(String::from_utf8(write(&items)).expect("UTF-8"), text);
        assert_eq!(items.get(b"a/b").expect("there").fields[b"description".as_slice()], b"one\n\ntwo");
    }

    #[test]
    fn refuses_what_debconf_never_writes() {
        assert_eq!(read(b"Name: a\nwords\n\n").map(|_| ()), Err((1, "a line without a colon")));
        assert_eq!(read(b"Name: a\n\nValue: b\n\n").map(|_| ()), Err((2, "a record without a name")));
    }
}
