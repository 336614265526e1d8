//! `systemd-machine-id-setup` and `dbus-uuidgen`: by policy an image has no identity; there is only the empty file that
//! systemd fills at the first boot.

use super::super::{Fatal, Process, Status, options};
use crate::tree::Node;

const MACHINE_ID: &[u8] = b"/etc/machine-id";

pub(super) fn setup(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = options::parse(process, &["root="])?;
    let elsewhere = arguments.value("root").is_some_and(|root| !matches!(root, b"" | b"/"));
    if elsewhere || !arguments.operands.is_empty() {
        return Err(process.not_modelled("another root"));
    }
    if process.lookup(MACHINE_ID).is_err() {
        let made = process.machine.create(MACHINE_ID, 0o444, Node::Regular(Vec::new().into()));
        if let Err(error) = made {
            return process.fail(&format!("Failed to create /etc/machine-id: {}", error.errno));
        }
    }
    Ok(Status::SUCCESS)
}

/// D-Bus has the same identity, and takes it from systemd's file.
pub(super) fn ensure(process: &mut Process<'_>) -> Result<Status, Fatal> {
    match process.arguments().as_slice() {
        [option] if option == b"--ensure" => Ok(Status::SUCCESS),
        _ => Err(process.not_modelled("anything but --ensure")),
    }
}
