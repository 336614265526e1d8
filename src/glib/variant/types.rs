//! Types, and how they are laid out.

/// A type of the specification's section 2.3.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    /// A letter of `bynqiuxthd`, `sog` or `v`.
    Basic(u8),
    Maybe(Box<Type>),
    Array(Box<Type>),
    Tuple(Vec<Type>),
    Entry(Box<(Type, Type)>),
}

/// Types may be nested as deep as this.
const DEPTH: usize = 128;

impl Type {
    pub const STRING: Self = Self::Basic(b's');
    pub const BYTE: Self = Self::Basic(b'y');
    pub const UINT32: Self = Self::Basic(b'u');

    /// The type that a type string stands for.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let (found, rest) = prefix(text, DEPTH)?;
        rest.is_empty().then_some(found)
    }

    pub fn text(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Basic(letter) => out.push(*letter),
            Self::Maybe(inner) => {
                out.push(b'm');
                inner.write(out);
            }
            Self::Array(inner) => {
                out.push(b'a');
                inner.write(out);
            }
            Self::Tuple(members) => {
                out.push(b'(');
                members.iter().for_each(|member| member.write(out));
                out.push(b')');
            }
            Self::Entry(entry) => {
                out.push(b'{');
                entry.0.write(out);
                entry.1.write(out);
                out.push(b'}');
            }
        }
    }

    /// What a tuple or an entry of a dictionary has in it.
    pub(super) fn members(&self) -> Vec<&Self> {
        match self {
            Self::Tuple(members) => members.iter().collect(),
            Self::Entry(entry) => vec![&entry.0, &entry.1],
            _ => Vec::new(),
        }
    }

    /// Bytes.
    pub(super) fn alignment(&self) -> usize {
        match self {
            Self::Basic(b'n' | b'q') => 2,
            Self::Basic(b'i' | b'u' | b'h') => 4,
            Self::Basic(b'x' | b't' | b'd' | b'v') => 8,
            Self::Basic(_) => 1,
            Self::Maybe(inner) | Self::Array(inner) => inner.alignment(),
            Self::Tuple(_) | Self::Entry(_) => self.members().into_iter().map(Self::alignment).max().unwrap_or(1),
        }
    }

    /// Bytes, when every value has as many.
    pub(super) fn fixed_size(&self) -> Option<usize> {
        match self {
            Self::Basic(b'y' | b'b') => Some(1),
            Self::Basic(b'n' | b'q') => Some(2),
            Self::Basic(b'i' | b'u' | b'h') => Some(4),
            Self::Basic(b'x' | b't' | b'd') => Some(8),
            Self::Basic(_) | Self::Maybe(_) | Self::Array(_) => None,
            Self::Tuple(_) | Self::Entry(_) => {
                let mut size = 0_usize;
                for member in self.members() {
                    size = size.next_multiple_of(member.alignment()) + member.fixed_size()?;
                }
                // The unit has one byte, so that an array of units can be counted.
                Some(size.next_multiple_of(self.alignment()).max(1))
            }
        }
    }
}

fn prefix(text: &[u8], depth: usize) -> Option<(Type, &[u8])> {
    let depth = depth.checked_sub(1)?;
    let (&first, mut rest) = text.split_first()?;
    match first {
        b'b' | b'y' | b'n' | b'q' | b'i' | b'u' | b'x' | b't' | b'h' | b'd' | b's' | b'o' | b'g' | b'v' => {
            Some((Type::Basic(first), rest))
        }
        b'm' => prefix(rest, depth).map(|(inner, rest)| (Type::Maybe(Box::new(inner)), rest)),
        b'a' => prefix(rest, depth).map(|(inner, rest)| (Type::Array(Box::new(inner)), rest)),
        b'(' => {
            let mut members = Vec::new();
            while rest.first() != Some(&b')') {
                let (member, behind) = prefix(rest, depth)?;
                members.push(member);
                rest = behind;
            }
            Some((Type::Tuple(members), &rest[1..]))
        }
        b'{' => {
            let (key, behind) = prefix(rest, depth)?;
            let (value, behind) = prefix(behind, depth)?;
            let basic = matches!(key, Type::Basic(letter) if letter != b'v');
            let rest = behind.strip_prefix(b"}")?;
            basic.then(|| (Type::Entry(Box::new((key, value))), rest))
        }
        _ => None,
    }
}
