//! `run-parts`: runs the programs in a folder, in byte order of their names.

use super::super::{Fatal, Launch, OpenFile, Process, Status, exec, options};
use crate::tree::Node;

const OPTIONS: &[&str] =
    &["test", "list", "verbose v", "report", "arg a=", "umask u=", "exit-on-error", "reverse", "lsbsysinit"];

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = options::parse(process, OPTIONS)?;
    let [folder] = arguments.operands.as_slice() else { return process.fail("missing operand") };
    if let Some(umask) = arguments.value("umask") {
        let octal = std::str::from_utf8(umask).ok().and_then(|text| u16::from_str_radix(text, 8).ok());
        let Some(umask) = octal else { return process.fail("bad umask value") };
        process.umask = umask;
    }
    let Some(mut names) = programs(process, folder) else {
        let folder = String::from_utf8_lossy(folder).into_owned();
        return process.fail(&format!("failed to open directory {folder}: No such file or directory"));
    };
    if arguments.has("lsbsysinit") {
        return Err(process.not_modelled("LSB names"));
    }
    if arguments.has("reverse") {
        names.reverse();
    }
    let parameters: Vec<Vec<u8>> =
        arguments.options.iter().filter(|(option, _)| *option == "arg").map(|(_, value)| value.clone()).collect();
    let mut status = Status::SUCCESS;
    for name in names {
        let path = [folder.as_slice(), b"/", &name].concat();
        let executable = is_executable(process, &path);
        if arguments.has("list") || (arguments.has("test") && executable) {
            process.out(&[path.as_slice(), b"\n"].concat())?;
            continue;
        }
        if !executable || arguments.has("test") {
            continue;
        }
        if arguments.has("verbose") {
            process.write(2, &[b"run-parts: executing ", path.as_slice(), b"\n"].concat())?;
        }
        let argv = [vec![path.clone()], parameters.clone()].concat();
        let ended = if arguments.has("report") { reported(process, argv)? } else { process.run(argv)? };
        if !ended.success() {
            let path = String::from_utf8_lossy(&path).into_owned();
            process.complain(&format!("{path} exited with return code {}", ended.0))?;
            status = Status::FAILURE;
            if arguments.has("exit-on-error") {
                break;
            }
        }
    }
    Ok(status)
}

/// Names in a folder that are made of letters, digits, underscores and hyphens, and are no directories.
fn programs(process: &Process<'_>, folder: &[u8]) -> Option<Vec<Vec<u8>>> {
    let tree = &process.machine.tree;
    let entries = tree.find(&process.absolute(folder))?.entries()?;
    let valid = |name: &[u8]| name.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
    let names = entries.keys().map(|name| name.as_bytes()).filter(|name| valid(name));
    let is_dir = |name: &&[u8]| {
        let path = [process.absolute(folder).as_slice(), b"/", name].concat();
        tree.find(&path).is_some_and(|inode| inode.is_dir())
    };
    Some(names.filter(|name| !is_dir(name)).map(<[u8]>::to_vec).collect())
}

fn is_executable(process: &Process<'_>, path: &[u8]) -> bool {
    let inode = process.machine.tree.find(&process.absolute(path));
    inode.is_some_and(|inode| matches!(inode.node, Node::Regular(_)) && inode.stat.mode & 0o111 != 0)
}

/// Runs a program and names it before what it writes, if it writes anything.
fn reported(process: &mut Process<'_>, argv: Vec<Vec<u8>>) -> Result<Status, Fatal> {
    let header = [argv[0].as_slice(), b":\n"].concat();
    let streams = [(1, OpenFile::buffer(Vec::new())), (2, OpenFile::buffer(Vec::new()))];
    let mut descriptors = process.descriptors.clone();
    descriptors.extend(streams.iter().cloned());
    let launch = Launch {
        argv,
        environment: process.environment.clone(),
        folder: process.folder.clone(),
        umask: process.umask,
        descriptors,
    };
    let status = exec::execute(process.machine, launch)?;
    for (fd, stream) in streams {
        let output = OpenFile::take(&stream);
        if !output.is_empty() {
            process.write(fd, &header)?;
            process.write(fd, &output)?;
        }
    }
    Ok(status)
}
