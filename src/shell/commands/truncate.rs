//! truncate: sets the length of files.

use crate::shell::{Fatal, Process, Status, files::show, options::parse, size::size};

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = parse(process, &["c no-create", "o io-blocks", "r reference=", "s size="])?;
    if arguments.operands.is_empty() {
        return process.fail("missing file operand");
    }
    let base = match arguments.value("r") {
        None => None,
        Some(path) => match process.lookup(path) {
            Ok(id) => Some(process.inode(id).size()),
            Err(error) => return process.fail(&format!("cannot stat '{}': {}", show(path), error.errno)),
        },
    };
    let text = arguments.value("s").map(<[u8]>::to_vec);
    let (mark, digits) = match text.as_deref() {
        Some([mark @ (b'+' | b'-' | b'<' | b'>' | b'/' | b'%'), digits @ ..]) => (*mark, Some(digits)),
        Some(digits) => (b'=', Some(digits)),
        None => (b'+', base.map(|_| b"0".as_slice())),
    };
    let Some(digits) = digits else { return process.fail("you must specify either '--size' or '--reference'") };
    let Some(count) = size(digits) else { return process.fail(&format!("Invalid number: '{}'", show(digits))) };
    let mut status = Status::SUCCESS;
    for path in &arguments.operands {
        let found = process.lookup(path);
        if found.is_err() && arguments.has("c") {
            continue;
        }
        let old = base.unwrap_or_else(|| found.map_or(0, |id| process.inode(id).size()));
        let length = match mark {
            b'+' => old.saturating_add(count),
            b'-' => old.saturating_sub(count),
            b'<' => old.min(count),
            b'>' => old.max(count),
            b'/' | b'%' if count == 0 => return process.fail("division by zero"),
            b'/' => old / count * count,
            b'%' => old.div_ceil(count).saturating_mul(count),
            _ => count,
        };
        let limit = process.machine.limits.bytes;
        if length > limit {
            return Err(Fatal::Limit { what: "bytes in a file that a script writes", limit });
        }
        process.machine.fits_budget(usize::try_from(length).unwrap_or(0))?;
        let mut bytes = process.read_file(path).unwrap_or_default().to_vec();
        bytes.resize(usize::try_from(length).unwrap_or(0), 0);
        if let Err(error) = process.write_file(path, bytes) {
            process.complain(&format!("cannot open '{}' for writing: {}", show(path), error.errno))?;
            status = Status::FAILURE;
        }
    }
    Ok(status)
}
