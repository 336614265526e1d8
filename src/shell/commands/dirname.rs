//! dirname: paths without their last part.

use crate::shell::{Fatal, Process, Status, files::dir_name, options::parse};

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = parse(process, &["z zero"])?;
    if arguments.operands.is_empty() {
        return process.wrong_operands(&[], 0);
    }
    let end = if arguments.has("z") { 0 } else { b'\n' };
    for path in &arguments.operands {
        process.out(&[dir_name(path), &[end]].concat())?;
    }
    Ok(Status::SUCCESS)
}
