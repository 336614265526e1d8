//! The text frame of OpenPGP, read strictly: a clearsigned message into its text and signatures, an armored block into bytes.
//!
//! RFC 9580 §6.2 and §7. What other readers let pass is refused: text outside the frame, carriage returns, unknown
//! headers. Every byte that is returned is either covered by the signature or the signature.

use std::collections::BTreeSet;

/// Bytes of a file beyond which nothing is read; Ubuntu's largest Release file has 270 kB.
const MAX_FILE: usize = 16 << 20;

/// Why a file isn't a clearsigned message or an armored block. Lines count from 1.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum FramingError {
    #[error("{size} bytes are too many, at most {MAX_FILE}")]
    TooLarge { size: usize },
    #[error("line {line}: control character 0x{byte:02x}")]
    ControlCharacter { line: usize, byte: u8 },
    #[error("the text is not UTF-8")]
    NotUtf8,
    #[error("line {line}: expected `{expected}`, found `{found}`")]
    Unexpected { line: usize, expected: String, found: String },
    #[error("line {line}: the file ends, expected `{expected}`")]
    Ends { line: usize, expected: String },
    #[error("line {line}: text after the end of the block")]
    TextAfter { line: usize },
    #[error("line {line}: a line of the signed text begins with an unescaped `-`")]
    UnescapedDash { line: usize },
    #[error("line {line}: unknown header `{header}`")]
    UnknownHeader { line: usize, header: String },
    #[error("line {line}: not base64")]
    NotBase64 { line: usize },
}

/// The parts of a clearsigned message.
pub(super) struct Clearsigned<'a> {
    /// Names of the digests that the `Hash` headers announce.
    pub(super) hashes: BTreeSet<&'a str>,
    /// What is signed: trailing blanks and dash escapes removed.
    pub(super) lines: Vec<&'a str>,
    /// The signature packets.
    pub(super) signatures: Vec<u8>,
}

const SIGNED_MESSAGE: &str = "-----BEGIN PGP SIGNED MESSAGE-----";
const SIGNATURE: &str = "SIGNATURE";

/// Takes a clearsigned message apart.
pub(super) fn clearsigned(bytes: &[u8]) -> Result<Clearsigned<'_>, FramingError> {
    let mut lines = Lines::new(bytes)?;
    lines.expect(SIGNED_MESSAGE)?;
    let mut hashes = BTreeSet::new();
    loop {
        let line = lines.next("Hash: SHA256")?;
        if line.is_empty() {
            break;
        }
        let Some(names) = line.strip_prefix("Hash: ") else {
            return Err(FramingError::UnknownHeader { line: lines.number, header: excerpt(line) });
        };
        hashes.extend(names.split(',').map(str::trim));
    }
    let begin = begin(SIGNATURE);
    let mut text = Vec::new();
    loop {
        let line = lines.next(&begin)?;
        if line == begin {
            break;
        }
        let line = match line.strip_prefix("- ") {
            Some(escaped) => escaped,
            None if line.starts_with('-') => return Err(FramingError::UnescapedDash { line: lines.number }),
            None => line,
        };
        text.push(line.trim_end_matches([' ', '\t']));
    }
    let signatures = armored(&mut lines, SIGNATURE)?;
    Ok(Clearsigned { hashes, lines: text, signatures })
}

/// Decodes the one armored block of `kind` (`SIGNATURE`, `PUBLIC KEY BLOCK`) that fills the file.
pub(super) fn block(bytes: &[u8], kind: &str) -> Result<Vec<u8>, FramingError> {
    let mut lines = Lines::new(bytes)?;
    lines.expect(&begin(kind))?;
    armored(&mut lines, kind)
}

/// A text that a detached signature covers: as a clearsigned one it may hold no carriage return.
pub(super) fn plain(bytes: &[u8]) -> Result<&str, FramingError> {
    Lines::new(bytes).map(|lines| lines.text)
}

fn begin(kind: &str) -> String {
    format!("-----BEGIN PGP {kind}-----")
}

/// What follows the line `-----BEGIN`, to the end of the file.
fn armored(lines: &mut Lines<'_>, kind: &str) -> Result<Vec<u8>, FramingError> {
    let end = format!("-----END PGP {kind}-----");
    loop {
        let line = lines.next(&end)?;
        if line.is_empty() {
            break;
        }
        if !line.starts_with("Version: ") && !line.starts_with("Comment: ") {
            return Err(FramingError::UnknownHeader { line: lines.number, header: excerpt(line) });
        }
    }
    let mut base64 = Base64::default();
    loop {
        let line = lines.next(&end)?;
        if line == end {
            break;
        }
        // The checksum protects against transmission errors only (RFC 9580 §6.1); the signature does better.
        let is_checksum = line.len() == 5 && line.starts_with('=');
        if is_checksum {
            lines.expect(&end)?;
            break;
        }
        base64.push(line).ok_or(FramingError::NotBase64 { line: lines.number })?;
    }
    let decoded = base64.finish().ok_or(FramingError::NotBase64 { line: lines.number })?;
    match lines.rest.is_empty() {
        true => Ok(decoded),
        false => Err(FramingError::TextAfter { line: lines.number + 1 }),
    }
}

struct Lines<'a> {
    text: &'a str,
    rest: &'a str,
    number: usize,
}

impl<'a> Lines<'a> {
    fn new(bytes: &'a [u8]) -> Result<Self, FramingError> {
        if bytes.len() > MAX_FILE {
            return Err(FramingError::TooLarge { size: bytes.len() });
        }
        // A carriage return is where readers disagree on what a line is, and so on what is signed.
        let control = |byte: &u8| (*byte < b' ' && !matches!(byte, b'\n' | b'\t')) || *byte == 0x7f;
        if let Some(at) = bytes.iter().position(control) {
            let line = bytes[..at].iter().filter(|byte| **byte == b'\n').count() + 1;
            return Err(FramingError::ControlCharacter { line, byte: bytes[at] });
        }
        let text = std::str::from_utf8(bytes).map_err(|_| FramingError::NotUtf8)?;
        Ok(Self { text, rest: text, number: 0 })
    }

    fn next(&mut self, expected: &str) -> Result<&'a str, FramingError> {
        self.number += 1;
        if self.rest.is_empty() {
            return Err(FramingError::Ends { line: self.number, expected: expected.to_owned() });
        }
        let (line, rest) = self.rest.split_once('\n').unwrap_or((self.rest, ""));
        self.rest = rest;
        Ok(line)
    }

    fn expect(&mut self, expected: &str) -> Result<(), FramingError> {
        let found = self.next(expected)?;
        if found == expected {
            return Ok(());
        }
        Err(FramingError::Unexpected { line: self.number, expected: expected.to_owned(), found: excerpt(found) })
    }
}

fn excerpt(line: &str) -> String {
    line.chars().take(60).collect()
}

/// A decoder of RFC 4648 §4 that takes lines; `None` is a fault.
#[derive(Default)]
struct Base64 {
    bytes: Vec<u8>,
    bits: u32,
    digits: usize,
    padding: usize,
}

impl Base64 {
    fn push(&mut self, line: &str) -> Option<()> {
        for digit in line.bytes() {
            let value = match digit {
                b'=' => {
                    self.padding += 1;
                    continue;
                }
                _ if self.padding > 0 => return None,
                b'A'..=b'Z' => digit - b'A',
                b'a'..=b'z' => digit - b'a' + 26,
                b'0'..=b'9' => digit - b'0' + 52,
                b'+' => 62,
                b'/' => 63,
                _ => return None,
            };
            self.bits = self.bits << 6 | u32::from(value);
            self.digits += 1;
            if self.digits.is_multiple_of(4) {
                let [_, a, b, c] = self.bits.to_be_bytes();
                self.bytes.extend([a, b, c]);
            }
        }
        Some(())
    }

    fn finish(mut self) -> Option<Vec<u8>> {
        let [_, _, high, low] = self.bits.to_be_bytes();
        match (self.digits % 4, self.padding) {
            (0, 0) => {}
            (2, 2) if low & 0x0f == 0 => self.bytes.push(high << 4 | low >> 4),
            (3, 1) if low & 0x03 == 0 => {
                let [_, a, b, _] = (self.bits << 6).to_be_bytes();
                self.bytes.extend([a, b]);
            }
            _ => return None,
        }
        Some(self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base64(text: &str) -> Option<Vec<u8>> {
        let mut base64 = Base64::default();
        text.lines().try_for_each(|line| base64.push(line))?;
        base64.finish()
    }

    #[test]
    fn decodes_base64() {
        let check = |text: &str, expect: Option<&str>| {
            assert_eq!(base64(text).as_deref(), expect.map(str::as_bytes), "{text}");
        };
        check("", Some(""));
        check("Zg==", Some("f"));
        check("Zm8=", Some("fo"));
        check("Zm9v", Some("foo"));
        check("Zm9v\nYmFy", Some("foobar"));
        check("Zm9vYg\n==", Some("foob"));
        for bad in ["Z", "Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "Zm9v=", "Zg==Zg==", "Zm 9v", "Zm9v-", "====="] {
            check(bad, None);
        }
    }

    const GOOD: &str = "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256, SHA512\n\nOne: 1 \t\n- -dash\n- plain\n\n\
                        -----BEGIN PGP SIGNATURE-----\nVersion: X\n\nZm9v\nYmFy\n=abcd\n-----END PGP SIGNATURE-----\n";

    #[test]
    fn takes_a_message_apart() {
        let message = clearsigned(GOOD.as_bytes()).expect("well framed");
        assert_eq!(message.hashes, BTreeSet::from(["SHA256", "SHA512"]));
        assert_eq!(message.lines, ["One: 1", "-dash", "plain", ""]);
        assert_eq!(message.signatures, b"foobar");
    }

    #[test]
    fn refuses_what_stands_outside_the_frame() {
        let check = |from: &str, to: &str, expect: &str| {
            let bad = GOOD.replacen(from, to, 1);
            let error = clearsigned(bad.as_bytes()).err().map(|error| error.to_string());
            assert_eq!(error.as_deref(), Some(expect), "{bad}");
        };
        let expected = "expected `-----BEGIN PGP SIGNED MESSAGE-----`";
        check("-----BEGIN PGP SIGNED", "x\n-----BEGIN PGP SIGNED", &format!("line 1: {expected}, found `x`"));
        check("-----BEGIN PGP SIGNED", "\n-----BEGIN PGP SIGNED", &format!("line 1: {expected}, found ``"));
        check(
            "=abcd\n-----END PGP SIGNATURE-----\n",
            "",
            "line 13: the file ends, expected `-----END PGP SIGNATURE-----`",
        );
        check("END PGP SIGNATURE-----\n", "END PGP SIGNATURE-----\nx", "line 15: text after the end of the block");
        check("END PGP SIGNATURE-----\n", "END PGP SIGNATURE-----\n\n", "line 15: text after the end of the block");
        check("Hash: ", "Suite: evil\nHash: ", "line 2: unknown header `Suite: evil`");
        check("SHA512\n\n", "SHA512\n \n", "line 3: unknown header ` `");
        check("Version: X", "Suite: evil", "line 9: unknown header `Suite: evil`");
        check("- -dash", "-dash", "line 5: a line of the signed text begins with an unescaped `-`");
        check("One: 1", "One: 1\r", "line 4: control character 0x0d");
        check("One: 1", "One: \0", "line 4: control character 0x00");
        check("Zm9v", "Zm9*", "line 11: not base64");
        check("YmFy\n=abcd", "YmF\n=abcd", "line 14: not base64");
        check("=abcd\n", "=abcd\nZm9v\n", "line 14: expected `-----END PGP SIGNATURE-----`, found `Zm9v`");
    }
}
