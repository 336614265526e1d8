//! date: shows the build's time, or another.

use crate::shell::{
    Fatal, Process, Status, date,
    files::show,
    options::{Arguments, parse},
    time::{Moment, format},
};

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = parse(
        process,
        &["d date=", "f file=", "I iso-8601?", "R rfc-email", "rfc-3339=", "r reference=", "s set=", "u utc universal"],
    )?;
    if arguments.has("s") || arguments.has("f") {
        return Err(process.not_modelled("setting the time or reading dates from a file"));
    }
    let now = process.machine.epoch.timestamp();
    let time = match (arguments.value("d"), arguments.value("r")) {
        (Some(text), _) => match date::parse(text, now) {
            Some(time) => time,
            None => return Err(process.not_modelled(format!("the date `{}`", show(text)))),
        },
        (None, Some(path)) => match process.lookup(path) {
            Ok(id) => process.inode(id).stat.mtime,
            Err(error) => return process.fail(&format!("{}: {}", show(path), error.errno)),
        },
        (None, None) => now,
    };
    let wanted = match wanted(&arguments) {
        Ok(wanted) => wanted,
        Err(message) => return process.fail(&message),
    };
    let mut text = format(&Moment::new(time.seconds, time.nanoseconds), &wanted)
        .map_err(|conversion| process.not_modelled(conversion))?;
    text.push(b'\n');
    process.out(&text)?;
    Ok(Status::SUCCESS)
}

fn wanted(arguments: &Arguments) -> Result<Vec<u8>, String> {
    match arguments.operands.as_slice() {
        [] => {}
        [format] if format.starts_with(b"+") => return Ok(format[1..].to_vec()),
        [other, ..] => return Err(format!("invalid date '{}'", show(other))),
    }
    let precise = |option: &str, between: &str| -> Result<Vec<u8>, String> {
        let zone = "%:z";
        Ok(match arguments.value(option).unwrap_or_default() {
            b"" | b"date" => "%Y-%m-%d".to_owned(),
            b"hours" => format!("%Y-%m-%d{between}%H{zone}"),
            b"minutes" => format!("%Y-%m-%d{between}%H:%M{zone}"),
            b"seconds" => format!("%Y-%m-%d{between}%H:%M:%S{zone}"),
            b"ns" => format!("%Y-%m-%d{between}%H:%M:%S,%N{zone}"),
            other => return Err(format!("invalid argument '{}' for '--{option}'", show(other))),
        }
        .into_bytes())
    };
    match arguments.last_of(&["I", "R", "rfc-3339"]) {
        Some("I") => precise("I", "T"),
        Some("R") => Ok(b"%a, %d %b %Y %H:%M:%S %z".to_vec()),
        Some(_) => precise("rfc-3339", " "),
        None => Ok(b"%a %b %e %H:%M:%S %Z %Y".to_vec()),
    }
}
