//! AppArmor's small tools where no kernel knows it, as while an image is built: `aa-enabled`, `aa-status`,
//! `apparmor_parser`.

use super::super::{Fatal, Process, Status, options};

pub(super) fn enabled(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = options::parse(process, &["quiet q", "exclusive x"])?;
    if !arguments.has("quiet") {
        process.out(b"No - not available on this system.\n")?;
    }
    Ok(Status::FAILURE)
}

pub(super) fn status(process: &mut Process<'_>) -> Result<Status, Fatal> {
    match process.arguments().as_slice() {
        [] => process.write(2, b"apparmor not present.\n")?,
        [option] if option == b"--enabled" => {}
        _ => return Err(process.not_modelled("anything but whether it is there")),
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
    let message = b"Cache read/write disabled: interface file missing. \
        (Kernel needs AppArmor 2.4 compatibility patch.)\n\
        Warning: unable to find a suitable fs in /proc/mounts, is it mounted?\nUse --subdomainfs to override.\n";
    process.write(2, message)?;
    Ok(Status::FAILURE)
}
