//! dd: copies bytes by blocks.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::shell::{Fatal, Process, Status, Work, files::show, size::size};

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let mut operands: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for word in process.arguments() {
        let Some(equals) = word.iter().position(|&b| b == b'=') else {
            return process.fail(&format!("unrecognized operand '{}'", show(&word)));
        };
        let name = show(&word[..equals]);
        if !matches!(name.as_str(), "if" | "of" | "bs" | "ibs" | "obs" | "count" | "skip" | "seek" | "conv" | "status")
        {
            return Err(process.not_modelled(format!("operand `{name}`")));
        }
        operands.insert(name, word[equals + 1..].to_vec());
    }
    let mut numbers = BTreeMap::new();
    for name in ["bs", "ibs", "obs", "count", "skip", "seek"] {
        if let Some(text) = operands.get(name) {
            match size(text).and_then(|n| usize::try_from(n).ok()) {
                Some(n) => numbers.insert(name, n),
                None => return process.fail(&format!("invalid number: '{}'", show(text))),
            };
        }
    }
    let number = |name: &str| numbers.get(name).copied();
    let block_in = number("bs").or(number("ibs")).unwrap_or(512).max(1);
    let block_out = number("bs").or(number("obs")).unwrap_or(512).max(1);
    let conversions = operands.get("conv").cloned().unwrap_or_default();
    let mut keep = false;
    for conversion in conversions.split(|&b| b == b',').filter(|word| !word.is_empty()) {
        match conversion {
            b"notrunc" => keep = true,
            b"fsync" | b"fdatasync" | b"sparse" => {}
            other => return Err(process.not_modelled(format!("conversion `{}`", show(other)))),
        }
    }
    let most = number("count").map(|count| count.saturating_mul(block_in));
    let input = operands.get("if").cloned().unwrap_or_else(|| b"-".to_vec());
    let text = match read(process, &input, most)? {
        Ok(text) => text,
        Err(message) => return process.fail(&message),
    };
    let start = number("skip").unwrap_or(0).saturating_mul(block_in).min(text.len());
    let start = if input == b"/dev/zero" { 0 } else { start };
    let end = start.saturating_add(most.unwrap_or(usize::MAX)).min(text.len());
    let part = &text[start..end];
    match operands.get("of") {
        None => process.out(part)?,
        Some(path) => {
            let seek = number("seek").unwrap_or(0).saturating_mul(block_out);
            if let Err(message) = write(process, path, part, seek, keep)? {
                return process.fail(&message);
            }
        }
    }
    if operands.get("status").is_none_or(|status| status != b"none") {
        let records = |block: usize| format!("{}+{}", part.len() / block, usize::from(part.len() % block > 0));
        let report = format!(
            "{} records in\n{} records out\n{} bytes copied\n",
            records(block_in),
            records(block_out),
            part.len()
        );
        process.write(2, report.as_bytes())?;
    }
    Ok(Status::SUCCESS)
}

fn read(process: &mut Process<'_>, input: &[u8], most: Option<usize>) -> Result<Result<Bytes, String>, Fatal> {
    let limit = process.machine.limits.bytes;
    match input {
        b"/dev/zero" => match most {
            Some(length) if length as u64 <= limit => {
                process.machine.work(Work::Made(length))?;
                Ok(Ok(vec![0; length].into()))
            }
            _ => Err(Fatal::Limit { what: "bytes in a file that a script writes", limit }),
        },
        b"/dev/urandom" | b"/dev/random" => Err(process.not_modelled("randomness")),
        path => {
            let read = process.read_file(path);
            Ok(read.map_err(|error| format!("failed to open '{}': {}", show(path), error.errno)))
        }
    }
}

fn write(
    process: &mut Process<'_>,
    path: &[u8],
    part: &[u8],
    seek: usize,
    keep: bool,
) -> Result<Result<(), String>, Fatal> {
    if path == b"/dev/null" {
        return Ok(Ok(()));
    }
    let limit = process.machine.limits.bytes;
    if seek.saturating_add(part.len()) as u64 > limit {
        return Err(Fatal::Limit { what: "bytes in a file that a script writes", limit });
    }
    process.machine.fits_budget(seek + part.len())?;
    let mut whole = process.read_file(path).unwrap_or_default().to_vec();
    if !keep {
        whole.truncate(seek);
    }
    if whole.len() < seek + part.len() {
        whole.resize(seek + part.len(), 0);
    }
    whole[seek..seek + part.len()].copy_from_slice(part);
    let written = process.write_file(path, whole);
    Ok(written.map(|_| ()).map_err(|error| format!("failed to open '{}': {}", show(path), error.errno)))
}
