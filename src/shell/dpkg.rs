//! What dpkg's built-in programs share: how they read options, how they fail, and the files of its database.

use super::{Fatal, Process, Status};
use crate::{
    dpkg::database::{self, Database, PackageId},
    tree::{Errno, Node, PathError, Stat},
};

/// Why a program of dpkg ends early.
pub(super) enum Stop {
    Fatal(Fatal),
    /// It says so and exits with 2.
    Error(String),
}

impl From<Fatal> for Stop {
    fn from(fatal: Fatal) -> Self {
        Self::Fatal(fatal)
    }
}

impl From<PathError> for Stop {
    fn from(error: PathError) -> Self {
        Self::Error(format!("{}: {}", error.path.escape_ascii(), error.errno))
    }
}

pub(super) fn error<T>(text: impl Into<String>) -> Result<T, Stop> {
    Err(Stop::Error(text.into()))
}

/// Ends a program: an error is printed as `NAME: error: TEXT`.
pub(super) fn end(process: &mut Process<'_>, outcome: Result<Status, Stop>) -> Result<Status, Fatal> {
    match outcome {
        Ok(status) => Ok(status),
        Err(Stop::Fatal(fatal)) => Err(fatal),
        Err(Stop::Error(text)) => {
            process.complain(&format!("error: {text}"))?;
            Ok(Status(2))
        }
    }
}

/// A command line read as dpkg's programs do: options first, long names whole, values behind `=` or as the next argument.
pub(super) struct Arguments {
    /// Options by their name in the table, with their values.
    pub(super) options: Vec<(&'static str, Vec<u8>)>,
    pub(super) operands: Vec<Vec<u8>>,
}

impl Arguments {
    pub(super) fn has(&self, name: &str) -> bool {
        self.options.iter().any(|(option, _)| *option == name)
    }

    /// The last value of an option.
    pub(super) fn value(&self, name: &str) -> Option<&[u8]> {
        self.options.iter().rev().find(|(option, _)| *option == name).map(|(_, value)| value.as_slice())
    }

    /// The one option that is among `names`, if any is.
    pub(super) fn action(&self, names: &[&'static str]) -> Option<&'static str> {
        self.options.iter().map(|(option, _)| *option).find(|option| names.contains(option))
    }
}

/// Reads a command line. The table's rows are names, short one behind a blank: `listfiles L`; `=` ends a row with a value.
pub(super) fn arguments(process: &Process<'_>, table: &'static [&'static str]) -> Result<Arguments, Stop> {
    let mut rest = process.arguments().into_iter().peekable();
    let mut options = Vec::new();
    while let Some(argument) = rest.next_if(|argument| argument.len() > 1 && argument[0] == b'-') {
        if argument == b"--" {
            break;
        }
        let unknown = || Stop::Fatal(process.not_modelled(format!("option `{}`", argument.escape_ascii())));
        let (name, value) = match argument.strip_prefix(b"--") {
            Some(long) => match long.iter().position(|&b| b == b'=') {
                Some(equals) => (&long[..equals], Some(long[equals + 1..].to_vec())),
                None => (long, None),
            },
            None => {
                let value = &argument[2..];
                let value = value.strip_prefix(b"=").unwrap_or(value);
                (&argument[1..2], (!value.is_empty()).then(|| value.to_vec()))
            }
        };
        let row = table.iter().find(|row| row.trim_end_matches('=').split(' ').any(|known| known.as_bytes() == name));
        let row = row.ok_or_else(unknown)?;
        let first = row.trim_end_matches('=').split(' ').next().unwrap_or(row);
        let value = match (row.ends_with('='), value) {
            (true, Some(value)) => value,
            (true, None) => match rest.next() {
                Some(value) => value,
                None => return error(format!("{} option takes a value", argument.escape_ascii())),
            },
            (false, None) => Vec::new(),
            (false, Some(_)) => return Err(unknown()),
        };
        options.push((first, value));
    }
    Ok(Arguments { options, operands: rest.collect() })
}

/// A file of the database; empty when it is not there.
pub(super) fn read_database(process: &Process<'_>, path: &[u8]) -> Result<bytes::Bytes, Stop> {
    match process.machine.tree.read(path) {
        Err(PathError { errno: Errno::NotFound, .. }) => Ok(bytes::Bytes::new()),
        result => Ok(result?),
    }
}

/// Replaces a file of the database by a new one.
pub(super) fn write_database(process: &mut Process<'_>, path: &[u8], bytes: Vec<u8>) -> Result<(), Stop> {
    let stat = Stat::root(0o644, process.machine.epoch.timestamp());
    match process.machine.tree.unlink(path) {
        Err(failed) if failed.errno != Errno::NotFound => return Err(failed.into()),
        _ => {}
    }
    process.machine.tree.create(path, stat, Node::Regular(bytes.into()))?;
    Ok(())
}

/// Lends the packages to `work`: those being installed, or those of the tree's own status file.
pub(super) fn with_packages<T>(
    process: &mut Process<'_>,
    work: impl FnOnce(&mut Process<'_>, &Database) -> Result<T, Stop>,
) -> Result<T, Stop> {
    if let Some(database) = process.machine.dpkg.take() {
        let result = work(process, &database);
        process.machine.dpkg = Some(database);
        return result;
    }
    let status = read_database(process, database::STATUS)?;
    let architectures = read_database(process, database::ARCH)?;
    let database = Database::parse(&status, &architectures, &process.machine.architecture)
        .or_else(|fault| error(format!("parsing file '/var/lib/dpkg/status': {fault}")))?;
    work(process, &database)
}

/// The installed package that an operand means: `NAME` or `NAME:ARCHITECTURE`.
pub(super) fn package(database: &Database, operand: &[u8]) -> Result<Option<PackageId>, Stop> {
    let text = String::from_utf8_lossy(operand);
    let name = text.split(':').next().unwrap_or(&text);
    if !crate::dpkg::relation::is_package_name(name) {
        return error(format!("'{text}' is not a valid package name"));
    }
    if !text.contains(':') && database.instances(name).len() > 1 {
        return error(format!("ambiguous package name '{name}' with more than one installed instance"));
    }
    Ok(database.named(&text))
}

/// The upstream version of an installed package, which programs write into files that they make.
pub(super) fn upstream_version(process: &mut Process<'_>, name: &str) -> Result<String, Fatal> {
    let found = with_packages(process, |_, database| {
        let id = database.instances(name).first();
        Ok(id.map(|id| database.get(*id).version.upstream().to_owned()))
    });
    match found {
        Ok(Some(version)) => Ok(version),
        Err(Stop::Fatal(fatal)) => Err(fatal),
        Ok(None) | Err(Stop::Error(_)) => Err(process.not_modelled(format!("a {name} whose version is not known"))),
    }
}

/// The paths that a package of this name installed on any architecture, as its `list` files have them, by architecture.
pub(super) fn installed_paths(process: &Process<'_>, package: &[u8]) -> Vec<(Vec<u8>, Vec<Vec<u8>>)> {
    const FOLDER: &[u8] = b"/var/lib/dpkg/info";
    let tree = &process.machine.tree;
    let Some(entries) = tree.find(FOLDER).and_then(|folder| folder.entries()) else { return Vec::new() };
    let lists = entries.keys().filter_map(|name| {
        let name = name.as_bytes();
        let qualifier = name.strip_suffix(b".list")?.strip_prefix(package)?;
        let architecture = if qualifier.is_empty() { Some(qualifier) } else { qualifier.strip_prefix(b":") }?;
        let bytes = tree.read(&[FOLDER, b"/", name].concat()).ok()?;
        let paths = bytes.split(|&b| b == b'\n').filter(|line| !line.is_empty()).map(<[u8]>::to_vec).collect();
        Some((architecture.to_vec(), paths))
    });
    lists.collect()
}
