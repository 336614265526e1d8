//! awk and mawk: a program run on the records of files.

use crate::shell::{
    Fatal, Process, Status,
    awk::{is_name, parse, run as run_program},
    files::show,
    options::parse_leading,
};

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = parse_leading(process, &["F=", "f=", "v=", "W="])?;
    if arguments.has("W") {
        return Err(process.not_modelled("option -W"));
    }
    let mut operands = arguments.operands.clone();
    let mut text = Vec::new();
    for (_, path) in arguments.options.iter().filter(|(option, _)| *option == "f") {
        match process.read_file(path) {
            Ok(bytes) => {
                text.extend_from_slice(&bytes);
                text.push(b'\n');
            }
            Err(error) => {
                process.complain(&format!("couldn't open file {}: {}", show(path), error.errno))?;
                return Ok(Status(2));
            }
        }
    }
    if !arguments.has("f") {
        if operands.is_empty() {
            // mawk shows its usage and is content.
            process.complain("no program given")?;
            return Ok(Status::SUCCESS);
        }
        text = operands.remove(0);
    }
    let mut assignments = Vec::new();
    for (option, value) in &arguments.options {
        match *option {
            "F" => assignments.push((b"FS".to_vec(), value.clone())),
            "v" => match value.iter().position(|&b| b == b'=') {
                Some(equals) if is_name(&value[..equals]) => {
                    assignments.push((value[..equals].to_vec(), value[equals + 1..].to_vec()));
                }
                _ => {
                    process.complain(&format!("improper assignment: -v {}", show(value)))?;
                    return Ok(Status(2));
                }
            },
            _ => {}
        }
    }
    match parse(&text) {
        Ok(program) => run_program(process, &program, &assignments, &operands),
        Err(message) => {
            process.complain(&message)?;
            Ok(Status(2))
        }
    }
}
