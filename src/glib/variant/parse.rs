//! The text form to a value of a type that is known; inside a variant the type follows from the text.

use super::{
    Type, Value,
    lex::{Words, unquote},
};

/// Why a text is no value of its type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("`{0}` is no value of type `{1}`")]
    Wrong(String, String),
    #[error("the text of a value ends too early or goes on")]
    End,
    /// glib may take it.
    #[error("the type of `{0}` is not modelled")]
    NotModelled(String),
}

/// Texts may be nested as deep as this.
const DEPTH: usize = 64;

/// What a text says before its type is known.
#[derive(Clone, Debug)]
enum Text<'t> {
    Number(&'t [u8]),
    Boolean(bool),
    String(Vec<u8>),
    Bytes(Vec<u8>),
    Array(Vec<Text<'t>>),
    Tuple(Vec<Text<'t>>),
    Dictionary(Vec<(Text<'t>, Text<'t>)>),
    /// A dictionary's entry that stands alone.
    Entry(Box<(Text<'t>, Text<'t>)>),
    Variant(Box<Text<'t>>),
    Maybe(Option<Box<Text<'t>>>),
    Typed(Type, Box<Text<'t>>),
}

/// The value that a text is, all of it.
pub fn parse(kind: &Type, text: &[u8]) -> Result<Value, Fault> {
    let mut words = Words::new(text);
    let read = read(&mut words, DEPTH)?;
    if words.peek().is_some() {
        return Err(Fault::End);
    }
    value(&read, kind)
}

fn read<'t>(words: &mut Words<'t>, depth: usize) -> Result<Text<'t>, Fault> {
    let depth = depth.checked_sub(1).ok_or(Fault::End)?;
    let word = words.next().ok_or(Fault::End)?;
    let wrong = || Fault::Wrong(show(word), "any".to_owned());
    match word[0] {
        b'[' => Ok(Text::Array(list(words, b"]", depth)?)),
        b'(' => Ok(Text::Tuple(list(words, b")", depth)?)),
        b'<' => {
            let inside = read(words, depth)?;
            if words.take(b">") { Ok(Text::Variant(Box::new(inside))) } else { Err(Fault::End) }
        }
        b'{' => dictionary(words, depth),
        b'@' => {
            let kind = Type::parse(&word[1..]).ok_or_else(wrong)?;
            Ok(Text::Typed(kind, Box::new(read(words, depth)?)))
        }
        b'\'' | b'"' => unquote(word, false).map(Text::String).ok_or_else(wrong),
        b'b' if word.len() > 1 && matches!(word[1], b'\'' | b'"') => {
            unquote(&word[1..], true).map(Text::Bytes).ok_or_else(wrong)
        }
        b'-' | b'+' | b'.' | b'0'..=b'9' => Ok(Text::Number(word)),
        _ => keyword(words, word, depth),
    }
}

fn keyword<'t>(words: &mut Words<'t>, word: &'t [u8], depth: usize) -> Result<Text<'t>, Fault> {
    let letter = match word {
        b"true" => return Ok(Text::Boolean(true)),
        b"false" => return Ok(Text::Boolean(false)),
        b"inf" | b"nan" => return Ok(Text::Number(word)),
        b"nothing" => return Ok(Text::Maybe(None)),
        b"just" => return Ok(Text::Maybe(Some(Box::new(read(words, depth)?)))),
        b"boolean" => b'b',
        b"byte" => b'y',
        b"int16" => b'n',
        b"uint16" => b'q',
        b"int32" => b'i',
        b"uint32" => b'u',
        b"int64" => b'x',
        b"uint64" => b't',
        b"handle" => b'h',
        b"double" => b'd',
        b"string" => b's',
        b"objectpath" => b'o',
        b"signature" => b'g',
        _ => return Err(Fault::Wrong(show(word), "any".to_owned())),
    };
    Ok(Text::Typed(Type::Basic(letter), Box::new(read(words, depth)?)))
}

/// What stands between commas; a tuple of one has a comma behind it.
fn list<'t>(words: &mut Words<'t>, end: &[u8], depth: usize) -> Result<Vec<Text<'t>>, Fault> {
    let mut found = Vec::new();
    loop {
        if (found.is_empty() || (end == b")" && found.len() == 1)) && words.take(end) {
            return Ok(found);
        }
        found.push(read(words, depth)?);
        let comma = words.take(b",");
        if !comma {
            let complete = end != b")" || found.len() > 1;
            return if complete && words.take(end) { Ok(found) } else { Err(Fault::End) };
        }
    }
}

fn dictionary<'t>(words: &mut Words<'t>, depth: usize) -> Result<Text<'t>, Fault> {
    let mut entries = Vec::new();
    if words.take(b"}") {
        return Ok(Text::Dictionary(entries));
    }
    loop {
        let key = read(words, depth)?;
        if entries.is_empty() && words.take(b",") {
            let value = read(words, depth)?;
            return if words.take(b"}") { Ok(Text::Entry(Box::new((key, value)))) } else { Err(Fault::End) };
        }
        if !words.take(b":") {
            return Err(Fault::End);
        }
        entries.push((key, read(words, depth)?));
        if words.take(b"}") {
            return Ok(Text::Dictionary(entries));
        }
        if !words.take(b",") {
            return Err(Fault::End);
        }
    }
}

fn value(text: &Text<'_>, kind: &Type) -> Result<Value, Fault> {
    let wrong = || Fault::Wrong(describe(text), show(&kind.text()));
    let all =
        |texts: &[Text<'_>], kind: &Type| texts.iter().map(|text| value(text, kind)).collect::<Result<Vec<_>, _>>();
    match (text, kind) {
        (Text::Typed(declared, inside), _) if declared == kind => value(inside, kind),
        (Text::Maybe(inside), Type::Maybe(inner)) => {
            let inside = inside.as_ref().map(|text| value(text, inner)).transpose()?;
            Ok(Value::Maybe(inside.map(Box::new)))
        }
        // A value stands for the maybe that has it.
        (_, Type::Maybe(inner)) => Ok(Value::Maybe(Some(Box::new(value(text, inner)?)))),
        (Text::Number(word), Type::Basic(letter)) => number(word, *letter).ok_or_else(wrong),
        (Text::Boolean(value), Type::Basic(b'b')) => Ok(Value::Integer(i128::from(*value))),
        (Text::String(text), Type::Basic(b's')) => match std::str::from_utf8(text) {
            Ok(_) => Ok(Value::Text(text.clone())),
            Err(_) => Err(wrong()),
        },
        (Text::String(_), Type::Basic(b'o' | b'g')) => Err(Fault::NotModelled(describe(text))),
        (Text::Bytes(bytes), Type::Array(inner)) if **inner == Type::BYTE => {
            let ended = bytes.iter().chain([&0]);
            Ok(Value::Array(ended.map(|&byte| Value::Integer(byte.into())).collect()))
        }
        (Text::Array(texts), Type::Array(inner)) => Ok(Value::Array(all(texts, inner)?)),
        (Text::Dictionary(entries), Type::Array(inner)) => match &**inner {
            Type::Entry(kinds) => {
                let entry = |(key, inside): &(Text<'_>, Text<'_>)| {
                    Ok(Value::Tuple(vec![value(key, &kinds.0)?, value(inside, &kinds.1)?]))
                };
                Ok(Value::Array(entries.iter().map(entry).collect::<Result<_, _>>()?))
            }
            _ => Err(wrong()),
        },
        (Text::Tuple(texts), Type::Tuple(kinds)) if texts.len() == kinds.len() => {
            let members = texts.iter().zip(kinds).map(|(text, kind)| value(text, kind));
            Ok(Value::Tuple(members.collect::<Result<_, _>>()?))
        }
        (Text::Entry(pair), Type::Entry(kinds)) => {
            Ok(Value::Tuple(vec![value(&pair.0, &kinds.0)?, value(&pair.1, &kinds.1)?]))
        }
        (Text::Variant(inside), Type::Basic(b'v')) => {
            let kind = infer(inside)?;
            let value = value(inside, &kind)?;
            Ok(Value::Variant(Box::new((kind, value))))
        }
        _ => Err(wrong()),
    }
}

fn number(word: &[u8], letter: u8) -> Option<Value> {
    let text = std::str::from_utf8(word).ok()?;
    let (negative, digits) = match text.strip_prefix(['-', '+']) {
        Some(digits) => (text.starts_with('-'), digits),
        None => (false, text),
    };
    if letter == b'd' {
        let plain = digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'));
        let known = plain || matches!(digits, "inf" | "nan");
        return text.parse().ok().filter(|_| known).map(Value::Double);
    }
    let (radix, digits) = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(digits) => (16, digits),
        None if digits.len() > 1 && digits.starts_with('0') => (8, digits),
        None => (10, digits),
    };
    let size = u64::from_str_radix(digits, radix).ok().filter(|_| !digits.starts_with('+'))?;
    let number = if negative { -i128::from(size) } else { i128::from(size) };
    let (least, most) = range(letter)?;
    (least..=most).contains(&number).then_some(Value::Integer(number))
}

/// The least and the greatest integer of a type.
fn range(letter: u8) -> Option<(i128, i128)> {
    Some(match letter {
        b'y' => (0, u8::MAX.into()),
        b'n' => (i16::MIN.into(), i16::MAX.into()),
        b'q' => (0, u16::MAX.into()),
        b'i' | b'h' => (i32::MIN.into(), i32::MAX.into()),
        b'u' => (0, u32::MAX.into()),
        b'x' => (i64::MIN.into(), i64::MAX.into()),
        b't' => (0, u64::MAX.into()),
        _ => return None,
    })
}

/// The type of a text that nothing else says the type of.
fn infer(text: &Text<'_>) -> Result<Type, Fault> {
    let same = |texts: &mut dyn Iterator<Item = &Text<'_>>| {
        let kinds = texts.map(infer).collect::<Result<Vec<_>, _>>()?;
        let first = kinds.first().filter(|first| kinds.iter().all(|kind| kind == *first));
        first.cloned().ok_or_else(|| Fault::NotModelled(describe(text)))
    };
    Ok(match text {
        Text::Number(word) => {
            let double = word.contains(&b'.')
                || (!word.starts_with(b"0x") && word.contains(&b'e'))
                || word.ends_with(b"inf")
                || word.ends_with(b"nan");
            Type::Basic(if double { b'd' } else { b'i' })
        }
        Text::Boolean(_) => Type::Basic(b'b'),
        Text::String(_) => Type::STRING,
        Text::Bytes(_) => Type::Array(Box::new(Type::BYTE)),
        Text::Array(texts) => Type::Array(Box::new(same(&mut texts.iter())?)),
        Text::Tuple(texts) => Type::Tuple(texts.iter().map(infer).collect::<Result<_, _>>()?),
        Text::Dictionary(entries) => {
            let key = same(&mut entries.iter().map(|entry| &entry.0))?;
            let value = same(&mut entries.iter().map(|entry| &entry.1))?;
            Type::Array(Box::new(Type::Entry(Box::new((key, value)))))
        }
        Text::Entry(pair) => Type::Entry(Box::new((infer(&pair.0)?, infer(&pair.1)?))),
        Text::Variant(_) => Type::Basic(b'v'),
        Text::Maybe(Some(inside)) => Type::Maybe(Box::new(infer(inside)?)),
        Text::Maybe(None) => return Err(Fault::NotModelled(describe(text))),
        Text::Typed(kind, _) => kind.clone(),
    })
}

fn show(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}

fn describe(text: &Text<'_>) -> String {
    match text {
        Text::Number(word) => show(word),
        Text::String(text) => show(text),
        other => {
            let all = format!("{other:?}");
            all.chars().take(80).collect()
        }
    }
}
