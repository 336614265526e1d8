//! mktemp: makes a file or directory with a new name, which depends only on how many were made before.

use std::collections::BTreeMap;

use crate::{
    shell::{
        Fatal, Process, Status,
        files::{join, show},
        options::{Arguments, parse},
    },
    tree::{Content, Errno, Node},
};

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = parse(process, &["d directory", "u dry-run", "q quiet", "p=", "tmpdir?", "t", "suffix=", "V"])?;
    if arguments.operands.len() > 1 {
        return process.fail("too many templates");
    }
    let mut template = arguments.operands.first().cloned().unwrap_or_else(|| b"tmp.XXXXXXXXXX".to_vec());
    let suffix = match arguments.value("suffix") {
        Some(suffix) => suffix.to_vec(),
        None => {
            let end = template.iter().rposition(|&b| b == b'X').map_or(0, |last| last + 1);
            template.split_off(end)
        }
    };
    let count = template.iter().rev().take_while(|&&b| b == b'X').count();
    if count < 3 {
        return process.fail(&format!("too few X's in template '{}'", show(&[template, suffix].concat())));
    }
    let folder = folder(process, &arguments);
    loop {
        let mut path = template[..template.len() - count].to_vec();
        path.extend_from_slice(process.machine.temporary_suffix(count).as_bytes());
        path.extend_from_slice(&suffix);
        if let Some(folder) = &folder {
            path = join(folder, &path);
        }
        let made = if arguments.has("u") {
            match process.lookup_no_follow(&path) {
                Ok(_) => continue,
                Err(_) => Ok(()),
            }
        } else if arguments.has("d") {
            process.create(&path, 0o700, Node::Directory(BTreeMap::new())).map(|_| ())
        } else {
            process.create(&path, 0o600, Node::Regular(Content::empty())).map(|_| ())
        };
        match made {
            Ok(()) => {
                path.push(b'\n');
                process.out(&path)?;
                return Ok(Status::SUCCESS);
            }
            Err(error) if error.errno == Errno::Exists => {}
            Err(_) if arguments.has("q") => return Ok(Status::FAILURE),
            Err(error) => {
                let what = if arguments.has("d") { "directory" } else { "file" };
                return process.fail(&format!(
                    "failed to create {what} via template '{}': {}",
                    show(&path),
                    error.errno
                ));
            }
        }
    }
}

/// Where the template is to be taken from; `None` is here.
fn folder(process: &Process<'_>, arguments: &Arguments) -> Option<Vec<u8>> {
    let given = arguments.value("p").or(arguments.value("tmpdir")).filter(|folder| !folder.is_empty());
    let variable = process.variable("TMPDIR").filter(|folder| !folder.is_empty());
    let wanted = arguments.has("p") || arguments.has("tmpdir") || arguments.has("t") || arguments.operands.is_empty();
    if !wanted {
        return None;
    }
    let chosen = if arguments.has("t") { variable.or(given) } else { given.or(variable) };
    Some(chosen.unwrap_or(b"/tmp").to_vec())
}
