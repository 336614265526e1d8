//! tee: standard input to standard output and to files.

use crate::shell::{Fatal, Process, Status, files::show, options::parse};

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = parse(process, &["a append", "i ignore-interrupts", "p", "output-error?"])?;
    let text = process.read_all(0);
    process.out(&text)?;
    let mut status = Status::SUCCESS;
    for path in &arguments.operands {
        let mut whole = Vec::new();
        if arguments.has("a") {
            whole.extend_from_slice(&process.read_file(path).unwrap_or_default());
        }
        whole.extend_from_slice(&text);
        if path == b"/dev/stderr" {
            process.write(2, &text)?;
        } else if !matches!(path.as_slice(), b"/dev/null" | b"/dev/stdout")
            && let Err(error) = process.write_file(path, whole)
        {
            process.complain(&format!("{}: {}", show(path), error.errno))?;
            status = Status::FAILURE;
        }
    }
    Ok(status)
}
