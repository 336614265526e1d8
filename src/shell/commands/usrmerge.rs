//! usrmerge's programs: `convert-usrmerge`, for a root that has nothing left to move, and `convert-etc-shells`.

use super::super::{Fatal, Process, Status};
use crate::tree::{Node, PathError};

/// The folders of `/` that become links into `/usr`.
const FOLDERS: [&str; 7] = ["/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libo32", "/libx32"];

pub(super) fn convert(process: &mut Process<'_>) -> Result<Status, Fatal> {
    for folder in FOLDERS {
        match process.machine.tree.lookup_no_follow(folder.as_bytes()) {
            Ok(id) if process.inode(id).is_symlink() => {}
            Ok(_) => return Err(process.not_modelled(format!("moving what is in {folder}"))),
            // Looked for from where the program stands, which is the root.
            Err(_) if process.lookup(format!("usr{folder}").as_bytes()).is_err() => {}
            Err(_) => {
                let target = format!("usr{folder}").into_bytes();
                if let Err(error) = process.create(folder.as_bytes(), 0o777, Node::Symlink(target.into())) {
                    return process.fail(&error.to_string());
                }
                restore_context(process, folder.as_bytes())?;
            }
        }
    }
    process.out(b"The system has been successfully converted.\n")?;
    Ok(Status::SUCCESS)
}

/// Gives a new file the label that SELinux has for its path.
fn restore_context(process: &mut Process<'_>, path: &[u8]) -> Result<Status, Fatal> {
    if process.lookup(b"/sbin/restorecon").is_ok_and(|id| process.inode(id).stat.mode & 0o111 != 0) {
        return process.run(vec![b"restorecon".to_vec(), path.to_vec()]);
    }
    Ok(Status::SUCCESS)
}

/// Adds each shell's path below `/usr` to the list of shells.
pub(super) fn convert_shells(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let file = process.arguments().into_iter().next().filter(|file| !matches!(file.as_slice(), b"" | b"0"));
    let file = file.unwrap_or_else(|| b"/etc/shells".to_vec());
    let text = match process.machine.tree.read(&process.absolute(&file)) {
        Ok(text) => text,
        Err(error) => return die(process, &error),
    };
    let lines: Vec<&[u8]> = text.split(|&b| b == b'\n').collect();
    let lines = lines.strip_suffix(&[b"".as_slice()]).unwrap_or(&lines);
    let in_root = |line: &&[u8]| line.starts_with(b"/bin/") || line.starts_with(b"/sbin/");
    let below_usr = |line: &[u8]| [b"/usr", line].concat();
    // A bare folder is no shell, and so there is nothing that it could be known as.
    let known = |line: &[u8]| !line.ends_with(b"bin/") && lines.contains(&below_usr(line).as_slice());
    let new: Vec<Vec<u8>> = lines.iter().copied().filter(in_root).filter(|line| !known(line)).map(below_usr).collect();
    if new.is_empty() {
        return Ok(Status::SUCCESS);
    }
    process.umask = 0o022;
    let all = lines.iter().copied().chain(new.iter().map(Vec::as_slice));
    let text: Vec<u8> = all.flat_map(|line| [line, b"\n"].concat()).collect();
    let (path, scratch) = (process.absolute(&file), [file.as_slice(), b".tmp"].concat());
    let written = process.write_file(&scratch, text);
    let renamed = written.and_then(|_| process.machine.tree.rename(&process.absolute(&scratch), &path));
    match renamed {
        Ok(()) => restore_context(process, &file),
        Err(error) => die(process, &error),
    }
}

/// Ends as perl does for an error that it was told to die of.
fn die(process: &mut Process<'_>, error: &PathError) -> Result<Status, Fatal> {
    process.complain(&error.to_string())?;
    Ok(Status(255))
}
