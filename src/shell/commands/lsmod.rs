//! lsmod: the modules of the running kernel, of which there are none while an image is made.

use crate::shell::{Fatal, Process, Status};

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    process.out(b"Module                  Size  Used by\n")?;
    Ok(Status::SUCCESS)
}
