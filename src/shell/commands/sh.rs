//! sh, dash, bash: another shell.

use crate::shell::{Fatal, Process, Status, script};

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    script::sh(process)
}
