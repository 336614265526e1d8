//! `dpkg`, as far as scripts ask it questions: versions, architectures, names, and the database.

use super::{
    super::{
        Fatal, Process, Status,
        dpkg::{self, Stop, error},
        pattern,
    },
    dpkg_query,
};
use crate::{
    deb::version::{self, Version},
    dpkg::{database::Qualified, relation::is_package_name, triggers::is_path},
};

const OPTIONS: &[&str] = &[
    "compare-versions",
    "validate-version",
    "validate-pkgname",
    "validate-trigname",
    "validate-archname",
    "print-architecture",
    "print-foreign-architectures",
    "assert-support-predepends",
    "assert-working-epoch",
    "assert-long-filenames",
    "assert-multi-conrep",
    "assert-multi-arch",
    "assert-versioned-provides",
    "assert-protected-field",
    "get-selections",
    "list l",
    "status s",
    "listfiles L",
    "search S",
    "admindir=",
];

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let outcome = act(process);
    dpkg::end(process, outcome)
}

fn act(process: &mut Process<'_>) -> Result<Status, Stop> {
    let arguments = dpkg::arguments(process, OPTIONS)?;
    let action = arguments.options.iter().map(|(option, _)| *option).find(|option| *option != "admindir");
    let Some(action) = action else { return error("need an action option") };
    let operands = arguments.operands;
    match action {
        "compare-versions" => compare(process, &operands),
        "print-architecture" => {
            let line = format!("{}\n", process.machine.architecture);
            process.out(line.as_bytes())?;
            Ok(Status::SUCCESS)
        }
        "print-foreign-architectures" => dpkg::with_packages(process, |process, database| {
            for name in &database.foreign {
                process.out(format!("{name}\n").as_bytes())?;
            }
            Ok(Status::SUCCESS)
        }),
        "validate-version" => validate_version(process, one(&operands, action)?),
        "validate-pkgname" => validate(one(&operands, action)?, "package name", is_package_name),
        "validate-trigname" => validate(one(&operands, action)?, "trigger name", |name| is_path(name).is_some()),
        "validate-archname" => validate(one(&operands, action)?, "architecture name", is_architecture),
        "get-selections" => selections(process, &operands),
        "list" | "status" | "listfiles" | "search" => dpkg_query::answer(process, action, &operands, None),
        _ => Ok(Status::SUCCESS),
    }
}

fn one<'a>(operands: &'a [Vec<u8>], action: &str) -> Result<&'a [u8], Stop> {
    match operands {
        [one] => Ok(one),
        _ => error(format!("--{action} takes one argument")),
    }
}

fn validate(text: &[u8], what: &str, valid: impl Fn(&str) -> bool) -> Result<Status, Stop> {
    let text = String::from_utf8_lossy(text);
    if valid(&text) { Ok(Status::SUCCESS) } else { error(format!("{what} '{text}' is invalid")) }
}

fn is_architecture(name: &str) -> bool {
    name.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

/// What is wrong with a version, and whether dpkg goes on with it all the same.
fn syntax(text: &[u8]) -> Option<(String, bool)> {
    let text = String::from_utf8_lossy(text);
    let error = Version::new(text.trim_matches([' ', '\t'])).err()?;
    let tolerable = matches!(error.fault, version::Fault::NoDigit | version::Fault::Character);
    Some((format!("version '{text}' has bad syntax: {}", error.fault), tolerable))
}

fn validate_version(process: &mut Process<'_>, text: &[u8]) -> Result<Status, Stop> {
    match syntax(text) {
        None => Ok(Status::SUCCESS),
        Some((fault, true)) => {
            process.complain(&format!("warning: {fault}"))?;
            Ok(Status(1))
        }
        Some((fault, false)) => error(fault),
    }
}

/// Operators with what they say when the first version is earlier, equal, later.
const OPERATORS: [(&[u8], [bool; 3]); 17] = [
    (b"le", [true, true, false]),
    (b"lt", [true, false, false]),
    (b"eq", [false, true, false]),
    (b"ne", [true, false, true]),
    (b"ge", [false, true, true]),
    (b"gt", [false, false, true]),
    (b"le-nl", [true, true, false]),
    (b"lt-nl", [true, false, false]),
    (b"ge-nl", [false, true, true]),
    (b"gt-nl", [false, false, true]),
    (b"<", [true, true, false]),
    (b"<=", [true, true, false]),
    (b"<<", [true, false, false]),
    (b"=", [false, true, false]),
    (b">", [false, true, true]),
    (b">=", [false, true, true]),
    (b">>", [false, false, true]),
];

fn compare(process: &mut Process<'_>, operands: &[Vec<u8>]) -> Result<Status, Stop> {
    let [left, operator, right] = operands else {
        return error("--compare-versions takes three arguments: <version> <relation> <version>");
    };
    let Some((_, [earlier, equal, later])) = OPERATORS.iter().find(|(known, _)| known == operator) else {
        return error("--compare-versions bad relation");
    };
    let absent = |text: &[u8]| text.is_empty() || text == b"<unknown>";
    for text in [left, right] {
        match syntax(text).filter(|_| !absent(text)) {
            None => {}
            Some((fault, true)) => process.complain(&format!("warning: {fault}"))?,
            Some((fault, false)) => return error(fault),
        }
    }
    let later_when_absent = operator.ends_with(b"-nl");
    let holds = match (absent(left), absent(right)) {
        (true, true) => equal,
        // Without a version is earlier than any, or later than any with the operators that say so.
        (true, false) => {
            if later_when_absent {
                later
            } else {
                earlier
            }
        }
        (false, true) => {
            if later_when_absent {
                earlier
            } else {
                later
            }
        }
        (false, false) => match version::compare(left.trim_ascii(), right.trim_ascii()) {
            std::cmp::Ordering::Less => earlier,
            std::cmp::Ordering::Equal => equal,
            std::cmp::Ordering::Greater => later,
        },
    };
    Ok(Status(u8::from(!holds)))
}

fn selections(process: &mut Process<'_>, patterns: &[Vec<u8>]) -> Result<Status, Stop> {
    dpkg::with_packages(process, |process, database| {
        for id in database.sorted() {
            let name = database.name(id, Qualified::IfAmbiguous);
            let plain = database.name(id, Qualified::Never);
            if patterns.is_empty() || patterns.iter().any(|pattern| pattern::matches(pattern, plain.as_bytes())) {
                let tabs = "\t".repeat(6_usize.saturating_sub(name.len() / 8).max(1));
                process.out(format!("{name}{tabs}{}\n", database.get(id).want).as_bytes())?;
            }
        }
        Ok(Status::SUCCESS)
    })
}
