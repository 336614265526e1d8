//! glib-compile-schemas and gio-querymodules, as far as there is nothing for them: what packages call them for is to make caches
//! of settings' schemas and of modules, and to take the caches away when the last of those has gone.

use crate::shell::{Fatal, Process, Status, files::show, options};

pub(super) fn compile_schemas(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = options::parse(process, &["strict", "allow-any-name", "dry-run", "targetdir="])?;
    let [folder] = arguments.operands.as_slice() else { return Err(process.not_modelled("other than one folder")) };
    if arguments.has("targetdir") || arguments.has("allow-any-name") {
        return Err(process.not_modelled("--targetdir and --allow-any-name"));
    }
    let Some(names) = names(process, folder) else {
        let line = format!("Error opening directory \u{201c}{}\u{201d}: No such file or directory\n", show(folder));
        process.write(2, line.as_bytes())?;
        return Ok(Status::FAILURE);
    };
    let is_schema = |name: &&Vec<u8>| [b".gschema.xml".as_slice(), b".enums.xml"].iter().any(|end| name.ends_with(end));
    if let Some(schema) = names.iter().find(is_schema) {
        return Err(process.not_modelled(format!("a schema, `{}`", show(schema))));
    }
    let compiled = [folder, b"/gschemas.compiled".as_slice()].concat();
    let had = !arguments.has("dry-run") && remove(process, &compiled);
    let outcome = if had { "removed existing output file" } else { "doing nothing" };
    process.out(format!("No schema files found: {outcome}.\n").as_bytes())?;
    Ok(Status::SUCCESS)
}

pub(super) fn query_modules(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = options::parse(process, &[])?;
    if arguments.operands.is_empty() {
        return Err(process.not_modelled("no folder"));
    }
    for folder in &arguments.operands {
        let Some(names) = names(process, folder) else {
            let folder = show(folder);
            let why = "No such file or directory";
            let line =
                format!("Unable to open directory {folder}: Error opening directory \u{201c}{folder}\u{201d}: {why}\n");
            process.write(2, line.as_bytes())?;
            continue;
        };
        if let Some(module) = names.iter().find(|name| name.ends_with(b".so")) {
            return Err(
                process.not_modelled(format!("a module, `{}`, which only its own code can describe", show(module)))
            );
        }
        remove(process, &[folder.as_slice(), b"/giomodule.cache"].concat());
    }
    Ok(Status::SUCCESS)
}

fn names(process: &Process<'_>, folder: &[u8]) -> Option<Vec<Vec<u8>>> {
    let id = process.lookup(folder).ok()?;
    let entries = process.inode(id).entries()?;
    Some(entries.keys().map(|name| name.as_bytes().to_vec()).collect())
}

/// Whether there was something to remove.
fn remove(process: &mut Process<'_>, path: &[u8]) -> bool {
    let path = process.absolute(path);
    process.machine.tree.unlink(&path).is_ok()
}
