//! getent: entries of the databases that `/etc/nsswitch.conf` takes from files: passwd, group, shadow, gshadow, hosts,
//! services, protocols.

use crate::shell::{Fatal, Process, Status, accounts::number, options};

/// Not found.
const MISSING: Status = Status(2);

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = options::parse(process, &["s service=", "i no-idn"])?;
    let Some((database, keys)) = arguments.operands.split_first() else {
        return Err(process.not_modelled("no database"));
    };
    if arguments.has("s") {
        return Err(process.not_modelled("option `-s`"));
    }
    let database = String::from_utf8_lossy(database).into_owned();
    let file = match database.as_str() {
        "passwd" | "group" | "shadow" | "gshadow" | "services" | "protocols" | "hosts" => format!("/etc/{database}"),
        "ahosts" | "ahostsv4" | "ahostsv6" => "/etc/hosts".to_owned(),
        _ => return Err(process.not_modelled(format!("database `{database}`"))),
    };
    let text = process.machine.tree.read(file.as_bytes()).unwrap_or_default();
    let lines: Vec<Vec<u8>> = text.split(|&b| b == b'\n').filter_map(|line| entry(&database, line)).collect();
    if database.starts_with("ahosts") && !keys.is_empty() {
        return Err(process.not_modelled(format!("database `{database}`")));
    }
    if keys.is_empty() {
        for line in lines {
            process.out(&shown(&database, &line))?;
        }
        return Ok(Status::SUCCESS);
    }
    let mut status = Status::SUCCESS;
    for key in keys {
        match lines.iter().find(|line| matches(&database, line, key)) {
            Some(line) => process.out(&shown(&database, line))?,
            None => status = MISSING,
        }
    }
    Ok(status)
}

/// A line without its comment; `None` for one that is no entry.
fn entry(database: &str, line: &[u8]) -> Option<Vec<u8>> {
    let colons = matches!(database, "passwd" | "group" | "shadow" | "gshadow");
    let line = if colons { line } else { line.split(|&b| b == b'#').next().unwrap_or_default().trim_ascii() };
    let fields = line.split(|&b| b == b':').count();
    let whole = match database {
        "passwd" => fields == 7,
        "group" | "gshadow" => fields == 4,
        "shadow" => fields >= 8,
        _ => words(line).len() >= 2,
    };
    (whole && !line.starts_with(b"#")).then(|| line.to_vec())
}

fn words(line: &[u8]) -> Vec<&[u8]> {
    line.split(|b| b.is_ascii_whitespace()).filter(|word| !word.is_empty()).collect()
}

fn matches(database: &str, line: &[u8], key: &[u8]) -> bool {
    let field = |index: usize| line.split(|&b| b == b':').nth(index).unwrap_or_default();
    match database {
        "passwd" | "group" => match number(key).filter(|_| !key.is_empty()) {
            Some(id) => number(field(2)) == Some(id),
            None => field(0) == key,
        },
        "shadow" | "gshadow" => field(0) == key,
        "services" => {
            let (name, protocol) = match key.iter().position(|&b| b == b'/') {
                Some(slash) => (&key[..slash], Some(&key[slash + 1..])),
                None => (key, None),
            };
            let words = words(line);
            let (port, of) = split_slash(words[1]);
            let named =
                if number(name).is_some() { port == name } else { words[0] == name || words[2..].contains(&name) };
            named && protocol.is_none_or(|protocol| protocol == of)
        }
        "protocols" => {
            let words = words(line);
            if number(key).is_some() { words[1] == key } else { words[0] == key || words[2..].contains(&key) }
        }
        _ => {
            let words = words(line);
            words[1..].contains(&key) || words[0] == key
        }
    }
}

fn split_slash(text: &[u8]) -> (&[u8], &[u8]) {
    match text.iter().position(|&b| b == b'/') {
        Some(slash) => (&text[..slash], &text[slash + 1..]),
        None => (text, b""),
    }
}

/// An entry as getent prints it, in columns where the database has them.
fn shown(database: &str, line: &[u8]) -> Vec<u8> {
    let columns = |width: usize, words: &[&[u8]], separator: &str| {
        let mut text = words[0].to_vec();
        text.resize(text.len().max(width), b' ');
        text.extend_from_slice(separator.as_bytes());
        text.extend_from_slice(&words[1..].join(&b' '));
        text
    };
    let mut text = match database {
        "passwd" | "group" | "shadow" | "gshadow" => line.to_vec(),
        "services" | "protocols" => columns(21, &words(line), " "),
        _ => columns(15, &words(line), " "),
    };
    text.push(b'\n');
    text
}
