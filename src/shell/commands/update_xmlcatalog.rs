//! `update-xmlcatalog`: entries of an XML catalog, kept in `/var/lib/xml-core` and written out as a whole.

use std::collections::BTreeMap;

use super::super::{
    Fatal, Process, Status,
    options::{self, Arguments},
};
use crate::tree::PathError;

/// Keys and values of a catalog, each the inside of a tag.
type Entries = BTreeMap<Vec<u8>, Vec<u8>>;

/// Which catalog is changed, and the entry.
struct Change {
    catalog: Vec<u8>,
    data: Vec<u8>,
    key: Vec<u8>,
    value: Vec<u8>,
}

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let table = &["add", "del", "file=", "id=", "local=", "package=", "root", "type=", "sort"];
    let arguments = options::parse(process, table)?;
    let change = match refusal(process, &arguments).map_or_else(|| describe(&arguments), Err) {
        Ok(change) => change,
        Err(text) => return process.fail(&format!("error: {text}")),
    };
    let adding = arguments.has("add");
    let mut entries = match process.machine.tree.read(&process.absolute(&change.data)) {
        Ok(text) => parse(&text),
        Err(_) if adding => Entries::new(),
        Err(error) => return die(process, &error),
    };
    if adding {
        let value = entries.entry(change.key.clone()).or_insert_with(|| change.value.clone());
        if *value != change.value {
            return process.fail("error: entity already registered with a different value");
        }
    } else if entries.remove(&change.key).is_none() {
        return process.fail("error: entity not registered");
    }
    match write(process, &change, &entries) {
        Ok(()) => Ok(Status::SUCCESS),
        Err(error) => die(process, &error),
    }
}

/// Ends as perl's `die` does after a file that is not there.
fn die(process: &mut Process<'_>, error: &PathError) -> Result<Status, Fatal> {
    process.complain(&error.to_string())?;
    Ok(Status(2))
}

/// Which options can't stand together, or which file is missing.
fn refusal(process: &Process<'_>, arguments: &Arguments) -> Option<String> {
    let has = |name: &str| arguments.has(name);
    let missing = |what: &str, path: &[u8]| {
        let there = process.lookup(path).is_ok_and(|id| process.inode(id).is_file());
        (!there).then(|| format!("{what} {} not found", path.escape_ascii()))
    };
    let package = arguments.value("package").map(of_package);
    let wrong = |what: &str, wrong: bool| wrong.then(|| what.to_owned());
    match (has("add"), has("del")) {
        (false, false) => return Some("either 'add' or 'del' must be given".to_owned()),
        (true, true) => return Some("only one of 'add' and 'del' can be given".to_owned()),
        _ => {}
    }
    if has("add") {
        if has("root") {
            let Some(package) = package else { return Some("package catalog not given".to_owned()) };
            let local = "local catalog and file not for adding to root catalog file";
            return missing("package catalog", &package).or_else(|| wrong(local, has("local") || has("file")));
        }
        if package.is_some() {
            let Some(local) = arguments.value("local") else { return Some("local catalog not given".to_owned()) };
            let file = "file not for adding to package catalog file";
            return missing("local catalog", local).or_else(|| wrong(file, has("file")));
        }
        return match (has("local"), arguments.value("file")) {
            (false, _) => Some("catalog not given".to_owned()),
            (true, None) => Some("file not given".to_owned()),
            (true, Some(file)) => missing("file", file),
        };
    }
    if has("root") {
        let other = "package catalog, local catalog or file not for deleting from root catalog file";
        let others = has("package") || has("local") || has("file");
        return missing("root catalog", b"/etc/xml/catalog").or_else(|| wrong(other, others));
    }
    if let Some(package) = package {
        let other = "local catalog or file not for deleting from package catalog file";
        return missing("package catalog", &package).or_else(|| wrong(other, has("local") || has("file")));
    }
    let Some(local) = arguments.value("local") else { return Some("catalog not given".to_owned()) };
    let file = "file not for deleting from local catalog file";
    missing("local catalog", local).or_else(|| wrong(file, has("file")))
}

/// A package's catalog.
fn of_package(package: &[u8]) -> Vec<u8> {
    [b"/etc/xml/", package, b".xml"].concat()
}

fn describe(arguments: &Arguments) -> Result<Change, String> {
    let Some(kind) = arguments.value("type") else { return Err("type not given".to_owned()) };
    // What is handed on to another catalog, the attribute that it starts with, and the attribute of a local catalog.
    let (delegate, start, own) = match kind {
        b"public" => ("delegatePublic", "publicIdStartString", "publicId"),
        b"system" => ("delegateSystem", "systemIdStartString", "systemId"),
        b"uri" => ("delegateURI", "uriStartString", "name"),
        _ => return Err("wrong type".to_owned()),
    };
    let Some(id) = arguments.value("id") else { return Err("id not given".to_owned()) };
    let value = |name: &str| arguments.value(name).unwrap_or_default();
    let tag = |element: &[u8], attribute: &str| [element, b" ", attribute.as_bytes(), b"=\"", id, b"\""].concat();
    let attribute = |before: &str, value: &[u8]| [before.as_bytes(), value, b"\""].concat();
    let data = |name: &[u8]| [b"/var/lib/xml-core/", name].concat();
    let package = arguments.value("package");
    if arguments.has("root") {
        let value = attribute("catalog=\"file://", &of_package(package.unwrap_or_default()));
        let key = tag(delegate.as_bytes(), start);
        return Ok(Change { catalog: b"/etc/xml/catalog".to_vec(), data: data(b"catalog"), key, value });
    }
    if let Some(package) = package {
        let value = attribute("catalog=\"file://", value("local"));
        return Ok(Change {
            catalog: of_package(package),
            data: data(package),
            key: tag(delegate.as_bytes(), start),
            value,
        });
    }
    let local = value("local");
    let name: Vec<u8> = local.iter().map(|&b| if b == b'/' { b'_' } else { b }).collect();
    let value = attribute("uri=\"", value("file"));
    Ok(Change { catalog: local.to_vec(), data: data(&name), key: tag(kind, own), value })
}

/// Reads `<key><value>` lines.
fn parse(text: &[u8]) -> Entries {
    let entry = |line: &[u8]| {
        let mut parts = line.split(|&b| b == b'>').map(|part| part.strip_prefix(b"<").unwrap_or(part).to_vec());
        (parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
    };
    text.split_inclusive(|&b| b == b'\n').map(|line| entry(&line[..line.len() - 1])).collect()
}

/// Writes the data and the catalog, whose former state is kept; neither stays without an entry.
///
/// Entries are in the order of their keys: so `--sort` has it, and without it perl's order is no certain one.
fn write(process: &mut Process<'_>, change: &Change, entries: &Entries) -> Result<(), PathError> {
    let absolute = process.absolute(&change.catalog);
    if process.lookup(&absolute).is_ok_and(|id| process.inode(id).is_file()) {
        process.machine.tree.rename(&absolute, &[absolute.as_slice(), b".old"].concat())?;
    }
    let lines = |between: &str, end: &str| {
        let line =
            |(key, value): (&Vec<u8>, &Vec<u8>)| [b"<", &key[..], between.as_bytes(), value, end.as_bytes()].concat();
        entries.iter().flat_map(line).collect::<Vec<u8>>()
    };
    process.write_file(&change.data, lines("><", ">\n"))?;
    let frame = |process: &Process<'_>, name: &str| {
        process.machine.tree.read(format!("/usr/share/xml-core/catalog.{name}").as_bytes())
    };
    let (header, footer) = (frame(process, "header")?, frame(process, "footer")?);
    process.write_file(&change.catalog, [&header, &lines(" ", "/>\n")[..], &footer].concat())?;
    if entries.is_empty() {
        process.machine.tree.unlink(&process.absolute(&change.data))?;
        process.machine.tree.unlink(&absolute)?;
    }
    Ok(())
}
