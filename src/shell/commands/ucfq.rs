//! `ucfq --with-colons`: whose configuration files are, and whether they were changed, from ucf's registry and sums.

use std::collections::{BTreeMap, BTreeSet};

use md5::{Digest, Md5};

use super::super::{Fatal, Process, Status, options};

/// What is known of one file.
#[derive(Default)]
struct File {
    /// Its real path, when it exists.
    real: Option<Vec<u8>>,
    package: Option<Vec<u8>>,
    modified: Option<bool>,
}

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = options::parse(process, &["with-colons w", "state-dir=", "debug d", "verbose v"])?;
    if !arguments.has("with-colons") {
        return Err(process.not_modelled("the table for people"));
    }
    let folder = arguments.value("state-dir").unwrap_or(b"/var/lib/ucf").to_vec();
    let registry = pairs(process, &[folder.as_slice(), b"/registry"].concat());
    let sums: BTreeMap<Vec<u8>, Vec<u8>> = pairs(process, &[folder.as_slice(), b"/hashfile"].concat())
        .into_iter()
        .map(|(sum, path)| (path, sum))
        .collect();
    let is_path = |operand: &&Vec<u8>| operand.contains(&b'/');
    if let Some(relative) = arguments.operands.iter().filter(is_path).find(|path| !path.starts_with(b"/")) {
        let line =
            format!("Need a fully qualified path name for config file \"{}\"\n", String::from_utf8_lossy(relative));
        process.write(2, line.as_bytes())?;
        return Ok(Status::SUCCESS);
    }
    let packages: BTreeSet<&Vec<u8>> = arguments.operands.iter().filter(|operand| !is_path(operand)).collect();
    let mut files: BTreeMap<Vec<u8>, File> =
        arguments.operands.iter().filter(is_path).map(|path| (path.clone(), File::default())).collect();
    for (package, path) in &registry {
        if packages.contains(package) {
            files.entry(path.clone()).or_default().package = Some(package.clone());
        }
    }
    for (path, file) in &mut files {
        let tree = &process.machine.tree;
        file.real = tree.resolve(path).ok().map(|(_, real)| real.as_bytes().to_vec());
        if let (Some(sum), Ok(bytes)) = (sums.get(path), tree.read(path)) {
            let now: String = Md5::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
            file.modified = Some(now.as_bytes() != sum);
        }
        if file.package.is_none() {
            file.package = registry.iter().rev().find(|(_, known)| known == path).map(|(package, _)| package.clone());
        }
    }
    for (path, file) in &files {
        let exists: &[u8] = if file.real.is_some() { b"Yes" } else { b"" };
        let modified: &[u8] = match file.modified {
            Some(true) => b"Yes",
            Some(false) => b"No",
            None => b"",
        };
        let package = file.package.as_deref().unwrap_or_default();
        let parts = [file.real.as_ref().unwrap_or(path).as_slice(), package, exists, modified];
        process.out(&[&parts.join(b":".as_slice())[..], b"\n"].concat())?;
    }
    Ok(Status::SUCCESS)
}

/// Lines of two words.
fn pairs(process: &Process<'_>, path: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let bytes = process.machine.tree.read(path).unwrap_or_default();
    let pair = |line: &[u8]| {
        let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        Some((words.next()?.to_vec(), words.next()?.to_vec()))
    };
    bytes.split(|&b| b == b'\n').filter_map(pair).collect()
}
