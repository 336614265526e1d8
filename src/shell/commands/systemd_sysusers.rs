//! systemd-sysusers: users and groups of `sysusers.d`, with numbers from 999 downwards.
//!
//! No credentials are read: there are none outside of a running system.

mod accounts;
mod items;

use items::Items;

use crate::shell::{
    Fatal, Process, Status,
    files::base_name,
    options,
    stop::{Stop, finish, show},
    units::conf_files,
};

const FOLDERS: [&str; 5] =
    ["/etc/sysusers.d", "/run/sysusers.d", "/usr/local/lib/sysusers.d", "/usr/lib/sysusers.d", "/lib/sysusers.d"];

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let result = create(process);
    finish(process, result)
}

fn create(process: &mut Process<'_>) -> Result<Status, Stop> {
    let arguments = options::parse(process, &["root=", "replace=", "inline", "no-pager"])?;
    if let Some(root) = arguments.value("root").filter(|root| *root != b"/") {
        return Err(process.not_modelled(format!("--root={}", show(root))).into());
    }
    let mut items = Items::default();
    let replaced = arguments.value("replace").map(<[u8]>::to_vec);
    if arguments.operands.is_empty() || replaced.is_some() {
        let folders: Vec<Vec<u8>> = FOLDERS.iter().map(|folder| folder.as_bytes().to_vec()).collect();
        let mut files = conf_files(&process.machine.tree, &folders, b".conf");
        if let Some(replaced) = &replaced {
            let higher =
                files.iter().any(|file| base_name(file) == base_name(replaced) && priority(file) < priority(replaced));
            if !higher {
                files.retain(|file| base_name(file) != base_name(replaced));
                files.push(replaced.clone());
                files.sort_by(|a, b| base_name(a).cmp(base_name(b)));
            }
        }
        for file in files {
            if Some(&file) == replaced.as_ref() {
                read_arguments(process, &mut items, arguments.has("inline"), &arguments.operands)?;
            } else if let Ok(text) = process.machine.tree.read(&file) {
                // A faulty line of another file is reported and left out.
                items.read(process, &file, &text)?;
            }
        }
    } else {
        read_arguments(process, &mut items, arguments.has("inline"), &arguments.operands)?;
    }
    items.add_implicit();
    accounts::create(process, items)?;
    Ok(Status::SUCCESS)
}

/// Which directory of the search a file is in.
fn priority(file: &[u8]) -> usize {
    FOLDERS.iter().position(|folder| file.starts_with(folder.as_bytes())).unwrap_or(FOLDERS.len())
}

fn read_arguments(
    process: &mut Process<'_>,
    items: &mut Items,
    inline: bool,
    operands: &[Vec<u8>],
) -> Result<(), Stop> {
    for (index, operand) in operands.iter().enumerate() {
        let sound = if inline {
            items.read_line(process, b"(argument)", index + 1, operand)?
        } else {
            let (path, text) = open(process, operand)?;
            items.read(process, &path, &text)?
        };
        if !sound {
            return Err(Stop::quiet(1));
        }
    }
    Ok(())
}

/// A file by its path, or by its name in the directories of the search.
fn open(process: &mut Process<'_>, operand: &[u8]) -> Result<(Vec<u8>, bytes::Bytes), Stop> {
    if operand == b"-" {
        return Ok((b"-".to_vec(), process.read_all(0)));
    }
    let candidates: Vec<Vec<u8>> = if operand.starts_with(b"/") {
        vec![operand.to_vec()]
    } else {
        FOLDERS.iter().map(|folder| [folder.as_bytes(), b"/", operand].concat()).collect()
    };
    for path in candidates {
        if let Ok(text) = process.machine.tree.read(&path) {
            return Ok((path, text));
        }
    }
    let why = "No such file or directory";
    Err(Stop::Exit(1, format!("Failed to open '{}', ignoring: {why}\n", show(operand))))
}
