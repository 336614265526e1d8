//! GVariant: typed values, read from their text form and serialised. The forms are those of the GVariant Specification
//! (serialisation) and of glib's "GVariant Text Format".

mod lex;
mod parse;
mod serialise;
mod types;

pub use parse::{Fault, parse};
pub use serialise::{serialise, serialise_variant};
pub use types::Type;

/// A value; what it is alone doesn't tell its type, which always goes with it.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Integers, booleans and bytes: 1 to 8 bytes, little endian.
    Integer(i128),
    Double(f64),
    /// Strings, object paths and signatures.
    Text(Vec<u8>),
    Variant(Box<(Type, Value)>),
    Maybe(Option<Box<Value>>),
    Array(Vec<Value>),
    /// Tuples and the entries of dictionaries.
    Tuple(Vec<Value>),
}

impl Value {
    /// Compares two numbers of one type, as `g_variant_compare`.
    pub fn compare(&self, other: &Self) -> Option<std::cmp::Ordering> {
        match (self, other) {
            (Self::Integer(a), Self::Integer(b)) => Some(a.cmp(b)),
            (Self::Double(a), Self::Double(b)) => a.partial_cmp(b),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(kind: &str, text: &str, expect: Option<&[u8]>) {
        let kind = Type::parse(kind.as_bytes()).expect("a type");
        let value = parse(&kind, text.as_bytes());
        let bytes = value.as_ref().ok().map(|value| serialise(&kind, value));
        assert_eq!(bytes.as_deref(), expect, "{text}: {value:?}");
    }

    /// Expectations: g_variant_parse and g_variant_get_data of glib 2.74.
    #[test]
    fn text_becomes_bytes() {
        check("b", "true", Some(b"\x01"));
        check("b", "1", None);
        check("y", "0xff", Some(b"\xff"));
        check("y", "256", None);
        check("i", " -2 ", Some(b"\xfe\xff\xff\xff"));
        check("i", "uint32 2", None);
        check("u", "uint32 2", Some(b"\x02\0\0\0"));
        check("d", "1", Some(b"\0\0\0\0\0\0\xf0\x3f"));
        check("s", "'a\\'b\\u00e9'", Some("a'b\u{e9}\0".as_bytes()));
        check("s", "a", None);
        check("as", "[]", Some(b""));
        check("as", "@as []", Some(b""));
        check("as", "['a', \"bc\"]", Some(b"a\0bc\0\x02\x05"));
        check("(ss)", "('a', 'bc')", Some(b"a\0bc\0\x02"));
        check("(yu)", "(1, 2)", Some(b"\x01\0\0\0\x02\0\0\0"));
        check("(uy)", "(1, 2)", Some(b"\x01\0\0\0\x02\0\0\0"));
        check("ms", "nothing", Some(b""));
        check("ms", "'a'", Some(b"a\0\0"));
        check("mb", "just true", Some(b"\x01"));
        check("ay", "b'ab'", Some(b"ab\0"));
        check("v", "<'a'>", Some(b"a\0\0s"));
        check("v", "<uint32 1>", Some(b"\x01\0\0\0\0u"));
        check("a{sv}", "{'k': <1>}", Some(b"k\0\0\0\0\0\0\0\x01\0\0\0\0i\x02\x0f"));
        check("a{sv}", "@a{sv} {}", Some(b""));
        check("()", "()", Some(b"\0"));
        check("(s)", "('a',)", Some(b"a\0"));
    }
}
