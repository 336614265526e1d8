//! join: lines of two sorted files that share a field.

use std::cmp::Ordering;

use crate::shell::{
    Fatal, Process, Status,
    options::{Arguments, parse},
    size::number,
    text::lines,
};

type Line = Vec<Vec<u8>>;

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments =
        parse(process, &["1=", "2=", "j=", "t=", "a=", "v=", "i ignore-case", "nocheck-order", "check-order"])?;
    let [first, second] = arguments.operands.as_slice() else {
        return process.wrong_operands(&arguments.operands, 2);
    };
    let field = |option: &str| {
        let text = arguments.value(option).or(arguments.value("j")).unwrap_or(b"1");
        number(text).filter(|n| *n > 0).and_then(|n| usize::try_from(n - 1).ok())
    };
    let (Some(key_a), Some(key_b)) = (field("1"), field("2")) else { return process.fail("invalid field number") };
    let (Some(a), Some(b)) = (process.read_operand(first)?, process.read_operand(second)?) else {
        return Ok(Status::FAILURE);
    };
    let (a, b) = (split(&arguments, &a), split(&arguments, &b));
    let key = |line: &Line, at: usize| {
        let text = line.get(at).cloned().unwrap_or_default();
        if arguments.has("i") { text.to_ascii_lowercase() } else { text }
    };
    let unpaired =
        |side: &[u8]| arguments.options.iter().any(|(option, value)| matches!(*option, "a" | "v") && value == side);
    let mut out = Vec::new();
    let (mut i, mut j) = (0, 0);
    while i < a.len() || j < b.len() {
        let order = match (a.get(i), b.get(j)) {
            (Some(_), None) => Ordering::Less,
            (None, _) => Ordering::Greater,
            (Some(x), Some(y)) => key(x, key_a).cmp(&key(y, key_b)),
        };
        match order {
            Ordering::Less => {
                if unpaired(b"1") {
                    put(&arguments, &mut out, &a[i], key_a, None);
                }
                i += 1;
            }
            Ordering::Greater => {
                if unpaired(b"2") {
                    put(&arguments, &mut out, &b[j], key_b, None);
                }
                j += 1;
            }
            Ordering::Equal => {
                let value = key(&a[i], key_a);
                let run_a = a[i..].iter().take_while(|line| key(line, key_a) == value).count();
                let run_b = b[j..].iter().take_while(|line| key(line, key_b) == value).count();
                if !arguments.has("v") {
                    for x in &a[i..i + run_a] {
                        for y in &b[j..j + run_b] {
                            put(&arguments, &mut out, x, key_a, Some((y, key_b)));
                        }
                    }
                }
                i += run_a;
                j += run_b;
            }
        }
    }
    process.out(&out)?;
    Ok(Status::SUCCESS)
}

fn split(arguments: &Arguments, text: &[u8]) -> Vec<Line> {
    let fields = |line: &[u8]| match arguments.value("t").and_then(|t| t.first().copied()) {
        Some(separator) => line.split(|&b| b == separator).map(<[u8]>::to_vec).collect(),
        None => line.split(|b| matches!(b, b' ' | b'\t')).filter(|f| !f.is_empty()).map(<[u8]>::to_vec).collect(),
    };
    lines(text, b'\n').map(fields).collect()
}

/// The shared field, then the others of both lines.
fn put(arguments: &Arguments, out: &mut Vec<u8>, line: &Line, key: usize, other: Option<(&Line, usize)>) {
    let separator = arguments.value("t").and_then(|t| t.first().copied()).unwrap_or(b' ');
    let rest = |line: &Line, key: usize| {
        line.iter().enumerate().filter(|(index, _)| *index != key).map(|(_, field)| field.clone()).collect::<Vec<_>>()
    };
    let mut fields = vec![line.get(key).cloned().unwrap_or_default()];
    fields.extend(rest(line, key));
    fields.extend(other.into_iter().flat_map(|(line, key)| rest(line, key)));
    out.extend_from_slice(&fields.join(&separator));
    out.push(b'\n');
}
