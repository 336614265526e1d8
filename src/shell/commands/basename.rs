//! basename: the last part of paths, less a suffix.

use crate::shell::{Fatal, Process, Status, files::base_name, options::parse};

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let mut arguments = parse(process, &["a multiple", "s suffix=", "z zero"])?;
    let end = if arguments.has("z") { 0 } else { b'\n' };
    let mut suffix = arguments.value("s").unwrap_or_default().to_vec();
    if arguments.operands.is_empty() {
        return process.wrong_operands(&[], 0);
    }
    if !arguments.has("a") && !arguments.has("s") {
        if arguments.operands.len() > 2 {
            return process.wrong_operands(&arguments.operands, 2);
        }
        suffix = arguments.operands.drain(1..).next().unwrap_or_default();
    }
    for path in arguments.operands {
        let mut name = base_name(&path);
        if name != suffix {
            name = name.strip_suffix(suffix.as_slice()).unwrap_or(name);
        }
        process.out(&[name, &[end]].concat())?;
    }
    Ok(Status::SUCCESS)
}
