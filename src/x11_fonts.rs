//! What X11's font folders are indexed by: the names of bitmap fonts and of encodings.
//!
//! Bitmap fonts: the Portable Compiled Format, of which only the table of properties is looked at. Encodings: the files that
//! "Fonts in X11R6.8", section 4.2, describes.

/// Kind of a file in a folder of fonts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Font {
    /// A bitmap font, and its name.
    Bitmap(String),
    /// A scalable font, by its first bytes.
    Scalable,
    Other,
}

/// A font that the program may be able to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("a bitmap font in another form than PCF")]
    Form,
    #[error("a bitmap font without a name")]
    NoName,
}

const MAGIC: &[u8] = b"\x01fcp";
/// Type of the table of properties.
const PROPERTIES: u32 = 1;
/// Bit of a table's format: its numbers are big-endian.
const BIG_ENDIAN: u32 = 4;

/// What a file is, from its bytes once decompressed.
pub fn identify(bytes: &[u8]) -> Result<Font, Error> {
    const SCALABLE: [&[u8]; 8] =
        [b"\0\x01\0\0", b"OTTO", b"true", b"ttcf", b"%!PS-AdobeFont", b"%!FontType1", b"\x80\x01", b"wOF"];
    if bytes.starts_with(MAGIC) {
        return name(bytes).map(Font::Bitmap).ok_or(Error::NoName);
    }
    if bytes.starts_with(b"STARTFONT") || bytes.starts_with(b"PFR") {
        return Err(Error::Form);
    }
    Ok(if SCALABLE.iter().any(|magic| bytes.starts_with(magic)) { Font::Scalable } else { Font::Other })
}

/// A number of four bytes.
fn number(bytes: &[u8], at: usize, big: bool) -> Option<u32> {
    let word: [u8; 4] = bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
    Some(if big { u32::from_be_bytes(word) } else { u32::from_le_bytes(word) })
}

/// The property FONT, in small letters.
fn name(bytes: &[u8]) -> Option<String> {
    let index = |number: u32| usize::try_from(number).ok();
    let count = number(bytes, 4, false)?;
    let entry =
        (0..count).map(|table| 8 + 16 * table as usize).find(|&at| number(bytes, at, false) == Some(PROPERTIES))?;
    let table = bytes.get(index(number(bytes, entry + 12, false)?)?..)?;
    let big = number(table, 0, false)? & BIG_ENDIAN != 0;
    let count = index(number(table, 4, big)?)?;
    // Each is the name's offset, whether the value is a text, and the value.
    let end = 8_usize.checked_add(count.checked_mul(9)?)?.checked_next_multiple_of(4)?;
    let texts = table.get(end + 4..)?;
    let text = |offset: u32| {
        let rest = texts.get(index(offset)?..)?;
        Some(&rest[..memchr::memchr(0, rest)?])
    };
    let property = (0..count).map(|index| 8 + 9 * index).find(|&at| {
        number(table, at, big).and_then(text) == Some(b"FONT") && table.get(at + 4).is_some_and(|&is_text| is_text != 0)
    })?;
    let name = std::str::from_utf8(text(number(table, property + 5, big)?)?).ok()?;
    Some(name.to_ascii_lowercase())
}

/// The names that an encoding's file gives it; none when it is no such file.
pub fn encoding_names(bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes);
    let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
    let mut words = lines.map(|line| line.split_ascii_whitespace()).filter_map(|mut words| {
        let keyword = words.next()?;
        Some((keyword.to_owned(), words.next().map(str::to_owned)))
    });
    let Some((keyword, Some(name))) = words.next() else { return Vec::new() };
    if keyword != "STARTENCODING" {
        return Vec::new();
    }
    let more = words.take_while(|(keyword, _)| keyword != "STARTMAPPING" && keyword != "ENDENCODING");
    let aliases = more.filter(|(keyword, _)| keyword == "ALIAS").filter_map(|(_, name)| name);
    [name].into_iter().chain(aliases).collect()
}
