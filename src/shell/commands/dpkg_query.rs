//! `dpkg-query`: what the database says of packages and paths.

use std::collections::{BTreeMap, BTreeSet};

use super::super::{
    Fatal, Process, Status,
    dpkg::{self, Stop, error},
    pattern,
};
use crate::dpkg::{
    database::{Database, PackageId, Qualified},
    diversions::{self, Diversions},
    hash::path_bin,
    relation::Kind,
    state::State,
};

mod format;
mod table;

const OPTIONS: &[&str] = &[
    "list l",
    "status s",
    "listfiles L",
    "search S",
    "show W",
    "control-path c",
    "control-list",
    "control-show",
    "showformat f=",
    "admindir=",
    "no-pager",
];

const DEFAULT_FORMAT: &[u8] = b"${binary:Package}\\t${Version}\\n";

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let outcome = act(process);
    dpkg::end(process, outcome)
}

fn act(process: &mut Process<'_>) -> Result<Status, Stop> {
    let arguments = dpkg::arguments(process, OPTIONS)?;
    let actions = ["list", "status", "listfiles", "search", "show", "control-path", "control-list", "control-show"];
    let Some(action) = arguments.action(&actions) else { return error("need an action option") };
    let format = arguments.value("showformat").map(<[u8]>::to_vec);
    answer(process, action, &arguments.operands, format.as_deref())
}

/// Answers one question, for this program or for `dpkg`.
pub(super) fn answer(
    process: &mut Process<'_>,
    action: &str,
    operands: &[Vec<u8>],
    format: Option<&[u8]>,
) -> Result<Status, Stop> {
    dpkg::with_packages(process, |process, database| match action {
        "list" => list(process, database, operands),
        "status" => status(process, database, operands),
        "listfiles" => list_files(process, database, operands),
        "search" => search(process, database, operands),
        "show" => show(process, database, operands, format.unwrap_or(DEFAULT_FORMAT)),
        _ => control(process, database, action, operands),
    })
}

/// A package, or a name that another package mentions.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Entry {
    Package(PackageId),
    Mentioned(String),
}

/// Everything that dpkg has a name of and that an operand means, in its order; operands that mean nothing are complained of.
fn matching(process: &mut Process<'_>, database: &Database, operands: &[Vec<u8>]) -> Result<(Vec<Entry>, u8), Stop> {
    if operands.is_empty() {
        return Ok((database.sorted().into_iter().map(Entry::Package).collect(), 0));
    }
    let mut entries: BTreeMap<(String, String), Entry> = BTreeMap::new();
    for id in database.ids() {
        let package = database.get(id);
        let architecture =
            if database.is_native(&package.architecture) { String::new() } else { package.architecture.clone() };
        entries.insert((package.name.clone(), architecture), Entry::Package(id));
        let groups = Kind::ALL.into_iter().flat_map(|kind| package.relations(kind)).flatten();
        for relation in groups.filter(|relation| database.instances(&relation.package).is_empty()) {
            let name = relation.package.clone();
            entries.insert((name.clone(), String::new()), Entry::Mentioned(name));
        }
    }
    let mut unused: BTreeSet<&[u8]> = operands.iter().map(Vec::as_slice).collect();
    let mut found = Vec::new();
    for ((name, _), entry) in entries {
        let architecture = match &entry {
            Entry::Package(id) => database.get(*id).architecture.clone(),
            Entry::Mentioned(_) => String::new(),
        };
        let means = |operand: &[u8]| {
            let colon = operand.iter().position(|&b| b == b':');
            let (pattern, wanted) = colon.map_or((operand, None), |at| (&operand[..at], Some(&operand[at + 1..])));
            pattern::matches(pattern, name.as_bytes())
                && wanted.is_none_or(|wanted| pattern::matches(wanted, architecture.as_bytes()))
        };
        let hits: Vec<&[u8]> = operands.iter().map(Vec::as_slice).filter(|operand| means(operand)).collect();
        if !hits.is_empty() {
            hits.iter().for_each(|hit| {
                unused.remove(hit);
            });
            found.push(entry);
        }
    }
    for operand in operands.iter().filter(|operand| unused.contains(operand.as_slice())) {
        process.complain(&format!("no packages found matching {}", operand.escape_ascii()))?;
    }
    Ok((found, u8::try_from(unused.len()).unwrap_or(u8::MAX)))
}

fn list(process: &mut Process<'_>, database: &Database, operands: &[Vec<u8>]) -> Result<Status, Stop> {
    let (entries, missing) = matching(process, database, operands)?;
    let text = table::render(database, &entries);
    process.out(text.as_bytes())?;
    Ok(Status(missing))
}

fn show(process: &mut Process<'_>, database: &Database, operands: &[Vec<u8>], format: &[u8]) -> Result<Status, Stop> {
    let Some(format) = format::parse(format) else {
        process.complain("error in show format")?;
        return Ok(Status(1));
    };
    let (entries, missing) = matching(process, database, operands)?;
    for entry in &entries {
        let text = format::render(&format, process, database, entry);
        process.out(&text)?;
    }
    Ok(Status(missing))
}

fn status(process: &mut Process<'_>, database: &Database, operands: &[Vec<u8>]) -> Result<Status, Stop> {
    if operands.is_empty() {
        process.out(&database.render())?;
    }
    let mut missing = 0;
    for (index, operand) in operands.iter().enumerate() {
        match dpkg::package(database, operand)? {
            Some(id) => process.out(&database.get(id).render())?,
            None => {
                let name = operand.escape_ascii();
                process.complain(&format!("package '{name}' is not installed and no information is available"))?;
                missing += 1;
            }
        }
        if index + 1 < operands.len() {
            process.out(b"\n")?;
        }
    }
    if missing > 0 {
        process.write(2, b"Use dpkg --info (= dpkg-deb --info) to examine archive files.\n")?;
    }
    Ok(Status(missing))
}

fn diversions(process: &Process<'_>) -> Result<Diversions, Stop> {
    let bytes = dpkg::read_database(process, diversions::PATH)?;
    Diversions::parse(&bytes).or_else(|fault| error(format!("diversions file: {fault}")))
}

/// The paths of one package, as its list has them.
fn paths(process: &Process<'_>, database: &Database, id: PackageId) -> Vec<Vec<u8>> {
    let bytes = process.machine.tree.read(&database.info_path(id, "list")).unwrap_or_default();
    bytes.split(|&b| b == b'\n').filter(|line| !line.is_empty()).map(<[u8]>::to_vec).collect()
}

fn list_files(process: &mut Process<'_>, database: &Database, operands: &[Vec<u8>]) -> Result<Status, Stop> {
    if operands.is_empty() {
        return error("--listfiles needs at least one package name argument");
    }
    let diversions = diversions(process)?;
    let mut missing = 0;
    for (index, operand) in operands.iter().enumerate() {
        let id = dpkg::package(database, operand)?.filter(|id| database.get(*id).state > State::NotInstalled);
        match id {
            Some(id) => list_package(process, database, &diversions, id)?,
            None => {
                process.complain(&format!("package '{}' is not installed", operand.escape_ascii()))?;
                missing += 1;
            }
        }
        if index + 1 < operands.len() {
            process.out(b"\n")?;
        }
    }
    if missing > 0 {
        let hint = b"Use dpkg --contents (= dpkg-deb --contents) to list archive files contents.\n";
        process.write(2, hint)?;
    }
    Ok(Status(missing))
}

fn list_package(
    process: &mut Process<'_>,
    database: &Database,
    diversions: &Diversions,
    id: PackageId,
) -> Result<(), Stop> {
    let paths = paths(process, database, id);
    if paths.is_empty() {
        let name = database.name(id, Qualified::IfAmbiguous);
        process.out(format!("Package '{name}' does not contain any files (!)\n").as_bytes())?;
    }
    let ours = database.get(id).name.as_bytes();
    for path in paths {
        process.out(&[path.as_slice(), b"\n"].concat())?;
        if let Some(diversion) = diversions.from(&path) {
            let line = match diversion.package.as_deref() {
                None => b"locally diverted to: ".to_vec(),
                Some(package) if package == ours => b"package diverts others to: ".to_vec(),
                Some(package) => [b"diverted by ", package, b" to: "].concat(),
            };
            process.out(&[line.as_slice(), &diversion.to, b"\n"].concat())?;
        }
    }
    Ok(())
}

fn search(process: &mut Process<'_>, database: &Database, operands: &[Vec<u8>]) -> Result<Status, Stop> {
    if operands.is_empty() {
        return error("--search needs at least one file name pattern argument");
    }
    let diversions = diversions(process)?;
    let mut owners: BTreeMap<Vec<u8>, Vec<PackageId>> = BTreeMap::new();
    for id in database.sorted() {
        for path in paths(process, database, id) {
            owners.entry(path).or_default().push(id);
        }
    }
    for diversion in &diversions.0 {
        owners.entry(diversion.from.clone()).or_default();
        owners.entry(diversion.to.clone()).or_default();
    }
    let mut missing = 0;
    for operand in operands {
        let anchored = matches!(operand.first(), Some(b'*' | b'[' | b'?' | b'/'));
        let pattern = if anchored { operand.clone() } else { [b"*", operand.as_slice(), b"*"].concat() };
        let is_pattern = pattern.iter().any(|b| matches!(b, b'*' | b'[' | b'?' | b'\\'));
        let mut hits: Vec<&Vec<u8>> = if is_pattern {
            owners.keys().filter(|path| pattern::matches(&pattern, path)).collect()
        } else {
            let end = pattern.iter().rposition(|&b| b != b'/').map_or(0, |last| last + 1);
            owners.get_key_value(&pattern[..end]).map(|(path, _)| path).into_iter().collect()
        };
        hits.sort_by_key(|path| path_bin(path));
        for path in &hits {
            report_owner(process, database, &diversions, path, &owners[*path])?;
        }
        if hits.is_empty() {
            process.complain(&format!("no path found matching pattern {}", pattern.escape_ascii()))?;
            missing += 1;
        }
    }
    Ok(Status(missing))
}

fn report_owner(
    process: &mut Process<'_>,
    database: &Database,
    diversions: &Diversions,
    path: &[u8],
    owners: &[PackageId],
) -> Result<(), Stop> {
    if let Some(diversion) = diversions.of(path) {
        let by = match &diversion.package {
            Some(package) => [b"diversion by ", package.as_slice()].concat(),
            None => b"local diversion".to_vec(),
        };
        process.out(&[by.as_slice(), b" from: ", &diversion.from, b"\n"].concat())?;
        process.out(&[by.as_slice(), b" to: ", &diversion.to, b"\n"].concat())?;
    }
    if !owners.is_empty() {
        let names: Vec<String> = owners.iter().map(|id| database.name(*id, Qualified::IfAmbiguous)).collect();
        process.out(&[names.join(", ").as_bytes(), b": ", path, b"\n"].concat())?;
    }
    Ok(())
}

/// `--control-path`, `--control-list` and `--control-show`.
fn control(process: &mut Process<'_>, database: &Database, action: &str, operands: &[Vec<u8>]) -> Result<Status, Stop> {
    const INTERNAL: [&str; 2] = ["list", "conffiles"];
    let (package, kind) = match operands {
        [package] if action != "control-show" => (package, None),
        [package, kind] if action != "control-list" => (package, Some(String::from_utf8_lossy(kind).into_owned())),
        _ => return error(format!("--{action} takes other arguments")),
    };
    if let Some(bad) = kind.as_ref().and_then(|kind| kind.chars().find(|c| matches!(c, '/' | '.'))) {
        return error(format!("control file contains {bad}"));
    }
    let id = dpkg::package(database, package)?.filter(|id| database.get(*id).state > State::NotInstalled);
    let Some(id) = id else { return error(format!("package '{}' is not installed", package.escape_ascii())) };
    let Some(kind) = kind else {
        for kind in kinds(process, database, id).iter().filter(|kind| !INTERNAL.contains(&kind.as_str())) {
            let path = database.info_path(id, kind);
            let line = if action == "control-list" { kind.as_bytes() } else { &path };
            process.out(&[line, b"\n"].concat())?;
        }
        return Ok(Status::SUCCESS);
    };
    let path = database.info_path(id, &kind);
    match process.machine.tree.read(&path) {
        Ok(bytes) if action == "control-show" => process.out(&bytes)?,
        Ok(_) if !INTERNAL.contains(&kind.as_str()) => process.out(&[path.as_slice(), b"\n"].concat())?,
        Err(_) if action == "control-show" => return error(format!("control file '{kind}' does not exist")),
        _ => {}
    }
    Ok(Status::SUCCESS)
}

/// The kinds of control files that a package has.
fn kinds(process: &Process<'_>, database: &Database, id: PackageId) -> Vec<String> {
    let prefix = database.info_path(id, "");
    let slash = prefix.iter().rposition(|&b| b == b'/').map_or(0, |slash| slash + 1);
    let (folder, prefix) = prefix.split_at(slash);
    let Some(entries) = process.machine.tree.find(folder).and_then(|folder| folder.entries()) else {
        return Vec::new();
    };
    let names = entries.keys().filter_map(|name| name.as_bytes().strip_prefix(prefix));
    names.filter(|kind| !kind.contains(&b'.')).map(|kind| String::from_utf8_lossy(kind).into_owned()).collect()
}
