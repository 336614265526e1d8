//! sed: edits lines by a script.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::{
    shell::{
        Fatal, Process, Status, Work,
        files::{dir_name, join, show},
        options::{Arguments, parse},
        sed::{Ending, Input, Script, Settings, parse as parse_script, run as run_script},
        size::number,
    },
    tree::{Errno, Node},
};

const OPTIONS: &[&str] = &[
    "E r regexp-extended",
    "e expression=",
    "f file=",
    "follow-symlinks",
    "i in-place?",
    "l line-length=",
    "n quiet silent",
    "posix",
    "s separate",
    "u unbuffered",
    "z null-data",
];

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let mut arguments = parse(process, OPTIONS)?;
    let mut text = Vec::new();
    for (option, value) in &arguments.options {
        match *option {
            "e" => text.push(value.clone()),
            "f" => match process.read_file(value) {
                Ok(file) => text.push(file.strip_suffix(b"\n").unwrap_or(&file).to_vec()),
                Err(error) => return process.fail(&format!("couldn't open file {}: {}", show(value), error.errno)),
            },
            _ => {}
        }
    }
    if text.is_empty() {
        if arguments.operands.is_empty() {
            return process.fail("no script");
        }
        text.push(arguments.operands.remove(0));
    }
    let settings = Settings {
        quiet: arguments.has("n"),
        extended: arguments.has("E"),
        separate: arguments.has("s") || arguments.has("i"),
        end: if arguments.has("z") { 0 } else { b'\n' },
        utf8: process.utf8(),
        wrap: arguments.value("l").and_then(number).and_then(|n| usize::try_from(n).ok()).unwrap_or(70),
    };
    let text = text.join(&b'\n');
    let script = match parse_script(&text, &settings) {
        Ok(script) => script,
        Err(message) => {
            if let Some(what) = message.strip_suffix(" is not modelled") {
                return Err(process.not_modelled(what));
            }
            process.complain(&message)?;
            return Ok(Status(if message.contains("can't find label") { 4 } else { 1 }));
        }
    };
    let mut written: BTreeMap<usize, Vec<u8>> = (0..script.outputs.len()).map(|index| (index, Vec::new())).collect();
    let status = match arguments.has("i") {
        true => edit(process, &arguments, &script, &settings, &mut written)?,
        false => filter(process, &arguments, &script, &settings, &mut written)?,
    };
    for (index, bytes) in written {
        let path = &script.outputs[index];
        if matches!(path.as_slice(), b"/dev/stdout" | b"/dev/stderr" | b"/dev/null") {
            continue;
        }
        if let Err(error) = process.write_file(path, bytes) {
            process.complain(&format!("couldn't open file {}: {}", show(path), error.errno))?;
            return Ok(Status(4));
        }
    }
    Ok(status)
}

/// Files by their names.
type Files = Vec<(Vec<u8>, Bytes)>;

/// The files to read up to a directory, which ends the run, and the status that missing ones lead to.
fn inputs(process: &mut Process<'_>, arguments: &Arguments) -> Result<(Files, u8), Fatal> {
    let operands = if arguments.operands.is_empty() { vec![b"-".to_vec()] } else { arguments.operands.clone() };
    let mut files = Vec::new();
    let mut status = 0;
    for path in operands {
        match process.read_file(&path) {
            Ok(bytes) => files.push((path, bytes)),
            Err(error) if error.errno == Errno::IsDirectory => {
                process.complain(&format!("read error on {}: {}", show(&path), error.errno))?;
                return Ok((files, 4));
            }
            Err(error) if error.errno == Errno::BadDescriptor => {
                process.complain(&format!("read error on stdin: {}", error.errno))?;
                return Ok((files, 4));
            }
            Err(error) => {
                process.complain(&format!("can't read {}: {}", show(&path), error.errno))?;
                status = 2;
            }
        }
    }
    Ok((files, status))
}

fn filter(
    process: &mut Process<'_>,
    arguments: &Arguments,
    script: &Script,
    settings: &Settings,
    written: &mut BTreeMap<usize, Vec<u8>>,
) -> Result<Status, Fatal> {
    let (files, status) = inputs(process, arguments)?;
    let groups = if settings.separate { files.into_iter().map(|file| vec![file]).collect() } else { vec![files] };
    let mut ending = Ending { status: 0, quit: false };
    for files in groups {
        let mut out = Vec::new();
        let mut input = Input::new(files, settings.end);
        ending = run_script(process, script, settings, &mut input, &mut out, written)?;
        process.out(&out)?;
        if ending.quit {
            break;
        }
    }
    Ok(Status(if ending.status == 0 { status } else { ending.status }))
}

/// Each file is replaced by a new one with its mode and owner.
fn edit(
    process: &mut Process<'_>,
    arguments: &Arguments,
    script: &Script,
    settings: &Settings,
    written: &mut BTreeMap<usize, Vec<u8>>,
) -> Result<Status, Fatal> {
    let suffix = arguments.value("i").unwrap_or_default().to_vec();
    let mut status = Status::SUCCESS;
    for path in arguments.operands.clone() {
        let mut path = path;
        if arguments.has("follow-symlinks")
            && let Ok((_, real)) = process.machine.tree.resolve(&process.absolute(&path))
        {
            path = real.as_bytes().to_vec();
        }
        let old = match process.lookup(&path) {
            Ok(id) if process.inode(id).is_file() => id,
            Ok(_) => {
                process.complain(&format!("couldn't edit {}: not a regular file", show(&path)))?;
                status = Status(4);
                continue;
            }
            Err(error) => {
                process.complain(&format!("can't read {}: {}", show(&path), error.errno))?;
                status = Status(2);
                continue;
            }
        };
        let bytes = process.read_file(&path).unwrap_or_default();
        let mut out = Vec::new();
        let mut input = Input::new(vec![(path.clone(), bytes)], settings.end);
        let ending = run_script(process, script, settings, &mut input, &mut out, written)?;
        process.machine.work(Work::Made(out.len()))?;
        let stat = process.inode(old).stat.clone();
        let absolute = process.absolute(&path);
        if !suffix.is_empty() {
            let backup = process.absolute(&backup_name(&path, &suffix));
            let _ = process.machine.tree.unlink(&backup);
            let _ = process.machine.tree.rename(&absolute, &backup);
        }
        let _ = process.machine.tree.unlink(&absolute);
        let mut made = process.new_stat(0o600);
        (made.mode, made.uid, made.gid) = (stat.mode, stat.uid, stat.gid);
        if let Err(error) = process.machine.tree.create(&absolute, made, Node::Regular(out.into())) {
            process.complain(&format!("couldn't open file {}: {}", show(&path), error.errno))?;
            return Ok(Status(4));
        }
        if ending.quit {
            return Ok(Status(ending.status));
        }
    }
    Ok(status)
}

/// A suffix with `*` is a whole name in which the file's own takes its place.
fn backup_name(path: &[u8], suffix: &[u8]) -> Vec<u8> {
    if !suffix.contains(&b'*') {
        return [path, suffix].concat();
    }
    let base = crate::shell::files::base_name(path);
    let name = suffix.split(|&b| b == b'*').collect::<Vec<_>>().join(base);
    if name.contains(&b'/') { name } else { join(dir_name(path), &name) }
}
