//! systemd's message catalog: texts of `*.catalog` files to the database that the journal looks them up in.
//!
//! The files' form: systemd.io, "Message Catalogs". The database's: `struct CatalogHeader` of systemd's catalog.c.

use std::collections::BTreeMap;

use zerocopy::{
    Immutable, IntoBytes,
    little_endian::{U32, U64},
};

use crate::tails::Tails;

const SIGNATURE: [u8; 8] = *b"RHHHKSLP";
/// Bytes of a language's name, its NUL included.
const LANGUAGE: usize = 32;

#[derive(IntoBytes, Immutable)]
#[repr(C)]
struct Header {
    signature: [u8; 8],
    compatible_flags: U32,
    incompatible_flags: U32,

    header_size: U64,
    n_items: U64,

    catalog_item_size: U64,
}

#[derive(IntoBytes, Immutable)]
#[repr(C)]
struct Item {
    id: [u8; 16],

    language: [u8; LANGUAGE],

    /// Into the strings behind the items.
    offset: U64,
}

const _: () = assert!(size_of::<Header>() == 40 && size_of::<Item>() == 56);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("line {0}: text before the first message id")]
    NoId(usize),
    #[error("line {0}: a message without text")]
    NoText(usize),
    #[error("line {0}: the name of a language is too long")]
    Language(usize),
    #[error("line {0}: a message that another file has too")]
    Twice(usize),
}

/// A message: its id, and its language (empty for English).
type Key = ([u8; 16], [u8; LANGUAGE]);

#[derive(Debug, Default)]
pub struct Catalog {
    /// In the order in which they were met, which that of their texts is.
    messages: Vec<(Key, Vec<u8>)>,
    known: BTreeMap<Key, usize>,
}

impl Catalog {
    /// Adds the messages of a file; its name may say the language of those that say none.
    pub fn add(&mut self, name: &[u8], text: &[u8]) -> Result<(), Error> {
        let usual = language(file_language(name), 0)?;
        let mut current: Option<Key> = None;
        let mut payload = Vec::new();
        let mut after_blank = true;
        let lines = text.strip_suffix(b"\n").unwrap_or(text).split(|&byte| byte == b'\n');
        let mut last = 0;
        for (index, line) in lines.enumerate() {
            last = index + 1;
            match line.first() {
                None => {
                    after_blank = true;
                    continue;
                }
                Some(b'#' | b';') => continue,
                Some(_) => {}
            }
            if let Some((id, own)) = heading(line).filter(|_| after_blank) {
                self.finish(current, std::mem::take(&mut payload), last)?;
                current = Some((id, own.map_or(Ok(usual), |own| language(own, last))?));
                after_blank = false;
                continue;
            }
            if current.is_none() {
                return Err(Error::NoId(last));
            }
            if after_blank {
                payload.push(b'\n');
            }
            payload.extend_from_slice(line);
            payload.push(b'\n');
            after_blank = false;
        }
        self.finish(current, payload, last)
    }

    fn finish(&mut self, key: Option<Key>, payload: Vec<u8>, line: usize) -> Result<(), Error> {
        let Some(key) = key else { return Ok(()) };
        if payload.is_empty() {
            return Err(Error::NoText(line));
        }
        if self.known.insert(key, self.messages.len()).is_some() {
            return Err(Error::Twice(line));
        }
        self.messages.push((key, payload));
        Ok(())
    }

    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// The database.
    pub fn database(&self) -> Vec<u8> {
        let mut tails = Tails::default();
        let offsets: Vec<u64> = self.messages.iter().map(|(_, text)| tails.add(text) as u64).collect();
        let header = Header {
            signature: SIGNATURE,
            compatible_flags: 0.into(),
            incompatible_flags: 0.into(),
            header_size: (size_of::<Header>() as u64).into(),
            n_items: (self.messages.len() as u64).into(),
            catalog_item_size: (size_of::<Item>() as u64).into(),
        };
        let mut out = header.as_bytes().to_vec();
        for (&(id, language), &index) in &self.known {
            out.extend_from_slice(Item { id, language, offset: offsets[index].into() }.as_bytes());
        }
        out.extend_from_slice(tails.bytes());
        out
    }
}

/// `-- ID` or `-- ID LANGUAGE`.
fn heading(line: &[u8]) -> Option<([u8; 16], Option<&[u8]>)> {
    let (digits, rest) = line.strip_prefix(b"-- ")?.split_at_checked(32)?;
    let own = match rest.split_first() {
        None => None,
        Some((b' ', own)) => Some(own.trim_ascii()),
        Some(_) => return None,
    };
    let mut id = [0; 16];
    for (byte, pair) in id.iter_mut().zip(digits.chunks(2)) {
        let digit = |index: usize| char::from(pair[index]).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        *byte = digit(0)? << 4 | digit(1)?;
    }
    Some((id, own))
}

/// `de` of `systemd.de.catalog`.
fn file_language(name: &[u8]) -> &[u8] {
    let base = name.strip_suffix(b".catalog").unwrap_or_default();
    let dot = base.iter().rposition(|&byte| byte == b'.');
    dot.map(|dot| &base[dot + 1..]).filter(|language| language.len() < LANGUAGE).unwrap_or_default()
}

fn language(name: &[u8], line: usize) -> Result<[u8; LANGUAGE], Error> {
    let mut language = [0; LANGUAGE];
    let place = language[..LANGUAGE - 1].get_mut(..name.len()).ok_or(Error::Language(line))?;
    place.copy_from_slice(name);
    Ok(language)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "f77379a8490b408bbe5f6940505a777b";

    #[test]
    fn reads_messages() {
        let check = |name: &str, text: &str, expect: Result<&[(&str, &str)], Error>| {
            let mut catalog = Catalog::default();
            let found = catalog.add(name.as_bytes(), text.as_bytes()).map(|()| {
                let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end_matches('\0').to_owned();
                catalog
                    .messages
                    .iter()
                    .map(|((_, language), payload)| (text(language), text(payload)))
                    .collect::<Vec<_>>()
            });
            let expect =
                expect.map(|all| all.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect::<Vec<_>>());
            assert_eq!(found, expect, "{text}");
        };
        let one = format!("# c\n\n-- {ID}\nSubject: x\n\n\nBody\n; c\nmore\n");
        check("x.catalog", &one, Ok(&[("", "Subject: x\n\nBody\nmore\n")]));
        check("x.de.catalog", &one, Ok(&[("de", "Subject: x\n\nBody\nmore\n")]));
        check("x.catalog", &format!("-- {ID} fr \nA\n-- {ID}\n\nB\n"), Ok(&[("fr", &format!("A\n-- {ID}\n\nB\n"))]));
        check("x.catalog", "text\n", Err(Error::NoId(1)));
        check("x.catalog", &format!("-- {ID}\n"), Err(Error::NoText(1)));
        check("x.catalog", &format!("-- {ID}\na\n\n-- {ID}\nb\n"), Err(Error::Twice(5)));
        check("x.catalog", "", Ok(&[]));
    }
}
