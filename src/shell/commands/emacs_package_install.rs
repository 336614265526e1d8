//! emacs-package-install: notes that an add-on of Emacs is there. With an Emacs installed it would compile the add-on, which only
//! Emacs can do.

use crate::shell::{Fatal, Process, Status, files::join, files::names};

const LIBRARY: &[u8] = b"/usr/lib/emacsen-common/packages";
const STATE: &[u8] = b"/var/lib/emacsen-common/state";

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = process.arguments();
    let [context, package] = arguments.as_slice() else { return Err(process.not_modelled("an old-style add-on")) };
    let state = join(&join(STATE, b"package/installed"), package);
    match context.as_slice() {
        b"--preinst" => {
            let _ = process.machine.tree.unlink(&state);
            return Ok(Status::SUCCESS);
        }
        b"--postinst" => {}
        _ => return Err(process.not_modelled("anything but --preinst and --postinst")),
    }
    if process.lookup(&join(&join(LIBRARY, b"compat"), package)).is_err() {
        return Err(process.not_modelled("an old-style add-on"));
    }
    let touched = process.run(vec![b"touch".to_vec(), state])?;
    if !touched.success() {
        return Ok(touched);
    }
    let flavors = names(process, &join(STATE, b"flavor/installed")).unwrap_or_default();
    if flavors.is_empty() {
        return Ok(Status::SUCCESS);
    }
    Err(process.not_modelled("compiling for an Emacs"))
}
