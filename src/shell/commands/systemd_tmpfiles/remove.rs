//! `--remove`: `r`, `R` and what is in the directories of `D`.

use super::{glob::glob, item::Item, log};
use crate::{
    shell::{Fatal, Process, stop::show},
    tree::Errno,
};

/// Carries out a line; whether it went well.
pub(super) fn remove(process: &mut Process<'_>, item: &Item) -> Result<bool, Fatal> {
    let mut sound = true;
    if item.letter == b'D' {
        let entries = process.machine.tree.find(&item.path).and_then(|inode| inode.entries()).cloned();
        for (name, _) in entries.into_iter().flatten() {
            // It was just listed.
            let _ = process.machine.tree.remove_all(&[item.path.as_slice(), b"/", name.as_bytes()].concat());
        }
        return Ok(true);
    }
    if !b"rR".contains(&item.letter) {
        return Ok(true);
    }
    for path in glob(&process.machine.tree, &item.path) {
        let tree = &mut process.machine.tree;
        let removed = if item.letter == b'R' {
            tree.remove_all(&path)
        } else {
            tree.remove_dir(&path).or_else(|error| match error.errno {
                Errno::NotDirectory => tree.unlink(&path),
                _ => Err(error),
            })
        };
        if let Err(error) = removed {
            log(process, &format!("remove({}): {}", show(&path), error.errno))?;
            sound = false;
        }
    }
    Ok(sound)
}
