//! Values to bytes, in the byte order of little-endian machines.

use super::{Type, Value};

/// A value in its normal form.
pub fn serialise(kind: &Type, value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    write(&mut out, kind, value);
    out
}

/// A value as the content of a variant: its bytes, a NUL and its type.
pub fn serialise_variant(kind: &Type, value: &Value) -> Vec<u8> {
    let mut out = serialise(kind, value);
    out.push(0);
    out.extend_from_slice(&kind.text());
    out
}

/// Writes at an offset that the type's alignment divides.
fn write(out: &mut Vec<u8>, kind: &Type, value: &Value) {
    match (kind, value) {
        (_, Value::Integer(number)) => {
            let size = kind.fixed_size().expect("integers are of a fixed size");
            out.extend_from_slice(&number.to_le_bytes()[..size]);
        }
        (_, Value::Double(number)) => out.extend_from_slice(&number.to_le_bytes()),
        (_, Value::Text(text)) => {
            out.extend_from_slice(text);
            out.push(0);
        }
        (_, Value::Variant(inside)) => out.extend(serialise_variant(&inside.0, &inside.1)),
        (Type::Maybe(inner), Value::Maybe(Some(value))) => {
            out.extend(serialise(inner, value));
            if inner.fixed_size().is_none() {
                out.push(0);
            }
        }
        (Type::Array(inner), Value::Array(values)) => out.extend(array(inner, values)),
        (_, Value::Tuple(values)) => out.extend(tuple(kind, values)),
        // Nothing; a value of another type is never made.
        _ => {}
    }
}

fn align(out: &mut Vec<u8>, kind: &Type) {
    out.resize(out.len().next_multiple_of(kind.alignment()), 0);
}

fn array(inner: &Type, values: &[Value]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut ends = Vec::new();
    for value in values {
        align(&mut out, inner);
        out.extend(serialise(inner, value));
        ends.push(out.len());
    }
    if inner.fixed_size().is_none() {
        offsets(&mut out, &ends);
    }
    out
}

fn tuple(kind: &Type, values: &[Value]) -> Vec<u8> {
    let members = kind.members();
    let mut out = Vec::new();
    let mut ends = Vec::new();
    for (index, (member, value)) in members.iter().zip(values).enumerate() {
        align(&mut out, member);
        out.extend(serialise(member, value));
        // The last member ends where the offsets begin.
        if member.fixed_size().is_none() && index + 1 < members.len() {
            ends.push(out.len());
        }
    }
    if let Some(size) = kind.fixed_size() {
        out.resize(size, 0);
    }
    // The offsets of a tuple are written from its end.
    ends.reverse();
    offsets(&mut out, &ends);
    out
}

/// Appends offsets, all of the least size with which the end of the container can be named.
fn offsets(out: &mut Vec<u8>, ends: &[usize]) {
    let fits = |size: usize| ((out.len() + ends.len() * size) as u64) < 1_u64 << (8 * size);
    let size = [1, 2, 4].into_iter().find(|&size| fits(size)).unwrap_or(8);
    for end in ends {
        out.extend_from_slice(&(*end as u64).to_le_bytes()[..size]);
    }
}
