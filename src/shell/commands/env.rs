//! env: runs a command in a changed environment, or shows the environment.

use crate::shell::{Fatal, Process, Status, files::show, options::parse_leading};

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments =
        parse_leading(process, &["i ignore-environment", "u unset=", "C chdir=", "0 null", "S split-string="])?;
    if arguments.has("S") {
        return Err(process.not_modelled("option -S"));
    }
    let mut operands = arguments.operands.clone();
    // A single dash is -i.
    let dash = operands.first().is_some_and(|word| word == b"-");
    if dash {
        operands.remove(0);
    }
    if arguments.has("i") || dash {
        process.environment.clear();
    }
    for (_, name) in arguments.options.iter().filter(|(option, _)| *option == "u") {
        process.environment.remove(name);
    }
    while let Some(equals) = operands.first().and_then(|word| word.iter().position(|&b| b == b'=')) {
        let word = operands.remove(0);
        process.environment.insert(word[..equals].to_vec(), word[equals + 1..].to_vec());
    }
    if let Some(folder) = arguments.value("C")
        && let Err(error) = process.enter(folder)
    {
        process.complain(&format!("cannot change directory to '{}': {}", show(folder), error.errno))?;
        return Ok(Status(125));
    }
    if !operands.is_empty() {
        return process.run(operands);
    }
    let end = if arguments.has("0") { 0 } else { b'\n' };
    for (name, value) in process.environment.clone() {
        process.out(&[&name, b"=".as_slice(), &value, &[end]].concat())?;
    }
    Ok(Status::SUCCESS)
}
