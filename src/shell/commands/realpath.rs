//! realpath: paths made absolute, without links and dots.

use crate::shell::{
    Fatal, Process, Status,
    canonical::{Missing, canonical, relative},
    files::show,
    options::parse,
};

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = parse(
        process,
        &[
            "e canonicalize-existing",
            "m canonicalize-missing",
            "L logical",
            "P physical",
            "q quiet",
            "relative-to=",
            "relative-base=",
            "s strip no-symlinks",
            "z zero",
        ],
    )?;
    if arguments.has("L") {
        return Err(process.not_modelled("option -L"));
    }
    if arguments.operands.is_empty() {
        return process.wrong_operands(&[], 0);
    }
    let missing = match arguments.last_of(&["e", "m"]) {
        Some("e") => Missing::Nothing,
        Some(_) => Missing::Anything,
        None => Missing::Last,
    };
    let follow = arguments.last_of(&["s", "P"]) != Some("s");
    let mut places = Vec::new();
    for option in ["relative-base", "relative-to"] {
        places.push(match arguments.value(option).map(|path| (path, canonical(process, path, missing, follow))) {
            None => None,
            Some((_, Ok(place))) => Some(place),
            Some((path, Err(error))) => return process.fail(&format!("{}: {}", show(path), error.errno)),
        });
    }
    let inside = |path: &[u8], base: &[u8]| {
        base == b"/" || path.strip_prefix(base).is_some_and(|rest| rest.is_empty() || rest[0] == b'/')
    };
    let (base, mut to) = (places[0].clone(), places[1].clone());
    if let (Some(base), Some(other)) = (&base, &to)
        && !inside(other, base)
    {
        to = None;
    } else if to.is_none() {
        to.clone_from(&base);
    }
    let end = if arguments.has("z") { 0 } else { b'\n' };
    let mut status = Status::SUCCESS;
    for path in &arguments.operands {
        match canonical(process, path, missing, follow) {
            Ok(mut found) => {
                if let Some(to) = &to
                    && base.as_ref().is_none_or(|base| inside(&found, base))
                {
                    found = relative(&found, to);
                }
                found.push(end);
                process.out(&found)?;
            }
            Err(error) => {
                status = Status::FAILURE;
                if !arguments.has("q") {
                    process.complain(&format!("{}: {}", show(path), error.errno))?;
                }
            }
        }
    }
    Ok(status)
}
