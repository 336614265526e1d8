//! `emacs-package-install` of emacsen-common: a package of Emacs Lisp becomes known. Where an Emacs is installed it would be
//! compiled by that Emacs, which is not modelled.

use crate::{
    shell::{Fatal, Process, Status, files::show},
    tree::Node,
};

const INSTALLED: &[u8] = b"/var/lib/emacsen-common/state/package/installed";
const FLAVOURS: &[u8] = b"/var/lib/emacsen-common/state/flavor/installed";
const COMPAT: &[u8] = b"/usr/lib/emacsen-common/packages/compat";

pub(super) fn package_install(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = process.arguments();
    let words: Vec<_> = arguments.iter().map(Vec::as_slice).collect();
    match words.as_slice() {
        [b"--preinst", package] => {
            let _ = process.machine.tree.unlink(&super::super::files::join(INSTALLED, package));
            Ok(Status::SUCCESS)
        }
        [b"--postinst", package] => postinst(process, package),
        // The form before emacsen-common 2, which runs the package's script even without an Emacs.
        [_] => Err(process.not_modelled("a package of the old form")),
        _ => {
            process.write(2, b"Usage: emacs-package-install (--preinst|--postinst) FLAVOR\n")?;
            Ok(Status::FAILURE)
        }
    }
}

fn postinst(process: &mut Process<'_>, package: &[u8]) -> Result<Status, Fatal> {
    if process.lookup(&super::super::files::join(COMPAT, package)).is_err() {
        return Err(process.not_modelled("a package of the old form"));
    }
    let flavour = names(process, FLAVOURS).into_iter().find(|name| !name.ends_with(b"~"));
    if let Some(flavour) = flavour {
        return Err(process.not_modelled(format!("compiling for `{}`", show(&flavour))));
    }
    let path = super::super::files::join(INSTALLED, package);
    if process.lookup(&path).is_err()
        && let Err(error) = process.create(&path, 0o666, Node::Regular(Vec::new().into()))
    {
        return process.fail(&format!("touch {} failed: {}", show(&path), error.errno));
    }
    Ok(Status::SUCCESS)
}

/// The names in a folder, if there is one.
fn names(process: &Process<'_>, folder: &[u8]) -> Vec<Vec<u8>> {
    let Ok(id) = process.lookup(folder) else { return Vec::new() };
    match &process.inode(id).node {
        Node::Directory(entries) => entries.keys().map(|name| name.as_bytes().to_vec()).collect(),
        _ => Vec::new(),
    }
}
