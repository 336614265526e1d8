//! SELinux's small tools where no kernel enforces a policy, as while an image is built: `selinuxenabled`, `getenforce`,
//! `sestatus`, and `restorecon`, which then leaves every label as it is.

use super::super::{Fatal, Process, Status};

pub(super) fn enabled(_process: &mut Process<'_>) -> Result<Status, Fatal> {
    Ok(Status::FAILURE)
}

pub(super) fn enforcing(process: &mut Process<'_>) -> Result<Status, Fatal> {
    process.out(b"Disabled\n")?;
    Ok(Status::SUCCESS)
}

pub(super) fn status(process: &mut Process<'_>) -> Result<Status, Fatal> {
    process.out(b"SELinux status:                 disabled\n")?;
    Ok(Status::SUCCESS)
}

/// It looks for a kernel before it looks at its arguments.
pub(super) fn restore(_process: &mut Process<'_>) -> Result<Status, Fatal> {
    Ok(Status::SUCCESS)
}
