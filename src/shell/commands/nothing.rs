//! Commands without an effect on a tree: true, false, sync, sleep, logger, nproc, getconf, sysctl; by policy also mandb and
//! fc-cache.

use crate::shell::{Fatal, Process, Status, Work, files::show, options::parse};

pub(super) fn succeed(_process: &mut Process<'_>) -> Result<Status, Fatal> {
    Ok(Status::SUCCESS)
}

pub(super) fn fail(_process: &mut Process<'_>) -> Result<Status, Fatal> {
    Ok(Status::FAILURE)
}

pub(super) fn sync(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = parse(process, &["d data", "f file-system"])?;
    let mut status = Status::SUCCESS;
    for path in &arguments.operands {
        if let Err(error) = process.lookup(path) {
            process.complain(&format!("error opening '{}': {}", show(path), error.errno))?;
            status = Status::FAILURE;
        }
    }
    Ok(status)
}

/// Nobody does anything meanwhile, so the time is over at once; but a script that waits for ever comes to its bound.
pub(super) fn sleep(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = parse(process, &[])?;
    if arguments.operands.is_empty() {
        return process.wrong_operands(&[], 0);
    }
    let mut seconds = 0.0;
    for word in &arguments.operands {
        match interval(word) {
            Some(interval) => seconds += interval,
            None => return process.fail(&format!("invalid time interval '{}'", show(word))),
        }
    }
    process.machine.work(Work::Wait(seconds))?;
    Ok(Status::SUCCESS)
}

/// Seconds of a number with a unit, or `infinity`.
fn interval(word: &[u8]) -> Option<f64> {
    let (number, unit) = match word.split_last()? {
        (b's', number) => (number, 1.0),
        (b'm', number) => (number, 60.0),
        (b'h', number) => (number, 3600.0),
        (b'd', number) => (number, 86400.0),
        _ => (word, 1.0),
    };
    let number: f64 = std::str::from_utf8(number).ok()?.parse().ok()?;
    (number >= 0.0).then_some(number * unit)
}

/// There is no log while an image is built.
pub(super) fn logger(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = parse(process, &["f file=", "i id?", "p priority=", "s stderr", "t tag="])?;
    if arguments.has("s") {
        return Err(process.not_modelled("option -s"));
    }
    Ok(Status::SUCCESS)
}

pub(super) fn nproc(process: &mut Process<'_>) -> Result<Status, Fatal> {
    parse(process, &["all", "ignore="])?;
    process.out(b"1\n")?;
    Ok(Status::SUCCESS)
}

/// One processor, as `nproc` has it.
pub(super) fn getconf(process: &mut Process<'_>) -> Result<Status, Fatal> {
    match process.arguments().as_slice() {
        [name] if matches!(name.as_slice(), b"_NPROCESSORS_ONLN" | b"_NPROCESSORS_CONF") => {
            process.out(b"1\n")?;
            Ok(Status::SUCCESS)
        }
        _ => Err(process.not_modelled("anything but the number of processors")),
    }
}

/// The index of manual pages is made when it is wanted.
pub(super) fn mandb(process: &mut Process<'_>) -> Result<Status, Fatal> {
    parse(process, &["c create", "q quiet", "p no-purge", "s no-straycats", "t test"])?;
    Ok(Status::SUCCESS)
}

/// The index of fonts is made when it is wanted.
pub(super) fn fc_cache(process: &mut Process<'_>) -> Result<Status, Fatal> {
    parse(process, &["f force", "r really-force", "s system-only", "v verbose"])?;
    Ok(Status::SUCCESS)
}

/// The kernel that would be set is not the image's.
pub(super) fn sysctl(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = parse(process, &["e ignore", "p load?", "q quiet", "r pattern=", "system"])?;
    if arguments.has("system") || arguments.has("p") {
        return Ok(Status::SUCCESS);
    }
    Err(process.not_modelled("anything but applying files"))
}
