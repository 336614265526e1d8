//! `ssh-keygen`: by policy no key is made, since an image's would be everybody's. Scripts that make host keys and show them
//! go on.

use super::super::{Fatal, Process, Status, options};

const HOST_KEYS: &[u8] = b"/etc/ssh/ssh_host_";

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = options::parse(process, &["q", "f=", "N=", "t=", "b=", "C=", "l", "A", "E=", "m="])?;
    if !arguments.operands.is_empty() {
        return Err(process.not_modelled("operands"));
    }
    if arguments.has("A") {
        return Ok(Status::SUCCESS);
    }
    let file = arguments.value("f").unwrap_or_default();
    if !file.starts_with(HOST_KEYS) {
        return Err(process.not_modelled("a key that is not a host's"));
    }
    if arguments.has("l") && process.lookup(file).is_ok() {
        return Err(process.not_modelled("the fingerprint of a key"));
    }
    Ok(Status::SUCCESS)
}
