//! The names of one directory as FAT has them: a short one for each entry, a long one where that is not the name itself.

use std::collections::{BTreeMap, BTreeSet};

use super::format::{LONG_FORBIDDEN, LONG_UNITS, MAX_LONG, SHORT_SPECIALS};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FatName {
    pub(super) short: [u8; 11],
    /// Units of UTF-16; empty when the short name says all.
    pub(super) long: Vec<u16>,
}

impl FatName {
    /// Entries that the name takes.
    pub(super) fn entries(&self) -> usize {
        1 + self.long.len().div_ceil(LONG_UNITS)
    }
}

/// Why FAT can't have a name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameFault {
    #[error("is not UTF-8")]
    NotUtf8,
    #[error("has the character {0:?}")]
    Character(char),
    #[error("ends with a dot or a blank")]
    End,
    #[error("is longer than 255 units of UTF-16")]
    TooLong,
    #[error("differs from `{0}` in case only")]
    Collision(String),
    #[error("is one too many of its like")]
    NoShortName,
}

/// The FAT names of a directory's entries, in their order; on failure the index of the one at fault.
pub(super) fn assign<'a>(names: impl Iterator<Item = &'a [u8]>) -> Result<Vec<FatName>, (usize, NameFault)> {
    let mut texts = Vec::new();
    let mut folded: BTreeMap<String, &str> = BTreeMap::new();
    for (index, bytes) in names.enumerate() {
        let text = text(bytes).map_err(|fault| (index, fault))?;
        if let Some(other) = folded.insert(text.to_uppercase(), text) {
            return Err((index, NameFault::Collision(other.to_owned())));
        }
        texts.push(text);
    }
    let mut taken: BTreeSet<[u8; 11]> = texts.iter().filter_map(|text| exact(text)).collect();
    let mut tails = BTreeMap::new();
    let mut named = Vec::with_capacity(texts.len());
    for (index, text) in texts.iter().enumerate() {
        named.push(match exact(text) {
            Some(short) => FatName { short, long: Vec::new() },
            None => {
                let short = alias(text, &mut taken, &mut tails).ok_or((index, NameFault::NoShortName))?;
                FatName { short, long: text.encode_utf16().collect() }
            }
        });
    }
    Ok(named)
}

fn text(bytes: &[u8]) -> Result<&str, NameFault> {
    let text = std::str::from_utf8(bytes).map_err(|_| NameFault::NotUtf8)?;
    let is_forbidden = |c: char| c < ' ' || u8::try_from(c).is_ok_and(|byte| LONG_FORBIDDEN.contains(&byte));
    if let Some(bad) = text.chars().find(|c| is_forbidden(*c)) {
        return Err(NameFault::Character(bad));
    }
    if text.ends_with(['.', ' ']) {
        return Err(NameFault::End);
    }
    if text.encode_utf16().count() > MAX_LONG {
        return Err(NameFault::TooLong);
    }
    Ok(text)
}

fn is_short(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit() || SHORT_SPECIALS.contains(&byte)
}

/// The short name that is the name itself.
fn exact(text: &str) -> Option<[u8; 11]> {
    let (base, extension) = match text.split_once('.') {
        Some((_, "")) => return None,
        Some(parts) => parts,
        None => (text, ""),
    };
    let is_exact = !base.is_empty() && base.bytes().chain(extension.bytes()).all(is_short);
    if is_exact { join(base.as_bytes(), extension.as_bytes()) } else { None }
}

fn join(base: &[u8], extension: &[u8]) -> Option<[u8; 11]> {
    let mut short = [b' '; 11];
    short[..8].get_mut(..base.len())?.copy_from_slice(base);
    short[8..].get_mut(..extension.len())?.copy_from_slice(extension);
    Some(short)
}

/// Start of a short name and its extension, with the number that the next one gets.
type Tails = BTreeMap<(Vec<u8>, Vec<u8>), u32>;

/// A short name that no other entry has: the name in upper case if that will do, else its start with a number.
fn alias(text: &str, taken: &mut BTreeSet<[u8; 11]>, tails: &mut Tails) -> Option<[u8; 11]> {
    let stripped = text.trim_start_matches('.');
    let (base, extension) = stripped.rsplit_once('.').unwrap_or((stripped, ""));
    let clean = |part: &str| -> Vec<u8> {
        let characters = part.chars().filter(|c| !matches!(c, '.' | ' '));
        let upper = characters.map(|c| u8::try_from(c.to_ascii_uppercase()).unwrap_or(b'_'));
        upper.map(|byte| if is_short(byte) { byte } else { b'_' }).collect()
    };
    let (mut base, mut extension) = (clean(base), clean(extension));
    if let Some(short) = exact(&text.to_ascii_uppercase())
        && taken.insert(short)
    {
        return Some(short);
    }
    base.truncate(6);
    extension.truncate(3);
    let next = tails.entry((base.clone(), extension.clone())).or_insert(1);
    loop {
        let tail = format!("~{next}");
        let kept = base.len().min(8_usize.checked_sub(tail.len())?);
        *next += 1;
        let short = join(&[&base[..kept], tail.as_bytes()].concat(), &extension)?;
        if taken.insert(short) {
            return Some(short);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shorts(names: &[&str]) -> Vec<String> {
        let named = assign(names.iter().map(|name| name.as_bytes())).expect("valid names");
        let show = |name: &FatName| {
            let text = String::from_utf8_lossy(&name.short).into_owned();
            if name.long.is_empty() { text } else { text + "+" }
        };
        named.iter().map(show).collect()
    }

    #[test]
    fn short_names() {
        let check = |names: &[&str], expect: &[&str]| assert_eq!(shorts(names), expect);
        check(&["EFI", "BOOTX64.EFI", "A"], &["EFI        ", "BOOTX64 EFI", "A          "]);
        check(&["bootx64.efi", "grub.cfg"], &["BOOTX64 EFI+", "GRUB    CFG+"]);
        check(&["a long name.text", "a long other.text"], &["ALONGN~1TEX+", "ALONGO~1TEX+"]);
        check(&["a long name 1.x", "a long name 2.x"], &["ALONGN~1X  +", "ALONGN~2X  +"]);
        check(
            &[".config", "x.tar.gz", "é.d", "a+b"],
            &["CONFIG~1   +", "XTAR~1  GZ +", "_~1     D  +", "A_B~1      +"],
        );
        // What needs no long name keeps its own, whatever comes first.
        check(&["abcdef~1", "ABCDEF~1X", "abcdefgh.", "ABCDEF~2"][..2], &["ABCDEF~1   +", "ABCDEF~2   +"]);
        check(&["abcdefghi", "ABCDEF~1"], &["ABCDEF~2   +", "ABCDEF~1   "]);
    }

    #[test]
    fn numbers_grow_into_the_name() {
        let names: Vec<String> = (0..2000).map(|number| format!("long-name-{number}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let found: BTreeSet<String> = shorts(&names).into_iter().collect();
        assert_eq!(found.len(), 2000);
        assert!(found.contains("LONG-~10   +") && found.contains("LON~2000   +"), "{found:?}");
    }

    #[test]
    fn refused_names() {
        let check = |names: &[&[u8]], index: usize, expect: NameFault| {
            assert_eq!(assign(names.iter().copied()), Err((index, expect)));
        };
        check(&[b"ok", b"\xff"], 1, NameFault::NotUtf8);
        check(&[b"a:b"], 0, NameFault::Character(':'));
        check(&[b"a\x01"], 0, NameFault::Character('\x01'));
        check(&[b"a."], 0, NameFault::End);
        check(&[b"a "], 0, NameFault::End);
        check(&[b"Abc", b"aBC"], 1, NameFault::Collision("Abc".to_owned()));
        check(&["É".as_bytes(), "é".as_bytes()], 1, NameFault::Collision("É".to_owned()));
    }
}
