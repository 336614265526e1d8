//! AppArmor's small tools where no kernel knows it, as while an image is built: `aa-enabled`, `apparmor_parser`.

use super::super::{Fatal, Process, Status, options};

pub(super) fn enabled(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = options::parse(process, &["quiet q", "exclusive x"])?;
    if !arguments.has("quiet") {
        process.out(b"No - not available on this system.\n")?;
    }
    Ok(Status::FAILURE)
}

/// Nothing is compiled, not even for the cache: it finds no kernel to compile for.
pub(super) fn parser(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let table = &[
        "add a",
        "replace r",
        "remove R",
        "write-cache W",
        "skip-cache K",
        "skip-read-cache T",
        "show-cache k",
        "quiet q",
        "verbose v",
        "Complain C",
        "base b=",
        "Include I=",
        "cache-loc L=",
        "subdomainfs f=",
        "warn?",
    ];
    let arguments = options::parse(process, table)?;
    if arguments.has("subdomainfs") || arguments.operands.is_empty() {
        return Err(process.not_modelled("anything but loading profiles into the kernel"));
    }
    process.write(2, b"Warning: unable to find a suitable fs in /proc/mounts, is it mounted?\n")?;
    Ok(Status::FAILURE)
}
