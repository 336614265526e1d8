//! modprobe: which modules would be loaded for a name, and in which order; while an image is made none can be.

use std::collections::BTreeSet;

use crate::shell::{Fatal, Process, Status, files::show, options::parse};

mod library;

pub(in crate::shell) use library::Library;

/// One step of loading.
struct Step {
    name: Vec<u8>,
    /// Set where soft dependencies stand in for the command that the configuration gives.
    ignores_command: bool,
}

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = parse(
        process,
        &[
            "a all",
            "D show-depends",
            "S set-version=",
            "i ignore-install",
            "b use-blacklist",
            "d dirname=",
            "q quiet",
            "n dry-run show",
            "R resolve-alias",
            "v verbose",
            "first-time",
        ],
    )?;
    let root = arguments.value("d").unwrap_or(b"/").to_vec();
    let release =
        arguments.value("S").map_or_else(|| process.machine.kernel_release.clone().into_bytes(), <[u8]>::to_vec);
    let library = Library::read(process, &process.absolute(&root), &release)?;
    let Some(first) = arguments.operands.first() else {
        return process.fail("ERROR: missing parameters. See -h.");
    };
    let every = arguments.has("a") || arguments.has("R");
    let (queries, options) = match every {
        true => (arguments.operands.clone(), Vec::new()),
        false => (vec![first.clone()], arguments.operands[1..].join(&b' ')),
    };
    let mut status = Status::SUCCESS;
    for query in queries {
        let (found, by_alias) = library.find(&query);
        if found.is_empty() {
            status = Status::FAILURE;
            if !arguments.has("q") {
                let kind = if arguments.has("a") { "WARNING" } else { "FATAL" };
                let folder = show(&library.folder);
                process.complain(&format!("{kind}: Module {} not found in directory {folder}", show(&query)))?;
            }
        }
        for name in found {
            if (by_alias || arguments.has("b")) && library.blacklist.contains(&name) {
                continue;
            }
            let show_steps = arguments.has("D") || arguments.has("v");
            match () {
                () if arguments.has("R") => process.out(&[&name[..], b"\n"].concat())?,
                () if show_steps => print(process, &library, &name, &options, arguments.has("i"))?,
                () => {}
            }
            let dry = arguments.has("D") || arguments.has("n") || arguments.has("R");
            if !dry && !library.is_built_in(&name) {
                process.complain(&format!("ERROR: could not insert '{}': Operation not permitted", show(&name)))?;
                status = Status::FAILURE;
            }
        }
    }
    Ok(status)
}

/// Prints what would be done to load a module.
fn print(
    process: &mut Process<'_>,
    library: &Library,
    name: &[u8],
    extra: &[u8],
    ignore_commands: bool,
) -> Result<(), Fatal> {
    let mut steps = Vec::new();
    plan(library, name, ignore_commands, &mut BTreeSet::new(), &mut steps);
    for step in steps {
        let mut options = library.options(&step.name);
        if step.name == name && !extra.is_empty() {
            if !options.is_empty() {
                options.push(b' ');
            }
            options.extend_from_slice(extra);
        }
        let command =
            library.command(&step.name).filter(|_| !(step.ignores_command || ignore_commands && step.name == name));
        let line = match (command, library.file(&step.name)) {
            (Some(command), _) => [b"install ", command, b" ", &options, b"\n"].concat(),
            (None, _) if library.is_built_in(&step.name) => [b"builtin ", &step.name[..], b"\n"].concat(),
            (None, Some(file)) => [b"insmod ", &file[..], b" ", &options, b"\n"].concat(),
            (None, None) => continue,
        };
        process.out(&line)?;
    }
    Ok(())
}

/// Adds the steps for a module: what it needs, each with its soft dependencies, then itself.
fn plan(library: &Library, name: &[u8], plain: bool, seen: &mut BTreeSet<Vec<u8>>, steps: &mut Vec<Step>) {
    if !seen.insert(name.to_vec()) {
        return;
    }
    for needed in library.needs(name) {
        with_soft(library, &needed, seen, steps);
    }
    match plain {
        true => steps.push(Step { name: name.to_vec(), ignores_command: true }),
        false => with_soft(library, name, seen, steps),
    }
}

fn with_soft(library: &Library, name: &[u8], seen: &mut BTreeSet<Vec<u8>>, steps: &mut Vec<Step>) {
    let (before, after) = library.soft(name);
    let ignores_command = !before.is_empty() || !after.is_empty();
    for other in before {
        plan(library, &other, false, seen, steps);
    }
    steps.push(Step { name: name.to_vec(), ignores_command });
    for other in after {
        plan(library, &other, false, seen, steps);
    }
}
