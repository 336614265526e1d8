//! glib-compile-schemas: all settings' schemas in one file.

use crate::{
    glib::schema::{Fault, Schemas},
    shell::{Fatal, Process, Status, files::join, files::names, files::show, options},
    tree::Node,
};

pub(super) fn compile_schemas(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = options::parse(process, &["strict", "dry-run", "targetdir="])?;
    let [folder] = arguments.operands.as_slice() else { return Err(process.not_modelled("other than one folder")) };
    let Some(mut names) = names(process, folder) else {
        let line = format!("Error opening directory \u{201c}{}\u{201d}: No such file or directory\n", show(folder));
        process.write(2, line.as_bytes())?;
        return Ok(Status::FAILURE);
    };
    let strict = arguments.has("strict");
    let compiled = join(arguments.value("targetdir").unwrap_or(folder), b"gschemas.compiled");
    // Enumerations come before what may use them.
    names.sort_by_key(|name| !name.ends_with(b".enums.xml"));
    let of = |ends: &[&[u8]]| {
        let wanted = names.iter().filter(|name| ends.iter().any(|end| name.ends_with(end)));
        wanted.map(|name| join(folder, name)).collect::<Vec<_>>()
    };
    let files = of(&[b".gschema.xml", b".enums.xml"]);
    if files.is_empty() {
        // The program removes the file even when it is told to write none.
        let outcome = if remove(process, &compiled) { "removed existing output file" } else { "doing nothing" };
        process.out(format!("No schema files found: {outcome}.\n").as_bytes())?;
        return Ok(Status::SUCCESS);
    }
    let overrides = of(&[b".gschema.override"]);
    let Some(schemas) = read(process, &files, &overrides, strict)? else { return Ok(Status::FAILURE) };
    if arguments.has("dry-run") {
        return Ok(Status::SUCCESS);
    }
    let bytes = schemas.compile().map_err(|error| process.not_modelled(error.to_string()))?;
    replace(process, &compiled, bytes)?;
    Ok(Status::SUCCESS)
}

/// The schemas of files; nothing when they are to be right and aren't.
fn read(
    process: &mut Process<'_>,
    files: &[Vec<u8>],
    overrides: &[Vec<u8>],
    strict: bool,
) -> Result<Option<Schemas>, Fatal> {
    let mut schemas = Schemas::default();
    for path in files {
        let Ok(bytes) = process.read_file(path) else {
            process.write(2, format!("Failed to open file \u{201c}{}\u{201d}\n", show(path)).as_bytes())?;
            continue;
        };
        let text = std::str::from_utf8(&bytes);
        let text = text.map_err(|_| process.not_modelled(format!("{}, which is not UTF-8,", show(path))))?;
        match schemas.add(text) {
            Ok(()) => {}
            Err(fault @ Fault::NotModelled { .. }) => {
                return Err(process.not_modelled(format!("{}: {fault}: that", show(path))));
            }
            Err(Fault::Rejected { line, reason }) => {
                if give_up(
                    process,
                    &format!("{}:{line}  {reason}.  ", show(path)),
                    "This entire file has been ignored.",
                    strict,
                )? {
                    return Ok(None);
                }
            }
        }
    }
    for path in overrides {
        let Ok(bytes) = process.read_file(path) else { continue };
        let warnings = match schemas.set_overrides(&bytes) {
            Ok(warnings) => warnings,
            Err(reason) => {
                if give_up(process, &format!("{}: {reason}.  ", show(path)), "Ignoring this file.", strict)? {
                    return Ok(None);
                }
                continue;
            }
        };
        for warning in warnings {
            if give_up(process, &format!("{}: {warning}", show(path)), "", strict)? {
                return Ok(None);
            }
        }
    }
    Ok(Some(schemas))
}

/// Says what is wrong; whether that ends the program.
fn give_up(process: &mut Process<'_>, what: &str, otherwise: &str, strict: bool) -> Result<bool, Fatal> {
    let outcome = if strict { "--strict was specified; exiting." } else { otherwise };
    process.write(2, format!("{what}{outcome}\n").as_bytes())?;
    Ok(strict)
}

/// Writes a file in place of what is at a path.
pub(super) fn replace(process: &mut Process<'_>, path: &[u8], bytes: Vec<u8>) -> Result<(), Fatal> {
    remove(process, path);
    let made = process.create(path, 0o666, Node::Regular(bytes.into()));
    made.map(drop).map_err(|error| process.not_modelled(error.to_string()))
}

/// Whether there was something to remove.
fn remove(process: &mut Process<'_>, path: &[u8]) -> bool {
    let path = process.absolute(path);
    process.machine.tree.unlink(&path).is_ok()
}
