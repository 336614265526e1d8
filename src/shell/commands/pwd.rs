//! pwd, the program: the folder without links, or `PWD` where that is a name for it.

use crate::shell::{Fatal, Process, Status, options::parse};

pub(super) fn run(process: &mut Process<'_>) -> Result<Status, Fatal> {
    let arguments = parse(process, &["L logical", "P physical"])?;
    let mut path = process.folder.as_bytes().to_vec();
    if arguments.last_of(&["L", "P"]) == Some("L")
        && let Some(logical) = process.variable("PWD").filter(|path| path.starts_with(b"/"))
        && process.lookup(logical) == process.lookup(b".")
    {
        path = logical.to_vec();
    }
    path.push(b'\n');
    process.out(&path)?;
    Ok(Status::SUCCESS)
}
