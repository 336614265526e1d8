//! mknod and mkfifo: device nodes and pipes with names.

use crate::{
    shell::{Fatal, Process, Status, files::show, mode::Mode, options::parse, size::number},
    tree::{Device, Node},
};

pub(super) fn mknod(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = parse(process, &["m mode=", "Z context"])?;
    let numbers: Vec<Option<u32>> =
        arguments.operands.iter().skip(2).map(|text| number(text).and_then(|n| u32::try_from(n).ok())).collect();
    let node = match (arguments.operands.get(1).map(Vec::as_slice), numbers.as_slice()) {
        (Some(b"p"), []) => Node::Fifo,
        (Some(b"c" | b"u"), [Some(major), Some(minor)]) => Node::CharDevice(Device { major: *major, minor: *minor }),
        (Some(b"b"), [Some(major), Some(minor)]) => Node::BlockDevice(Device { major: *major, minor: *minor }),
        (Some(b"p"), _) => return process.wrong_operands(&arguments.operands, 2),
        (Some(b"c" | b"u" | b"b"), numbers) if numbers.len() < 2 => {
            return process.wrong_operands(&arguments.operands, 4);
        }
        (Some(other), _) => return process.fail(&format!("invalid device type '{}'", show(other))),
        (None, _) => return process.wrong_operands(&arguments.operands, 2),
    };
    make(process, arguments.value("m"), &arguments.operands[..1], &node)
}

pub(super) fn mkfifo(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = parse(process, &["m mode=", "Z context"])?;
    if arguments.operands.is_empty() {
        return process.wrong_operands(&[], 0);
    }
    make(process, arguments.value("m"), &arguments.operands, &Node::Fifo)
}

fn make(process: &mut Process<'_>, mode: Option<&[u8]>, paths: &[Vec<u8>], node: &Node) -> Result<Status, Fatal> {
    let mode = match mode.map(|text| (text, Mode::parse(text))) {
        None => None,
        Some((_, Some(mode))) => Some(mode),
        Some((text, None)) => return process.fail(&format!("invalid mode '{}'", show(text))),
    };
    let mut status = Status::SUCCESS;
    for path in paths {
        match process.create(path, 0o666, node.clone()) {
            Ok(id) => {
                if let Some(mode) = &mode {
                    let umask = process.umask;
                    process.machine.tree.stat_mut(id).mode = mode.apply(0o666, false, umask);
                }
            }
            Err(error) => {
                process.complain(&format!("{}: {}", show(path), error.errno))?;
                status = Status::FAILURE;
            }
        }
    }
    Ok(status)
}
