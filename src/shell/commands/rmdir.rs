//! rmdir: removes empty directories.

use crate::{
    shell::{
        Fatal, Process, Status,
        files::{dir_name, show},
        options::parse,
    },
    tree::Errno,
};

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = parse(process, &["p parents", "ignore-fail-on-non-empty", "v verbose"])?;
    if arguments.operands.is_empty() {
        return process.wrong_operands(&[], 0);
    }
    let mut status = Status::SUCCESS;
    for operand in &arguments.operands {
        let mut path = operand.as_slice();
        loop {
            if arguments.has("v") {
                process.out(format!("rmdir: removing directory, '{}'\n", show(path)).as_bytes())?;
            }
            let absolute = process.absolute(path);
            if let Err(error) = process.machine.tree.remove_dir(&absolute) {
                if !(error.errno == Errno::NotEmpty && arguments.has("ignore-fail-on-non-empty")) {
                    process.complain(&format!("failed to remove '{}': {}", show(path), error.errno))?;
                    status = Status::FAILURE;
                }
                break;
            }
            path = dir_name(path);
            if !arguments.has("p") || matches!(path, b"." | b"/") {
                break;
            }
        }
    }
    Ok(status)
}
