//! `locale`: which locale the environment asks for, and the few of its values that scripts want to know.
//!
//! Only the C library's own locales are known, C and C.UTF-8: others are files that packages make.

use crate::shell::{Fatal, Process, Status, files::show, options::parse};

/// In the order in which `locale` shows them.
const CATEGORIES: [&str; 12] = [
    "LC_CTYPE",
    "LC_NUMERIC",
    "LC_TIME",
    "LC_COLLATE",
    "LC_MONETARY",
    "LC_MESSAGES",
    "LC_PAPER",
    "LC_NAME",
    "LC_ADDRESS",
    "LC_TELEPHONE",
    "LC_MEASUREMENT",
    "LC_IDENTIFICATION",
];

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = parse(process, &["k keyword-name"])?;
    for category in CATEGORIES {
        let (locale, _) = setting(process, category);
        if !matches!(locale.as_slice(), b"C" | b"POSIX" | b"C.UTF-8" | b"C.utf8") {
            return Err(process.not_modelled(format!("the locale `{}`", show(&locale))));
        }
    }
    if arguments.operands.is_empty() {
        return settings(process);
    }
    for name in &arguments.operands {
        let utf8 = setting(process, "LC_CTYPE").0.starts_with(b"C.");
        let (value, quoted) = match name.as_slice() {
            b"charmap" => (if utf8 { "UTF-8" } else { "ANSI_X3.4-1968" }, true),
            b"width" => ("210", false),
            b"height" => ("297", false),
            _ => return Err(process.not_modelled(format!("`{}`", show(name)))),
        };
        let line = match (arguments.has("k"), quoted) {
            (false, _) => format!("{value}\n"),
            (true, false) => format!("{}={value}\n", show(name)),
            (true, true) => format!("{}=\"{value}\"\n", show(name)),
        };
        process.out(line.as_bytes())?;
    }
    Ok(Status::SUCCESS)
}

fn variable(process: &Process<'_>, name: &str) -> Option<Vec<u8>> {
    process.variable(name).filter(|value| !value.is_empty()).map(<[u8]>::to_vec)
}

/// A category's locale, and whether its own variable says so.
fn setting(process: &Process<'_>, category: &str) -> (Vec<u8>, bool) {
    if let Some(all) = variable(process, "LC_ALL") {
        return (all, false);
    }
    match variable(process, category) {
        Some(own) => (own, true),
        None => (variable(process, "LANG").unwrap_or_else(|| b"POSIX".to_vec()), false),
    }
}

fn settings(process: &mut Process<'_>) -> Result<Status, Fatal> {
    for name in ["LANG", "LANGUAGE"] {
        let value = variable(process, name).unwrap_or_default();
        process.out(&[name.as_bytes(), b"=", &value, b"\n"].concat())?;
    }
    for category in CATEGORIES {
        let (locale, own) = setting(process, category);
        let quote: &[u8] = if own { b"" } else { b"\"" };
        process.out(&[category.as_bytes(), b"=", quote, &locale, quote, b"\n"].concat())?;
    }
    let all = variable(process, "LC_ALL").unwrap_or_default();
    process.out(&[b"LC_ALL=".as_slice(), &all, b"\n"].concat())?;
    Ok(Status::SUCCESS)
}
