//! Command lines read as GNU's `getopt_long` reads them: short options bundled, long ones abbreviated, operands anywhere.
//!
//! A command's table has one row an option: its names separated by a blank, the single letters being short options, with `=`
//! at the end when it takes a value and `?` when the value may be left out (and must be attached): `"m mode="`, `"color?"`.

use super::{Fatal, Process};

/// A command line taken apart.
#[derive(Debug, Default)]
pub(super) struct Arguments {
    /// The first name of each option's row, and its value or nothing, in the order given.
    pub options: Vec<(&'static str, Vec<u8>)>,
    pub operands: Vec<Vec<u8>>,
}

impl Arguments {
    pub(super) fn has(&self, name: &str) -> bool {
        self.options.iter().any(|(option, _)| *option == name)
    }

    /// The value of an option, the last when it is given more than once.
    pub(super) fn value(&self, name: &str) -> Option<&[u8]> {
        self.options.iter().rev().find(|(option, _)| *option == name).map(|(_, value)| value.as_slice())
    }

    /// Which of some options that overrule each other came last.
    pub(super) fn last_of(&self, names: &[&str]) -> Option<&'static str> {
        self.options.iter().rev().map(|(option, _)| *option).find(|option| names.contains(option))
    }
}

struct Row {
    names: std::str::Split<'static, char>,
    first: &'static str,
    value: Value,
}

#[derive(Clone, Copy, PartialEq)]
enum Value {
    None,
    Required,
    Optional,
}

fn row(text: &'static str) -> Row {
    let names = text.trim_end_matches(['=', '?']);
    let value = match text.as_bytes().last() {
        Some(b'=') => Value::Required,
        Some(b'?') => Value::Optional,
        _ => Value::None,
    };
    Row { first: names.split(' ').next().unwrap_or(names), names: names.split(' '), value }
}

/// Reads a command line whose options may stand behind operands.
pub(super) fn parse(process: &Process<'_>, table: &'static [&'static str]) -> Result<Arguments, Fatal> {
    read(process, process.arguments(), table, true)
}

/// The same of other arguments than the process's own.
pub(super) fn parse_list(
    process: &Process<'_>,
    arguments: Vec<Vec<u8>>,
    table: &'static [&'static str],
) -> Result<Arguments, Fatal> {
    read(process, arguments, table, true)
}

/// Reads a command line whose options end at the first operand, as those of commands that run another.
pub(super) fn parse_leading(process: &Process<'_>, table: &'static [&'static str]) -> Result<Arguments, Fatal> {
    read(process, process.arguments(), table, false)
}

fn read(
    process: &Process<'_>,
    arguments: Vec<Vec<u8>>,
    table: &'static [&'static str],
    permute: bool,
) -> Result<Arguments, Fatal> {
    let mut found = Arguments::default();
    let mut rest = arguments.into_iter();
    while let Some(argument) = rest.next() {
        if argument == b"--" {
            found.operands.extend(rest);
            break;
        }
        if let Some(long) = argument.strip_prefix(b"--") {
            let (name, attached) = match long.iter().position(|&b| b == b'=') {
                Some(equals) => (&long[..equals], Some(long[equals + 1..].to_vec())),
                None => (long, None),
            };
            let row = long_row(table, name).ok_or_else(|| unknown(process, &argument))?;
            let value = match (row.value, attached) {
                (Value::None, None) => Vec::new(),
                (Value::None, Some(_)) => return Err(unknown(process, &argument)),
                (Value::Optional, value) => value.unwrap_or_default(),
                (Value::Required, Some(value)) => value,
                (Value::Required, None) => rest.next().ok_or_else(|| without_value(process, &argument))?,
            };
            found.options.push((row.first, value));
        } else if argument.len() > 1 && argument[0] == b'-' {
            let mut letters = &argument[1..];
            while let Some((&letter, behind)) = letters.split_first() {
                letters = behind;
                let row = short_row(table, letter).ok_or_else(|| unknown(process, &argument))?;
                let value = match row.value {
                    Value::None => Vec::new(),
                    Value::Required if letters.is_empty() => {
                        rest.next().ok_or_else(|| without_value(process, &argument))?
                    }
                    Value::Required | Value::Optional => std::mem::take(&mut letters).to_vec(),
                };
                found.options.push((row.first, value));
            }
        } else {
            found.operands.push(argument);
            if !permute {
                found.operands.extend(rest);
                break;
            }
        }
    }
    Ok(found)
}

fn short_row(table: &'static [&'static str], letter: u8) -> Option<Row> {
    table.iter().map(|text| row(text)).find(|row| row.names.clone().any(|name| name.as_bytes() == [letter]))
}

/// The row of a long option: by its whole name or by a beginning that no other option shares.
fn long_row(table: &'static [&'static str], name: &[u8]) -> Option<Row> {
    let longs = |row: &Row| row.names.clone().filter(|name| name.len() > 1).map(str::as_bytes).collect::<Vec<_>>();
    if let Some(exact) = table.iter().map(|text| row(text)).find(|row| longs(row).contains(&name)) {
        return Some(exact);
    }
    let mut starting = table.iter().map(|text| row(text)).filter(|row| longs(row).iter().any(|n| n.starts_with(name)));
    let first = starting.next()?;
    starting.next().is_none().then_some(first)
}

fn unknown(process: &Process<'_>, argument: &[u8]) -> Fatal {
    process.not_modelled(format!("option `{}`", argument.escape_ascii()))
}

fn without_value(process: &Process<'_>, argument: &[u8]) -> Fatal {
    process.not_modelled(format!("option `{}` without its value", argument.escape_ascii()))
}
