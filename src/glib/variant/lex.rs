//! The words of the text form.

/// Cuts a text into words; what is wrong with them, their reader finds out.
#[derive(Debug)]
pub(super) struct Words<'t> {
    rest: &'t [u8],
}

impl<'t> Words<'t> {
    pub(super) fn new(text: &'t [u8]) -> Self {
        Self { rest: text }
    }

    /// The next word, which stays; nothing at the end.
    pub(super) fn peek(&mut self) -> Option<&'t [u8]> {
        self.rest = self.rest.trim_ascii_start();
        let first = *self.rest.first().filter(|&&byte| byte != 0)?;
        Some(&self.rest[..self.length(first)])
    }

    pub(super) fn next(&mut self) -> Option<&'t [u8]> {
        let word = self.peek()?;
        self.rest = &self.rest[word.len()..];
        Some(word)
    }

    /// Takes the next word if it is this one.
    pub(super) fn take(&mut self, word: &[u8]) -> bool {
        let found = self.peek() == Some(word);
        if found {
            self.next();
        }
        found
    }

    fn length(&self, first: u8) -> usize {
        let until = |stop: fn(u8) -> bool| {
            let rest = self.rest.iter().skip(1).position(|&byte| stop(byte));
            rest.map_or(self.rest.len(), |length| length + 1)
        };
        match first {
            b'-' | b'+' | b'.' | b'0'..=b'9' => {
                until(|byte| !byte.is_ascii_alphanumeric() && !matches!(byte, b'-' | b'+' | b'.'))
            }
            b'b' if matches!(self.rest.get(1), Some(b'\'' | b'"')) => 1 + quoted(&self.rest[1..]),
            b'a'..=b'z' => until(|byte| !byte.is_ascii_alphanumeric()),
            b'\'' | b'"' => quoted(self.rest),
            b'@' => self.type_length(),
            _ => 1,
        }
    }

    /// The length of `@` and a type, which ends at a bracket that it didn't open.
    fn type_length(&self) -> usize {
        let mut open = 0_u32;
        for (index, &byte) in self.rest.iter().enumerate().skip(1) {
            match byte {
                b',' | b':' | b'>' | b']' | 0 => return index,
                _ if byte.is_ascii_whitespace() => return index,
                b'(' | b'{' => open += 1,
                b')' | b'}' if open == 0 => return index,
                b')' | b'}' => open -= 1,
                _ => {}
            }
        }
        self.rest.len()
    }
}

/// The length of a text in quotes; one that doesn't end is all that there is.
fn quoted(text: &[u8]) -> usize {
    let mut index = 1;
    while let Some(&byte) = text.get(index) {
        match byte {
            b'\\' => index += 2,
            _ if byte == text[0] => return index + 1,
            _ => index += 1,
        }
    }
    text.len()
}

/// What a text in quotes says, with the escapes that strings and byte strings share; `None` when it doesn't end or has an
/// escape that is none.
pub(super) fn unquote(word: &[u8], bytes: bool) -> Option<Vec<u8>> {
    let (&quote, rest) = word.split_first()?;
    let inside = rest.strip_suffix(&[quote])?;
    let mut out = Vec::new();
    let mut rest = inside;
    while let Some((&byte, behind)) = rest.split_first() {
        rest = behind;
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        let (&escape, behind) = rest.split_first()?;
        rest = behind;
        match escape {
            b'a' => out.push(7),
            b'b' => out.push(8),
            b'f' => out.push(12),
            b'n' => out.push(b'\n'),
            b'r' => out.push(b'\r'),
            b't' => out.push(b'\t'),
            b'v' => out.push(11),
            b'\n' => {}
            b'u' | b'U' if !bytes => {
                let length = if escape == b'u' { 4 } else { 8 };
                let digits = rest.get(..length)?;
                let number = u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
                let letter = char::from_u32(number).filter(|letter| *letter != '\0')?;
                out.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
                rest = &rest[length..];
            }
            b'0'..=b'7' if bytes => {
                let more = rest.iter().take(2).take_while(|byte| matches!(byte, b'0'..=b'7')).count();
                let digits = [&[escape], &rest[..more]].concat();
                let number = digits.iter().fold(0_u32, |number, digit| number * 8 + u32::from(digit - b'0'));
                out.push(number.to_le_bytes()[0]);
                rest = &rest[more..];
            }
            other => out.push(other),
        }
    }
    Some(out)
}
