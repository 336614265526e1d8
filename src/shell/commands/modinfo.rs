//! modinfo: what modules say of themselves.

use super::modprobe::Library;
use crate::{
    kmod,
    shell::{Fatal, Process, Status, files::show, options::parse},
};

/// What a signed module ends with.
const SIGNED: &[u8] = b"~Module signature appended~\n";

type Info = Vec<(Vec<u8>, Vec<u8>)>;

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = parse(
        process,
        &[
            "F field=",
            "k set-version=",
            "b basedir=",
            "0 null",
            "a author",
            "d description",
            "l license",
            "p parameters",
            "n filename",
        ],
    )?;
    if arguments.has("p") {
        return Err(process.not_modelled("-p"));
    }
    let short = [("a", "author"), ("d", "description"), ("l", "license"), ("n", "filename")];
    let short = short.iter().find(|(letter, _)| arguments.has(letter)).map(|(_, field)| field.as_bytes());
    let field = arguments.value("F").or(short).map(<[u8]>::to_vec);
    let root = process.absolute(arguments.value("b").unwrap_or(b"/"));
    let release =
        arguments.value("k").map_or_else(|| process.machine.kernel_release.clone().into_bytes(), <[u8]>::to_vec);
    let library = Library::read(process, &root, &release)?;
    let end: &[u8] = if arguments.has("0") { b"\0" } else { b"\n" };
    if arguments.operands.is_empty() {
        return process.fail("ERROR: missing module or filename.");
    }
    let mut status = Status::SUCCESS;
    for operand in &arguments.operands {
        let found = match process.lookup(operand).is_ok_and(|id| process.inode(id).is_file()) {
            true => vec![file(process, operand, field.is_none())?],
            false => by_name(process, &library, operand, field.is_none())?,
        };
        if found.is_empty() {
            process.complain(&format!("ERROR: Module {} not found.", show(operand)))?;
            status = Status::FAILURE;
        }
        for info in found {
            let Some(info) = info else {
                process.complain(&format!("ERROR: could not get modinfo from '{}'", show(operand)))?;
                status = Status::FAILURE;
                continue;
            };
            print(process, &info, field.as_deref(), end)?;
        }
    }
    Ok(status)
}

/// A file's own words, its name first; `None` when it is no module.
fn file(process: &mut Process<'_>, path: &[u8], whole: bool) -> Result<Option<Info>, Fatal> {
    let Ok(bytes) = process.read_file(path) else { return Ok(None) };
    if whole && bytes.ends_with(SIGNED) {
        return Err(process.not_modelled("the signature of a module"));
    }
    let Ok(module) = kmod::read(path, &bytes) else { return Ok(None) };
    let mut info = vec![(b"filename".to_vec(), process.absolute(path))];
    info.extend(module.info);
    Ok(Some(info))
}

fn by_name(
    process: &mut Process<'_>,
    library: &Library,
    query: &[u8],
    whole: bool,
) -> Result<Vec<Option<Info>>, Fatal> {
    let mut found = Vec::new();
    for name in library.find(query).0 {
        if let Some(path) = library.file(&name) {
            found.push(file(process, &path, whole)?);
        } else if library.is_built_in(&name) {
            let mut info = vec![(b"name".to_vec(), name.clone()), (b"filename".to_vec(), b"(builtin)".to_vec())];
            let prefix = [&name[..], b"."].concat();
            let own = library.built_in_info.iter();
            info.extend(own.filter_map(|(key, value)| Some((key.strip_prefix(&prefix[..])?.to_vec(), value.clone()))));
            found.push(Some(info));
        }
    }
    Ok(found)
}

fn print(process: &mut Process<'_>, info: &Info, field: Option<&[u8]>, end: &[u8]) -> Result<(), Fatal> {
    if field == Some(b"parm") {
        for (name, text) in parameters(info) {
            process.out(&[&name, &b":"[..], &text, end].concat())?;
        }
        return Ok(());
    }
    if let Some(field) = field {
        for (_, value) in info.iter().filter(|(key, _)| key == field) {
            process.out(&[value, end].concat())?;
        }
        return Ok(());
    }
    let is_parameter = |key: &[u8]| key == b"parm" || key == b"parmtype";
    for (key, value) in info.iter().filter(|(key, _)| !is_parameter(key)) {
        labelled(process, key, value, end)?;
    }
    for (name, text) in parameters(info) {
        labelled(process, b"parm", &[&name, &b":"[..], &text].concat(), end)?;
    }
    Ok(())
}

fn labelled(process: &mut Process<'_>, key: &[u8], value: &[u8], end: &[u8]) -> Result<(), Fatal> {
    let label = format!("{:<16}", format!("{}:", show(key)));
    process.out(&[label.as_bytes(), value, end].concat())
}

/// Parameters, the one named last first, each with its description and type.
fn parameters(info: &Info) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut found: Vec<(Vec<u8>, Vec<u8>, Vec<u8>)> = Vec::new();
    for (key, value) in info {
        let Some(colon) = value.iter().position(|&b| b == b':') else { continue };
        let (name, text) = (&value[..colon], &value[colon + 1..]);
        if key != b"parm" && key != b"parmtype" {
            continue;
        }
        let at = found.iter().position(|(known, ..)| known == name).unwrap_or_else(|| {
            found.push((name.to_vec(), Vec::new(), Vec::new()));
            found.len() - 1
        });
        match key.as_slice() {
            b"parm" => found[at].1 = text.to_vec(),
            _ => found[at].2 = text.to_vec(),
        }
    }
    let join = |(name, text, kind): (Vec<u8>, Vec<u8>, Vec<u8>)| match kind.is_empty() {
        true => (name, text),
        false => (name, [&text, &b" ("[..], &kind, b")"].concat()),
    };
    found.into_iter().rev().map(join).collect()
}
